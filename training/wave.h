/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Changes of an utterance's samples: speed, pitch, tempo, rooms, backgrounds, telephone lines,
 * codecs. The feature cache holds copies of each utterance that are made with them.
 */
#ifndef OTO_TRAINING_WAVE_H
#define OTO_TRAINING_WAVE_H

#include "base/bytes.h"
#include "training/perturb.h"
#include "training/recordings.h"

struct oto_wave; /* never changes after it was made: shared by threads */

/**
 * Opens the folders of recordings. perturb is borrowed until the end. Errors as of
 * oto_recordings_open().
 */
oto_status oto_wave_create(struct oto_wave **out, const struct oto_perturb *perturb,
                           oto_error *err) OTO_WARN_UNUSED;
void oto_wave_destroy(struct oto_wave *wave);

/** What the changes depend on besides seed and stream: kinds, ranges, recordings with their times
 * of change or without. */
void oto_wave_key(const struct oto_wave *wave, struct oto_writer *w, bool times);

/**
 * Changes s in place; its length may become another. A pure function of samples, seed and stream.
 *
 * The level (rms) of the speech stays as it was but for background, which is added to it: its
 * energy over the length of the utterance is the value below the utterance's, pauses and all.
 * Rooms and responses begin with the direct sound, so nothing moves in time; what rings on after
 * the end is cut off. Pauses come before rooms and backgrounds, which are heard in them. Silence,
 * of the utterance or of a background, stays silence.
 *
 * Errors: OTO_ERR_MEMORY, those of reading recordings.   Cost: see docs/training.md.
 */
oto_status oto_wave_apply(const struct oto_wave *wave, struct oto_samples *s, uint64_t seed,
                          uint64_t stream, oto_error *err) OTO_WARN_UNUSED;

/** Brings a recorded response to how oto_wave_apply() uses it: from 1 ms before its highest point
 * on, with what comes later than 2.5 ms after that point raised by late_db. */
void oto_wave_prepare_response(struct oto_samples *h, int rate_hz, double late_db);

#endif
