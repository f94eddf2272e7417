/* SPDX-License-Identifier: BSD-2-Clause */
/** Dense layer over rows: the projection after a BLSTM and the output layer. */
#ifndef OTO_ACOUSTIC_LINEAR_H
#define OTO_ACOUSTIC_LINEAR_H

#include <stddef.h>

#include "base/pool.h"
#include "base/real.h"

/** Borrowed parameters in canonical order. */
struct oto_linear {
    int n_inputs, n_outputs;
    const oto_real *weight; /* [n_outputs, n_inputs] */
    const oto_real *bias;   /* [n_outputs] */
};

/**
 *     y = x W^T + b        (math.md, eq. 29, 31)
 *
 * @param y  [n_rows, n_outputs]
 * @param x  [n_rows, n_inputs]
 * Allocates: no. Fixed blocks of rows are the tasks of the pool.
 */
void oto_linear_forward(const struct oto_linear *layer, oto_real *y, const oto_real *x,
                        size_t n_rows, struct oto_pool *pool);

/**
 *     dW = dy^T x,   db = sum_n dy[n],   dx = dy W        (math.md, eq. 33)
 *
 * @param dweight  [n_outputs, n_inputs] overwritten
 * @param dbias    [n_outputs] overwritten, summed in double
 * @param dx       [n_rows, n_inputs] overwritten; NULL when not wanted
 */
void oto_linear_backward(const struct oto_linear *layer, oto_real *dweight, oto_real *dbias,
                         oto_real *dx, const oto_real *dy, const oto_real *x, size_t n_rows,
                         struct oto_pool *pool);

#endif
