/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Where samples come from: one back end per kind of source, behind one table. source.c chooses; the
 * back ends give interleaved float frames at the source's own rate and channel count; audio.c makes
 * mono at the wanted rate of them.
 *
 * To add a kind of source: write source_NAME.c with its table, list it in source.c.
 */
#ifndef OTO_AUDIO_SOURCE_H
#define OTO_AUDIO_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/input.h"
#include "audio/raw_format.h"
#include "audio/wav_header.h"

/** Frames that are missing before the frame at position, counted in frames that were read. */
struct oto_source_gap {
    uint64_t position, n_lost; /* n_lost 0: some, nobody knows how many */
};

enum { OTO_SOURCE_GAPS = 64 };

struct oto_source_info {
    int rate_hz, n_channels;
    int64_t n_frames; /* by the header, -1 when unknown */
    char format[160]; /* "WAV, signed 16 bit PCM" */
    uint64_t n_lost;  /* frames lost to overruns */
};

/** What to open: exactly one of input and device is not NULL. */
struct oto_source_request {
    struct oto_input *input;
    const char *device; /* microphone: "" for the default, an index, or part of a name */
    const struct oto_raw_format *raw; /* NULL: by the header */
    int channel;                      /* the caller's choice, 0 for the mean of all */
    int (*stop)(void *stop_arg);      /* as in struct oto_source, while opening waits */
    void *stop_arg;
    unsigned char head[16]; /* first bytes of the input */
    size_t n_head;
    struct oto_wav_header wav; /* scanned when the head is that of a WAV file */
};

struct oto_source {
    const struct oto_source_backend *backend;
    struct oto_input *input; /* owned; NULL for microphones */
    const char *name;        /* for messages */
    void *state;             /* the back end's own */
    bool live; /* samples arrive at their own pace: give what is there, do not wait for a full block
                */
    struct oto_source_info info;
    int (*stop)(void *stop_arg); /* ends waiting when it gives nonzero; NULL: never */
    void *stop_arg;
    struct oto_source_gap gaps[OTO_SOURCE_GAPS]; /* passed by read and not yet taken, in order */
    int n_gaps;
    char warning[512]; /* "" or sentences joined by "; " */
};

/** A back end may expect of open() that its probe() said yes; close() is called once after an
 * open() that succeeded. */
struct oto_source_backend {
    const char *name;
    bool (*probe)(const struct oto_source_request *request);
    /** Fills source->state and source->info. On failure releases what it took; the input stays the
     * caller's. */
    oto_status (*open)(struct oto_source *source, const struct oto_source_request *request,
                       oto_error *err);
    /**
     * @param frames  [capacity, n_channels] interleaved, full scale +-1
     * *n_read = 0 with OTO_OK is the end.
     */
    oto_status (*read)(struct oto_source *source, float *frames, size_t capacity, size_t *n_read,
                       oto_error *err);
    void (*close)(struct oto_source *source);
    /** Goes to that frame, exactly; false when it cannot, and nothing has moved then. NULL where
     * there is only reading. */
    bool (*seek)(struct oto_source *source, int64_t frame);
    /** Refreshes what changes while reading; NULL where nothing does. */
    void (*info)(const struct oto_source *source, struct oto_source_info *info);
};

extern const struct oto_source_backend oto_source_raw;
extern const struct oto_source_backend oto_source_wav;
extern const struct oto_source_backend oto_source_sndfile;
#ifdef OTO_HAVE_PORTAUDIO
extern const struct oto_source_backend oto_source_microphone;
#endif

/** Takes over request->input in every case, also on failure. Fills in request's head and wav. */
oto_status oto_source_open(struct oto_source **out, struct oto_source_request *request,
                           oto_error *err) OTO_WARN_UNUSED;
oto_status oto_source_read(struct oto_source *source, float *frames, size_t capacity,
                           size_t *n_read, oto_error *err) OTO_WARN_UNUSED;
/** Goes to a frame from the start, by seeking or by reading up to it; *reached is less only where
 * the source ends before. */
oto_status oto_source_skip_to(struct oto_source *source, int64_t frame, int64_t *reached,
                              oto_error *err) OTO_WARN_UNUSED;
void oto_source_close(struct oto_source *source);
void oto_source_get_info(const struct oto_source *source, struct oto_source_info *info);

/**
 * Puts the source behind a thread that hands its frames over at pace times their natural speed; who
 * reads too late loses some, as with a microphone. Takes over *source: on failure it is closed, and
 * *source NULL. There is no seeking any more. pace > 0.
 */
oto_status oto_source_pace(struct oto_source **source, double pace, oto_error *err) OTO_WARN_UNUSED;

/** For back ends: adds a sentence to source->warning; what does not fit is dropped. */
void oto_source_warn(struct oto_source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** For back ends that wait: whether they shall stop. Then OTO_ERR_INTERRUPTED. */
bool oto_source_is_stopped(const struct oto_source *source);
/** For back ends: notes a gap, and warns of it. When nobody takes them, the last grows. */
void oto_source_add_gap(struct oto_source *source, uint64_t position, uint64_t n_lost);
/** Takes the first gap. False when there is none. */
bool oto_source_take_gap(struct oto_source *source, struct oto_source_gap *gap);
/** For back ends: refuses rates outside 4..192 kHz and more than 64 or fewer than 1 channels.
 * OTO_ERR_DATA. */
oto_status oto_source_check_shape(const char *name, int64_t rate_hz, int64_t n_channels,
                                  oto_error *err) OTO_WARN_UNUSED;

#endif
