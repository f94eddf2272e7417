/* SPDX-License-Identifier: BSD-2-Clause */
/* The section of 8-bit weights: for each matrix of an LSTM layer its scales and then its codes, all
 * other tensors as floats. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "acoustic/quant.h"
#include "base/mem.h"
#include "models/bundle_format.h"

/* ---- writing ----------------------------------------------------------------------------- */

static oto_status write_values(const struct oto_bundle *b, struct oto_writer *w,
                               const struct oto_tensor *t, const float *values, oto_error *err)
{
    const bool half = oto_bundle_tensor_type(OTO_WEIGHT_I8, t) == OTO_WEIGHT_F16;
    for (size_t i = 0; i < (size_t)t->n_rows * (size_t)t->n_cols; i++) {
        if (!half)
            oto_write_f32(w, values[i]);
        else if (!oto_bundle_write_half(w, values[i]))
            return oto_bundle_fail_weight(b, t->offset + i, "", OTO_ERR_DATA,
                                          "too large for half precision (65504): keep float32",
                                          err);
    }
    return OTO_OK;
}

static oto_status write_all(const struct oto_bundle *b, struct oto_writer *w,
                            const struct oto_tensor_data *tensors, oto_error *err)
{
    for (int k = 0; k < oto_network_n_tensors(&b->shape); k++) {
        struct oto_tensor t;
        oto_network_tensor(&b->shape, k, &t);
        if (!oto_tensor_is_quantized(&t)) {
            oto_status status = write_values(b, w, &t, tensors[k].values, err);
            if (status != OTO_OK)
                return status;
            continue;
        }
        for (int r = 0; r < t.n_rows; r++)
            oto_write_f32(w, tensors[k].scales[r]);
        oto_write_bytes(w, tensors[k].codes, (size_t)t.n_rows * (size_t)t.n_cols);
    }
    return OTO_OK;
}

