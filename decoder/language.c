/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/language.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

#define LN_10 2.302585092994045684

static const char what[] = "language";

/* ---- create ------------------------------------------------------------------------------ */

static double unigram(const struct oto_language *l, uint32_t word)
{
    struct oto_lm_state state;
    oto_lm_start_empty(&state);
    return l->options.lm_weight * LN_10 * oto_lm_score(l->lm, &state, &state, word, NULL);
}

/** Look-ahead of a whole word of the lexicon. */
static double known_word(const struct oto_language *l, int32_t word)
{
    return unigram(l, l->lm_words[word]) + l->options.word_bonus + l->prices[word];
}

/** The best word below each node; children come after their parents. */
static void look_ahead(struct oto_language *l)
{
    const struct oto_lexicon *lexicon = l->lexicon;
    const struct oto_language_options *o = &l->options;
    l->unknown = l->lm ? unigram(l, OTO_LM_UNKNOWN) + o->word_bonus : 0.0;
    for (int32_t i = lexicon->n_nodes - 1; i >= 0; i--) {
        const struct oto_lexicon_node *node = &lexicon->nodes[i];
        double best = l->lm ? -(double)INFINITY : 0.0;
        if (l->lm && node->word >= 0)
            best = known_word(l, node->word);
        for (int32_t k = 0; k < node->n_children; k++)
            best = fmax(best, l->ahead[node->first_child + k]);
        l->ahead[i] = best;
    }
}

/** What a word that the model does not know costs besides its probability. */
static double price(const struct oto_language *l, const char *word,
                    const struct oto_word_list *added)
{
    const struct oto_word_list_item *item = added ? oto_word_list_find(added, word) : NULL;
    return item ? l->options.lm_weight * item->value
                : l->options.unknown_weight * (double)oto_utf8_length(word);
}

static oto_status fill(struct oto_language *l, const struct oto_word_list *added, oto_error *err)
{
    const struct oto_lexicon *lexicon = l->lexicon;
    l->ahead = oto_calloc((size_t)lexicon->n_nodes, sizeof *l->ahead);
    l->lm_words = oto_calloc((size_t)lexicon->n_words, sizeof *l->lm_words);
    l->prices = oto_calloc((size_t)lexicon->n_words, sizeof *l->prices);
    if (!l->ahead || !l->lm_words || !l->prices)
        return oto_fail_memory(err, what);
    for (int32_t i = 0; l->lm && i < lexicon->n_words; i++) {
        const char *word = oto_lexicon_word(lexicon, i);
        l->lm_words[i] = oto_lm_find(l->lm, word, strlen(word));
        if (l->lm_words[i] == OTO_LM_UNKNOWN)
            l->prices[i] = price(l, word, added);
    }
    look_ahead(l);
    return OTO_OK;
}

/** The words to look ahead to: of the lexicon, else the model's, and those added. */
static oto_status make_lexicon(struct oto_language *l, const struct oto_language_parts *parts,
                               const struct oto_alphabet *alphabet, oto_error *err)
{
    static const struct oto_word_list none = {0};
    const struct oto_word_list *words = parts->words ? parts->words : &none;
    struct oto_lexicon *of_lm = NULL;
    oto_status status = OTO_OK;
    l->lexicon = parts->lexicon;
    if (!parts->lexicon && parts->lm)
        status = oto_lexicon_of_lm(&of_lm, parts->lm, alphabet, err);
    if (status == OTO_OK && words->n > 0)
        status = oto_lexicon_extend(&l->owned, of_lm ? of_lm : parts->lexicon, words, false,
                                    alphabet, err);
    if (words->n > 0 || status != OTO_OK)
        oto_lexicon_destroy(of_lm);
    else
        l->owned = of_lm;
    if (l->owned)
        l->lexicon = l->owned;
    return status;
}

