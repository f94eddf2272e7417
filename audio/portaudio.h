/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * PortAudio, the only file that sees it. All of this is called in a process of its own, once
 * (audio/child.h): version 19.6 fails assertions and crashes when a device of ALSA is pulled out,
 * leaves threads behind that cannot be stopped, and waits for ever or for minutes when a device or
 * a JACK server is gone. Any of these may not return.
 */
#ifndef OTO_AUDIO_PORTAUDIO_H
#define OTO_AUDIO_PORTAUDIO_H

#include <stdbool.h>

#include "audio/capture.h"
#include "otolith/audio.h"

struct oto_portaudio_device {
    int rate_hz, n_channels;
    char name[192];   /* "microphone "default"", for messages */
    char format[160]; /* "microphone by ALSA" */
};

/** Input devices, at most capacity of them; n_devices: how many there are. */
oto_status oto_portaudio_list(oto_audio_device *devices, size_t capacity, size_t *n_devices,
                              oto_error *err) OTO_WARN_UNUSED;
/**
 * Opens a device.
 *
 * @param name     as oto_audio_open_microphone() has it, not NULL
 * @param channel  that must be among its channels; 0: any
 * The device runs at its own rate: many refuse the 16 kHz of speech models, and audio.c converts
 * anyway.
 */
oto_status oto_portaudio_open(struct oto_portaudio_device *out, const char *name, int channel,
                              oto_error *err) OTO_WARN_UNUSED;
/** From now on its samples go to the capture. */
oto_status oto_portaudio_start(const struct oto_portaudio_device *opened, struct oto_capture *to,
                               oto_error *err) OTO_WARN_UNUSED;
/** False when the device has stopped by itself. */
bool oto_portaudio_is_active(void);
/** Ends the stream, if there is one, and PortAudio. */
void oto_portaudio_stop(void);

#endif
