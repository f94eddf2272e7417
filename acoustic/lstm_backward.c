/* SPDX-License-Identifier: BSD-2-Clause */
/* The backward half of lstm.h. */
#include <string.h>

#include "acoustic/dsp_c.h"
#include "acoustic/gemm.h"
#include "acoustic/lstm.h"
#include "base/mem.h"

enum {
    /* Frames whose rows of [x | h_prev] and da are packed at a time: a panel of them and the gates
     * of a block stay in the first-level cache, all panels in the second-level one. */
    BLOCK_FRAMES = 192,
    PARTS = 2 /* of the units: each packs all of [x | h_prev] anew, a fortieth of its time */
};

/* Of [0, n) those >= first and < end, counted from first. */
static int rows_within(int n, int first, int end)
{
    return n <= first ? 0 : (n < end ? n : end) - first;
}

/*
 * Two steps of the forward direction may start from one, the first frames of a right context and of
 * the next chunk (sequences.h). What comes back to it from both is one product with R, which is
 * linear, of the sum of their gates' gradients, and the sum of their cells' gradients. The chunk's
 * step comes first on the way back; then the whole context goes through dcells.
 */
struct branch {
    oto_real *dcells, *gates; /* [B, Hp], [B, 4*Hp] */
};

/* After the step that a chunk begins with. */
static void keep_branch(const struct branch *branch, const oto_real *dcells, size_t n_cells,
                        int first, int n_rows)
{
    memcpy(branch->dcells + (size_t)first * n_cells, dcells + (size_t)first * n_cells,
           (size_t)n_rows * n_cells * sizeof *dcells);
}

/* Before the step that both start from: adds to dcells, returns the sum of gates. */
static const oto_real *join_branch(const struct branch *branch, oto_real *dcells, size_t n_cells,
                                   const oto_real *gates_context, const oto_real *gates_chunk,
                                   int first, int n_rows)
{
    size_t at = (size_t)first * n_cells, n = (size_t)n_rows * n_cells;
    oto_real *sum = branch->gates + 4 * at;
    for (size_t i = 0; i < n; i++)
        dcells[at + i] += branch->dcells[at + i];
    for (size_t i = 0; i < 4 * n; i++)
        sum[i] = gates_context[i] + gates_chunk[i];
    return sum;
}

void oto_lstm_backward_steps(const struct oto_lstm *lstm, const struct oto_dsp *dsp,
                             oto_real *gates, oto_real *dcells, const oto_real *dh,
                             size_t dh_stride, const oto_real *cells,
                             const struct oto_sequences *seqs, int first, int end)
{
    size_t n_gates = (size_t)lstm->n_gates, n_cells = (size_t)lstm->n_cells;
    size_t n_states = seqs->frame != NULL ? (size_t)seqs->n_utts * n_cells : 0;
    const struct branch branch = {dcells + n_states, dcells + 2 * n_states};
    for (int i = 0; i < seqs->max_t; i++) {
        int t = lstm->reverse ? i : seqs->max_t - 1 - i;
        /* "next" was computed after t in the forward pass, "prev" before it. */
        int t_next = oto_sequences_after(seqs, t, lstm->reverse);
        int t_prev = oto_sequences_before(seqs, t, lstm->reverse);
        int t_branch = oto_sequences_branch(seqs, t, lstm->reverse);
        size_t row = oto_sequences_row(seqs, t, first);
        int n_rows = rows_within(seqs->n_active[t], first, end), n_next = 0, n_prev = 0;
        const oto_real *gates_next = gates, *c_prev = cells;
        if (n_rows == 0)
            continue;
        if (t_next >= 0) {
            n_next = rows_within(seqs->n_active[t_next], first, end);
            n_next = n_next < n_rows ? n_next : n_rows;
            gates_next = gates + oto_sequences_row(seqs, t_next, first) * n_gates;
        }
        if (t_branch >= 0) /* as many utterances as in t_next: both are the same frame */
            gates_next = join_branch(&branch, dcells, n_cells, gates_next,
                                     gates + oto_sequences_row(seqs, t_branch, first) * n_gates,
                                     first, n_next);
        if (t_prev >= 0) {
            n_prev = rows_within(seqs->n_active[t_prev], first, end);
            n_prev = n_prev < n_rows ? n_prev : n_rows;
            c_prev = cells + oto_sequences_row(seqs, t_prev, first) * n_cells;
        }
        dsp->lstm_backward(gates + row * n_gates, dcells + (size_t)first * n_cells,
                           dh + row * dh_stride, dh_stride, gates_next, n_next,
                           cells + row * n_cells, c_prev, n_prev, n_rows, lstm->r_backward,
                           lstm->n_hidden, (i & 1) != 0);
        if (t_prev >= 0 && oto_sequences_branch(seqs, t_prev, lstm->reverse) == t)
            keep_branch(&branch, dcells, n_cells, first, n_rows);
    }
}

