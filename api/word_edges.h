/* SPDX-License-Identifier: BSD-2-Clause */
/** Where words begin and end, more finely than the network tells. */
#ifndef OTO_API_WORD_EDGES_H
#define OTO_API_WORD_EDGES_H

#include "features/frontend.h"
#include "otolith/otolith.h"

/** Loudness of static frames, in the logarithm of power: of MFCC the first value, which is C0 or
 * log energy, else the mean of the log-mel values. levels [n] out, statics [n, dim]. */
void oto_word_levels(float *levels, const float *statics, size_t n, int dim,
                     const struct oto_frontend_options *options);

/**
 * Moves the edges of words to where their sound begins and ends. A network that is trained by CTC
 * writes a label somewhere within its sound, the last one of a word often long before its end, so
 * that the frames of a word's labels lie inside it. From there each edge goes outwards while the
 * sound is above a threshold, or inwards where it was below, never into the labels of a neighbour:
 *
 *     threshold = floor + 0.15 (peak - floor)
 *
 * with the loudest frame of the word's labels and the quietest between them and the neighbour's: in
 * running speech that is the quietest moment between both. The share was chosen on synthetic speech
 * of known times (docs/word_times.md).
 *
 * @param words    [n] with the times of their labels; words without duration are passed over
 * @param levels   [n_levels] of the static frames
 * @param start_s  when the first of them begins
 * Allocates: no.   Cost: O(n_levels + n).
 */
void oto_word_edges_refine(oto_word *words, size_t n, const float *levels, size_t n_levels,
                           double start_s, const struct oto_frontend_options *options);

#endif
