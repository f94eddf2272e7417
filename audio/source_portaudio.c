/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Microphones by PortAudio. The callback hands the samples to a capture, nothing else. The device
 * runs at its own rate: many refuse the 16 kHz of speech models, and audio.c converts anyway.
 */
#include "audio/source.h"

#include <fcntl.h>
#include <portaudio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "audio/capture.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "otolith/audio.h"

enum {
    RING_SECONDS = 8, /* the reader may be away for so long */
    POLL_MS = 3,
    SIGN_OF_LIFE_MS = 500, /* in which a device that works has given samples */
    STALL_S = 10 /* PulseAudio was seen to start 2 s late; silence of the device for longer is a
                    failure */
};

struct portaudio_state {
    PaStream *stream;
    struct oto_capture *capture;
    char name[192];
    uint64_t n_read;
    bool is_jack, started, abandoned; /* see release() */
};

/* Pa_Initialize() and its kin count without a lock, and the redirection below concerns the whole
 * process. */
static pthread_mutex_t portaudio_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- noise on stderr
 * ----------------------------------------------------------------------------------------- */

/* ALSA and JACK print pages to stderr while devices are probed; it goes to the log instead, at the
 * lowest level. */
struct hush {
    int saved, noise;
};

static struct hush hush_begin(void)
{
    struct hush h = {-1, -1};
    h.saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    h.noise = h.saved >= 0 ? oto_input_temporary() : -1;
    if (h.saved >= 0 && h.noise < 0) {
        h.noise = open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    if (h.noise >= 0) {
        dup2(h.noise, STDERR_FILENO);
    }
    return h;
}

static void hush_end(struct hush h)
{
    char text[8192];
    if (h.noise >= 0) {
        dup2(h.saved, STDERR_FILENO);
        ssize_t n = pread(h.noise, text, sizeof text - 1, 0);
        text[n > 0 ? n : 0] = '\0';
        for (char *save = NULL, *line = strtok_r(text, "\n", &save); line != NULL;
             line = strtok_r(NULL, "\n", &save)) {
            oto_log(OTO_LOG_DEBUG, "audio system: %s", line);
        }
        close(h.noise);
    }
    if (h.saved >= 0) {
        close(h.saved);
    }
}

/* ---- devices
 * -------------------------------------------------------------------------------------------------
 */

static oto_status fail_portaudio(oto_error *err, const char *name, const char *what, PaError code)
{
    const char *text = Pa_GetErrorText(code);
    const PaHostErrorInfo *host = Pa_GetLastHostErrorInfo();
    if (code == paUnanticipatedHostError && host != NULL && host->errorText != NULL &&
        host->errorText[0] != '\0') {
        text = host->errorText;
    }
    return oto_fail(err, OTO_ERR_DEVICE, "%s: %s: %s", name, what, text);
}

static oto_status start_portaudio(oto_error *err)
{
    pthread_mutex_lock(&portaudio_lock);
    struct hush h = hush_begin();
    PaError code = Pa_Initialize();
    hush_end(h);
    pthread_mutex_unlock(&portaudio_lock);
    return code == paNoError ? OTO_OK
                             : fail_portaudio(err, "microphones", "PortAudio does not start", code);
}

static void stop_portaudio(void)
{
    pthread_mutex_lock(&portaudio_lock);
    struct hush h = hush_begin();
    Pa_Terminate();
    hush_end(h);
    pthread_mutex_unlock(&portaudio_lock);
}

static void copy_name(char *out, size_t capacity, const char *name)
{
    if (name == NULL) {
        name = "";
    }
    snprintf(out, capacity, "%s", name);
    ptrdiff_t invalid = oto_utf8_invalid_at(out);
    if (invalid >= 0 && strlen(name) >= capacity) {
        out[invalid] = '\0'; /* cut between characters */
    }
}

static const char *host_name(const PaDeviceInfo *device)
{
    const PaHostApiInfo *host = Pa_GetHostApiInfo(device->hostApi);
    return host != NULL ? host->name : "";
}

oto_status oto_audio_list_devices(oto_audio_device *devices, size_t capacity, size_t *n_devices,
                                  oto_error *err)
{
    if (n_devices == NULL) {
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "oto_audio_list_devices: n_devices must not be NULL");
    }
    *n_devices = 0;
    oto_status status = start_portaudio(err);
    if (status != OTO_OK) {
        return status;
    }
    for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
        if (info == NULL || info->maxInputChannels < 1) {
            continue;
        }
        if (devices != NULL && *n_devices < capacity) {
            oto_audio_device *device = devices + *n_devices;
            memset(device, 0, sizeof *device);
            device->index = i;
            copy_name(device->name, sizeof device->name, info->name);
            copy_name(device->host_api, sizeof device->host_api, host_name(info));
            device->n_channels = info->maxInputChannels;
            device->default_rate_hz = info->defaultSampleRate;
            device->is_default = i == Pa_GetDefaultInputDevice();
        }
        (*n_devices)++;
    }
    stop_portaudio();
    return OTO_OK;
}

