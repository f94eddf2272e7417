/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/network_internal.h"
#include "base/status.h"

/* What layer l read in the forward pass. */
static const oto_real *layer_input(const struct oto_network *net,
                                   const struct oto_network_workspace *ws, const oto_real *x, int l)
{
    if (l == 0)
        return x;
    if (oto_network_has_proj(&net->shape, l - 1) || oto_network_reduces(&net->shape, l - 1) ||
        ws->kept.dropped)
        return ws->inputs[l].p;
    return ws->outputs[l - 1].p;
}

/* Where the gradient of what layer l - 1 hands up goes. A layer needs that of its output no more
 * when it makes it, so without a projection, where both are of one width, it is the same buffer. */
static oto_real *handed_gradient(const struct oto_network *net, struct oto_network_workspace *ws,
                                 int l)
{
    return oto_network_has_proj(&net->shape, l - 1) ? ws->dinput.p : ws->doutput.p;
}

/* Where the gradient of layer l's input goes. */
static oto_real *input_gradient(const struct oto_network *net, struct oto_network_workspace *ws,
                                int l)
{
    return oto_network_reduces(&net->shape, l - 1) ? ws->dpairs.p : handed_gradient(net, ws, l);
}

/* From the gradient of layer l's input to that of the output of the layer below it, doutput: back
 * through pairs, dropout and projection. */
static void below(const struct oto_network *net, struct oto_network_workspace *ws,
                  oto_real *dparams, int l, struct oto_pool *pool)
{
    const struct oto_network_shape *shape = &net->shape;
    const struct oto_sequences *rows = oto_network_layer_rows(ws, l - 1);
    const int width = oto_network_handed_up(shape);
    oto_real *dinput = handed_gradient(net, ws, l);
    if (oto_network_reduces(shape, l - 1))
        oto_network_unpair(dinput, ws->dpairs.p, oto_network_layer_rows(ws, l), rows, width);
    if (ws->kept.dropped)
        oto_network_drop(dinput, dinput, rows->n_rows, width, l - 1, &ws->kept.dropout, pool);
    if (!oto_network_has_proj(shape, l - 1))
        return;
    struct oto_layer_offsets offsets;
    oto_network_layer_offsets(shape, l - 1, &offsets);
    oto_linear_backward(&net->proj[l - 1], dparams + offsets.proj_weight,
                        dparams + offsets.proj_bias, ws->doutput.p, dinput, ws->outputs[l - 1].p,
                        rows->n_rows, pool);
}

/* From the gradient of the logits to that of the last layer's output, doutput. */
static void top(const struct oto_network *net, struct oto_network_workspace *ws, oto_real *dparams,
                const oto_real *dlogits, struct oto_pool *pool)
{
    size_t weight, bias;
    bool chunked = ws->kept.chunked;
    const int last = net->shape.n_layers - 1;
    const struct oto_sequences *out = oto_network_rows(ws, last);
    oto_network_output_offsets(&net->shape, &weight, &bias);
    oto_linear_backward(&net->output, dparams + weight, dparams + bias,
                        chunked ? ws->dtop.p : ws->doutput.p, dlogits,
                        chunked ? ws->top.p : ws->outputs[last].p, out->n_rows, pool);
    if (chunked)
        oto_windows_put(oto_network_layer_rows(ws, last), out, ws->doutput.p, ws->dtop.p,
                        2 * net->shape.n_hidden);
}

oto_status oto_network_backward(const struct oto_network *net, struct oto_network_workspace *ws,
                                oto_real *dparams, oto_real *dx, const oto_real *dlogits,
                                const oto_real *x, const struct oto_sequences *seqs,
                                struct oto_pool *pool, oto_error *err)
{
    const struct oto_network_shape *shape = &net->shape;
    if (ws->net != net)
        return oto_fail(err, OTO_ERR_ARGUMENT, "network: the workspace belongs to another network");
    if (!ws->kept.valid)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "network: backward needs a training forward pass just before it");
    if (ws->kept.n_rows != seqs->n_rows || ws->kept.n_utts != seqs->n_utts)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "network: backward with %d utterances of %zu frames, but forward had %d of "
                        "%zu",
                        seqs->n_utts, seqs->n_rows, ws->kept.n_utts, ws->kept.n_rows);
    if (dx != NULL && net->n_frozen > 0)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "network: no gradient of the input below %d frozen layers", net->n_frozen);
    ws->kept.valid = false; /* the gates are used up */

    oto_real *dx_rows = dx;
    ws->whole[0] = seqs;
    if (!ws->kept.chunked)
        ws->rows[0] = seqs;
    if (ws->kept.chunked) {
        x = ws->window_x.p;
        dx_rows = dx != NULL ? ws->window_dx.p : NULL;
    }
    top(net, ws, dparams, dlogits, pool);
    for (int l = shape->n_layers - 1; l >= net->n_frozen; l--) {
        struct oto_layer_offsets offsets;
        oto_network_layer_offsets(shape, l, &offsets);
        struct oto_lstm_gradients grads[2];
        for (int d = 0; d < 2; d++)
            grads[d] = (struct oto_lstm_gradients){.dw = dparams + offsets.w[d],
                                                   .dr = dparams + offsets.r[d],
                                                   .dbias = dparams + offsets.bias[d]};
        if (ws->kept.auxiliary && l == ws->auxiliary.layer)
            oto_network_auxiliary_backward(net, ws, pool);
        oto_bilstm_backward(&net->layers[l], &net->dsp, &ws->states[l], &ws->scratch, grads,
                            l > net->n_frozen ? input_gradient(net, ws, l) : dx_rows, ws->doutput.p,
                            ws->outputs[l].p, layer_input(net, ws, x, l),
                            oto_network_layer_rows(ws, l), pool);
        if (l > net->n_frozen)
            below(net, ws, dparams, l, pool);
    }
    if (ws->kept.auxiliary && ws->auxiliary.layer < net->n_frozen)
        oto_network_auxiliary_backward(net, ws, pool); /* its own weights are not frozen */
    if (dx != NULL && ws->kept.chunked)
        oto_windows_sum(ws->rows[0], seqs, dx, dx_rows, shape->n_inputs);
    return OTO_OK;
}
