/* SPDX-License-Identifier: BSD-2-Clause */
/** Matrix product. gemm.c is the only file that sees BLIS; gemm_ref.c is the plain version (and the
 * double one). */
#ifndef OTO_ACOUSTIC_GEMM_H
#define OTO_ACOUSTIC_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/real.h"

/**
 *     C := beta*C + op(A) op(B),   op(X) = X or X^T
 *
 * @param m, n, k   op(A) is [m, k], op(B) is [k, n], C is [m, n], all row-major
 * @param lda ...   elements between rows of A, B, C as stored (A is [k, m] when trans_a)
 * One thread, thread-safe. beta = 0 does not read C. The result depends on the sizes alone, not on
 * the thread.
 */
void oto_gemm(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, const oto_real *a,
              size_t lda, const oto_real *b, size_t ldb, oto_real beta, oto_real *c, size_t ldc);
void oto_gemm_ref(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, const oto_real *a,
                  size_t lda, const oto_real *b, size_t ldb, oto_real beta, oto_real *c,
                  size_t ldc);
/** "BLIS 0.9.0 (skx)" or "reference". */
const char *oto_gemm_name(void);

#endif
