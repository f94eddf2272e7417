/* SPDX-License-Identifier: BSD-2-Clause */
/** The kernels in plain C, and what they share with the AVX2 ones: block width 8 and the order of
 * the forward matrix. */
#ifndef OTO_ACOUSTIC_DSP_C_H
#define OTO_ACOUSTIC_DSP_C_H

#include "acoustic/dsp.h"

/** Fills the whole table. */
void oto_dsp_init_c(struct oto_dsp *dsp);

/**
 * Gate functions and cell update of one block of 8 units.
 *
 * @param a       [4, 8] in: sums; out: i, f, g, o
 * @param c       [8] out; may be c_prev
 * @param h       [n_units] out
 * @param c_prev  [8], or NULL for zero state
 */
void oto_dsp_cell_c(oto_real *a, oto_real *c, oto_real *h, const oto_real *c_prev, size_t n_units);

/** H rounded up to a multiple of unit_block. */
static inline size_t oto_dsp_padded(int n_hidden, int unit_block)
{
    return ((size_t)n_hidden + (size_t)unit_block - 1) / (size_t)unit_block * (size_t)unit_block;
}

/** Where row `gate * H + unit` of PyTorch's order stands in the blocked order. */
static inline size_t oto_dsp_blocked(int gate, size_t unit, size_t unit_block)
{
    return unit / unit_block * 4 * unit_block + (size_t)gate * unit_block + unit % unit_block;
}

/**
 * Orders of the two packed recurrent matrices; numbers of units beyond H are zero. W is twice U in
 * both, so one product kernel, [rows, K] x [K, W], serves the forward and the backward pass.
 *
 *     forward:  [Hp/U blocks][2: gates i,f then g,o][H columns k][2 gates][U] = R[gate*H + block*U
 * + unit, k] backward: [ceil(Hp/W) panels][4*Hp gates, blocked order][W]             = R[gate,
 * panel*W + unit]
 */
void oto_dsp_pack_forward(oto_real *packed, const oto_real *r, int n_hidden, int unit_block);
void oto_dsp_pack_backward(oto_real *packed, const oto_real *r, int n_hidden, int unit_block);
/** 4 * Hp * (Hp rounded up to W): room for either. */
size_t oto_dsp_recurrent_size(int n_hidden, int unit_block);

#endif
