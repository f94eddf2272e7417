/* SPDX-License-Identifier: BSD-2-Clause */
#include "audio/portaudio.h"

#include <portaudio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "audio/raw_format.h"
#include "base/utf8.h"

/* One of each, as the process is there for one device alone. */
static PaStream *stream;
static PaDeviceIndex chosen;
static struct oto_capture *capture; /* before the stream starts */

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

static oto_status start(oto_error *err)
{
    PaError code = Pa_Initialize();
    return code == paNoError ? OTO_OK
                             : fail_portaudio(err, "microphones", "PortAudio does not start", code);
}

/* ---- devices ----------------------------------------------------------------------------------
 */

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

oto_status oto_portaudio_list(oto_audio_device *devices, size_t capacity, size_t *n_devices,
                              oto_error *err)
{
    *n_devices = 0;
    oto_status status = start(err);
    if (status != OTO_OK) {
        return status;
    }
    for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = Pa_GetDeviceInfo(i);
        if (info == NULL || info->maxInputChannels < 1) {
            continue;
        }
        if (*n_devices < capacity) {
            oto_audio_device *d = devices + *n_devices;
            memset(d, 0, sizeof *d);
            d->index = i;
            copy_name(d->name, sizeof d->name, info->name);
            copy_name(d->host_api, sizeof d->host_api, host_name(info));
            d->n_channels = info->maxInputChannels;
            d->default_rate_hz = info->defaultSampleRate;
            d->is_default = i == Pa_GetDefaultInputDevice();
        }
        (*n_devices)++;
    }
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

/* ---- capture ----------------------------------------------------------------------------------
 */

/* Runs in PortAudio's thread, must not wait. */
static int on_samples(const void *input, void *output, unsigned long n_frames,
                      const PaStreamCallbackTimeInfo *time, PaStreamCallbackFlags flags, void *user)
{
    (void)output;
    (void)time;
    (void)user;
    bool late = (flags & paInputOverflow) != 0; /* the device lost some, nobody knows how many */
    if (input != NULL) {
        oto_capture_write(capture, input, n_frames, late);
    }
    return paContinue;
}

static PaError try_stream(int n_channels, double rate_hz)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(chosen);
    double latency = info->defaultLowInputLatency;
    latency = latency < 0.02 ? 0.02 : latency > 0.2 ? 0.2 : latency;
    PaStreamParameters input = {chosen, n_channels, paFloat32, latency, NULL};
    return Pa_OpenStream(&stream, &input, NULL, rate_hz, paFramesPerBufferUnspecified,
                         paClipOff | paDitherOff, on_samples, NULL);
}

/* The device's own rate and up to two channels (more where one of them is asked for), else what it
 * takes. */
static oto_status open_stream(struct oto_portaudio_device *out, int channel, oto_error *err)
{
    const PaDeviceInfo *info = Pa_GetDeviceInfo(chosen);
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
            PaError code = try_stream(channels[c], rates[r]);
            if (code == paNoError) {
                out->n_channels = channels[c];
                out->rate_hz = (int)rates[r];
                return OTO_OK;
            }
            first = first == paNoError ? code : first;
        }
    }
    if (first == paNoError) {
        return oto_fail(err, OTO_ERR_ARGUMENT, "%s: channel %d was asked for, it has %d", out->name,
                        channel, info->maxInputChannels);
    }
    return fail_portaudio(err, out->name, "cannot be opened", first);
}

oto_status oto_portaudio_open(struct oto_portaudio_device *out, const char *name, int channel,
                              oto_error *err)
{
    oto_status status = start(err);
    if (status == OTO_OK) {
        status = find_device(&chosen, name, err);
    }
    if (status != OTO_OK) {
        return status;
    }
    char found[128];
    const PaDeviceInfo *info = Pa_GetDeviceInfo(chosen);
    copy_name(found, sizeof found, info->name);
    snprintf(out->name, sizeof out->name, "microphone \"%s\"", found);
    snprintf(out->format, sizeof out->format, "microphone by %s", host_name(info));
    return open_stream(out, channel, err);
}

oto_status oto_portaudio_start(const struct oto_portaudio_device *opened, struct oto_capture *to,
                               oto_error *err)
{
    capture = to;
    PaError code = Pa_StartStream(stream);
    return code == paNoError ? OTO_OK : fail_portaudio(err, opened->name, "does not start", code);
}

bool oto_portaudio_is_active(void)
{
    return Pa_IsStreamActive(stream) == 1;
}

void oto_portaudio_stop(void)
{
    if (stream != NULL) {
        Pa_AbortStream(stream);
        Pa_CloseStream(stream);
    }
    Pa_Terminate();
}
