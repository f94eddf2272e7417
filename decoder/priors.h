/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Priors of the symbols: what the network writes on average, whatever is said.
 *
 * The network gives p(k | x), while a language model is to be multiplied by p(x | k), which is p(k
 * | x) / p(k) but for a factor that all k share (Bourlard and Morgan, 1994; for the labels of CTC:
 * Miao, Gowayyed and Metze, EESEN, 2015, section 3.3). Where the network has learnt from little, or
 * is unsure, much of its p(k | x) is p(k), above all the blank's, and words go missing. How much of
 * p(k) is taken out is the prior scale: with z the natural log of what comes out,
 *
 *     z(k) = ln p(k | x) - scale ln p(k) - ln sum_j p(j | x) / p(j)^scale
 */
#ifndef OTO_DECODER_PRIORS_H
#define OTO_DECODER_PRIORS_H

#include <stddef.h>

#include "base/status.h"

/** Symbols that are rarer count as if they were as frequent as this: what is hardly ever written
 * would win much by a division. */
#define OTO_LEAST_PRIOR 1e-4

/** Adds the probabilities of n_frames frames to sums. @param sums [n_symbols], zeros at first
 * @param log_probs [n_frames, n_symbols] natural logs */
void oto_priors_add(double *sums, const float *log_probs, size_t n_frames, int n_symbols);
/** Makes natural logs of priors of the sums over n_frames > 0 frames, in place. */
void oto_priors_finish(double *sums, size_t n_frames, int n_symbols);
/** OTO_ERR_DATA for one that is above 0 (or not a number), or below ln OTO_LEAST_PRIOR. */
oto_status oto_priors_check(const double *log_priors, int n_symbols,
                            oto_error *err) OTO_WARN_UNUSED;
/** z of the formula, of one frame; all [n_symbols], out may be log_probs. A symbol of probability 0
 * stays so; one symbol at least has more. */
void oto_priors_divide(float *out, const float *log_probs, const double *log_priors, double scale,
                       int n_symbols);

#endif
