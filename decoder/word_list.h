/* SPDX-License-Identifier: BSD-2-Clause */
/** Words or phrases with a number each, as users list them for one recording or one application. */
#ifndef OTO_DECODER_WORD_LIST_H
#define OTO_DECODER_WORD_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "decoder/alphabet.h"

struct oto_word_list_item {
    char *text; /* in the alphabet's normal form, not empty, words with single spaces between */
    double value;
    size_t number; /* in the order of adding */
};

/** What a list may hold. */
struct oto_word_list_rules {
    const struct oto_alphabet *alphabet;
    bool phrases;       /* several words in one item */
    double value;       /* of items that name none */
    double least, most; /* of values */
};

/** Zero-initialise; release with oto_word_list_clear(). */
struct oto_word_list {
    struct oto_word_list_item
        *items; /* [n] sorted by text, none twice, after oto_word_list_sort() */
    size_t n, capacity, n_added;
};

/**
 * Adds one item. place is what messages begin with: "FILE:LINE". OTO_ERR_DATA for a text that is
 * empty, not UTF-8, or has characters outside the alphabet, or words too many, and for a value out
 * of range; OTO_ERR_MEMORY. After a failure the list is as before.
 */
oto_status oto_word_list_add(struct oto_word_list *list, const char *text, double value,
                             const struct oto_word_list_rules *rules, const char *place,
                             oto_error *err) OTO_WARN_UNUSED;
/**
 * Adds a text file's lines: an item, or an item, a tab and its value. Empty lines are passed over,
 * and lines that begin with '#'. Errors as above for the first bad line, and those of reading.
 */
oto_status oto_word_list_load(struct oto_word_list *list, const char *path,
                              const struct oto_word_list_rules *rules,
                              oto_error *err) OTO_WARN_UNUSED;
/** Sorts; of the same text twice the later one stays. */
void oto_word_list_sort(struct oto_word_list *list);
/** The item in a sorted list, or NULL. */
const struct oto_word_list_item *oto_word_list_find(const struct oto_word_list *list,
                                                    const char *text);
void oto_word_list_clear(struct oto_word_list *list);

#endif
