/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The graph over labels becomes deterministic: a state of the automaton is the set of the graph's
 * states that a text may have led to, each with what it lacks of the best of them. Sets are
 * compared before the edges without labels are followed.
 */
#include "decoder/grammar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decoder/grammar_graph.h"
#include "decoder/grammar_syntax.h"

/** Members of all sets, and work that a sensible grammar does not come near. */
enum { MAX_MEMBERS = 1 << 21, MAX_STEPS = 1 << 26 };

/** A state of the graph in a set. */
struct member {
    int32_t state;
    int64_t weight; /* <= 0; 0 for the best */
};

/** A member of the set behind a label. */
struct move {
    int32_t label, state;
    int64_t weight;
};

struct build {
    const char *file;
    const struct oto_grammar_graph *graph;
    struct oto_grammar *out;
    size_t states_capacity, arcs_capacity, members_capacity, slots_capacity;
    struct member *members; /* of all sets, one set after another */
    int32_t n_members;
    int32_t *sets;  /* [n_states + 1] where each set begins */
    int32_t *slots; /* [slots_capacity] state + 1 by its set's checksum; 0: empty */
    /* of the set whose arcs are being found; [graph->n_states] each but for moves */
    int64_t *weights;
    int32_t *seen; /* the set that weights was written for, + 1 */
    int32_t *reached, *queue;
    bool *queued;
    struct move *moves; /* [graph->n_edges] */
    int32_t n_steps;
    oto_error *err;
};

static oto_status fail_large(const struct build *b, const char *what, int most)
{
    return oto_fail(b->err, OTO_ERR_DATA,
                    "%s: the automaton of this grammar has more than %d %s: expected fewer "
                    "words, or fewer alternatives and repetitions that begin alike",
                    b->file, most, what);
}

/* ---- growing ----------------------------------------------------------------------------- */

