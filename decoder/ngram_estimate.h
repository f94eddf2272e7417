/* SPDX-License-Identifier: BSD-2-Clause */
/** From sorted counts to probabilities. Private to decoder/ngram_build.c and ngram_estimate.c. */
#ifndef OTO_DECODER_NGRAM_ESTIMATE_H
#define OTO_DECODER_NGRAM_ESTIMATE_H

#include "decoder/ngram_build.h"
#include "decoder/ngram_sort.h"

struct oto_ngram_counts {
    int order;
    /* By order - 1; count_1 is how often an n-gram was seen, count_2 is a. */
    struct oto_ngram_sorter *sorters[OTO_LM_MAX_ORDER];
    uint64_t n_of[OTO_LM_MAX_ORDER][4]; /* n-grams whose a is 1, 2, 3, 4 */
    uint32_t begin;                     /* <s> */
};

/**
 * Fills the levels of m, whose words are set.
 * @param seen  [order - 1] receives how often each n-gram that was kept was seen (oto_free), where
 *              not NULL
 */
oto_status oto_ngram_estimate(struct oto_ngram *m, struct oto_ngram_counts *counts,
                              const uint32_t *prune, uint32_t **seen,
                              struct oto_ngram_build_report *report,
                              oto_error *err) OTO_WARN_UNUSED;

#endif
