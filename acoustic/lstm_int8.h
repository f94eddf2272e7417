/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Inference of one LSTM direction with 8-bit matrices (math.md, eq. 39a-39d): the frames of a
 * portion are quantised and multiplied by W at once, then the recurrence runs over them.
 */
#ifndef OTO_ACOUSTIC_LSTM_INT8_H
#define OTO_ACOUSTIC_LSTM_INT8_H

#include <stdbool.h>
#include <stddef.h>

#include "acoustic/dsp_int8.h"
#include "acoustic/lstm.h"
#include "acoustic/sequences.h"
#include "base/real.h"
#include "base/status.h"

struct oto_lstm_int8 {
    const struct oto_dsp_int8 *dsp;
    struct oto_int8_matrix w, r; /* the scales of r hold the state's 1/127 */
    oto_real *bias;              /* [4*Hp] blocked */
    bool reverse;                /* walks t = T-1 .. 0 */
};

/** dsp must outlive it. Zero-initialise first; OTO_ERR_MEMORY leaves it cleared. */
oto_status oto_lstm_int8_init(struct oto_lstm_int8 *lstm, const struct oto_dsp_int8 *dsp,
                              int n_inputs, int n_hidden, bool reverse,
                              oto_error *err) OTO_WARN_UNUSED;
void oto_lstm_int8_clear(struct oto_lstm_int8 *lstm);

/** int8 rows with their scales. */
struct oto_int8_rows {
    const int8_t *codes;
    const float *scales;
};

/**
 * Packs canonical weights (PyTorch's order i, f, g, o).
 *
 * @param w, r  [4H, D], [4H, H], codes -127 .. 127
 * @param bias  [4H]
 */
void oto_lstm_int8_set(struct oto_lstm_int8 *lstm, const struct oto_int8_rows *w,
                       const struct oto_int8_rows *r, const float *bias);

/** Bytes of scratch that a batch takes. False when they overflow. */
bool oto_lstm_int8_scratch(const struct oto_lstm_int8 *lstm, const struct oto_sequences *seqs,
                           size_t *n_bytes);

/**
 * @param h        [N, h_stride], H columns written
 * @param x        [N, D] dense, not h
 * @param scratch  of oto_lstm_int8_scratch() bytes, 64-byte aligned
 * @param carry    NULL for zero state at the start; else B = 1 and not reverse
 * Allocates: no.
 */
void oto_lstm_int8_forward(const struct oto_lstm_int8 *lstm, void *scratch, oto_real *h,
                           size_t h_stride, const oto_real *x, const struct oto_sequences *seqs,
                           struct oto_lstm_carry *carry);

#endif
