/* SPDX-License-Identifier: BSD-2-Clause */
/** Symmetric 8-bit weights: a scale for each row (math.md, eq. 39a). */
#ifndef OTO_ACOUSTIC_QUANT_H
#define OTO_ACOUSTIC_QUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acoustic/network.h"
#include "base/status.h"

/**
 *     scale[r] = max_k |w[r,k]| / 127;   codes[r,k] = round(w[r,k] / scale[r]), -127 .. 127
 *
 * so that |w - scale * code| <= scale/2, but for the rounding of the scale to float. A row of zeros
 * has the scale 0. -128 is not used: the AVX2 kernel relies on it.
 *
 * @param codes   [n_rows, n_cols]
 * @param scales  [n_rows]
 * @param w       [n_rows, n_cols], finite
 */
void oto_quantize_rows(int8_t *codes, float *scales, const float *w, size_t n_rows, size_t n_cols);

/** Whether the tensor is one of those that a quantised network keeps as int8: the input and
 * recurrent matrices of its LSTM layers. */
bool oto_tensor_is_quantized(const struct oto_tensor *tensor);

/** All parameters of a network, its LSTM matrices quantised. */
struct oto_quantized {
    struct oto_tensor_data *tensors; /* [oto_network_n_tensors()] into the three arrays below */
    int8_t *codes;
    float *scales, *values;
};

/** @param params  [oto_network_n_parameters()] finite. Release with oto_quantized_destroy(). */
oto_status oto_quantized_create(struct oto_quantized **out, const struct oto_network_shape *shape,
                                const float *params, oto_error *err) OTO_WARN_UNUSED;
void oto_quantized_destroy(struct oto_quantized *q);

#endif
