/* SPDX-License-Identifier: BSD-2-Clause */
/** Floats in vectors of 512 bits: operations and the gate functions, for the kernels in float and
 * in int8. Errors of the functions in exp2.h. */
#ifndef OTO_ACOUSTIC_X86_REALS_ZMM_H
#define OTO_ACOUSTIC_X86_REALS_ZMM_H

#include <immintrin.h>
#include <stddef.h>

#include "acoustic/x86/exp2.h"

#define INLINE static inline __attribute__((always_inline))

enum { unit_block = 16 };

typedef __m512 reals;
typedef __mmask16 lanes; /* a bit for each that counts */

/* The first n. */
INLINE lanes lanes_of(size_t n)
{
    return (__mmask16)(n < 16 ? (1u << n) - 1 : 0xffffu);
}

INLINE reals load_reals(const float *p)
{
    return _mm512_loadu_ps(p);
}

INLINE void store_reals(float *p, reals x)
{
    _mm512_storeu_ps(p, x);
}

/* Zero in the other lanes. */
INLINE reals load_lanes(const float *p, lanes mask)
{
    return _mm512_maskz_loadu_ps(mask, p);
}

INLINE void store_lanes(float *p, lanes mask, reals x)
{
    _mm512_mask_storeu_ps(p, mask, x);
}

INLINE reals no_reals(void)
{
    return _mm512_setzero_ps();
}

INLINE reals all_reals(float x)
{
    return _mm512_set1_ps(x);
}

INLINE reals add_reals(reals a, reals b)
{
    return _mm512_add_ps(a, b);
}

INLINE reals subtract_reals(reals a, reals b)
{
    return _mm512_sub_ps(a, b);
}

INLINE reals multiply_reals(reals a, reals b)
{
    return _mm512_mul_ps(a, b);
}

INLINE reals multiply_add(reals a, reals b, reals c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* c - a b */
INLINE reals subtract_product(reals a, reals b, reals c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

/* b where one of them is NaN. */
INLINE reals larger_reals(reals a, reals b)
{
    return _mm512_max_ps(a, b);
}

/* n = round(t) and q = 2^(t-n) - 1. */
INLINE __m512 exp2_minus_one(__m512 t, __m512 *n)
{
    *n = _mm512_roundscale_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m512 r = _mm512_sub_ps(t, *n);
    __m512 p = _mm512_fmadd_ps(r, _mm512_set1_ps(EXP2_C6), _mm512_set1_ps(EXP2_C5));
    p = _mm512_fmadd_ps(r, p, _mm512_set1_ps(EXP2_C4));
    p = _mm512_fmadd_ps(r, p, _mm512_set1_ps(EXP2_C3));
    p = _mm512_fmadd_ps(r, p, _mm512_set1_ps(EXP2_C2));
    p = _mm512_fmadd_ps(r, p, _mm512_set1_ps(EXP2_C1));
    return _mm512_mul_ps(r, p);
}

/* MAXPS and MINPS give their second operand where one is NaN: NaN goes through. */
INLINE __m512 clamp(__m512 x, float limit)
{
    return _mm512_min_ps(_mm512_set1_ps(limit), _mm512_max_ps(_mm512_set1_ps(-limit), x));
}

/* The 14-bit reciprocal and one correction of the quotient by its remainder: within 2^-28 before
 * the last rounding. */
INLINE __m512 divide(__m512 num, __m512 den)
{
    const __m512 inverse = _mm512_rcp14_ps(den), y = _mm512_mul_ps(num, inverse);
    return _mm512_fmadd_ps(_mm512_fnmadd_ps(y, den, num), inverse, y);
}

/* 2^t, t <= 127. */
INLINE reals exp2_of(reals t)
{
    __m512 n;
    const __m512 q = exp2_minus_one(_mm512_max_ps(_mm512_set1_ps(-200), t), &n);
    return _mm512_scalef_ps(_mm512_add_ps(_mm512_set1_ps(1), q), n);
}

INLINE reals sigmoid(reals x)
{
    const __m512 one = _mm512_set1_ps(1);
    __m512 n;
    const __m512 q =
        exp2_minus_one(clamp(_mm512_mul_ps(x, _mm512_set1_ps(-LOG2_E)), SIGMOID_LIMIT), &n);
    const __m512 den = _mm512_add_ps(one, _mm512_scalef_ps(_mm512_add_ps(one, q), n));
    return _mm512_min_ps(_mm512_set1_ps(BELOW_ONE), divide(one, den));
}

INLINE reals tanh_ps(reals x)
{
    const __m512 one = _mm512_set1_ps(1);
    __m512 n;
    const __m512 q =
        exp2_minus_one(clamp(_mm512_mul_ps(x, _mm512_set1_ps(2 * LOG2_E)), TANH_LIMIT), &n);
    const __m512 scale = _mm512_scalef_ps(one, n);
    const __m512 e = _mm512_fmadd_ps(scale, q, _mm512_sub_ps(scale, one)); /* 2^t - 1 */
    return divide(e, _mm512_add_ps(e, _mm512_set1_ps(2)));
}

#endif
