/* SPDX-License-Identifier: BSD-2-Clause */
/** Time derivatives of feature vectors, as Kaldi's add-deltas makes them. */
#ifndef OTO_FEATURES_DELTA_H
#define OTO_FEATURES_DELTA_H

#include <stddef.h>

#include "base/status.h"

#define OTO_DELTA_MAX_ORDER 2

/** Taps of every order: order i reaches i*window frames to each side. */
struct oto_delta {
    int order, window;
    double *taps[OTO_DELTA_MAX_ORDER + 1]; /* taps[i] [2*i*window + 1], taps[0] = {1} */
};

/** order 0..2, window >= 1. Errors: OTO_ERR_MEMORY. On failure clear it all the same. */
oto_status oto_delta_init(struct oto_delta *delta, int order, int window,
                          oto_error *err) OTO_WARN_UNUSED;
void oto_delta_clear(struct oto_delta *delta);

/**
 * Appends derivatives to each vector.
 *
 *     out[t, i*D + d] = sum_j taps_i[j] in[clamp(t + j, 0, T-1), d]   (eq. 22)
 *
 * @param out  [n, dim*(order + 1)]; must not overlap in
 * @param in   [n, dim]
 * Errors: none.   Allocates: no.   Sums in double.
 */
void oto_delta_apply(const struct oto_delta *delta, float *out, const float *in, size_t n, int dim);

#endif
