/* SPDX-License-Identifier: BSD-2-Clause */
/** Words and their numbers, both ways. */
#ifndef OTO_DECODER_NGRAM_WORDS_H
#define OTO_DECODER_NGRAM_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OTO_WORDS_NONE UINT32_MAX
#define OTO_WORDS_MAX (1u << 30)

/**
 * The hash table is open addressing with linear probing over XXH3-64 of the word: slot = hash mod
 * table_size, 0 for an empty slot, number + 1 elsewhere.
 */
struct oto_words {
    char *text; /* NUL-terminated words one after another */
    size_t text_size, text_capacity;
    uint32_t *offsets; /* [capacity] where a word begins */
    uint32_t n, capacity;
    uint32_t *table;
    uint32_t table_size; /* power of two, at least 4/3 n */
};

/** Zero-initialise; release with oto_words_clear(). */
void oto_words_clear(struct oto_words *w);
const char *oto_words_text(const struct oto_words *w, uint32_t word);
/** OTO_WORDS_NONE for a word that is not there. */
uint32_t oto_words_find(const struct oto_words *w, const char *word, size_t n);
/** The number of a word, which is added as the last where it is new. False when memory or numbers
 * run out (4 GiB of text, 2^30 words). */
bool oto_words_add(struct oto_words *w, const char *word, size_t n, uint32_t *number);
/**
 * Numbers the words anew: "<unk>" (which must be there) is 0, the others follow by their bytes.
 * @param new_of  [n] receives the new number of each old one
 */
bool oto_words_sort(struct oto_words *w, uint32_t *new_of);
/** Slots that a table of n words has. */
uint32_t oto_words_table_size(uint32_t n);

#endif
