/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * When each label of a known text was said: the likeliest CTC path of the text (Viterbi), for input
 * of any length in bounded memory.
 *
 *     max over paths that give the labels of  sum_t log_probs[t, path[t]]
 *
 * The path runs through 2 n_labels + 1 states: a blank before, between and after the labels. At
 * each frame a band of neighbouring states around the likeliest is kept. What all paths of the band
 * have in common is settled and its history forgotten; if they have not met when the history's
 * memory is full, the older half of the likeliest path is settled, and paths that differ from it
 * there are dropped. So the result is the exact best path wherever that one stays within the band
 * and is the likeliest when its history must go: always for a text of at most (band - 1) / 2
 * labels and an input whose history fits.
 */
#ifndef OTO_DECODER_ALIGN_H
#define OTO_DECODER_ALIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct oto_align_options {
    size_t band;   /* states kept at each frame; 0: all */
    size_t memory; /* of the history, bytes; 0: as much as it takes */
    int space;     /* the symbol between words, or -1; for filler alone */
    /* Between words, and before and after the text, anything may be heard at this price a frame:
     * natural log, >= 0, below the likeliest symbol of the frame. INFINITY: blanks alone. */
    double filler;
};
void oto_align_options_init(struct oto_align_options *options);

/** Where the path emits one label. */
struct oto_span {
    size_t start, end; /* frames from the first pushed; start < end */
    double log_prob;   /* natural log, summed over these frames */
};

struct oto_aligner;
oto_status oto_aligner_create(struct oto_aligner **out, int n_symbols,
                              const struct oto_align_options *options,
                              oto_error *err) OTO_WARN_UNUSED;
void oto_aligner_destroy(struct oto_aligner *a);
/** Begins anew with a text; labels [n_labels] in 1..K-1 are copied. */
oto_status oto_aligner_begin(struct oto_aligner *a, const int *labels, size_t n_labels,
                             oto_error *err) OTO_WARN_UNUSED;
/**
 * @param log_probs [n_frames, K], column 0 the blank; in any portions, with the same result. Below
 *                  -1000 counts as -1000, so that every text has a path; NaN is OTO_ERR_DATA.
 * Allocates: until the history has its size.   Cost: O(n_frames * min(band, 2 n_labels + 1)).
 */
oto_status oto_aligner_push(struct oto_aligner *a, const float *log_probs, size_t n_frames,
                            oto_error *err) OTO_WARN_UNUSED;
/**
 * Ends the path after the last label; where the frames did not suffice for the text, or the band
 * did not reach its end, at the likeliest state.
 *
 * @param spans      [*n_spans] of the first *n_spans labels, in order; owned by a until begin
 * @param n_spans    n_labels unless the path ended early
 * @param log_prob   of the whole path, or NULL
 * Only begin or destroy may follow.
 */
void oto_aligner_finish(struct oto_aligner *a, const struct oto_span **spans, size_t *n_spans,
                        double *log_prob);

#endif
