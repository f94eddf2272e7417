/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/ngram_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

void oto_words_clear(struct oto_words *w)
{
    oto_free(w->text);
    oto_free(w->offsets);
    oto_free(w->table);
    *w = (struct oto_words){0};
}

const char *oto_words_text(const struct oto_words *w, uint32_t word)
{
    return w->text + w->offsets[word];
}

uint32_t oto_words_table_size(uint32_t n)
{
    uint32_t size = 16;
    while (size / 4 * 3 < n)
        size *= 2;
    return size;
}

/* The slot of a word, or the empty one where it belongs. */
static uint32_t slot_of(const struct oto_words *w, const char *word, size_t n)
{
    uint32_t slot = (uint32_t)oto_checksum(word, n) & (w->table_size - 1);
    while (w->table[slot] != 0) {
        const char *there = oto_words_text(w, w->table[slot] - 1);
        if (strncmp(there, word, n) == 0 && there[n] == 0)
            break;
        slot = (slot + 1) & (w->table_size - 1);
    }
    return slot;
}

uint32_t oto_words_find(const struct oto_words *w, const char *word, size_t n)
{
    if (w->table_size == 0)
        return OTO_WORDS_NONE;
    uint32_t entry = w->table[slot_of(w, word, n)];
    return entry == 0 ? OTO_WORDS_NONE : entry - 1;
}

static bool rebuild_table(struct oto_words *w, uint32_t size)
{
    uint32_t *table = oto_calloc(size, sizeof *table);
    if (table == NULL)
        return false;
    oto_free(w->table);
    w->table = table;
    w->table_size = size;
    for (uint32_t i = 0; i < w->n; i++) {
        const char *word = oto_words_text(w, i);
        w->table[slot_of(w, word, strlen(word))] = i + 1;
    }
    return true;
}

static bool reserve(struct oto_words *w, size_t n_bytes)
{
    if (w->n >= OTO_WORDS_MAX || n_bytes > UINT32_MAX - w->text_size)
        return false;
    if (w->n == w->capacity) {
        uint32_t capacity = w->capacity == 0 ? 1024 : 2 * w->capacity;
        uint32_t *offsets = oto_realloc(w->offsets, w->capacity, capacity, sizeof *offsets);
        if (offsets == NULL)
            return false;
        w->offsets = offsets;
        w->capacity = capacity;
    }
    if (n_bytes > w->text_capacity - w->text_size) {
        size_t capacity = 2 * w->text_capacity + n_bytes + 4096;
        char *text = oto_realloc(w->text, w->text_capacity, capacity, 1);
        if (text == NULL)
            return false;
        w->text = text;
        w->text_capacity = capacity;
    }
    uint32_t size = oto_words_table_size(w->n + 1);
    return size == w->table_size || rebuild_table(w, size);
}

bool oto_words_add(struct oto_words *w, const char *word, size_t n, uint32_t *number)
{
    *number = oto_words_find(w, word, n);
    if (*number != OTO_WORDS_NONE)
        return true;
    if (!reserve(w, n + 1))
        return false;
    memcpy(w->text + w->text_size, word, n);
    w->text[w->text_size + n] = 0;
    w->offsets[w->n] = (uint32_t)w->text_size;
    w->text_size += n + 1;
    w->table[slot_of(w, word, n)] = w->n + 1;
    *number = w->n++;
    return true;
}

struct entry {
    const char *word;
    uint32_t number;
};

static bool is_unknown(const char *word)
{
    return strcmp(word, "<unk>") == 0;
}

static int compare_entries(const void *a, const void *b)
{
    const char *x = ((const struct entry *)a)->word, *y = ((const struct entry *)b)->word;
    if (is_unknown(x) != is_unknown(y))
        return is_unknown(x) ? -1 : 1;
    return strcmp(x, y);
}

bool oto_words_sort(struct oto_words *w, uint32_t *new_of)
{
    struct oto_words sorted = {0};
    struct entry *entries = oto_calloc(w->n, sizeof *entries);
    bool good = entries != NULL;
    for (uint32_t i = 0; good && i < w->n; i++)
        entries[i] = (struct entry){oto_words_text(w, i), i};
    if (good)
        qsort(entries, w->n, sizeof *entries, compare_entries);
    for (uint32_t i = 0; good && i < w->n; i++) {
        uint32_t number;
        good = oto_words_add(&sorted, entries[i].word, strlen(entries[i].word), &number);
        new_of[entries[i].number] = i;
    }
    oto_free(entries);
    if (!good) {
        oto_words_clear(&sorted);
        return false;
    }
    oto_words_clear(w);
    *w = sorted;
    return true;
}
