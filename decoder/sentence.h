/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The likeliest sentence of a grammar, over all of them: for where a beam has dropped every
 * beginning of one.
 *
 *     max over sentences and their paths of  sum_t log_probs[t, path[t]] + weight of the sentence
 *
 * Viterbi over the arcs of the automaton, in memory for two frames of it: halves of the best path
 * are found again (Hirschberg 1975).
 */
#ifndef OTO_DECODER_SENTENCE_H
#define OTO_DECODER_SENTENCE_H

#include <stddef.h>

#include "base/status.h"
#include "decoder/beam.h"
#include "decoder/grammar.h"

struct oto_sentence_search;
/** The grammar is borrowed; its alphabet is that of the log-probabilities. */
oto_status oto_sentence_search_create(struct oto_sentence_search **out,
                                      const struct oto_grammar *grammar, int n_symbols,
                                      oto_error *err) OTO_WARN_UNUSED;
void oto_sentence_search_destroy(struct oto_sentence_search *search);
/**
 * @param best       the sentence with the best path, not the empty one, without a space at the end;
 *                   frames are those of the path. log_prob is summed over all alignments of it, as
 *                   a search that prunes nothing has it. No labels and -inf where the frames have
 *                   no room for a sentence or give each probability 0. Owned by search until its
 *                   next call
 * @param log_probs  [n_frames, n_symbols] that oto_beam_push() would take, with all symbols looked
 *                   at and the blank at -1000 at least
 * OTO_ERR_MEMORY: the search can be used again.
 * Allocates: with the first so many frames.   Cost: O((states + arcs) n_frames log n_frames).
 */
oto_status oto_sentence_search_run(struct oto_sentence_search *search, struct oto_hypothesis *best,
                                   const float *log_probs, size_t n_frames,
                                   oto_error *err) OTO_WARN_UNUSED;

#endif
