/* SPDX-License-Identifier: BSD-2-Clause */
/** Starting from the weights of a model file instead of from random ones. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/frontend_options.h"
#include "models/bundle.h"
#include "training/trainer_private.h"

/* Dither is as good as none. Where vectors are normalised at all, where mean and variance come
 * from may change, which a network learns within an epoch: a model of files is taken on for live.
 * So may how often it reads: to other strides all speech is only faster or slower. */
static bool may_differ(const struct oto_option *option, const struct oto_frontend_options *ours,
                       const struct oto_frontend_options *theirs)
{
    if (strcmp(option->name, "cmvn") == 0 || strcmp(option->name, "cmvn-window") == 0 ||
        strcmp(option->name, "cmvn-margin") == 0)
        return ours->cmvn != OTO_CMVN_NONE && theirs->cmvn != OTO_CMVN_NONE;
    if (strcmp(option->name, "feature") == 0 || strcmp(option->name, "ceps") == 0 ||
        strcmp(option->name, "delta-order") == 0 || strcmp(option->name, "delta-window") == 0)
        return oto_features_carry_over(ours, theirs);
    if (strcmp(option->name, "lifter") == 0)
        return ours->kind == OTO_FEATURE_FBANK;
    return strncmp(option->name, "dither", 6) == 0 || strcmp(option->name, "stride") == 0;
}

/* What differs is told where it may, and refused where it may not; the statistics of global CMVN
 * are this corpus's own and may. */
static oto_status compare_frontends(const struct oto_trainer *t,
                                    const struct oto_frontend_options *theirs, oto_error *err)
{
    const struct oto_frontend_options *ours = t->setup->frontend;
    const struct oto_option *option;
    oto_status status = OTO_OK;
    for (size_t at = 0;
         status == OTO_OK && (option = oto_frontend_next_difference(ours, theirs, &at)) != NULL;) {
        char *a = oto_options_get(option, ours), *b = oto_options_get(option, theirs);
        if (!a || !b)
            status = oto_fail_memory(err, "options of a model");
        else if (may_differ(option, ours, theirs))
            oto_report_line(t->report, "start: %s was made with --%s=%s, this run has %s",
                            t->o->init, option->name, b, a);
        else
            status = oto_fail(err, OTO_ERR_CONFIG,
                              "--init=%s: the model was made with --%s=%s, this run has %s",
                              t->o->init, option->name, b, a);
        oto_free(a);
        oto_free(b);
    }
    return status;
}

static oto_status compare_networks(const struct oto_trainer *t, const struct oto_bundle *b,
                                   const char *path, oto_error *err)
{
    const struct oto_network_shape *x = &t->shape, *y = &b->shape;
    if (x->n_layers != y->n_layers || x->n_hidden != y->n_hidden || x->n_proj != y->n_proj)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--init=%s: the model has %d layers of %d units with projection %d, this "
                        "run %d of %d with %d",
                        path, y->n_layers, y->n_hidden, y->n_proj, x->n_layers, x->n_hidden,
                        x->n_proj);
    if (x->reduce_after != y->reduce_after) {
        char theirs[16];
        oto_network_print_reductions(theirs, y->reduce_after);
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--init=%s: the model was made with --reduce-after=%s, this run has %s",
                        path, theirs, t->o->reduce_after);
    }
    return OTO_OK;
}

