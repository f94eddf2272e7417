/* SPDX-License-Identifier: BSD-2-Clause */
/* Parameters of a network with 8-bit matrices. */
#include <assert.h>

#include "acoustic/network_internal.h"

enum { LSTM_TENSORS = 6, PROJ_TENSORS = 2 }; /* of a layer, in the order of oto_network_tensor() */

/* Index of layer l's first tensor; of the output layer's for l = n_layers. */
static int first_tensor(const struct oto_network_shape *shape, int l)
{
    int n = 0;
    for (int k = 0; k < l; k++)
        n += LSTM_TENSORS + (oto_network_has_proj(shape, k) ? PROJ_TENSORS : 0);
    return n;
}

struct set_job {
    struct oto_network *net;
    const struct oto_tensor_data *tensors;
};

/* Task 2*l + d packs direction d of layer l. */
static void set_task(void *arg, int k)
{
    const struct set_job *job = arg;
    const int l = k / 2, d = k % 2;
    const struct oto_tensor_data *t = job->tensors + first_tensor(&job->net->shape, l) + 3 * d;
    const struct oto_int8_rows w = {t[0].codes, t[0].scales}, r = {t[1].codes, t[1].scales};
    oto_lstm_int8_set(&job->net->layers[l].int8[d], &w, &r, t[2].values);
}

/* Weight and bias of a dense layer, one after the other; returns what follows. */
static oto_real *set_dense(oto_real *to, const struct oto_tensor_data *t, int n_inputs,
                           int n_outputs)
{
    const size_t n_weights = (size_t)n_inputs * (size_t)n_outputs;
    for (size_t i = 0; i < n_weights; i++)
        *to++ = (oto_real)t[0].values[i];
    for (int i = 0; i < n_outputs; i++)
        *to++ = (oto_real)t[1].values[i];
    return to;
}

void oto_network_set_int8(struct oto_network *net, const struct oto_tensor_data *tensors,
                          struct oto_pool *pool)
{
    const struct oto_network_shape *shape = &net->shape;
    const int n_states = 2 * shape->n_hidden;
    assert(net->quantized);
    oto_real *p = set_dense(net->dense, tensors + first_tensor(shape, shape->n_layers), n_states,
                            shape->n_outputs);
    for (int l = 0; l < shape->n_layers; l++)
        if (oto_network_has_proj(shape, l))
            p = set_dense(p, tensors + first_tensor(shape, l) + LSTM_TENSORS, n_states,
                          shape->n_proj);
    struct set_job job = {.net = net, .tensors = tensors};
    oto_pool_run(pool, 2 * shape->n_layers, set_task, &job);
}