oto_status oto_bundle_write_int8(const struct oto_bundle *b, struct oto_writer *w, oto_error *err)
{
    if (b->weights == NULL)
        return write_all(b, w, b->tensors, err);
    for (size_t i = 0; i < oto_network_n_parameters(&b->shape); i++) {
        if (!isfinite(b->weights[i]))
            return oto_bundle_fail_weight(b, i, "", OTO_ERR_DATA, "not a finite number", err);
    }
    struct oto_quantized *q = NULL;
    oto_status status = oto_quantized_create(&q, &b->shape, b->weights, err);
    if (status == OTO_OK)
        status = write_all(b, w, q->tensors, err);
    oto_quantized_destroy(q);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* What the section must hold, and how many floats its tensors have in memory. */
static void count(const struct oto_network_shape *shape, size_t *n_bytes, size_t *n_floats)
{
    *n_bytes = *n_floats = 0;
    for (int k = 0; k < oto_network_n_tensors(shape); k++) {
        struct oto_tensor t;
        oto_network_tensor(shape, k, &t);
        *n_bytes += oto_bundle_tensor_size(OTO_WEIGHT_I8, &t);
        *n_floats +=
            oto_tensor_is_quantized(&t) ? (size_t)t.n_rows : (size_t)t.n_rows * (size_t)t.n_cols;
    }
}

/* What a message names. */
struct place {
    const struct oto_bundle *bundle;
    char prefix[140];
};

static oto_status read_quantized(struct oto_tensor_data *data, float *scales,
                                 const struct oto_tensor *t, struct oto_reader *r,
                                 const struct place *place, oto_error *err)
{
    const size_t n_rows = (size_t)t->n_rows, n_cols = (size_t)t->n_cols;
    for (size_t i = 0; i < n_rows; i++) {
        scales[i] = oto_read_f32(r);
        if (!(isfinite(scales[i]) && scales[i] >= 0))
            return oto_bundle_fail_weight(
                place->bundle, t->offset + i * n_cols, place->prefix, OTO_ERR_FORMAT,
                "the scale of its row is not a finite number from 0 on", err);
    }
    data->scales = scales;
    data->codes = oto_read_bytes(r, n_rows * n_cols);
    for (size_t i = 0; i < n_rows * n_cols; i++) {
        if (data->codes[i] == -128)
            return oto_bundle_fail_weight(place->bundle, t->offset + i, place->prefix,
                                          OTO_ERR_FORMAT, "-128, expected -127 to 127", err);
    }
    return OTO_OK;
}

static oto_status read_values(struct oto_tensor_data *data, float *values,
                              const struct oto_tensor *t, struct oto_reader *r,
                              const struct place *place, oto_error *err)
{
    const bool half = oto_bundle_tensor_type(OTO_WEIGHT_I8, t) == OTO_WEIGHT_F16;
    data->values = values;
    for (size_t i = 0; i < (size_t)t->n_rows * (size_t)t->n_cols; i++) {
        values[i] = half ? oto_half_to_float(oto_read_u16(r)) : oto_read_f32(r);
        if (!isfinite(values[i]))
            return oto_bundle_fail_weight(place->bundle, t->offset + i, place->prefix,
                                          OTO_ERR_FORMAT, "not a finite number", err);
    }
    return OTO_OK;
}

oto_status oto_bundle_read_int8(struct oto_bundle *b, const struct oto_container *c, oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, OTO_SECTION_INT8, err);
    if (s == NULL)
        return OTO_ERR_FORMAT;
    const int n = oto_network_n_tensors(&b->shape);
    size_t n_bytes, n_floats;
    count(&b->shape, &n_bytes, &n_floats);
    if (s->size != n_bytes)
        return oto_bundle_fail_size(c, s, n_bytes, err);
    b->owned_tensors = oto_calloc((size_t)n, sizeof *b->owned_tensors);
    b->owned_weights = oto_calloc(n_floats, sizeof *b->owned_weights);
    if (b->owned_tensors == NULL || b->owned_weights == NULL)
        return oto_fail_memory(err, "weights");

    struct place place = {.bundle = b};
    snprintf(place.prefix, sizeof place.prefix, "%s: section '%s': ", c->name, s->name);
    struct oto_reader r;
    oto_reader_init(&r, c->data + s->offset, s->size);
    float *floats = b->owned_weights;
    for (int k = 0; k < n; k++) {
        struct oto_tensor t;
        oto_network_tensor(&b->shape, k, &t);
        const bool quantized = oto_tensor_is_quantized(&t);
        oto_status status = (quantized ? read_quantized : read_values)(&b->owned_tensors[k], floats,
                                                                       &t, &r, &place, err);
        if (status != OTO_OK)
            return status;
        floats += quantized ? (size_t)t.n_rows : (size_t)t.n_rows * (size_t)t.n_cols;
    }
    b->tensors = b->owned_tensors;
    return OTO_OK;
}

oto_status oto_bundle_dequantize(struct oto_bundle *b, oto_error *err)
{
    if (b->weights != NULL)
        return OTO_OK;
    b->dequantized = oto_calloc(oto_network_n_parameters(&b->shape), sizeof *b->dequantized);
    if (b->dequantized == NULL)
        return oto_fail_memory(err, "weights");
    for (int k = 0; k < oto_network_n_tensors(&b->shape); k++) {
        struct oto_tensor t;
        oto_network_tensor(&b->shape, k, &t);
        const struct oto_tensor_data *data = &b->tensors[k];
        const size_t n_cols = (size_t)t.n_cols, n = (size_t)t.n_rows * n_cols;
        float *to = b->dequantized + t.offset;
        if (oto_tensor_is_quantized(&t)) {
            for (size_t i = 0; i < n; i++)
                to[i] = data->scales[i / n_cols] * data->codes[i];
        } else {
            memcpy(to, data->values, n * sizeof *to);
        }
    }
    b->weights = b->dequantized;
    return OTO_OK;
}
