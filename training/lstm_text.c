/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/lstm_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "models/lstm_lm.h"

void oto_lstm_text_clear(struct oto_lstm_text *text)
{
    oto_free(text->words);
    oto_free(text->first);
    *text = (struct oto_lstm_text){0};
}

void oto_lstm_vocabulary_clear(struct oto_lstm_vocabulary *v)
{
    oto_words_clear(&v->words);
    oto_free(v->class_first);
    *v = (struct oto_lstm_vocabulary){0};
}

/* ---- sentences --------------------------------------------------------------------------- */

static bool push_word(struct oto_lstm_text *text, int word)
{
    if (text->n_words == text->cap_words) {
        const size_t capacity = text->cap_words == 0 ? 4096 : 2 * text->cap_words;
        int *words = oto_realloc(text->words, text->cap_words, capacity, sizeof *words);
        if (words == NULL)
            return false;
        text->words = words;
        text->cap_words = capacity;
    }
    text->words[text->n_words++] = word;
    return true;
}

static bool end_sentence(struct oto_lstm_text *text)
{
    if (text->first == NULL || text->n_sentences + 1 == text->cap_sentences) {
        const size_t capacity = text->first == NULL ? 1024 : 2 * text->cap_sentences;
        size_t *first = oto_realloc(text->first, text->cap_sentences, capacity, sizeof *first);
        if (first == NULL)
            return false;
        text->first = first;
        text->cap_sentences = capacity;
    }
    if (text->n_words > text->first[text->n_sentences])
        text->first[++text->n_sentences] = text->n_words;
    return true;
}

static bool is_mark(const char *word, size_t n)
{
    return (n == 3 && memcmp(word, "<s>", 3) == 0) || (n == 4 && memcmp(word, "</s>", 4) == 0);
}

/* Either takes words that are not there, `add`, or has them as unknown. */
static oto_status add(struct oto_lstm_text *text, struct oto_words *take,
                      const struct oto_words *known, const char *sentence, oto_error *err)
{
    static const char *const space = " \t\r\n\v\f";
    size_t n;
    for (const char *at = sentence + strspn(sentence, space); *at != 0;
         at += n + strspn(at + n, space)) {
        uint32_t number = OTO_LSTM_UNKNOWN;
        n = strcspn(at, space);
        if (is_mark(at, n))
            continue;
        if (take != NULL) {
            if (!oto_words_add(take, at, n, &number))
                return oto_fail_memory(err, "words of the text");
        } else {
            number = oto_words_find(known, at, n);
            if (number == OTO_WORDS_NONE)
                number = OTO_LSTM_UNKNOWN;
            text->n_unknown += number == OTO_LSTM_UNKNOWN;
        }
        if (!push_word(text, (int)number))
            return oto_fail_memory(err, "words of the text");
    }
    return end_sentence(text) ? OTO_OK : oto_fail_memory(err, "sentences of the text");
}

oto_status oto_lstm_text_add(struct oto_lstm_text *text, struct oto_words *words,
                             const char *sentence, oto_error *err)
{
    return add(text, words, NULL, sentence, err);
}

oto_status oto_lstm_text_add_known(struct oto_lstm_text *text, const struct oto_words *words,
                                   const char *sentence, oto_error *err)
{
    return add(text, NULL, words, sentence, err);
}

/* ---- vocabulary -------------------------------------------------------------------------- */

struct counted {
    const char *word;
    uint32_t number;
    size_t count;
};

/* "<unk>" in the text stays what it is: it goes to the end, of the words that are left out. */
static int compare(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;
    const bool x_unknown = strcmp(x->word, "<unk>") == 0, y_unknown = strcmp(y->word, "<unk>") == 0;
    if (x_unknown != y_unknown)
        return x_unknown ? 1 : -1;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return strcmp(x->word, y->word);
}

static struct counted *count_words(const struct oto_lstm_text *text, const struct oto_words *words)
{
    struct counted *list = oto_calloc(words->n, sizeof *list);
    if (list == NULL)
        return NULL;
    for (uint32_t i = 0; i < words->n; i++)
        list[i] = (struct counted){oto_words_text(words, i), i, 0};
    for (size_t i = 0; i < text->n_words; i++)
        list[text->words[i]].count++;
    qsort(list, words->n, sizeof *list, compare);
    return list;
}

