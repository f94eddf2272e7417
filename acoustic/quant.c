/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/quant.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

void oto_quantize_rows(int8_t *codes, float *scales, const float *w, size_t n_rows, size_t n_cols)
{
    for (size_t r = 0; r < n_rows; r++, w += n_cols, codes += n_cols) {
        float most = 0;
        for (size_t k = 0; k < n_cols; k++)
            most = fabsf(w[k]) > most ? fabsf(w[k]) : most;
        scales[r] = most / 127;
        const double inverse = most > 0 ? 127 / (double)most : 0;
        for (size_t k = 0; k < n_cols; k++)
            codes[k] = (int8_t)rint((double)w[k] * inverse);
    }
}

bool oto_tensor_is_quantized(const struct oto_tensor *tensor)
{
    return strncmp(tensor->name, "lstm.weight_", 12) == 0;
}

/* Sizes of the three arrays. */
static void count(const struct oto_network_shape *shape, size_t *n_codes, size_t *n_scales,
                  size_t *n_values)
{
    *n_codes = *n_scales = *n_values = 0;
    for (int k = 0; k < oto_network_n_tensors(shape); k++) {
        struct oto_tensor t;
        oto_network_tensor(shape, k, &t);
        const size_t n = (size_t)t.n_rows * (size_t)t.n_cols;
        if (oto_tensor_is_quantized(&t)) {
            *n_codes += n;
            *n_scales += (size_t)t.n_rows;
        } else {
            *n_values += n;
        }
    }
}

oto_status oto_quantized_create(struct oto_quantized **out, const struct oto_network_shape *shape,
                                const float *params, oto_error *err)
{
    size_t n_codes, n_scales, n_values;
    count(shape, &n_codes, &n_scales, &n_values);
    *out = NULL;
    struct oto_quantized *q = oto_calloc(1, sizeof *q);
    if (q != NULL) {
        q->tensors = oto_calloc((size_t)oto_network_n_tensors(shape), sizeof *q->tensors);
        q->codes = oto_calloc(n_codes, sizeof *q->codes);
        q->scales = oto_calloc(n_scales, sizeof *q->scales);
        q->values = oto_calloc(n_values, sizeof *q->values);
    }
    if (q == NULL || q->tensors == NULL || q->codes == NULL || q->scales == NULL ||
        q->values == NULL) {
        oto_quantized_destroy(q);
        return oto_fail_memory(err, "quantised weights");
    }
    int8_t *codes = q->codes;
    float *scales = q->scales, *values = q->values;
    for (int k = 0; k < oto_network_n_tensors(shape); k++) {
        struct oto_tensor t;
        oto_network_tensor(shape, k, &t);
        const size_t n_rows = (size_t)t.n_rows, n = n_rows * (size_t)t.n_cols;
        if (oto_tensor_is_quantized(&t)) {
            oto_quantize_rows(codes, scales, params + t.offset, n_rows, (size_t)t.n_cols);
            q->tensors[k] = (struct oto_tensor_data){.codes = codes, .scales = scales};
            codes += n;
            scales += n_rows;
        } else {
            memcpy(values, params + t.offset, n * sizeof *values);
            q->tensors[k] = (struct oto_tensor_data){.values = values};
            values += n;
        }
    }
    *out = q;
    return OTO_OK;
}

void oto_quantized_destroy(struct oto_quantized *q)
{
    if (q == NULL)
        return;
    oto_free(q->values);
    oto_free(q->scales);
    oto_free(q->codes);
    oto_free(q->tensors);
    oto_free(q);
}
