/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/bilstm.h"

#include "base/mem.h"

/* One block of rows of the widest kernel: larger groups would be cut into such blocks anyway. */
enum { GROUP_UTTS = 12 };

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
                                const struct oto_dsp *dsp, const struct oto_sequences *seqs)
{
    for (int d = 0; d < 2; d++) {
        const struct oto_lstm *lstm = &layer->dir[d];
        size_t n_weights, n_parts = (size_t)oto_lstm_weight_parts(lstm, dsp);
        if (!oto_lstm_weight_scratch(lstm, dsp, &n_weights) ||
            !oto_buffer_reserve(&scratch->dcells[d], 6 * (size_t)seqs->n_utts,
                                (size_t)lstm->n_cells) ||
            !oto_buffer_reserve(&scratch->weights[d], n_parts, n_weights))
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
        oto_buffer_clear(&scratch->weights[d]);
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
    const struct oto_sequences *reverse; /* of a window: what the reverse direction runs over */
    struct oto_lstm_carry *carry;        /* of a window: of the forward direction */
};

static void forward_task(void *arg, int d)
{
    const struct bilstm_job *job = arg;
    size_t n_hidden = (size_t)job->layer->dir[d].n_hidden;
    const struct oto_sequences *seqs = d == 1 && job->reverse != NULL ? job->reverse : job->seqs;
    struct oto_lstm_carry *carry = d == 0 ? job->carry : NULL;
    if (job->layer->quantized) {
        oto_lstm_int8_forward(&job->layer->int8[d], job->state->int8[d].p,
                              job->h_out + (size_t)d * n_hidden, 2 * n_hidden, job->x, seqs, carry);
        return;
    }
    oto_lstm_forward(&job->layer->dir[d], job->dsp, job->keep, job->state->gates[d].p,
                     job->state->cells[d].p, job->h_out + (size_t)d * n_hidden, 2 * n_hidden,
                     job->x, seqs, carry);
}

void oto_bilstm_forward(const struct oto_bilstm *layer, const struct oto_dsp *dsp,
                        struct oto_bilstm_state *state, bool keep, oto_real *h, const oto_real *x,
                        const struct oto_sequences *seqs, struct oto_pool *pool)
{
    struct bilstm_job job = {
        .layer = layer, .dsp = dsp, .state = state, .keep = keep, .h_out = h, .x = x, .seqs = seqs};
    oto_pool_run(pool, 2, forward_task, &job);
}

void oto_bilstm_forward_window(const struct oto_bilstm *layer, const struct oto_dsp *dsp,
                               struct oto_bilstm_state *state, struct oto_lstm_carry *carry,
                               oto_real *h, const oto_real *x, const struct oto_sequences *forward,
                               const struct oto_sequences *reverse, struct oto_pool *pool)
{
    struct bilstm_job job = {.layer = layer,
                             .dsp = dsp,
                             .state = state,
                             .h_out = h,
                             .x = x,
                             .seqs = forward,
                             .reverse = reverse,
                             .carry = carry};
    oto_pool_run(pool, 2, forward_task, &job);
}

/* Groups of utterances that go back through time on their own, as even as they can be. */
static int n_groups(const struct oto_sequences *seqs)
{
    return (seqs->n_utts + GROUP_UTTS - 1) / GROUP_UTTS;
}

static void steps_task(void *arg, int k)
{
    const struct bilstm_job *job = arg;
    int d = k & 1, n_utts = job->seqs->n_utts, n = n_groups(job->seqs);
    int size = (n_utts + n - 1) / n, first = k / 2 * size;
    size_t n_hidden = (size_t)job->layer->dir[d].n_hidden;
    oto_lstm_backward_steps(&job->layer->dir[d], job->dsp, job->state->gates[d].p,
                            job->scratch->dcells[d].p, job->dh + (size_t)d * n_hidden, 2 * n_hidden,
                            job->state->cells[d].p, job->seqs, first,
                            first + size < n_utts ? first + size : n_utts);
}

/* The first tasks are parts of the weights' gradients of each direction, the rest blocks of rows of
 * dx. */
static void products_task(void *arg, int k)
{
    const struct bilstm_job *job = arg;
    const struct oto_bilstm *layer = job->layer;
    int n_parts = oto_lstm_weight_parts(&layer->dir[0], job->dsp), d = k & 1;
    size_t n_hidden = (size_t)layer->dir[d].n_hidden;
    if (k < 2 * n_parts) {
        struct oto_buffer *scratch = &job->scratch->weights[d];
        size_t part_size = scratch->n / (size_t)n_parts;
        oto_lstm_backward_weights(&layer->dir[d], job->dsp, &job->grads[d],
                                  scratch->p + (size_t)(k / 2) * part_size,
                                  job->scratch->dbias_sum[d], job->state->gates[d].p, job->x,
                                  job->h + (size_t)d * n_hidden, 2 * n_hidden, job->seqs, k / 2);
        return;
    }
    struct oto_row_block rows = oto_row_block(job->seqs->n_rows, k - 2 * n_parts);
    for (d = 0; d < 2; d++)
        oto_lstm_backward_inputs(&layer->dir[d], job->dx, (oto_real)d, job->state->gates[d].p,
                                 rows.first, rows.n);
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
    oto_pool_run(pool, 2 * n_groups(seqs), steps_task, &job);
    int n_tasks = 2 * oto_lstm_weight_parts(&layer->dir[0], dsp) +
                  (dx != NULL ? oto_row_blocks(seqs->n_rows) : 0);
    oto_pool_run(pool, n_tasks, products_task, &job);
}
