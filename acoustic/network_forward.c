/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/network_internal.h"
#include "base/status.h"

/*
 * Which buffer holds the output of layer l, and which the input of the layer after it where
 * projection or dropout stands between. Inference needs two at a time: without a projection two
 * outputs in turn, with one an output and an input.
 */
static int output_slot(const struct oto_network *net, int l, bool keep)
{
    return keep ? l : net->shape.n_proj > 0 ? 0 : l & 1;
}

static int input_slot(int l, bool keep)
{
    return keep ? l + 1 : 1;
}

/* Whether the pairs of layer l's outputs are made of something that is neither kept nor its h. */
static bool has_unpaired(const struct oto_network *net, int l, bool keep, bool dropping)
{
    return oto_network_reduces(&net->shape, l) &&
           (oto_network_has_proj(&net->shape, l) || (keep && dropping));
}

static bool reserve_backward(const struct oto_network *net, struct oto_network_workspace *ws)
{
    const struct oto_network_shape *shape = &net->shape;
    size_t n_states = 2 * (size_t)shape->n_hidden, n_rows = ws->rows[0]->n_rows;
    if (!oto_buffer_reserve(&ws->doutput, n_rows, n_states) ||
        (oto_network_has_proj(shape, 0) &&
         !oto_buffer_reserve(&ws->dinput, n_rows, (size_t)shape->n_proj)))
        return false;
    for (int l = 0; l < shape->n_layers; l++) {
        const struct oto_sequences *rows = oto_network_layer_rows(ws, l);
        size_t width = (size_t)oto_network_layer_inputs(shape, l);
        if (!oto_bilstm_scratch_reserve(&ws->scratch, &net->layers[l], &net->dsp, rows))
            return false;
        if (l > 0 && oto_network_reduces(shape, l - 1) &&
            !oto_buffer_reserve(&ws->dpairs, rows->n_rows, width))
            return false;
    }
    return true;
}

/* Beside what the layers need for their windows: the batch's frames on the way in and out. */
static bool reserve_chunked(const struct oto_network *net, struct oto_network_workspace *ws)
{
    const struct oto_network_shape *shape = &net->shape;
    size_t n_states = 2 * (size_t)shape->n_hidden, n_inputs = (size_t)shape->n_inputs;
    size_t n_top = oto_network_rows(ws, shape->n_layers - 1)->n_rows;
    return oto_buffer_reserve(&ws->window_x, ws->windows[0].n_rows, n_inputs) &&
           oto_buffer_reserve(&ws->window_dx, ws->windows[0].n_rows, n_inputs) &&
           oto_buffer_reserve(&ws->top, n_top, n_states) &&
           oto_buffer_reserve(&ws->dtop, n_top, n_states);
}

/* What stands between the output of layer l and the layer above it. */
static bool reserve_between(const struct oto_network *net, struct oto_network_workspace *ws, int l,
                            bool keep, bool dropping)
{
    const struct oto_network_shape *shape = &net->shape;
    size_t n_between = 0;
    if (l == shape->n_layers - 1)
        return true;
    if (has_unpaired(net, l, keep, dropping) &&
        !oto_buffer_reserve(&ws->unpaired, oto_network_layer_rows(ws, l)->n_rows,
                            (size_t)oto_network_handed_up(shape)))
        return false;
    if (oto_network_has_proj(shape, l) || oto_network_reduces(shape, l))
        n_between = (size_t)oto_network_layer_inputs(shape, l + 1);
    else if (keep && dropping)
        n_between = 2 * (size_t)shape->n_hidden; /* backward needs h as the recurrence saw it */
    return n_between == 0 ||
           oto_buffer_reserve(&ws->inputs[input_slot(l, keep)],
                              oto_network_layer_rows(ws, l + 1)->n_rows, n_between);
}

