/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/bilstm.h"

#include "base/mem.h"

oto_status oto_bilstm_init(struct oto_bilstm *layer, const struct oto_dsp *dsp, int n_inputs,
                           int n_hidden, oto_error *err)
{
    for (int d = 0; d < 2; d++) {
        oto_status status = oto_lstm_init(&layer->dir[d], dsp, n_inputs, n_hidden, d == 1, err);
        if (status != OTO_OK) {
            oto_bilstm_clear(layer);
            return status;
        }
    }
    return OTO_OK;
}

oto_status oto_bilstm_init_int8(struct oto_bilstm *layer, const struct oto_dsp_int8 *dsp,
                                int n_inputs, int n_hidden, oto_error *err)
{
    layer->quantized = true;
    for (int d = 0; d < 2; d++) {
        layer->dir[d].n_inputs = n_inputs;
        layer->dir[d].n_hidden = n_hidden;
        oto_status status =
            oto_lstm_int8_init(&layer->int8[d], dsp, n_inputs, n_hidden, d == 1, err);
        if (status != OTO_OK) {
            oto_bilstm_clear(layer);
            return status;
        }
    }
    return OTO_OK;
}

void oto_bilstm_clear(struct oto_bilstm *layer)
{
    for (int d = 0; d < 2; d++) {
        oto_lstm_clear(&layer->dir[d]);
        oto_lstm_int8_clear(&layer->int8[d]);
    }
    layer->quantized = false;
}

static bool reserve_int8(struct oto_bilstm_state *state, const struct oto_bilstm *layer,
                         const struct oto_sequences *seqs)
{
    for (int d = 0; d < 2; d++) {
        size_t n_bytes;
        if (!oto_lstm_int8_scratch(&layer->int8[d], seqs, &n_bytes) ||
            !oto_buffer_reserve(&state->int8[d], 1, n_bytes / sizeof(oto_real)))
            return false;
    }
    return true;
}

bool oto_bilstm_state_reserve(struct oto_bilstm_state *state, const struct oto_bilstm *layer,
                              const struct oto_sequences *seqs, bool keep)
{
    if (layer->quantized)
        return reserve_int8(state, layer, seqs);
    size_t n_gate_rows = keep ? seqs->n_rows : oto_lstm_portion_rows(seqs);
    size_t n_cell_rows = keep ? seqs->n_rows : 2 * (size_t)seqs->n_utts;
    for (int d = 0; d < 2; d++) {
        if (!oto_buffer_reserve(&state->gates[d], n_gate_rows, (size_t)layer->dir[d].n_gates) ||
            !oto_buffer_reserve(&state->cells[d], n_cell_rows, (size_t)layer->dir[d].n_cells))
            return false;
    }
    return true;
}

void oto_bilstm_state_clear(struct oto_bilstm_state *state)
{
    for (int d = 0; d < 2; d++) {
        oto_buffer_clear(&state->gates[d]);
        oto_buffer_clear(&state->cells[d]);
        oto_buffer_clear(&state->int8[d]);
    }
}

bool oto_bilstm_scratch_reserve(struct oto_bilstm_scratch *scratch, const struct oto_bilstm *layer,
                                const struct oto_sequences *seqs)
{
    for (int d = 0; d < 2; d++) {
        const struct oto_lstm *lstm = &layer->dir[d];
        size_t n_gates = (size_t)lstm->n_gates, n_hidden = (size_t)lstm->n_hidden;
        if (!oto_buffer_reserve(&scratch->dcells[d], (size_t)seqs->n_utts, (size_t)lstm->n_cells) ||
            !oto_buffer_reserve(&scratch->dw[d], n_gates, (size_t)lstm->n_inputs) ||
            !oto_buffer_reserve(&scratch->dr[d], n_gates, n_hidden) ||
            !oto_buffer_reserve(&scratch->h_prev[d], seqs->n_rows, n_hidden))
            return false;
    }
    size_t n_sums = (size_t)layer->dir[0].n_gates;
    if (n_sums > scratch->n_dbias_sum) {
        for (int d = 0; d < 2; d++) {
            oto_free(scratch->dbias_sum[d]);
            scratch->dbias_sum[d] = oto_calloc(n_sums, sizeof(double));
        }
        scratch->n_dbias_sum =
            scratch->dbias_sum[0] != NULL && scratch->dbias_sum[1] != NULL ? n_sums : 0;
    }
    return scratch->n_dbias_sum > 0;
}

