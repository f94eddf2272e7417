/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/x86/outer.h"

#include <immintrin.h>

enum {
    unit_block = 8,
    width = 3 * unit_block,
    tile_rows = 4 /* half a block; with 3 vectors 12 sums, 3 of b and a broadcast: 16 registers */
};

#if defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 4")
#endif
#define INLINE static inline __attribute__((always_inline))

/* See outer_avx512.c. The mask of n_last lanes is made after the sums, which leave no register. */
INLINE void add_tile(float *c, size_t c_stride, const float *a, const float *b, size_t n_k,
                     size_t n_rows, size_t n_last, const size_t n_vectors)
{
    __m256 sums[tile_rows][3];
    UNROLL
    for (size_t r = 0; r < tile_rows; r++) {
        UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            sums[r][v] = _mm256_setzero_ps();
            if (r < n_rows)
                _mm_prefetch((const char *)(c + r * c_stride + v * unit_block), _MM_HINT_T0);
        }
    }
    for (size_t k = 0; k < n_k; k++, a += unit_block, b += width) {
        __m256 columns[3];
        UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            columns[v] = _mm256_loadu_ps(b + v * unit_block);
            __asm__("" : "+x"(columns[v]));
        }
        UNROLL
        for (size_t r = 0; r < tile_rows; r++) {
            const __m256 x = _mm256_set1_ps(a[r]);
            UNROLL
            for (size_t v = 0; v < n_vectors; v++)
                sums[r][v] = _mm256_fmadd_ps(x, columns[v], sums[r][v]);
        }
    }
    static const int lanes[2 * unit_block] = {-1, -1, -1, -1, -1, -1, -1, -1};
    const __m256i last = _mm256_loadu_si256((const __m256i *)(lanes + unit_block - n_last));
    UNROLL
    for (size_t r = 0; r < tile_rows; r++) {
        UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            float *at = c + r * c_stride + v * unit_block;
            if (r >= n_rows)
                continue;
            if (v + 1 < n_vectors)
                _mm256_storeu_ps(at, _mm256_add_ps(_mm256_loadu_ps(at), sums[r][v]));
            else
                _mm256_maskstore_ps(at, last,
                                    _mm256_add_ps(_mm256_maskload_ps(at, last), sums[r][v]));
        }
    }
}

void oto_add_outer_avx2(float *c, size_t c_stride, const float *a, const float *b, size_t n_k,
                        size_t n_rows, size_t n_cols)
{
    const size_t n_vectors = (n_cols + unit_block - 1) / unit_block;
    const size_t last = n_cols - (n_vectors - 1) * unit_block;
    for (size_t r = 0; r < n_rows; r += tile_rows) {
        const size_t n = n_rows - r < tile_rows ? n_rows - r : tile_rows;
        if (n_vectors == 3)
            add_tile(c + r * c_stride, c_stride, a + r, b, n_k, n, last, 3);
        else if (n_vectors == 2)
            add_tile(c + r * c_stride, c_stride, a + r, b, n_k, n, last, 2);
        else
            add_tile(c + r * c_stride, c_stride, a + r, b, n_k, n, last, 1);
    }
}
