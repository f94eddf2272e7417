/* SPDX-License-Identifier: BSD-2-Clause */
/** What recognizers know of words: read once, shared by any number of them in any threads. */
#ifndef OTO_API_VOCABULARY_H
#define OTO_API_VOCABULARY_H

#include <stdatomic.h>

#include "decoder/language.h"
#include "models/bundle.h"
#include "models/lstm_lm.h"
#include "otolith/otolith.h"

struct oto_vocabulary {
    atomic_int references;
    struct oto_language *language; /* NULL: any text, all alike */
    struct oto_language_options weights;
    const struct oto_lstm_lm *lstm; /* of a second pass; NULL: there is none */
    /* what it stands on, where that is not the bundle's */
    struct oto_lexicon *lexicon;
    struct oto_lm *lm;
    struct oto_lstm_lm *own_lstm;
    struct oto_boost *boost;
    struct oto_grammar *grammar;
};

/** From the options' grammar, or lexicon, language models, weights, words and hot words, and the
 * bundle's where those are not given. The bundle is borrowed; the options' beam is not 0. One
 * reference, the caller's. */
oto_status oto_vocabulary_create(struct oto_vocabulary **out, const struct oto_bundle *bundle,
                                 const oto_recognizer_options *options,
                                 oto_error *err) OTO_WARN_UNUSED;
struct oto_vocabulary *oto_vocabulary_hold(struct oto_vocabulary *vocabulary);
/** Gives one reference back; the last one destroys. NULL is a no-op. */
void oto_vocabulary_release(struct oto_vocabulary *vocabulary);

#endif
