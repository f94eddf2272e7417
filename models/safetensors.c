/* SPDX-License-Identifier: BSD-2-Clause */
#include "models/safetensors.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/mem.h"

enum { MAX_HEADER = 100000000, MAX_NAME = 160 }; /* the format's own limit for the header */

/* ---- reading ----------------------------------------------------------------------------- */

static size_t size_of(enum oto_dtype dtype)
{
    return dtype == OTO_DTYPE_F64 ? 8 : dtype == OTO_DTYPE_F32 ? 4 : 2;
}

static size_t count_of(const struct oto_safetensor *t)
{
    return (size_t)t->shape[0] * (size_t)t->shape[1];
}

static int by_offset(const void *a, const void *b)
{
    size_t x = ((const struct oto_safetensor *)a)->begin;
    size_t y = ((const struct oto_safetensor *)b)->begin;
    return (x > y) - (x < y);
}

/* The format wants the tensors one after the other, without holes and to the end. */
static oto_status check_layout(const struct oto_safetensors *s, const char *path, oto_error *err)
{
    size_t end = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct oto_safetensor *t = &s->tensors[i];
        if (t->begin != end)
            return oto_fail(err, OTO_ERR_FORMAT,
                            "%s: tensor '%.60s' begins at byte %zu of the data, expected %zu", path,
                            t->name, t->begin, end);
        end += count_of(t) * size_of(t->dtype);
    }
    if (end != s->data_size)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: the tensors take %zu bytes of data, the file holds %zu", path, end,
                        s->data_size);
    return OTO_OK;
}

static oto_status read_all(struct oto_safetensors *s, const void *data, size_t size,
                           const char *path, oto_error *err)
{
    struct oto_reader r;
    oto_reader_init(&r, data, size);
    uint64_t n = oto_read_u64(&r);
    if (r.failed || n > MAX_HEADER || n > size - 8)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: not a safetensors file, or cut short: its first 8 bytes announce a "
                        "header of %" PRIu64 " bytes in a file of %zu",
                        path, n, size);
    const char *text = oto_read_bytes(&r, (size_t)n);
    s->data = r.data + r.offset;
    s->data_size = size - r.offset;
    oto_status status = oto_safetensors_read_header(s, text, (size_t)n, path, err);
    if (status != OTO_OK)
        return status;
    qsort(s->tensors, s->n, sizeof *s->tensors, by_offset);
    return check_layout(s, path, err);
}

oto_status oto_safetensors_parse(struct oto_safetensors *s, const void *data, size_t size,
                                 const char *name, oto_error *err)
{
    *s = (struct oto_safetensors){0};
    oto_status status = read_all(s, data, size, name, err);
    if (status != OTO_OK)
        oto_safetensors_close(s);
    return status;
}

oto_status oto_safetensors_open(struct oto_safetensors *s, const char *path, oto_error *err)
{
    struct oto_map map = {0};
    *s = (struct oto_safetensors){0};
    oto_status status = oto_map_open(&map, path, err);
    if (status == OTO_OK)
        status = oto_safetensors_parse(s, map.data, map.size, path, err);
    if (status == OTO_OK)
        s->map = map;
    else
        oto_map_close(&map);
    return status;
}

void oto_safetensors_close(struct oto_safetensors *s)
{
    for (size_t i = 0; i < s->n; i++)
        oto_free(s->tensors[i].name);
    oto_free(s->tensors);
    oto_map_close(&s->map);
    *s = (struct oto_safetensors){0};
}

/* ---- a network from them ----------------------------------------------------------------- */

struct import {
    const struct oto_safetensors *s;
    const char *prefix, *path;
    bool *used; /* [s->n] */
};

static struct oto_safetensor *find(const struct import *in, const char *name)
{
    size_t n = strlen(in->prefix);
    for (size_t i = 0; i < in->s->n; i++) {
        struct oto_safetensor *t = &in->s->tensors[i];
        if (strncmp(t->name, in->prefix, n) == 0 && strcmp(t->name + n, name) == 0) {
            in->used[i] = true;
            return t;
        }
    }
    return NULL;
}

static float element(const struct oto_safetensors *s, const struct oto_safetensor *t, size_t i)
{
    struct oto_reader r;
    size_t size = size_of(t->dtype);
    oto_reader_init(&r, s->data + t->begin + i * size, size);
    if (t->dtype == OTO_DTYPE_F64)
        return (float)oto_read_f64(&r);
    if (t->dtype == OTO_DTYPE_F32)
        return oto_read_f32(&r);
    if (t->dtype == OTO_DTYPE_F16)
        return oto_half_to_float(oto_read_u16(&r));
    /* bfloat16 is the upper half of a float. */
    unsigned char bytes[4] = {0};
    memcpy(bytes + 2, oto_read_bytes(&r, 2), 2);
    oto_reader_init(&r, bytes, 4);
    return oto_read_f32(&r);
}

