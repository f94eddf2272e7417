/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/vocabulary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Natural log of the part that a word without one has of the probability of unknown words. */
#define WORD_SHARE (-9.0)

static bool is_named(const char *path)
{
    return path != NULL && path[0] != 0;
}

static oto_status check_hot_words(const oto_recognizer_options *o, oto_error *err)
{
    if (!(fabs(o->hot_word_boost) <= 100))
        return oto_fail(err, OTO_ERR_ARGUMENT, "hot_word_boost: found %g, expected -100 to 100",
                        o->hot_word_boost);
    if (o->n_hot_words > 0 && o->hot_words == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "hot_words: NULL, expected %zu of them",
                        o->n_hot_words);
    for (size_t i = 0; i < o->n_hot_words; i++)
        if (o->hot_words[i].phrase == NULL)
            return oto_fail(err, OTO_ERR_ARGUMENT, "hot_words: phrase %zu is NULL", i + 1);
    return OTO_OK;
}

/* A number that is not given is the model's. */
static oto_status choose_weights(struct oto_language_options *weights,
                                 const struct oto_bundle *bundle, const oto_recognizer_options *o,
                                 oto_error *err)
{
    *weights = bundle->language;
    if (!isnan(o->lm_weight))
        weights->lm_weight = o->lm_weight;
    if (!isnan(o->word_bonus))
        weights->word_bonus = o->word_bonus;
    if (!isnan(o->unknown_weight))
        weights->unknown_weight = o->unknown_weight;
    if (!isnan(o->prior_scale))
        weights->prior_scale = o->prior_scale;
    return oto_language_options_check(weights, err);
}

/* Lexicon and language model of the options, else the bundle's. */
static oto_status choose_parts(struct oto_vocabulary *v, struct oto_language_parts *parts,
                               const struct oto_bundle *bundle,
                               const oto_recognizer_options *options, oto_error *err)
{
    oto_status status = OTO_OK;
    parts->lexicon = bundle->lexicon;
    parts->lm = bundle->lm;
    parts->log_priors = bundle->log_priors;
    if (is_named(options->lexicon)) {
        if (strcmp(options->lexicon, "none") != 0)
            status = oto_lexicon_load(&v->lexicon, options->lexicon, bundle->alphabet, err);
        parts->lexicon = v->lexicon;
    }
    if (status == OTO_OK && is_named(options->lm)) {
        if (strcmp(options->lm, "none") != 0)
            status = oto_lm_open(&v->lm, options->lm, err);
        parts->lm = v->lm;
    }
    return status;
}

static oto_status read_hot_words(struct oto_word_list *hot, const struct oto_alphabet *alphabet,
                                 const oto_recognizer_options *o, oto_error *err)
{
    const struct oto_word_list_rules rules = {alphabet, true, o->hot_word_boost, -100, 100};
    oto_status status = OTO_OK;
    if (is_named(o->hot_words_file))
        status = oto_word_list_load(hot, o->hot_words_file, &rules, err);
    for (size_t i = 0; status == OTO_OK && i < o->n_hot_words; i++) {
        const double boost = o->hot_words[i].boost;
        char place[40];
        snprintf(place, sizeof place, "hot word %zu", i + 1);
        status = oto_word_list_add(hot, o->hot_words[i].phrase,
                                   isnan(boost) ? o->hot_word_boost : boost, &rules, place, err);
    }
    oto_word_list_sort(hot);
    return status;
}

/* The words that may be written besides: those of hot phrases first, so that what the list of words
 * says of them holds. */
static oto_status read_words(struct oto_word_list *words, const struct oto_word_list *hot,
                             const struct oto_alphabet *alphabet, const char *path, oto_error *err)
{
    const struct oto_word_list_rules rules = {alphabet, false, WORD_SHARE, -100, 0};
    oto_status status = OTO_OK;
    for (size_t i = 0; i < hot->n; i++) {
        for (const char *text = hot->items[i].text; status == OTO_OK && *text;) {
            const size_t n = strcspn(text, " ");
            char *word = oto_strndup(text, n);
            status = word != NULL
                         ? oto_word_list_add(words, word, rules.value, &rules, "hot word", err)
                         : oto_fail_memory(err, "hot words");
            oto_free(word);
            text += n + (text[n] == ' ');
        }
    }
    if (status == OTO_OK && is_named(path))
        status = oto_word_list_load(words, path, &rules, err);
    oto_word_list_sort(words);
    return status;
}

