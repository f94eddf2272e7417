/* SPDX-License-Identifier: BSD-2-Clause */
/** Operations of 512 bits for int8_kernels.h, with AVX-512 VNNI. */
#ifndef OTO_ACOUSTIC_X86_INT8_ZMM_H
#define OTO_ACOUSTIC_X86_INT8_ZMM_H

#include <stdint.h>
#include <string.h>

#include "acoustic/dsp_c.h"
#include "acoustic/x86/reals_zmm.h"

/* Six rows of 4 sums, 4 weights and a broadcast: 29 of the 32 registers. */
#define MAX_ROWS 6
enum { max_rows = MAX_ROWS, zero_code = 128, keep_weights = 1 };

typedef __m512i ints;

/* Four codes in every lane. */
struct codes {
    __m512i x;
};

INLINE ints load_ints(const void *p)
{
    return _mm512_loadu_si512(p);
}

INLINE ints no_ints(void)
{
    return _mm512_setzero_si512();
}

INLINE ints add_ints(ints a, ints b)
{
    return _mm512_add_epi32(a, b);
}

/* The compiler is not to load a weight once for each row. */
INLINE void keep(ints *w)
{
    __asm__("" : "+v"(w[0]), "+v"(w[1]), "+v"(w[2]), "+v"(w[3]));
}

INLINE struct codes spread(const uint8_t *q)
{
    int32_t four;
    memcpy(&four, q, sizeof four);
    return (struct codes){_mm512_set1_epi32(four)};
}

INLINE ints add_products(ints sum, struct codes x, ints w)
{
    return _mm512_dpbusd_epi32(sum, x.x, w);
}

INLINE reals to_reals(ints x)
{
    return _mm512_cvtepi32_ps(x);
}

/* As integers, magnitudes of floats are in the order of the numbers, and NaN is above them all. */
INLINE ints max_magnitude(ints most, reals x)
{
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    return _mm512_max_epi32(most, _mm512_and_si512(_mm512_castps_si512(x), magnitude));
}

INLINE float largest(ints most)
{
    return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(_mm512_reduce_max_epi32(most))));
}

/* 16 bytes: zero_code + round(x). What is no number becomes -128 and is of no consequence. */
INLINE void store_codes(uint8_t *q, reals x)
{
    const __m128i bytes = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(x));
    _mm_storeu_si128((__m128i *)(void *)q, _mm_xor_si128(bytes, _mm_set1_epi8((char)zero_code)));
}

#endif
