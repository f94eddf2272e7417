/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A path is at one node at each frame. Node i < n_states: a blank was heard last and the text
 * stands in state i, behind a letter or at the start. Node n_states + a: arc a was heard last.
 * Behind a space blanks and further spaces change nothing, and the arc's node stands for them, too.
 *
 * A label may follow any other label but its own, so that for each state the best way in is kept,
 * and the best of those that came by another label than that one.
 */
#include "decoder/sentence.h"

#include <limits.h>
#include <math.h>

#include "base/mem.h"
#include "decoder/beam_private.h"

/** Least natural log-probability of the blank. */
#define IMPOSSIBLE (-1000.0)

/** Where a path stands, and where the same path stood at the middle frame. */
struct node {
    double score;
    int32_t middle;
};

/** The ways into a state: the best, and the best by another label than its. */
struct ways {
    struct node best, other;
    int32_t label; /* of the best; 0: the blank */
};

struct oto_sentence_search {
    const struct oto_grammar *grammar;
    int n_symbols;
    int32_t n_nodes;
    struct node *nodes, *next; /* [n_nodes] of states that are reached, and of their arcs */
    struct ways *ways;         /* [n_states] */
    int32_t *sources;          /* [n_arcs] states that the arcs leave */
    int32_t *reached;          /* [n_reached] states that a path has come to */
    bool *is_reached;          /* [n_states] */
    int32_t n_reached;
    size_t capacity;       /* frames */
    int32_t *path;         /* [capacity] nodes */
    int *labels;           /* [2 * capacity] and their frames */
    double *blank, *label; /* [capacity + 2] */
};

oto_status oto_sentence_search_create(struct oto_sentence_search **out,
                                      const struct oto_grammar *grammar, int n_symbols,
                                      oto_error *err)
{
    *out = NULL;
    struct oto_sentence_search *s = oto_calloc(1, sizeof *s);
    if (!s)
        return oto_fail_memory(err, "search for a sentence");
    s->grammar = grammar;
    s->n_symbols = n_symbols;
    s->n_nodes = grammar->n_states + grammar->n_arcs;
    s->nodes = oto_calloc((size_t)s->n_nodes, sizeof *s->nodes);
    s->next = oto_calloc((size_t)s->n_nodes, sizeof *s->next);
    s->ways = oto_calloc((size_t)grammar->n_states, sizeof *s->ways);
    s->sources = oto_calloc((size_t)grammar->n_arcs, sizeof *s->sources);
    s->reached = oto_calloc((size_t)grammar->n_states, sizeof *s->reached);
    s->is_reached = oto_calloc((size_t)grammar->n_states, sizeof *s->is_reached);
    if (!s->nodes || !s->next || !s->ways || !s->sources || !s->reached || !s->is_reached) {
        oto_sentence_search_destroy(s);
        return oto_fail_memory(err, "search for a sentence");
    }
    for (int32_t i = 0; i < grammar->n_states; i++)
        for (int32_t a = 0; a < grammar->states[i].n_arcs; a++)
            s->sources[grammar->states[i].first_arc + a] = i;
    *out = s;
    return OTO_OK;
}

static void clear_frames(struct oto_sentence_search *s)
{
    oto_free(s->path);
    oto_free(s->labels);
    oto_free(s->blank);
    oto_free(s->label);
    s->path = NULL;
    s->labels = NULL;
    s->blank = s->label = NULL;
    s->capacity = 0;
}

void oto_sentence_search_destroy(struct oto_sentence_search *s)
{
    if (!s)
        return;
    clear_frames(s);
    oto_free(s->nodes);
    oto_free(s->next);
    oto_free(s->ways);
    oto_free(s->sources);
    oto_free(s->reached);
    oto_free(s->is_reached);
    oto_free(s);
}

static oto_status reserve_frames(struct oto_sentence_search *s, size_t n, oto_error *err)
{
    if (n <= s->capacity)
        return OTO_OK;
    clear_frames(s);
    if (n < INT_MAX / 2) {
        s->path = oto_calloc(n, sizeof *s->path);
        s->labels = oto_calloc(2 * n, sizeof *s->labels);
        s->blank = oto_calloc(n + 2, sizeof *s->blank);
        s->label = oto_calloc(n + 2, sizeof *s->label);
    }
    if (!s->path || !s->labels || !s->blank || !s->label) {
        clear_frames(s);
        return oto_fail_memory(err, "search for a sentence");
    }
    s->capacity = n;
    return OTO_OK;
}

/* ---- the best path ----------------------------------------------------------------------- */

static inline double blank_of(const float *y)
{
    return fmax((double)y[0], IMPOSSIBLE);
}

/** Of a frame that adds no label where nothing but a space, or nothing, was before it. */
static inline double pause_of(const struct oto_sentence_search *s, const float *y)
{
    const int32_t space = s->grammar->space;
    return space > 0 ? fmax(blank_of(y), (double)y[space]) : blank_of(y);
}

