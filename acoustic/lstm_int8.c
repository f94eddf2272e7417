/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/lstm_int8.h"

#include <string.h>

#include "acoustic/dsp_c.h"
#include "base/mem.h"

/*
 * Rows whose input products are computed at once: enough that W is read seldom, few enough that
 * their gates (4 Hp floats a row) stay in the second-level cache beside the matrices.
 */
enum { PORTION_ROWS = 96 };

oto_status oto_lstm_int8_init(struct oto_lstm_int8 *lstm, const struct oto_dsp_int8 *dsp,
                              int n_inputs, int n_hidden, bool reverse, oto_error *err)
{
    lstm->dsp = dsp;
    lstm->reverse = reverse;
    lstm->bias = oto_calloc(4 * oto_dsp_padded(n_hidden, dsp->unit_block), sizeof *lstm->bias);
    if (lstm->bias != NULL && oto_int8_matrix_init(&lstm->w, dsp, n_hidden, n_inputs) &&
        oto_int8_matrix_init(&lstm->r, dsp, n_hidden, n_hidden))
        return OTO_OK;
    oto_lstm_int8_clear(lstm);
    return oto_fail_memory(err, "weights of an LSTM layer");
}

void oto_lstm_int8_clear(struct oto_lstm_int8 *lstm)
{
    oto_int8_matrix_clear(&lstm->w);
    oto_int8_matrix_clear(&lstm->r);
    oto_free(lstm->bias);
    *lstm = (struct oto_lstm_int8){0};
}

void oto_lstm_int8_set(struct oto_lstm_int8 *lstm, const struct oto_int8_rows *w,
                       const struct oto_int8_rows *r, const float *bias)
{
    const struct oto_dsp_int8 *dsp = lstm->dsp;
    oto_int8_matrix_set(&lstm->w, dsp, w->codes, w->scales, 1);
    oto_int8_matrix_set(&lstm->r, dsp, r->codes, r->scales, 1 / (oto_real)127);
    for (int gate = 0; gate < 4; gate++)
        for (int j = 0; j < lstm->r.n_units; j++)
            lstm->bias[oto_dsp_blocked(gate, (size_t)j, (size_t)dsp->unit_block)] =
                (oto_real)*bias++;
}

static size_t portion_rows(const struct oto_sequences *seqs)
{
    const size_t n_utts = (size_t)seqs->n_utts,
                 rows = n_utts > PORTION_ROWS ? n_utts : PORTION_ROWS;
    return rows < seqs->n_rows ? rows : seqs->n_rows;
}

/* The parts of the scratch, each a multiple of 64 bytes. */
struct parts {
    size_t code_stride;          /* of the input's codes */
    size_t gates, scales, cells; /* bytes */
    size_t codes, states;        /* bytes; states: of one step */
};

static size_t round_up(size_t n)
{
    return (n + 63) / 64 * 64;
}

static struct parts cut(const struct oto_lstm_int8 *lstm, const struct oto_sequences *seqs)
{
    const size_t hp = oto_dsp_padded(lstm->r.n_units, lstm->dsp->unit_block);
    const size_t n_rows = portion_rows(seqs), n_utts = (size_t)seqs->n_utts;
    struct parts p = {.code_stride = round_up((size_t)lstm->w.n_cols)};
    p.gates = round_up(n_rows * 4 * hp * sizeof(oto_real));
    p.scales = round_up(n_rows * sizeof(oto_real));
    p.cells = round_up(n_utts * hp * sizeof(oto_real));
    p.codes = n_rows * p.code_stride;
    p.states = round_up(n_utts * hp);
    return p;
}

bool oto_lstm_int8_scratch(const struct oto_lstm_int8 *lstm, const struct oto_sequences *seqs,
                           size_t *n_bytes)
{
    /* Widths are at most 2^16 and rows less than 2^31 (network.h): a sum of products below 2^51,
     * which only an address space of 32 bits cannot count. */
    size_t widest;
    const size_t hp = oto_dsp_padded(lstm->r.n_units, lstm->dsp->unit_block);
    if (!oto_mul_size(portion_rows(seqs), 16 * sizeof(oto_real) * hp + 256, &widest) ||
        !oto_mul_size(portion_rows(seqs), 4 * (size_t)lstm->w.n_cols + 256, &widest))
        return false;
    const struct parts p = cut(lstm, seqs);
    *n_bytes = p.gates + p.scales + p.cells + p.codes + 2 * p.states;
    return true;
}