/* The number of the class that word i begins, going by what stands before it. */
static int class_at(double before, double total, int n_classes)
{
    const int c = (int)(before / total * n_classes);
    return c < n_classes ? c : n_classes - 1;
}

/* Classes of the words of the vocabulary, whose counts are given. */
static bool make_classes(struct oto_lstm_vocabulary *v, const size_t *counts, int n_classes)
{
    const int n_words = (int)v->words.n;
    double total = 0, before = 0;
    if (n_classes == 0)
        n_classes = (int)ceil(sqrt(n_words));
    if (n_classes > n_words)
        n_classes = n_words;
    v->class_first = oto_calloc((size_t)n_classes + 1, sizeof *v->class_first);
    if (v->class_first == NULL)
        return false;
    for (int i = 0; i < n_words; i++)
        total += sqrt((double)counts[i]);
    int last = -1;
    v->n_classes = 0;
    for (int i = 0; i < n_words; i++) {
        const int c = class_at(before, total, n_classes);
        if (c != last)
            v->class_first[v->n_classes++] = i;
        last = c;
        before += sqrt((double)counts[i]);
    }
    v->class_first[v->n_classes] = n_words;
    return true;
}

/* Numbers in the vocabulary of old ones, and the counts of its words. */
struct renumbering {
    int *new_of;
    size_t *counts;
};

static bool choose(struct oto_lstm_vocabulary *v, const struct renumbering *r,
                   const struct counted *list, uint32_t n_list, int n_words)
{
    uint32_t number;
    if (!oto_words_add(&v->words, "</s>", 4, &number) ||
        !oto_words_add(&v->words, "<unk>", 5, &number))
        return false;
    for (uint32_t i = 0; i < n_list; i++) {
        const bool keep = (int)v->words.n < n_words && strcmp(list[i].word, "<unk>") != 0;
        number = OTO_LSTM_UNKNOWN;
        if (keep && !oto_words_add(&v->words, list[i].word, strlen(list[i].word), &number))
            return false;
        v->n_unknown += !keep;
        r->new_of[list[i].number] = (int)number;
        r->counts[number] += list[i].count;
    }
    return true;
}

oto_status oto_lstm_vocabulary_make(struct oto_lstm_vocabulary *v, struct oto_lstm_text *text,
                                    const struct oto_words *words, int n_words, int n_classes,
                                    oto_error *err)
{
    if (text->n_words == 0)
        return oto_fail(err, OTO_ERR_DATA, "no words in the text");
    const struct renumbering r = {oto_calloc(words->n, sizeof *r.new_of),
                                  oto_calloc((size_t)n_words, sizeof *r.counts)};
    struct counted *list = count_words(text, words);
    bool good = r.new_of != NULL && r.counts != NULL && list != NULL &&
                choose(v, &r, list, words->n, n_words);
    if (good) {
        r.counts[OTO_LSTM_END] = text->n_sentences;
        r.counts[OTO_LSTM_UNKNOWN] += 1; /* it may come in other texts */
        text->n_unknown = 0;
        for (size_t i = 0; i < text->n_words; i++) {
            text->words[i] = r.new_of[text->words[i]];
            text->n_unknown += text->words[i] == OTO_LSTM_UNKNOWN;
        }
        good = make_classes(v, r.counts, n_classes);
    }
    if (v->n_unknown < 1)
        v->n_unknown = 1;
    oto_free(list);
    oto_free(r.new_of);
    oto_free(r.counts);
    return good ? OTO_OK : oto_fail_memory(err, "vocabulary");
}

oto_status oto_lstm_vocabulary_copy(struct oto_lstm_vocabulary *v, const struct oto_words *words,
                                    const int *class_first, int n_classes, uint64_t n_unknown,
                                    oto_error *err)
{
    const size_t n = (size_t)n_classes + 1;
    v->class_first = oto_calloc(n, sizeof *v->class_first);
    bool good = v->class_first != NULL;
    for (uint32_t i = 0; i < words->n && good; i++) {
        const char *word = oto_words_text(words, i);
        uint32_t number;
        good = oto_words_add(&v->words, word, strlen(word), &number);
    }
    if (!good)
        return oto_fail_memory(err, "vocabulary");
    memcpy(v->class_first, class_first, n * sizeof *class_first);
    v->n_classes = n_classes;
    v->n_unknown = n_unknown;
    return OTO_OK;
}
