/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/ngram_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "decoder/ngram_estimate.h"

#define END_OF_SENTENCE UINT32_MAX
#define BLOCK ((size_t)1 << 16)
#define SPACE " \t\r\n\v\f"

/* The text as numbers of words in order of appearance: in memory, then in a file. */
struct tokens {
    int fd; /* -1: all in memory */
    uint32_t *buffer;
    size_t n, capacity, at;
};

struct oto_ngram_builder {
    struct oto_ngram_build_options options;
    char *folder;
    struct oto_words types;
    uint64_t *seen; /* [seen_capacity] of each type */
    size_t seen_capacity;
    struct tokens tokens;
    uint64_t n_tokens, n_sentences;
    uint32_t *sentence; /* numbers with marks, while counting */
    size_t sentence_capacity;
};

static size_t share_of_memory(const struct oto_ngram_builder *b)
{
    return b->options.memory / (size_t)(b->options.order + 1);
}

/* ---- tokens ------------------------------------------------------------------------------ */

static oto_status flush_tokens(struct oto_ngram_builder *b, oto_error *err)
{
    struct tokens *t = &b->tokens;
    const char *p = (const char *)t->buffer;
    size_t n = t->n * sizeof *t->buffer;
    if (t->fd < 0 && (t->fd = oto_ngram_temporary(b->folder, err)) < 0)
        return OTO_ERR_IO;
    while (n > 0) {
        ssize_t done = write(t->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return oto_fail_errno(err, b->folder, "cannot write a temporary file");
        p += done;
        n -= (size_t)done;
    }
    t->n = 0;
    return OTO_OK;
}

static oto_status put_token(struct oto_ngram_builder *b, uint32_t token, oto_error *err)
{
    struct tokens *t = &b->tokens;
    if (t->n == t->capacity) {
        const size_t more = t->capacity == 0 ? BLOCK : 2 * t->capacity;
        if (t->capacity > 0 && more * sizeof *t->buffer > share_of_memory(b)) {
            oto_status status = flush_tokens(b, err);
            if (status != OTO_OK)
                return status;
        } else {
            uint32_t *buffer = oto_realloc(t->buffer, t->capacity, more, sizeof *buffer);
            if (buffer == NULL)
                return oto_fail_memory(err, "text");
            t->buffer = buffer;
            t->capacity = more;
        }
    }
    t->buffer[t->n++] = token;
    return OTO_OK;
}

static oto_status rewind_tokens(struct oto_ngram_builder *b, oto_error *err)
{
    struct tokens *t = &b->tokens;
    t->at = 0;
    if (t->fd < 0)
        return OTO_OK;
    oto_status status = flush_tokens(b, err);
    if (status == OTO_OK && lseek(t->fd, 0, SEEK_SET) != 0)
        return oto_fail_errno(err, b->folder, "cannot rewind a temporary file");
    return status;
}

/* *more is false at the end. */
static oto_status next_token(struct oto_ngram_builder *b, uint32_t *token, bool *more,
                             oto_error *err)
{
    struct tokens *t = &b->tokens;
    if (t->at == t->n && t->fd >= 0) {
        size_t n = 0, size = t->capacity * sizeof *t->buffer;
        while (n < size) {
            ssize_t done = read(t->fd, (char *)t->buffer + n, size - n);
            if (done < 0 && errno == EINTR)
                continue;
            if (done < 0)
                return oto_fail_errno(err, b->folder, "cannot read a temporary file");
            if (done == 0)
                break;
            n += (size_t)done;
        }
        t->at = 0;
        t->n = n / sizeof *t->buffer;
    }
    *more = t->at < t->n;
    if (*more)
        *token = t->buffer[t->at++];
    return OTO_OK;
}

/* ---- text -------------------------------------------------------------------------------- */

oto_status oto_ngram_builder_create(struct oto_ngram_builder **out,
                                    const struct oto_ngram_build_options *options, oto_error *err)
{
    *out = NULL;
    if (options->order < 1 || options->order > OTO_LM_MAX_ORDER || options->prune[0] != 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "order 1 to %d and no pruning of words expected",
                        OTO_LM_MAX_ORDER);
    for (int k = 1; k < options->order; k++) {
        if (options->prune[k] < options->prune[k - 1])
            return oto_fail(err, OTO_ERR_ARGUMENT,
                            "pruning may not fall with the order: %u after %u", options->prune[k],
                            options->prune[k - 1]);
    }
    struct oto_ngram_builder *b = oto_calloc(1, sizeof *b);
    if (b == NULL || (b->folder = oto_strdup(options->folder)) == NULL) {
        oto_free(b);
        return oto_fail_memory(err, "language model");
    }
    b->options = *options;
    b->tokens.fd = -1;
    *out = b;
    return OTO_OK;
}

void oto_ngram_builder_destroy(struct oto_ngram_builder *b)
{
    if (b == NULL)
        return;
    if (b->tokens.fd >= 0)
        close(b->tokens.fd);
    oto_free(b->tokens.buffer);
    oto_words_clear(&b->types);
    oto_free(b->seen);
    oto_free(b->sentence);
    oto_free(b->folder);
    oto_free(b);
}

static bool is_mark(const char *word, size_t n)
{
    return (n == 3 && memcmp(word, "<s>", 3) == 0) || (n == 4 && memcmp(word, "</s>", 4) == 0);
}

static oto_status add_word(struct oto_ngram_builder *b, const char *word, size_t n, oto_error *err)
{
    uint32_t type;
    if (b->n_tokens + b->n_sentences >= UINT32_MAX - 2) /* counts are 32 bits wide */
        return oto_fail(err, OTO_ERR_DATA, "more than %u words of text", UINT32_MAX - 2);
    if (!oto_words_add(&b->types, word, n, &type))
        return oto_fail_memory(err, "vocabulary");
    if (type >= b->seen_capacity) {
        const size_t more = b->seen_capacity == 0 ? 4096 : 2 * b->seen_capacity;
        uint64_t *seen = oto_realloc(b->seen, b->seen_capacity, more, sizeof *seen);
        if (seen == NULL)
            return oto_fail_memory(err, "vocabulary");
        b->seen = seen;
        b->seen_capacity = more;
    }
    b->seen[type]++;
    b->n_tokens++;
    return put_token(b, type, err);
}

oto_status oto_ngram_builder_add(struct oto_ngram_builder *b, const char *sentence, oto_error *err)
{
    const uint64_t n_before = b->n_tokens;
    for (;;) {
        sentence += strspn(sentence, SPACE);
        const size_t n = strcspn(sentence, SPACE);
        if (n == 0)
            break;
        if (!is_mark(sentence, n)) {
            oto_status status = add_word(b, sentence, n, err);
            if (status != OTO_OK)
                return status;
        }
        sentence += n;
    }
    if (b->n_tokens == n_before)
        return OTO_OK; /* an empty line is no sentence */
    b->n_sentences++;
    return put_token(b, END_OF_SENTENCE, err);
}

/* ---- vocabulary -------------------------------------------------------------------------- */

struct type {
    const char *word;
    uint64_t seen;
    uint32_t number;
};

static int compare_types(const void *a, const void *b)
{
    const struct type *x = a, *y = b;
    if (x->seen != y->seen)
        return x->seen > y->seen ? -1 : 1;
    return strcmp(x->word, y->word);
}

/* Chooses the words and numbers them; new_of [n types] is OTO_LM_UNKNOWN for the others. */
static bool choose_words(const struct oto_ngram_builder *b, struct oto_words *words,
                         uint32_t *new_of)
{
    const uint32_t n = b->types.n;
    uint32_t number, n_kept = n, *sorted = NULL;
    struct type *types = oto_calloc(n, sizeof *types);
    bool good = types != NULL && oto_words_add(words, "<unk>", 5, &number) &&
                oto_words_add(words, "<s>", 3, &number) && oto_words_add(words, "</s>", 4, &number);
    for (uint32_t i = 0; good && i < n; i++)
        types[i] = (struct type){oto_words_text(&b->types, i), b->seen[i], i};
    if (good && b->options.vocabulary > 0 && b->options.vocabulary < n) {
        qsort(types, n, sizeof *types, compare_types);
        n_kept = b->options.vocabulary;
    }
    for (uint32_t i = 0; good && i < n_kept; i++)
        good = oto_words_add(words, types[i].word, strlen(types[i].word), &number);
    good = good && (sorted = oto_calloc(words->n, sizeof *sorted)) != NULL;
    good = good && oto_words_sort(words, sorted);
    for (uint32_t i = 0; good && i < n; i++) {
        const uint32_t found =
            i < n_kept ? oto_words_find(words, types[i].word, strlen(types[i].word)) : 0;
        new_of[types[i].number] = found;
    }
    oto_free(sorted);
    oto_free(types);
    return good;
}

/* ---- counting ---------------------------------------------------------------------------- */

/* N-grams of the highest order, and the shorter ones at the start: nothing comes before those. */
static oto_status count_sentence(struct oto_ngram_counts *c, const uint32_t *words, size_t n,
                                 oto_error *err)
{
    const size_t order = (size_t)c->order;
    oto_status status = OTO_OK;
    for (size_t k = 1; status == OTO_OK && k < order && k <= n; k++)
        status = oto_ngram_sorter_add(c->sorters[k - 1], words, 1, 1, err);
    for (size_t i = order; status == OTO_OK && i <= n; i++)
        status = oto_ngram_sorter_add(c->sorters[order - 1], words + i - order, 1, 1, err);
    return status;
}

static bool put_word(struct oto_ngram_builder *b, size_t *n, uint32_t word)
{
    if (*n == b->sentence_capacity) {
        const size_t more = *n == 0 ? 256 : 2 * *n;
        uint32_t *sentence = oto_realloc(b->sentence, *n, more, sizeof *sentence);
        if (sentence == NULL)
            return false;
        b->sentence = sentence;
        b->sentence_capacity = more;
    }
    b->sentence[(*n)++] = word;
    return true;
}

static oto_status count_text(struct oto_ngram_builder *b, struct oto_ngram_counts *c,
                             const uint32_t *new_of, uint32_t end, uint64_t *n_unknown,
                             oto_error *err)
{
    uint32_t token;
    size_t n = 0;
    bool more;
    oto_status status = rewind_tokens(b, err);
    while (status == OTO_OK && (status = next_token(b, &token, &more, err)) == OTO_OK && more) {
        bool good = n > 0 || put_word(b, &n, c->begin);
        const uint32_t word = token == END_OF_SENTENCE ? end : new_of[token];
        *n_unknown += word == OTO_LM_UNKNOWN;
        if (!good || !put_word(b, &n, word))
            return oto_fail_memory(err, "sentence");
        if (token == END_OF_SENTENCE) {
            status = count_sentence(c, b->sentence, n, err);
            n = 0;
        }
    }
    return status;
}

/* Each n-gram adds one to the a of what it is without its first word. */
static oto_status count_lower_orders(struct oto_ngram_counts *c,
                                     struct oto_ngram_build_report *report, oto_error *err)
{
    oto_status status = OTO_OK;
    for (int k = c->order; status == OTO_OK && k >= 1; k--) {
        struct oto_ngram_sorter *sorter = c->sorters[k - 1];
        const uint32_t *r;
        status = oto_ngram_sorter_rewind(sorter, err);
        while (status == OTO_OK && (status = oto_ngram_sorter_next(sorter, &r, err)) == OTO_OK &&
               r != NULL) {
            const uint32_t a = r[k + 1];
            if (a <= 4 && (k > 1 || r[0] != c->begin))
                c->n_of[k - 1][a - 1]++;
            report->n_counted[k - 1]++;
            if (k > 1)
                status = oto_ngram_sorter_add(c->sorters[k - 2], r + 1, r[k], 1, err);
        }
    }
    return status;
}

static oto_status make_sorters(const struct oto_ngram_builder *b, struct oto_ngram_counts *c,
                               uint32_t n_words, oto_error *err)
{
    oto_status status = OTO_OK;
    for (int k = 1; status == OTO_OK && k <= c->order; k++)
        status = oto_ngram_sorter_create(&c->sorters[k - 1], k, n_words, share_of_memory(b),
                                         b->folder, err);
    return status;
}

static void tell(void (*progress)(void *, const char *), void *arg, const char *what)
{
    if (progress != NULL)
        progress(arg, what);
}

oto_status oto_ngram_builder_finish(struct oto_ngram_builder *b, struct oto_ngram **out,
                                    struct oto_ngram_build_report *report,
                                    void (*progress)(void *arg, const char *what), void *arg,
                                    oto_error *err)
{
    struct oto_ngram_counts c = {.order = b->options.order};
    struct oto_ngram *m = NULL, *pruned = NULL;
    uint32_t *seen[OTO_LM_MAX_ORDER] = {NULL};
    oto_status status;
    *out = NULL;
    *report = (struct oto_ngram_build_report){
        .n_sentences = b->n_sentences, .n_tokens = b->n_tokens, .n_types = b->types.n};
    if (b->n_tokens == 0)
        return oto_fail(err, OTO_ERR_DATA, "the text has no words");
    uint32_t *new_of = oto_calloc(b->types.n, sizeof *new_of);
    m = oto_ngram_create();
    if (new_of == NULL || m == NULL || !choose_words(b, &m->words, new_of)) {
        status = oto_fail_memory(err, "vocabulary");
        goto out;
    }
    c.begin = oto_words_find(&m->words, "<s>", 3);
    tell(progress, arg, "counting");
    status = make_sorters(b, &c, m->words.n, err);
    if (status == OTO_OK)
        status = count_text(b, &c, new_of, oto_words_find(&m->words, "</s>", 4), &report->n_unknown,
                            err);
    if (status == OTO_OK)
        status = count_lower_orders(&c, report, err);
    tell(progress, arg, "estimating");
    if (status == OTO_OK)
        status = oto_ngram_estimate(m, &c, b->options.prune, seen, report, err);
    if (status == OTO_OK && b->options.entropy > 0) {
        tell(progress, arg, "pruning");
        status = oto_ngram_prune(&pruned, m, b->options.entropy, seen, err);
    }
    if (status == OTO_OK) {
        *out = pruned != NULL ? pruned : m;
        m = pruned != NULL ? m : NULL;
    }
out:
    for (int k = 0; k < OTO_LM_MAX_ORDER; k++) {
        oto_free(seen[k]);
        oto_ngram_sorter_destroy(c.sorters[k]);
    }
    oto_ngram_destroy(m);
    oto_free(new_of);
    return status;
}
