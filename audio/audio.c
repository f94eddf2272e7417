/* SPDX-License-Identifier: BSD-2-Clause */
#include "otolith/audio.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "audio/resample.h"
#include "audio/source.h"
#include "base/mem.h"

enum { BLOCK_FRAMES = 4096 };
#define MAX_SECONDS 1e8
#define MAX_PACE 1e4

struct oto_audio {
    struct oto_source *source;
    struct oto_resampler *resampler; /* NULL when the source has the wanted rate already */
    int channel;                     /* 0 for the mean */
    int n_channels, source_rate_hz;
    float *frames; /* [BLOCK_FRAMES, n_channels] as the source gave them */
    size_t n_frames;
    bool prefetched; /* frames holds the first block, read by open */
    float *mono;     /* [BLOCK_FRAMES] */
    size_t n_mono, mono_at;
    float *ready; /* [BLOCK_FRAMES] at the wanted rate; without a resampler it is mono */
    size_t n_ready, ready_at;
    uint64_t n_taken;  /* frames made mono so far, counted from the start of the source */
    int64_t n_left;    /* frames of the part that was asked for, -1 = to the end */
    bool source_ended; /* what follows comes out of the resampler */
    bool ended;
    int rate_hz;                         /* of what read gives */
    uint64_t n_lost_told, n_lost_source; /* by oto_audio_next_gap(): at the two rates */
    oto_error failure;                   /* first failure, given again by every later read */
};

void oto_audio_options_init(oto_audio_options *options)
{
    memset(options, 0, sizeof *options);
    options->struct_size = sizeof *options;
}

/* The caller may have been built against a longer or shorter struct than ours. */
static oto_status check_options(oto_audio_options *out, const oto_audio_options *in,
                                const char *name, oto_error *err)
{
    oto_audio_options_init(out);
    if (in != NULL) {
        if (in->struct_size < sizeof in->struct_size) {
            return oto_fail(err, OTO_ERR_ARGUMENT,
                            "%s: audio options were not set up by oto_audio_options_init()", name);
        }
        memcpy(out, in, in->struct_size < sizeof *out ? in->struct_size : sizeof *out);
    }
    if (out->rate_hz != 0 &&
        (out->rate_hz < OTO_AUDIO_MIN_RATE_HZ || out->rate_hz > OTO_AUDIO_MAX_RATE_HZ)) {
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "%s: %d Hz was asked for; 0 (as it is) or %d to %d are possible", name,
                        out->rate_hz, OTO_AUDIO_MIN_RATE_HZ, OTO_AUDIO_MAX_RATE_HZ);
    }
    if (out->channel < 0) {
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "%s: channel %d was asked for; 0 (mean of all) or 1 and up are possible",
                        name, out->channel);
    }
    if (!(out->pace >= 0 && out->pace <= MAX_PACE)) {
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "%s: a pace of %g was asked for; 0 to %.0f are possible", name, out->pace,
                        MAX_PACE);
    }
    if (!(out->start_s >= 0 && out->start_s < MAX_SECONDS) ||
        !(out->length_s >= 0 && out->length_s < MAX_SECONDS)) {
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "%s: a part of %g s from %g s on was asked for; 0 to %.0f are possible",
                        name, out->length_s, out->start_s, MAX_SECONDS);
    }
    return OTO_OK;
}

static oto_status create_buffers(struct oto_audio *audio, int rate_hz, oto_error *err)
{
    audio->frames = oto_calloc((size_t)BLOCK_FRAMES * (size_t)audio->n_channels, sizeof(float));
    audio->mono = oto_calloc(BLOCK_FRAMES, sizeof(float));
    if (audio->frames == NULL || audio->mono == NULL) {
        return oto_fail_memory(err, "audio buffers");
    }
    if (rate_hz == 0 || rate_hz == audio->source_rate_hz) {
        audio->ready = audio->mono;
        return OTO_OK;
    }
    audio->ready = oto_calloc(BLOCK_FRAMES, sizeof(float));
    if (audio->ready == NULL) {
        return oto_fail_memory(err, "audio buffers");
    }
    return oto_resampler_create(&audio->resampler, audio->source_rate_hz, rate_hz, err);
}

