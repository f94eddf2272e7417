/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Consistency of two views (CR-CTC: Yao et al. 2025, "CR-CTC: Consistency regularization on CTC for
 * improved speech recognition", eq. 3; math.md, eq. 47b): an utterance goes through the network
 * twice, changed, masked and dropped out differently, and each output is drawn towards the other.
 */
#ifndef OTO_TRAINING_CONSISTENCY_H
#define OTO_TRAINING_CONSISTENCY_H

#include <stddef.h>

#include "base/real.h"

/** One utterance's rows in matrices of n_symbols columns; row t is at rows[t] * n_symbols. */
struct oto_view {
    const size_t *rows;  /* [n_frames] of the view itself */
    const size_t *other; /* [n_frames] of the other view */
    int n_frames, n_symbols;
};

/**
 * After oto_ctc_compute() of one view:
 *
 *     loss += weight sum_t KL(other[t] || own[t]),   dlogits += weight (own - other)
 *
 * The other view counts as given: no gradient goes into it. dlogits is written at view->rows alone;
 * it may be NULL. Nothing to do where the loss is not finite.
 */
void oto_consistency_add(double *loss, oto_real *dlogits, const oto_real *log_probs,
                         const struct oto_view *view, double weight);

#endif
