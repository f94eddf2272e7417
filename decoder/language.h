/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * What a beam search knows of a language: which words there are, and how likely they follow one
 * another. A text w1 .. wn gets
 *
 *     sum_i lm_weight ln p(wi | w1 .. wi-1) + word_bonus + unknown_weight u(wi)
 *         + lm_weight ln p(</s> | w1 .. wn)
 *
 * and what its hot phrases are worth (decoder/boost.h), where u is 0 for known words and the number
 * of characters for others; of words that were added to those the model knows the value takes its
 * place, with the model's weight. A word that has only begun
 * is scored as the likeliest word with this beginning would be by its unigram probability
 * (look-ahead), so that the search does not wait for the word's end. Natural logs.
 *
 * A grammar takes the place of all that: texts are its sentences, and are worth what it says.
 */
#ifndef OTO_DECODER_LANGUAGE_H
#define OTO_DECODER_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/options.h"
#include "base/status.h"
#include "decoder/alphabet.h"
#include "decoder/boost.h"
#include "decoder/grammar.h"
#include "decoder/lexicon.h"
#include "decoder/lm.h"
#include "decoder/word_list.h"

struct oto_language_options {
    double lm_weight;      /* alpha */
    double word_bonus;     /* beta, for each word */
    double unknown_weight; /* for each character of a word that the model does not know */
    double prior_scale;    /* how much of the priors of the symbols is taken out of what the network
                              gives (decoder/priors.h); 0: nothing */
};
extern const struct oto_option oto_language_option_table[];
extern const size_t oto_language_n_options;
/** OTO_ERR_ARGUMENT for what the table would refuse. */
oto_status oto_language_options_check(const struct oto_language_options *options,
                                      oto_error *err) OTO_WARN_UNUSED;

/** What a language is made of; all borrowed, any may be missing, but not all of the first three. */
struct oto_language_parts {
    const struct oto_lexicon *lexicon; /* only these words, and those added, are written */
    const struct oto_lm *lm;
    const struct oto_boost *boost;
    /* Sorted: words that may be written besides. Values: natural log of the part of the probability
     * of all words unknown to lm that such a word has. NULL: none */
    const struct oto_word_list *words;
    /* [alphabet->n_symbols] natural logs; needed with an lm and a prior scale above 0 */
    const double *log_priors;
};

/** Read-only once made; may be shared by searches. */
struct oto_language {
    const struct oto_grammar *grammar; /* NULL: words; else the rest but strict and space is NULL */
    const struct oto_lexicon *lexicon; /* the words, as a tree */
    bool strict;                       /* nothing but these words, or sentences */
    int32_t space;                     /* label between words; -1: a text is a single word */
    const struct oto_lm *lm;           /* NULL: all words are equal */
    const struct oto_boost *boost;     /* NULL: no hot words */
    struct oto_language_options options;
    const double *log_priors; /* NULL: the network's probabilities are taken as they are */
    uint32_t *lm_words;       /* [lexicon->n_words] their numbers in the model */
    double *prices; /* [lexicon->n_words] of those that the model does not know; 0 for others */
    double *ahead;  /* [lexicon->n_nodes] of a word that begins so; at the root the most */
    double unknown; /* look-ahead of an unknown word, without its characters */
    /* [boost->tree->n_nodes] look-ahead of the hot words that begin so; NULL without */
    double *promise;
    double *promise_below;     /* the most by a letter more */
    struct oto_lexicon *owned; /* where it is neither the caller's alone nor the model's */
};

/**
 * @param lexicon  only these words are written, NULL: any, those of lm as words that are known
 * @param lm       NULL: no scores
 * @param options  may be NULL where lm is
 * Both are borrowed; one at least is there. OTO_ERR_DATA when the alphabet can write no word of lm.
 */
oto_status oto_language_create(struct oto_language **out, const struct oto_lexicon *lexicon,
                               const struct oto_lm *lm, const struct oto_alphabet *alphabet,
                               const struct oto_language_options *options,
                               oto_error *err) OTO_WARN_UNUSED;
/** From any parts; options may be NULL where there is no language model. OTO_ERR_DATA when there is
 * one and neither it nor the words can be written in the alphabet. */
oto_status oto_language_create_from(struct oto_language **out,
                                    const struct oto_language_parts *parts,
                                    const struct oto_alphabet *alphabet,
                                    const struct oto_language_options *options,
                                    oto_error *err) OTO_WARN_UNUSED;
/** Of nothing but a grammar's sentences; borrowed. */
oto_status oto_language_create_of_grammar(struct oto_language **out,
                                          const struct oto_grammar *grammar,
                                          oto_error *err) OTO_WARN_UNUSED;
void oto_language_destroy(struct oto_language *language);

/** Whether a text may end at this place. */
static inline bool oto_language_is_complete(const struct oto_language *l, int32_t place)
{
    if (l->grammar)
        return oto_grammar_is_complete(l->grammar, place);
    return !l->strict || oto_lexicon_is_complete(l->lexicon, place);
}

/** Where a text stands. Depends on its labels alone. */
struct oto_context {
    double score;              /* of the words and what has begun */
    double words;              /* of the whole words alone */
    double gain;               /* most that score may rise by a letter more */
    double space_gain;         /* and by a space */
    int32_t place;             /* in the grammar or lexicon; OTO_LEXICON_NONE: unknown word */
    int32_t n_letters;         /* of the word that has begun */
    int32_t boost;             /* state of the hot words, and what they promise: */
    double boost_letter;       /* at most by a letter more, as score - words; -inf for nothing */
    double boost_space;        /* behind a space */
    uint64_t boost_labels;     /* which letters lead on, as oto_boost.labels */
    struct oto_lm_state state; /* after the whole words */
    bool ended;                /* the next two are known */
    double end_words;          /* words, were the word to end here */
    struct oto_lm_state end_state;
};

/** Before the first label. */
void oto_context_start(const struct oto_language *language, struct oto_context *c);
/**
 * Where one label more leads.
 * @param score, place  of the longer text
 * @return false when it may not follow: a second space, or what no word begins with
 */
bool oto_context_step(const struct oto_language *language, struct oto_context *c, int32_t label,
                      double *score, int32_t *place);
/** The context of the longer text, with what oto_context_step() found. */
void oto_context_enter(const struct oto_language *language, struct oto_context *longer,
                       const struct oto_context *c, int32_t label, double score, int32_t place);
/** Whether a text may end here. */
bool oto_context_is_complete(const struct oto_language *language, const struct oto_context *c);
/** Score of the text if it ends here; oto_context_is_complete(). */
double oto_context_finish(const struct oto_language *language, struct oto_context *c);

#endif