static bool contains_ignoring_case(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; strlen(text) >= n; text++) {
        if (strncasecmp(text, part, n) == 0) {
            return true;
        }
    }
    return false;
}

/* The whole name wins over a part of one; a part must fit one device alone. */
static oto_status find_by_name(PaDeviceIndex *out, const char *name, oto_error *err)
{
    int n_found = 0;
    for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
        if (info == NULL || info->maxInputChannels < 1 || info->name == NULL) {
            continue;
        }
        if (strcmp(info->name, name) == 0) {
            *out = i;
            return OTO_OK;
        }
        if (contains_ignoring_case(info->name, name)) {
            *out = i;
            n_found++;
        }
    }
    if (n_found == 0) {
        return oto_fail(err, OTO_ERR_NOT_FOUND,
                        "microphone \"%s\": no input device has that in its name", name);
    }
    if (n_found > 1) {
        return oto_fail(
            err, OTO_ERR_ARGUMENT,
            "microphone \"%s\": %d input devices have that in their names; give more of "
            "the name, or the index",
            name, n_found);
    }
    return OTO_OK;
}

static oto_status find_device(PaDeviceIndex *out, const char *name, oto_error *err)
{
    if (name[0] == '\0') {
        *out = Pa_GetDefaultInputDevice();
        return *out >= 0 ? OTO_OK
                         : oto_fail(err, OTO_ERR_NOT_FOUND, "microphone: there is no input device");
    }
    if (name[strspn(name, "0123456789")] != '\0') {
        return find_by_name(out, name, err);
    }
    long index = strlen(name) < 6 ? strtol(name, NULL, 10) : -1;
    const PaDeviceInfo *info =
        index >= 0 && index < Pa_GetDeviceCount() ? Pa_GetDeviceInfo((PaDeviceIndex)index) : NULL;
    if (info == NULL || info->maxInputChannels < 1) {
        return oto_fail(err, OTO_ERR_NOT_FOUND,
                        "microphone %s: there is no input device with that index", name);
    }
    *out = (PaDeviceIndex)index;
    return OTO_OK;
}

/* ---- capture
 * -------------------------------------------------------------------------------------------------
 */

/* Runs in PortAudio's thread, must not wait. */
static int on_samples(const void *input, void *output, unsigned long n_frames,
                      const PaStreamCallbackTimeInfo *time, PaStreamCallbackFlags flags, void *user)
{
    struct portaudio_state *state = user;
    (void)output;
    (void)time;
    bool late = (flags & paInputOverflow) != 0; /* the device lost some, nobody knows how many */
    if (input != NULL) {
        oto_capture_write(state->capture, input, n_frames, late);
    }
    return paContinue;
}