/* All layers below the output, which are the same in both; then the output's rows by symbol. */
static void copy_weights(struct oto_trainer *t, const struct oto_bundle *b)
{
    size_t ours[2], theirs[2]; /* output.weight, output.bias */
    struct oto_tensor tensor;
    for (int k = 0; k < 2; k++) {
        oto_network_tensor(&t->shape, oto_network_n_tensors(&t->shape) - 2 + k, &tensor);
        ours[k] = tensor.offset;
        oto_network_tensor(&b->shape, oto_network_n_tensors(&b->shape) - 2 + k, &tensor);
        theirs[k] = tensor.offset;
    }
    for (int k = 0; k < oto_network_n_tensors(&t->shape) - 2; k++) {
        struct oto_tensor from;
        oto_network_tensor(&t->shape, k, &tensor);
        oto_network_tensor(&b->shape, k, &from);
        if (tensor.n_cols == from.n_cols) /* else the input weights, see oto_trainer_carry_over() */
            memcpy(t->params + tensor.offset, b->weights + from.offset,
                   (size_t)tensor.n_rows * (size_t)tensor.n_cols * sizeof(float));
    }
    if (t->o->init_output == OTO_INIT_OUTPUT_NEW)
        return;
    size_t width = 2 * (size_t)t->shape.n_hidden;
    int n_matched = 0;
    for (int k = 0; k < t->alphabet->n_symbols; k++) {
        int from = oto_alphabet_find_symbol(b->alphabet, t->alphabet->symbols[k]);
        if (k > 0 && from == 0)
            continue;
        memcpy(t->params + ours[0] + (size_t)k * width,
               b->weights + theirs[0] + (size_t)from * width, width * sizeof(float));
        t->params[ours[1] + (size_t)k] = b->weights[theirs[1] + (size_t)from];
        n_matched += k > 0;
    }
    oto_report_line(t->report, "start: %d of %d symbols known to %s", n_matched,
                    t->alphabet->n_symbols - 1, t->o->init);
}

size_t oto_trainer_n_frozen(const struct oto_trainer *t)
{
    struct oto_tensor tensor = {.offset = 0};
    char name[sizeof tensor.name];
    snprintf(name, sizeof name, "lstm.weight_ih_l%d", t->o->freeze);
    for (int k = 0; k < oto_network_n_tensors(&t->shape); k++) {
        oto_network_tensor(&t->shape, k, &tensor);
        if (strcmp(tensor.name, name) == 0 || strcmp(tensor.name, "output.weight") == 0)
            break;
    }
    return tensor.offset;
}

/* As the output layer: Glorot-uniform weights, zero biases. */
static void init_auxiliary(struct oto_trainer *t)
{
    size_t n_states = 2 * (size_t)t->shape.n_hidden, n_outputs = (size_t)t->shape.n_outputs;
    double bound = sqrt(6.0 / ((double)n_states + (double)n_outputs));
    uint64_t stream = oto_rng_stream("auxiliary.weight");
    for (size_t i = 0; i < n_states * n_outputs; i++)
        t->params[t->n_network + i] =
            (float)(bound * (2 * oto_rng_uniform(t->o->seed, stream, i) - 1));
}

static bool reads_other_features(const struct oto_trainer *t, const struct oto_bundle *b)
{
    const struct oto_frontend_options *x = t->setup->frontend, *y = &b->frontend;
    return x->kind != y->kind || x->delta_order != y->delta_order ||
           (x->kind == OTO_FEATURE_MFCC && x->n_ceps != y->n_ceps);
}

oto_status oto_trainer_init_weights(struct oto_trainer *t, oto_error *err)
{
    const char *path = t->o->init;
    oto_network_init_parameters(&t->shape, t->params, t->o->seed);
    if (t->o->auxiliary_layer > 0)
        init_auxiliary(t);
    if (!*path)
        return OTO_OK;
    struct oto_bundle *bundle;
    oto_status status = oto_bundle_load(&bundle, path, err);
    if (status != OTO_OK)
        return status;
    status = compare_frontends(t, &bundle->frontend, err);
    if (status == OTO_OK)
        status = compare_networks(t, bundle, path, err);
    if (status == OTO_OK)
        status = oto_bundle_dequantize(bundle, err);
    if (status == OTO_OK)
        copy_weights(t, bundle);
    if (status == OTO_OK && reads_other_features(t, bundle))
        status = oto_trainer_carry_over(t, bundle, err);
    oto_bundle_destroy(bundle);
    return status;
}
