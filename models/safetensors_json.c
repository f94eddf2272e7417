/* SPDX-License-Identifier: BSD-2-Clause */
/* The header of a safetensors file. */
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "models/safetensors.h"

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {{"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}}; /* as enum oto_dtype */

static oto_status read_dtype(struct oto_safetensor *t, json_t *value, const char *path,
                             oto_error *err)
{
    const char *text = json_string_value(json_object_get(value, "dtype"));
    for (size_t i = 0; text != NULL && i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strcmp(text, dtypes[i].name) == 0) {
            t->dtype = (enum oto_dtype)i;
            return OTO_OK;
        }
    }
    return oto_fail(err, text ? OTO_ERR_UNSUPPORTED : OTO_ERR_FORMAT,
                    "%s: tensor '%.60s': dtype is %.20s, expected F64, F32, F16 or BF16", path,
                    t->name, text ? text : "missing");
}

static oto_status read_shape(struct oto_safetensor *t, json_t *value, const char *path,
                             oto_error *err)
{
    json_t *shape = json_object_get(value, "shape");
    size_t n = json_array_size(shape);
    if (n < 1 || n > 2)
        return oto_fail(err, json_is_array(shape) ? OTO_ERR_UNSUPPORTED : OTO_ERR_FORMAT,
                        "%s: tensor '%.60s' has %zu dimensions, expected 1 or 2", path, t->name, n);
    t->n_dims = (int)n;
    t->shape[1] = 1;
    for (size_t i = 0; i < n; i++) {
        json_t *size = json_array_get(shape, i);
        json_int_t v = json_integer_value(size);
        if (!json_is_integer(size) || v < 1 || v > INT_MAX)
            return oto_fail(err, OTO_ERR_FORMAT,
                            "%s: tensor '%.60s': size %zu of its shape is not from 1 to %d", path,
                            t->name, i, INT_MAX);
        t->shape[i] = (int)v;
    }
    return OTO_OK;
}

static oto_status read_offsets(struct oto_safetensor *t, size_t data_size, json_t *value,
                               const char *path, oto_error *err)
{
    json_t *offsets = json_object_get(value, "data_offsets");
    json_t *first = json_array_get(offsets, 0), *second = json_array_get(offsets, 1);
    json_int_t from = json_integer_value(first), to = json_integer_value(second);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(second) ||
        from < 0 || to < from || (uint64_t)to > data_size)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: tensor '%.60s': data_offsets are not two numbers within the %zu bytes "
                        "of data; the file may be cut short",
                        path, t->name, data_size);
    size_t n, bytes;
    if (!oto_mul_size((size_t)t->shape[0], (size_t)t->shape[1], &n) ||
        !oto_mul_size(n, dtypes[t->dtype].size, &bytes) || bytes != (size_t)(to - from))
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: tensor '%.60s': %lld bytes of data do not hold %d x %d numbers of %s",
                        path, t->name, (long long)(to - from), t->shape[0], t->shape[1],
                        dtypes[t->dtype].name);
    t->begin = (size_t)from;
    return OTO_OK;
}

static oto_status read_tensor(struct oto_safetensors *s, const char *name, json_t *value,
                              const char *path, oto_error *err)
{
    struct oto_safetensor *t = &s->tensors[s->n];
    t->name = oto_strdup(name);
    if (t->name == NULL)
        return oto_fail_memory(err, "tensors");
    s->n++;
    oto_status status = read_dtype(t, value, path, err);
    if (status == OTO_OK)
        status = read_shape(t, value, path, err);
    if (status == OTO_OK)
        status = read_offsets(t, s->data_size, value, path, err);
    return status;
}

static oto_status read_tensors(struct oto_safetensors *s, json_t *root, const char *path,
                               oto_error *err)
{
    const char *name;
    json_t *value;
    if (!json_is_object(root))
        return oto_fail(err, OTO_ERR_FORMAT, "%s: the header is not a JSON object", path);
    s->tensors = oto_calloc(json_object_size(root) + 1, sizeof *s->tensors);
    if (s->tensors == NULL)
        return oto_fail_memory(err, "tensors");
    json_object_foreach(root, name, value)
    { /* in the order of the text */
        if (strcmp(name, "__metadata__") == 0)
            continue;
        oto_status status = read_tensor(s, name, value, path, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

oto_status oto_safetensors_read_header(struct oto_safetensors *s, const char *text, size_t size,
                                       const char *path, oto_error *err)
{
    json_error_t where;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: header, byte %d: %.100s", path,
                        where.position + 8, where.text);
    oto_status status = read_tensors(s, root, path, err);
    json_decref(root);
    return status;
}
