/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of a word network: a softmax over classes, and one over the words of each row's class.
 * Rows are sorted by class, so that each class that occurs is one matrix product. */
#include <string.h>

#include "acoustic/gemm.h"
#include "acoustic/word_network_internal.h"
#include "base/mem.h"

static int class_of(const struct oto_word_network *net, const struct oto_word_rows *rows,
                    size_t row)
{
    return net->class_of[rows->targets[row]];
}

/* A class with rows, and where its parts are. */
struct group {
    size_t n_rows, n_words; /* one word alone needs no scores */
    int first_word;
    const size_t *rows;
    oto_real *y, *dy, *scores; /* [n_rows, E] twice, [n_rows, n_words] */
};

static struct group group_of(struct oto_word_workspace *ws, int c)
{
    const struct oto_word_network *net = ws->net;
    const size_t first = ws->groups.first[c], e = (size_t)net->shape.n_embed;
    return (struct group){
        .n_rows = ws->groups.first[c + 1] - first,
        .n_words = (size_t)(net->class_first[c + 1] - net->class_first[c]),
        .first_word = net->class_first[c],
        .rows = ws->groups.rows + first,
        .y = ws->grouped.p + first * e,
        .dy = ws->dgrouped.p + first * e,
        .scores = ws->scores.p + ws->groups.scores[c],
    };
}

bool oto_word_output_reserve(struct oto_word_workspace *ws, const struct oto_word_rows *rows)
{
    const struct oto_word_network *net = ws->net;
    struct oto_word_groups *g = &ws->groups;
    const size_t n_rows = rows->seqs->n_rows, n_classes = (size_t)net->shape.n_classes;
    if (n_rows > g->cap_rows) {
        oto_free(g->rows);
        g->cap_rows = 0;
        g->rows = oto_calloc(n_rows, sizeof *g->rows);
        if (g->rows == NULL)
            return false;
        g->cap_rows = n_rows;
    }
    /* A counting sort: first[c + 1] counts class c, becomes where c begins, then where it ends. */
    memset(g->first, 0, (n_classes + 1) * sizeof *g->first);
    for (size_t row = 0; row < n_rows; row++)
        g->first[class_of(net, rows, row) + 1]++;
    for (size_t c = 0; c < n_classes; c++) {
        const size_t n_words = (size_t)(net->class_first[c + 1] - net->class_first[c]);
        g->scores[c + 1] = g->scores[c] + (n_words > 1 ? g->first[c + 1] * n_words : 0);
    }
    for (size_t c = 0; c < n_classes; c++)
        g->first[c + 1] += g->first[c];
    for (size_t row = n_rows; row-- > 0;) /* from the end: the order of rows stays in a class */
        g->rows[--g->first[class_of(net, rows, row) + 1]] = row;
    for (size_t c = 0; c < n_classes; c++)
        g->first[c] = g->first[c + 1];
    g->first[n_classes] = n_rows;
    const size_t e = (size_t)net->shape.n_embed;
    return oto_buffer_reserve(&ws->classes, n_rows, n_classes) &&
           oto_buffer_reserve(&ws->grouped, n_rows, e) &&
           oto_buffer_reserve(&ws->dgrouped, n_rows, e) &&
           oto_buffer_reserve(&ws->scores, g->scores[n_classes] + 1, 1);
}

static struct oto_linear class_layer(const struct oto_word_network *net)
{
    return (struct oto_linear){.n_inputs = net->shape.n_embed,
                               .n_outputs = net->shape.n_classes,
                               .weight = net->params + net->offsets.class_weight,
                               .bias = net->params + net->offsets.class_bias};
}

/* Log-probabilities of the words of a class, for its rows. */
static void score_group(const struct oto_word_network *net, const struct group *g,
                        const oto_real *y)
{
    const size_t e = (size_t)net->shape.n_embed, first = (size_t)g->first_word;
    const oto_real *bias = net->params + net->offsets.word_bias + first;
    for (size_t k = 0; k < g->n_rows; k++)
        memcpy(g->y + k * e, y + g->rows[k] * e, e * sizeof *y);
    oto_gemm(false, true, g->n_rows, g->n_words, e, g->y, e,
             net->params + net->offsets.word_weight + first * e, e, 0, g->scores, g->n_words);
    for (size_t k = 0; k < g->n_rows; k++)
        for (size_t j = 0; j < g->n_words; j++)
            g->scores[k * g->n_words + j] += bias[j];
    net->dsp.log_softmax(g->scores, g->scores, (int)g->n_rows, (int)g->n_words);
}

