/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules become a graph over words (Thompson 1968), and that one over labels. A state q of the first
 * is two of the second: q, where a word may begin, and the end of q, where one has just ended and a
 * space leads on to q. So there is no space before the first word, and one may stand behind the
 * last.
 */
#include "decoder/grammar_graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "decoder/grammar.h"

#define NO_WAY INT64_MIN

/** Work that a sensible grammar does not come near. */
enum { MAX_STEPS = 1 << 25, MAX_PARTS = 1 << 21, MAX_DEPTH = 5 * OTO_GRAMMAR_MAX_NESTING };

struct expansion {
    const struct oto_grammar_syntax *syntax;
    const struct oto_alphabet *alphabet;
    struct oto_grammar_graph words; /* labels are token nodes + 1 */
    struct oto_grammar_graph *out;
    bool *open; /* [n_rules] being put in */
    int32_t n_parts;
    int32_t *same;   /* [words.n_states] what a state is as good as */
    int32_t *ends;   /* [words.n_states] state of out where a word has ended; -1: none */
    int64_t *finish; /* [words.n_states] best way to the end without a word */
    int **spelt;     /* [n_nodes] labels of tokens */
    int *n_spelt;
    oto_error *err;
};

static oto_status fail_large(const struct expansion *x, const char *what, int most)
{
    return oto_fail(x->err, OTO_ERR_DATA,
                    "%s: with all rules put in the grammar has more than %d %s: expected a "
                    "smaller one",
                    x->syntax->file, most, what);
}

static oto_status fail_at(const struct expansion *x, oto_status status, int32_t node,
                          const char *what)
{
    const struct oto_grammar_node *n = &x->syntax->nodes[node];
    return oto_fail(x->err, status, "%s:%d:%d: %s", x->syntax->file, (int)n->line, (int)n->column,
                    what);
}

/* ---- edges ------------------------------------------------------------------------------- */

static oto_status add_edge(const struct expansion *x, struct oto_grammar_graph *g, int32_t from,
                           int32_t to, int32_t label, int64_t weight)
{
    if (from == to && label == 0) /* weight <= 0: of no use */
        return OTO_OK;
    if (g->n_edges >= OTO_GRAMMAR_MAX_ARCS)
        return fail_large(x, "words, letters and alternatives", OTO_GRAMMAR_MAX_ARCS);
    if ((size_t)g->n_edges == g->capacity) {
        const size_t more = g->capacity > 0 ? 2 * g->capacity : 64;
        void *grown = oto_realloc(g->edges, g->capacity, more, sizeof *g->edges);
        if (grown == NULL)
            return oto_fail_memory(x->err, "grammar");
        g->edges = grown;
        g->capacity = more;
    }
    g->edges[g->n_edges++] = (struct oto_grammar_edge){from, to, label, weight};
    return OTO_OK;
}

/** Sorts the edges by the state they leave, or by that they lead to, in a stable way. */
static oto_status sort_edges(struct oto_grammar_graph *g, bool by_to, oto_error *err)
{
    const size_t n = (size_t)g->n_states;
    struct oto_grammar_edge *sorted = oto_calloc((size_t)g->n_edges, sizeof *sorted);
    int32_t *first = oto_calloc(n + 2, sizeof *first);
    if (sorted == NULL || first == NULL) {
        oto_free(sorted);
        oto_free(first);
        return oto_fail_memory(err, "grammar");
    }
    for (int32_t i = 0; i < g->n_edges; i++)
        first[(by_to ? g->edges[i].to : g->edges[i].from) + 2]++;
    for (size_t q = 0; q < n; q++)
        first[q + 2] += first[q + 1];
    for (int32_t i = 0; i < g->n_edges; i++)
        sorted[first[(by_to ? g->edges[i].to : g->edges[i].from) + 1]++] = g->edges[i];
    oto_free(g->edges);
    oto_free(g->first);
    g->edges = sorted;
    g->capacity = (size_t)g->n_edges;
    g->first = first;
    return OTO_OK;
}

void oto_grammar_graph_clear(struct oto_grammar_graph *g)
{
    oto_free(g->edges);
    oto_free(g->first);
    *g = (struct oto_grammar_graph){0};
}

/**
 * The weight of each state's best way to the end, NO_WAY where there is none. The edges are sorted
 * by where they lead to; values [n_states].
 *
 * @param silent  only ways without labels
 */
