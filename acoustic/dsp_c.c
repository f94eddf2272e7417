/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/dsp_c.h"

#include <string.h>

#include "base/bytes.h"

enum { unit_block = 8, panel_width = 2 * unit_block, outer_width = 3 * unit_block };

/* Beyond these the logistic function is 0 or 1 to working precision; clamping keeps exp() finite
 * and the gate above 0. */
#ifdef OTO_REAL_DOUBLE
#define SIGMOID_LIMIT ((oto_real)700)
#define BELOW_ONE ((oto_real)0x1.fffffffffffffp-1)
#else
#define SIGMOID_LIMIT ((oto_real)87)
#define BELOW_ONE ((oto_real)0x1.fffffep-1)
#endif

/* Both comparisons are false for NaN, which therefore goes through. */
static oto_real sigmoid(oto_real x)
{
    x = x < -SIGMOID_LIMIT ? -SIGMOID_LIMIT : x;
    x = x > SIGMOID_LIMIT ? SIGMOID_LIMIT : x;
    const oto_real y = 1 / (1 + OTO_EXP(-x));
    return y > BELOW_ONE ? BELOW_ONE : y;
}

size_t oto_dsp_recurrent_size(int n_hidden, int block)
{
    return 4 * oto_dsp_padded(n_hidden, block) * oto_dsp_padded(n_hidden, 2 * block);
}

void oto_dsp_pack_forward(oto_real *packed, const oto_real *r, int n_hidden, int block)
{
    const size_t h = (size_t)n_hidden, u = (size_t)block;
    memset(packed, 0, oto_dsp_recurrent_size(n_hidden, block) * sizeof *packed);
    for (size_t first = 0; first < h; first += u) {
        for (size_t gate = 0; gate < 4; gate++) {
            oto_real *panel = packed + first * 4 * h + gate / 2 * h * 2 * u; /* [H, 2, U] */
            for (size_t j = 0; j < u && first + j < h; j++) {
                const oto_real *row = r + (gate * h + first + j) * h;
                for (size_t k = 0; k < h; k++)
                    panel[(k * 2 + gate % 2) * u + j] = row[k];
            }
        }
    }
}

void oto_dsp_pack_backward(oto_real *packed, const oto_real *r, int n_hidden, int block)
{
    const size_t h = (size_t)n_hidden, u = (size_t)block, width = 2 * u,
                 hp = oto_dsp_padded(n_hidden, block);
    memset(packed, 0, oto_dsp_recurrent_size(n_hidden, block) * sizeof *packed);
    for (size_t first = 0; first < h; first += width) {
        const size_t n_here = h - first < width ? h - first : width;
        oto_real *panel = packed + first * 4 * hp; /* [4*Hp, W] */
        for (size_t gate = 0; gate < 4; gate++) {
            for (size_t unit = 0; unit < h; unit++)
                memcpy(panel + oto_dsp_blocked((int)gate, unit, u) * width,
                       r + (gate * h + unit) * h + first, n_here * sizeof *r);
        }
    }
}

static size_t recurrent_size_c(int n_hidden)
{
    return oto_dsp_recurrent_size(n_hidden, unit_block);
}

static void pack_recurrent_forward_c(oto_real *packed, const oto_real *r, int n_hidden)
{
    oto_dsp_pack_forward(packed, r, n_hidden, unit_block);
}

static void pack_recurrent_backward_c(oto_real *packed, const oto_real *r, int n_hidden)
{
    oto_dsp_pack_backward(packed, r, n_hidden, unit_block);
}

void oto_dsp_cell_c(oto_real *a, oto_real *c, oto_real *h, const oto_real *c_prev, size_t n_units)
{
    for (size_t j = 0; j < unit_block; j++) {
        const oto_real i = sigmoid(a[j]), f = sigmoid(a[unit_block + j]);
        const oto_real g = OTO_TANH(a[2 * unit_block + j]), o = sigmoid(a[3 * unit_block + j]);
        a[j] = i;
        a[unit_block + j] = f;
        a[2 * unit_block + j] = g;
        a[3 * unit_block + j] = o;
        c[j] = f * (c_prev ? c_prev[j] : 0) + i * g; /* NaN in f comes out */
        if (j < n_units)
            h[j] = o * OTO_TANH(c[j]);
    }
}