/* Adds t to params. */
static oto_status add(const struct import *in, float *params, const struct oto_tensor *want,
                      const struct oto_safetensor *t, oto_error *err)
{
    if (t->shape[0] != want->n_rows || t->shape[1] != want->n_cols)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "%s: tensor '%.60s' is %d x %d, expected %d x %d to go with the others",
                        in->path, t->name, t->shape[0], t->shape[1], want->n_rows, want->n_cols);
    size_t n = count_of(t);
    for (size_t i = 0; i < n; i++) {
        params[want->offset + i] += element(in->s, t, i);
        if (!isfinite(params[want->offset + i]))
            return oto_fail(err, OTO_ERR_DATA,
                            "%s: tensor '%.60s': element %zu is not a finite single-precision "
                            "number",
                            in->path, t->name, i);
    }
    return OTO_OK;
}

/* PyTorch's names of a tensor of ours; the second is "" where there is one alone. */
static void their_names(char names[2][MAX_NAME], const struct oto_tensor *tensor)
{
    static const char bias[] = "lstm.bias_";
    names[1][0] = 0;
    snprintf(names[0], MAX_NAME, "%s", tensor->name);
    if (strncmp(tensor->name, bias, strlen(bias)) == 0) {
        snprintf(names[0], MAX_NAME, "%sih_%s", bias, tensor->name + strlen(bias));
        snprintf(names[1], MAX_NAME, "%shh_%s", bias, tensor->name + strlen(bias));
    }
}

