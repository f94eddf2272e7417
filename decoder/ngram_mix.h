/* SPDX-License-Identifier: BSD-2-Clause */
/** Linear interpolation of language models: p(w | h) = sum of weights[i] p_i(w | h). */
#ifndef OTO_DECODER_NGRAM_MIX_H
#define OTO_DECODER_NGRAM_MIX_H

#include "decoder/ngram.h"

#define OTO_NGRAM_MAX_MIX 8

/**
 * One model with the words and n-grams of all. N-grams that are listed have the mixture's
 * probability exactly, others that of backing off, with back-offs such that all sums are 1. A word
 * that a model does not have has probability 0 there.
 * @param weights  [n] none negative, of sum 1; n from 1 to OTO_NGRAM_MAX_MIX
 */
oto_status oto_ngram_mix(struct oto_ngram **out, const struct oto_ngram *const *models,
                         const double *weights, int n, oto_error *err) OTO_WARN_UNUSED;

/**
 * Weights that make a text most probable, by expectation and maximisation from equal ones.
 * @param weights        [n] receives them
 * @param probabilities  [n_tokens, n] of each word by each model
 * Gives the perplexity that they reach.
 */
double oto_ngram_mix_weights(double *weights, const double *probabilities, size_t n_tokens, int n);

#endif
