/* SPDX-License-Identifier: BSD-2-Clause */
/** Floats in vectors of 256 bits: operations and the gate functions, for the kernels in float and
 * in int8. Errors of the functions in exp2.h. */
#ifndef OTO_ACOUSTIC_X86_REALS_YMM_H
#define OTO_ACOUSTIC_X86_REALS_YMM_H

#include <immintrin.h>
#include <stddef.h>

#include "acoustic/x86/exp2.h"

#define INLINE static inline __attribute__((always_inline))

enum { unit_block = 8 };

typedef __m256 reals;
typedef __m256i lanes; /* all ones in those that count */

/* The first n. */
INLINE lanes lanes_of(size_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < 8 ? (int)n : 8), lane);
}

INLINE reals load_reals(const float *p)
{
    return _mm256_loadu_ps(p);
}

INLINE void store_reals(float *p, reals x)
{
    _mm256_storeu_ps(p, x);
}

/* Zero in the other lanes. */
INLINE reals load_lanes(const float *p, lanes mask)
{
    return _mm256_maskload_ps(p, mask);
}

INLINE void store_lanes(float *p, lanes mask, reals x)
{
    _mm256_maskstore_ps(p, mask, x);
}

INLINE reals no_reals(void)
{
    return _mm256_setzero_ps();
}

INLINE reals all_reals(float x)
{
    return _mm256_set1_ps(x);
}

INLINE reals add_reals(reals a, reals b)
{
    return _mm256_add_ps(a, b);
}

INLINE reals subtract_reals(reals a, reals b)
{
    return _mm256_sub_ps(a, b);
}

INLINE reals multiply_reals(reals a, reals b)
{
    return _mm256_mul_ps(a, b);
}

INLINE reals multiply_add(reals a, reals b, reals c)
{
    return _mm256_fmadd_ps(a, b, c);
}

/* c - a b */
INLINE reals subtract_product(reals a, reals b, reals c)
{
    return _mm256_fnmadd_ps(a, b, c);
}

/* b where one of them is NaN. */
INLINE reals larger_reals(reals a, reals b)
{
    return _mm256_max_ps(a, b);
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

/* 2^t, t <= 127. What is below 2^-126 counts as that. */
INLINE reals exp2_of(reals t)
{
    __m256 n;
    const __m256 q = exp2_minus_one(_mm256_max_ps(_mm256_set1_ps(-126), t), &n);
    const __m256 scale = exp2_whole(n);
    return _mm256_fmadd_ps(scale, q, scale);
}

INLINE reals sigmoid(reals x)
{
    const __m256 one = _mm256_set1_ps(1);
    __m256 n;
    const __m256 q =
        exp2_minus_one(clamp(_mm256_mul_ps(x, _mm256_set1_ps(-LOG2_E)), SIGMOID_LIMIT), &n);
    const __m256 scale = exp2_whole(n), den = _mm256_add_ps(one, _mm256_fmadd_ps(scale, q, scale));
    return _mm256_min_ps(_mm256_set1_ps(BELOW_ONE), _mm256_div_ps(one, den));
}

INLINE reals tanh_ps(reals x)
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
