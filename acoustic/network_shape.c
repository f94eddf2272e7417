/* SPDX-License-Identifier: BSD-2-Clause */
/* The network's sizes and the flat array of its parameters. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "acoustic/network.h"
#include "acoustic/network_internal.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"

enum { WIDTH_MAX = 4096, INPUTS_MAX = 65536, OUTPUTS_MAX = 65536 };
enum { LSTM_TENSORS = 6, PROJ_TENSORS = 2, OUTPUT_TENSORS = 2 };

static oto_status check_field(const char *name, int value, int min, int max, oto_error *err)
{
    if (value >= min && value <= max)
        return OTO_OK;
    return oto_fail(err, OTO_ERR_ARGUMENT, "network shape: %s is %d, expected %d to %d", name,
                    value, min, max);
}

/* The highest layer of a set, from 1. */
static int highest(unsigned layers)
{
    int n = 0;
    for (; layers != 0; layers >>= 1)
        n++;
    return n;
}

static oto_status check_reductions(const struct oto_network_shape *shape, oto_error *err)
{
    if (shape->reduce_after >> (shape->n_layers - 1) != 0)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "network shape: frames are paired after layer %d, expected layers below "
                        "the last of %d",
                        highest(shape->reduce_after), shape->n_layers);
    if (oto_network_level(shape, shape->n_layers) > OTO_NETWORK_REDUCTIONS_MAX)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "network shape: frames are paired after %d layers, expected %d at most",
                        oto_network_level(shape, shape->n_layers), OTO_NETWORK_REDUCTIONS_MAX);
    return OTO_OK;
}

oto_status oto_network_shape_check(const struct oto_network_shape *shape, oto_error *err)
{
    oto_status status = check_field("n_inputs", shape->n_inputs, 1, INPUTS_MAX, err);
    if (status == OTO_OK)
        status = check_field("n_layers", shape->n_layers, 1, OTO_NETWORK_LAYERS_MAX, err);
    if (status == OTO_OK)
        status = check_field("n_hidden", shape->n_hidden, 1, WIDTH_MAX, err);
    if (status == OTO_OK)
        status = check_field("n_proj", shape->n_proj, 0, WIDTH_MAX, err);
    if (status == OTO_OK)
        status = check_field("n_outputs", shape->n_outputs, 2, OUTPUTS_MAX, err);
    if (status == OTO_OK)
        status = check_reductions(shape, err);
    if (status != OTO_OK)
        return status;
    /*
     * The limits bound the number of parameters by 16*2*4H*(4H + H) + ... < 2^34, so that only an
     * address space of 32 bits can be too small; there every byte count must be checked before it
     * is trusted.
     */
    uint64_t h = (uint64_t)shape->n_hidden, widest = (uint64_t)shape->n_inputs;
    if (widest < 4 * h)
        widest = 4 * h;
    if (widest < 2 * (uint64_t)shape->n_proj)
        widest = 2 * (uint64_t)shape->n_proj;
    uint64_t bound = (uint64_t)shape->n_layers *
                         (8 * h * (widest + h + 1) + (uint64_t)shape->n_proj * (2 * h + 1)) +
                     (uint64_t)shape->n_outputs * (2 * h + 1);
    if (bound > SIZE_MAX / 2 / sizeof(oto_real))
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "network shape: about %llu parameters do not fit the address space",
                        (unsigned long long)bound);
    return OTO_OK;
}

static int tensors_of_layer(const struct oto_network_shape *shape, int layer)
{
    return LSTM_TENSORS + (oto_network_has_proj(shape, layer) ? PROJ_TENSORS : 0);
}

int oto_network_n_tensors(const struct oto_network_shape *shape)
{
    int n = OUTPUT_TENSORS;
    for (int l = 0; l < shape->n_layers; l++)
        n += tensors_of_layer(shape, l);
    return n;
}