static PaError try_stream(struct portaudio_state *state, PaDeviceIndex device, int n_channels,
                          double rate_hz)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(device);
    double latency = info->defaultLowInputLatency;
    latency = latency < 0.02 ? 0.02 : latency > 0.2 ? 0.2 : latency;
    PaStreamParameters input = {device, n_channels, paFloat32, latency, NULL};
    return Pa_OpenStream(&state->stream, &input, NULL, rate_hz, paFramesPerBufferUnspecified,
                         paClipOff | paDitherOff, on_samples, state);
}

/* The device's own rate and up to two channels (more where one of them is asked for), else what it
 * takes. */
static oto_status open_stream(struct oto_source *source, PaDeviceIndex device, int channel,
                              oto_error *err)
{
    struct portaudio_state *state = source->state;
    const PaDeviceInfo *info = Pa_GetDeviceInfo(device);
    const double rates[] = {info->defaultSampleRate, 48000, 44100, 16000, 32000, 96000, 8000};
    int wanted = channel > 2 ? channel : 2;
    wanted = wanted < info->maxInputChannels ? wanted : info->maxInputChannels;
    const int channels[] = {wanted, 1, info->maxInputChannels};
    PaError first = paNoError;
    for (size_t c = 0; c < 3; c++) {
        for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
            if (channels[c] < channel || channels[c] > OTO_AUDIO_MAX_CHANNELS ||
                rates[r] < OTO_AUDIO_MIN_RATE_HZ || rates[r] > OTO_AUDIO_MAX_RATE_HZ) {
                continue;
            }
            PaError code = try_stream(state, device, channels[c], rates[r]);
            if (code == paNoError) {
                source->info.n_channels = channels[c];
                source->info.rate_hz = (int)rates[r];
                return OTO_OK;
            }
            first = first == paNoError ? code : first;
        }
    }
    if (first == paNoError) {
        return oto_fail(err, OTO_ERR_ARGUMENT, "%s: channel %d was asked for, it has %d",
                        state->name, channel, info->maxInputChannels);
    }
    return fail_portaudio(err, state->name, "cannot be opened", first);
}

static size_t read_any(struct portaudio_state *state)
{
    float frames[OTO_AUDIO_MAX_CHANNELS * 64];
    struct oto_capture_gap gap;
    while (oto_capture_next_gap(state->capture, &gap)) {
        ;
    }
    return oto_capture_read(state->capture, frames, 64);
}

/* Whether new samples come: up to a whole ring of them may have waited. */
static bool is_alive(struct portaudio_state *state)
{
    const struct timespec pause = {0, POLL_MS * 1000000L};
    const size_t most = (size_t)RING_SECONDS * OTO_AUDIO_MAX_RATE_HZ;
    size_t total = 0, n;
    while ((n = read_any(state)) > 0 && total <= most) {
        total += n;
    }
    for (int ms = 0; ms < SIGN_OF_LIFE_MS && n == 0; ms += POLL_MS) {
        nanosleep(&pause, NULL);
        n = read_any(state);
    }
    return n > 0;
}

static void release(struct portaudio_state *state)
{
    /* Of ALSA, PortAudio 19.6 waits for a thread that tries a failing device again for ever. */
    if (state->started && !state->abandoned && Pa_IsStreamActive(state->stream) == 1) {
        state->abandoned = !is_alive(state);
    }
    if (state->abandoned) {
        /*
         * PortAudio 19.6 closes a JACK stream by waiting for its callback, for ten minutes when the
         * server is gone. So a stream that has died or gone silent is left as it is, with all that
         * its callback would touch if it came back.
         */
        return;
    }
    if (state->stream != NULL) {
        pthread_mutex_lock(&portaudio_lock);
        struct hush h = hush_begin();
        Pa_AbortStream(state->stream);
        Pa_CloseStream(state->stream);
        hush_end(h);
        pthread_mutex_unlock(&portaudio_lock);
    }
    oto_capture_destroy(state->capture);
    oto_free(state);
    stop_portaudio();
}

/* Finds and opens the device; the capture is made between opening and starting, when the shape is
 * known. */
