/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Audio for Otolith: files, standard input, raw streams, memory and microphones, as mono float
 * samples at the rate asked for. Decoded while reading: memory does not grow with the file. An
 * oto_audio belongs to one thread at a time.
 */
#ifndef OTOLITH_AUDIO_H
#define OTOLITH_AUDIO_H

#include <stddef.h>
#include <stdint.h>

#include "otolith/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct oto_audio oto_audio;

typedef struct oto_audio_options {
    size_t struct_size;
    int rate_hz; /* of the samples that read gives; 0 = the source's own */
    int channel; /* 0 = mean of all channels, N >= 1 = that channel alone */
    /* "s16le:16000:1" (format:rate:channels) for headerless input; NULL = by its header. Formats:
     * u8 s8 s16le s16be s24le s24be s32le s32be f32le f32be f64le f64be mulaw alaw. On standard
     * input a RIFF, RF64, RIFX, fLaC or OggS header wins over it. */
    const char *raw;
    /* A part of the recording: length_s seconds from start_s on; length_s = 0 goes to the end.
     * Files are sought where their format allows it, everything else is read up to there. */
    double start_s, length_s;
    /* 0: files and streams as fast as they are read. 1: at the speed of a microphone, 2 twice as
     * fast; who reads too late loses samples, as with a microphone (oto_audio_next_gap()). No
     * effect on microphones. */
    double pace;
    /* Asked while a microphone is being opened, and while read waits for one or for a paced source:
     * they end with OTO_ERR_INTERRUPTED when it gives anything but 0. NULL: never. */
    int (*stop)(void *stop_arg);
    void *stop_arg;
} oto_audio_options;
OTO_API void oto_audio_options_init(oto_audio_options *options);

/** "-" is standard input. Every failure names the path; a short data chunk is a warning, not a
 * failure. */
OTO_API oto_status oto_audio_open(oto_audio **out, const char *path,
                                  const oto_audio_options *options, oto_error *err) OTO_WARN_UNUSED;
/** A whole encoded file in memory, borrowed until close. name is used in messages. */
OTO_API oto_status oto_audio_open_memory(oto_audio **out, const void *data, size_t size,
                                         const char *name, const oto_audio_options *options,
                                         oto_error *err) OTO_WARN_UNUSED;
/** device: NULL or "" = the system's default, a device index, or part of a device's name. Capture
 * starts at once. */
OTO_API oto_status oto_audio_open_microphone(oto_audio **out, const char *device,
                                             const oto_audio_options *options,
                                             oto_error *err) OTO_WARN_UNUSED;
OTO_API void oto_audio_close(oto_audio *audio);

/**
 * Next samples, mono, full scale +-1. *n_read = 0 with OTO_OK means the end. Blocks for a
 * microphone until at least one sample is there. NaN or infinite samples in the source are
 * OTO_ERR_DATA with the position of the first.
 */
OTO_API oto_status oto_audio_read(oto_audio *audio, float *samples, size_t capacity, size_t *n_read,
                                  oto_error *err) OTO_WARN_UNUSED;

/** n_lost samples are missing in front of the sample position, both counted in samples as read
 * gives them. n_lost = 0: the device lost some and does not know how many. */
typedef struct oto_audio_gap {
    uint64_t position, n_lost;
} oto_audio_gap;
/** The next gap that reading has come to, each once, in order; 0 when there is none. Its position
 * may lie a few milliseconds beyond what was read so far: ask after each read. */
OTO_API int oto_audio_next_gap(oto_audio *audio, oto_audio_gap *gap);

/** The path, "standard input", or "microphone" and the device's name. Belongs to audio. */
OTO_API const char *oto_audio_name(const oto_audio *audio);

typedef struct oto_audio_info {
    int source_rate_hz, n_channels;
    double seconds;      /* of all of it, by the header; negative when unknown (streams) */
    const char *format;  /* "WAV, signed 16 bit PCM" */
    const char *warning; /* "" or what was odd so far: truncated data, lost microphone samples */
    uint64_t n_lost;     /* microphone samples lost to overruns so far */
} oto_audio_info;
/** Strings belong to audio, until its next call. */
OTO_API void oto_audio_get_info(const oto_audio *audio, oto_audio_info *info);

typedef struct oto_audio_device {
    int index;
    char name[128], host_api[64];
    int n_channels;
    double default_rate_hz;
    int is_default;
} oto_audio_device;
/** Input devices. devices may be NULL to count. OTO_ERR_UNSUPPORTED in a build without PortAudio.
 */
OTO_API oto_status oto_audio_list_devices(oto_audio_device *devices, size_t capacity,
                                          size_t *n_devices, oto_error *err) OTO_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
