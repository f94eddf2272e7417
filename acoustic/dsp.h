/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The table of kernels of the acoustic model. oto_dsp_init() fills in the C versions, then replaces
 * those that the CPU flags allow. Every network keeps its own const copy, so two variants can be
 * held side by side.
 *
 * Blocked gate order. With block width U (units), a row of gates of H units holds ceil(H/U) blocks,
 * each [i of U units | f of U units | g of U units | o of U units], so 4*Hp numbers, Hp = H rounded
 * up to a multiple of U. Padding units have zero weights and zero bias everywhere.
 */
#ifndef OTO_ACOUSTIC_DSP_H
#define OTO_ACOUSTIC_DSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/real.h"

struct oto_dsp {
    unsigned cpu_flags; /* what this table was made for */
    int unit_block;     /* U: 8 (C, AVX2) or 16 (AVX-512) */

    /** Elements that a packed forward (resp. backward) recurrent matrix of H units takes. */
    size_t (*recurrent_size)(int n_hidden);
    /** Packs R, [4H, H] row-major in PyTorch's order (i, f, g, o), into the order in which
     * lstm_forward reads it. */
    void (*pack_recurrent_forward)(oto_real *packed, const oto_real *r, int n_hidden);
    /** The same matrix in the order in which lstm_backward reads it. */
    void (*pack_recurrent_backward)(oto_real *packed, const oto_real *r, int n_hidden);

    /**
     * One time step of n_rows utterances in one direction (math.md, eq. 24 to 27).
     *
     *     a = gates + h_prev R^T;  i,f,o = sigma(a_ifo), g = tanh(a_g);  c = f*c_prev + i*g;  h =
     * o*tanh(c)
     *
     * @param gates    [n_rows, 4*Hp] blocked order; in: input products with bias; out: i, f, g, o
     * after their functions
     * @param c        [n_rows, Hp] out
     * @param h        [n_rows, h_stride] out, first H columns only; not h_prev
     * @param h_prev   [n_prev, h_prev_stride]; rows n_prev..n_rows-1 start from zero state (0 <=
     * n_prev <= n_rows)
     * @param c_prev   [n_prev, Hp]
     * @param descending  order in which blocks of units are computed, of no effect on the result:
     * turning round at each step finds the end of the matrix, read last, still in the cache
     * NaN in gives NaN out; +-inf saturates. Gates are strictly inside (0, 1) for finite input
     * within what float can tell.
     */
    void (*lstm_forward)(oto_real *gates, oto_real *c, oto_real *h, size_t h_stride,
                         const oto_real *h_prev, size_t h_prev_stride, const oto_real *c_prev,
                         int n_rows, int n_prev, const oto_real *r_packed, int n_hidden,
                         bool descending);

    /**
     * lstm_forward with the packed matrix in half precision, widened as it is read: half the bytes,
     * which are what a step of few rows waits for. All sums are those of lstm_forward, in its
     * order: the same bits where the matrix is one of half-precision numbers.
     *
     * @param r_half  oto_dsp_halve() of what pack_recurrent_forward wrote
     */
    void (*lstm_forward_half)(oto_real *gates, oto_real *c, oto_real *h, size_t h_stride,
                              const oto_real *h_prev, size_t h_prev_stride, const oto_real *c_prev,
                              int n_rows, int n_prev, const uint16_t *r_half, int n_hidden,
                              bool descending);
    /** Up to so many rows lstm_forward_half is the faster one; 0: never. */
    int half_rows;

    /**
     * The same step backwards. "next" is the step computed before this one in the backward pass
     * (t+1 for the forward direction), whose gate gradients reach this step through R.
     *
     *     dh = dh_out + dgates_next R;   dc = dc + dh*o*(1 - tanh(c)^2)
     *     da_i = dc*g*i*(1-i)  da_f = dc*c_prev*f*(1-f)  da_g = dc*i*(1-g^2)  da_o =
     * dh*tanh(c)*o*(1-o);  dc_prev = dc*f
     *
     * @param gates       [n_rows, 4*Hp] in: i, f, g, o as lstm_forward left them; out: da
     * @param dc          [n_rows, Hp] in: dc_prev of the next step (rows n_next.. are taken as
     * zero); out: dc_prev of this
     * @param dh_out      [n_rows, dh_stride] gradient from above, H columns
     * @param gates_next  [n_next, 4*Hp] da of the next step, n_next <= n_rows when utterances end
     * (see below)
     * @param c, c_prev   [n_rows, Hp], [n_prev, Hp]; rows from n_prev on started from zero state
     * @param descending  as in lstm_forward
     *
     * Rows are aligned by index: row b is the same utterance in all arguments.
     */
    void (*lstm_backward)(oto_real *gates, oto_real *dc, const oto_real *dh_out, size_t dh_stride,
                          const oto_real *gates_next, int n_next, const oto_real *c,
                          const oto_real *c_prev, int n_prev, int n_rows,
                          const oto_real *r_packed_backward, int n_hidden, bool descending);

    /**
     *     c := c + a^T b        a tile of a gradient of weights, summed over n_k frames
     *
     * The sum over the frames is made from zero and then added to c.
     *
     * @param c  [n_rows, c_stride], n_cols columns; 1 <= n_rows <= U, 1 <= n_cols <= 3U
     * @param a  [K, U]
     * @param b  [K, 3U], of which n_cols columns count
     */
    void (*add_outer)(oto_real *c, size_t c_stride, const oto_real *a, const oto_real *b,
                      size_t n_k, size_t n_rows, size_t n_cols);

    /** log-softmax of n_rows rows of n_cols, in place allowed. Max subtracted, sum in double. */
    void (*log_softmax)(oto_real *out, const oto_real *in, int n_rows, int n_cols);
};

/** Highest variants that flags allow. Never fails. */
void oto_dsp_init(struct oto_dsp *dsp, unsigned cpu_flags);
/**
 * A packed matrix in half precision, rounded to nearest.
 *
 * @return whether every number is the same in half precision
 */
bool oto_dsp_halve(uint16_t *half, const oto_real *packed, size_t n);
/** Called by oto_dsp_init(); each in its own file with its own compiler flags. */
void oto_dsp_init_avx2(struct oto_dsp *dsp);
void oto_dsp_init_avx512(struct oto_dsp *dsp);

#endif