static oto_status capture(struct oto_source *source, const struct oto_source_request *request,
                          oto_error *err)
{
    struct portaudio_state *state = source->state;
    PaDeviceIndex device = paNoDevice;
    oto_status status = find_device(&device, request->device, err);
    if (status != OTO_OK) {
        return status;
    }
    char name[128];
    copy_name(name, sizeof name, Pa_GetDeviceInfo(device)->name);
    snprintf(state->name, sizeof state->name, "microphone \"%s\"", name);
    snprintf(source->info.format, sizeof source->info.format, "microphone by %s",
             host_name(Pa_GetDeviceInfo(device)));
    const PaHostApiInfo *host = Pa_GetHostApiInfo(Pa_GetDeviceInfo(device)->hostApi);
    state->is_jack = host != NULL && host->type == paJACK;
    status = open_stream(source, device, request->channel, err);
    if (status != OTO_OK) {
        return status;
    }
    status = oto_capture_create(&state->capture, source->info.n_channels,
                                (size_t)source->info.rate_hz * RING_SECONDS, err);
    if (status != OTO_OK) {
        return status;
    }
    PaError code = Pa_StartStream(state->stream);
    state->started = code == paNoError;
    return state->started ? OTO_OK : fail_portaudio(err, state->name, "does not start", code);
}

static bool portaudio_probe(const struct oto_source_request *request)
{
    return request->device != NULL;
}

static oto_status portaudio_open(struct oto_source *source,
                                 const struct oto_source_request *request, oto_error *err)
{
    struct portaudio_state *state = oto_calloc(1, sizeof *state);
    if (state == NULL) {
        return oto_fail_memory(err, "microphone");
    }
    oto_status status = start_portaudio(err);
    if (status != OTO_OK) {
        oto_free(state);
        return status;
    }
    source->state = state;
    source->live = true;
    pthread_mutex_lock(&portaudio_lock);
    struct hush h = hush_begin();
    status = capture(source, request, err);
    hush_end(h);
    pthread_mutex_unlock(&portaudio_lock);
    if (status != OTO_OK) {
        release(state);
        return status;
    }
    source->name = state->name;
    return OTO_OK;
}

static oto_status portaudio_read(struct oto_source *source, float *frames, size_t capacity,
                                 size_t *n_read, oto_error *err)
{
    struct portaudio_state *state = source->state;
    const struct timespec pause = {0, POLL_MS * 1000000L};
    double started = oto_clock_wall_s();
    struct oto_capture_gap gap;
    while (capacity > 0) {
        bool active =
            Pa_IsStreamActive(state->stream) == 1; /* asked first: then the ring is complete */
        while (oto_capture_next_gap(state->capture, &gap)) {
            oto_source_add_gap(source, gap.position, gap.n_lost);
        }
        size_t n = oto_capture_read(state->capture, frames, capacity);
        if (n > 0) {
            state->n_read += n;
            *n_read = n;
            return OTO_OK;
        }
        if (!active) {
            state->abandoned = state->is_jack;
            return oto_fail(err, OTO_ERR_DEVICE, "%s: stopped after %.3f s; was it unplugged?",
                            source->name, (double)state->n_read / source->info.rate_hz);
        }
        if (oto_clock_wall_s() - started > STALL_S) {
            state->abandoned = true;
            return oto_fail(err, OTO_ERR_DEVICE, "%s: has given no samples for %d s", source->name,
                            STALL_S);
        }
        if (oto_source_is_stopped(source)) {
            return oto_fail(err, OTO_ERR_INTERRUPTED, "%s: reading was stopped", source->name);
        }
        nanosleep(&pause, NULL);
    }
    return OTO_OK;
}

static void portaudio_close(struct oto_source *source)
{
    release(source->state);
}

static void portaudio_info(const struct oto_source *source, struct oto_source_info *info)
{
    struct portaudio_state *state = source->state;
    info->n_lost = oto_capture_n_lost(state->capture);
}

const struct oto_source_backend oto_source_portaudio = {
    "portaudio", portaudio_probe, portaudio_open, portaudio_read, portaudio_close,
    NULL,        portaudio_info};
