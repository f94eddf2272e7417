/* SPDX-License-Identifier: BSD-2-Clause */
/* The binary sections of a model file: CMVN statistics, tensor index, weights. */
#include "models/bundle_format.h"

#include <math.h>
#include <string.h>

#include "acoustic/quant.h"
#include "base/mem.h"

/* In an 8-bit file: LSTM matrices as bytes, those of dense layers in half precision, biases in
 * single. */
enum oto_weight_type oto_bundle_tensor_type(enum oto_weight_type type,
                                            const struct oto_tensor *tensor)
{
    if (type != OTO_WEIGHT_I8)
        return type;
    if (oto_tensor_is_quantized(tensor))
        return OTO_WEIGHT_I8;
    return tensor->n_cols == 1 ? OTO_WEIGHT_F32 : OTO_WEIGHT_F16;
}

size_t oto_bundle_tensor_size(enum oto_weight_type type, const struct oto_tensor *tensor)
{
    const size_t n_rows = (size_t)tensor->n_rows, n = n_rows * (size_t)tensor->n_cols;
    switch (oto_bundle_tensor_type(type, tensor)) {
    case OTO_WEIGHT_I8:
        return 4 * n_rows + n;
    case OTO_WEIGHT_F16:
        return 2 * n;
    default:
        return 4 * n;
    }
}

/* ---- writing ----------------------------------------------------------------------------- */

void oto_bundle_write_cmvn(const struct oto_bundle *b, struct oto_writer *w)
{
    int dim = b->cmvn.count > 0 ? b->cmvn.dim : 0;
    oto_write_f64(w, dim > 0 ? b->cmvn.count : 0);
    oto_write_u32(w, (uint32_t)dim);
    oto_write_u32(w, 0);
    for (int i = 0; i < dim; i++)
        oto_write_f64(w, b->cmvn.sum[i]);
    for (int i = 0; i < dim; i++)
        oto_write_f64(w, b->cmvn.sum_squares[i]);
}

void oto_bundle_write_tensors(const struct oto_bundle *b, struct oto_writer *w)
{
    int n = oto_network_n_tensors(&b->shape);
    oto_write_u32(w, (uint32_t)n);
    oto_write_u32(w, 0);
    uint64_t offset = 0;
    for (int k = 0; k < n; k++) {
        struct oto_tensor t;
        char name[sizeof t.name] = {0}; /* zeros after the name, whatever t holds there */
        oto_network_tensor(&b->shape, k, &t);
        memcpy(name, t.name, strnlen(t.name, sizeof name - 1));
        oto_write_bytes(w, name, sizeof name);
        oto_write_u32(w, (uint32_t)t.n_rows);
        oto_write_u32(w, (uint32_t)t.n_cols);
        oto_write_u32(w, (uint32_t)oto_bundle_tensor_type(b->weight_type, &t));
        oto_write_u32(w, 0);
        oto_write_u64(w, offset);
        offset += oto_bundle_tensor_size(b->weight_type, &t);
    }
}

oto_status oto_bundle_fail_weight(const struct oto_bundle *b, size_t i, const char *prefix,
                                  oto_status status, const char *what, oto_error *err)
{
    int n = oto_network_n_tensors(&b->shape);
    struct oto_tensor t = {.name = "?"}, next;
    for (int k = 0; k < n; k++) {
        oto_network_tensor(&b->shape, k, &next);
        if (next.offset <= i)
            t = next;
    }
    return oto_fail(err, status, "%stensor '%s': element %zu: %s", prefix, t.name, i - t.offset,
                    what);
}

bool oto_bundle_write_half(struct oto_writer *w, float x)
{
    const uint16_t h = oto_float_to_half(x);
    oto_write_u16(w, h);
    return (h & 0x7C00u) != 0x7C00u;
}

