/* SPDX-License-Identifier: BSD-2-Clause */
/** Operations of 256 bits for int8_kernels.h, with AVX-VNNI where the compiler may use it. */
#ifndef OTO_ACOUSTIC_X86_INT8_YMM_H
#define OTO_ACOUSTIC_X86_INT8_YMM_H

#include <stdint.h>
#include <string.h>

#include "acoustic/dsp_c.h"
#include "acoustic/x86/reals_ymm.h"

#ifdef __AVXVNNI__
/* Three rows of 4 sums, a weight and the broadcasts: the 16 registers. */
#define MAX_ROWS 3
enum { max_rows = MAX_ROWS, zero_code = 128, keep_weights = 0 };
#else
/* Two rows of 4 sums, of 2 vectors and a weight: the 16 registers. Each weight is used in one
 * product a row, with an operation on it before: loading it once is not worth registers. */
#define MAX_ROWS 2
enum { max_rows = MAX_ROWS, zero_code = 0, keep_weights = 0 };
#endif

typedef __m256i ints;

INLINE ints load_ints(const void *p)
{
    return _mm256_loadu_si256(p);
}

INLINE ints no_ints(void)
{
    return _mm256_setzero_si256();
}

INLINE ints add_ints(ints a, ints b)
{
    return _mm256_add_epi32(a, b);
}

/* The same four bytes in every lane. */
INLINE ints spread_four(const uint8_t *q)
{
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm256_set1_epi32(four);
}

#ifdef __AVXVNNI__
/* Four codes in every lane. */
struct codes {
    __m256i x;
};

INLINE struct codes spread(const uint8_t *q)
{
    return (struct codes){spread_four(q)};
}

INLINE ints add_products(ints sum, struct codes x, ints w)
{
    return _mm256_dpbusd_avx_epi32(sum, x.x, w);
}
#else
/* Four codes in every lane, and their magnitudes. */
struct codes {
    __m256i x, magnitude;
};

INLINE struct codes spread(const uint8_t *q)
{
    const __m256i x = spread_four(q);
    return (struct codes){x, _mm256_abs_epi8(x)};
}

/* |x| * (sign(x) w): pairs of products stay below 2^15 (dsp_int8.h). */
INLINE ints add_products(ints sum, struct codes x, ints w)
{
    const __m256i pairs = _mm256_maddubs_epi16(x.magnitude, _mm256_sign_epi8(w, x.x));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
#endif

/* The compiler is not to load a weight once for each row. */
INLINE void keep(ints *w)
{
    __asm__("" : "+v"(w[0]), "+v"(w[1]), "+v"(w[2]), "+v"(w[3]));
}

INLINE reals to_reals(ints x)
{
    return _mm256_cvtepi32_ps(x);
}

/* As integers, magnitudes of floats are in the order of the numbers, and NaN is above them all. */
INLINE ints max_magnitude(ints most, reals x)
{
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    return _mm256_max_epi32(most, _mm256_and_si256(_mm256_castps_si256(x), magnitude));
}

INLINE float largest(ints most)
{
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1));
    return _mm_cvtss_f32(_mm_castsi128_ps(m));
}

/* 8 bytes: zero_code + round(x). What is no number becomes -128 and is of no consequence. */
INLINE void store_codes(uint8_t *q, reals x)
{
    const __m256i whole = _mm256_cvtps_epi32(x);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    const __m128i bytes = _mm_packs_epi16(words, words);
    _mm_storel_epi64((__m128i *)(void *)q, _mm_xor_si128(bytes, _mm_set1_epi8((char)zero_code)));
}

#endif
