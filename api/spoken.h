/* SPDX-License-Identifier: BSD-2-Clause */
/** Words of a recognizer's result: when each was said, and how sure it is. */
#ifndef OTO_API_SPOKEN_H
#define OTO_API_SPOKEN_H

#include "decoder/align.h"
#include "models/bundle.h"
#include "otolith/otolith.h"

/** Zero-initialise; release with oto_spoken_clear(). */
struct oto_spoken {
    oto_word *list; /* [n] texts owned */
    size_t n, capacity;
    struct oto_aligner *aligner;
};

/** Forgets the words, keeps the memory. */
void oto_spoken_reset(struct oto_spoken *spoken);
void oto_spoken_clear(struct oto_spoken *spoken);

/**
 * Adds the words of a text that is the best of a segment.
 *
 * @param labels     the text, and its frames in log_probs [n_frames, K]
 * @param start_s    when the first frame's stride begins, in seconds of the input
 * Errors: OTO_ERR_MEMORY.
 */
oto_status oto_spoken_add(struct oto_spoken *spoken, const struct oto_bundle *bundle,
                          const int *labels, int n_labels, const float *log_probs, size_t n_frames,
                          double start_s, oto_error *err) OTO_WARN_UNUSED;
/** Adds one word, whose labels emit in spans [n]; n >= 1. text is taken over, NULL is
 * OTO_ERR_MEMORY. */
oto_status oto_spoken_add_word(struct oto_spoken *spoken, const struct oto_bundle *bundle,
                               char *text, const struct oto_span *spans, size_t n, double start_s,
                               oto_error *err) OTO_WARN_UNUSED;
/** Adds a word that was not heard, at a moment. */
oto_status oto_spoken_add_unheard(struct oto_spoken *spoken, char *text, double time_s,
                                  oto_error *err) OTO_WARN_UNUSED;
/** At the end of an input of so many seconds: no word lasts beyond it, none begins before the one
 * before it ends. */
void oto_spoken_settle(struct oto_spoken *spoken, double seconds);

#endif