/** Look-ahead of a single word, the labels [n] of a phrase. */
static double word_ahead(const struct oto_language *l, const int32_t *labels, int32_t n)
{
    int32_t node = OTO_LEXICON_ROOT;
    for (int32_t i = 0; i < n && node != OTO_LEXICON_NONE; i++)
        node = oto_lexicon_child(l->lexicon, node, labels[i]);
    if (!l->lm)
        return 0.0;
    const int32_t word = node == OTO_LEXICON_NONE ? -1 : l->lexicon->nodes[node].word;
    return word < 0 ? l->unknown + l->options.unknown_weight * n : known_word(l, word);
}

/** What the beginnings of the phrase that ends at a node of the boost's tree promise. */
static void promise_phrase(struct oto_language *l, int32_t end, int32_t *labels)
{
    const struct oto_boost *b = l->boost;
    const int32_t n = b->depths[end], space = b->tree->space;
    const double value = b->values[b->tree->nodes[end].word];
    for (int32_t i = end; i != OTO_BOOST_START; i = b->parents[i])
        labels[b->depths[i] - 1] = b->tree->nodes[i].label;
    for (int32_t i = end, stop = n; value > 0.0 && i != OTO_BOOST_START;) {
        int32_t begin = stop;
        while (begin > 0 && labels[begin - 1] != space)
            begin--;
        const double ahead = word_ahead(l, labels + begin, stop - begin);
        for (; b->depths[i] > begin; i = b->parents[i])
            l->promise[i] = fmax(l->promise[i], ahead + value * b->depths[i] / n);
        if (begin > 0)
            i = b->parents[i]; /* the space */
        stop = begin - 1;
    }
}

/** The look-ahead inside hot words: of the most promising phrase, and of ends that begin others. */
static oto_status look_ahead_to_phrases(struct oto_language *l, oto_error *err)
{
    const struct oto_boost *b = l->boost;
    if (!b)
        return OTO_OK;
    const struct oto_lexicon *tree = b->tree;
    const int32_t n = tree->n_nodes;
    l->promise = oto_calloc((size_t)n, sizeof *l->promise);
    l->promise_below = oto_calloc((size_t)n, sizeof *l->promise_below);
    int32_t *labels = oto_calloc((size_t)b->depths[n - 1], sizeof *labels);
    if (!l->promise || !l->promise_below || !labels) {
        oto_free(labels);
        return oto_fail_memory(err, what);
    }
    for (int32_t i = 0; i < n; i++)
        l->promise[i] = l->promise_below[i] = -(double)INFINITY;
    for (int32_t i = 0; i < n; i++)
        if (tree->nodes[i].word >= 0)
            promise_phrase(l, i, labels);
    for (int32_t i = 1; i < n; i++) /* failures stand before */
        if (b->fail[i] != OTO_BOOST_OFF)
            l->promise[i] = fmax(l->promise[i], l->promise[b->fail[i]]);
    for (int32_t i = 0; i < n; i++) {
        double *below = &l->promise_below[i];
        for (int32_t k = 0; k < tree->nodes[i].n_children; k++)
            *below = fmax(*below, l->promise[tree->nodes[i].first_child + k]);
        if (b->fail[i] != OTO_BOOST_OFF)
            *below = fmax(*below, l->promise_below[b->fail[i]]);
    }
    oto_free(labels);
    return OTO_OK;
}

oto_status oto_language_create_from(struct oto_language **out,
                                    const struct oto_language_parts *parts,
                                    const struct oto_alphabet *alphabet,
                                    const struct oto_language_options *options, oto_error *err)
{
    *out = NULL;
    struct oto_language *l = oto_calloc(1, sizeof *l);
    if (!l)
        return oto_fail_memory(err, what);
    l->lm = parts->lm;
    l->boost = parts->boost;
    l->strict = parts->lexicon != NULL;
    if (l->lm)
        l->options = *options;
    if (l->options.prior_scale > 0)
        l->log_priors = parts->log_priors;
    oto_status status = make_lexicon(l, parts, alphabet, err);
    if (status == OTO_OK && l->options.prior_scale > 0 && !l->log_priors)
        status = oto_fail(err, OTO_ERR_ARGUMENT,
                          "prior-scale: found %g, but the model has no priors of its symbols "
                          "(otolith model set --priors makes them); expected 0",
                          l->options.prior_scale);
    if (status == OTO_OK && !l->lexicon)
        status = oto_fail(err, OTO_ERR_ARGUMENT, "a language of no words");
    if (status == OTO_OK) {
        l->space = l->lexicon->space;
        status = fill(l, parts->words, err);
    }
    if (status == OTO_OK)
        status = look_ahead_to_phrases(l, err);
    if (status == OTO_OK)
        *out = l;
    else
        oto_language_destroy(l);
    return status;
}