oto_status oto_bundle_write_weights(const struct oto_bundle *b, struct oto_writer *w,
                                    oto_error *err)
{
    size_t n = oto_network_n_parameters(&b->shape);
    for (size_t i = 0; i < n; i++) {
        float x = b->weights[i];
        if (!isfinite(x))
            return oto_bundle_fail_weight(b, i, "", OTO_ERR_DATA, "not a finite number", err);
        if (b->weight_type == OTO_WEIGHT_F16) {
            if (!oto_bundle_write_half(w, x))
                return oto_bundle_fail_weight(b, i, "", OTO_ERR_DATA,
                                              "too large for half precision (65504): keep float32",
                                              err);
        } else {
            oto_write_f32(w, x);
        }
    }
    return OTO_OK;
}

/* ---- reading ----------------------------------------------------------------------------- */

oto_status oto_bundle_fail_size(const struct oto_container *c, const struct oto_section *s,
                                size_t expected, oto_error *err)
{
    return oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': offset %zu: %zu bytes, expected %zu",
                    c->name, s->name, s->offset, s->size, expected);
}

static bool read_moments(double *sums, int dim, bool positive, struct oto_reader *r)
{
    bool ok = true;
    for (int i = 0; i < dim; i++) {
        sums[i] = oto_read_f64(r);
        ok = ok && isfinite(sums[i]) && (!positive || sums[i] >= 0);
    }
    return ok;
}

oto_status oto_bundle_read_cmvn(struct oto_bundle *b, const struct oto_container *c, oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "cmvn", err);
    if (s == NULL)
        return OTO_ERR_FORMAT;
    struct oto_reader r;
    oto_reader_init(&r, c->data + s->offset, s->size);
    double count = oto_read_f64(&r);
    uint32_t dim = oto_read_u32(&r);
    uint32_t reserved = oto_read_u32(&r);
    if (r.failed)
        return oto_bundle_fail_size(c, s, 16, err);
    if (reserved != 0)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'cmvn': offset %zu: reserved bytes are not zero", c->name,
                        s->offset + 12);
    if (!isfinite(count) || count < 0 || (count > 0) != (dim > 0))
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'cmvn': offset %zu: %g frames of %u values, expected both "
                        "positive or both zero",
                        c->name, s->offset, count, dim);
    if ((s->size - 16) / 16 != dim || (s->size - 16) % 16 != 0)
        return oto_bundle_fail_size(c, s, 16 + 16 * (size_t)dim, err);
    if (dim == 0)
        return OTO_OK;
    oto_status status = oto_cmvn_stats_init(&b->cmvn, (int)dim, err);
    if (status != OTO_OK)
        return status;
    b->cmvn.count = count;
    if (!read_moments(b->cmvn.sum, b->cmvn.dim, false, &r) ||
        !read_moments(b->cmvn.sum_squares, b->cmvn.dim, true, &r))
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'cmvn': offset %zu: a sum is not finite, or one of squares is"
                        " negative",
                        c->name, s->offset + 16);
    return OTO_OK;
}

/* One entry against what the shape asks for: no freedom is left, so nothing can overlap or point
 * outside. */
static oto_status check_tensor(const struct oto_bundle *b, int k, size_t *next,
                               const struct oto_container *c, const struct oto_section *s,
                               struct oto_reader *r, oto_error *err)
{
    struct oto_tensor t;
    oto_network_tensor(&b->shape, k, &t);
    size_t at = s->offset + r->offset;
    const char *name = oto_read_bytes(r, sizeof t.name);
    uint32_t rows = oto_read_u32(r), cols = oto_read_u32(r), own_type = oto_read_u32(r);
    uint32_t reserved = oto_read_u32(r);
    uint64_t offset = oto_read_u64(r);
    char expected[sizeof t.name] = {0};
    memcpy(expected, t.name, strnlen(t.name, sizeof expected - 1));
    if (memcmp(name, expected, sizeof expected) != 0)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'tensors': offset %zu: name '%.47s', expected '%s'", c->name,
                        at, name, expected);
    if (rows != (uint32_t)t.n_rows || cols != (uint32_t)t.n_cols)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'tensors': offset %zu: '%s' is %u x %u, expected %d x %d",
                        c->name, at, expected, rows, cols, t.n_rows, t.n_cols);
    const unsigned type = (unsigned)oto_bundle_tensor_type(b->weight_type, &t);
    if (own_type != type || reserved != 0)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'tensors': offset %zu: '%s' has type %u %u, expected %u 0 "
                        "after the first",
                        c->name, at + 56, expected, own_type, reserved, type);
    if (offset != *next)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'tensors': offset %zu: '%s' starts at %llu, expected %zu",
                        c->name, at + 64, expected, (unsigned long long)offset, *next);
    *next += oto_bundle_tensor_size(b->weight_type, &t);
    return OTO_OK;
}

