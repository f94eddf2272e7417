/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/text_scores.h"

#include <stdlib.h>

#include "base/mem.h"
#include "decoder/beam_private.h"

/*
 * The texts make a tree: a node is a beginning, its parent the beginning without the last label.
 * With B and L of a node n the probability of all alignments of it to the frames so far that end in
 * a blank and in its last label k, and p its parent,
 *
 *     B'[n] = (B[n] + L[n]) y_blank      L'[n] = (L[n] + B[p] + L[p]) y_k
 *
 * where L[p] is left out if p ends in k, too. Before the first frame B of the root is 1, all else
 * 0.
 */
struct node {
    double blank, label; /* B and L, natural logs */
    int parent;          /* of a lower index */
    int symbol;          /* k */
    int depth;           /* labels of the beginning */
    bool repeats;        /* the parent ends in k, too */
};

struct place {
    const struct oto_hypothesis *text;
    int index; /* of the text */
    int node;
};

struct oto_text_scorer {
    struct node *nodes;
    struct place *places; /* [n_texts] by their labels */
    int *path;            /* nodes of the text before, by their depth */
    size_t nodes_capacity, places_capacity, path_capacity;
};

oto_status oto_text_scorer_create(struct oto_text_scorer **out, oto_error *err)
{
    *out = oto_calloc(1, sizeof **out);
    return *out != NULL ? OTO_OK : oto_fail_memory(err, "text scores");
}

void oto_text_scorer_destroy(struct oto_text_scorer *s)
{
    if (s == NULL)
        return;
    oto_free(s->nodes);
    oto_free(s->places);
    oto_free(s->path);
    oto_free(s);
}

static int n_shared(const struct oto_hypothesis *a, const struct oto_hypothesis *b)
{
    const int most = a->n_labels < b->n_labels ? a->n_labels : b->n_labels;
    int n = 0;
    while (n < most && a->labels[n] == b->labels[n])
        n++;
    return n;
}

static int compare(const void *pa, const void *pb)
{
    const struct oto_hypothesis *a = ((const struct place *)pa)->text;
    const struct oto_hypothesis *b = ((const struct place *)pb)->text;
    const int n = n_shared(a, b);
    if (n == a->n_labels || n == b->n_labels)
        return (a->n_labels > b->n_labels) - (a->n_labels < b->n_labels);
    return a->labels[n] < b->labels[n] ? -1 : 1;
}

static bool reserve(struct oto_text_scorer *s, const struct oto_hypothesis *texts, int n_texts)
{
    size_t n_labels = 0;
    int longest = 0;
    for (int i = 0; i < n_texts; i++) {
        n_labels += (size_t)texts[i].n_labels;
        longest = texts[i].n_labels > longest ? texts[i].n_labels : longest;
    }
    return oto_beam_reserve((void **)&s->nodes, &s->nodes_capacity, n_labels + 1,
                            sizeof *s->nodes) &&
           oto_beam_reserve((void **)&s->places, &s->places_capacity, (size_t)n_texts,
                            sizeof *s->places) &&
           oto_beam_reserve((void **)&s->path, &s->path_capacity, (size_t)longest + 1,
                            sizeof *s->path);
}

/* Makes the tree of all texts; returns the number of its nodes. A child comes after its parent. */
static int plant(struct oto_text_scorer *s, const struct oto_hypothesis *texts, int n_texts)
{
    static const struct oto_hypothesis nothing = {0};
    const struct oto_hypothesis *before = &nothing;
    int n = 1;
    for (int i = 0; i < n_texts; i++)
        s->places[i] = (struct place){.text = &texts[i], .index = i};
    qsort(s->places, (size_t)n_texts, sizeof *s->places, compare);
    s->nodes[0] = (struct node){.blank = 0, .label = OTO_LOG_0};
    s->path[0] = 0;
    for (int i = 0; i < n_texts; i++) {
        const struct oto_hypothesis *text = s->places[i].text;
        for (int d = n_shared(before, text); d < text->n_labels; d++) {
            s->nodes[n] = (struct node){.blank = OTO_LOG_0,
                                        .label = OTO_LOG_0,
                                        .parent = s->path[d],
                                        .symbol = text->labels[d],
                                        .depth = d + 1,
                                        .repeats = d > 0 && text->labels[d - 1] == text->labels[d]};
            s->path[d + 1] = n++;
        }
        s->places[i].node = s->path[text->n_labels];
        before = text;
    }
    return n;
}

/* One frame more. Children first: they read what their parents were. */
static void step(struct node *nodes, int n_nodes, const float *y, size_t t)
{
    for (int i = n_nodes - 1; i > 0; i--) {
        struct node *n = &nodes[i];
        if ((size_t)n->depth > t + 1)
            continue; /* more labels than frames */
        const struct node *p = &nodes[n->parent];
        double label = oto_log_add(n->label, p->blank);
        if (!n->repeats)
            label = oto_log_add(label, p->label);
        n->blank = oto_log_add(n->blank, n->label) + (double)y[0];
        n->label = label + (double)y[n->symbol];
    }
    nodes[0].blank += (double)y[0];
}

oto_status oto_text_scorer_run(struct oto_text_scorer *s, double *scores,
                               const struct oto_hypothesis *texts, int n_texts,
                               const float *log_probs, size_t n_frames, int n_symbols,
                               oto_error *err)
{
    if (!reserve(s, texts, n_texts))
        return oto_fail_memory(err, "text scores");
    const int n_nodes = plant(s, texts, n_texts);
    for (size_t t = 0; t < n_frames; t++)
        step(s->nodes, n_nodes, log_probs + t * (size_t)n_symbols, t);
    for (int i = 0; i < n_texts; i++) {
        const struct node *n = &s->nodes[s->places[i].node];
        scores[s->places[i].index] = oto_log_add(n->blank, n->label);
    }
    return OTO_OK;
}