oto_status oto_language_create(struct oto_language **out, const struct oto_lexicon *lexicon,
                               const struct oto_lm *lm, const struct oto_alphabet *alphabet,
                               const struct oto_language_options *options, oto_error *err)
{
    const struct oto_language_parts parts = {.lexicon = lexicon, .lm = lm};
    return oto_language_create_from(out, &parts, alphabet, options, err);
}

oto_status oto_language_create_of_grammar(struct oto_language **out,
                                          const struct oto_grammar *grammar, oto_error *err)
{
    *out = oto_calloc(1, sizeof **out);
    if (!*out)
        return oto_fail_memory(err, what);
    (*out)->grammar = grammar;
    (*out)->strict = true;
    (*out)->space = grammar->space;
    return OTO_OK;
}

void oto_language_destroy(struct oto_language *l)
{
    if (!l)
        return;
    oto_free(l->lm_words);
    oto_free(l->promise);
    oto_free(l->promise_below);
    oto_free(l->prices);
    oto_free(l->ahead);
    oto_lexicon_destroy(l->owned);
    oto_free(l);
}

/* ---- contexts ---------------------------------------------------------------------------- */

/** The state of hot words, with what is asked of it at every frame. */
static inline void set_boost(const struct oto_language *l, struct oto_context *c, int32_t state)
{
    const bool off = state == OTO_BOOST_OFF;
    c->boost = state;
    c->boost_letter = off ? -(double)INFINITY : l->promise_below[state];
    c->boost_space = off ? 0.0 : l->boost->behind[state];
    c->boost_labels = off ? 0 : l->boost->labels[state];
}

/** Of a word of n letters that no known word begins like. */
static double unknown_score(const struct oto_language *l, const struct oto_context *c, int32_t n)
{
    return c->words + l->unknown + l->options.unknown_weight * n;
}

/** How much the score may rise by a letter, and by a space: p <= 1. */
static inline void set_gains(const struct oto_language *l, struct oto_context *c)
{
    double best = c->score;
    if (l->lm && c->n_letters == 0)
        best = c->words + l->ahead[OTO_LEXICON_ROOT];
    if (l->lm && !l->strict)
        best = fmax(best, unknown_score(l, c, c->n_letters + 1));
    best = fmax(best, c->words + c->boost_letter);
    c->gain = best - c->score;
    c->space_gain = c->words + l->options.word_bonus + c->boost_space - c->score;
    if (l->boost)
        c->space_gain += oto_boost_reward(l->boost, c->boost);
}

void oto_context_start(const struct oto_language *l, struct oto_context *c)
{
    *c = (struct oto_context){.place = OTO_LEXICON_ROOT};
    set_boost(l, c, l->boost ? OTO_BOOST_START : OTO_BOOST_OFF);
    if (l->lm)
        oto_lm_start(l->lm, &c->state);
    set_gains(l, c);
}

