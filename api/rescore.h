/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A second pass: the best texts of a search in a new order, by an LSTM language model, which reads
 * whole sentences where the search's n-grams know two words. The new score of a text w1 .. wn is
 *
 *     score + W [ sum_i lm_weight (ln p_lstm(wi | w1 .. wi-1) - ln p_ngram(wi | w1 .. wi-1)) ]
 *
 * over its words and its end, so that W = 1 puts one model in the other's place, and anything
 * between mixes them. Words that either does not know keep the score that they have. Where the
 * search had no n-grams, each word adds W (lm_weight ln p_lstm + word_bonus) instead.
 */
#ifndef OTO_API_RESCORE_H
#define OTO_API_RESCORE_H

#include "decoder/alphabet.h"
#include "decoder/beam.h"
#include "decoder/language.h"
#include "models/lstm_lm.h"

/** All borrowed. */
struct oto_rescore_setup {
    const struct oto_lstm_lm *lstm;
    const struct oto_lm *lm; /* of the search; NULL: none */
    const struct oto_alphabet *alphabet;
    struct oto_language_options weights; /* of the search */
    double weight;                       /* W */
    int n_best;                          /* texts looked at, at most */
};

/** One per thread. */
struct oto_rescorer;
oto_status oto_rescorer_create(struct oto_rescorer **out, const struct oto_rescore_setup *setup,
                               oto_error *err) OTO_WARN_UNUSED;
void oto_rescorer_destroy(struct oto_rescorer *r);
/** Another W, or other weights of the search, for what follows. */
void oto_rescorer_set_weights(struct oto_rescorer *r, const struct oto_language_options *weights,
                              double weight);
/**
 * @param hyps    in: [*n_hyps] best first; out: the first n_best of them with new scores, best
 *                first, equals as they were. Owned by r until its next call; labels still the
 *                beam's
 * Errors: OTO_ERR_MEMORY.
 */
oto_status oto_rescorer_run(struct oto_rescorer *r, const struct oto_hypothesis **hyps, int *n_hyps,
                            oto_error *err) OTO_WARN_UNUSED;
/** By falling score, equals as they are. */
void oto_rescore_sort(struct oto_hypothesis *hyps, int n);

#endif
