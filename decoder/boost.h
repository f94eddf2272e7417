/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Hot words: phrases that are worth something wherever a text has them, from the start of a word to
 * the end of one. Of several that end at the same place each counts. A phrase of n labels that has
 * begun is worth d/n of its value after d labels (look-ahead); when it ends otherwise that is given
 * back. Inside a word this competes with the look-ahead to other words (decoder/language.h), so
 * that no beginning is worth more than what it may become.
 *
 * An automaton over labels (Aho and Corasick 1975) whose failures lead only to what begins with a
 * word. Read-only once made; may be shared.
 */
#ifndef OTO_DECODER_BOOST_H
#define OTO_DECODER_BOOST_H

#include <stdint.h>

#include "base/status.h"
#include "decoder/alphabet.h"
#include "decoder/lexicon.h"
#include "decoder/word_list.h"

/** At the start of a word with nothing begun; inside a word that begins no phrase. Other states are
 * nodes of the tree. */
enum { OTO_BOOST_START = OTO_LEXICON_ROOT, OTO_BOOST_OFF = OTO_LEXICON_NONE };

struct oto_boost {
    struct oto_lexicon *tree; /* of the phrases, the space a label like others */
    double *values;           /* [tree->n_words] of the phrases */
    int32_t *parents;         /* [n_nodes] of the tree */
    int32_t *depths;          /* [n_nodes] labels from the root */
    int32_t *fail;   /* [n_nodes] the longest proper end of a node that is a node, or OFF */
    double *reward;  /* [n_nodes] worth of the phrases that end here, if the word ends here, too */
    double *pending; /* [n_nodes] worth of the phrases that have begun here, >= 0 */
    double *behind;  /* [n_nodes] the same with a space behind */
    /* [n_nodes] bit (label modulo 64) of each label but the space that leads from here to a node */
    uint64_t *labels;
};

/** From a sorted list that is not empty; values are the phrases' in natural log. */
oto_status oto_boost_create(struct oto_boost **out, const struct oto_word_list *phrases,
                            const struct oto_alphabet *alphabet, oto_error *err) OTO_WARN_UNUSED;
void oto_boost_destroy(struct oto_boost *boost);

/** oto_boost_next() of a state that is not OTO_BOOST_OFF. */
int32_t oto_boost_follow(const struct oto_boost *boost, int32_t state, int32_t label);

/** The state after one label more. */
static inline int32_t oto_boost_next(const struct oto_boost *boost, int32_t state, int32_t label)
{
    if (state == OTO_BOOST_OFF)
        return label == boost->tree->space ? OTO_BOOST_START : OTO_BOOST_OFF;
    return oto_boost_follow(boost, state, label);
}

static inline double oto_boost_pending(const struct oto_boost *boost, int32_t state)
{
    return state == OTO_BOOST_OFF ? 0.0 : boost->pending[state];
}

static inline double oto_boost_reward(const struct oto_boost *boost, int32_t state)
{
    return state == OTO_BOOST_OFF ? 0.0 : boost->reward[state];
}

#endif