/* Next block of the source into frames, none beyond the part that was asked for. */
static oto_status read_block(struct oto_audio *audio, oto_error *err)
{
    size_t capacity = BLOCK_FRAMES;
    if (audio->n_left >= 0 && audio->n_left < BLOCK_FRAMES) {
        capacity = (size_t)audio->n_left;
    }
    audio->n_frames = 0;
    if (capacity == 0) {
        return OTO_OK;
    }
    oto_status status =
        oto_source_read(audio->source, audio->frames, capacity, &audio->n_frames, err);
    if (status == OTO_OK && audio->n_left >= 0) {
        if (audio->n_frames == 0) {
            oto_source_warn(audio->source, "ends %.3f s before the part that was asked for does",
                            (double)audio->n_left / audio->source_rate_hz);
            audio->n_left = 0;
        }
        audio->n_left -= (int64_t)audio->n_frames;
    }
    return status;
}

/* To the first frame of the part that was asked for. */
static oto_status start_part(struct oto_audio *audio, const oto_audio_options *options,
                             oto_error *err)
{
    int64_t first = llround(options->start_s * audio->source_rate_hz), reached = 0;
    audio->n_left = -1;
    if (options->length_s > 0) {
        int64_t end = llround((options->start_s + options->length_s) * audio->source_rate_hz);
        audio->n_left = end > first ? end - first : 1;
    }
    if (first == 0) {
        return OTO_OK;
    }
    oto_status status = oto_source_skip_to(audio->source, first, &reached, err);
    if (status != OTO_OK) {
        return status;
    }
    if (reached < first || first == audio->source->info.n_frames) {
        return oto_fail(
            err, OTO_ERR_DATA, "%s: a part from %.3f s on was asked for, but it ends at %.3f s",
            audio->source->name, options->start_s, (double)reached / audio->source_rate_hz);
    }
    audio->n_taken = (uint64_t)first;
    return OTO_OK;
}

/* Reads the first block now: a file without a single sample fails at open, where its siblings fail
 * too. */
static oto_status prefetch(struct oto_audio *audio, oto_error *err)
{
    oto_status status = read_block(audio, err);
    if (status != OTO_OK) {
        return status;
    }
    audio->prefetched = true;
    if (audio->n_frames == 0) {
        return oto_fail(err, OTO_ERR_DATA, "%s: holds no samples (%s)", audio->source->name,
                        audio->source->info.format);
    }
    return OTO_OK;
}

static oto_status open_source(oto_audio **out, struct oto_source_request *request,
                              const oto_audio_options *options, oto_error *err)
{
    struct oto_source *source = NULL;
    struct oto_source_info info;
    request->channel = options->channel;
    request->stop = options->stop;
    request->stop_arg = options->stop_arg;
    oto_status status = oto_source_open(&source, request, err);
    if (status != OTO_OK) {
        return status;
    }
    struct oto_audio *audio = oto_calloc(1, sizeof *audio);
    if (audio == NULL) {
        oto_source_close(source);
        return oto_fail_memory(err, "audio");
    }
    oto_source_get_info(source, &info);
    audio->source = source;
    audio->channel = options->channel;
    audio->n_channels = info.n_channels;
    audio->source_rate_hz = info.rate_hz;
    audio->rate_hz = options->rate_hz != 0 ? options->rate_hz : info.rate_hz;
    if (options->channel > info.n_channels) {
        status = oto_fail(err, OTO_ERR_ARGUMENT, "%s: channel %d was asked for, it has %d",
                          source->name, options->channel, info.n_channels);
    }
    if (status == OTO_OK) {
        status = create_buffers(audio, options->rate_hz, err);
    }
    if (status == OTO_OK) {
        status = start_part(audio, options, err);
    }
    if (status == OTO_OK && request->input != NULL && options->pace > 0) {
        status = oto_source_pace(&audio->source, options->pace, err);
    }
    if (status == OTO_OK) { /* else pacing may have failed, and there is no source */
        audio->source->stop = options->stop; /* pacing has made another one of it */
        audio->source->stop_arg = options->stop_arg;
    }
    if (status == OTO_OK && request->input != NULL) {
        status = prefetch(audio, err);
    }
    if (status != OTO_OK) {
        oto_audio_close(audio);
        return status;
    }
    *out = audio;
    return OTO_OK;
}

