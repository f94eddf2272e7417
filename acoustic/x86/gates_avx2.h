/* SPDX-License-Identifier: BSD-2-Clause */
/** The gate functions that the AVX2 kernels share, in float and in int8. Errors in exp2.h. */
#ifndef OTO_ACOUSTIC_X86_GATES_AVX2_H
#define OTO_ACOUSTIC_X86_GATES_AVX2_H

#include <immintrin.h>
#include <stddef.h>

#include "acoustic/x86/exp2.h"

#define INLINE static inline __attribute__((always_inline))

/* All ones in the first n_units lanes: maskload gives zero for the others, maskstore leaves memory.
 */
INLINE __m256i mask_of(size_t n_units)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n_units < 8 ? (int)n_units : 8), lane);
}

/* n = round(t) and q = 2^(t-n) - 1. */
INLINE __m256 exp2_minus_one(__m256 t, __m256 *n)
{
    *n = _mm256_round_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m256 r = _mm256_sub_ps(t, *n);
    __m256 p = _mm256_fmadd_ps(r, _mm256_set1_ps(EXP2_C6), _mm256_set1_ps(EXP2_C5));
    p = _mm256_fmadd_ps(r, p, _mm256_set1_ps(EXP2_C4));
    p = _mm256_fmadd_ps(r, p, _mm256_set1_ps(EXP2_C3));
    p = _mm256_fmadd_ps(r, p, _mm256_set1_ps(EXP2_C2));
    p = _mm256_fmadd_ps(r, p, _mm256_set1_ps(EXP2_C1));
    return _mm256_mul_ps(r, p);
}

/* MAXPS and MINPS give their second operand where one is NaN: NaN goes through. */
INLINE __m256 clamp(__m256 x, float limit)
{
    return _mm256_min_ps(_mm256_set1_ps(limit), _mm256_max_ps(_mm256_set1_ps(-limit), x));
}

/* 2^n for a whole n of -126..127: the exponent field of a float. */
INLINE __m256 exp2_whole(__m256 n)
{
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
}

INLINE __m256 sigmoid(__m256 x)
{
    const __m256 one = _mm256_set1_ps(1);
    __m256 n;
    const __m256 q =
        exp2_minus_one(clamp(_mm256_mul_ps(x, _mm256_set1_ps(-LOG2_E)), SIGMOID_LIMIT), &n);
    const __m256 scale = exp2_whole(n), den = _mm256_add_ps(one, _mm256_fmadd_ps(scale, q, scale));
    return _mm256_min_ps(_mm256_set1_ps(BELOW_ONE), _mm256_div_ps(one, den));
}

INLINE __m256 tanh_ps(__m256 x)
{
    const __m256 one = _mm256_set1_ps(1);
    __m256 n;
    const __m256 q =
        exp2_minus_one(clamp(_mm256_mul_ps(x, _mm256_set1_ps(2 * LOG2_E)), TANH_LIMIT), &n);
    const __m256 scale = exp2_whole(n);
    const __m256 e = _mm256_fmadd_ps(scale, q, _mm256_sub_ps(scale, one)); /* 2^t - 1 */
    return _mm256_div_ps(e, _mm256_add_ps(e, _mm256_set1_ps(2)));
}

#endif
