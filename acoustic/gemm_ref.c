/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/gemm.h"

/* Columns of C and B, and rows of B, taken at a time: 64 x 256 floats of B (64 KiB) stay in the
 * second-level cache. */
enum { block_cols = 256, block_inner = 64 };

static inline oto_real element(const oto_real *x, size_t ld, bool transposed, size_t row,
                               size_t col)
{
    return transposed ? x[col * ld + row] : x[row * ld + col];
}

/* C[:, cols] += A[:, inner] B[inner, cols], with the order of the sum over inner fixed: it depends
 * on no size of C. */
static void add_block(bool trans_a, bool trans_b, size_t m, size_t first_col, size_t n_cols,
                      size_t first_inner, size_t n_inner, const oto_real *a, size_t lda,
                      const oto_real *b, size_t ldb, oto_real *c, size_t ldc)
{
    oto_real strip[block_cols];
    for (size_t p = first_inner; p < first_inner + n_inner; p++) {
        const oto_real *b_row = b + p * ldb + first_col;
        if (trans_b) { /* a column of the stored matrix: gathered once, used for every row of C */
            for (size_t j = 0; j < n_cols; j++)
                strip[j] = b[(first_col + j) * ldb + p];
            b_row = strip;
        }
        for (size_t i = 0; i < m; i++) {
            const oto_real x = element(a, lda, trans_a, i, p);
            oto_real *c_row = c + i * ldc + first_col;
            for (size_t j = 0; j < n_cols; j++)
                c_row[j] += x * b_row[j];
        }
    }
}

void oto_gemm_ref(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, const oto_real *a,
                  size_t lda, const oto_real *b, size_t ldb, oto_real beta, oto_real *c, size_t ldc)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++)
            c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
    }
    enum {
        block_rows = 32
    }; /* of C: 32 x 256 floats stay in the first-level cache while inner runs */
    for (size_t i = 0; i < m; i += block_rows) {
        const size_t n_rows = m - i < block_rows ? m - i : block_rows;
        const oto_real *a_rows = trans_a ? a + i : a + i * lda;
        for (size_t j = 0; j < n; j += block_cols) {
            const size_t n_cols = n - j < block_cols ? n - j : block_cols;
            for (size_t p = 0; p < k; p += block_inner)
                add_block(trans_a, trans_b, n_rows, j, n_cols, p,
                          k - p < block_inner ? k - p : block_inner, a_rows, lda, b, ldb,
                          c + i * ldc, ldc);
        }
    }
}

#ifndef OTO_HAVE_BLIS
void oto_gemm(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, const oto_real *a,
              size_t lda, const oto_real *b, size_t ldb, oto_real beta, oto_real *c, size_t ldc)
{
    oto_gemm_ref(trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

const char *oto_gemm_name(void)
{
    return "reference";
}
#endif
