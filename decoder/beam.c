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
 * With a language each of these has the language's score of its prefix as a factor, which changes
 * where a label is handed on. Spaces at the start and next to one another are one: where nothing is
 * written yet, or a space was last, label'(l) has total(l) y(space).
 *
 * Where the language has priors of the symbols, y is what is left of them (decoder/priors.h).
 *
 * With a strict lexicon a prefix is extended only to what begins a text of whole words, with a
 * grammar to what begins a sentence, and the likeliest prefix that is complete (the spare) is kept
 * even where it is too unlikely for the beam. It cannot die out, as the blank is always looked at.
 */
#include <limits.h>

#include "base/mem.h"
#include "decoder/beam_private.h"
#include "decoder/beam_ranks.h"
#include "decoder/priors.h"

/** Least natural log-probability of the blank where every prefix must live on. */
#define IMPOSSIBLE (-1000.0)
/** Candidates for each place in the beam, where those of a grammar are thinned out. */
#define POOL 4

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
    beam->log_skip = options->blank_skip > 0.0 ? log(options->blank_skip) : (double)INFINITY;
    beam->room = options->beam;
    beam->entries = oto_calloc(n, sizeof *beam->entries);
    beam->candidates = oto_calloc(n, sizeof *beam->candidates);
    beam->order = oto_calloc(n, sizeof *beam->order);
    beam->ranks = oto_calloc(n > K ? n : K, sizeof *beam->ranks);
    beam->scratch = oto_calloc(n > K ? n : K, sizeof *beam->scratch);
    beam->symbols = oto_calloc(K, sizeof *beam->symbols);
    beam->divided = oto_calloc(K, sizeof *beam->divided);
    beam->log_y = oto_calloc(K, sizeof *beam->log_y);
    beam->finals = oto_calloc(n, sizeof *beam->finals);
    beam->stamps = oto_calloc(K, sizeof *beam->stamps);
    if (!beam->entries || !beam->candidates || !beam->order || !beam->ranks || !beam->scratch ||
        !beam->symbols || !beam->divided || !beam->log_y || !beam->finals || !beam->stamps ||
        !oto_trie_reserve(&beam->trie, 1)) {
        oto_beam_destroy(beam);
        return oto_fail_memory(err, "beam search");
    }
    for (int k = 0; k < n_symbols; k++)
        beam->log_y[k] = OTO_LOG_0;
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
    oto_free(beam->ranks);
    oto_free(beam->scratch);
    oto_free(beam->symbols);
    oto_free(beam->divided);
    oto_free(beam->log_y);
    oto_free(beam->finals);
    oto_free(beam->contexts);
    oto_free(beam->shared);
    oto_free(beam->stamps);
    oto_free(beam->hypotheses);
    oto_free(beam->texts);
    oto_free(beam);
}

/** Contexts for all nodes that the trie has room for. */
static bool reserve_contexts(struct oto_beam *beam)
{
    if (!beam->language || beam->n_contexts >= beam->trie.capacity)
        return true;
    void *grown = oto_realloc(beam->contexts, (size_t)beam->n_contexts, (size_t)beam->trie.capacity,
                              sizeof *beam->contexts);
    if (!grown)
        return false;
    beam->contexts = grown;
    beam->n_contexts = beam->trie.capacity;
    return true;
}

/** With a grammar, room for candidates that will be thinned out, and to count those at each place.
 */
static bool reserve_places(struct oto_beam *beam)
{
    const bool counted = beam->language && beam->language->grammar;
    const int32_t room = counted ? POOL * beam->options.beam : beam->options.beam;
    const size_t n = (size_t)room + 1, K = (size_t)beam->n_symbols;
    int32_t *shared = NULL;
    struct oto_beam_candidate *candidates = oto_calloc(n, sizeof *candidates);
    struct oto_rank *ranks = oto_calloc(n > K ? n : K, sizeof *ranks);
    struct oto_rank *scratch = oto_calloc(n > K ? n : K, sizeof *scratch);
    if (counted)
        shared = oto_calloc((size_t)beam->language->grammar->n_states, sizeof *shared);
    const bool ok = candidates && ranks && scratch && (shared || !counted);
    if (ok) {
        struct oto_beam old = *beam;
        beam->candidates = candidates;
        beam->ranks = ranks;
        beam->scratch = scratch;
        beam->shared = shared;
        beam->room = room;
        candidates = old.candidates;
        ranks = old.ranks;
        scratch = old.scratch;
        shared = old.shared;
    }
    oto_free(candidates);
    oto_free(ranks);
    oto_free(scratch);
    oto_free(shared);
    return ok;
}