static void set_tensor(struct oto_tensor *tensor, int n_rows, int n_cols, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void set_tensor(struct oto_tensor *tensor, int n_rows, int n_cols, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(tensor->name, sizeof tensor->name, format, args);
    va_end(args);
    tensor->n_rows = n_rows;
    tensor->n_cols = n_cols;
}

/* Name and sizes of tensor k of layer l. */
static void layer_tensor(const struct oto_network_shape *shape, int l, int k,
                         struct oto_tensor *tensor)
{
    int h = shape->n_hidden;
    int n_in = oto_network_layer_inputs(shape, l);
    const char *suffix = k >= 3 ? "_reverse" : "";
    if (k == LSTM_TENSORS)
        set_tensor(tensor, shape->n_proj, 2 * h, "proj.weight_l%d", l);
    else if (k == LSTM_TENSORS + 1)
        set_tensor(tensor, shape->n_proj, 1, "proj.bias_l%d", l);
    else if (k % 3 == 0)
        set_tensor(tensor, 4 * h, n_in, "lstm.weight_ih_l%d%s", l, suffix);
    else if (k % 3 == 1)
        set_tensor(tensor, 4 * h, h, "lstm.weight_hh_l%d%s", l, suffix);
    else
        set_tensor(tensor, 4 * h, 1, "lstm.bias_l%d%s", l, suffix);
}

void oto_network_tensor(const struct oto_network_shape *shape, int index, struct oto_tensor *tensor)
{
    size_t offset = 0;
    int i = 0;
    for (int l = 0; l < shape->n_layers; l++) {
        for (int k = 0; k < tensors_of_layer(shape, l); k++, i++) {
            layer_tensor(shape, l, k, tensor);
            tensor->offset = offset;
            if (i == index)
                return;
            offset += (size_t)tensor->n_rows * (size_t)tensor->n_cols;
        }
    }
    set_tensor(tensor, shape->n_outputs, 2 * shape->n_hidden, "output.weight");
    tensor->offset = offset;
    if (i == index)
        return;
    offset += (size_t)tensor->n_rows * (size_t)tensor->n_cols;
    set_tensor(tensor, shape->n_outputs, 1, "output.bias");
    tensor->offset = offset;
}

int oto_network_reduction(const struct oto_network_shape *shape, int l)
{
    return 1 << oto_network_level(shape, l);
}

size_t oto_network_n_frames(const struct oto_network_shape *shape, size_t n_frames)
{
    size_t factor = (size_t)oto_network_reduction(shape, shape->n_layers - 1);
    return n_frames / factor + (n_frames % factor != 0);
}

size_t oto_network_n_parameters(const struct oto_network_shape *shape)
{
    struct oto_tensor last;
    oto_network_tensor(shape, oto_network_n_tensors(shape) - 1, &last);
    return last.offset + (size_t)last.n_rows * (size_t)last.n_cols;
}

void oto_network_layer_offsets(const struct oto_network_shape *shape, int l,
                               struct oto_layer_offsets *offsets)
{
    struct oto_tensor tensor;
    int first = 0;
    for (int k = 0; k < l; k++)
        first += tensors_of_layer(shape, k);
    size_t *const of_direction[3] = {offsets->w, offsets->r, offsets->bias};
    for (int k = 0; k < LSTM_TENSORS; k++) {
        oto_network_tensor(shape, first + k, &tensor);
        of_direction[k % 3][k / 3] = tensor.offset;
    }
    if (oto_network_has_proj(shape, l)) {
        oto_network_tensor(shape, first + LSTM_TENSORS, &tensor);
        offsets->proj_weight = tensor.offset;
        oto_network_tensor(shape, first + LSTM_TENSORS + 1, &tensor);
        offsets->proj_bias = tensor.offset;
    }
}

void oto_network_output_offsets(const struct oto_network_shape *shape, size_t *weight, size_t *bias)
{
    struct oto_tensor tensor;
    int n = oto_network_n_tensors(shape);
    oto_network_tensor(shape, n - 2, &tensor);
    *weight = tensor.offset;
    oto_network_tensor(shape, n - 1, &tensor);
    *bias = tensor.offset;
}

static void init_tensor(const struct oto_network_shape *shape, const struct oto_tensor *tensor,
                        oto_real *params, uint64_t seed)
{
    oto_real *p = params + tensor->offset;
    size_t n = (size_t)tensor->n_rows * (size_t)tensor->n_cols;
    size_t n_hidden = (size_t)shape->n_hidden;
    if (strstr(tensor->name, "bias") != NULL) {
        memset(p, 0, n * sizeof *p);
        if (strncmp(tensor->name, "lstm.", 5) == 0)
            for (size_t j = n_hidden; j < 2 * n_hidden; j++)
                p[j] = 1; /* forget gates start open (Gers et al. 2000) */
        return;
    }
    /* Fan-out of input weights is H: each gate is its own function of the input. */
    double bound = sqrt(6.0 / ((double)tensor->n_rows + tensor->n_cols));
    if (strstr(tensor->name, "weight_hh") != NULL)
        bound = 1 / sqrt(shape->n_hidden);
    else if (strstr(tensor->name, "weight_ih") != NULL)
        bound = sqrt(6.0 / ((double)shape->n_hidden + tensor->n_cols));
    uint64_t stream = oto_rng_stream(tensor->name);
    for (size_t j = 0; j < n; j++)
        p[j] = (oto_real)(bound * (2 * oto_rng_uniform(seed, stream, j) - 1));
}

void oto_network_init_parameters(const struct oto_network_shape *shape, oto_real *params,
                                 uint64_t seed)
{
    int n = oto_network_n_tensors(shape);
    for (int i = 0; i < n; i++) {
        struct oto_tensor tensor;
        oto_network_tensor(shape, i, &tensor);
        init_tensor(shape, &tensor, params, seed);
    }
}