/* y [W] += v [4] w [4, W]: a loop of its own over units, which compilers turn into vectors. */
static void add_four(oto_real *restrict y, const oto_real *restrict v, const oto_real *restrict w)
{
    for (size_t j = 0; j < panel_width; j++)
        y[j] =
            (((y[j] + v[0] * w[j]) + v[1] * w[panel_width + j]) + v[2] * w[2 * panel_width + j]) +
            v[3] * w[3 * panel_width + j];
}

/* y [W] += x [K] w [K, W], in the order of k for every unit. */
static void multiply_row(oto_real *restrict y, const oto_real *restrict x,
                         const oto_real *restrict w, size_t n_k)
{
    size_t k = 0;
    for (; k + 4 <= n_k; k += 4)
        add_four(y, x + k, w + k * panel_width);
    for (; k < n_k; k++) {
        for (size_t j = 0; j < panel_width; j++)
            y[j] += x[k] * w[k * panel_width + j];
    }
}

/* The same with w in half precision, widened four rows at a time. */
static void multiply_row_half(oto_real *restrict y, const oto_real *restrict x,
                              const uint16_t *restrict w, size_t n_k)
{
    for (size_t k = 0; k < n_k; k += 4) {
        oto_real wide[4 * panel_width];
        const size_t n = n_k - k < 4 ? n_k - k : 4;
        for (size_t i = 0; i < n * panel_width; i++)
            wide[i] = (oto_real)oto_half_to_float(w[k * panel_width + i]);
        multiply_row(y, x + k, wide, n);
    }
}

/* r_packed is float, or half precision as `half` says. */
static void lstm_forward(oto_real *gates, oto_real *c, oto_real *h, size_t h_stride,
                         const oto_real *h_prev, size_t h_prev_stride, const oto_real *c_prev,
                         int n_rows, int n_prev, const void *r_packed, int n_hidden, bool half)
{
    const size_t n_units = (size_t)n_hidden, hp = oto_dsp_padded(n_hidden, unit_block);
    for (size_t first = 0; first < n_units; first += unit_block) {
        const size_t n_here = n_units - first < unit_block ? n_units - first : unit_block;
        for (size_t b = 0; b < (size_t)n_rows; b++) {
            oto_real *a = gates + (b * hp + first) * 4;
            const bool has_prev = b < (size_t)n_prev;
            for (size_t pair = 0; has_prev && pair < 2; pair++) { /* panels [H, W]: i, f; g, o */
                const size_t at = first * 4 * n_units + pair * n_units * panel_width;
                const oto_real *x = h_prev + b * h_prev_stride;
                if (half)
                    multiply_row_half(a + pair * panel_width, x, (const uint16_t *)r_packed + at,
                                      n_units);
                else
                    multiply_row(a + pair * panel_width, x, (const oto_real *)r_packed + at,
                                 n_units);
            }
            oto_dsp_cell_c(a, c + b * hp + first, h + b * h_stride + first,
                           has_prev ? c_prev + b * hp + first : NULL, n_here);
        }
    }
}

static void lstm_forward_c(oto_real *gates, oto_real *c, oto_real *h, size_t h_stride,
                           const oto_real *h_prev, size_t h_prev_stride, const oto_real *c_prev,
                           int n_rows, int n_prev, const oto_real *r_packed, int n_hidden,
                           bool descending)
{
    (void)descending;
    lstm_forward(gates, c, h, h_stride, h_prev, h_prev_stride, c_prev, n_rows, n_prev, r_packed,
                 n_hidden, false);
}

static void lstm_forward_half_c(oto_real *gates, oto_real *c, oto_real *h, size_t h_stride,
                                const oto_real *h_prev, size_t h_prev_stride,
                                const oto_real *c_prev, int n_rows, int n_prev,
                                const uint16_t *r_half, int n_hidden, bool descending)
{
    (void)descending;
    lstm_forward(gates, c, h, h_stride, h_prev, h_prev_stride, c_prev, n_rows, n_prev, r_half,
                 n_hidden, true);
}

/* a [4, U]: i, f, g, o in, their gradients out; dh [U] gradient at h; dc [U] in and out. Padding
 * units give zeros. */
