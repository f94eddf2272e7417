/* SPDX-License-Identifier: BSD-2-Clause */
/** The beam search of a recognizer, with what it knows of words. */
#ifndef OTO_API_SEARCH_H
#define OTO_API_SEARCH_H

#include <stdbool.h>

#include "api/rescore.h"
#include "api/vocabulary.h"
#include "decoder/beam.h"
#include "decoder/sentence.h"

struct oto_search {
    struct oto_vocabulary *vocabulary;
    struct oto_beam *beam;         /* NULL: greedy decoding will do */
    struct oto_rescorer *rescorer; /* NULL: there is no second pass */
    bool skips_rescorer;           /* leave it out for the time being, and the second network */
    double rescore_s;              /* by the clock, of their last run */
    /* With a grammar; else NULL: */
    struct oto_sentence_search *sentences; /* from the first time that the beam has none */
    struct oto_hypothesis *texts;          /* [n_texts + 1] */
    int n_texts, n_symbols;                /* that the beam may hold */
};

/** @param options  beam is not 0
 * @param shared   vocabulary to hold; NULL: made from the options
 * Release with oto_search_clear(), also after a failure. The bundle is borrowed. */
oto_status oto_search_init(struct oto_search *search, const struct oto_bundle *bundle,
                           const oto_recognizer_options *options, struct oto_vocabulary *shared,
                           oto_error *err) OTO_WARN_UNUSED;
/** The options' numbers of the second pass, else the bundle's; best is from 1 to their beam, not 0.
 * OTO_ERR_ARGUMENT for one that is out of range. */
oto_status oto_search_rescore_options(struct oto_rescore_options *out,
                                      const struct oto_bundle *bundle,
                                      const oto_recognizer_options *options,
                                      oto_error *err) OTO_WARN_UNUSED;
/** The second pass, where the vocabulary has one; its numbers are the options', else the bundle's.
 * With their beam, not 0. */
oto_status oto_search_add_rescorer(struct oto_search *search, const struct oto_bundle *bundle,
                                   const oto_recognizer_options *options,
                                   oto_error *err) OTO_WARN_UNUSED;
/**
 * The n best texts of all that was pushed to the beam, *n_hyps of them, best first; but where a
 * grammar is kept to and something is heard (a label but the space is the likeliest of a frame),
 * the first is a sentence: the beam's best, or the one with the best path if the beam has none. The
 * empty text comes after it, even if it is likelier, unless it is a sentence of the grammar itself.
 *
 * @param log_probs  [n_frames, K] what was pushed. Nothing was committed
 * Owned by the search until its next call; as oto_beam_n_best() otherwise.
 */
oto_status oto_search_n_best(struct oto_search *search, int n, const struct oto_hypothesis **hyps,
                             int *n_hyps, const float *log_probs, size_t n_frames,
                             oto_error *err) OTO_WARN_UNUSED;
void oto_search_clear(struct oto_search *search);

/** The search of a recognizer; its own, as long as it lives. */
struct oto_search *oto_recognizer_search(oto_recognizer *rec);

#endif
