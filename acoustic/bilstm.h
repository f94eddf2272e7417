/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Two LSTM directions over the same input, side by side in the output: columns 0..H-1 forward,
 * H..2H-1 reverse. The directions are independent and are two tasks of the pool, each of which runs
 * to its end: one recurrent matrix fits a core's second-level cache, two do not.
 */
#ifndef OTO_ACOUSTIC_BILSTM_H
#define OTO_ACOUSTIC_BILSTM_H

#include <stdbool.h>
#include <stddef.h>

#include "acoustic/buffer.h"
#include "acoustic/dsp.h"
#include "acoustic/lstm.h"
#include "acoustic/lstm_int8.h"
#include "acoustic/sequences.h"
#include "base/pool.h"
#include "base/real.h"
#include "base/status.h"

struct oto_bilstm {
    struct oto_lstm dir[2]; /* forward, reverse; quantised: only the sizes that shape it are set */
    struct oto_lstm_int8 int8[2]; /* quantised: instead of dir */
    bool quantized;
};

/** Zero-initialise first. OTO_ERR_MEMORY leaves it cleared. */
oto_status oto_bilstm_init(struct oto_bilstm *layer, const struct oto_dsp *dsp, int n_inputs,
                           int n_hidden, oto_error *err) OTO_WARN_UNUSED;
/** For inference with 8-bit matrices. */
oto_status oto_bilstm_init_int8(struct oto_bilstm *layer, const struct oto_dsp_int8 *dsp,
                                int n_inputs, int n_hidden, oto_error *err) OTO_WARN_UNUSED;
void oto_bilstm_clear(struct oto_bilstm *layer);

/**
 * What a forward pass leaves (training) or scribbles on (inference), one of each per direction.
 * Zero-initialise.
 */
struct oto_bilstm_state {
    struct oto_buffer gates[2]; /* training [N, 4*Hp], else [portion, 4*Hp] */
    struct oto_buffer cells[2]; /* training [N, Hp], else [2*B, Hp] */
    struct oto_buffer int8[2];  /* quantised: oto_lstm_int8_scratch(), instead of both */
};

/** False when memory ends. */
bool oto_bilstm_state_reserve(struct oto_bilstm_state *state, const struct oto_bilstm *layer,
                              const struct oto_sequences *seqs, bool keep);
void oto_bilstm_state_clear(struct oto_bilstm_state *state);

/** Scratch of a backward pass, shared by all layers; one of each per direction. Zero-initialise. */
struct oto_bilstm_scratch {
    struct oto_buffer dcells[2];  /* [6*B, Hp], see oto_lstm_backward_steps() */
    struct oto_buffer weights[2]; /* [oto_lstm_weight_parts()][oto_lstm_weight_scratch()] */
    double *dbias_sum[2];         /* [4*Hp] */
    size_t n_dbias_sum;
};

/** False when memory ends. */
bool oto_bilstm_scratch_reserve(struct oto_bilstm_scratch *scratch, const struct oto_bilstm *layer,
                                const struct oto_dsp *dsp, const struct oto_sequences *seqs);
void oto_bilstm_scratch_clear(struct oto_bilstm_scratch *scratch);

/**
 * @param h     [N, 2H]
 * @param x     [N, D]
 * @param keep  whether state keeps what backward needs
 * Allocates: no.
 */
void oto_bilstm_forward(const struct oto_bilstm *layer, const struct oto_dsp *dsp,
                        struct oto_bilstm_state *state, bool keep, oto_real *h, const oto_real *x,
                        const struct oto_sequences *seqs, struct oto_pool *pool);

/**
 * One window of a stream, one utterance: the forward direction starts from carry and leaves its
 * state there, the reverse one starts from zero state at the window's end.
 *
 * @param h     [reverse->n_rows, 2H]; of the forward direction, only rows of `forward` are written
 * @param x     [reverse->n_rows, D]
 * @param forward, reverse  the frames that each direction runs over, from the window's first on
 * Allocates: no.
 */
void oto_bilstm_forward_window(const struct oto_bilstm *layer, const struct oto_dsp *dsp,
                               struct oto_bilstm_state *state, struct oto_lstm_carry *carry,
                               oto_real *h, const oto_real *x, const struct oto_sequences *forward,
                               const struct oto_sequences *reverse, struct oto_pool *pool);

/**
 *     dx = da_forward W_forward + da_reverse W_reverse        (math.md, eq. 34-39)
 *
 * Uses up the gates in state. Tasks are the time steps of each direction and of groups of
 * utterances; then parts of the weights' gradients of each direction and fixed blocks of rows of dx
 * (the sum in this order).
 *
 * @param dx  [N, D] or NULL; may be dh
 * @param dh  [N, 2H]
 * @param h   [N, 2H] as forward wrote it
 * Allocates: no.
 */
void oto_bilstm_backward(const struct oto_bilstm *layer, const struct oto_dsp *dsp,
                         struct oto_bilstm_state *state, struct oto_bilstm_scratch *scratch,
                         const struct oto_lstm_gradients grads[2], oto_real *dx, const oto_real *dh,
                         const oto_real *h, const oto_real *x, const struct oto_sequences *seqs,
                         struct oto_pool *pool);

#endif
