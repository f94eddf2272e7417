/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * N-grams with two counts, sorted by their words in bounded memory; what does not fit goes to
 * unnamed temporary files. Counts of the same n-gram are added up. Private to decoder/ngram*.c.
 */
#ifndef OTO_DECODER_NGRAM_SORT_H
#define OTO_DECODER_NGRAM_SORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct oto_ngram_sorter;

/**
 * @param k        words of an n-gram
 * @param n_words  numbers of words are below this
 * @param memory   bytes that it may use, at least 1 MiB is taken
 * @param folder   of temporary files
 */
oto_status oto_ngram_sorter_create(struct oto_ngram_sorter **out, int k, uint32_t n_words,
                                   size_t memory, const char *folder,
                                   oto_error *err) OTO_WARN_UNUSED;
void oto_ngram_sorter_destroy(struct oto_ngram_sorter *s);
oto_status oto_ngram_sorter_add(struct oto_ngram_sorter *s, const uint32_t *words, uint32_t count_1,
                                uint32_t count_2, oto_error *err) OTO_WARN_UNUSED;
/** To the first n-gram, after the last was added; again as often as wanted. */
oto_status oto_ngram_sorter_rewind(struct oto_ngram_sorter *s, oto_error *err) OTO_WARN_UNUSED;
/** *record: k words and the two counts, valid until the next call; NULL at the end. */
oto_status oto_ngram_sorter_next(struct oto_ngram_sorter *s, const uint32_t **record,
                                 oto_error *err) OTO_WARN_UNUSED;

/** A temporary file without a name, which is gone when it is closed; -1 with *err filled. */
int oto_ngram_temporary(const char *folder, oto_error *err);

#endif