void oto_bilstm_scratch_clear(struct oto_bilstm_scratch *scratch)
{
    for (int d = 0; d < 2; d++) {
        oto_buffer_clear(&scratch->dcells[d]);
        oto_buffer_clear(&scratch->dw[d]);
        oto_buffer_clear(&scratch->dr[d]);
        oto_buffer_clear(&scratch->h_prev[d]);
        oto_free(scratch->dbias_sum[d]);
    }
    *scratch = (struct oto_bilstm_scratch){0};
}

struct bilstm_job {
    const struct oto_bilstm *layer;
    const struct oto_dsp *dsp;
    struct oto_bilstm_state *state;
    struct oto_bilstm_scratch *scratch;
    const struct oto_lstm_gradients *grads;
    bool keep;
    oto_real *h_out, *dx;
    const oto_real *x, *h, *dh;
    const struct oto_sequences *seqs;
};

static void forward_task(void *arg, int d)
{
    const struct bilstm_job *job = arg;
    size_t n_hidden = (size_t)job->layer->dir[d].n_hidden;
    if (job->layer->quantized) {
        oto_lstm_int8_forward(&job->layer->int8[d], job->state->int8[d].p,
                              job->h_out + (size_t)d * n_hidden, 2 * n_hidden, job->x, job->seqs);
        return;
    }
    oto_lstm_forward(&job->layer->dir[d], job->dsp, job->keep, job->state->gates[d].p,
                     job->state->cells[d].p, job->h_out + (size_t)d * n_hidden, 2 * n_hidden,
                     job->x, job->seqs);
}

void oto_bilstm_forward(const struct oto_bilstm *layer, const struct oto_dsp *dsp,
                        struct oto_bilstm_state *state, bool keep, oto_real *h, const oto_real *x,
                        const struct oto_sequences *seqs, struct oto_pool *pool)
{
    struct bilstm_job job = {
        .layer = layer, .dsp = dsp, .state = state, .keep = keep, .h_out = h, .x = x, .seqs = seqs};
    oto_pool_run(pool, 2, forward_task, &job);
}

static void steps_task(void *arg, int d)
{
    const struct bilstm_job *job = arg;
    size_t n_hidden = (size_t)job->layer->dir[d].n_hidden;
    oto_lstm_backward_steps(&job->layer->dir[d], job->dsp, job->state->gates[d].p,
                            job->scratch->dcells[d].p, job->scratch->dbias_sum[d],
                            job->grads[d].dbias, job->dh + (size_t)d * n_hidden, 2 * n_hidden,
                            job->state->cells[d].p, job->seqs);
}

/* Tasks 0, 1: dR of each direction; 2, 3: dW; from 4 on: blocks of rows of dx. */
static void products_task(void *arg, int k)
{
    const struct bilstm_job *job = arg;
    int d = k & 1;
    const struct oto_lstm *lstm = &job->layer->dir[d];
    size_t n_hidden = (size_t)lstm->n_hidden;
    if (k < 2) {
        oto_lstm_backward_recurrent_weights(lstm, job->dsp, job->grads[d].dr, job->scratch->dr[d].p,
                                            job->scratch->h_prev[d].p, job->state->gates[d].p,
                                            job->h + (size_t)d * n_hidden, 2 * n_hidden, job->seqs);
    } else if (k < 4) {
        oto_lstm_backward_input_weights(lstm, job->dsp, job->grads[d].dw, job->scratch->dw[d].p,
                                        job->state->gates[d].p, job->x, job->seqs);
    } else {
        struct oto_row_block rows = oto_row_block(job->seqs->n_rows, k - 4);
        for (d = 0; d < 2; d++)
            oto_lstm_backward_inputs(&job->layer->dir[d], job->dx, (oto_real)d,
                                     job->state->gates[d].p, rows.first, rows.n);
    }
}

void oto_bilstm_backward(const struct oto_bilstm *layer, const struct oto_dsp *dsp,
                         struct oto_bilstm_state *state, struct oto_bilstm_scratch *scratch,
                         const struct oto_lstm_gradients grads[2], oto_real *dx, const oto_real *dh,
                         const oto_real *h, const oto_real *x, const struct oto_sequences *seqs,
                         struct oto_pool *pool)
{
    struct bilstm_job job = {.layer = layer,
                             .dsp = dsp,
                             .state = state,
                             .scratch = scratch,
                             .grads = grads,
                             .dx = dx,
                             .x = x,
                             .h = h,
                             .dh = dh,
                             .seqs = seqs};
    oto_pool_run(pool, 2, steps_task, &job);
    int n_tasks = 4 + (dx != NULL ? oto_row_blocks(seqs->n_rows) : 0);
    oto_pool_run(pool, n_tasks, products_task, &job);
}
