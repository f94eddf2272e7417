/* SPDX-License-Identifier: BSD-2-Clause */
/** Dropout with inverted scaling and a mask that is a function of position alone. */
#ifndef OTO_ACOUSTIC_DROPOUT_H
#define OTO_ACOUSTIC_DROPOUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/real.h"

struct oto_dropout {
    double rate; /* in [0, 1); used to the nearest 1/65536 */
    uint64_t seed, stream;
};

/**
 * Dropout with inverted scaling (math.md, eq. 30).
 *
 *     y[n,j] = m[n,j] x[n,j] / (1 - p),   P(m = 0) = p,   m = f(seed, stream, layer, n, j)
 *
 * The gradient is the same function of dy. Rows are numbered in the packed batch, so an utterance's
 * mask depends on the batch it is in; a batch is a function of seed and step, so a resumed training
 * run draws the same masks.
 *
 * @param y, x       [n_rows, n_cols] dense, may be the same
 * @param first_row  number of row 0 in the batch
 * Allocates: no.
 */
void oto_dropout_apply(oto_real *y, const oto_real *x, size_t first_row, size_t n_rows, int n_cols,
                       int layer, const struct oto_dropout *dropout);

#endif
