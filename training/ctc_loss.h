/* SPDX-License-Identifier: BSD-2-Clause */
/** Connectionist temporal classification: loss and gradient in natural-log space (Graves et al.
 * 2006, eq. 5-16). */
#ifndef OTO_TRAINING_CTC_LOSS_H
#define OTO_TRAINING_CTC_LOSS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/real.h"
#include "base/status.h"

/** Frames that a label sequence needs at least: labels + adjacent repeats. */
int oto_ctc_min_frames(const int *labels, int n_labels);

struct oto_ctc; /* scratch: grows with the longest utterance; one per thread */
oto_status oto_ctc_create(struct oto_ctc **out, oto_error *err) OTO_WARN_UNUSED;
void oto_ctc_destroy(struct oto_ctc *ctc);

/**
 * Loss of one utterance and its gradient with respect to the logits (before softmax): dlogits =
 * softmax - occupancy.
 *
 * @param loss        out: -log p(labels | x), or +inf when there is no path
 * @param dlogits     n_frames rows of n_symbols, written; exactly zero when there is no path;
 *                    NULL for the loss alone
 * @param log_probs   [n_frames] rows given by row index: row t at log_probs + rows[t]*n_symbols
 * (rows NULL: t); the same rows are used for dlogits
 * @param labels      [n_labels] in 1..n_symbols-1; n_labels = 0 allowed
 * Sums in double whatever oto_real is. Never inf or NaN in dlogits.
 */
oto_status oto_ctc_compute(struct oto_ctc *ctc, double *loss, oto_real *dlogits,
                           const oto_real *log_probs, const size_t *rows, int n_frames,
                           int n_symbols, const int *labels, int n_labels,
                           oto_error *err) OTO_WARN_UNUSED;

/**
 * Label smoothing (Kim et al. 2018; math.md, eq. 47a): after oto_ctc_compute(), keeps the output
 * from being sure.
 *
 *     loss := (1 - share) loss + share sum_t KL(uniform || p[t]),   dlogits accordingly
 *
 * dlogits may be NULL. Nothing to do where the loss is not finite.
 */
void oto_ctc_smooth(double *loss, oto_real *dlogits, const oto_real *log_probs, const size_t *rows,
                    int n_frames, int n_symbols, double share);

#endif