static bool grow(void **items, size_t *capacity, size_t n, size_t size)
{
    if (n <= *capacity)
        return true;
    const size_t more = 2 * n + 64;
    void *grown = oto_realloc(*items, *capacity, more, size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = more;
    return true;
}

/** Room for one state more. */
static bool grow_states(struct build *b)
{
    const size_t n = (size_t)b->out->n_states + 1;
    size_t capacity = b->states_capacity;
    void *sets = b->sets, *states = b->out->states;
    bool ok = grow(&sets, &capacity, n + 1, sizeof *b->sets);
    b->sets = sets;
    capacity = b->states_capacity;
    ok = ok && grow(&states, &capacity, n + 1, sizeof *b->out->states);
    b->out->states = states;
    if (ok)
        b->states_capacity = capacity;
    return ok;
}

static uint64_t checksum(const struct member *members, int32_t n)
{
    uint64_t sum = (uint64_t)n;
    for (int32_t i = 0; i < n; i++) { /* not of the bytes, some of which are padding */
        sum = (sum ^ (uint64_t)members[i].state) * 0x9E3779B97F4A7C15u;
        sum = (sum ^ sum >> 32 ^ (uint64_t)members[i].weight) * 0x9E3779B97F4A7C15u;
        sum ^= sum >> 29;
    }
    return sum;
}

static void enter_slot(struct build *b, int32_t state)
{
    const int32_t first = b->sets[state];
    size_t slot = (size_t)checksum(b->members + first, b->sets[state + 1] - first);
    for (slot &= b->slots_capacity - 1; b->slots[slot] != 0;)
        slot = (slot + 1) & (b->slots_capacity - 1);
    b->slots[slot] = state + 1;
}

/** A power of two of slots, at least twice as many as states. */
static bool grow_slots(struct build *b)
{
    if (b->slots_capacity >= 2 * ((size_t)b->out->n_states + 1))
        return true;
    const size_t more = b->slots_capacity > 0 ? 2 * b->slots_capacity : 256;
    int32_t *slots = oto_calloc(more, sizeof *slots);
    if (slots == NULL)
        return false;
    oto_free(b->slots);
    b->slots = slots;
    b->slots_capacity = more;
    for (int32_t i = 0; i < b->out->n_states; i++)
        enter_slot(b, i);
    return true;
}

/* ---- sets -------------------------------------------------------------------------------- */

/** The state whose set stands at the end of members, [n]; a new one where there is none yet. */
static oto_status find_state(struct build *b, int32_t n, int32_t *state)
{
    struct oto_grammar *g = b->out;
    const struct member *set = b->members + b->n_members;
    if (!grow_states(b) || !grow_slots(b))
        return oto_fail_memory(b->err, "grammar");
    size_t slot = (size_t)checksum(set, n) & (b->slots_capacity - 1);
    for (; b->slots[slot] != 0; slot = (slot + 1) & (b->slots_capacity - 1)) {
        const int32_t other = b->slots[slot] - 1, first = b->sets[other];
        bool same = b->sets[other + 1] - first == n;
        for (int32_t i = 0; same && i < n; i++)
            same = b->members[first + i].state == set[i].state &&
                   b->members[first + i].weight == set[i].weight;
        if (same) {
            *state = other;
            return OTO_OK;
        }
    }
    if (g->n_states >= OTO_GRAMMAR_MAX_STATES)
        return fail_large(b, "states", OTO_GRAMMAR_MAX_STATES);
    b->n_members += n;
    b->sets[g->n_states + 1] = b->n_members;
    b->slots[slot] = g->n_states + 1;
    *state = g->n_states++;
    return OTO_OK;
}

static oto_status add_member(struct build *b, int32_t at, struct member member)
{
    void *members = b->members;
    if (at >= MAX_MEMBERS)
        return fail_large(b, "members in the sets that are its states", MAX_MEMBERS);
    if (!grow(&members, &b->members_capacity, (size_t)at + 1, sizeof member))
        return oto_fail_memory(b->err, "grammar");
    b->members = members;
    b->members[at] = member;
    return OTO_OK;
}

/** Follows the edges without labels from a set's members; returns how many are in reached. */
static int32_t follow(struct build *b, int32_t state)
{
    const struct oto_grammar_graph *g = b->graph;
    int32_t n = 0, head = 0, n_queued = 0;
    for (int32_t i = b->sets[state]; i < b->sets[state + 1]; i++) {
        const struct member m = b->members[i];
        b->weights[m.state] = m.weight;
        b->seen[m.state] = state + 1;
        b->queued[m.state] = true;
        b->reached[n++] = b->queue[n_queued++] = m.state;
    }
    while (n_queued > 0 && b->n_steps <= MAX_STEPS) {
        const int32_t q = b->queue[head];
        head = head + 1 < g->n_states ? head + 1 : 0;
        n_queued--;
        b->queued[q] = false;
        b->n_steps += g->first[q + 1] - g->first[q] + 1;
        for (int32_t i = g->first[q]; i < g->first[q + 1]; i++) {
            const struct oto_grammar_edge *e = &g->edges[i];
            const int64_t weight = b->weights[q] + e->weight;
            const bool fresh = b->seen[e->to] != state + 1;
            if (e->label != 0 || (!fresh && weight <= b->weights[e->to]))
                continue;
            b->weights[e->to] = weight;
            b->seen[e->to] = state + 1;
            if (fresh)
                b->reached[n++] = e->to;
            if (b->queued[e->to])
                continue;
            const int32_t place = head + n_queued++;
            b->queued[e->to] = true;
            b->queue[place < g->n_states ? place : place - g->n_states] = e->to;
        }
    }
    return n;
}

/** By label, then by state; the best of the same first. */
static int compare_moves(const void *a, const void *b)
{
    const struct move *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    return (x->weight < y->weight) - (x->weight > y->weight);
}

/** The arc by the label of moves [n], to the state whose set they are. */
static oto_status add_arc(struct build *b, const struct move *moves, int32_t n)
{
    struct oto_grammar *g = b->out;
    void *arcs = g->arcs;
    int32_t n_members = 0;
    int64_t best = moves[0].weight;
    struct oto_grammar_arc arc = {.label = moves[0].label};
    oto_status status = OTO_OK;
    for (int32_t i = 1; i < n; i++)
        best = moves[i].weight > best ? moves[i].weight : best;
    for (int32_t i = 0; status == OTO_OK && i < n; i++) {
        if (i > 0 && moves[i].state == moves[i - 1].state)
            continue;
        const struct member member = {moves[i].state, moves[i].weight - best};
        status = add_member(b, b->n_members + n_members++, member);
    }
    if (status == OTO_OK)
        status = find_state(b, n_members, &arc.to);
    if (status != OTO_OK)
        return status;
    arc.weight = (double)best * OTO_GRAMMAR_UNIT;
    if (!grow(&arcs, &b->arcs_capacity, (size_t)g->n_arcs + 1, sizeof arc))
        return oto_fail_memory(b->err, "grammar");
    g->arcs = arcs;
    g->arcs[g->n_arcs++] = arc;
    return OTO_OK;
}

static oto_status add_arcs(struct build *b, int32_t state)
{
    const struct oto_grammar_graph *g = b->graph;
    const int32_t n_reached = follow(b, state);
    int32_t n = 0;
    double end = -(double)INFINITY;
    for (int32_t i = 0; i < n_reached; i++) {
        const int32_t q = b->reached[i];
        b->queued[q] = false;
        if (q == g->end)
            end = (double)b->weights[q] * OTO_GRAMMAR_UNIT;
        for (int32_t k = g->first[q]; k < g->first[q + 1]; k++) {
            const struct oto_grammar_edge *e = &g->edges[k];
            if (e->label != 0)
                b->moves[n++] = (struct move){e->label, e->to, b->weights[q] + e->weight};
        }
    }
    if (b->n_steps > MAX_STEPS)
        return fail_large(b, "ways to compare", MAX_STEPS);
    qsort(b->moves, (size_t)n, sizeof *b->moves, compare_moves);
    const int32_t first_arc = b->out->n_arcs;
    oto_status status = OTO_OK;
    for (int32_t i = 0, next; status == OTO_OK && i < n; i = next) {
        for (next = i + 1; next < n && b->moves[next].label == b->moves[i].label;)
            next++;
        status = add_arc(b, b->moves + i, next - i);
    }
    b->out->states[state] = (struct oto_grammar_state){first_arc, b->out->n_arcs - first_arc, end};
    return status;
}

static oto_status determinise(struct build *b)
{
    const struct oto_grammar_graph *g = b->graph;
    const size_t n = (size_t)g->n_states;
    int32_t start = 0;
    b->weights = oto_calloc(n, sizeof *b->weights);
    b->seen = oto_calloc(n, sizeof *b->seen);
    b->reached = oto_calloc(n, sizeof *b->reached);
    b->queue = oto_calloc(n, sizeof *b->queue);
    b->queued = oto_calloc(n, sizeof *b->queued);
    b->moves = oto_calloc((size_t)g->n_edges, sizeof *b->moves);
    if (!b->weights || !b->seen || !b->reached || !b->queue || !b->queued || !b->moves)
        return oto_fail_memory(b->err, "grammar");
    oto_status status = add_member(b, 0, (struct member){g->start, 0});
    if (status == OTO_OK)
        status = find_state(b, 1, &start);
    for (int32_t state = 0; status == OTO_OK && state < b->out->n_states; state++)
        status = add_arcs(b, state);
    return status;
}

static void clear(struct build *b)
{
    oto_free(b->weights);
    oto_free(b->seen);
    oto_free(b->reached);
    oto_free(b->queue);
    oto_free(b->queued);
    oto_free(b->moves);
    oto_free(b->members);
    oto_free(b->sets);
    oto_free(b->slots);
}

/* ---- the whole --------------------------------------------------------------------------- */

/** A sentence must have words, and a single one where the alphabet has no space. */
static oto_status check_sentences(const struct oto_grammar *g, const char *file, int32_t space,
                                  oto_error *err)
{
    if (g->states[OTO_GRAMMAR_START].n_arcs == 0)
        return oto_fail(err, OTO_ERR_DATA, "%s: no sentence of this grammar has a word", file);
    for (int32_t i = 0; g->space < 0 && i < g->n_arcs; i++)
        if (g->arcs[i].label == space && g->states[g->arcs[i].to].n_arcs > 0)
            return oto_fail(err, OTO_ERR_DATA,
                            "%s: sentences of several words, but the model writes no spaces: "
                            "expected single words",
                            file);
    return OTO_OK;
}

/** What the best sentence is worth. */
static void add_to_start(struct oto_grammar *g, double best)
{
    struct oto_grammar_state *start = &g->states[OTO_GRAMMAR_START];
    for (int32_t i = start->first_arc; i < start->first_arc + start->n_arcs; i++)
        g->arcs[i].weight += best;
    start->end += best;
}

static oto_status fill(struct oto_grammar *g, const char *file, const struct oto_alphabet *alphabet,
                       oto_error *err)
{
    struct oto_grammar_syntax syntax;
    struct oto_grammar_graph graph = {0};
    int64_t best = 0;
    oto_status status = oto_grammar_read(&syntax, g->text, file, err);
    if (status == OTO_OK)
        status = oto_grammar_expand(&graph, &best, &syntax, alphabet, err);
    if (status == OTO_OK) {
        struct build b = {.file = file, .graph = &graph, .out = g, .err = err};
        status = determinise(&b);
        clear(&b);
    }
    if (status == OTO_OK) {
        g->space = alphabet->space > 0 ? alphabet->space : -1;
        add_to_start(g, (double)best * OTO_GRAMMAR_UNIT);
        g->name = oto_strdup(oto_grammar_text(&syntax, syntax.name));
        status = g->name != NULL ? check_sentences(g, file, oto_grammar_space(alphabet), err)
                                 : oto_fail_memory(err, "grammar");
    }
    oto_grammar_graph_clear(&graph);
    oto_grammar_syntax_clear(&syntax);
    return status;
}

oto_status oto_grammar_parse(struct oto_grammar **out, const void *text, size_t size,
                             const char *name, const struct oto_alphabet *alphabet, oto_error *err)
{
    *out = NULL;
    if (size > OTO_GRAMMAR_MAX_BYTES)
        return oto_fail(err, OTO_ERR_DATA, "%s: a grammar of %zu bytes, expected at most %d", name,
                        size, OTO_GRAMMAR_MAX_BYTES);
    if (memchr(text, '\0', size) != NULL)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: no text file, expected a JSGF grammar", name);
    struct oto_grammar *g = oto_calloc(1, sizeof *g);
    char *copy = oto_strndup(text, size);
    if (g == NULL || copy == NULL) {
        oto_free(g);
        oto_free(copy);
        return oto_fail_memory(err, "grammar");
    }
    g->text = copy;
    g->text_size = size;
    const ptrdiff_t invalid = oto_utf8_invalid_at(copy);
    oto_status status =
        invalid < 0 ? fill(g, name, alphabet, err)
                    : oto_fail(err, OTO_ERR_FORMAT, "%s: byte %td: no UTF-8", name, invalid);
    if (status == OTO_OK)
        *out = g;
    else
        oto_grammar_destroy(g);
    return status;
}

oto_status oto_grammar_load(struct oto_grammar **out, const char *path,
                            const struct oto_alphabet *alphabet, oto_error *err)
{
    struct oto_map map;
    *out = NULL;
    oto_status status = oto_map_open(&map, path, err);
    if (status != OTO_OK)
        return status;
    status = oto_grammar_parse(out, map.data, map.size, path, alphabet, err);
    oto_map_close(&map);
    return status;
}

void oto_grammar_destroy(struct oto_grammar *g)
{
    if (g == NULL)
        return;
    oto_free(g->states);
    oto_free(g->arcs);
    oto_free(g->name);
    oto_free(g->text);
    oto_free(g);
}

const struct oto_grammar_arc *oto_grammar_find(const struct oto_grammar *g, int32_t state,
                                               int32_t label)
{
    const struct oto_grammar_state *s = &g->states[state];
    int32_t low = s->first_arc, high = low + s->n_arcs;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (g->arcs[middle].label < label)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->first_arc + s->n_arcs && g->arcs[low].label == label ? &g->arcs[low] : NULL;
}