static const struct node nowhere = {OTO_LOG_0, 0};

/** From now on the state and its arcs count. It stays so: there can always be another blank. */
static void reach(struct oto_sentence_search *s, int32_t i)
{
    const struct oto_grammar_state *state = &s->grammar->states[i];
    if (s->is_reached[i])
        return;
    s->is_reached[i] = true;
    s->reached[s->n_reached++] = i;
    s->nodes[i] = s->next[i] = nowhere;
    for (int32_t a = state->first_arc; a < state->first_arc + state->n_arcs; a++)
        s->nodes[s->grammar->n_states + a] = s->next[s->grammar->n_states + a] = nowhere;
}

static inline void offer(struct ways *w, const struct node *n, int32_t label)
{
    if (n->score > w->best.score) {
        if (label != w->label)
            w->other = w->best;
        w->best = *n;
        w->label = label;
    } else if (label != w->label && n->score > w->other.score) {
        w->other = *n;
    }
}

static inline const struct node *without(const struct ways *w, int32_t label)
{
    return w->label == label ? &w->other : &w->best;
}

/** The ways into all states that are reached. */
static void gather(struct oto_sentence_search *s)
{
    const struct oto_grammar *g = s->grammar;
    for (int32_t r = 0; r < s->n_reached; r++)
        s->ways[s->reached[r]] = (struct ways){s->nodes[s->reached[r]], nowhere, 0};
    for (int32_t r = 0; r < s->n_reached; r++) {
        const struct oto_grammar_state *state = &g->states[s->reached[r]];
        for (int32_t a = state->first_arc; a < state->first_arc + state->n_arcs; a++)
            if (s->nodes[g->n_states + a].score > OTO_LOG_0)
                offer(&s->ways[g->arcs[a].to], &s->nodes[g->n_states + a], g->arcs[a].label);
    }
}

/** One frame. */
static void step(struct oto_sentence_search *s, const float *y)
{
    const struct oto_grammar *g = s->grammar;
    const double blank = blank_of(y), pause = pause_of(s, y);
    const int32_t n = s->n_reached;
    gather(s);
    for (int32_t r = 0; r < n; r++) {
        const int32_t i = s->reached[r];
        const struct oto_grammar_state *state = &g->states[i];
        const struct ways *w = &s->ways[i];
        s->next[i] = *without(w, g->space);
        s->next[i].score += i == OTO_GRAMMAR_START ? pause : blank;
        for (int32_t a = state->first_arc; a < state->first_arc + state->n_arcs; a++) {
            const struct oto_grammar_arc *arc = &g->arcs[a];
            const double log_y = (double)y[arc->label];
            struct node stays = s->nodes[g->n_states + a], enters = *without(w, arc->label);
            stays.score += arc->label == g->space ? pause : log_y;
            enters.score += arc->weight + log_y;
            const struct node *better = enters.score > stays.score ? &enters : &stays;
            s->next[g->n_states + a] = *better;
            if (better->score > OTO_LOG_0)
                reach(s, arc->to);
        }
    }
    struct node *old = s->nodes;
    s->nodes = s->next;
    s->next = old;
}

/** From now on nodes know where their paths are now. */
static void mark_middle(struct oto_sentence_search *s)
{
    const struct oto_grammar *g = s->grammar;
    for (int32_t r = 0; r < s->n_reached; r++) {
        const struct oto_grammar_state *state = &g->states[s->reached[r]];
        s->nodes[s->reached[r]].middle = s->reached[r];
        for (int32_t a = state->first_arc; a < state->first_arc + state->n_arcs; a++)
            s->nodes[g->n_states + a].middle = g->n_states + a;
    }
}

static inline size_t middle_of(size_t begin, size_t end)
{
    return begin + (end - begin) / 2;
}

/** From a node before frame begin to all that can be reached behind frame end - 1. */
static void run(struct oto_sentence_search *s, const float *log_probs, size_t begin, size_t end,
                int32_t from)
{
    const int32_t n_states = s->grammar->n_states;
    while (s->n_reached > 0)
        s->is_reached[s->reached[--s->n_reached]] = false;
    if (from >= n_states) {
        reach(s, s->sources[from - n_states]);
        reach(s, s->grammar->arcs[from - n_states].to);
    } else {
        reach(s, from);
    }
    s->nodes[from].score = 0.0;
    for (size_t t = begin; t < end; t++) {
        step(s, log_probs + t * (size_t)s->n_symbols);
        if (t + 1 == middle_of(begin, end))
            mark_middle(s);
    }
}

/** Fills in path[begin..end-2] between a node and path[end-1], which run() has just been over. */
static void trace(struct oto_sentence_search *s, const float *log_probs, size_t begin, size_t end,
                  int32_t from)
{
    const size_t middle = middle_of(begin, end);
    if (end - begin < 2)
        return;
    const int32_t node = s->nodes[s->path[end - 1]].middle;
    s->path[middle - 1] = node;
    if (middle - begin > 1) {
        run(s, log_probs, begin, middle, from);
        trace(s, log_probs, begin, middle, from);
    }
    if (end - middle > 1) {
        run(s, log_probs, middle, end, node);
        trace(s, log_probs, middle, end, node);
    }
}

