/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/lstm.h"

#include <string.h>

#include "acoustic/gemm.h"
#include "base/mem.h"

/*
 * Enough rows that packing W inside the matrix product is a small part of it, few enough that the
 * gates of a portion are still in the last-level cache when the recurrence reads them.
 */
enum { PORTION_ROWS = 1024 };

oto_status oto_lstm_init(struct oto_lstm *lstm, const struct oto_dsp *dsp, int n_inputs,
                         int n_hidden, bool reverse, oto_error *err)
{
    int u = dsp->unit_block;
    lstm->n_inputs = n_inputs;
    lstm->n_hidden = n_hidden;
    lstm->n_cells = (n_hidden + u - 1) / u * u;
    lstm->n_gates = 4 * lstm->n_cells;
    lstm->reverse = reverse;

    size_t n_w;
    if (oto_mul_size((size_t)lstm->n_gates, (size_t)n_inputs, &n_w)) {
        lstm->w = oto_calloc(n_w, sizeof *lstm->w);
        lstm->bias = oto_calloc((size_t)lstm->n_gates, sizeof *lstm->bias);
        lstm->r_forward = oto_calloc(dsp->recurrent_size(n_hidden), sizeof *lstm->r_forward);
        lstm->r_backward = oto_calloc(dsp->recurrent_size(n_hidden), sizeof *lstm->r_backward);
    }
    if (lstm->w == NULL || lstm->bias == NULL || lstm->r_forward == NULL ||
        lstm->r_backward == NULL) {
        oto_lstm_clear(lstm);
        return oto_fail_memory(err, "weights of an LSTM layer");
    }
    return OTO_OK;
}

void oto_lstm_clear(struct oto_lstm *lstm)
{
    oto_free(lstm->w);
    oto_free(lstm->bias);
    oto_free(lstm->r_forward);
    oto_free(lstm->r_backward);
    oto_free(lstm->r_half);
    *lstm = (struct oto_lstm){0};
}

oto_status oto_lstm_for_inference(struct oto_lstm *lstm, const struct oto_dsp *dsp, oto_error *err)
{
    if (lstm->r_half == NULL && dsp->half_rows > 0) {
        lstm->r_half = oto_calloc(dsp->recurrent_size(lstm->n_hidden), sizeof *lstm->r_half);
        if (lstm->r_half == NULL)
            return oto_fail_memory(err, "weights of an LSTM layer in half precision");
    }
    oto_free(lstm->r_backward);
    lstm->r_backward = NULL;
    return OTO_OK;
}

/* Row of the blocked order where gate q (i, f, g, o = 0..3) of unit j stands. */
static size_t blocked_row(int q, int j, int unit_block)
{
    return (size_t)(j / unit_block) * 4 * (size_t)unit_block + (size_t)(q * unit_block) +
           (size_t)(j % unit_block);
}

void oto_lstm_set(struct oto_lstm *lstm, const struct oto_dsp *dsp, const oto_real *w,
                  const oto_real *r, const oto_real *bias)
{
    size_t n_in = (size_t)lstm->n_inputs;
    for (int q = 0; q < 4; q++) {
        for (int j = 0; j < lstm->n_hidden; j++) {
            size_t to = blocked_row(q, j, dsp->unit_block);
            size_t from = (size_t)q * (size_t)lstm->n_hidden + (size_t)j;
            memcpy(lstm->w + to * n_in, w + from * n_in, n_in * sizeof *w);
            lstm->bias[to] = bias[from];
        }
    }
    dsp->pack_recurrent_forward(lstm->r_forward, r, lstm->n_hidden);
    lstm->half = lstm->r_half != NULL &&
                 oto_dsp_halve(lstm->r_half, lstm->r_forward, dsp->recurrent_size(lstm->n_hidden));
    if (lstm->r_backward != NULL)
        dsp->pack_recurrent_backward(lstm->r_backward, r, lstm->n_hidden);
}

size_t oto_lstm_portion_rows(const struct oto_sequences *seqs)
{
    size_t rows = (size_t)seqs->n_utts > PORTION_ROWS ? (size_t)seqs->n_utts : PORTION_ROWS;
    return rows < seqs->n_rows ? rows : seqs->n_rows;
}

/* The steps of one portion, first <= t < end in time, which start at row_offset[first]. */
struct portion {
    int first, end;
};

/* The portion after (in the order of the direction) the steps already done; `done` counts them. */
static struct portion next_portion(const struct oto_sequences *seqs, bool reverse, int done)
{
    size_t limit = oto_lstm_portion_rows(seqs), rows = 0;
    int n = 0, t = reverse ? seqs->max_t - 1 - done : done;
    while (done + n < seqs->max_t && rows + (size_t)seqs->n_active[t] <= limit) {
        rows += (size_t)seqs->n_active[t];
        t += reverse ? -1 : 1;
        n++;
    }
    return reverse ? (struct portion){t + 1, t + 1 + n} : (struct portion){t - n, t};
}