oto_status oto_bundle_read_tensors(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "tensors", err);
    if (s == NULL)
        return OTO_ERR_FORMAT;
    uint32_t n = (uint32_t)oto_network_n_tensors(&b->shape);
    struct oto_reader r;
    oto_reader_init(&r, c->data + s->offset, s->size);
    uint32_t found = oto_read_u32(&r);
    uint32_t reserved = oto_read_u32(&r);
    if (s->size != 8 + (size_t)n * OTO_BUNDLE_TENSOR_ENTRY)
        return oto_bundle_fail_size(c, s, 8 + (size_t)n * OTO_BUNDLE_TENSOR_ENTRY, err);
    if (found != n || reserved != 0)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'tensors': offset %zu: %u %u, expected %u tensors and 0",
                        c->name, s->offset, found, reserved, n);
    struct oto_reader first;
    oto_reader_init(&first, c->data + s->offset + 8 + 56, 4);
    uint32_t type = oto_read_u32(&first);
    if (type != OTO_WEIGHT_F32 && type != OTO_WEIGHT_F16 && type != OTO_WEIGHT_I8)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'tensors': offset %zu: unknown type %u, expected 0 (float32), "
                        "1 (float16) or 2 (8-bit rows)",
                        c->name, s->offset + 8 + 56, type);
    b->weight_type = (enum oto_weight_type)type;
    size_t next = 0;
    for (uint32_t k = 0; k < n; k++) {
        oto_status status = check_tensor(b, (int)k, &next, c, s, &r, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

/* True where a float in memory is what stands in the file. */
static bool is_little_endian(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one == 1;
}

oto_status oto_bundle_read_weights(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "weights", err);
    if (s == NULL)
        return OTO_ERR_FORMAT;
    size_t n = oto_network_n_parameters(&b->shape);
    const size_t size = b->weight_type == OTO_WEIGHT_F16 ? 2 : 4;
    if (n > SIZE_MAX / 4 || s->size != n * size)
        return oto_bundle_fail_size(c, s, n * size, err);
    const unsigned char *data = c->data + s->offset;
    if (b->weight_type == OTO_WEIGHT_F32 && is_little_endian() &&
        (uintptr_t)data % OTO_ALIGN == 0) {
        b->weights = (const float *)(const void *)data;
    } else {
        b->owned_weights = oto_calloc(n, sizeof(float));
        if (b->owned_weights == NULL)
            return oto_fail_memory(err, "weights");
        struct oto_reader r;
        oto_reader_init(&r, data, s->size);
        if (b->weight_type == OTO_WEIGHT_F16)
            oto_read_halves(&r, b->owned_weights, n);
        for (size_t i = 0; i < n && b->weight_type != OTO_WEIGHT_F16; i++)
            b->owned_weights[i] = oto_read_f32(&r);
        b->weights = b->owned_weights;
    }
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(b->weights[i])) {
            char prefix[sizeof c->name + 24];
            snprintf(prefix, sizeof prefix, "%s: section 'weights': ", c->name);
            return oto_bundle_fail_weight(b, i, prefix, OTO_ERR_FORMAT, "not a finite number", err);
        }
    }
    return OTO_OK;
}
