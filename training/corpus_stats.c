/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/corpus_stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

enum { CODE_POINTS = 0x110000 };

/* ---- texts ----------------------------------------------------------------------------------- */

struct counts {
    size_t *characters; /* [CODE_POINTS] */
    uint64_t *words;    /* hashes of all words */
    size_t n_words, capacity;
};

static oto_status add_word(struct counts *c, const char *word, size_t n, oto_error *err)
{
    if (c->n_words == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 4096;
        uint64_t *words = oto_realloc(c->words, c->capacity, capacity, sizeof *words);
        if (!words)
            return oto_fail_memory(err, "words");
        c->words = words;
        c->capacity = capacity;
    }
    c->words[c->n_words++] = oto_checksum(word, n);
    return OTO_OK;
}

/* Normalised texts have single spaces between words. */
static oto_status count_text(struct counts *c, const char *text,
                             const struct oto_text_policy *policy, oto_error *err)
{
    char *normal;
    oto_status status = oto_text_normalise(&normal, text, policy, NULL, err);
    if (status != OTO_OK)
        return status;
    size_t n;
    for (const char *p = normal; *p; p += n) {
        int32_t code_point = oto_utf8_next(p, &n);
        if (code_point >= 0 && code_point < CODE_POINTS)
            c->characters[code_point]++;
    }
    for (const char *p = normal; *p && status == OTO_OK; p += p[n] ? n + 1 : n) {
        n = strcspn(p, " ");
        status = n > 0 ? add_word(c, p, n, err) : OTO_OK;
    }
    oto_free(normal);
    return status;
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int by_count(const void *a, const void *b)
{
    const struct oto_stats_character *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->code_point > y->code_point) - (x->code_point < y->code_point);
}

static oto_status keep_counts(struct oto_stats *s, struct counts *c, oto_error *err)
{
    for (int32_t p = 0; p < CODE_POINTS; p++)
        s->n_characters += c->characters[p] > 0;
    s->characters = oto_calloc(s->n_characters, sizeof *s->characters);
    if (!s->characters)
        return oto_fail_memory(err, "characters");
    size_t n = 0;
    for (int32_t p = 0; p < CODE_POINTS; p++) {
        if (c->characters[p] == 0)
            continue;
        s->characters[n++] = (struct oto_stats_character){p, c->characters[p]};
        s->n_character_tokens += c->characters[p];
    }
    if (n > 0)
        qsort(s->characters, n, sizeof *s->characters, by_count);
    if (c->n_words > 0)
        qsort(c->words, c->n_words, sizeof *c->words, by_hash);
    s->n_words = c->n_words;
    for (size_t i = 0; i < c->n_words; i++)
        s->n_different_words += i == 0 || c->words[i] != c->words[i - 1];
    return OTO_OK;
}

static oto_status count_texts(struct oto_stats *s, const struct oto_corpus *corpus,
                              const struct oto_text_policy *policy, oto_error *err)
{
    struct counts c = {.characters = oto_calloc(CODE_POINTS, sizeof(size_t))};
    oto_status status = c.characters ? OTO_OK : oto_fail_memory(err, "characters");
    for (size_t i = 0; i < corpus->n && status == OTO_OK; i++)
        status = count_text(&c, corpus->utts[i].text, policy, err);
    if (status == OTO_OK)
        status = keep_counts(s, &c, err);
    oto_free(c.characters);
    oto_free(c.words);
    return status;
}

/* ---- speakers -------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct oto_stats_speaker *)a)->name,
                  ((const struct oto_stats_speaker *)b)->name);
}

static int by_seconds(const void *a, const void *b)
{
    const struct oto_stats_speaker *x = a, *y = b;
    if (!*x->name != !*y->name)
        return *x->name ? -1 : 1;
    if (x->seconds < y->seconds || x->seconds > y->seconds)
        return x->seconds < y->seconds ? 1 : -1;
    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return by_name(a, b);
}

static oto_status count_speakers(struct oto_stats *s, const struct oto_corpus *corpus,
                                 oto_error *err)
{
    s->speakers = oto_calloc(corpus->n, sizeof *s->speakers);
    if (!s->speakers)
        return oto_fail_memory(err, "speakers");
    for (size_t i = 0; i < corpus->n; i++)
        s->speakers[i] =
            (struct oto_stats_speaker){corpus->utts[i].speaker, 1, corpus->utts[i].seconds};
    if (corpus->n > 0)
        qsort(s->speakers, corpus->n, sizeof *s->speakers, by_name);
    for (size_t i = 0; i < corpus->n; i++) {
        struct oto_stats_speaker *last = s->n_speakers > 0 ? &s->speakers[s->n_speakers - 1] : NULL;
        if (last && strcmp(last->name, s->speakers[i].name) == 0) {
            last->n++;
            last->seconds += s->speakers[i].seconds;
        } else {
            s->speakers[s->n_speakers++] = s->speakers[i];
        }
    }
    if (s->n_speakers > 0)
        qsort(s->speakers, s->n_speakers, sizeof *s->speakers, by_seconds);
    return OTO_OK;
}

/* ---- lengths --------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The narrowest bins of a round width that hold all in fewer than OTO_STATS_BINS. */
static double bin_width(double longest_s)
{
    static const double widths[] = {0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 300, 600, 3600};
    size_t i = 0;
    while (i + 1 < sizeof widths / sizeof *widths && longest_s / widths[i] >= OTO_STATS_BINS - 1)
        i++;
    return widths[i];
}

static oto_status count_lengths(struct oto_stats *s, const struct oto_corpus *corpus,
                                oto_error *err)
{
    double *lengths = oto_calloc(corpus->n, sizeof *lengths);
    size_t n = 0;
    if (!lengths)
        return oto_fail_memory(err, "lengths");
    for (size_t i = 0; i < corpus->n; i++)
        if (corpus->utts[i].seconds > 0)
            lengths[n++] = corpus->utts[i].seconds;
    s->n_unknown_length = corpus->n - n;
    if (n > 0) {
        qsort(lengths, n, sizeof *lengths, by_value);
        s->shortest_s = lengths[0];
        s->longest_s = lengths[n - 1];
        s->median_s = (lengths[(n - 1) / 2] + lengths[n / 2]) / 2;
        s->bin_s = bin_width(s->longest_s);
    }
    for (size_t i = 0; i < n; i++) {
        double bin = lengths[i] / s->bin_s + 1e-9; /* 0.6 belongs to 0.6 - 0.7 */
        int k = bin < OTO_STATS_BINS - 1 ? (int)bin : OTO_STATS_BINS - 1;
        s->seconds += lengths[i];
        s->bins[k]++;
        s->n_bins = k + 1;
    }
    oto_free(lengths);
    return OTO_OK;
}

oto_status oto_stats_compute(struct oto_stats *out, const struct oto_corpus *corpus,
                             const struct oto_text_policy *policy, oto_error *err)
{
    memset(out, 0, sizeof *out);
    out->n = corpus->n;
    oto_status status = count_lengths(out, corpus, err);
    if (status == OTO_OK)
        status = count_speakers(out, corpus, err);
    if (status == OTO_OK)
        status = count_texts(out, corpus, policy, err);
    if (status != OTO_OK)
        oto_stats_clear(out);
    return status;
}

void oto_stats_clear(struct oto_stats *s)
{
    oto_free(s->speakers);
    oto_free(s->characters);
    memset(s, 0, sizeof *s);
}
