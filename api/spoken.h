/* SPDX-License-Identifier: BSD-2-Clause */
/** Words of a recognizer's result: when each was said, and how sure it is. */
#ifndef OTO_API_SPOKEN_H
#define OTO_API_SPOKEN_H

#include "decoder/align.h"
#include "decoder/confidence.h"
#include "models/bundle.h"
#include "otolith/otolith.h"

/** Zero-initialise; release with oto_spoken_clear(). */
struct oto_spoken {
    oto_word *list;                /* [n] texts owned */
    struct oto_evidence *evidence; /* [n] of their confidence */
    size_t n, capacity;
    struct oto_aligner *aligner;
};

/** Forgets the words, keeps the memory. */
void oto_spoken_reset(struct oto_spoken *spoken);
void oto_spoken_clear(struct oto_spoken *spoken);

/** A part of the input. */
struct oto_segment {
    const float *log_probs; /* [n_frames, K] */
    size_t n_frames;
    const float *levels; /* [n_levels] of its static frames (api/word_edges.h) */
    size_t n_levels;
    double start_s; /* when its first frame begins, in seconds of the input */
};

/** Adds the words of a segment's best text. votes: their posteriors, NULL: none known. Errors:
 * OTO_ERR_MEMORY. */
oto_status oto_spoken_add(struct oto_spoken *spoken, const struct oto_bundle *bundle,
                          const int *labels, int n_labels, const double *votes,
                          const struct oto_segment *segment, oto_error *err) OTO_WARN_UNUSED;
/** Adds one word, whose labels emit in spans [n]; n >= 1. Its confidence is their mean probability.
 * text is taken over, NULL is OTO_ERR_MEMORY. */
oto_status oto_spoken_add_word(struct oto_spoken *spoken, const struct oto_bundle *bundle,
                               char *text, const struct oto_span *spans, size_t n, double start_s,
                               oto_error *err) OTO_WARN_UNUSED;
/** Adds a word that was not heard, at a moment. */
oto_status oto_spoken_add_unheard(struct oto_spoken *spoken, char *text, double time_s,
                                  oto_error *err) OTO_WARN_UNUSED;
/** At the end of an input of so many seconds: no word lasts beyond it, none begins before the one
 * before it ends. */
void oto_spoken_settle(struct oto_spoken *spoken, double seconds);

/** What the confidence of the result's words comes from, [n_words]; as long as the result. */
const struct oto_evidence *oto_recognizer_evidence(const oto_recognizer *rec);

#endif
