/* SPDX-License-Identifier: BSD-2-Clause */
/** Gaussian noise on the weights during training, drawn anew for each step (Graves 2011): the
 * gradient is that of the noisy weights, the update goes to the clean ones. */
#ifndef OTO_TRAINING_WEIGHT_NOISE_H
#define OTO_TRAINING_WEIGHT_NOISE_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

/**
 *     noisy[i] = params[i] + std g(seed, step, i),   g standard normal,   for i >= n_frozen
 *
 * The same bits on any number of threads.
 *
 * @param noisy, params  [n], not the same
 */
void oto_weight_noise_apply(float *noisy, const float *params, size_t n_frozen, size_t n,
                            double std, uint64_t seed, uint64_t step, struct oto_pool *pool);

#endif
