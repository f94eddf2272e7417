/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CTC prefix beam search. A prefix (a label sequence) is kept with two log-probabilities over all
 * alignments that give it: those that end in a blank and those that end in its last label. One
 * frame does, for each prefix l of the beam, with y the frame's probabilities and e the last label
 * of l (math.md, eq. 48 to 51):
 *
 *     blank'(l) = total(l) y(blank)
 *     label'(l) = label(l) y(e) + what its parent, if in the beam, hands to it
 *     it hands to its extension by k:  (k = e ? blank(l) : total(l)) y(k)
 *
 * An extension that is in the beam already gets that added; the others compete as newcomers with
 * the prefixes that stay. Symbols that are not looked at count as probability 0, the blank too.
 *
 * With a lexicon a prefix is extended only to what begins a text of whole words, and the likeliest
 * prefix that ends with a whole word (the spare) is kept even where it is too unlikely for the
 * beam. It cannot die out, as the blank is always looked at.
 */
#include "decoder/beam.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "decoder/trie.h"

#define LOG_0 (-(double)INFINITY)
/** Least natural log-probability of the blank where a lexicon needs one. */
#define IMPOSSIBLE (-1000.0)

/** A prefix of the beam. Natural logs. */
struct entry {
    double total, blank, label;
    int32_t node;
    int32_t first_child, next_child; /* entries that extend this one by a label, as a list */
};

/** A prefix that may come into the next beam. */
struct candidate {
    double total, blank, label;
    int32_t node, more; /* the sequence of node, extended by label more unless that is 0 */
    int32_t place;      /* in the lexicon; 0 without */
};

struct oto_beam {
    struct oto_beam_options options;
    int n_symbols;
    const struct oto_lexicon *lexicon; /* NULL: any text */
    size_t n_frames;                   /* since reset */
    struct oto_trie trie;
    int32_t n_entries;
    struct entry *entries;        /* [beam + 1] best first, the spare last */
    struct candidate *candidates; /* [beam + 1] */
    struct candidate spare;       /* the best of whole words; total +inf without lexicon */
    int32_t *order, *scratch;     /* [max(beam + 1, n_symbols)] */
    int32_t n_labels;
    int32_t *symbols; /* [n_labels] looked at in the frame, likeliest first, without the blank */
    double *log_y;    /* [n_symbols] of the frame, LOG_0 where the symbol is not looked at */
    uint64_t *stamps,
        stamp; /* [n_symbols] which labels extend a prefix to one that is in the beam */
    struct oto_hypothesis *hypotheses;
    int *texts; /* labels and frames of the hypotheses */
    size_t hypotheses_capacity, texts_capacity;
};

static inline double log_add(double a, double b)
{
    if (a < b) {
        double c = a;
        a = b;
        b = c;
    }
    if (b - a < -40.0 || b == LOG_0) /* e^-40 is below half a unit in the last place of 1 */
        return a;
    return a + log1p(exp(b - a));
}

oto_status oto_beam_create(struct oto_beam **out, int n_symbols,
                           const struct oto_beam_options *options, oto_error *err)
{
    *out = NULL;
    oto_status status = oto_beam_options_check(options, n_symbols, err);
    if (status)
        return status;
    struct oto_beam *beam = oto_calloc(1, sizeof *beam);
    if (!beam)
        return oto_fail_memory(err, "beam search");
    size_t n = (size_t)options->beam + 1, K = (size_t)n_symbols;
    beam->options = *options;
    beam->n_symbols = n_symbols;
    beam->entries = oto_calloc(n, sizeof *beam->entries);
    beam->candidates = oto_calloc(n, sizeof *beam->candidates);
    beam->order = oto_calloc(n > K ? n : K, sizeof *beam->order);
    beam->scratch = oto_calloc(n > K ? n : K, sizeof *beam->scratch);
    beam->symbols = oto_calloc(K, sizeof *beam->symbols);
    beam->log_y = oto_calloc(K, sizeof *beam->log_y);
    beam->stamps = oto_calloc(K, sizeof *beam->stamps);
    if (!beam->entries || !beam->candidates || !beam->order || !beam->scratch || !beam->symbols ||
        !beam->log_y || !beam->stamps || !oto_trie_reserve(&beam->trie, 1)) {
        oto_beam_destroy(beam);
        return oto_fail_memory(err, "beam search");
    }
    for (int k = 0; k < n_symbols; k++)
        beam->log_y[k] = LOG_0;
    oto_beam_reset(beam);
    *out = beam;
    return OTO_OK;
}

