/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * One direction of an LSTM layer over a packed batch (math.md, eq. 24-27 and 34-39). Input products
 * are one matrix product for many frames, the recurrence is the kernels' (dsp.h).
 *
 * Letters: D inputs, H units, U = dsp->unit_block, Hp = H rounded up to a multiple of U, N packed
 * rows, B utterances.
 */
#ifndef OTO_ACOUSTIC_LSTM_H
#define OTO_ACOUSTIC_LSTM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acoustic/dsp.h"
#include "acoustic/sequences.h"
#include "base/real.h"
#include "base/status.h"

/** Weights in the kernels' order: rows of gates blocked as dsp.h says, padding rows zero. */
struct oto_lstm {
    int n_inputs, n_hidden;
    int n_cells;          /* Hp */
    int n_gates;          /* 4*Hp */
    bool reverse;         /* walks t = T-1 .. 0 */
    oto_real *w;          /* [4*Hp, D] */
    oto_real *bias;       /* [4*Hp] */
    oto_real *r_forward;  /* packed for dsp->lstm_forward */
    oto_real *r_backward; /* packed for dsp->lstm_backward; NULL when made for inference alone */
    uint16_t *r_half;     /* r_forward in half precision; NULL unless made for inference alone */
    bool half;            /* r_half holds the same numbers as r_forward */
};

/** Zero-initialise first. OTO_ERR_MEMORY leaves it cleared. */
oto_status oto_lstm_init(struct oto_lstm *lstm, const struct oto_dsp *dsp, int n_inputs,
                         int n_hidden, bool reverse, oto_error *err) OTO_WARN_UNUSED;
void oto_lstm_clear(struct oto_lstm *lstm);
/**
 * Makes it one for inference alone, before oto_lstm_set(): releases what only backward needs, adds
 * what makes inference faster. OTO_ERR_MEMORY leaves it as it was.
 */
oto_status oto_lstm_for_inference(struct oto_lstm *lstm, const struct oto_dsp *dsp,
                                  oto_error *err) OTO_WARN_UNUSED;

/**
 * Packs canonical weights (PyTorch's order i, f, g, o).
 *
 * @param w     [4H, D]
 * @param r     [4H, H]
 * @param bias  [4H]
 */
void oto_lstm_set(struct oto_lstm *lstm, const struct oto_dsp *dsp, const oto_real *w,
                  const oto_real *r, const oto_real *bias);

/**
 * The state that a stream of windows carries from one to the next, in inference (network_stream.h):
 * a pass over one utterance starts from it where there is one, and leaves the state after n_steps
 * steps here, although it may go on beyond.
 */
struct oto_lstm_carry {
    oto_real *h, *c; /* [Hp] each; h of float passes alone */
    uint8_t *codes;  /* [Hp] the state as a quantised pass reads it */
    bool started;    /* they hold a state; else the pass starts from zeros */
    int n_steps;     /* 1 .. steps of the pass */
};

/** Rows of gates that an inference pass holds at once: it walks the batch in such portions. */
size_t oto_lstm_portion_rows(const struct oto_sequences *seqs);

/**
 *     h[t,b] = LSTM(x[t,b], h[t-1,b], c[t-1,b])        (math.md, eq. 24-27)
 *
 * With t+1 for t-1 when reverse; zero state outside the utterance.
 *
 * @param keep    whether gates and cells of all rows are kept for oto_lstm_backward_steps()
 * @param gates   keep: [N, 4*Hp], on return i, f, g, o of all rows;
 *                else scratch [oto_lstm_portion_rows(), 4*Hp]
 * @param cells   keep: [N, Hp]; else scratch [2*B, Hp]
 * @param h       [N, h_stride], H columns written
 * @param x       [N, D] dense, not h
 * @param seqs    in windows only with keep
 * @param carry   NULL for zero state at the start; else B = 1, not reverse and not keep
 * Allocates: no. Cost: O(N*4H*(D+H)).
 */
void oto_lstm_forward(const struct oto_lstm *lstm, const struct oto_dsp *dsp, bool keep,
                      oto_real *gates, oto_real *cells, oto_real *h, size_t h_stride,
                      const oto_real *x, const struct oto_sequences *seqs,
                      struct oto_lstm_carry *carry);

/**
 * Back through time (math.md, eq. 34-36), after a forward pass with keep, for utterances
 * [first, end) of the batch.
 *
 * @param gates   [N, 4*Hp] in: i, f, g, o; out: gradients da before the gates' functions
 * @param dcells  scratch [B, Hp]; of the forward direction in windows [B, 6*Hp]
 * @param dh      [N, dh_stride], H columns: gradient with respect to h
 */
void oto_lstm_backward_steps(const struct oto_lstm *lstm, const struct oto_dsp *dsp,
                             oto_real *gates, oto_real *dcells, const oto_real *dh,
                             size_t dh_stride, const oto_real *cells,
                             const struct oto_sequences *seqs, int first, int end);

/** Where the gradients of one direction go, overwritten; canonical [4H, D], [4H, H], [4H]. */
struct oto_lstm_gradients {
    oto_real *dw, *dr, *dbias;
};

/** Parts into which oto_lstm_backward_weights() cuts its work, by the sizes alone. */
int oto_lstm_weight_parts(const struct oto_lstm *lstm, const struct oto_dsp *dsp);
/** Numbers of scratch that a part needs, in *n; false when that overflows. */
bool oto_lstm_weight_scratch(const struct oto_lstm *lstm, const struct oto_dsp *dsp, size_t *n);

/**
 *     dW = da^T x,   dR = da^T h_prev,   db = sum of da's rows        (math.md, eq. 37, 38)
 *
 * One product with the columns of x and h_prev side by side: blocks of rows are packed on the way,
 * h_prev straight from h. db is summed in double. A part makes the rows of some of the units.
 *
 * @param scratch    [oto_lstm_weight_scratch()] of the part's own
 * @param dbias_sum  scratch [4*Hp], shared by the parts
 * @param da         [N, 4*Hp]
 * @param x          [N, D]
 * @param h          [N, h_stride], H columns
 * Source of the blocking: Goto and van de Geijn 2008.
 */
void oto_lstm_backward_weights(const struct oto_lstm *lstm, const struct oto_dsp *dsp,
                               const struct oto_lstm_gradients *grads, oto_real *scratch,
                               double *dbias_sum, const oto_real *da, const oto_real *x,
                               const oto_real *h, size_t h_stride, const struct oto_sequences *seqs,
                               int part);

/**
 *     dx := beta*dx + da W        for rows [first, first + n_rows)
 *
 * @param dx  [N, D] dense
 */
void oto_lstm_backward_inputs(const struct oto_lstm *lstm, oto_real *dx, oto_real beta,
                              const oto_real *da, size_t first, size_t n_rows);

#endif