static bool reserve(const struct oto_network *net, struct oto_network_workspace *ws, bool keep,
                    bool dropping)
{
    const struct oto_network_shape *shape = &net->shape;
    size_t n_states = 2 * (size_t)shape->n_hidden;
    for (int l = 0; l < shape->n_layers; l++) {
        const struct oto_sequences *rows = oto_network_layer_rows(ws, l);
        struct oto_buffer *output = &ws->outputs[output_slot(net, l, keep)];
        if (!oto_bilstm_state_reserve(&ws->states[keep ? l : 0], &net->layers[l], rows, keep) ||
            !oto_buffer_reserve(output, rows->n_rows, n_states) ||
            !reserve_between(net, ws, l, keep, dropping))
            return false;
    }
    return !keep || reserve_backward(net, ws);
}

struct drop_job {
    oto_real *y;
    const oto_real *x;
    size_t n_rows;
    int n_cols, layer;
    const struct oto_dropout *dropout;
};

static void drop_task(void *arg, int k)
{
    const struct drop_job *job = arg;
    struct oto_row_block rows = oto_row_block(job->n_rows, k);
    size_t offset = rows.first * (size_t)job->n_cols;
    oto_dropout_apply(job->y + offset, job->x + offset, rows.first, rows.n, job->n_cols, job->layer,
                      job->dropout);
}

void oto_network_drop(oto_real *y, const oto_real *x, size_t n_rows, int n_cols, int layer,
                      const struct oto_dropout *dropout, struct oto_pool *pool)
{
    struct drop_job job = {
        .y = y, .x = x, .n_rows = n_rows, .n_cols = n_cols, .layer = layer, .dropout = dropout};
    oto_pool_run(pool, oto_row_blocks(n_rows), drop_task, &job);
}

struct softmax_job {
    const struct oto_dsp *dsp;
    oto_real *rows;
    size_t n_rows;
    int n_cols;
};

static void softmax_task(void *arg, int k)
{
    const struct softmax_job *job = arg;
    struct oto_row_block block = oto_row_block(job->n_rows, k);
    oto_real *rows = job->rows + block.first * (size_t)job->n_cols;
    job->dsp->log_softmax(rows, rows, (int)block.n, job->n_cols);
}

void oto_network_softmax(const struct oto_network *net, oto_real *rows, size_t n_rows,
                         struct oto_pool *pool)
{
    struct softmax_job job = {&net->dsp, rows, n_rows, net->shape.n_outputs};
    oto_pool_run(pool, oto_row_blocks(n_rows), softmax_task, &job);
}

static oto_status check(const struct oto_network *net, const struct oto_network_workspace *ws,
                        const struct oto_sequences *seqs, int training,
                        const struct oto_network_dropout *dropout, oto_error *err)
{
    if (ws->net != net)
        return oto_fail(err, OTO_ERR_ARGUMENT, "network: the workspace belongs to another network");
    if (seqs->n_utts < 1 || seqs->n_rows < 1)
        return oto_fail(err, OTO_ERR_ARGUMENT, "network: the batch is empty");
    if (seqs->n_rows > INT32_MAX)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "network: %zu frames in a batch, expected at most %d", seqs->n_rows,
                        INT32_MAX);
    if (training && net->forward_only)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "network: made for inference alone, cannot run a training pass");
    if (dropout != NULL && !(dropout->rate >= 0 && dropout->rate < 1))
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "network: dropout rate is %g, expected 0 or more and below 1",
                        dropout->rate);
    return OTO_OK;
}

/* From the output x of layer l to what the layer above it reads: projection, dropout, pairs. */
static const oto_real *hand_up(const struct oto_network *net, struct oto_network_workspace *ws,
                               oto_real *h, int l, bool keep, const struct oto_dropout *dropout,
                               struct oto_pool *pool)
{
    const struct oto_network_shape *shape = &net->shape;
    const struct oto_sequences *rows = oto_network_layer_rows(ws, l);
    const int width = oto_network_handed_up(shape);
    oto_real *input = ws->inputs[input_slot(l, keep)].p;
    oto_real *between = oto_network_reduces(shape, l) ? ws->unpaired.p : input;
    const oto_real *x = h;
    if (oto_network_has_proj(shape, l)) {
        oto_linear_forward(&net->proj[l], between, x, rows->n_rows, pool);
        x = between;
    }
    if (dropout != NULL) {
        oto_real *y = oto_network_has_proj(shape, l) || keep ? between : h;
        oto_network_drop(y, x, rows->n_rows, width, l, dropout, pool);
        x = y;
    }
    if (!oto_network_reduces(shape, l))
        return x;
    oto_network_pair(input, x, oto_network_layer_rows(ws, l + 1), rows, width);
    return input;
}

