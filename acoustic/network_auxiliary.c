/* SPDX-License-Identifier: BSD-2-Clause */
/* A second output in the middle of the stack, in training alone. */
#include "acoustic/network_internal.h"

size_t oto_network_auxiliary_size(const struct oto_network_shape *shape)
{
    return (size_t)shape->n_outputs * (2 * (size_t)shape->n_hidden + 1);
}

void oto_network_workspace_set_auxiliary(struct oto_network_workspace *ws,
                                         const struct oto_network_auxiliary *auxiliary)
{
    ws->kept.valid = false;
    ws->has_auxiliary = auxiliary != NULL;
    if (auxiliary != NULL)
        ws->auxiliary = *auxiliary;
}

oto_status oto_network_auxiliary_reserve(const struct oto_network *net,
                                         struct oto_network_workspace *ws, oto_error *err)
{
    size_t n_states = 2 * (size_t)net->shape.n_hidden;
    if (ws->auxiliary.layer < 0 || ws->auxiliary.layer >= net->shape.n_layers)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "network: an auxiliary output of layer %d, expected 0 to %d",
                        ws->auxiliary.layer, net->shape.n_layers - 1);
    size_t n_rows = oto_network_rows(ws, ws->auxiliary.layer)->n_rows;
    return oto_buffer_reserve(&ws->auxiliary_top, n_rows, n_states) &&
                   oto_buffer_reserve(&ws->auxiliary_dtop, n_rows, n_states)
               ? OTO_OK
               : oto_fail_memory(err, "auxiliary output");
}

static struct oto_linear layer_of(const struct oto_network *net,
                                  const struct oto_network_auxiliary *a)
{
    int n_states = 2 * net->shape.n_hidden, n_outputs = net->shape.n_outputs;
    return (struct oto_linear){.n_inputs = n_states,
                               .n_outputs = n_outputs,
                               .weight = a->params,
                               .bias = a->params + (size_t)n_states * (size_t)n_outputs};
}

/* Rows of the layer in windows. */
static const struct oto_sequences *windows_of(const struct oto_network *net,
                                              const struct oto_network_workspace *ws)
{
    return &ws->windows[oto_network_level(&net->shape, ws->auxiliary.layer)];
}

/* What the output reads: the layer's h, of the frames of chunks. */
static const oto_real *input(const struct oto_network_workspace *ws, bool chunked)
{
    return chunked ? ws->auxiliary_top.p : ws->outputs[ws->auxiliary.layer].p;
}

void oto_network_auxiliary_forward(const struct oto_network *net, struct oto_network_workspace *ws,
                                   bool chunked, struct oto_pool *pool)
{
    const struct oto_network_auxiliary *a = &ws->auxiliary;
    const struct oto_sequences *seqs = oto_network_rows(ws, a->layer);
    const struct oto_linear layer = layer_of(net, a);
    if (chunked)
        oto_windows_take(windows_of(net, ws), seqs, ws->auxiliary_top.p, ws->outputs[a->layer].p,
                         layer.n_inputs);
    oto_linear_forward(&layer, a->log_probs, input(ws, chunked), seqs->n_rows, pool);
    oto_network_softmax(net, a->log_probs, seqs->n_rows, pool);
}

void oto_network_auxiliary_backward(const struct oto_network *net, struct oto_network_workspace *ws,
                                    struct oto_pool *pool)
{
    const struct oto_network_auxiliary *a = &ws->auxiliary;
    const struct oto_sequences *seqs = oto_network_rows(ws, a->layer);
    const struct oto_linear layer = layer_of(net, a);
    const size_t n_weights = (size_t)layer.n_inputs * (size_t)layer.n_outputs;
    oto_linear_backward(&layer, a->dparams, a->dparams + n_weights, ws->auxiliary_dtop.p,
                        a->dlogits, input(ws, ws->kept.chunked), seqs->n_rows, pool);
    if (ws->kept.chunked) {
        oto_windows_add(windows_of(net, ws), seqs, ws->doutput.p, ws->auxiliary_dtop.p,
                        layer.n_inputs);
        return;
    }
    for (size_t i = 0; i < seqs->n_rows * (size_t)layer.n_inputs; i++)
        ws->doutput.p[i] += ws->auxiliary_dtop.p[i];
}