static oto_status weigh(const struct expansion *x, const struct oto_grammar_graph *g, bool silent,
                        int64_t *values)
{
    const int32_t n = g->n_states;
    int32_t *queue = oto_calloc((size_t)n, sizeof *queue), head = 0, n_queued = 1, n_steps = 0;
    bool *queued = oto_calloc((size_t)n, sizeof *queued);
    oto_status status = queue && queued ? OTO_OK : oto_fail_memory(x->err, "grammar");
    for (int32_t q = 0; q < n; q++)
        values[q] = q == g->end ? 0 : NO_WAY;
    if (status == OTO_OK)
        queue[0] = g->end;
    while (status == OTO_OK && n_queued > 0) {
        const int32_t q = queue[head];
        head = head + 1 < n ? head + 1 : 0;
        n_queued--;
        queued[q] = false;
        n_steps += g->first[q + 1] - g->first[q];
        if (n_steps > MAX_STEPS)
            status = fail_large(x, "ways through it to compare", MAX_STEPS);
        for (int32_t i = g->first[q]; i < g->first[q + 1]; i++) {
            const struct oto_grammar_edge *e = &g->edges[i];
            if ((silent && e->label != 0) || values[q] + e->weight <= values[e->from])
                continue;
            values[e->from] = values[q] + e->weight;
            if (queued[e->from])
                continue;
            queued[e->from] = true;
            queue[head + n_queued < n ? head + n_queued : head + n_queued - n] = e->from;
            n_queued++;
        }
    }
    oto_free(queue);
    oto_free(queued);
    return status;
}

/* ---- rules to words ---------------------------------------------------------------------- */

static oto_status add_node(struct expansion *x, int32_t node, int32_t from, int32_t to, int depth);

static oto_status add_choice(struct expansion *x, int32_t node, int32_t from, int32_t to, int depth)
{
    const struct oto_grammar_node *nodes = x->syntax->nodes;
    double sum = 0.0;
    oto_status status = OTO_OK;
    for (int32_t i = nodes[node].first; i >= 0; i = nodes[i].next)
        sum += nodes[i].weight;
    for (int32_t i = nodes[node].first; status == OTO_OK && i >= 0; i = nodes[i].next) {
        if (sum == 0.0) {
            status = add_node(x, i, from, to, depth);
            continue;
        }
        const int32_t begin = x->words.n_states++;
        const int64_t weight = llrint(log(nodes[i].weight / sum) / OTO_GRAMMAR_UNIT);
        status = add_edge(x, &x->words, from, begin, 0, weight);
        if (status == OTO_OK)
            status = add_node(x, i, begin, to, depth);
    }
    return status;
}

static oto_status add_sequence(struct expansion *x, int32_t node, int32_t from, int32_t to,
                               int depth)
{
    const struct oto_grammar_node *nodes = x->syntax->nodes;
    oto_status status = OTO_OK;
    for (int32_t i = nodes[node].first; status == OTO_OK && i >= 0; i = nodes[i].next) {
        const int32_t behind = nodes[i].next >= 0 ? x->words.n_states++ : to;
        status = add_node(x, i, from, behind, depth);
        from = behind;
    }
    return status;
}

/** The loop has states of its own, so that nothing else gets into it. */
static oto_status add_repeated(struct expansion *x, int32_t node, int32_t from, int32_t to,
                               int depth)
{
    const struct oto_grammar_node *n = &x->syntax->nodes[node];
    const int32_t begin = x->words.n_states++;
    const int32_t end = n->kind == OTO_GRAMMAR_PLUS ? x->words.n_states++ : begin;
    oto_status status = add_edge(x, &x->words, from, begin, 0, 0);
    if (status == OTO_OK)
        status = add_node(x, n->first, begin, end, depth);
    if (status == OTO_OK)
        status = add_edge(x, &x->words, end, begin, 0, 0);
    return status == OTO_OK ? add_edge(x, &x->words, end, to, 0, 0) : status;
}

static oto_status add_rule(struct expansion *x, int32_t node, int32_t from, int32_t to, int depth)
{
    const int32_t rule = x->syntax->nodes[node].value;
    if (x->open[rule]) {
        char what[160];
        snprintf(what, sizeof what,
                 "<%.60s> is part of itself: rules may not be, write a repetition with * or +",
                 x->syntax->rules[rule].text);
        return fail_at(x, OTO_ERR_UNSUPPORTED, node, what);
    }
    x->open[rule] = true;
    oto_status status = add_node(x, x->syntax->rules[rule].body, from, to, depth);
    x->open[rule] = false;
    return status;
}

