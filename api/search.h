/* SPDX-License-Identifier: BSD-2-Clause */
/** The beam search of a recognizer, with the words and the language model it was asked for. */
#ifndef OTO_API_SEARCH_H
#define OTO_API_SEARCH_H

#include "decoder/beam.h"
#include "models/bundle.h"
#include "otolith/otolith.h"

struct oto_search {
    struct oto_beam *beam; /* NULL: greedy decoding will do */
    /* what beam stands on */
    struct oto_lexicon *lexicon; /* read here; NULL: the bundle's or none */
    struct oto_lm *lm;
    struct oto_language *language;
};

/** From the options' beam (not 0), lexicon and language model. Release with oto_search_clear(),
 * also after a failure. The bundle is borrowed. */
oto_status oto_search_init(struct oto_search *search, const struct oto_bundle *bundle,
                           const oto_recognizer_options *options, oto_error *err) OTO_WARN_UNUSED;
void oto_search_clear(struct oto_search *search);

#endif
