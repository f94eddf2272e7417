/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Kernels of an LSTM whose matrices are 8-bit integers (math.md, eq. 39a-39d). Integer sums are
 * exact and the same on every instruction set; gates and cells are float, as in the float kernels.
 *
 * Activations are quantised when they are used, symmetrically, to -127 .. 127. A kernel stores that
 * number plus `zero` in a byte: 0 for signed bytes, 128 where the instruction takes unsigned ones
 * (VPDPBUSD). The sum over u = x + 128 is too large by 128 times the sum of the row's weights,
 * which is why sums begin at start[] = -zero * sum_k w[k].
 *
 * No sum can leave 32 bits: |start + sum| <= 128 * 127 * K, below 2^31 for K <= 132104; the largest
 * layer that a network may have reads 65536 numbers. The AVX2 kernel adds pairs of products in 16
 * bits (VPMADDUBSW); it multiplies |x| by sign(x) w, so that a pair is at most 2 * 127 * 127 =
 * 32258 and cannot saturate.
 */
#ifndef OTO_ACOUSTIC_DSP_INT8_H
#define OTO_ACOUSTIC_DSP_INT8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/real.h"
#include "base/status.h"

/** Four gates of H units by K columns. Hp and Kp are H and K rounded up to multiples of U and 4;
 * what is beyond H or K is zero. */
struct oto_int8_matrix {
    int n_units, n_cols; /* H, K */
    int8_t *w;           /* [Hp/U][Kp/4][4 gates][U][4] */
    int32_t *start;      /* [4*Hp] blocked as in dsp.h */
    oto_real *scale;     /* [4*Hp] */
};

struct oto_dsp_int8 {
    const char *name; /* "scalar", "avx2", "avxvnni", "avx512vnni" */
    int unit_block;   /* U */
    int zero;         /* how 0 is stored: 0 or 128 */

    /**
     *     scale[n] = max_k |x[n,k]| / 127;   q[n,k] = zero + round(x[n,k] * 127 / max)
     *
     * Rows without a number above 2^-100 are taken as zeros with the scale 0. A row with NaN has a
     * scale of NaN, one with an infinity has that: its products are not finite.
     *
     * @param q  [n_rows, q_stride]; q_stride >= K, a multiple of 16; K rounded up to a multiple of
     * U is written
     */
    void (*quantize_rows)(uint8_t *q, size_t q_stride, oto_real *scale, const oto_real *x,
                          size_t x_stride, size_t n_rows, size_t n_cols);

    /**
     *     gates[n] = bias + scale[n] * w.scale * (q[n] W^T)
     *
     * @param gates  [n_rows, 4*Hp] blocked, overwritten
     * @param bias   [4*Hp] blocked
     */
    void (*input_product)(oto_real *gates, const uint8_t *q, size_t q_stride, const oto_real *scale,
                          size_t n_rows, const struct oto_int8_matrix *w, const oto_real *bias);

    /**
     * One time step (math.md, eq. 24-27 with the recurrent product of eq. 39d), the state read as
     * bytes at the fixed scale 1/127, which r.scale holds already: |h| < 1.
     *
     * @param gates   [n_rows, 4*Hp] input products with bias
     * @param c       [n_rows, Hp] in: before (rows from n_prev on are taken as zero); out: after
     * @param h       [n_rows, h_stride], H columns written
     * @param q       [n_rows, Hp] out: zero + round(127 h), for the next step; not q_prev
     * @param q_prev  [n_prev, Hp], n_prev <= n_rows
     * @param descending  order of the blocks, of no effect on the result: turning round at each
     * step finds the end of the matrix still in the first-level cache NaN in the gates or in c
     * comes out.
     */
    void (*lstm_step)(const oto_real *gates, oto_real *c, oto_real *h, size_t h_stride, uint8_t *q,
                      const uint8_t *q_prev, int n_rows, int n_prev,
                      const struct oto_int8_matrix *r, bool descending);
};

/** Best variants that flags allow. Never fails. */
void oto_dsp_int8_init(struct oto_dsp_int8 *dsp, unsigned cpu_flags);
/** Called by oto_dsp_int8_init(); each in its own file with its own compiler flags. */
void oto_dsp_int8_init_c(struct oto_dsp_int8 *dsp);
void oto_dsp_int8_init_avx2(struct oto_dsp_int8 *dsp);
void oto_dsp_int8_init_avxvnni(struct oto_dsp_int8 *dsp);
void oto_dsp_int8_init_avx512vnni(struct oto_dsp_int8 *dsp);

/** Zero-initialise first; released by oto_int8_matrix_clear(). False when memory ends. */
bool oto_int8_matrix_init(struct oto_int8_matrix *m, const struct oto_dsp_int8 *dsp, int n_units,
                          int n_cols);
void oto_int8_matrix_clear(struct oto_int8_matrix *m);
/** Packs codes [4H, K], -127 .. 127, and factor * scales [4H], in PyTorch's order of gates. */
void oto_int8_matrix_set(struct oto_int8_matrix *m, const struct oto_dsp_int8 *dsp,
                         const int8_t *codes, const float *scales, oto_real factor);

#endif