/** Where the best path of a sentence ends; -1: there is none. */
static int32_t best_end(const struct oto_sentence_search *s)
{
    const struct oto_grammar *g = s->grammar;
    double best = OTO_LOG_0;
    int32_t found = -1;
    for (int32_t r = 0; r < s->n_reached; r++) {
        const int32_t i = s->reached[r];
        const struct oto_grammar_state *state = &g->states[i];
        if (i != OTO_GRAMMAR_START && s->nodes[i].score + state->end > best) {
            best = s->nodes[i].score + state->end;
            found = i;
        }
        for (int32_t a = state->first_arc; a < state->first_arc + state->n_arcs; a++) {
            const double score = s->nodes[g->n_states + a].score + g->states[g->arcs[a].to].end;
            if (score > best) {
                best = score;
                found = g->n_states + a;
            }
        }
    }
    return found;
}

/** Labels and the frames where they begin, without a space at the end. Returns their number. */
static int read_path(struct oto_sentence_search *s, size_t n_frames)
{
    const struct oto_grammar *g = s->grammar;
    int n = 0;
    for (size_t t = 0; t < n_frames; t++) {
        const int32_t arc = s->path[t] - g->n_states;
        if (arc < 0 || (t > 0 && s->path[t] == s->path[t - 1]))
            continue;
        s->labels[n] = g->arcs[arc].label;
        s->labels[s->capacity + (size_t)n] = t < INT_MAX ? (int)t : INT_MAX;
        n++;
    }
    return n > 0 && s->labels[n - 1] == g->space ? n - 1 : n;
}

/* ---- what the sentence is worth ----------------------------------------------------------- */

static double weight_of(const struct oto_grammar *g, const int *labels, int n)
{
    double weight = 0.0;
    int32_t state = OTO_GRAMMAR_START;
    for (int j = 0; j < n; j++) {
        const struct oto_grammar_arc *arc = oto_grammar_find(g, state, labels[j]);
        weight += arc->weight;
        state = arc->to;
    }
    return weight + g->states[state].end;
}

/** Sum over the alignments of n > 0 labels (math.md, eq. 49 to 51, of one text), j of them heard.
 */
static double add_alignments(struct oto_sentence_search *s, const float *log_probs, size_t n_frames,
                             int n)
{
    const int32_t space = s->grammar->space;
    const int last = space > 0 ? n + 1 : n; /* a space behind is the same text */
    double *blank = s->blank, *label = s->label;
    for (int j = 0; j <= last; j++)
        blank[j] = label[j] = OTO_LOG_0;
    blank[0] = 0.0;
    for (size_t t = 0; t < n_frames; t++) {
        const float *y = log_probs + t * (size_t)s->n_symbols;
        for (int j = last; j >= 0; j--) {
            const int32_t k = j == 0 ? 0 : j > n ? space : s->labels[j - 1];
            const double total = oto_log_add(blank[j], label[j]);
            double heard = OTO_LOG_0;
            if (space > 0 && (j == 0 || k == space))
                heard = total + (double)y[space];
            else if (j > 0)
                heard = label[j] + (double)y[k];
            if (j > 0) {
                const bool repeats = j > 1 && s->labels[j - 2] == k;
                const double before =
                    repeats ? blank[j - 1] : oto_log_add(blank[j - 1], label[j - 1]);
                heard = oto_log_add(heard, before + (double)y[k]);
            }
            blank[j] = total + blank_of(y);
            label[j] = heard;
        }
    }
    const double behind = oto_log_add(blank[last], label[last]);
    return last == n ? behind : oto_log_add(behind, oto_log_add(blank[n], label[n]));
}

oto_status oto_sentence_search_run(struct oto_sentence_search *s, struct oto_hypothesis *best,
                                   const float *log_probs, size_t n_frames, oto_error *err)
{
    *best = (struct oto_hypothesis){.log_prob = OTO_LOG_0};
    oto_status status = reserve_frames(s, n_frames, err);
    if (status != OTO_OK || n_frames == 0)
        return status;
    run(s, log_probs, 0, n_frames, OTO_GRAMMAR_START);
    s->path[n_frames - 1] = best_end(s);
    if (s->path[n_frames - 1] < 0)
        return OTO_OK;
    trace(s, log_probs, 0, n_frames, OTO_GRAMMAR_START);
    const int n = read_path(s, n_frames);
    best->labels = s->labels;
    best->frames = s->labels + s->capacity;
    best->n_labels = n;
    best->log_prob =
        add_alignments(s, log_probs, n_frames, n) + weight_of(s->grammar, s->labels, n);
    return OTO_OK;
}