static oto_status open_input(oto_audio **out, struct oto_input *input,
                             const oto_audio_options *options, oto_error *err)
{
    struct oto_source_request request = {.input = input};
    struct oto_raw_format raw;
    if (options->raw != NULL && options->raw[0] != '\0') {
        oto_status status = oto_raw_format_parse(&raw, options->raw, err);
        if (status != OTO_OK) {
            oto_input_close(input);
            return status;
        }
        request.raw = &raw;
    }
    return open_source(out, &request, options, err);
}

oto_status oto_audio_open(oto_audio **out, const char *path, const oto_audio_options *options,
                          oto_error *err)
{
    oto_audio_options checked;
    struct oto_input *input = NULL;
    if (out == NULL || path == NULL) {
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_audio_open: out and path must not be NULL");
    }
    *out = NULL;
    oto_status status = check_options(&checked, options, path, err);
    if (status == OTO_OK) {
        status = oto_input_open(&input, path, err);
    }
    return status != OTO_OK ? status : open_input(out, input, &checked, err);
}

oto_status oto_audio_open_memory(oto_audio **out, const void *data, size_t size, const char *name,
                                 const oto_audio_options *options, oto_error *err)
{
    oto_audio_options checked;
    struct oto_input *input = NULL;
    if (out == NULL) {
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_audio_open_memory: out must not be NULL");
    }
    *out = NULL;
    name = name != NULL ? name : "memory";
    oto_status status = check_options(&checked, options, name, err);
    if (status == OTO_OK) {
        status = oto_input_open_memory(&input, data, size, name, err);
    }
    return status != OTO_OK ? status : open_input(out, input, &checked, err);
}

oto_status oto_audio_open_microphone(oto_audio **out, const char *device,
                                     const oto_audio_options *options, oto_error *err)
{
    oto_audio_options checked;
    struct oto_source_request request = {.device = device != NULL ? device : ""};
    if (out == NULL) {
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_audio_open_microphone: out must not be NULL");
    }
    *out = NULL;
    oto_status status = check_options(&checked, options, "microphone", err);
    return status != OTO_OK ? status : open_source(out, &request, &checked, err);
}

void oto_audio_close(oto_audio *audio)
{
    if (audio == NULL) {
        return;
    }
    oto_resampler_destroy(audio->resampler);
    if (audio->ready != audio->mono) {
        oto_free(audio->ready);
    }
    oto_free(audio->mono);
    oto_free(audio->frames);
    oto_source_close(audio->source);
    oto_free(audio);
}

/* A mono sample is not finite: names the channel and the moment. */
static oto_status fail_not_finite(const struct oto_audio *audio, size_t i, oto_error *err)
{
    const float *frame = audio->frames + i * (size_t)audio->n_channels;
    int c = audio->channel > 0 ? audio->channel - 1 : 0;
    while (audio->channel == 0 && c < audio->n_channels - 1 && isfinite(frame[c])) {
        c++;
    }
    unsigned long long at = audio->n_taken + i;
    return oto_fail(err, OTO_ERR_DATA,
                    "%s: sample %llu (%.6f s) of channel %d is %s; finite samples were expected",
                    audio->source->name, at, (double)at / audio->source_rate_hz, c + 1,
                    isnan(frame[c]) ? "NaN" : "infinite");
}

/* frames [n_frames, n_channels] to mono [n_frames]: one channel, or the mean of all, summed in
 * double. */
static oto_status make_mono(struct oto_audio *audio, oto_error *err)
{
    size_t n_channels = (size_t)audio->n_channels;
    double scale = 1.0 / (double)n_channels;
    for (size_t i = 0; i < audio->n_frames; i++) {
        const float *frame = audio->frames + i * n_channels;
        if (audio->channel > 0 || n_channels == 1) {
            audio->mono[i] = frame[audio->channel > 0 ? audio->channel - 1 : 0];
        } else {
            double sum = 0.0;
            for (size_t c = 0; c < n_channels; c++) {
                sum += (double)frame[c];
            }
            audio->mono[i] = (float)(sum * scale);
        }
        if (!isfinite(audio->mono[i])) {
            return fail_not_finite(audio, i, err);
        }
    }
    audio->n_taken += audio->n_frames;
    audio->n_mono = audio->n_frames;
    audio->mono_at = 0;
    return OTO_OK;
}

static oto_status next_mono(struct oto_audio *audio, oto_error *err)
{
    if (!audio->prefetched) {
        oto_status status = read_block(audio, err);
        if (status != OTO_OK) {
            return status;
        }
    }
    audio->prefetched = false;
    audio->source_ended = audio->n_frames == 0;
    return make_mono(audio, err);
}