int oto_lstm_weight_parts(const struct oto_lstm *lstm, const struct oto_dsp *dsp)
{
    int n_blocks = lstm->n_cells / dsp->unit_block;
    return n_blocks < PARTS ? n_blocks : PARTS;
}

/* Columns of whole panels that n_cols columns take. */
static size_t whole_panels(size_t n_cols, size_t width)
{
    return (n_cols + width - 1) / width * width;
}

bool oto_lstm_weight_scratch(const struct oto_lstm *lstm, const struct oto_dsp *dsp, size_t *n)
{
    size_t width = 3 * (size_t)dsp->unit_block; /* of panels, see dsp->add_outer */
    size_t n_cols = whole_panels((size_t)lstm->n_inputs, width) +
                    whole_panels((size_t)lstm->n_hidden, width) + 4 * (size_t)dsp->unit_block;
    return oto_mul_size(BLOCK_FRAMES, n_cols, n);
}

/* Rows of frames on the way into panels [ceil(n_cols/W)][n_k][W]. */
struct panel_writer {
    oto_real *at;
    size_t n_k, n_cols, width;
};

/* Row k; zeros for row NULL. Numbers beside n_cols in the last panel go into no result. */
static void write_row(const struct panel_writer *panels, size_t k, const oto_real *row)
{
    oto_real *to = panels->at + k * panels->width;
    for (size_t first = 0; first < panels->n_cols; first += panels->width) {
        size_t n = panels->n_cols - first;
        if (n > panels->width)
            n = panels->width;
        if (row != NULL)
            memcpy(to, row + first, n * sizeof *to);
        else
            memset(to, 0, n * sizeof *to);
        to += panels->n_k * panels->width;
    }
}

/* The states that rows [row, row + n_k) started from; *t is the step of row, on return of the row
 * after the last. */
static void write_previous_states(const struct oto_lstm *lstm, const struct panel_writer *panels,
                                  const oto_real *h, size_t h_stride,
                                  const struct oto_sequences *seqs, size_t row, int *t)
{
    for (size_t k = 0; k < panels->n_k; k++, row++) {
        while (row >= seqs->row_offset[*t + 1])
            (*t)++;
        size_t b = row - seqs->row_offset[*t];
        int t_prev = oto_sequences_before(seqs, *t, lstm->reverse);
        bool has_prev = t_prev >= 0 && b < (size_t)seqs->n_active[t_prev];
        write_row(panels, k, has_prev ? h + (seqs->row_offset[t_prev] + b) * h_stride : NULL);
    }
}

/* The gates of one block of units of n_k rows, to [4][n_k][U]; their sums to sums [4*U]. */
static void pack_gates(oto_real *packed, double *sums, const oto_real *da, size_t n_gates,
                       size_t n_k, size_t u)
{
    for (size_t k = 0; k < n_k; k++, da += n_gates) {
        for (size_t q = 0; q < 4; q++)
            memcpy(packed + (q * n_k + k) * u, da + q * u, u * sizeof *da);
        for (size_t j = 0; j < 4 * u; j++)
            sums[j] += (double)da[j];
    }
}

/* out [4H, n_cols]: rows of n_units units from `unit` on, all four gates, plus gates^T panels. */
static void add_products(const struct oto_dsp *dsp, oto_real *out, const oto_real *gates,
                         const struct panel_writer *panels, size_t n_hidden, size_t unit,
                         size_t n_units)
{
    size_t u = (size_t)dsp->unit_block, n_k = panels->n_k, n_cols = panels->n_cols;
    const oto_real *panel = panels->at;
    for (size_t first = 0; first < n_cols; first += panels->width, panel += n_k * panels->width) {
        size_t n = n_cols - first < panels->width ? n_cols - first : panels->width;
        for (size_t q = 0; q < 4; q++)
            dsp->add_outer(out + (q * n_hidden + unit) * n_cols + first, n_cols,
                           gates + q * n_k * u, panel, n_k, n_units, n);
    }
}

