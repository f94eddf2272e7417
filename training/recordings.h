/* SPDX-License-Identifier: BSD-2-Clause */
/** Whole recordings as samples, and folders of recordings that training mixes in: noises, responses
 * of rooms. */
#ifndef OTO_TRAINING_RECORDINGS_H
#define OTO_TRAINING_RECORDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/** Samples that grow with what is read into them. Zero-initialise; oto_samples_clear(). */
struct oto_samples {
    float *x; /* [n], full scale +-1 */
    size_t n, capacity;
};

/** Room for n samples; what is there stays. False without memory. */
bool oto_samples_reserve(struct oto_samples *s, size_t n);
/** Appends a file, or the part of it that length_s (0: to its end) seconds from start_s on are. */
oto_status oto_samples_read(struct oto_samples *s, const char *path, int rate_hz, double start_s,
                            double length_s, oto_error *err) OTO_WARN_UNUSED;
void oto_samples_clear(struct oto_samples *s);

struct oto_recording {
    char *path;
    double seconds; /* by its header */
};

/** The audio files of a folder and of those in it, in the order of their names. */
struct oto_recordings {
    struct oto_recording *items; /* [n], n >= 1 */
    size_t n;
};

/**
 * Opens every file once. OTO_ERR_NOT_FOUND, OTO_ERR_IO for the folder; OTO_ERR_DATA when there is
 * no audio in it, or for a file without samples or of unknown length; those of oto_audio_open()
 * for a file that cannot be read. what ("perturb: background") begins each message.
 */
oto_status oto_recordings_open(struct oto_recordings *out, const char *folder, const char *what,
                               oto_error *err) OTO_WARN_UNUSED;
void oto_recordings_clear(struct oto_recordings *r);

/** What identifies them: names and sizes, and times of change unless only content counts. */
void oto_recordings_key(const struct oto_recordings *r, struct oto_writer *w, bool times);

/**
 * n samples of the recording from a place on (0 to 1, a share of its length); after its end it
 * starts again. Replaces what is in s.
 */
oto_status oto_recording_loop(const struct oto_recording *r, struct oto_samples *s, size_t n,
                              double place, int rate_hz, oto_error *err) OTO_WARN_UNUSED;

#endif