void oto_beam_destroy(struct oto_beam *beam)
{
    if (!beam)
        return;
    oto_trie_clear(&beam->trie);
    oto_free(beam->entries);
    oto_free(beam->candidates);
    oto_free(beam->order);
    oto_free(beam->scratch);
    oto_free(beam->symbols);
    oto_free(beam->log_y);
    oto_free(beam->stamps);
    oto_free(beam->hypotheses);
    oto_free(beam->texts);
    oto_free(beam);
}

void oto_beam_set_lexicon(struct oto_beam *beam, const struct oto_lexicon *lexicon)
{
    beam->lexicon = lexicon;
    oto_beam_reset(beam);
}

void oto_beam_reset(struct oto_beam *beam)
{
    oto_trie_reset(&beam->trie);
    oto_trie_hold(&beam->trie, OTO_TRIE_ROOT);
    beam->trie.nodes[OTO_TRIE_ROOT].entry = 0;
    beam->n_frames = 0;
    beam->n_entries = 1;
    beam->entries[0] = (struct entry){0.0, 0.0, LOG_0, OTO_TRIE_ROOT, OTO_TRIE_NONE, OTO_TRIE_NONE};
}

/** Sorts indices by a strict total order; runs that are in order already cost one comparison each.
 */
static inline void sort(int32_t *order, int32_t *scratch, int n,
                        bool (*before)(const struct oto_beam *, int32_t, int32_t),
                        const struct oto_beam *beam)
{
    enum { RUN = 8 };
    for (int start = 0; start < n; start += RUN)
        for (int i = start + 1; i < start + RUN && i < n; i++) {
            int32_t x = order[i];
            int j = i;
            for (; j > start && before(beam, x, order[j - 1]); j--)
                order[j] = order[j - 1];
            order[j] = x;
        }
    for (int width = RUN; width < n; width *= 2)
        for (int start = 0; start + width < n; start += 2 * width) {
            int middle = start + width, end = middle + width < n ? middle + width : n;
            if (!before(beam, order[middle], order[middle - 1]))
                continue;
            for (int i = start; i < middle; i++)
                scratch[i] = order[i];
            for (int i = start, j = middle, out = start; i < middle; out++)
                order[out] =
                    j < end && before(beam, order[j], scratch[i]) ? order[j++] : scratch[i++];
        }
}

static inline bool symbol_before(const struct oto_beam *beam, int32_t a, int32_t b)
{
    return beam->log_y[a] > beam->log_y[b] || (beam->log_y[a] == beam->log_y[b] && a < b);
}

/** Better score first, then by labels, so that no two candidates are equal. */
static inline bool candidate_before(const struct oto_beam *beam, int32_t a, int32_t b)
{
    const struct candidate *x = &beam->candidates[a], *y = &beam->candidates[b];
    if (x->total != y->total)
        return x->total > y->total;
    return oto_trie_compare(&beam->trie, x->node, x->more, y->node, y->more) < 0;
}

/** Puts symbol k into its place among the n likeliest, at most top_n; of equals the first stays.
 * Returns their number. */
static int insert_symbol(struct oto_beam *beam, int32_t k, int n)
{
    if (n == beam->options.top_n) {
        int32_t last = beam->symbols[n - 1];
        if (beam->log_y[k] <= beam->log_y[last]) {
            beam->log_y[k] = LOG_0;
            return n;
        }
        beam->log_y[last] = LOG_0;
        n--;
    }
    int j = n;
    for (; j > 0 && beam->log_y[k] > beam->log_y[beam->symbols[j - 1]]; j--)
        beam->symbols[j] = beam->symbols[j - 1];
    beam->symbols[j] = k;
    return n + 1;
}

/** The symbols of a frame that are looked at: the best always, others above the threshold, top_n at
 * most. */
