/* SPDX-License-Identifier: BSD-2-Clause */
/** Starting from the weights of a model file instead of from random ones. */
#include <string.h>

#include "base/mem.h"
#include "models/bundle.h"
#include "training/trainer_private.h"

/* The first option of the front end that differs; the statistics of global CMVN are this corpus's
 * own and may. */
static oto_status compare_frontends(const struct oto_frontend_options *ours,
                                    const struct oto_frontend_options *theirs, const char *path,
                                    oto_error *err)
{
    oto_status status = OTO_OK;
    for (size_t i = 0; i < oto_frontend_n_options && status == OTO_OK; i++) {
        const struct oto_option *option = &oto_frontend_option_table[i];
        char *a = oto_options_get(option, ours), *b = oto_options_get(option, theirs);
        if (!a || !b)
            status = oto_fail_memory(err, "options of a model");
        else if (strcmp(a, b) != 0 && strncmp(option->name, "dither", 6) != 0)
            status = oto_fail(err, OTO_ERR_CONFIG,
                              "--init=%s: the model was made with --%s=%s, this run has %s", path,
                              option->name, b, a);
        oto_free(a);
        oto_free(b);
    }
    return status;
}

static oto_status compare_networks(const struct oto_trainer *t, const struct oto_bundle *b,
                                   const char *path, oto_error *err)
{
    const struct oto_network_shape *x = &t->shape, *y = &b->shape;
    if (x->n_layers != y->n_layers || x->n_hidden != y->n_hidden || x->n_proj != y->n_proj ||
        x->n_inputs != y->n_inputs)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--init=%s: the model has %d layers of %d units with projection %d, this "
                        "run %d of %d with %d",
                        path, y->n_layers, y->n_hidden, y->n_proj, x->n_layers, x->n_hidden,
                        x->n_proj);
    if (t->alphabet->n_symbols != b->alphabet->n_symbols)
        return oto_fail(err, OTO_ERR_CONFIG, "--init=%s: the model has %d symbols, this run %d",
                        path, b->alphabet->n_symbols - 1, t->alphabet->n_symbols - 1);
    for (int k = 1; k < t->alphabet->n_symbols; k++)
        if (strcmp(t->alphabet->symbols[k], b->alphabet->symbols[k]) != 0)
            return oto_fail(err, OTO_ERR_CONFIG,
                            "--init=%s: symbol %d of the model is '%s', of this run '%s'", path, k,
                            b->alphabet->symbols[k], t->alphabet->symbols[k]);
    return OTO_OK;
}

oto_status oto_trainer_init_weights(struct oto_trainer *t, oto_error *err)
{
    const char *path = t->o->init;
    if (!*path) {
        oto_network_init_parameters(&t->shape, t->params, t->o->seed);
        return OTO_OK;
    }
    struct oto_bundle *bundle;
    oto_status status = oto_bundle_load(&bundle, path, err);
    if (status != OTO_OK)
        return status;
    status = compare_frontends(t->setup->frontend, &bundle->frontend, path, err);
    if (status == OTO_OK)
        status = compare_networks(t, bundle, path, err);
    if (status == OTO_OK)
        memcpy(t->params, bundle->weights, t->n * sizeof(float));
    oto_bundle_destroy(bundle);
    return status;
}