/* What a pass works on. */
struct pass {
    const struct oto_lstm_int8 *lstm;
    const struct oto_sequences *seqs;
    oto_real *gates, *scales, *cells;
    uint8_t *codes, *states[2]; /* of the step before and of this one in turn */
    size_t code_stride;
    oto_real *h;
    size_t h_stride;
    int n_done; /* steps */
    struct oto_lstm_carry *carry;
};

/* The parts of the scratch that hold cells and states start and leave a pass through these two. */
static void give_state(struct pass *p)
{
    const size_t hp = oto_dsp_padded(p->lstm->r.n_units, p->lstm->dsp->unit_block);
    memcpy(p->cells, p->carry->c, hp * sizeof *p->cells);
    memcpy(p->states[1], p->carry->codes, hp); /* which the first step reads */
}

static void take_state(struct pass *p)
{
    const size_t hp = oto_dsp_padded(p->lstm->r.n_units, p->lstm->dsp->unit_block);
    memcpy(p->carry->c, p->cells, hp * sizeof *p->cells);
    memcpy(p->carry->codes, p->states[~p->n_done & 1], hp); /* which the last step wrote */
    p->carry->started = true;
}

/* Step t, whose first row is `row` of the portion. */
static void step(struct pass *p, int t, size_t row)
{
    const struct oto_lstm_int8 *lstm = p->lstm;
    const struct oto_sequences *seqs = p->seqs;
    const int t_prev = lstm->reverse ? t + 1 : t - 1, n_rows = seqs->n_active[t];
    int n_prev = p->carry != NULL && p->carry->started; /* outside the batch, else zero state */
    if (t_prev >= 0 && t_prev < seqs->max_t)
        n_prev = seqs->n_active[t_prev] < n_rows ? seqs->n_active[t_prev] : n_rows;
    const size_t n_gates = 4 * oto_dsp_padded(lstm->r.n_units, lstm->dsp->unit_block);
    lstm->dsp->lstm_step(p->gates + row * n_gates, p->cells,
                         p->h + seqs->row_offset[t] * p->h_stride, p->h_stride,
                         p->states[p->n_done & 1], p->states[~p->n_done & 1], n_rows, n_prev,
                         &lstm->r, (p->n_done & 1) != 0);
    p->n_done++;
    if (p->carry != NULL && p->n_done == p->carry->n_steps)
        take_state(p);
}

/* Steps that fit into a portion, from the one after those done, in the direction's order; *first is
 * the earliest of them. */
static int next_steps(const struct pass *p, int *first)
{
    const struct oto_sequences *seqs = p->seqs;
    const size_t limit = portion_rows(seqs);
    const int begin = p->lstm->reverse ? seqs->max_t - 1 - p->n_done : p->n_done;
    size_t rows = 0;
    int n = 0;
    while (p->n_done + n < seqs->max_t) {
        const int t = p->lstm->reverse ? begin - n : begin + n;
        rows += (size_t)seqs->n_active[t];
        if (rows > limit)
            break;
        n++;
    }
    *first = p->lstm->reverse ? begin - n + 1 : begin;
    return n;
}

void oto_lstm_int8_forward(const struct oto_lstm_int8 *lstm, void *scratch, oto_real *h,
                           size_t h_stride, const oto_real *x, const struct oto_sequences *seqs,
                           struct oto_lstm_carry *carry)
{
    const struct parts parts = cut(lstm, seqs);
    const size_t n_inputs = (size_t)lstm->w.n_cols;
    char *at = scratch;
    struct pass p = {.lstm = lstm,
                     .seqs = seqs,
                     .code_stride = parts.code_stride,
                     .h = h,
                     .h_stride = h_stride,
                     .carry = carry};
    p.gates = (oto_real *)(void *)at;
    p.scales = (oto_real *)(void *)(at += parts.gates);
    p.cells = (oto_real *)(void *)(at += parts.scales);
    p.codes = (uint8_t *)(at += parts.cells);
    p.states[0] = (uint8_t *)(at += parts.codes);
    p.states[1] = (uint8_t *)(at + parts.states);
    if (carry != NULL && carry->started)
        give_state(&p);

    while (p.n_done < seqs->max_t) {
        int first;
        const int n = next_steps(&p, &first);
        const size_t row0 = seqs->row_offset[first], n_rows = seqs->row_offset[first + n] - row0;
        lstm->dsp->quantize_rows(p.codes, p.code_stride, p.scales, x + row0 * n_inputs, n_inputs,
                                 n_rows, n_inputs);
        lstm->dsp->input_product(p.gates, p.codes, p.code_stride, p.scales, n_rows, &lstm->w,
                                 lstm->bias);
        for (int i = 0; i < n; i++) {
            const int t = lstm->reverse ? first + n - 1 - i : first + i;
            step(&p, t, seqs->row_offset[t] - row0);
        }
    }
}