/** Ways from one state to another by all that a node stands for. */
static oto_status add_node(struct expansion *x, int32_t node, int32_t from, int32_t to, int depth)
{
    const struct oto_grammar_node *n = &x->syntax->nodes[node];
    oto_status status;
    if (depth++ >= MAX_DEPTH)
        return fail_at(x, OTO_ERR_DATA, node, "too many rules and brackets in one another");
    if (++x->n_parts > MAX_PARTS)
        return fail_large(x, "parts", MAX_PARTS);
    switch (n->kind) {
    case OTO_GRAMMAR_NOTHING:
        return add_edge(x, &x->words, from, to, 0, 0);
    case OTO_GRAMMAR_NEVER:
        return OTO_OK;
    case OTO_GRAMMAR_TOKEN:
        return add_edge(x, &x->words, from, to, node + 1, 0);
    case OTO_GRAMMAR_RULE:
        return add_rule(x, node, from, to, depth);
    case OTO_GRAMMAR_SEQUENCE:
        return add_sequence(x, node, from, to, depth);
    case OTO_GRAMMAR_CHOICE:
        return add_choice(x, node, from, to, depth);
    case OTO_GRAMMAR_OPTIONAL:
        status = add_edge(x, &x->words, from, to, 0, 0);
        return status == OTO_OK ? add_node(x, n->first, from, to, depth) : status;
    case OTO_GRAMMAR_STAR:
    case OTO_GRAMMAR_PLUS:
    default:
        return add_repeated(x, node, from, to, depth);
    }
}

static oto_status add_public_rules(struct expansion *x)
{
    const struct oto_grammar_syntax *s = x->syntax;
    oto_status status = OTO_OK;
    x->words.start = 0;
    x->words.end = 1;
    x->words.n_states = 2;
    for (int32_t i = 0; status == OTO_OK && i < s->n_rules; i++) {
        if (!s->rules[i].is_public)
            continue;
        x->open[i] = true;
        status = add_node(x, s->rules[i].body, x->words.start, x->words.end, 0);
        x->open[i] = false;
    }
    return status;
}

/* ---- words to labels --------------------------------------------------------------------- */

struct unknown {
    int32_t first; /* character outside the alphabet; 0: none */
};

static void note_unknown(void *arg, int32_t code_point)
{
    struct unknown *u = arg;
    if (u->first == 0)
        u->first = code_point;
}

static oto_status spell_token(struct expansion *x, int32_t node)
{
    const char *text = oto_grammar_text(x->syntax, x->syntax->nodes[node].value);
    struct unknown unknown = {0};
    int n_unknown = 0;
    char what[200], character[5] = "";
    oto_error why = {0};
    oto_status status = oto_alphabet_encode(x->alphabet, text, &x->spelt[node], &x->n_spelt[node],
                                            &n_unknown, note_unknown, &unknown, &why);
    if (status != OTO_OK)
        return fail_at(x, status, node, why.message);
    if (n_unknown > 0) {
        (void)oto_utf8_encode(unknown.first, character);
        snprintf(what, sizeof what, "\"%.80s\": '%s' (U+%04X) is not in the model's alphabet", text,
                 character, (unsigned)unknown.first);
        return fail_at(x, OTO_ERR_DATA, node, what);
    }
    if (x->n_spelt[node] == 0) {
        snprintf(what, sizeof what, "\"%.80s\": nothing of it is written, expected a word", text);
        return fail_at(x, OTO_ERR_DATA, node, what);
    }
    return OTO_OK;
}

/** Where a single edge without label and weight leads on, states are as good as the one behind. */
static oto_status find_same(struct expansion *x)
{
    const struct oto_grammar_graph *g = &x->words;
    oto_status status = sort_edges(&x->words, false, x->err);
    for (int32_t q = 0; status == OTO_OK && q < g->n_states; q++)
        x->same[q] = -1;
    for (int32_t q = 0; status == OTO_OK && q < g->n_states; q++) {
        int32_t last = q; /* of the chain, whose states are marked by -2, against rings */
        for (int32_t next; x->same[last] == -1; last = next) {
            const struct oto_grammar_edge *e = &g->edges[g->first[last]];
            const bool alone = g->first[last + 1] - g->first[last] == 1;
            x->same[last] = -2;
            if (!alone || e->label != 0 || e->weight != 0 || x->same[e->to] == -2)
                break;
            next = e->to;
        }
        const int32_t found = x->same[last] >= 0 ? x->same[last] : last;
        for (int32_t i = q; x->same[i] == -2;) {
            x->same[i] = found;
            if (i == last)
                break;
            i = g->edges[g->first[i]].to;
        }
    }
    return status;
}

/** The letters of a token, from a state to the end of a word before another. */
static oto_status add_letters(struct expansion *x, const struct oto_grammar_edge *e)
{
    const int32_t node = e->label - 1, to = x->same[e->to];
    int32_t from = e->from;
    oto_status status = OTO_OK;
    if (x->ends[to] < 0)
        x->ends[to] = x->out->n_states++;
    for (int i = 0; status == OTO_OK && i < x->n_spelt[node]; i++) {
        const int32_t next = i + 1 < x->n_spelt[node] ? x->out->n_states++ : x->ends[to];
        status = add_edge(x, x->out, from, next, x->spelt[node][i], i == 0 ? e->weight : 0);
        from = next;
    }
    return status;
}

