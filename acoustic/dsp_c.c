/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/dsp_c.h"

#include <string.h>

enum { unit_block = 8, block_gates = 4 * unit_block };

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
    const size_t hp = oto_dsp_padded(n_hidden, block);
    return 4 * hp * hp;
}

void oto_dsp_pack_forward(oto_real *packed, const oto_real *r, int n_hidden, int block)
{
    const size_t h = (size_t)n_hidden, u = (size_t)block,
                 n_blocks = oto_dsp_padded(n_hidden, block) / u;
    memset(packed, 0, oto_dsp_recurrent_size(n_hidden, block) * sizeof *packed);
    for (size_t b = 0; b < n_blocks; b++) {
        for (size_t k = 0; k < h; k++) {
            for (size_t gate = 0; gate < 4; gate++) {
                for (size_t j = 0; j < u && b * u + j < h; j++)
                    packed[((b * h + k) * 4 + gate) * u + j] = r[(gate * h + b * u + j) * h + k];
            }
        }
    }
}

void oto_dsp_pack_backward(oto_real *packed, const oto_real *r, int n_hidden, int block,
                           int panel_blocks)
{
    const size_t h = (size_t)n_hidden, u = (size_t)block, hp = oto_dsp_padded(n_hidden, block);
    const size_t panel_width = u * (size_t)panel_blocks;
    memset(packed, 0, oto_dsp_recurrent_size(n_hidden, block) * sizeof *packed);
    for (size_t first = 0; first < hp; first += panel_width) {
        const size_t width = hp - first < panel_width ? hp - first : panel_width;
        oto_real *panel = packed + first * 4 * hp; /* [4*Hp, width] */
        for (size_t gate = 0; gate < 4; gate++) {
            for (size_t unit = 0; unit < h; unit++) {
                const oto_real *row = r + (gate * h + unit) * h + first;
                oto_real *to = panel + oto_dsp_blocked((int)gate, unit, u) * width;
                for (size_t j = 0; j < width && first + j < h; j++)
                    to[j] = row[j];
            }
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
    oto_dsp_pack_backward(packed, r, n_hidden, unit_block, 1);
}

/* a [4, U] of one block in place: gate functions and cell update. c_prev is NULL for zero state. */
static void cell_forward(oto_real *a, oto_real *c, oto_real *h, const oto_real *c_prev,
                         size_t n_units)
{
    for (size_t j = 0; j < unit_block; j++) {
        const oto_real i = sigmoid(a[j]), f = sigmoid(a[unit_block + j]);
        const oto_real g = OTO_TANH(a[2 * unit_block + j]), o = sigmoid(a[3 * unit_block + j]);
        a[j] = i;
        a[unit_block + j] = f;
        a[2 * unit_block + j] = g;
        a[3 * unit_block + j] = o;
        c[j] = c_prev ? f * c_prev[j] + i * g : i * g;
        if (j < n_units)
            h[j] = o * OTO_TANH(c[j]);
    }
}

static void lstm_forward_c(oto_real *gates, oto_real *c, oto_real *h, size_t h_stride,
                           const oto_real *h_prev, size_t h_prev_stride, const oto_real *c_prev,
                           int n_rows, int n_prev, const oto_real *r_packed, int n_hidden)
{
    const size_t n_units = (size_t)n_hidden, hp = oto_dsp_padded(n_hidden, unit_block);
    for (size_t first = 0; first < hp; first += unit_block) {
        const oto_real *panel = r_packed + first * 4 * n_units; /* [H, 4, U] */
        const size_t n_here = n_units - first < unit_block ? n_units - first : unit_block;
        for (size_t b = 0; b < (size_t)n_rows; b++) {
            const int has_prev = b < (size_t)n_prev;
            oto_real *a = gates + b * 4 * hp + 4 * first;
            oto_real sum[block_gates];
            memcpy(sum, a, sizeof sum);
            for (size_t k = 0; has_prev && k < n_units; k++) {
                const oto_real x = h_prev[b * h_prev_stride + k];
                for (size_t j = 0; j < block_gates; j++)
                    sum[j] += x * panel[k * block_gates + j];
            }
            memcpy(a, sum, sizeof sum);
            cell_forward(a, c + b * hp + first, h + b * h_stride + first,
                         has_prev ? c_prev + b * hp + first : NULL, n_here);
        }
    }
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
        a[unit_block + j] = c_prev ? dcell * c_prev[j] * f * (1 - f) : 0;
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
                            const oto_real *r_packed_backward, int n_hidden)
{
    const size_t n_units = (size_t)n_hidden, hp = oto_dsp_padded(n_hidden, unit_block);
    for (size_t first = 0; first < hp; first += unit_block) {
        const oto_real *panel = r_packed_backward + first * 4 * hp; /* [4*Hp, U] */
        const size_t n_here = n_units - first < unit_block ? n_units - first : unit_block;
        for (size_t b = 0; b < (size_t)n_rows; b++) {
            const int has_next = b < (size_t)n_next;
            oto_real dh[unit_block] = {0};
            oto_real *dc_row = dc + b * hp + first;
            memcpy(dh, dh_out + b * dh_stride + first, n_here * sizeof *dh);
            for (size_t k = 0; has_next && k < 4 * hp; k++) {
                const oto_real x = gates_next[b * 4 * hp + k];
                for (size_t j = 0; j < unit_block; j++)
                    dh[j] += x * panel[k * unit_block + j];
            }
            if (!has_next)
                memset(dc_row, 0, unit_block * sizeof *dc_row);
            cell_backward(gates + b * 4 * hp + 4 * first, dc_row, dh, c + b * hp + first,
                          b < (size_t)n_prev ? c_prev + b * hp + first : NULL, n_here);
        }
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
    dsp->lstm_backward = lstm_backward_c;
    dsp->log_softmax = log_softmax_c;
}
