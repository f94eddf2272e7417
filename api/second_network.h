/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A second network that hears the same samples, trained from another start or on other features:
 * the two err in different places. It does not search; the best texts of the first network's search
 * get new scores and a new order by it. The score of a text y becomes
 *
 *     score + W (ln p_second(y | audio) - ln p_first(y | audio))
 *
 * both summed over all alignments, without the priors of their symbols where the search is without
 * them: the mean of the two networks' log-likelihoods, the second's share W, so that W = 1 puts it
 * in the first one's place. Of a text that only the first network has frames enough for, no more
 * than OTO_SECOND_MOST is taken.
 */
#ifndef OTO_API_SECOND_NETWORK_H
#define OTO_API_SECOND_NETWORK_H

#include "api/acoustics.h"
#include "api/search.h"
#include "api/spoken.h"
#include "otolith/otolith.h"

#define OTO_SECOND_MOST 1000

/** One per recognizer. */
struct oto_second_network;
/**
 * *out is NULL where it has no part: the model has none or gives it no weight, or the search holds
 * one text, or keeps to a grammar, or there is none. All is borrowed.
 *
 * @param first  what the search's log-probabilities come from
 * @param most   static frames of a segment, at most
 * OTO_ERR_ARGUMENT: a number of the options is out of range; they give it weight where there is no
 * second network.
 */
oto_status oto_second_network_create(struct oto_second_network **out, const oto_model *model,
                                     const struct oto_search *search,
                                     const oto_recognizer_options *options,
                                     const struct oto_acoustics *first, size_t most,
                                     oto_error *err) OTO_WARN_UNUSED;
/** The samples that the first network's front end gets. This and the next four take NULL, and do
 * nothing. */
oto_status oto_second_network_push(struct oto_second_network *second, const float *samples,
                                   size_t n, oto_error *err) OTO_WARN_UNUSED;
oto_status oto_second_network_finish(struct oto_second_network *second,
                                     oto_error *err) OTO_WARN_UNUSED;
/** Forgets the first n_static frames that wait: they were a segment. */
void oto_second_network_drop(struct oto_second_network *second, size_t n_static);
void oto_second_network_reset(struct oto_second_network *second);
void oto_second_network_destroy(struct oto_second_network *second);
/**
 * @param hyps     in: [*n_hyps] best first; out: the best of them, as many as the second pass looks
 *                 at, with new scores, best first, equals as they were. Owned by second until its
 *                 next call; labels still the beam's
 * @param segment  of the first network; its static frames are the first that wait here
 * Errors: OTO_ERR_MEMORY.
 */
oto_status oto_second_network_run(struct oto_second_network *second,
                                  const struct oto_hypothesis **hyps, int *n_hyps,
                                  const struct oto_segment *segment, struct oto_pool *pool,
                                  oto_error *err) OTO_WARN_UNUSED;

#endif