static oto_status add_labels(struct expansion *x)
{
    const struct oto_grammar_graph *g = &x->words;
    const int32_t n = g->n_states, space = oto_grammar_space(x->alphabet);
    oto_status status = OTO_OK;
    *x->out = (struct oto_grammar_graph){.start = g->start, .end = g->end, .n_states = n};
    for (int32_t q = 0; q < n; q++)
        x->ends[q] = -1;
    for (int32_t i = 0; status == OTO_OK && i < g->n_edges; i++) {
        const struct oto_grammar_edge *e = &g->edges[i];
        if (x->same[e->from] != e->from && e->from != g->start)
            continue;
        status = e->label != 0 ? add_letters(x, e)
                               : add_edge(x, x->out, e->from, x->same[e->to], 0, e->weight);
    }
    for (int32_t q = 0; status == OTO_OK && q < n; q++) {
        if (x->ends[q] < 0)
            continue;
        status = add_edge(x, x->out, x->ends[q], q, space, 0);
        if (status == OTO_OK && x->finish[q] != NO_WAY)
            status = add_edge(x, x->out, x->ends[q], g->end, 0, x->finish[q]);
    }
    return status;
}

/** Takes out what is not on a way to the end, and moves weights towards the start. */
static oto_status push_weights(struct expansion *x, int64_t *best)
{
    struct oto_grammar_graph *g = x->out;
    int64_t *values = oto_calloc((size_t)g->n_states, sizeof *values);
    if (values == NULL)
        return oto_fail_memory(x->err, "grammar");
    oto_status status = sort_edges(g, true, x->err);
    if (status == OTO_OK)
        status = weigh(x, g, false, values);
    if (status == OTO_OK && values[g->start] == NO_WAY)
        status = oto_fail(x->err, OTO_ERR_DATA, "%s: no sentence can be said by this grammar",
                          x->syntax->file);
    int32_t n = 0;
    for (int32_t i = 0; status == OTO_OK && i < g->n_edges; i++) {
        struct oto_grammar_edge e = g->edges[i];
        if (values[e.to] == NO_WAY)
            continue;
        e.weight += values[e.to] - values[e.from];
        g->edges[n++] = e;
    }
    g->n_edges = n;
    if (status == OTO_OK) {
        *best = values[g->start];
        status = sort_edges(g, false, x->err);
    }
    oto_free(values);
    return status;
}

static oto_status prepare(struct expansion *x)
{
    const size_t n = (size_t)x->words.n_states;
    x->same = oto_calloc(n, sizeof *x->same);
    x->ends = oto_calloc(n, sizeof *x->ends);
    x->finish = oto_calloc(n, sizeof *x->finish);
    if (x->same == NULL || x->ends == NULL || x->finish == NULL)
        return oto_fail_memory(x->err, "grammar");
    oto_status status = sort_edges(&x->words, true, x->err);
    if (status == OTO_OK)
        status = weigh(x, &x->words, true, x->finish);
    return status == OTO_OK ? find_same(x) : status;
}

static oto_status expand(struct expansion *x, int64_t *best)
{
    const struct oto_grammar_syntax *s = x->syntax;
    x->open = oto_calloc((size_t)s->n_rules, sizeof *x->open);
    x->spelt = oto_calloc((size_t)s->n_nodes, sizeof *x->spelt);
    x->n_spelt = oto_calloc((size_t)s->n_nodes, sizeof *x->n_spelt);
    if (x->open == NULL || x->spelt == NULL || x->n_spelt == NULL)
        return oto_fail_memory(x->err, "grammar");
    oto_status status = OTO_OK;
    for (int32_t i = 0; status == OTO_OK && i < s->n_nodes; i++)
        if (s->nodes[i].kind == OTO_GRAMMAR_TOKEN)
            status = spell_token(x, i);
    if (status == OTO_OK)
        status = add_public_rules(x);
    if (status == OTO_OK)
        status = prepare(x);
    if (status == OTO_OK)
        status = add_labels(x);
    return status == OTO_OK ? push_weights(x, best) : status;
}

oto_status oto_grammar_expand(struct oto_grammar_graph *out, int64_t *best,
                              const struct oto_grammar_syntax *syntax,
                              const struct oto_alphabet *alphabet, oto_error *err)
{
    struct expansion x = {.syntax = syntax, .alphabet = alphabet, .out = out, .err = err};
    *out = (struct oto_grammar_graph){0};
    *best = 0;
    oto_status status = expand(&x, best);
    for (int32_t i = 0; x.spelt != NULL && i < syntax->n_nodes; i++)
        oto_free(x.spelt[i]);
    oto_free(x.spelt);
    oto_free(x.n_spelt);
    oto_free(x.open);
    oto_free(x.same);
    oto_free(x.ends);
    oto_free(x.finish);
    oto_grammar_graph_clear(&x.words);
    return status;
}
