/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * What the network says of texts that are given: ln p(text | frames), summed over all alignments
 * (Graves et al., "Connectionist temporal classification", 2006, eq. 5 to 8), for several texts on
 * the same frames. What a text's beginning is worth does not depend on what comes after it, so that
 * beginnings that texts have in common are worked out once.
 */
#ifndef OTO_DECODER_TEXT_SCORES_H
#define OTO_DECODER_TEXT_SCORES_H

#include <stddef.h>

#include "base/status.h"
#include "decoder/beam.h"

/** Memory that grows with the texts; one per thread. */
struct oto_text_scorer;
oto_status oto_text_scorer_create(struct oto_text_scorer **out, oto_error *err) OTO_WARN_UNUSED;
void oto_text_scorer_destroy(struct oto_text_scorer *scorer);

/**
 * @param scores     [n_texts] out, natural logs; -inf for a text that the frames cannot hold
 * @param texts      [n_texts] in any order, their labels alone are looked at
 * @param log_probs  [n_frames, n_symbols], column 0 the blank; -inf is allowed
 * OTO_ERR_MEMORY: the scorer is as usable as before.
 */
oto_status oto_text_scorer_run(struct oto_text_scorer *scorer, double *scores,
                               const struct oto_hypothesis *texts, int n_texts,
                               const float *log_probs, size_t n_frames, int n_symbols,
                               oto_error *err) OTO_WARN_UNUSED;

#endif
