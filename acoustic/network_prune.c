/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/network_prune.h"

#include <stdlib.h>
#include <string.h>

#include "acoustic/network_internal.h"
#include "base/mem.h"

struct unit {
    double score;
    int index;
};

struct pruning {
    const struct oto_network_shape *from;
    struct oto_network_shape to;
    const float *params;
    float *pruned;
    struct unit *units; /* [H] scratch */
    int *keep;          /* [L, 2, H'] ascending */
    int *rows, *cols;   /* of the wide tensor that make one of the narrow one */
};

/* Of two units the heavier first, of equal ones the first. */
static int compare_scores(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static int compare_indices(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static int *kept(const struct pruning *p, int l, int direction)
{
    return p->keep + ((size_t)l * 2 + (size_t)direction) * (size_t)p->to.n_hidden;
}

/* Adds the squares of a matrix's columns first .. first + H - 1 to the scores of H units. */
static void add_columns(const struct pruning *p, size_t offset, int n_rows, int n_cols, int first)
{
    for (int i = 0; i < n_rows; i++)
        for (int j = 0; j < p->from->n_hidden; j++) {
            const double w =
                (double)p->params[offset + (size_t)i * (size_t)n_cols + (size_t)(first + j)];
            p->units[j].score += w * w;
        }
}

/* What reads the outputs of a layer: its projection, else the layer above, else the output. */
static void add_readers(const struct pruning *p, int l, int direction)
{
    const struct oto_network_shape *s = p->from;
    const int h = s->n_hidden, first = direction * h;
    struct oto_layer_offsets offsets;
    if (oto_network_has_proj(s, l)) {
        oto_network_layer_offsets(s, l, &offsets);
        add_columns(p, offsets.proj_weight, s->n_proj, 2 * h, first);
    } else if (l + 1 < s->n_layers) {
        const int n_in = oto_network_layer_inputs(s, l + 1);
        oto_network_layer_offsets(s, l + 1, &offsets);
        for (int k = 0; k < 2; k++)
            for (int at = first; at < n_in; at += 2 * h) /* twice where frames are paired */
                add_columns(p, offsets.w[k], 4 * h, n_in, at);
    } else {
        size_t weight, bias;
        oto_network_output_offsets(s, &weight, &bias);
        add_columns(p, weight, s->n_outputs, 2 * h, first);
    }
}

static void choose_units(struct pruning *p, int l, int direction)
{
    const int h = p->from->n_hidden, n = p->to.n_hidden;
    struct oto_layer_offsets offsets;
    for (int j = 0; j < h; j++)
        p->units[j] = (struct unit){0, j};
    oto_network_layer_offsets(p->from, l, &offsets);
    add_columns(p, offsets.r[direction], 4 * h, h, 0);
    add_readers(p, l, direction);
    qsort(p->units, (size_t)h, sizeof *p->units, compare_scores);
    int *keep = kept(p, l, direction);
    for (int j = 0; j < n; j++)
        keep[j] = p->units[j].index;
    qsort(keep, (size_t)n, sizeof *keep, compare_indices);
}

/* ---- maps: which rows or columns of the wide tensor are taken ----------------------------------
 */

static int map_all(int *map, int n)
{
    for (int i = 0; i < n; i++)
        map[i] = i;
    return n;
}

static int map_gates(const struct pruning *p, int *map, int l, int direction)
{
    const int n = p->to.n_hidden, *keep = kept(p, l, direction);
    for (int gate = 0; gate < 4; gate++)
        for (int j = 0; j < n; j++)
            map[gate * n + j] = gate * p->from->n_hidden + keep[j];
    return 4 * n;
}

/* Both directions of layer l's output, of n_frames that stand beside one another. */
static int map_outputs(const struct pruning *p, int *map, int l, int n_frames)
{
    const int n = p->to.n_hidden, h = p->from->n_hidden;
    for (int k = 0; k < 2 * n_frames; k++)
        for (int j = 0; j < n; j++)
            map[k * n + j] = k * h + kept(p, l, k % 2)[j];
    return 2 * n * n_frames;
}

static int map_inputs(const struct pruning *p, int *map, int l)
{
    const int n_in = oto_network_layer_inputs(p->from, l);
    if (l == 0 || oto_network_has_proj(p->from, l - 1))
        return map_all(map, n_in);
    return map_outputs(p, map, l - 1, n_in / (2 * p->from->n_hidden));
}

static void take(const struct pruning *p, int index, int n_rows, int n_cols)
{
    struct oto_tensor from, to;
    oto_network_tensor(p->from, index, &from);
    oto_network_tensor(&p->to, index, &to);
    for (int i = 0; i < n_rows; i++)
        for (int j = 0; j < n_cols; j++)
            p->pruned[to.offset + (size_t)i * (size_t)n_cols + (size_t)j] =
                p->params[from.offset + (size_t)p->rows[i] * (size_t)from.n_cols +
                          (size_t)p->cols[j]];
}

/* The tensors of layer l, of which index is the first; the first of the next layer. */
static int take_layer(const struct pruning *p, int l, int index)
{
    for (int direction = 0; direction < 2; direction++) {
        const int n_rows = map_gates(p, p->rows, l, direction);
        take(p, index++, n_rows, map_inputs(p, p->cols, l));
        memcpy(p->cols, kept(p, l, direction), (size_t)p->to.n_hidden * sizeof *p->cols);
        take(p, index++, n_rows, p->to.n_hidden);
        take(p, index++, n_rows, map_all(p->cols, 1));
    }
    if (oto_network_has_proj(p->from, l)) {
        const int n_rows = map_all(p->rows, p->from->n_proj);
        take(p, index++, n_rows, map_outputs(p, p->cols, l, 1));
        take(p, index++, n_rows, map_all(p->cols, 1));
    }
    return index;
}

static void take_all(struct pruning *p)
{
    int index = 0;
    for (int l = 0; l < p->from->n_layers; l++)
        for (int direction = 0; direction < 2; direction++)
            choose_units(p, l, direction);
    for (int l = 0; l < p->from->n_layers; l++)
        index = take_layer(p, l, index);
    const int n_rows = map_all(p->rows, p->from->n_outputs);
    take(p, index++, n_rows, map_outputs(p, p->cols, p->from->n_layers - 1, 1));
    take(p, index, n_rows, map_all(p->cols, 1));
}

oto_status oto_network_prune(const struct oto_network_shape *shape, const float *params,
                             int n_hidden, struct oto_network_shape *narrow, float **pruned,
                             oto_error *err)
{
    struct pruning p = {.from = shape, .to = *shape, .params = params};
    *pruned = NULL;
    if (n_hidden < 1 || n_hidden > shape->n_hidden)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "pruning to %d units: expected 1 to the network's %d", n_hidden,
                        shape->n_hidden);
    p.to.n_hidden = n_hidden;
    size_t widest = (size_t)shape->n_hidden * 4; /* four gates; two frames of two directions */
    if (widest < (size_t)shape->n_inputs)
        widest = (size_t)shape->n_inputs;
    if (widest < 2 * (size_t)shape->n_proj)
        widest = 2 * (size_t)shape->n_proj;
    if (widest < (size_t)shape->n_outputs)
        widest = (size_t)shape->n_outputs;
    p.units = oto_calloc((size_t)shape->n_hidden, sizeof *p.units);
    p.keep = oto_calloc((size_t)shape->n_layers * 2 * (size_t)n_hidden, sizeof *p.keep);
    p.rows = oto_calloc(widest, sizeof *p.rows);
    p.cols = oto_calloc(widest, sizeof *p.cols);
    p.pruned = oto_calloc(oto_network_n_parameters(&p.to), sizeof *p.pruned);
    oto_status status = OTO_OK;
    if (p.units && p.keep && p.rows && p.cols && p.pruned) {
        take_all(&p);
        *narrow = p.to;
        *pruned = p.pruned;
    } else {
        status = oto_fail_memory(err, "pruned network");
        oto_free(p.pruned);
    }
    oto_free(p.cols);
    oto_free(p.rows);
    oto_free(p.keep);
    oto_free(p.units);
    return status;
}