static oto_status make_language(struct oto_vocabulary *v, struct oto_language_parts *parts,
                                const struct oto_bundle *bundle,
                                const oto_recognizer_options *options, oto_error *err)
{
    struct oto_word_list hot = {0}, words = {0};
    oto_status status = choose_weights(&v->weights, bundle, options, err);
    if (status == OTO_OK)
        status = read_hot_words(&hot, bundle->alphabet, options, err);
    if (status == OTO_OK)
        status = read_words(&words, &hot, bundle->alphabet, options->more_words, err);
    if (status == OTO_OK && hot.n > 0)
        status = oto_boost_create(&v->boost, &hot, bundle->alphabet, err);
    parts->boost = v->boost;
    parts->words = &words;
    if (status == OTO_OK && (parts->lexicon != NULL || parts->lm != NULL || words.n > 0))
        status = oto_language_create_from(&v->language, parts, bundle->alphabet, &v->weights, err);
    parts->words = NULL; /* read by now */
    oto_word_list_clear(&hot);
    oto_word_list_clear(&words);
    return status;
}

/* What the options name, and none but "none". */
static bool is_chosen(const char *path)
{
    return is_named(path) && strcmp(path, "none") != 0;
}

/* The grammar of the options, else the bundle's; NULL: words are searched for. */
static oto_status choose_grammar(struct oto_vocabulary *v, const struct oto_grammar **grammar,
                                 const struct oto_bundle *bundle, const oto_recognizer_options *o,
                                 oto_error *err)
{
    const char *other = is_chosen(o->lexicon)                               ? "lexicon"
                        : is_chosen(o->lm)                                  ? "lm"
                        : is_named(o->more_words)                           ? "words"
                        : is_named(o->hot_words_file) || o->n_hot_words > 0 ? "hot words"
                        : is_chosen(o->rescore)                             ? "rescore"
                                                                            : NULL;
    oto_status status = OTO_OK;
    *grammar = bundle->grammar;
    if (is_named(o->grammar)) {
        if (is_chosen(o->grammar))
            status = oto_grammar_load(&v->grammar, o->grammar, bundle->alphabet, err);
        *grammar = v->grammar;
    }
    if (status == OTO_OK && *grammar != NULL && other != NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "%s: a grammar%s says all that may be written; expected either, grammar "
                        "none switches it off",
                        other, v->grammar != NULL ? "" : " (the model's)");
    return status;
}

/* The second pass that the options name, else the bundle's: with that go words that are scored, and
 * a beam that holds several texts. */
static oto_status choose_lstm(struct oto_vocabulary *v, const struct oto_bundle *bundle,
                              const oto_recognizer_options *o, oto_error *err)
{
    oto_status status = OTO_OK;
    if (is_chosen(o->rescore)) {
        status = oto_lstm_lm_load(&v->own_lstm, o->rescore, err);
        v->lstm = v->own_lstm;
    } else if (!is_named(o->rescore) && o->beam > 1 && (!is_named(o->lm) || is_chosen(o->lm))) {
        v->lstm = bundle->lstm;
    }
    return status;
}

static oto_status fill(struct oto_vocabulary *v, const struct oto_bundle *bundle,
                       const oto_recognizer_options *options, oto_error *err)
{
    struct oto_language_parts parts = {0};
    const struct oto_grammar *grammar = NULL;
    oto_status status = check_hot_words(options, err);
    if (status == OTO_OK)
        status = choose_grammar(v, &grammar, bundle, options, err);
    if (status == OTO_OK && grammar != NULL)
        return oto_language_create_of_grammar(&v->language, grammar, err);
    if (status == OTO_OK)
        status = choose_parts(v, &parts, bundle, options, err);
    if (status == OTO_OK && is_named(options->more_words) && parts.lexicon == NULL &&
        parts.lm == NULL)
        status = oto_fail(err, OTO_ERR_ARGUMENT,
                          "words: neither a lexicon nor a language model to add them to");
    if (status == OTO_OK)
        status = make_language(v, &parts, bundle, options, err);
    if (status == OTO_OK)
        status = choose_lstm(v, bundle, options, err);
    return status;
}

oto_status oto_vocabulary_create(struct oto_vocabulary **out, const struct oto_bundle *bundle,
                                 const oto_recognizer_options *options, oto_error *err)
{
    *out = NULL;
    struct oto_vocabulary *v = oto_calloc(1, sizeof *v);
    if (v == NULL)
        return oto_fail_memory(err, "vocabulary");
    atomic_init(&v->references, 1);
    oto_status status = fill(v, bundle, options, err);
    if (status == OTO_OK)
        *out = v;
    else
        oto_vocabulary_release(v);
    return status;
}

struct oto_vocabulary *oto_vocabulary_hold(struct oto_vocabulary *v)
{
    atomic_fetch_add(&v->references, 1);
    return v;
}

void oto_vocabulary_release(struct oto_vocabulary *v)
{
    if (v == NULL || atomic_fetch_sub(&v->references, 1) > 1)
        return;
    oto_language_destroy(v->language);
    oto_boost_destroy(v->boost);
    oto_lm_close(v->lm);
    oto_lstm_lm_destroy(v->own_lstm);
    oto_lexicon_destroy(v->lexicon);
    oto_grammar_destroy(v->grammar);
    oto_free(v);
}
