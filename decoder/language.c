/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/language.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

#define LN_10 2.302585092994045684

/* ---- create ------------------------------------------------------------------------------ */

static double unigram(const struct oto_language *l, uint32_t word)
{
    struct oto_lm_state state;
    oto_lm_start_empty(&state);
    return l->options.lm_weight * LN_10 * oto_lm_score(l->lm, &state, &state, word, NULL);
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
        if (l->lm && node->word >= 0) {
            uint32_t word = l->lm_words[node->word];
            double length = (double)oto_utf8_length(oto_lexicon_word(lexicon, node->word));
            best = unigram(l, word) + o->word_bonus +
                   (word == OTO_LM_UNKNOWN ? o->unknown_weight * length : 0.0);
        }
        for (int32_t k = 0; k < node->n_children; k++)
            best = fmax(best, l->ahead[node->first_child + k]);
        l->ahead[i] = best;
    }
}

static oto_status fill(struct oto_language *l, const char *what, oto_error *err)
{
    const struct oto_lexicon *lexicon = l->lexicon;
    l->ahead = oto_calloc((size_t)lexicon->n_nodes, sizeof *l->ahead);
    l->lm_words = oto_calloc((size_t)lexicon->n_words, sizeof *l->lm_words);
    if (!l->ahead || !l->lm_words)
        return oto_fail_memory(err, what);
    for (int32_t i = 0; l->lm && i < lexicon->n_words; i++) {
        const char *word = oto_lexicon_word(lexicon, i);
        l->lm_words[i] = oto_lm_find(l->lm, word, strlen(word));
    }
    look_ahead(l);
    return OTO_OK;
}

oto_status oto_language_create(struct oto_language **out, const struct oto_lexicon *lexicon,
                               const struct oto_lm *lm, const struct oto_alphabet *alphabet,
                               const struct oto_language_options *options, oto_error *err)
{
    static const char what[] = "language";
    *out = NULL;
    struct oto_language *l = oto_calloc(1, sizeof *l);
    if (!l)
        return oto_fail_memory(err, what);
    oto_status status = OTO_OK;
    l->lm = lm;
    l->lexicon = lexicon;
    l->strict = lexicon != NULL;
    if (lm)
        l->options = *options;
    if (!lexicon) {
        status = oto_lexicon_of_lm(&l->owned, lm, alphabet, err);
        l->lexicon = l->owned;
    }
    if (status == OTO_OK)
        status = fill(l, what, err);
    if (status == OTO_OK)
        *out = l;
    else
        oto_language_destroy(l);
    return status;
}

void oto_language_destroy(struct oto_language *l)
{
    if (!l)
        return;
    oto_free(l->lm_words);
    oto_free(l->ahead);
    oto_lexicon_destroy(l->owned);
    oto_free(l);
}

/* ---- contexts ---------------------------------------------------------------------------- */

void oto_context_start(const struct oto_language *l, struct oto_context *c)
{
    *c = (struct oto_context){.place = OTO_LEXICON_ROOT};
    if (l->lm)
        oto_lm_start(l->lm, &c->state);
}

/** Scores the word that has begun as a whole one. */
static void end_word(const struct oto_language *l, struct oto_context *c)
{
    if (c->ended)
        return;
    c->ended = true;
    c->end_words = c->words;
    if (!l->lm || c->n_letters == 0) {
        c->end_state = c->state;
        return;
    }
    int32_t word = c->place == OTO_LEXICON_NONE ? -1 : l->lexicon->nodes[c->place].word;
    uint32_t lm_word = word < 0 ? OTO_LM_UNKNOWN : l->lm_words[word];
    double log10_p = oto_lm_score(l->lm, &c->end_state, &c->state, lm_word, NULL);
    c->end_words += l->options.lm_weight * LN_10 * log10_p + l->options.word_bonus;
    if (lm_word == OTO_LM_UNKNOWN)
        c->end_words += l->options.unknown_weight * c->n_letters;
}

bool oto_context_is_complete(const struct oto_language *l, const struct oto_context *c)
{
    return !l->strict || oto_lexicon_is_complete(l->lexicon, c->place);
}

/** Of a word of n letters that no known word begins like. */
static double unknown_score(const struct oto_language *l, const struct oto_context *c, int32_t n)
{
    return c->words + l->unknown + l->options.unknown_weight * n;
}

bool oto_context_step(const struct oto_language *l, struct oto_context *c, int32_t label,
                      double *score, int32_t *place)
{
    if (label == l->lexicon->space) {
        if (c->n_letters == 0 || !oto_context_is_complete(l, c))
            return false;
        end_word(l, c);
        *score = c->end_words;
        *place = OTO_LEXICON_ROOT;
        return true;
    }
    *place = c->place == OTO_LEXICON_NONE ? OTO_LEXICON_NONE
                                          : oto_lexicon_child(l->lexicon, c->place, label);
    if (*place != OTO_LEXICON_NONE)
        *score = c->words + l->ahead[*place];
    else
        *score = unknown_score(l, c, c->n_letters + 1);
    return *place != OTO_LEXICON_NONE || !l->strict;
}

void oto_context_enter(const struct oto_language *l, struct oto_context *longer,
                       const struct oto_context *c, int32_t label, double score, int32_t place)
{
    bool space = label == l->lexicon->space;
    longer->score = score;
    longer->words = space ? c->end_words : c->words;
    longer->place = place;
    longer->n_letters = space ? 0 : c->n_letters + 1;
    longer->state = space ? c->end_state : c->state;
    longer->ended = false;
}

double oto_context_gain(const struct oto_language *l, const struct oto_context *c)
{
    if (!l->lm)
        return 0.0;
    double known = c->n_letters == 0 ? c->words + l->ahead[OTO_LEXICON_ROOT] : c->score;
    double best = l->strict ? known : fmax(known, unknown_score(l, c, c->n_letters + 1));
    return best - c->score;
}

double oto_context_space_gain(const struct oto_language *l, const struct oto_context *c)
{
    if (c->ended)
        return c->end_words - c->score;
    return l->lm ? c->words + l->options.word_bonus - c->score : 0.0; /* p <= 1 */
}

double oto_context_finish(const struct oto_language *l, struct oto_context *c)
{
    end_word(l, c);
    if (!l->lm)
        return c->end_words;
    struct oto_lm_state state;
    uint32_t end = oto_lm_end_of_sentence(l->lm);
    double log10_p =
        end == OTO_LM_UNKNOWN ? 0.0 : oto_lm_score(l->lm, &state, &c->end_state, end, NULL);
    return c->end_words + l->options.lm_weight * LN_10 * log10_p;
}