/* The stack up to the output of the last layer, [N', 2H]. */
static const oto_real *run_layers(const struct oto_network *net, struct oto_network_workspace *ws,
                                  const oto_real *x, bool keep, const struct oto_dropout *dropout,
                                  struct oto_pool *pool)
{
    const int n_layers = net->shape.n_layers;
    for (int l = 0; l < n_layers; l++) {
        oto_real *h = ws->outputs[output_slot(net, l, keep)].p;
        oto_bilstm_forward(&net->layers[l], &net->dsp, &ws->states[keep ? l : 0], keep, h, x,
                           oto_network_layer_rows(ws, l), pool);
        x = l == n_layers - 1 ? h : hand_up(net, ws, h, l, keep, dropout, pool);
    }
    return x;
}

/* Everything that a batch needs beside its input and output. */
static oto_status prepare(const struct oto_network *net, struct oto_network_workspace *ws,
                          const struct oto_sequences *seqs, bool keep, bool dropping,
                          oto_error *err)
{
    bool chunked = keep && ws->chunked;
    oto_status status = oto_network_set_levels(net, ws, seqs, chunked, err);
    if (status != OTO_OK)
        return status;
    if (!reserve(net, ws, keep, dropping) || (chunked && !reserve_chunked(net, ws)))
        return oto_fail(err, OTO_ERR_MEMORY, "out of memory (activations of %zu frames)",
                        ws->rows[0]->n_rows);
    return keep && ws->has_auxiliary ? oto_network_auxiliary_reserve(net, ws, err) : OTO_OK;
}

oto_status oto_network_forward(const struct oto_network *net, struct oto_network_workspace *ws,
                               oto_real *log_probs, const oto_real *x,
                               const struct oto_sequences *seqs, int training,
                               const struct oto_network_dropout *dropout, struct oto_pool *pool,
                               oto_error *err)
{
    ws->kept.valid = false;
    oto_status status = check(net, ws, seqs, training, dropout, err);
    if (status != OTO_OK)
        return status;
    bool keep = training != 0, dropping = dropout != NULL && dropout->rate > 0;
    bool chunked = keep && ws->chunked, auxiliary = keep && ws->has_auxiliary;
    status = prepare(net, ws, seqs, keep, dropping, err);
    if (status != OTO_OK)
        return status;
    struct oto_dropout drop = {0};
    if (dropping)
        drop = (struct oto_dropout){dropout->rate, dropout->seed, dropout->stream};

    const int last = net->shape.n_layers - 1;
    const struct oto_sequences *out = oto_network_rows(ws, last);
    if (chunked) {
        oto_windows_spread(ws->rows[0], seqs, ws->window_x.p, x, net->shape.n_inputs);
        x = ws->window_x.p;
    }
    const oto_real *top = run_layers(net, ws, x, keep, dropping ? &drop : NULL, pool);
    if (chunked) {
        oto_windows_take(oto_network_layer_rows(ws, last), out, ws->top.p, top,
                         2 * net->shape.n_hidden);
        top = ws->top.p;
    }
    oto_linear_forward(&net->output, log_probs, top, out->n_rows, pool);
    oto_network_softmax(net, log_probs, out->n_rows, pool);
    if (auxiliary)
        oto_network_auxiliary_forward(net, ws, chunked, pool);

    ws->kept = (struct oto_network_kept){.valid = keep,
                                         .n_rows = seqs->n_rows,
                                         .n_utts = seqs->n_utts,
                                         .dropped = dropping,
                                         .chunked = chunked,
                                         .auxiliary = auxiliary,
                                         .dropout = drop};
    return OTO_OK;
}