static void cell_backward(oto_real *a, oto_real *dc, const oto_real *dh, const oto_real *c,
                          const oto_real *c_prev, size_t n_units)
{
    for (size_t j = 0; j < n_units; j++) {
        const oto_real i = a[j], f = a[unit_block + j], g = a[2 * unit_block + j],
                       o = a[3 * unit_block + j];
        const oto_real tanh_c = OTO_TANH(c[j]);
        const oto_real dcell = dc[j] + dh[j] * o * (1 - tanh_c * tanh_c);
        a[j] = dcell * g * i * (1 - i);
        a[unit_block + j] = dcell * (c_prev ? c_prev[j] : 0) * f * (1 - f);
        a[2 * unit_block + j] = dcell * i * (1 - g * g);
        a[3 * unit_block + j] = dh[j] * tanh_c * o * (1 - o);
        dc[j] = dcell * f;
    }
    for (size_t j = n_units; j < unit_block; j++)
        a[j] = a[unit_block + j] = a[2 * unit_block + j] = a[3 * unit_block + j] = dc[j] = 0;
}

static void lstm_backward_c(oto_real *gates, oto_real *dc, const oto_real *dh_out, size_t dh_stride,
                            const oto_real *gates_next, int n_next, const oto_real *c,
                            const oto_real *c_prev, int n_prev, int n_rows,
                            const oto_real *r_packed_backward, int n_hidden, bool descending)
{
    (void)descending;
    const size_t n_units = (size_t)n_hidden, hp = oto_dsp_padded(n_hidden, unit_block);
    for (size_t b = (size_t)(n_next < n_rows ? n_next : n_rows); b < (size_t)n_rows; b++)
        memset(dc + b * hp, 0, hp * sizeof *dc);
    for (size_t first = 0; first < n_units; first += panel_width) {
        const oto_real *panel = r_packed_backward + first * 4 * hp; /* [4*Hp, W] */
        const size_t n_here = n_units - first < panel_width ? n_units - first : panel_width;
        for (size_t b = 0; b < (size_t)n_rows; b++) {
            oto_real dh[panel_width] = {0};
            memcpy(dh, dh_out + b * dh_stride + first, n_here * sizeof *dh);
            if (b < (size_t)n_next)
                multiply_row(dh, gates_next + b * 4 * hp, panel, 4 * hp);
            for (size_t u = 0; u < n_here; u += unit_block)
                cell_backward(gates + (b * hp + first + u) * 4, dc + b * hp + first + u, dh + u,
                              c + b * hp + first + u,
                              b < (size_t)n_prev ? c_prev + b * hp + first + u : NULL,
                              n_here - u < unit_block ? n_here - u : unit_block);
        }
    }
}

static void add_outer_c(oto_real *c, size_t c_stride, const oto_real *a, const oto_real *b,
                        size_t n_k, size_t n_rows, size_t n_cols)
{
    for (size_t r = 0; r < n_rows; r++) {
        oto_real sums[outer_width] = {0};
        for (size_t k = 0; k < n_k; k++) {
            const oto_real v = a[k * unit_block + r];
            for (size_t j = 0; j < outer_width; j++)
                sums[j] += v * b[k * outer_width + j];
        }
        for (size_t j = 0; j < n_cols; j++)
            c[r * c_stride + j] += sums[j];
    }
}

static void log_softmax_c(oto_real *out, const oto_real *in, int n_rows, int n_cols)
{
    for (int row = 0; row < n_rows; row++, in += n_cols, out += n_cols) {
        oto_real max = in[0];
        for (int j = 1; j < n_cols; j++)
            max = in[j] > max ? in[j] : max;
        double sum = 0;
        for (int j = 0; j < n_cols; j++)
            sum += (double)OTO_EXP(in[j] - max);
        const oto_real log_sum = (oto_real)log(sum);
        for (int j = 0; j < n_cols; j++)
            out[j] = in[j] - max - log_sum;
    }
}

void oto_dsp_init_c(struct oto_dsp *dsp)
{
    dsp->cpu_flags = OTO_CPU_SCALAR;
    dsp->unit_block = unit_block;
    dsp->recurrent_size = recurrent_size_c;
    dsp->pack_recurrent_forward = pack_recurrent_forward_c;
    dsp->pack_recurrent_backward = pack_recurrent_backward_c;
    dsp->lstm_forward = lstm_forward_c;
    dsp->lstm_forward_half = lstm_forward_half_c;
    dsp->half_rows = 0;
    dsp->lstm_backward = lstm_backward_c;
    dsp->add_outer = add_outer_c;
    dsp->log_softmax = log_softmax_c;
}
