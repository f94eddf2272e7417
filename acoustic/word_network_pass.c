/* SPDX-License-Identifier: BSD-2-Clause */
/* Forward and backward passes of a word network. */
#include <string.h>

#include "acoustic/word_network_internal.h"
#include "base/status.h"

static oto_status check(const struct oto_word_network *net, const struct oto_word_workspace *ws,
                        const struct oto_word_rows *rows, oto_error *err)
{
    if (ws->net != net)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "word network: the workspace belongs to another network");
    if (rows->seqs->n_rows < 1 || rows->seqs->n_rows > INT32_MAX)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "word network: %zu words in a batch, expected 1 to %d", rows->seqs->n_rows,
                        INT32_MAX);
    for (size_t i = 0; i < rows->seqs->n_rows; i++) {
        const int in = rows->inputs[i], out = rows->targets[i], n = net->shape.n_words;
        if (in < 0 || in >= n || out < 0 || out >= n)
            return oto_fail(err, OTO_ERR_ARGUMENT, "word network: word %d, expected 0 to %d",
                            in < 0 || in >= n ? in : out, n - 1);
    }
    return OTO_OK;
}

static bool reserve_backward(struct oto_word_workspace *ws, const struct oto_sequences *seqs)
{
    const struct oto_word_network *net = ws->net;
    size_t n_scratch = 0;
    bool good =
        oto_buffer_reserve(&ws->dy, seqs->n_rows, (size_t)net->shape.n_embed) &&
        oto_buffer_reserve(&ws->dh, seqs->n_rows, (size_t)net->shape.n_hidden) &&
        oto_buffer_reserve(&ws->dcells, (size_t)seqs->n_utts, (size_t)net->layers[0].n_cells);
    for (int l = 0; l < net->shape.n_layers && good; l++)
        good = oto_lstm_weight_scratch(&net->layers[l], &net->dsp, &n_scratch) &&
               oto_buffer_reserve(&ws->weights, n_scratch, 1);
    return good;
}

static bool reserve(struct oto_word_workspace *ws, const struct oto_word_rows *rows, bool keep,
                    bool dropping)
{
    const struct oto_word_network *net = ws->net;
    const struct oto_sequences *seqs = rows->seqs;
    const size_t e = (size_t)net->shape.n_embed, h = (size_t)net->shape.n_hidden;
    const size_t n_gates = (size_t)net->layers[0].n_gates, n_cells = (size_t)net->layers[0].n_cells;
    bool good =
        oto_buffer_reserve(&ws->x, seqs->n_rows, e) && oto_buffer_reserve(&ws->y, seqs->n_rows, e);
    for (int l = 0; l < net->shape.n_layers && good; l++) {
        const size_t n = keep ? seqs->n_rows : oto_lstm_portion_rows(seqs);
        good = oto_buffer_reserve(&ws->gates[l], n, n_gates) &&
               oto_buffer_reserve(&ws->cells[l], keep ? seqs->n_rows : 2 * (size_t)seqs->n_utts,
                                  n_cells) &&
               oto_buffer_reserve(&ws->h[l], seqs->n_rows, h) &&
               (!dropping || oto_buffer_reserve(&ws->dropped[l], seqs->n_rows, h));
    }
    return good && oto_word_output_reserve(ws, rows) && (!keep || reserve_backward(ws, seqs));
}

/* What follows layer l reads. */
static oto_real *output_of(const struct oto_word_workspace *ws, int l)
{
    return ws->dropout.rate > 0 ? ws->dropped[l].p : ws->h[l].p;
}

static struct oto_linear projection(const struct oto_word_network *net)
{
    return (struct oto_linear){.n_inputs = net->shape.n_hidden,
                               .n_outputs = net->shape.n_embed,
                               .weight = net->params + net->offsets.proj_weight,
                               .bias = net->params + net->offsets.proj_bias};
}

