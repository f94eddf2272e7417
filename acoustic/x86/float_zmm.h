/* SPDX-License-Identifier: BSD-2-Clause */
/** Operations of 512 bits for float_kernels.h: AVX-512 F, DQ, BW, VL. */
#ifndef OTO_ACOUSTIC_X86_FLOAT_ZMM_H
#define OTO_ACOUSTIC_X86_FLOAT_ZMM_H

#include <stdint.h>

#include "acoustic/dsp_c.h"
#include "acoustic/x86/reals_zmm.h"

#define MAX_ROWS 12  /* 12 rows of 2 sums, 2 weights and broadcasts: 32 registers */
#define MAX_BLOCKS 3 /* one row: 3 blocks of 4 sums, each twice, weights and broadcasts: 28 */
#define CPU_FLAGS (OTO_CPU_AVX2 | OTO_CPU_AVX512)
#define ADD_OUTER oto_add_outer_avx512
enum {
    row_split = 2,
    half_rows = 4 /* more would wait for the widening */
};

/* One vector of weights from element `at` on: half precision is widened, which is exact. */
INLINE reals load_weights(const void *w, size_t at, const int half)
{
    return half ? _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)((const uint16_t *)w + at)))
                : _mm512_loadu_ps((const float *)w + at);
}

/* Lanes beside the mask hold other. */
INLINE reals load_lanes_or(const float *p, lanes mask, float other)
{
    return _mm512_mask_loadu_ps(_mm512_set1_ps(other), mask, p);
}

/* No NaN in x. */
INLINE float largest(reals x)
{
    return _mm512_reduce_max_ps(x);
}

typedef __m512d doubles;

INLINE doubles no_doubles(void)
{
    return _mm512_setzero_pd();
}

/* Those that the mask names, to sums of their own. */
INLINE doubles add_lanes(doubles sums, lanes mask, reals x)
{
    x = _mm512_maskz_mov_ps(mask, x);
    sums = _mm512_add_pd(sums, _mm512_cvtps_pd(_mm512_castps512_ps256(x)));
    return _mm512_add_pd(sums, _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)));
}

INLINE double sum_of(doubles sums)
{
    return _mm512_reduce_add_pd(sums);
}

#endif
