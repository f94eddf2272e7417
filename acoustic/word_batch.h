/* SPDX-License-Identifier: BSD-2-Clause */
/** Sentences as rows of a word network. */
#ifndef OTO_ACOUSTIC_WORD_BATCH_H
#define OTO_ACOUSTIC_WORD_BATCH_H

#include "acoustic/word_network.h"

/** Words without the end of the sentence, which each has. */
struct oto_word_sentence {
    const int *words; /* [n_words] */
    int n_words;
};

/** Zero-initialise; release with oto_word_batch_clear(). */
struct oto_word_batch {
    struct oto_word_rows rows; /* points into the others */
    struct oto_sequences seqs;
    int *inputs, *targets;
    size_t cap_rows;
    int *lengths;
    int cap_utts;
};

/**
 * Each sentence takes n_words + 1 rows.
 *
 * @param sentences  [n] by falling length; OTO_ERR_ARGUMENT else
 * Allocates: only for a batch larger than any before. OTO_ERR_MEMORY.
 */
oto_status oto_word_batch_set(struct oto_word_batch *batch,
                              const struct oto_word_sentence *sentences, int n,
                              oto_error *err) OTO_WARN_UNUSED;
void oto_word_batch_clear(struct oto_word_batch *batch);

#endif
