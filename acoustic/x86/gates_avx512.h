/* SPDX-License-Identifier: BSD-2-Clause */
/** The gate functions that the AVX-512 kernels share, in float and in int8. Errors in exp2.h. */
#ifndef OTO_ACOUSTIC_X86_GATES_AVX512_H
#define OTO_ACOUSTIC_X86_GATES_AVX512_H

#include <immintrin.h>
#include <stddef.h>

#include "acoustic/x86/exp2.h"

#define INLINE static inline __attribute__((always_inline))

/* One bit for each of the first n_units lanes. */
INLINE __mmask16 mask_of(size_t n_units)
{
    return (__mmask16)(n_units < 16 ? (1u << n_units) - 1 : 0xffffu);
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

INLINE __m512 sigmoid(__m512 x)
{
    const __m512 one = _mm512_set1_ps(1);
    __m512 n;
    const __m512 q =
        exp2_minus_one(clamp(_mm512_mul_ps(x, _mm512_set1_ps(-LOG2_E)), SIGMOID_LIMIT), &n);
    const __m512 den = _mm512_add_ps(one, _mm512_scalef_ps(_mm512_add_ps(one, q), n));
    return _mm512_min_ps(_mm512_set1_ps(BELOW_ONE), divide(one, den));
}

INLINE __m512 tanh_ps(__m512 x)
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
