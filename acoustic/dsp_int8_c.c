/* SPDX-License-Identifier: BSD-2-Clause */
/* The int8 kernels in plain C: their meaning, and what runs without SIMD. */
#include <math.h>

#include "acoustic/dsp_c.h"
#include "acoustic/dsp_int8.h"

enum { unit_block = 8, n_sums = 4 * unit_block };

static const oto_real least = (oto_real)0x1p-100; /* what counts as more than zero */

/* The nearest whole number, or 0 for what is not in -127 .. 127 (NaN, and quotients of such). */
static uint8_t quantize(oto_real x)
{
    const oto_real y = OTO_RINT(x);
    return y >= -127 && y <= 127 ? (uint8_t)(int)y : 0;
}

static void quantize_rows_c(uint8_t *q, size_t q_stride, oto_real *scale, const oto_real *x,
                            size_t x_stride, size_t n_rows, size_t n_cols)
{
    for (size_t n = 0; n < n_rows; n++, q += q_stride, x += x_stride) {
        oto_real most = 0;
        for (size_t k = 0; k < n_cols; k++) {
            const oto_real a = OTO_FABS(x[k]);
            most = a <= most ? most : a; /* NaN comes, and only another NaN replaces it */
            if (most != most)
                break;
        }
        scale[n] = most < least ? 0 : most / 127;
        const oto_real inverse = most < least ? 0 : 127 / most;
        for (size_t k = 0; k < n_cols; k++)
            q[k] = quantize(x[k] * inverse);
        for (size_t k = n_cols; k % 4 != 0; k++)
            q[k] = 0;
    }
}

/* sums [4, U] = start + q [K] w [K/4, 4 gates, U, 4] */
static void multiply(int32_t sums[n_sums], const int32_t *start, const uint8_t *q, const int8_t *w,
                     size_t n_cols)
{
    for (int j = 0; j < n_sums; j++)
        sums[j] = start[j];
    for (size_t k = 0; k < n_cols; k += 4, w += (size_t)4 * n_sums) {
        int x[4];
        for (int i = 0; i < 4; i++)
            x[i] = q[k + (size_t)i] < 128 ? q[k + (size_t)i] : q[k + (size_t)i] - 256;
        for (int j = 0; j < n_sums; j++)
            sums[j] +=
                x[0] * w[4 * j] + x[1] * w[4 * j + 1] + x[2] * w[4 * j + 2] + x[3] * w[4 * j + 3];
    }
}

static void input_product_c(oto_real *gates, const uint8_t *q, size_t q_stride,
                            const oto_real *scale, size_t n_rows, const struct oto_int8_matrix *w,
                            const oto_real *bias)
{
    const size_t hp = oto_dsp_padded(w->n_units, unit_block), kp = ((size_t)w->n_cols + 3) / 4 * 4;
    for (size_t first = 0; first < 4 * hp; first += n_sums) {
        for (size_t n = 0; n < n_rows; n++) {
            int32_t sums[n_sums];
            multiply(sums, w->start + first, q + n * q_stride, w->w + first * kp, kp);
            for (size_t j = 0; j < n_sums; j++)
                gates[n * 4 * hp + first + j] =
                    bias[first + j] + scale[n] * w->scale[first + j] * (oto_real)sums[j];
        }
    }
}

static void lstm_step_c(const oto_real *gates, oto_real *c, oto_real *h, size_t h_stride,
                        uint8_t *q, const uint8_t *q_prev, int n_rows, int n_prev,
                        const struct oto_int8_matrix *r, bool descending)
{
    const size_t n_units = (size_t)r->n_units, hp = oto_dsp_padded(r->n_units, unit_block),
                 kp = (n_units + 3) / 4 * 4;
    (void)descending;
    for (size_t first = 0; first < n_units; first += unit_block) {
        for (size_t b = 0; b < (size_t)n_rows; b++) {
            const size_t at = b * hp + first;
            oto_real a[n_sums], new_h[unit_block];
            for (size_t j = 0; j < n_sums; j++)
                a[j] = gates[4 * at + j];
            if (b < (size_t)n_prev) {
                int32_t sums[n_sums];
                multiply(sums, r->start + 4 * first, q_prev + b * hp, r->w + 4 * first * kp, kp);
                for (size_t j = 0; j < n_sums; j++)
                    a[j] += r->scale[4 * first + j] * (oto_real)sums[j];
            }
            oto_dsp_cell_c(a, c + at, new_h, b < (size_t)n_prev ? c + at : NULL, unit_block);
            for (size_t j = 0; j < unit_block; j++) {
                q[at + j] = quantize(127 * new_h[j]);
                if (first + j < n_units)
                    h[b * h_stride + first + j] = new_h[j];
            }
        }
    }
}

void oto_dsp_int8_init_c(struct oto_dsp_int8 *dsp)
{
    *dsp = (struct oto_dsp_int8){.name = "scalar",
                                 .unit_block = unit_block,
                                 .zero = 0,
                                 .quantize_rows = quantize_rows_c,
                                 .input_product = input_product_c,
                                 .lstm_step = lstm_step_c};
}
