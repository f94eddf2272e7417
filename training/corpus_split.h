/* SPDX-License-Identifier: BSD-2-Clause */
/** A corpus cut into sets that share no speaker. */
#ifndef OTO_TRAINING_CORPUS_SPLIT_H
#define OTO_TRAINING_CORPUS_SPLIT_H

#include <stdint.h>

#include "training/corpus.h"

enum { OTO_SPLIT_SETS = 3 }; /* train, dev, test */
enum oto_split_by { OTO_SPLIT_BY_SPEAKER, OTO_SPLIT_BY_UTTERANCE };

struct oto_split_options {
    double shares[OTO_SPLIT_SETS]; /* of the whole length, 0 for no such set; any scale */
    int by;                        /* enum oto_split_by */
    uint64_t seed;
};

/** "80,10,10": three numbers >= 0, not all of them 0. OTO_ERR_CONFIG. */
oto_status oto_split_parse(double shares[OTO_SPLIT_SETS], const char *text,
                           oto_error *err) OTO_WARN_UNUSED;

/**
 * Speakers in an order by the seed, each to the set that lacks most of its share; every set with a
 * share gets one at least. The same corpus and seed give the same sets, whatever the order of its
 * lines.
 *
 * @param set  [n] receives the number of each utterance's set
 * Errors: OTO_ERR_DATA when there are no speakers, or fewer than sets.
 */
oto_status oto_corpus_split(int *set, const struct oto_corpus *corpus,
                            const struct oto_split_options *options,
                            oto_error *err) OTO_WARN_UNUSED;

#endif
