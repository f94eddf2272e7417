/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of a network and of its workspace. */
#include "acoustic/network.h"

#include <string.h>

#include "acoustic/network_internal.h"
#include "base/mem.h"
#include "base/status.h"

static size_t linear_size(int n_inputs, int n_outputs)
{
    return (size_t)n_outputs * ((size_t)n_inputs + 1);
}

/* Gives the layer its part of the dense block; returns what follows. */
static oto_real *place_linear(struct oto_linear *layer, int n_inputs, int n_outputs, oto_real *p)
{
    *layer = (struct oto_linear){.n_inputs = n_inputs,
                                 .n_outputs = n_outputs,
                                 .weight = p,
                                 .bias = p + (size_t)n_inputs * (size_t)n_outputs};
    return p + linear_size(n_inputs, n_outputs);
}

static oto_status create_dense(struct oto_network *net, oto_error *err)
{
    const struct oto_network_shape *shape = &net->shape;
    int n_states = 2 * shape->n_hidden;
    size_t n = linear_size(n_states, shape->n_outputs);
    for (int l = 0; l < shape->n_layers; l++)
        if (oto_network_has_proj(shape, l))
            n += linear_size(n_states, shape->n_proj);
    net->dense = oto_calloc(n, sizeof *net->dense);
    if (net->dense == NULL)
        return oto_fail_memory(err, "weights of the dense layers");

    oto_real *p = place_linear(&net->output, n_states, shape->n_outputs, net->dense);
    for (int l = 0; l < shape->n_layers; l++)
        if (oto_network_has_proj(shape, l))
            p = place_linear(&net->proj[l], n_states, shape->n_proj, p);
    return OTO_OK;
}

/* int8 is NULL for a float network. */
static oto_status create(struct oto_network **out, const struct oto_network_shape *shape,
                         const struct oto_dsp *dsp, const struct oto_dsp_int8 *int8, oto_error *err)
{
    *out = NULL;
    oto_status status = oto_network_shape_check(shape, err);
    if (status != OTO_OK)
        return status;
    struct oto_network *net = oto_calloc(1, sizeof *net);
    if (net == NULL)
        return oto_fail_memory(err, "network");
    net->shape = *shape;
    net->dsp = *dsp;
    net->quantized = net->forward_only = int8 != NULL;
    if (int8 != NULL)
        net->int8 = *int8;
    for (int l = 0; l < shape->n_layers && status == OTO_OK; l++) {
        int n_inputs = oto_network_layer_inputs(shape, l);
        status =
            int8 != NULL
                ? oto_bilstm_init_int8(&net->layers[l], &net->int8, n_inputs, shape->n_hidden, err)
                : oto_bilstm_init(&net->layers[l], dsp, n_inputs, shape->n_hidden, err);
    }
    if (status == OTO_OK)
        status = create_dense(net, err);
    if (status != OTO_OK) {
        oto_network_destroy(net);
        return status;
    }
    *out = net;
    return OTO_OK;
}

oto_status oto_network_create(struct oto_network **out, const struct oto_network_shape *shape,
                              const struct oto_dsp *dsp, oto_error *err)
{
    return create(out, shape, dsp, NULL, err);
}

oto_status oto_network_create_int8(struct oto_network **out, const struct oto_network_shape *shape,
                                   const struct oto_dsp *dsp, const struct oto_dsp_int8 *int8,
                                   oto_error *err)
{
    return create(out, shape, dsp, int8, err);
}

void oto_network_destroy(struct oto_network *net)
{
    if (net == NULL)
        return;
    for (int l = 0; l < net->shape.n_layers; l++)
        oto_bilstm_clear(&net->layers[l]);
    oto_free(net->dense);
    oto_free(net);
}

oto_status oto_network_forward_only(struct oto_network *net, oto_error *err)
{
    oto_status status = OTO_OK;
    net->forward_only = true;
    for (int l = 0; l < net->shape.n_layers && !net->quantized; l++)
        for (int d = 0; d < 2 && status == OTO_OK; d++)
            status = oto_lstm_for_inference(&net->layers[l].dir[d], &net->dsp, err);
    return status;
}

void oto_network_freeze(struct oto_network *net, int n_layers)
{
    net->n_frozen = n_layers;
}

const struct oto_network_shape *oto_network_get_shape(const struct oto_network *net)
{
    return &net->shape;
}