oto_status oto_beam_set_language(struct oto_beam *beam, const struct oto_language *language,
                                 oto_error *err)
{
    const struct oto_language *before = beam->language;
    beam->language = language;
    if (!reserve_contexts(beam) || !reserve_places(beam)) {
        beam->language = before;
        return oto_fail_memory(err, "beam search");
    }
    oto_beam_reset(beam);
    return OTO_OK;
}

void oto_beam_reset(struct oto_beam *beam)
{
    oto_trie_reset(&beam->trie);
    oto_trie_hold(&beam->trie, OTO_TRIE_ROOT);
    beam->trie.nodes[OTO_TRIE_ROOT].entry = 0;
    beam->n_frames = 0;
    beam->n_entries = 1;
    beam->entries[0] =
        (struct oto_beam_entry){0.0, 0.0, OTO_LOG_0, OTO_TRIE_ROOT, OTO_TRIE_NONE, OTO_TRIE_NONE};
    if (beam->language)
        oto_context_start(beam->language, &beam->contexts[OTO_TRIE_ROOT]);
}

static inline bool is_strict(const struct oto_beam *beam)
{
    return beam->language && beam->language->strict;
}

/** Puts symbol k into its place among the n likeliest, at most top_n; of equals the first stays.
 * Returns their number. */
static int insert_symbol(struct oto_beam *beam, int32_t k, int n)
{
    if (n == beam->options.top_n) {
        int32_t last = beam->symbols[n - 1];
        if (beam->log_y[k] <= beam->log_y[last]) {
            beam->log_y[k] = OTO_LOG_0;
            return n;
        }
        beam->log_y[last] = OTO_LOG_0;
        n--;
    }
    int j = n;
    for (; j > 0 && beam->log_y[k] > beam->log_y[beam->symbols[j - 1]]; j--)
        beam->symbols[j] = beam->symbols[j - 1];
    beam->symbols[j] = k;
    return n + 1;
}

/** Likeliest first, of equals the smaller. */
static void sort_symbols(struct oto_beam *beam, int n)
{
    for (int i = 0; i < n; i++)
        beam->ranks[i] = (struct oto_rank){beam->log_y[beam->symbols[i]], beam->symbols[i]};
    oto_rank_sort(beam, n, oto_symbol_before);
    for (int i = 0; i < n; i++)
        beam->symbols[i] = beam->ranks[i].item;
}

/** The symbols of a frame that are looked at: the blank alone where it is sure, else the best
 * always, others above the threshold, top_n at most. */
static void choose_symbols(struct oto_beam *beam, const float *log_probs)
{
    int best = 0, n = 0;
    beam->n_labels = 0;
    if ((double)log_probs[0] >= beam->log_skip) {
        beam->log_y[0] = (double)log_probs[0];
        return;
    }
    for (int k = 1; k < beam->n_symbols; k++)
        if (log_probs[k] > log_probs[best])
            best = k;
    for (int k = 0; k < beam->n_symbols; k++) {
        double log_y = (double)log_probs[k];
        if (k != best && (log_y < beam->options.min_log_prob || log_y == OTO_LOG_0))
            continue;
        beam->log_y[k] = log_y;
        if (beam->options.top_n > 0)
            n = insert_symbol(beam, k, n);
        else
            beam->symbols[n++] = k;
    }
    if (beam->options.top_n == 0)
        sort_symbols(beam, n);
    for (int i = 0; i < n; i++)
        if (beam->symbols[i] != 0)
            beam->symbols[beam->n_labels++] = beam->symbols[i];
    if (is_strict(beam))
        beam->log_y[0] = fmax((double)log_probs[0], IMPOSSIBLE);
}