oto_status oto_word_network_forward(const struct oto_word_network *net,
                                    struct oto_word_workspace *ws, double *log_probs,
                                    const struct oto_word_rows *rows, bool keep,
                                    const struct oto_dropout *dropout, oto_error *err)
{
    ws->kept = false;
    oto_status status = check(net, ws, rows, err);
    if (status != OTO_OK)
        return status;
    const size_t n_rows = rows->seqs->n_rows, e = (size_t)net->shape.n_embed;
    ws->dropout = dropout != NULL ? *dropout : (struct oto_dropout){0};
    if (!reserve(ws, rows, keep, ws->dropout.rate > 0))
        return oto_fail_memory(err, "activations of a word network");

    const oto_real *vectors = net->params + net->offsets.word_weight;
    for (size_t i = 0; i < n_rows; i++)
        memcpy(ws->x.p + i * e, vectors + (size_t)rows->inputs[i] * e, e * sizeof *vectors);
    const oto_real *x = ws->x.p;
    for (int l = 0; l < net->shape.n_layers; l++) {
        oto_lstm_forward(&net->layers[l], &net->dsp, keep, ws->gates[l].p, ws->cells[l].p,
                         ws->h[l].p, (size_t)net->shape.n_hidden, x, rows->seqs, NULL);
        if (ws->dropout.rate > 0)
            oto_dropout_apply(ws->dropped[l].p, ws->h[l].p, 0, n_rows, net->shape.n_hidden, l,
                              &ws->dropout);
        x = output_of(ws, l);
    }
    const struct oto_linear proj = projection(net);
    oto_linear_forward(&proj, ws->y.p, x, n_rows, NULL);
    oto_word_output_forward(ws, log_probs, rows);
    ws->kept = keep;
    ws->kept_rows = n_rows;
    return OTO_OK;
}

/* From dh, the gradient of layer l's output, to that of its input, dx. */
static void layer_backward(struct oto_word_workspace *ws, oto_real *dparams, oto_real *dx, int l,
                           const struct oto_sequences *seqs)
{
    const struct oto_word_network *net = ws->net;
    const struct oto_lstm *lstm = &net->layers[l];
    const size_t h = (size_t)net->shape.n_hidden;
    const struct oto_lstm_gradients grads = {.dw = dparams + net->offsets.w[l],
                                             .dr = dparams + net->offsets.r[l],
                                             .dbias = dparams + net->offsets.bias[l]};
    if (ws->dropout.rate > 0)
        oto_dropout_apply(ws->dh.p, ws->dh.p, 0, seqs->n_rows, net->shape.n_hidden, l,
                          &ws->dropout);
    oto_lstm_backward_steps(lstm, &net->dsp, ws->gates[l].p, ws->dcells.p, ws->dh.p, h,
                            ws->cells[l].p, seqs, 0, seqs->n_utts);
    for (int part = 0; part < oto_lstm_weight_parts(lstm, &net->dsp); part++)
        oto_lstm_backward_weights(lstm, &net->dsp, &grads, ws->weights.p, ws->dbias_sum,
                                  ws->gates[l].p, l == 0 ? ws->x.p : output_of(ws, l - 1),
                                  ws->h[l].p, h, seqs, part);
    oto_lstm_backward_inputs(lstm, dx, 0, ws->gates[l].p, 0, seqs->n_rows);
}

oto_status oto_word_network_backward(const struct oto_word_network *net,
                                     struct oto_word_workspace *ws, oto_real *dparams, double scale,
                                     const struct oto_word_rows *rows, oto_error *err)
{
    const size_t n_rows = rows->seqs->n_rows, e = (size_t)net->shape.n_embed;
    const struct oto_word_offsets *o = &net->offsets;
    if (ws->net != net || !ws->kept || ws->kept_rows != n_rows)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "word network: backward needs a forward pass of the same batch before it");
    ws->kept = false;
    const int top = net->shape.n_layers - 1;
    const struct oto_linear proj = projection(net);
    oto_real *dvectors = dparams + o->word_weight;
    memset(dvectors, 0, (size_t)net->shape.n_words * e * sizeof *dvectors);
    memset(dparams + o->word_bias, 0, (size_t)net->shape.n_words * sizeof *dparams);

    oto_word_output_backward(ws, dparams, scale, rows);
    oto_linear_backward(&proj, dparams + o->proj_weight, dparams + o->proj_bias, ws->dh.p, ws->dy.p,
                        output_of(ws, top), n_rows, NULL);
    /* The gradient of a layer's output is needed no more when that of its input is made. */
    for (int l = top; l >= 0; l--)
        layer_backward(ws, dparams, l > 0 ? ws->dh.p : ws->dy.p, l, rows->seqs);
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < e; j++)
            dvectors[(size_t)rows->inputs[i] * e + j] += ws->dy.p[i * e + j];
    return OTO_OK;
}