static oto_status take(const struct import *in, float *params, const struct oto_tensor *want,
                       oto_error *err)
{
    char names[2][MAX_NAME];
    their_names(names, want);
    for (int k = 0; k < 2 && names[k][0] != 0; k++) {
        const struct oto_safetensor *t = find(in, names[k]);
        if (t == NULL)
            return oto_fail(err, OTO_ERR_CONFIG, "%s: no tensor '%s%s'", in->path, in->prefix,
                            names[k]);
        oto_status status = add(in, params, want, t, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

/* Layers whose input is two frames of what the layer below hands up. */
static void find_reductions(const struct import *in, struct oto_network_shape *shape)
{
    char name[MAX_NAME];
    int width = shape->n_proj > 0 ? shape->n_proj : 2 * shape->n_hidden;
    for (int l = 1; l < shape->n_layers && l <= 16; l++) {
        snprintf(name, sizeof name, "lstm.weight_ih_l%d", l);
        const struct oto_safetensor *t = find(in, name);
        if (t != NULL && t->shape[1] == 2 * width)
            shape->reduce_after |= 1U << (l - 1);
    }
}

static oto_status find_shape(const struct import *in, struct oto_network_shape *shape,
                             oto_error *err)
{
    static const char *const names[] = {"lstm.weight_ih_l0", "lstm.weight_hh_l0", "output.weight"};
    const struct oto_safetensor *t[3];
    for (int k = 0; k < 3; k++) {
        t[k] = find(in, names[k]);
        if (t[k] == NULL)
            return oto_fail(err, OTO_ERR_CONFIG,
                            "%s: no tensor '%s%s'; a state dict with nn.LSTM as 'lstm' and "
                            "nn.Linear as 'output' is expected",
                            in->path, in->prefix, names[k]);
    }
    const struct oto_safetensor *proj = find(in, "proj.weight_l0");
    char name[MAX_NAME];
    int n_layers = 1;
    for (; n_layers < 1000; n_layers++) {
        snprintf(name, sizeof name, "lstm.weight_ih_l%d", n_layers);
        if (find(in, name) == NULL)
            break;
    }
    *shape = (struct oto_network_shape){.n_inputs = t[0]->shape[1],
                                        .n_layers = n_layers,
                                        .n_hidden = t[1]->shape[1],
                                        .n_proj = proj != NULL ? proj->shape[0] : 0,
                                        .n_outputs = t[2]->shape[0]};
    if (shape->n_hidden <= INT_MAX / 4 && shape->n_proj <= INT_MAX / 2)
        find_reductions(in, shape);
    return oto_network_shape_check(shape, err);
}

/* Before memory is asked for: a small file may announce a large network. */
static oto_status check_count(const struct import *in, const struct oto_network_shape *shape,
                              oto_error *err)
{
    size_t have = 0, need = oto_network_n_parameters(shape);
    for (size_t i = 0; i < in->s->n; i++)
        have += count_of(&in->s->tensors[i]);
    if (have < need)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "%s: %zu numbers in all, but a network of %d layers of %d units with %d "
                        "inputs and %d outputs has %zu",
                        in->path, have, shape->n_layers, shape->n_hidden, shape->n_inputs,
                        shape->n_outputs, need);
    return OTO_OK;
}

static oto_status take_all(const struct import *in, const struct oto_network_shape *shape,
                           float *params, oto_error *err)
{
    int n = oto_network_n_tensors(shape);
    for (int k = 0; k < n; k++) {
        struct oto_tensor want;
        oto_network_tensor(shape, k, &want);
        oto_status status = take(in, params, &want, err);
        if (status != OTO_OK)
            return status;
    }
    for (size_t i = 0; i < in->s->n; i++)
        if (!in->used[i] && strncmp(in->s->tensors[i].name, in->prefix, strlen(in->prefix)) == 0)
            return oto_fail(err, OTO_ERR_CONFIG,
                            "%s: tensor '%.60s' is no part of a network of %d layers; see "
                            "--prefix",
                            in->path, in->s->tensors[i].name, shape->n_layers);
    return OTO_OK;
}

oto_status oto_safetensors_import(struct oto_network_shape *shape, float **params,
                                  const struct oto_safetensors *s, const char *prefix,
                                  const char *path, oto_error *err)
{
    struct import in = {s, prefix, path, oto_calloc(s->n + 1, sizeof(bool))};
    *params = NULL;
    if (in.used == NULL)
        return oto_fail_memory(err, "tensors");
    oto_status status = find_shape(&in, shape, err);
    if (status == OTO_OK)
        status = check_count(&in, shape, err);
    if (status == OTO_OK) {
        *params = oto_calloc(oto_network_n_parameters(shape), sizeof(float));
        status = *params != NULL ? take_all(&in, shape, *params, err)
                                 : oto_fail_memory(err, "parameters");
    }
    oto_free(in.used);
    if (status != OTO_OK) {
        oto_free(*params);
        *params = NULL;
    }
    return status;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void write_text(struct oto_writer *w, const char *text)
{
    oto_write_bytes(w, text, strlen(text));
}

/* One entry of the header; *offset moves on. */
static void write_entry(struct oto_writer *w, const char *name, const struct oto_tensor *t,
                        size_t *offset)
{
    char text[2 * MAX_NAME], shape[40];
    size_t end = *offset + sizeof(float) * (size_t)t->n_rows * (size_t)t->n_cols;
    if (strstr(name, "bias") != NULL)
        snprintf(shape, sizeof shape, "%d", t->n_rows);
    else
        snprintf(shape, sizeof shape, "%d,%d", t->n_rows, t->n_cols);
    snprintf(text, sizeof text,
             ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}", name, shape,
             *offset, end);
    write_text(w, text);
    *offset = end;
}

static void write_header(struct oto_writer *w, const struct oto_network_shape *shape)
{
    size_t offset = 0;
    int n = oto_network_n_tensors(shape);
    write_text(w, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (int k = 0; k < n; k++) {
        struct oto_tensor t;
        char names[2][MAX_NAME];
        oto_network_tensor(shape, k, &t);
        their_names(names, &t);
        write_entry(w, names[0], &t, &offset);
        if (names[1][0] != 0)
            write_entry(w, names[1], &t, &offset);
    }
    write_text(w, "}");
    while (w->size % 8 != 0 && !w->failed) /* the format's advice: data aligned to 8 */
        oto_write_u8(w, ' ');
}

oto_status oto_safetensors_export(const struct oto_network_shape *shape, const float *params,
                                  const char *path, oto_error *err)
{
    struct oto_writer header = {0}, w = {0};
    write_header(&header, shape);
    oto_write_u64(&w, header.size);
    oto_write_bytes(&w, header.data, header.size);
    int n_tensors = oto_network_n_tensors(shape);
    for (int k = 0; k < n_tensors; k++) {
        struct oto_tensor t;
        char names[2][MAX_NAME];
        oto_network_tensor(shape, k, &t);
        their_names(names, &t);
        size_t n = (size_t)t.n_rows * (size_t)t.n_cols;
        for (size_t i = 0; i < n; i++)
            oto_write_f32(&w, params[t.offset + i]);
        for (size_t i = 0; names[1][0] != 0 && i < n; i++)
            oto_write_f32(&w, 0);
    }
    oto_status status = header.failed || w.failed ? oto_fail_memory(err, "weights")
                                                  : oto_atomic_save(path, w.data, w.size, err);
    oto_writer_clear(&header);
    oto_writer_clear(&w);
    return status;
}