static void choose_symbols(struct oto_beam *beam, const float *log_probs)
{
    int best = 0, n = 0;
    for (int k = 1; k < beam->n_symbols; k++)
        if (log_probs[k] > log_probs[best])
            best = k;
    for (int k = 0; k < beam->n_symbols; k++) {
        double log_y = (double)log_probs[k];
        if (k != best && (log_y < beam->options.min_log_prob || log_y == LOG_0))
            continue;
        beam->log_y[k] = log_y;
        if (beam->options.top_n > 0)
            n = insert_symbol(beam, k, n);
        else
            beam->symbols[n++] = k;
    }
    if (beam->options.top_n == 0)
        sort(beam->symbols, beam->scratch, n, symbol_before, beam);
    beam->n_labels = 0;
    for (int i = 0; i < n; i++)
        if (beam->symbols[i] != 0)
            beam->symbols[beam->n_labels++] = beam->symbols[i];
    if (beam->lexicon)
        beam->log_y[0] = fmax((double)log_probs[0], IMPOSSIBLE);
}

static void forget_symbols(struct oto_beam *beam)
{
    beam->log_y[0] = LOG_0;
    for (int i = 0; i < beam->n_labels; i++)
        beam->log_y[beam->symbols[i]] = LOG_0;
}

/** What a prefix hands to its extension by k (eq. 50): a repeated label must come after a blank. */
static double extend(const struct oto_beam *beam, const struct entry *parent, int32_t k)
{
    bool repeats = beam->trie.nodes[parent->node].label == k;
    return (repeats ? parent->blank : parent->total) + beam->log_y[k];
}

/** The label of a node is emitted at this frame with this log-probability; the likeliest such frame
 * is remembered. */
static void note_onset(struct oto_beam *beam, int32_t node, double onset)
{
    struct oto_trie_node *n = &beam->trie.nodes[node];
    if (onset <= n->onset)
        return;
    n->onset = onset;
    n->frame = beam->n_frames < INT_MAX ? (int32_t)beam->n_frames : INT_MAX;
}

/** Moves order[i] down to its place in a heap with the worst candidate at the root. */
static void sift_down(struct oto_beam *beam, int32_t i, int32_t n)
{
    int32_t x = beam->order[i];
    for (int32_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && candidate_before(beam, beam->order[child], beam->order[child + 1]))
            child++;
        if (!candidate_before(beam, x, beam->order[child]))
            break;
        beam->order[i] = beam->order[child];
    }
    beam->order[i] = x;
}

static void make_heap(struct oto_beam *beam, int32_t n)
{
    for (int32_t i = n / 2 - 1; i >= 0; i--)
        sift_down(beam, i, n);
}

static bool is_complete(const struct oto_beam *beam, int32_t place)
{
    return !beam->lexicon || oto_lexicon_is_complete(beam->lexicon, place);
}

/** As candidate_before(). */
static bool is_better(const struct oto_beam *beam, const struct candidate *a,
                      const struct candidate *b)
{
    return a->total > b->total ||
           (a->total == b->total &&
            oto_trie_compare(&beam->trie, a->node, a->more, b->node, b->more) < 0);
}

/** Takes a candidate in; when the beam is full, for the worst of those there, if it is better.
 * Returns their number. */
static int32_t offer(struct oto_beam *beam, struct candidate c, int32_t n)
{
    if (beam->lexicon && is_complete(beam, c.place) && is_better(beam, &c, &beam->spare))
        beam->spare = c;
    if (n < beam->options.beam) {
        beam->candidates[n] = c;
        beam->order[n] = n;
        if (++n == beam->options.beam)
            make_heap(beam, n);
        return n;
    }
    struct candidate *worst = &beam->candidates[beam->order[0]];
    if (is_better(beam, &c, worst)) {
        *worst = c;
        sift_down(beam, 0, n);
    }
    return n;
}