/* The states that the first n_rows rows of a step start from. */
struct previous {
    int n_rows;
    const oto_real *h, *c;
};

/* Of step t, which starts from step t_prev (-1: none), whose cells c_prev are. */
static struct previous previous_of(const struct oto_sequences *seqs, int t, int t_prev,
                                   const oto_real *c_prev, const oto_real *h, size_t h_stride,
                                   const struct oto_lstm_carry *carry)
{
    if (t_prev >= 0) {
        int n = seqs->n_active[t_prev], n_rows = seqs->n_active[t];
        return (struct previous){n < n_rows ? n : n_rows, h + seqs->row_offset[t_prev] * h_stride,
                                 c_prev};
    }
    if (carry != NULL && carry->started)
        return (struct previous){1, carry->h, carry->c};
    return (struct previous){0, h, c_prev}; /* outside the batch no row has a state */
}

/* Step t: adds the bias to the input products and runs the kernel. gates and c point to step t's
 * first row. */
static void forward_step(const struct oto_lstm *lstm, const struct oto_dsp *dsp,
                         const struct oto_sequences *seqs, int t, oto_real *gates, oto_real *c,
                         const struct previous *prev, oto_real *h, size_t h_stride)
{
    int n_rows = seqs->n_active[t];
    for (int b = 0; b < n_rows; b++) {
        oto_real *row = gates + (size_t)b * (size_t)lstm->n_gates;
        for (int j = 0; j < lstm->n_gates; j++)
            row[j] += lstm->bias[j];
    }
    oto_real *h_t = h + seqs->row_offset[t] * h_stride;
    if (lstm->half && n_rows <= dsp->half_rows)
        dsp->lstm_forward_half(gates, c, h_t, h_stride, prev->h, h_stride, prev->c, n_rows,
                               prev->n_rows, lstm->r_half, lstm->n_hidden, (t & 1) != 0);
    else
        dsp->lstm_forward(gates, c, h_t, h_stride, prev->h, h_stride, prev->c, n_rows, prev->n_rows,
                          lstm->r_forward, lstm->n_hidden, (t & 1) != 0);
}

/* After step t, whose first row c and h point to. */
static void take_state(const struct oto_lstm *lstm, struct oto_lstm_carry *carry, int t,
                       const oto_real *c, const oto_real *h)
{
    if (t != carry->n_steps - 1)
        return;
    memcpy(carry->c, c, (size_t)lstm->n_cells * sizeof *c);
    memcpy(carry->h, h, (size_t)lstm->n_hidden * sizeof *h);
    carry->started = true;
}

void oto_lstm_forward(const struct oto_lstm *lstm, const struct oto_dsp *dsp, bool keep,
                      oto_real *gates, oto_real *cells, oto_real *h, size_t h_stride,
                      const oto_real *x, const struct oto_sequences *seqs,
                      struct oto_lstm_carry *carry)
{
    size_t n_gates = (size_t)lstm->n_gates, n_cells = (size_t)lstm->n_cells;
    size_t n_in = (size_t)lstm->n_inputs;
    /* Two steps of cells alternate when they are not kept. */
    oto_real *c_pair[2] = {cells, cells + (size_t)seqs->n_utts * n_cells};
    const oto_real *c_last = cells;

    for (int done = 0; done < seqs->max_t;) {
        struct portion p = next_portion(seqs, lstm->reverse, done);
        size_t row0 = seqs->row_offset[p.first], n_rows = seqs->row_offset[p.end] - row0;
        oto_real *g = gates + (keep ? row0 * n_gates : 0); /* [n_rows, 4*Hp] */
        oto_gemm(false, true, n_rows, n_gates, n_in, x + row0 * n_in, n_in, lstm->w, n_in, 0, g,
                 n_gates);
        for (int n = p.end - p.first, i = 0; i < n; i++) {
            int t = lstm->reverse ? p.end - 1 - i : p.first + i;
            oto_real *c = keep ? cells + seqs->row_offset[t] * n_cells : c_pair[t & 1];
            int t_prev = oto_sequences_before(seqs, t, lstm->reverse);
            const oto_real *c_prev =
                keep && t_prev >= 0 ? cells + seqs->row_offset[t_prev] * n_cells : c_last;
            const struct previous prev = previous_of(seqs, t, t_prev, c_prev, h, h_stride, carry);
            forward_step(lstm, dsp, seqs, t, g + (seqs->row_offset[t] - row0) * n_gates, c, &prev,
                         h, h_stride);
            if (carry != NULL)
                take_state(lstm, carry, t, c, h + seqs->row_offset[t] * h_stride);
            c_last = c;
        }
        done += p.end - p.first;
    }
}
