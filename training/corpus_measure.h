/* SPDX-License-Identifier: BSD-2-Clause */
/** Lengths of utterances whose manifest does not say them. */
#ifndef OTO_TRAINING_CORPUS_MEASURE_H
#define OTO_TRAINING_CORPUS_MEASURE_H

#include "base/pool.h"
#include "training/corpus.h"

/**
 * Fills in seconds where they are 0, from the headers of the audio, over the pool. Those that
 * cannot be opened, or whose header does not tell, stay 0.
 *
 * @param n_unknown  receives their number
 * @param first      receives why the first of them could not be opened; status OTO_OK where its
 * header alone was silent
 */
oto_status oto_corpus_measure(struct oto_corpus *corpus, struct oto_pool *pool, size_t *n_unknown,
                              oto_error *first, oto_error *err) OTO_WARN_UNUSED;

#endif
