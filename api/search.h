/* SPDX-License-Identifier: BSD-2-Clause */
/** The beam search of a recognizer, with what it knows of words. */
#ifndef OTO_API_SEARCH_H
#define OTO_API_SEARCH_H

#include "api/rescore.h"
#include "api/vocabulary.h"
#include "decoder/beam.h"

struct oto_search {
    struct oto_vocabulary *vocabulary;
    struct oto_beam *beam;         /* NULL: greedy decoding will do */
    struct oto_rescorer *rescorer; /* NULL: there is no second pass */
};

/** @param options  beam is not 0
 * @param shared   vocabulary to hold; NULL: made from the options
 * Release with oto_search_clear(), also after a failure. The bundle is borrowed. */
oto_status oto_search_init(struct oto_search *search, const struct oto_bundle *bundle,
                           const oto_recognizer_options *options, struct oto_vocabulary *shared,
                           oto_error *err) OTO_WARN_UNUSED;
/** The second pass, where the options name one. With their beam, not 0. */
oto_status oto_search_add_rescorer(struct oto_search *search, const struct oto_bundle *bundle,
                                   const oto_recognizer_options *options,
                                   oto_error *err) OTO_WARN_UNUSED;
void oto_search_clear(struct oto_search *search);

/** What a recognizer knows of words; its own, hold it to keep it. */
struct oto_vocabulary *oto_recognizer_vocabulary(const oto_recognizer *rec);

#endif
