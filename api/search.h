/* SPDX-License-Identifier: BSD-2-Clause */
/** The beam search of a recognizer, with what it knows of words. */
#ifndef OTO_API_SEARCH_H
#define OTO_API_SEARCH_H

#include <stdbool.h>

#include "api/rescore.h"
#include "api/vocabulary.h"
#include "decoder/beam.h"

struct oto_search {
    struct oto_vocabulary *vocabulary;
    struct oto_beam *beam;         /* NULL: greedy decoding will do */
    struct oto_rescorer *rescorer; /* NULL: there is no second pass */
    bool skips_rescorer;           /* leave it out for the time being */
    double rescore_s;              /* by the clock, of its last run */
};

/** @param options  beam is not 0
 * @param shared   vocabulary to hold; NULL: made from the options
 * Release with oto_search_clear(), also after a failure. The bundle is borrowed. */
oto_status oto_search_init(struct oto_search *search, const struct oto_bundle *bundle,
                           const oto_recognizer_options *options, struct oto_vocabulary *shared,
                           oto_error *err) OTO_WARN_UNUSED;
/** The second pass, where the vocabulary has one; its numbers are the options', else the bundle's.
 * With their beam, not 0. */
oto_status oto_search_add_rescorer(struct oto_search *search, const struct oto_bundle *bundle,
                                   const oto_recognizer_options *options,
                                   oto_error *err) OTO_WARN_UNUSED;
/** Runs the second pass over hyps, best first, as oto_rescorer_run() does; leaves them as they are
 * where there is none. */
oto_status oto_search_rescore(struct oto_search *search, const struct oto_hypothesis **hyps,
                              int *n_hyps, oto_error *err) OTO_WARN_UNUSED;
void oto_search_clear(struct oto_search *search);

/** The search of a recognizer; its own, as long as it lives. */
struct oto_search *oto_recognizer_search(oto_recognizer *rec);

#endif