/** Offers the prefixes of the beam after one more frame; returns how many candidates there are. */
static int32_t stay(struct oto_beam *beam)
{
    int32_t n = 0;
    for (int32_t i = 0; i < beam->n_entries; i++)
        beam->entries[i].first_child = OTO_TRIE_NONE;
    for (int32_t i = 0; i < beam->n_entries; i++) {
        struct entry *e = &beam->entries[i];
        const struct oto_trie_node *node = &beam->trie.nodes[e->node];
        int32_t parent =
            node->parent == OTO_TRIE_NONE ? OTO_TRIE_NONE : beam->trie.nodes[node->parent].entry;
        double blank = e->total + beam->log_y[0];
        double label = node->label ? e->label + beam->log_y[node->label] : LOG_0;
        if (parent != OTO_TRIE_NONE) {
            struct entry *p = &beam->entries[parent];
            double onset = extend(beam, p, node->label);
            note_onset(beam, e->node, onset);
            label = log_add(label, onset);
            e->next_child = p->first_child;
            p->first_child = i;
        }
        double total = log_add(blank, label);
        if (total > LOG_0)
            n = offer(beam, (struct candidate){total, blank, label, e->node, 0, node->place}, n);
    }
    return n;
}

/** Whether nothing with this score can come into the beam, or beside it. */
static inline bool is_hopeless(const struct oto_beam *beam, double score, int32_t n)
{
    return n == beam->options.beam && score < beam->candidates[beam->order[0]].total &&
           score < beam->spare.total;
}

/**
 * Offers every extension that is not in the beam yet: prefixes best first, labels likeliest first,
 * so that the rest can be left out as soon as one is hopeless. n candidates are there; returns how
 * many are then.
 */
static int32_t extend_all(struct oto_beam *beam, int32_t n)
{
    if (beam->n_labels == 0)
        return n;
    for (int32_t i = 0; i < beam->n_entries; i++) {
        const struct entry *e = &beam->entries[i];
        if (is_hopeless(beam, e->total + beam->log_y[beam->symbols[0]], n))
            break;
        beam->stamp++;
        for (int32_t child = e->first_child; child != OTO_TRIE_NONE;
             child = beam->entries[child].next_child)
            beam->stamps[beam->trie.nodes[beam->entries[child].node].label] = beam->stamp;
        for (int32_t j = 0; j < beam->n_labels; j++) {
            int32_t k = beam->symbols[j];
            if (is_hopeless(beam, e->total + beam->log_y[k], n))
                break;
            double score = extend(beam, e, k);
            if (beam->stamps[k] == beam->stamp || score == LOG_0)
                continue;
            int32_t place = 0;
            if (beam->lexicon)
                place = oto_lexicon_step(beam->lexicon, beam->trie.nodes[e->node].place, k);
            if (place != OTO_LEXICON_NONE)
                n = offer(beam, (struct candidate){score, LOG_0, score, e->node, k, place}, n);
        }
    }
    return n;
}

/** Puts the candidates that make the next beam in order, best first, those within the margin and
 * the spare where none of them ends with a whole word. Returns their number. */
static int32_t choose_candidates(struct oto_beam *beam, int32_t n)
{
    sort(beam->order, beam->scratch, n, candidate_before, beam);
    double best = beam->candidates[beam->order[0]].total;
    while (beam->options.score_margin > 0.0 &&
           beam->candidates[beam->order[n - 1]].total < best - beam->options.score_margin)
        n--;
    for (int32_t i = 0; i < n; i++)
        if (is_complete(beam, beam->candidates[beam->order[i]].place))
            return n;
    beam->candidates[beam->options.beam] = beam->spare;
    beam->order[n] = beam->options.beam;
    return n + 1;
}

/** The candidates become the beam. Room for as many nodes is reserved. */
static void renew_entries(struct oto_beam *beam, int32_t n)
{
    struct oto_trie *trie = &beam->trie;
    n = choose_candidates(beam, n);
    for (int32_t i = 0; i < n;
         i++) { /* before anything is released, as parents may only live in the old beam */
        struct candidate *c = &beam->candidates[beam->order[i]];
        if (c->more) {
            c->node = oto_trie_child(trie, c->node, c->more);
            trie->nodes[c->node].place = c->place;
            note_onset(beam, c->node, c->label);
        }
        oto_trie_hold(trie, c->node);
    }
    for (int32_t i = 0; i < beam->n_entries; i++) {
        trie->nodes[beam->entries[i].node].entry = OTO_TRIE_NONE;
        oto_trie_release(trie, beam->entries[i].node);
    }
    for (int32_t i = 0; i < n; i++) {
        const struct candidate *c = &beam->candidates[beam->order[i]];
        beam->entries[i] =
            (struct entry){c->total, c->blank, c->label, c->node, OTO_TRIE_NONE, OTO_TRIE_NONE};
        trie->nodes[c->node].entry = i;
    }
    beam->n_entries = n;
}

