/* SPDX-License-Identifier: BSD-2-Clause */
#include "models/average.h"

#include <string.h>

#include "base/mem.h"
#include "features/frontend_options.h"

/* Dither is as good as none. */
static oto_status compare_frontends(const struct oto_frontend_options *first,
                                    const struct oto_frontend_options *other, const char *name,
                                    oto_error *err)
{
    const struct oto_option *option;
    for (size_t at = 0; (option = oto_frontend_next_difference(first, other, &at)) != NULL;) {
        if (strncmp(option->name, "dither", 6) == 0)
            continue;
        char *a = oto_options_get(option, first), *b = oto_options_get(option, other);
        const oto_status status =
            a != NULL && b != NULL
                ? oto_fail(err, OTO_ERR_CONFIG, "%s: made with --%s=%s, the first model with %s",
                           name, option->name, b, a)
                : oto_fail_memory(err, "options of a model");
        oto_free(a);
        oto_free(b);
        return status;
    }
    return OTO_OK;
}

static oto_status compare_models(const struct oto_bundle *first, const struct oto_bundle *other,
                                 const char *name, oto_error *err)
{
    const struct oto_network_shape *x = &first->shape, *y = &other->shape;
    if (x->n_layers != y->n_layers || x->n_hidden != y->n_hidden || x->n_proj != y->n_proj ||
        x->n_inputs != y->n_inputs || x->reduce_after != y->reduce_after)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "%s: %d layers of %d units with projection %d on %d inputs; the first "
                        "model has %d of %d with %d on %d, or pairs frames elsewhere",
                        name, y->n_layers, y->n_hidden, y->n_proj, y->n_inputs, x->n_layers,
                        x->n_hidden, x->n_proj, x->n_inputs);
    for (int k = 1; k < first->alphabet->n_symbols; k++)
        if (oto_alphabet_find_symbol(other->alphabet, first->alphabet->symbols[k]) == 0)
            return oto_fail(err, OTO_ERR_CONFIG, "%s: has no symbol '%s', the first model has one",
                            name, first->alphabet->symbols[k]);
    return compare_frontends(&first->frontend, &other->frontend, name, err);
}

static void add(float *mean, const float *weights, size_t n, double share)
{
    for (size_t i = 0; i < n; i++)
        mean[i] += (float)(share * (double)weights[i]);
}

/* All layers below the output, which are alike; then the output's rows by symbol. */
static void add_model(float *mean, const struct oto_bundle *first, const struct oto_bundle *other,
                      double share)
{
    size_t to[2], from[2]; /* output.weight, output.bias */
    struct oto_tensor tensor;
    for (int k = 0; k < 2; k++) {
        oto_network_tensor(&first->shape, oto_network_n_tensors(&first->shape) - 2 + k, &tensor);
        to[k] = tensor.offset;
        oto_network_tensor(&other->shape, oto_network_n_tensors(&other->shape) - 2 + k, &tensor);
        from[k] = tensor.offset;
    }
    add(mean, other->weights, to[0], share);
    const size_t width = 2 * (size_t)first->shape.n_hidden;
    for (int k = 0; k < first->alphabet->n_symbols; k++) {
        const int row = oto_alphabet_find_symbol(other->alphabet, first->alphabet->symbols[k]);
        add(mean + to[0] + (size_t)k * width, other->weights + from[0] + (size_t)row * width, width,
            share);
        add(mean + to[1] + k, other->weights + from[1] + row, 1, share);
    }
}

oto_status oto_bundle_average(float **mean, struct oto_bundle *const *models,
                              const char *const *names, const double *shares, int n, oto_error *err)
{
    *mean = NULL;
    for (int i = 1; i < n; i++) {
        oto_status status = compare_models(models[0], models[i], names[i], err);
        if (status != OTO_OK)
            return status;
    }
    *mean = oto_calloc(oto_network_n_parameters(&models[0]->shape), sizeof **mean);
    if (*mean == NULL)
        return oto_fail_memory(err, "weights");
    for (int i = 0; i < n; i++)
        add_model(*mean, models[0], models[i], shares[i]);
    return OTO_OK;
}
