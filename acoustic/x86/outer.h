/* SPDX-License-Identifier: BSD-2-Clause */
/** dsp->add_outer, the tiles of gradients of weights; each in a file of its own. */
#ifndef OTO_ACOUSTIC_X86_OUTER_H
#define OTO_ACOUSTIC_X86_OUTER_H

#include <stddef.h>

void oto_add_outer_avx2(float *c, size_t c_stride, const float *a, const float *b, size_t n_k,
                        size_t n_rows, size_t n_cols);
void oto_add_outer_avx512(float *c, size_t c_stride, const float *a, const float *b, size_t n_k,
                          size_t n_rows, size_t n_cols);

#endif
