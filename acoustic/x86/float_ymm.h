/* SPDX-License-Identifier: BSD-2-Clause */
/** Operations of 256 bits for float_kernels.h: AVX2, FMA, F16C. */
#ifndef OTO_ACOUSTIC_X86_FLOAT_YMM_H
#define OTO_ACOUSTIC_X86_FLOAT_YMM_H

#include <stdint.h>

#include "acoustic/dsp_c.h"
#include "acoustic/x86/reals_ymm.h"

#define MAX_ROWS 6   /* 6 rows of 2 sums, 2 weights and a broadcast: 15 of the 16 registers */
#define MAX_BLOCKS 3 /* one row: 3 blocks of 4 sums, a weight and a broadcast: 14 */
#define CPU_FLAGS OTO_CPU_AVX2
#define ADD_OUTER oto_add_outer_avx2
enum {
    row_split = 1,
    half_rows = 2 /* more would wait for the widening */
};

/* One vector of weights from element `at` on: half precision is widened, which is exact. */
INLINE reals load_weights(const void *w, size_t at, const int half)
{
    return half ? _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)((const uint16_t *)w + at)))
                : _mm256_loadu_ps((const float *)w + at);
}

/* Lanes beside the mask hold other. */
INLINE reals load_lanes_or(const float *p, lanes mask, float other)
{
    return _mm256_blendv_ps(_mm256_set1_ps(other), _mm256_maskload_ps(p, mask),
                            _mm256_castsi256_ps(mask));
}

/* No NaN in x. */
INLINE float largest(reals x)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
}

typedef __m256d doubles;

INLINE doubles no_doubles(void)
{
    return _mm256_setzero_pd();
}

/* Those that the mask names, to sums of their own. */
INLINE doubles add_lanes(doubles sums, lanes mask, reals x)
{
    x = _mm256_and_ps(_mm256_castsi256_ps(mask), x);
    sums = _mm256_add_pd(sums, _mm256_cvtps_pd(_mm256_castps256_ps128(x)));
    return _mm256_add_pd(sums, _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)));
}

INLINE double sum_of(doubles sums)
{
    double s[4];
    _mm256_storeu_pd(s, sums);
    return (s[0] + s[1]) + (s[2] + s[3]);
}

#endif