static void forget_symbols(struct oto_beam *beam)
{
    beam->log_y[0] = OTO_LOG_0;
    for (int i = 0; i < beam->n_labels; i++)
        beam->log_y[beam->symbols[i]] = OTO_LOG_0;
}

/** What a prefix hands to its extension by k (eq. 50): a repeated label must come after a blank. */
static double extend(const struct oto_beam *beam, const struct oto_beam_entry *parent, int32_t k)
{
    bool repeats = beam->trie.nodes[parent->node].label == k;
    return (repeats ? parent->blank : parent->total) + beam->log_y[k];
}

/** How the language's score changes from a node to its child. */
static inline double language_step(const struct oto_beam *beam, int32_t parent, int32_t child)
{
    return beam->language ? beam->contexts[child].score - beam->contexts[parent].score : 0.0;
}

/** What all alignments of a prefix that end in its last label come to, without those handed to it.
 */
static double keep_label(const struct oto_beam *beam, const struct oto_beam_entry *e)
{
    int32_t label = beam->trie.nodes[e->node].label;
    if (beam->language && beam->contexts[e->node].n_letters == 0) { /* more spaces are one */
        int32_t space = beam->language->space;
        return space > 0 ? e->total + beam->log_y[space] : OTO_LOG_0;
    }
    return label ? e->label + beam->log_y[label] : OTO_LOG_0;
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

/** Whether one candidate is better than another; as oto_candidate_before(). */
static inline bool is_better(const struct oto_beam *beam, const struct oto_beam_candidate *a,
                             const struct oto_beam_candidate *b)
{
    return a->total > b->total ||
           (a->total == b->total &&
            oto_trie_compare(&beam->trie, a->node, a->more, b->node, b->more) < 0);
}

/** Nothing with this score can come into the beam, or beside it. */
static inline bool is_hopeless(const struct oto_beam *beam, double score)
{
    return score < beam->floor;
}

/** What comes into a full beam must reach its worst, or the spare. */
static inline void raise_floor(struct oto_beam *beam)
{
    beam->floor = fmin(beam->ranks[0].score, beam->spare.total);
}

/** Takes a candidate in; when the beam is full, for the worst of those there, if it is better.
 * Returns their number. */
static int32_t offer(struct oto_beam *beam, const struct oto_beam_candidate *c, int32_t n)
{
    if (is_better(beam, c, &beam->spare) && oto_beam_is_complete(beam, c->place))
        beam->spare = *c;
    if (n < beam->room) {
        beam->candidates[n] = *c;
        beam->ranks[n] = (struct oto_rank){c->total, n};
        if (++n == beam->room) {
            oto_rank_make_heap(beam, n);
            raise_floor(beam);
        }
        return n;
    }
    struct oto_beam_candidate *worst = &beam->candidates[beam->ranks[0].item];
    if (is_better(beam, c, worst)) {
        *worst = *c;
        beam->ranks[0].score = c->total;
        oto_rank_sift_down(beam, 0, n);
        raise_floor(beam);
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
        struct oto_beam_entry *e = &beam->entries[i];
        const struct oto_trie_node *node = &beam->trie.nodes[e->node];
        int32_t parent =
            node->parent == OTO_TRIE_NONE ? OTO_TRIE_NONE : beam->trie.nodes[node->parent].entry;
        double blank = e->total + beam->log_y[0];
        double label = keep_label(beam, e), language = 0.0;
        if (parent != OTO_TRIE_NONE) {
            struct oto_beam_entry *p = &beam->entries[parent];
            double onset = extend(beam, p, node->label) + language_step(beam, p->node, e->node);
            note_onset(beam, e->node, onset);
            label = oto_log_add(label, onset);
            e->next_child = p->first_child;
            p->first_child = i;
        }
        double total = oto_log_add(blank, label);
        int32_t place = 0;
        if (beam->language) {
            place = beam->contexts[e->node].place;
            language = beam->contexts[e->node].score;
        }
        const struct oto_beam_candidate c = {total, blank, label, e->node, 0, place, language};
        if (total > OTO_LOG_0)
            n = offer(beam, &c, n);
    }
    return n;
}

/** Offers an extension of a prefix by k, where the language allows it. */
static int32_t offer_extension(struct oto_beam *beam, const struct oto_beam_entry *e, int32_t k,
                               int32_t n)
{
    double total = extend(beam, e, k), language = 0.0;
    int32_t place = 0;
    if (beam->language) {
        struct oto_context *context = &beam->contexts[e->node];
        if (!oto_context_step(beam->language, context, k, &language, &place))
            return n;
        total += language - context->score;
    }
    if (!(total > OTO_LOG_0) || is_hopeless(beam, total))
        return n;
    const struct oto_beam_candidate c = {total, OTO_LOG_0, total, e->node, k, place, language};
    return offer(beam, &c, n);
}

/** Marks the labels that extend a prefix to one that is in the beam. */
static void mark_children(struct oto_beam *beam, const struct oto_beam_entry *e)
{
    beam->stamp++;
    for (int32_t child = e->first_child; child != OTO_TRIE_NONE;
         child = beam->entries[child].next_child)
        beam->stamps[beam->trie.nodes[beam->entries[child].node].label] = beam->stamp;
}

/**
 * Offers every extension that is not in the beam yet: prefixes best first, labels likeliest first,
 * so that the rest can be left out as soon as one is hopeless. n candidates are there; returns how
 * many are then.
 */
static int32_t extend_all(struct oto_beam *beam, int32_t n)
{
    for (int32_t i = 0; i < beam->n_entries; i++) {
        const struct oto_beam_entry *e = &beam->entries[i];
        if (is_hopeless(beam, e->total + beam->log_y[beam->symbols[0]]))
            break;
        mark_children(beam, e);
        for (int32_t j = 0; j < beam->n_labels; j++) {
            int32_t k = beam->symbols[j];
            if (is_hopeless(beam, e->total + beam->log_y[k]))
                break;
            if (beam->stamps[k] != beam->stamp)
                n = offer_extension(beam, e, k, n);
        }
    }
    return n;
}

/** The same with a language, where an extension may score higher than its prefix. */
static int32_t extend_all_with_language(struct oto_beam *beam, int32_t n)
{
    const int32_t space = beam->language->space;
    const double likeliest = beam->log_y[beam->symbols[0]];
    const double log_y_space = space > 0 ? beam->log_y[space] : OTO_LOG_0;
    for (int32_t i = 0; i < beam->n_entries; i++) {
        const struct oto_beam_entry *e = &beam->entries[i];
        const struct oto_context *context = &beam->contexts[e->node];
        const double most = e->total + context->gain;
        const double most_space = e->total + context->space_gain + log_y_space;
        const bool with_space = log_y_space > OTO_LOG_0 && !is_hopeless(beam, most_space);
        if (!with_space && is_hopeless(beam, most + likeliest))
            continue;
        mark_children(beam, e);
        if (with_space && beam->stamps[space] != beam->stamp)
            n = offer_extension(beam, e, space, n);
        for (int32_t j = 0; j < beam->n_labels; j++) {
            int32_t k = beam->symbols[j];
            if (is_hopeless(beam, most + beam->log_y[k]))
                break;
            if (k != space && beam->stamps[k] != beam->stamp)
                n = offer_extension(beam, e, k, n);
        }
    }
    return n;
}

/** Of candidates at the same place of a grammar, behind which the same may follow, only the best
 * few are kept, so that there is room for other places. n are in order; returns how many are left.
 */
static int32_t thin_out(struct oto_beam *beam, int32_t n)
{
    const int32_t most = 1 + beam->options.beam / 100;
    int32_t n_left = 0;
    for (int32_t i = 0; i < n && n_left < beam->options.beam; i++) {
        const struct oto_beam_candidate *c = &beam->candidates[beam->ranks[i].item];
        if (beam->shared[c->place]++ < most)
            beam->ranks[n_left++] = beam->ranks[i];
    }
    for (int32_t i = 0; i < n; i++)
        beam->shared[beam->candidates[i].place] = 0;
    return n_left;
}

/** Puts the candidates that make the next beam in order, best first, those within the margin and
 * the spare where none of them ends with a whole word. Returns their number. */
static int32_t choose_candidates(struct oto_beam *beam, int32_t n)
{
    const struct oto_rank *ranks = beam->ranks;
    for (int32_t i = 0; i < n; i++) /* where they stand: most are in the last frame's order */
        beam->ranks[i] = (struct oto_rank){beam->candidates[i].total, i};
    oto_rank_sort(beam, n, oto_candidate_before);
    if (beam->shared)
        n = thin_out(beam, n);
    while (beam->options.score_margin > 0.0 &&
           ranks[n - 1].score < ranks[0].score - beam->options.score_margin)
        n--;
    for (int32_t i = 0; i < n; i++)
        if (oto_beam_is_complete(beam, beam->candidates[ranks[i].item].place))
            return n;
    beam->candidates[beam->room] = beam->spare;
    beam->ranks[n] = (struct oto_rank){beam->spare.total, beam->room};
    return n + 1;
}

/** The candidates become the beam. Room for as many nodes is reserved. */
static void renew_entries(struct oto_beam *beam, int32_t n)
{
    struct oto_trie *trie = &beam->trie;
    n = choose_candidates(beam, n);
    for (int32_t i = 0; i < n;
         i++) { /* before anything is released, as parents may only live in the old beam */
        struct oto_beam_candidate *c = &beam->candidates[beam->ranks[i].item];
        if (c->more) {
            int32_t parent = c->node;
            c->node = oto_trie_child(trie, parent, c->more);
            if (beam->language)
                oto_context_enter(beam->language, &beam->contexts[c->node], &beam->contexts[parent],
                                  c->more, c->language, c->place);
            note_onset(beam, c->node, c->label);
        }
        oto_trie_hold(trie, c->node);
    }
    for (int32_t i = 0; i < beam->n_entries; i++) {
        trie->nodes[beam->entries[i].node].entry = OTO_TRIE_NONE;
        oto_trie_release(trie, beam->entries[i].node);
    }
    for (int32_t i = 0; i < n; i++) {
        const struct oto_beam_candidate *c = &beam->candidates[beam->ranks[i].item];
        beam->entries[i] = (struct oto_beam_entry){c->total, c->blank,      c->label,
                                                   c->node,  OTO_TRIE_NONE, OTO_TRIE_NONE};
        trie->nodes[c->node].entry = i;
    }
    beam->n_entries = n;
}

/** A frame of nothing but blanks: all prefixes stay, in the same order. */
static void stay_all(struct oto_beam *beam)
{
    for (int32_t i = 0; i < beam->n_entries; i++) {
        struct oto_beam_entry *e = &beam->entries[i];
        e->total = e->blank = e->total + beam->log_y[0];
        e->label = OTO_LOG_0;
    }
}

static void step(struct oto_beam *beam, const float *log_probs)
{
    choose_symbols(beam, log_probs);
    if (beam->n_labels > 0) {
        beam->spare =
            (struct oto_beam_candidate){.total = is_strict(beam) ? OTO_LOG_0 : (double)INFINITY};
        beam->floor = OTO_LOG_0;
        int32_t n = stay(beam);
        n = beam->language ? extend_all_with_language(beam, n) : extend_all(beam, n);
        /* n >= 1: the likeliest symbol, or if strict the blank, keeps or extends any prefix */
        renew_entries(beam, n);
    } else {
        stay_all(beam);
    }
    forget_symbols(beam);
    beam->n_frames++;
}

/** The frame as the language is to be multiplied with. */
static const float *without_priors(struct oto_beam *beam, const float *log_probs)
{
    const struct oto_language *l = beam->language;
    if (!l || !l->log_priors)
        return log_probs;
    oto_priors_divide(beam->divided, log_probs, l->log_priors, l->options.prior_scale,
                      beam->n_symbols);
    return beam->divided;
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
        if (!oto_trie_reserve(&beam->trie, beam->options.beam + 1) || !reserve_contexts(beam))
            return oto_fail_memory(err, "beam search");
        step(beam, without_priors(beam, log_probs + t * (size_t)beam->n_symbols));
    }
    return OTO_OK;
}