struct set_job {
    struct oto_network *net;
    const oto_real *params;
};

/* Task 2*l + d packs direction d of layer l. */
static void set_task(void *arg, int k)
{
    const struct set_job *job = arg;
    int l = k / 2, d = k % 2;
    struct oto_layer_offsets offsets;
    oto_network_layer_offsets(&job->net->shape, l, &offsets);
    oto_lstm_set(&job->net->layers[l].dir[d], &job->net->dsp, job->params + offsets.w[d],
                 job->params + offsets.r[d], job->params + offsets.bias[d]);
}

void oto_network_set_parameters(struct oto_network *net, const oto_real *params,
                                struct oto_pool *pool)
{
    const struct oto_network_shape *shape = &net->shape;
    size_t weight, bias;
    oto_network_output_offsets(shape, &weight, &bias);
    oto_real *p = net->dense;
    size_t n = linear_size(2 * shape->n_hidden, shape->n_outputs);
    /* Weight and bias of a dense layer follow each other in the flat array, too. */
    memcpy(p, params + weight, n * sizeof *p);
    p += n;
    n = linear_size(2 * shape->n_hidden, shape->n_proj);
    for (int l = 0; l < shape->n_layers; l++) {
        if (!oto_network_has_proj(shape, l))
            continue;
        struct oto_layer_offsets offsets;
        oto_network_layer_offsets(shape, l, &offsets);
        memcpy(p, params + offsets.proj_weight, n * sizeof *p);
        p += n;
    }
    struct set_job job = {.net = net, .params = params};
    oto_pool_run(pool, 2 * shape->n_layers, set_task, &job);
}

oto_status oto_network_workspace_create(struct oto_network_workspace **out,
                                        const struct oto_network *net, oto_error *err)
{
    *out = oto_calloc(1, sizeof **out);
    if (*out == NULL)
        return oto_fail_memory(err, "workspace of the network");
    (*out)->net = net;
    return OTO_OK;
}

void oto_network_workspace_set_chunks(struct oto_network_workspace *ws,
                                      const struct oto_network_chunks *chunks)
{
    ws->chunked = chunks != NULL;
    ws->kept.valid = false;
    if (chunks != NULL)
        ws->chunks = *chunks;
}

void oto_network_workspace_destroy(struct oto_network_workspace *ws)
{
    if (ws == NULL)
        return;
    for (int l = 0; l < OTO_NETWORK_LAYERS_MAX; l++) {
        oto_bilstm_state_clear(&ws->states[l]);
        oto_buffer_clear(&ws->outputs[l]);
        oto_buffer_clear(&ws->inputs[l]);
    }
    oto_buffer_clear(&ws->doutput);
    oto_buffer_clear(&ws->dinput);
    for (int k = 0; k < OTO_NETWORK_LEVELS; k++) {
        oto_sequences_clear(&ws->reduced[k]);
        oto_sequences_clear(&ws->windows[k]);
    }
    oto_buffer_clear(&ws->window_x);
    oto_buffer_clear(&ws->window_dx);
    oto_buffer_clear(&ws->top);
    oto_buffer_clear(&ws->dtop);
    oto_buffer_clear(&ws->unpaired);
    oto_buffer_clear(&ws->dpairs);
    oto_buffer_clear(&ws->auxiliary_top);
    oto_buffer_clear(&ws->auxiliary_dtop);
    oto_bilstm_scratch_clear(&ws->scratch);
    oto_free(ws);
}

size_t oto_network_workspace_bytes(const struct oto_network_workspace *ws)
{
    size_t n = ws->doutput.n + ws->dinput.n + ws->window_x.n + ws->window_dx.n + ws->top.n +
               ws->dtop.n + ws->auxiliary_top.n + ws->auxiliary_dtop.n + ws->unpaired.n +
               ws->dpairs.n;
    for (int l = 0; l < OTO_NETWORK_LAYERS_MAX; l++) {
        n += ws->outputs[l].n + ws->inputs[l].n;
        for (int d = 0; d < 2; d++)
            n += ws->states[l].gates[d].n + ws->states[l].cells[d].n + ws->states[l].int8[d].n;
    }
    for (int d = 0; d < 2; d++)
        n += ws->scratch.dcells[d].n + ws->scratch.weights[d].n;
    return n * sizeof(oto_real) + 2 * ws->scratch.n_dbias_sum * sizeof(double) + sizeof *ws;
}