/* Units [first, end) of a part, and the rows of gradients that they are. */
struct part {
    size_t first, end;
};

static void clear_gradients(const struct oto_lstm *lstm, const struct oto_lstm_gradients *grads,
                            const struct part *part)
{
    size_t n_hidden = (size_t)lstm->n_hidden, n_in = (size_t)lstm->n_inputs;
    size_t n = part->end - part->first;
    for (size_t q = 0; q < 4; q++) {
        size_t row = q * n_hidden + part->first;
        memset(grads->dw + row * n_in, 0, n * n_in * sizeof *grads->dw);
        memset(grads->dr + row * n_hidden, 0, n * n_hidden * sizeof *grads->dr);
    }
}

static void round_bias(const struct oto_lstm *lstm, const struct oto_dsp *dsp, oto_real *dbias,
                       const double *sums, const struct part *part)
{
    for (int q = 0; q < 4; q++)
        for (size_t j = part->first; j < part->end; j++)
            dbias[(size_t)(q * lstm->n_hidden) + j] =
                (oto_real)sums[oto_dsp_blocked(q, j, (size_t)dsp->unit_block)];
}

void oto_lstm_backward_weights(const struct oto_lstm *lstm, const struct oto_dsp *dsp,
                               const struct oto_lstm_gradients *grads, oto_real *scratch,
                               double *dbias_sum, const oto_real *da, const oto_real *x,
                               const oto_real *h, size_t h_stride, const struct oto_sequences *seqs,
                               int part_index)
{
    size_t u = (size_t)dsp->unit_block, width = 3 * u, n_gates = (size_t)lstm->n_gates;
    size_t n_hidden = (size_t)lstm->n_hidden, n_in = (size_t)lstm->n_inputs;
    size_t n_parts = (size_t)oto_lstm_weight_parts(lstm, dsp), n_blocks = n_gates / (4 * u);
    size_t part_units = (n_blocks + n_parts - 1) / n_parts * u;
    struct part part = {(size_t)part_index * part_units, ((size_t)part_index + 1) * part_units};
    if (part.end > n_hidden)
        part.end = n_hidden;

    clear_gradients(lstm, grads, &part);
    memset(dbias_sum + 4 * part.first, 0,
           4 * ((part.end - part.first + u - 1) / u * u) * sizeof *dbias_sum);
    int t = 0;
    for (size_t row = 0; row < seqs->n_rows; row += BLOCK_FRAMES) {
        size_t n_k = seqs->n_rows - row < BLOCK_FRAMES ? seqs->n_rows - row : BLOCK_FRAMES;
        struct panel_writer inputs = {scratch + BLOCK_FRAMES * 4 * u, n_k, n_in, width};
        struct panel_writer states = {inputs.at + n_k * whole_panels(n_in, width), n_k, n_hidden,
                                      width};
        for (size_t k = 0; k < n_k; k++)
            write_row(&inputs, k, x + (row + k) * n_in);
        write_previous_states(lstm, &states, h, h_stride, seqs, row, &t);
        for (size_t unit = part.first; unit < part.end; unit += u) {
            size_t n_units = part.end - unit < u ? part.end - unit : u;
            pack_gates(scratch, dbias_sum + 4 * unit, da + row * n_gates + 4 * unit, n_gates, n_k,
                       u);
            add_products(dsp, grads->dw, scratch, &inputs, n_hidden, unit, n_units);
            add_products(dsp, grads->dr, scratch, &states, n_hidden, unit, n_units);
        }
    }
    round_bias(lstm, dsp, grads->dbias, dbias_sum, &part);
}

void oto_lstm_backward_inputs(const struct oto_lstm *lstm, oto_real *dx, oto_real beta,
                              const oto_real *da, size_t first, size_t n_rows)
{
    size_t n_gates = (size_t)lstm->n_gates, n_in = (size_t)lstm->n_inputs;
    oto_gemm(false, false, n_rows, n_in, n_gates, da + first * n_gates, n_gates, lstm->w, n_in,
             beta, dx + first * n_in, n_in);
}
