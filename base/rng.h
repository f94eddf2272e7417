/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Counter-based random numbers: a pure function of (seed, stream, counter), so nothing needs to be
 * saved to resume and the order of calls does not matter. Philox4x32-10 (Salmon et al. 2011,
 * "Parallel random numbers: as easy as 1, 2, 3").
 */
#ifndef OTO_BASE_RNG_H
#define OTO_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/** Four independent 32-bit words. */
void oto_rng_block(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);
uint64_t oto_rng_u64(uint64_t seed, uint64_t stream, uint64_t counter);
/** Uniform in [0, 1) with 53 bits. */
double oto_rng_uniform(uint64_t seed, uint64_t stream, uint64_t counter);
/** Uniform integer in [0, n), n >= 1, without modulo bias beyond 2^-64*n. */
uint64_t oto_rng_below(uint64_t seed, uint64_t stream, uint64_t counter, uint64_t n);
/** Standard normal (Box-Muller). */
double oto_rng_normal(uint64_t seed, uint64_t stream, uint64_t counter);
/** Fisher-Yates permutation of order[0..n). */
void oto_rng_shuffle(uint64_t seed, uint64_t stream, size_t *order, size_t n);
/** A stream number from a text, for streams named by utterance or tensor. XXH3-64. */
uint64_t oto_rng_stream(const char *name);

#endif