static void step(struct oto_beam *beam, const float *log_probs)
{
    choose_symbols(beam, log_probs);
    beam->spare = (struct candidate){.total = beam->lexicon ? LOG_0 : (double)INFINITY};
    int32_t n = stay(beam);
    n = extend_all(beam, n);
    /* n >= 1: the likeliest symbol, or with a lexicon the blank, keeps or extends any prefix */
    renew_entries(beam, n);
    forget_symbols(beam);
    beam->n_frames++;
}

static oto_status check_frame(const struct oto_beam *beam, const float *log_probs, size_t frame,
                              oto_error *err)
{
    bool possible = false;
    for (int k = 0; k < beam->n_symbols; k++) {
        if (!(log_probs[k] < (float)INFINITY))
            return oto_fail(err, OTO_ERR_DATA, "frame %zu: log-probability of symbol %d is %g",
                            frame, k, (double)log_probs[k]);
        possible |= log_probs[k] > -(float)INFINITY;
    }
    if (!possible)
        return oto_fail(err, OTO_ERR_DATA, "frame %zu: every symbol has probability 0", frame);
    return OTO_OK;
}

oto_status oto_beam_push(struct oto_beam *beam, const float *log_probs, size_t n_frames,
                         oto_error *err)
{
    for (size_t t = 0; t < n_frames; t++) {
        oto_status status =
            check_frame(beam, log_probs + t * (size_t)beam->n_symbols, beam->n_frames + t, err);
        if (status)
            return status;
    }
    for (size_t t = 0; t < n_frames; t++) {
        if (!oto_trie_reserve(&beam->trie, beam->options.beam + 1))
            return oto_fail_memory(err, "beam search");
        step(beam, log_probs + t * (size_t)beam->n_symbols);
    }
    return OTO_OK;
}

/** Makes *p hold n elements, of unspecified value. */
static bool reserve(void **p, size_t *capacity, size_t n, size_t size)
{
    if (n <= *capacity)
        return true;
    if (n < *capacity * 2)
        n = *capacity * 2;
    void *fresh = oto_calloc(n, size);
    if (!fresh)
        return false;
    oto_free(*p);
    *p = fresh;
    *capacity = n;
    return true;
}

oto_status oto_beam_n_best(struct oto_beam *beam, int n, const struct oto_hypothesis **hyps,
                           int *n_hyps, oto_error *err)
{
    const struct oto_trie_node *nodes = beam->trie.nodes;
    size_t n_labels = 0;
    int n_found = 0;
    if (n < 1)
        return oto_fail(err, OTO_ERR_ARGUMENT, "%d best hypotheses, expected 1 or more", n);
    for (int32_t i = 0; i < beam->n_entries && n_found < n; i++) {
        int32_t node = beam->entries[i].node;
        if (!is_complete(beam, nodes[node].place))
            continue;
        beam->order[n_found++] = i;
        n_labels += (size_t)nodes[node].depth;
    }
    void *texts = beam->texts, *hypotheses = beam->hypotheses;
    bool ok = reserve(&texts, &beam->texts_capacity, 2 * n_labels + 1, sizeof *beam->texts);
    ok = reserve(&hypotheses, &beam->hypotheses_capacity, (size_t)n_found,
                 sizeof *beam->hypotheses) &&
         ok;
    beam->texts = texts;
    beam->hypotheses = hypotheses;
    if (!ok)
        return oto_fail_memory(err, "hypotheses");
    int *next = beam->texts;
    for (int i = 0; i < n_found; i++) {
        const struct entry *e = &beam->entries[beam->order[i]];
        int32_t node = e->node, length = nodes[node].depth;
        beam->hypotheses[i] = (struct oto_hypothesis){next, next + length, length, e->total};
        for (int32_t j = length - 1; j >= 0; j--, node = nodes[node].parent) {
            next[j] = nodes[node].label;
            next[length + j] = nodes[node].frame;
        }
        next += 2 * length;
    }
    *hyps = beam->hypotheses;
    *n_hyps = n_found;
    return OTO_OK;
}