void oto_word_output_forward(struct oto_word_workspace *ws, double *log_probs,
                             const struct oto_word_rows *rows)
{
    const struct oto_word_network *net = ws->net;
    const size_t n_rows = rows->seqs->n_rows, n_classes = (size_t)net->shape.n_classes;
    const struct oto_linear layer = class_layer(net);
    oto_linear_forward(&layer, ws->classes.p, ws->y.p, n_rows, NULL);
    net->dsp.log_softmax(ws->classes.p, ws->classes.p, (int)n_rows, (int)n_classes);
    for (size_t row = 0; row < n_rows; row++)
        log_probs[row] = (double)ws->classes.p[row * n_classes + (size_t)class_of(net, rows, row)];
    for (int c = 0; c < net->shape.n_classes; c++) {
        const struct group g = group_of(ws, c);
        if (g.n_rows == 0 || g.n_words == 1)
            continue;
        score_group(net, &g, ws->y.p);
        for (size_t k = 0; k < g.n_rows; k++) {
            const int word = rows->targets[g.rows[k]] - g.first_word;
            log_probs[g.rows[k]] += (double)g.scores[k * g.n_words + (size_t)word];
        }
    }
}

/* scores: from log-probabilities to the gradient of -scale times that of the target. */
static void to_gradient(oto_real *scores, size_t n, size_t target, double scale)
{
    for (size_t j = 0; j < n; j++)
        scores[j] = (oto_real)scale * OTO_EXP(scores[j]);
    scores[target] -= (oto_real)scale;
}

static void group_backward(const struct oto_word_network *net, const struct group *g,
                           oto_real *dparams, double scale, const struct oto_word_rows *rows)
{
    const size_t e = (size_t)net->shape.n_embed, first = (size_t)g->first_word;
    oto_real *dbias = dparams + net->offsets.word_bias + first;
    for (size_t k = 0; k < g->n_rows; k++) {
        oto_real *d = g->scores + k * g->n_words;
        to_gradient(d, g->n_words, (size_t)(rows->targets[g->rows[k]] - g->first_word), scale);
        for (size_t j = 0; j < g->n_words; j++)
            dbias[j] += d[j];
    }
    oto_gemm(false, false, g->n_rows, e, g->n_words, g->scores, g->n_words,
             net->params + net->offsets.word_weight + first * e, e, 0, g->dy, e);
    oto_gemm(true, false, g->n_words, e, g->n_rows, g->scores, g->n_words, g->y, e, 1,
             dparams + net->offsets.word_weight + first * e, e);
}

void oto_word_output_backward(struct oto_word_workspace *ws, oto_real *dparams, double scale,
                              const struct oto_word_rows *rows)
{
    const struct oto_word_network *net = ws->net;
    const size_t n_rows = rows->seqs->n_rows, n_classes = (size_t)net->shape.n_classes;
    const size_t e = (size_t)net->shape.n_embed;
    const struct oto_linear layer = class_layer(net);
    for (size_t row = 0; row < n_rows; row++)
        to_gradient(ws->classes.p + row * n_classes, n_classes, (size_t)class_of(net, rows, row),
                    scale);
    oto_linear_backward(&layer, dparams + net->offsets.class_weight,
                        dparams + net->offsets.class_bias, ws->dy.p, ws->classes.p, ws->y.p, n_rows,
                        NULL);
    for (int c = 0; c < net->shape.n_classes; c++) {
        const struct group g = group_of(ws, c);
        if (g.n_rows == 0 || g.n_words == 1)
            continue;
        group_backward(net, &g, dparams, scale, rows);
        for (size_t k = 0; k < g.n_rows; k++)
            for (size_t j = 0; j < e; j++)
                ws->dy.p[g.rows[k] * e + j] += g.dy[k * e + j];
    }
}