/* Fills ready with at least one sample, unless the end is reached. */
static oto_status next_ready(struct oto_audio *audio, oto_error *err)
{
    audio->n_ready = audio->ready_at = 0;
    while (audio->n_ready == 0 && !audio->ended) {
        if (audio->mono_at == audio->n_mono && !audio->source_ended) {
            oto_status status = next_mono(audio, err);
            if (status != OTO_OK) {
                return status;
            }
        }
        if (audio->resampler == NULL) {
            audio->n_ready = audio->mono_at = audio->n_mono;
            audio->ended = audio->source_ended;
            audio->n_mono = audio->mono_at = 0;
            continue;
        }
        size_t left = audio->n_mono - audio->mono_at, used = 0;
        bool flush = audio->source_ended && left == 0;
        oto_status status =
            oto_resampler_push(audio->resampler, flush ? NULL : audio->mono + audio->mono_at, left,
                               &used, audio->ready, BLOCK_FRAMES, &audio->n_ready, err);
        if (status != OTO_OK) {
            return status;
        }
        audio->mono_at += used;
        audio->ended = flush && audio->n_ready == 0;
    }
    return OTO_OK;
}

oto_status oto_audio_read(oto_audio *audio, float *samples, size_t capacity, size_t *n_read,
                          oto_error *err)
{
    if (audio == NULL || n_read == NULL || (samples == NULL && capacity > 0)) {
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "oto_audio_read: audio, samples and n_read must not be NULL");
    }
    *n_read = 0;
    while (*n_read < capacity) {
        if (audio->ready_at == audio->n_ready) {
            if (audio->ended || audio->failure.status != OTO_OK ||
                (*n_read > 0 && audio->source->live)) {
                break;
            }
            if (next_ready(audio, &audio->failure) != OTO_OK || audio->n_ready == 0) {
                break;
            }
        }
        size_t n = audio->n_ready - audio->ready_at;
        n = n < capacity - *n_read ? n : capacity - *n_read;
        memcpy(samples + *n_read, audio->ready + audio->ready_at, n * sizeof *samples);
        audio->ready_at += n;
        *n_read += n;
    }
    if (*n_read == 0 && audio->failure.status != OTO_OK) {
        return oto_fail(err, audio->failure.status, "%s", audio->failure.message);
    }
    return OTO_OK;
}

const char *oto_audio_name(const oto_audio *audio)
{
    return audio->source->name;
}

int oto_audio_next_gap(oto_audio *audio, oto_audio_gap *gap)
{
    struct oto_source_gap found;
    if (audio == NULL || gap == NULL || !oto_source_take_gap(audio->source, &found)) {
        return 0;
    }
    double ratio = 1.0;
    if (audio->resampler != NULL) {
        ratio = (double)audio->rate_hz / audio->source_rate_hz;
    }
    /* The sum is rounded, not each gap, so that nothing adds up. */
    audio->n_lost_source += found.n_lost;
    uint64_t told = (uint64_t)llround((double)audio->n_lost_source * ratio);
    gap->position = (uint64_t)llround((double)found.position * ratio);
    gap->n_lost = told - audio->n_lost_told;
    audio->n_lost_told = told;
    return 1;
}

void oto_audio_get_info(const oto_audio *audio, oto_audio_info *info)
{
    struct oto_source_info source;
    oto_source_get_info(audio->source, &source);
    info->source_rate_hz = source.rate_hz;
    info->n_channels = source.n_channels;
    info->seconds = source.n_frames < 0 ? -1.0 : (double)source.n_frames / source.rate_hz;
    info->format = audio->source->info.format;
    info->warning = audio->source->warning;
    info->n_lost = source.n_lost;
}

#ifndef OTO_HAVE_PORTAUDIO
oto_status oto_audio_list_devices(oto_audio_device *devices, size_t capacity, size_t *n_devices,
                                  oto_error *err)
{
    (void)devices;
    (void)capacity;
    if (n_devices != NULL) {
        *n_devices = 0;
    }
    return oto_fail(err, OTO_ERR_UNSUPPORTED,
                    "microphones: this build has no PortAudio; build with OTOLITH_PORTAUDIO=ON");
}
#endif
