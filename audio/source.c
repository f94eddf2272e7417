/* SPDX-License-Identifier: BSD-2-Clause */
#include "audio/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* The first whose probe says yes is taken; the last knows the most formats and names what it cannot
 * read. */
static const struct oto_source_backend *const backends[] = {
#ifdef OTO_HAVE_PORTAUDIO
    &oto_source_microphone,
#endif
    &oto_source_raw,
    &oto_source_wav,
    &oto_source_sndfile,
};

oto_status oto_source_open(struct oto_source **out, struct oto_source_request *request,
                           oto_error *err)
{
    *out = NULL;
    struct oto_input *input = request->input;
    oto_status status = OTO_OK;
    struct oto_source *source = oto_calloc(1, sizeof *source);
    if (source == NULL) {
        status = oto_fail_memory(err, "audio source");
        goto fail;
    }
    source->name = input != NULL ? input->name : "microphone";
    source->info.n_frames = -1;
    source->stop = request->stop;
    source->stop_arg = request->stop_arg;
    memset(&request->wav, 0, sizeof request->wav);
    if (input != NULL) {
        status = oto_input_peek(input, request->head, sizeof request->head, &request->n_head, err);
        if (status == OTO_OK && request->n_head == 0) {
            status = oto_fail(err, OTO_ERR_DATA, "%s: is empty (0 bytes)", input->name);
        }
        if (status == OTO_OK && oto_wav_is_header(request->head, request->n_head)) {
            status = oto_wav_scan(&request->wav, input, err);
        }
        if (status != OTO_OK) {
            goto fail;
        }
    }
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (backends[i]->probe(request)) {
            source->backend = backends[i];
            break;
        }
    }
    if (source->backend == NULL) {
        status =
            oto_fail(err, OTO_ERR_UNSUPPORTED,
                     "microphones: this build has no PortAudio; build with OTOLITH_PORTAUDIO=ON");
        goto fail;
    }
    status = source->backend->open(source, request, err);
    if (status != OTO_OK) {
        goto fail;
    }
    source->input = input;
    *out = source;
    return OTO_OK;
fail:
    oto_free(source);
    oto_input_close(input);
    return status;
}

oto_status oto_source_read(struct oto_source *source, float *frames, size_t capacity,
                           size_t *n_read, oto_error *err)
{
    *n_read = 0;
    return source->backend->read(source, frames, capacity, n_read, err);
}

oto_status oto_source_skip_to(struct oto_source *source, int64_t frame, int64_t *reached,
                              oto_error *err)
{
    enum { BLOCK = 1024 };
    *reached = frame;
    if (source->info.n_frames >= 0 && frame > source->info.n_frames) {
        *reached = source->info.n_frames;
        return OTO_OK;
    }
    if (source->backend->seek != NULL && source->backend->seek(source, frame)) {
        return OTO_OK;
    }
    float *frames = oto_calloc((size_t)BLOCK * (size_t)source->info.n_channels, sizeof *frames);
    oto_status status = frames != NULL ? OTO_OK : oto_fail_memory(err, "audio buffers");
    for (*reached = 0; status == OTO_OK && *reached < frame;) {
        int64_t left = frame - *reached;
        size_t n = 0;
        status = oto_source_read(source, frames, left < BLOCK ? (size_t)left : BLOCK, &n, err);
        if (n == 0) {
            break;
        }
        *reached += (int64_t)n;
    }
    oto_free(frames);
    return status;
}

void oto_source_close(struct oto_source *source)
{
    if (source == NULL) {
        return;
    }
    source->backend->close(source);
    oto_input_close(source->input);
    oto_free(source);
}

void oto_source_get_info(const struct oto_source *source, struct oto_source_info *info)
{
    *info = source->info;
    if (source->backend->info != NULL) {
        source->backend->info(source, info);
    }
}

void oto_source_warn(struct oto_source *source, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t used = strlen(source->warning);
    const char *joint = used > 0 ? "; " : "";
    if (n > 0 && used + strlen(joint) + strlen(text) < sizeof source->warning) {
        snprintf(source->warning + used, sizeof source->warning - used, "%s%s", joint, text);
    }
}

bool oto_source_is_stopped(const struct oto_source *source)
{
    return source->stop != NULL && source->stop(source->stop_arg) != 0;
}

void oto_source_add_gap(struct oto_source *source, uint64_t position, uint64_t n_lost)
{
    double at = (double)position / source->info.rate_hz;
    if (n_lost > 0) {
        oto_source_warn(source, "%llu samples were lost at %.3f s", (unsigned long long)n_lost, at);
    } else {
        oto_source_warn(source, "the device lost samples at %.3f s", at);
    }
    if (source->n_gaps == OTO_SOURCE_GAPS) {
        source->gaps[OTO_SOURCE_GAPS - 1].n_lost += n_lost;
        return;
    }
    source->gaps[source->n_gaps++] = (struct oto_source_gap){position, n_lost};
}

bool oto_source_take_gap(struct oto_source *source, struct oto_source_gap *gap)
{
    if (source->n_gaps == 0) {
        return false;
    }
    *gap = source->gaps[0];
    source->n_gaps--;
    memmove(source->gaps, source->gaps + 1, (size_t)source->n_gaps * sizeof source->gaps[0]);
    return true;
}

oto_status oto_source_check_shape(const char *name, int64_t rate_hz, int64_t n_channels,
                                  oto_error *err)
{
    if (n_channels < 1 || n_channels > OTO_AUDIO_MAX_CHANNELS) {
        return oto_fail(err, OTO_ERR_DATA, "%s: has %lld channels; 1 to %d are read", name,
                        (long long)n_channels, OTO_AUDIO_MAX_CHANNELS);
    }
    if (rate_hz < OTO_AUDIO_MIN_RATE_HZ || rate_hz > OTO_AUDIO_MAX_RATE_HZ) {
        return oto_fail(err, OTO_ERR_DATA, "%s: has a rate of %lld Hz; %d to %d Hz are read", name,
                        (long long)rate_hz, OTO_AUDIO_MIN_RATE_HZ, OTO_AUDIO_MAX_RATE_HZ);
    }
    return OTO_OK;
}