/** Scores the word that has begun as a whole one. */
static void end_word(const struct oto_language *l, struct oto_context *c)
{
    if (c->ended)
        return;
    c->ended = true;
    c->end_words = c->words;
    c->end_state = c->state;
    if (l->boost && c->n_letters > 0)
        c->end_words += oto_boost_reward(l->boost, c->boost);
    if (l->lm && c->n_letters > 0) {
        int32_t word = c->place == OTO_LEXICON_NONE ? -1 : l->lexicon->nodes[c->place].word;
        uint32_t lm_word = word < 0 ? OTO_LM_UNKNOWN : l->lm_words[word];
        double log10_p = oto_lm_score(l->lm, &c->end_state, &c->state, lm_word, NULL);
        c->end_words += l->options.lm_weight * LN_10 * log10_p + l->options.word_bonus;
        c->end_words += word < 0 ? l->options.unknown_weight * c->n_letters : l->prices[word];
    }
    c->space_gain = c->end_words + c->boost_space - c->score;
}

bool oto_context_is_complete(const struct oto_language *l, const struct oto_context *c)
{
    return oto_language_is_complete(l, c->place);
}

/** What is worth more: a word that begins so as one of many, or as part of a hot phrase. */
static inline double ahead_with_boost(const struct oto_language *l, const struct oto_context *c,
                                      int32_t label, double score)
{
    if (!(c->boost_labels >> (label & 63) & 1) || c->words + c->boost_letter <= score)
        return score; /* no need to look which phrase */
    const int32_t state = oto_boost_next(l->boost, c->boost, label);
    return state == OTO_BOOST_OFF ? score : fmax(score, c->words + l->promise[state]);
}

/** Along an arc of the grammar's automaton. */
static bool step_in_grammar(const struct oto_language *l, const struct oto_context *c,
                            int32_t label, double *score, int32_t *place)
{
    const struct oto_grammar_arc *arc = oto_grammar_find(l->grammar, c->place, label);
    if (!arc)
        return false;
    *score = c->score + arc->weight;
    *place = arc->to;
    return true;
}

bool oto_context_step(const struct oto_language *l, struct oto_context *c, int32_t label,
                      double *score, int32_t *place)
{
    if (l->grammar)
        return step_in_grammar(l, c, label, score, place);
    if (label == l->space) {
        if (c->n_letters == 0 || !oto_context_is_complete(l, c))
            return false;
        end_word(l, c);
        *score = c->end_words + c->boost_space;
        *place = OTO_LEXICON_ROOT;
    } else {
        *place = c->place == OTO_LEXICON_NONE ? OTO_LEXICON_NONE
                                              : oto_lexicon_child(l->lexicon, c->place, label);
        if (*place != OTO_LEXICON_NONE)
            *score = c->words + l->ahead[*place];
        else if (!l->strict)
            *score = unknown_score(l, c, c->n_letters + 1);
        else
            return false;
        *score = ahead_with_boost(l, c, label, *score);
    }
    return true;
}

void oto_context_enter(const struct oto_language *l, struct oto_context *longer,
                       const struct oto_context *c, int32_t label, double score, int32_t place)
{
    bool space = label == l->space;
    longer->score = score;
    longer->words = l->grammar ? score : space ? c->end_words : c->words;
    longer->place = place;
    longer->n_letters = space ? 0 : c->n_letters + 1;
    set_boost(l, longer, l->boost ? oto_boost_next(l->boost, c->boost, label) : OTO_BOOST_OFF);
    longer->state = space ? c->end_state : c->state;
    longer->ended = false;
    set_gains(l, longer);
}

/** Nothing said costs nothing where it is no sentence. */
static double finish_grammar(const struct oto_grammar *g, const struct oto_context *c)
{
    const double end = g->states[c->place].end;
    return c->place == OTO_GRAMMAR_START && !isfinite(end) ? 0.0 : c->score + end;
}

double oto_context_finish(const struct oto_language *l, struct oto_context *c)
{
    if (l->grammar)
        return finish_grammar(l->grammar, c);
    end_word(l, c);
    if (!l->lm)
        return c->end_words;
    struct oto_lm_state state;
    uint32_t end = oto_lm_end_of_sentence(l->lm);
    double log10_p =
        end == OTO_LM_UNKNOWN ? 0.0 : oto_lm_score(l->lm, &state, &c->end_state, end, NULL);
    return c->end_words + l->options.lm_weight * LN_10 * log10_p;
}
