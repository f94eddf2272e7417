/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/x86/outer.h"

#include <immintrin.h>

enum {
    unit_block = 16,
    width = 3 * unit_block,
    tile_rows = 8 /* half a block; with 3 vectors 24 sums, 3 of b and a broadcast: 28 registers */
};

#if defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif
#define INLINE static inline __attribute__((always_inline))

/* n_vectors is a constant at every call, so that the sums are registers. The rows of c are asked
 * for before the sums start, as they come from far. All 8 rows are summed and n_rows of them added:
 * padding units cost a little time and no second kernel. */
INLINE void add_tile(float *c, size_t c_stride, const float *a, const float *b, size_t n_k,
                     size_t n_rows, __mmask16 last_cols, const size_t n_vectors)
{
    __m512 sums[tile_rows][3];
    UNROLL
    for (size_t r = 0; r < tile_rows; r++) {
        UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            sums[r][v] = _mm512_setzero_ps();
            if (r < n_rows)
                _mm_prefetch((const char *)(c + r * c_stride + v * unit_block), _MM_HINT_T0);
        }
    }
    for (size_t k = 0; k < n_k; k++, a += unit_block, b += width) {
        __m512 columns[3];
        UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            columns[v] = _mm512_loadu_ps(b + v * unit_block);
            /* Loaded once, not once in each FMA, as the compiler would have it. */
            __asm__("" : "+v"(columns[v]));
        }
        UNROLL
        for (size_t r = 0; r < tile_rows; r++) {
            const __m512 x = _mm512_set1_ps(a[r]);
            UNROLL
            for (size_t v = 0; v < n_vectors; v++)
                sums[r][v] = _mm512_fmadd_ps(x, columns[v], sums[r][v]);
        }
    }
    UNROLL
    for (size_t r = 0; r < tile_rows; r++) {
        UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            const __mmask16 cols = v + 1 < n_vectors ? 0xffffu : last_cols;
            float *at = c + r * c_stride + v * unit_block;
            if (r < n_rows)
                _mm512_mask_storeu_ps(at, cols,
                                      _mm512_add_ps(_mm512_maskz_loadu_ps(cols, at), sums[r][v]));
        }
    }
}

void oto_add_outer_avx512(float *c, size_t c_stride, const float *a, const float *b, size_t n_k,
                          size_t n_rows, size_t n_cols)
{
    const size_t n_vectors = (n_cols + unit_block - 1) / unit_block;
    const __mmask16 last = (__mmask16)(0xffffu >> (n_vectors * unit_block - n_cols));
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
