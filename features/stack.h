/* SPDX-License-Identifier: BSD-2-Clause */
/** Joins neighbouring vectors into longer ones at a lower rate. */
#ifndef OTO_FEATURES_STACK_H
#define OTO_FEATURES_STACK_H

#include <stddef.h>

/** ceil(n / stride). */
size_t oto_stack_n_frames(size_t n, int stride);

/**
 *     out[j, s*width + k] = in[min(j*stride + s, n-1), k],   0 <= s < stack   (eq. 23)
 *
 * @param out  [oto_stack_n_frames(n, stride), stack*width]; must not overlap in
 * @param in   [n, width]
 * Errors: none.   Allocates: no.
 */
void oto_stack_apply(float *out, const float *in, size_t n, int width, int stack, int stride);

#endif
