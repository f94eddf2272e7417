/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/ngram.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct oto_ngram *oto_ngram_create(void)
{
    return oto_calloc(1, sizeof(struct oto_ngram));
}

void oto_ngram_destroy(struct oto_ngram *m)
{
    if (m == NULL)
        return;
    for (int k = 0; k < OTO_LM_MAX_ORDER; k++) {
        oto_free(m->levels[k].words);
        oto_free(m->levels[k].log_p);
        oto_free(m->levels[k].backoff);
        oto_free(m->levels[k].children);
    }
    oto_words_clear(&m->words);
    oto_free(m);
}

/* ---- records ----------------------------------------------------------------------------- */

bool oto_ngram_record_add(struct oto_ngram_records *r, const uint32_t *words, uint32_t value_1,
                          uint32_t value_2)
{
    const size_t stride = (size_t)r->k + 2;
    if (r->n == r->capacity) {
        size_t capacity = r->capacity == 0 ? 1024 : 2 * r->capacity;
        if (r->n >= OTO_NGRAM_MAX)
            return false;
        uint32_t *data = oto_realloc(r->data, r->capacity, capacity, stride * sizeof *data);
        if (data == NULL)
            return false;
        r->data = data;
        r->capacity = capacity;
    }
    uint32_t *record = r->data + r->n++ * stride;
    memcpy(record, words, (size_t)r->k * sizeof *words);
    record[r->k] = value_1;
    record[r->k + 1] = value_2;
    return true;
}

void oto_ngram_records_clear(struct oto_ngram_records *r)
{
    oto_free(r->data);
    *r = (struct oto_ngram_records){.k = r->k};
}

uint32_t oto_ngram_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float oto_ngram_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int compare_words(const uint32_t *a, const uint32_t *b, int k)
{
    for (int i = 0; i < k; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

#define DIGIT_BITS 11
#define N_DIGITS (1u << DIGIT_BITS)

/* One pass of a radix sort: stable, by one digit of one word, from src to dst. False, and nothing
 * done, where all records have the same digit. */
static bool sort_pass(uint32_t *dst, const uint32_t *src, size_t n, size_t stride, int word,
                      int shift)
{
    size_t starts[N_DIGITS + 1] = {0};
    for (size_t i = 0; i < n; i++)
        starts[(src[i * stride + (size_t)word] >> shift & (N_DIGITS - 1)) + 1]++;
    for (size_t d = 0; d < N_DIGITS; d++) {
        if (starts[d + 1] == n)
            return false;
        starts[d + 1] += starts[d];
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t *record = src + i * stride;
        size_t to = starts[record[word] >> shift & (N_DIGITS - 1)]++;
        memcpy(dst + to * stride, record, stride * sizeof *record);
    }
    return true;
}

bool oto_ngram_records_sort(struct oto_ngram_records *r, uint32_t n_words)
{
    const size_t stride = (size_t)r->k + 2;
    size_t i = 1;
    while (i < r->n && compare_words(r->data + (i - 1) * stride, r->data + i * stride, r->k) <= 0)
        i++;
    if (i >= r->n)
        return true;
    uint32_t *other = oto_calloc(r->n, stride * sizeof *other);
    if (other == NULL)
        return false;
    size_t other_capacity = r->n;
    for (int word = r->k - 1; word >= 0; word--) {
        for (int shift = 0; shift < 32 && n_words >> shift > 0; shift += DIGIT_BITS) {
            if (!sort_pass(other, r->data, r->n, stride, word, shift))
                continue;
            uint32_t *data = r->data;
            size_t capacity = r->capacity;
            r->data = other;
            r->capacity = other_capacity;
            other = data;
            other_capacity = capacity;
        }
    }
    oto_free(other);
    return true;
}

/* ---- levels from records ----------------------------------------------------------------- */

/* Appends the beginnings that level k+1 has and level k lacks; both are sorted, and level k is
 * again afterwards. Their log_p is NaN. */
static bool add_missing(struct oto_ngram_records *lower, const struct oto_ngram_records *upper,
                        uint32_t n_words)
{
    const size_t lower_stride = (size_t)lower->k + 2, upper_stride = lower_stride + 1;
    const size_t n = lower->n;
    const uint32_t *last = NULL; /* the beginning that was put in last */
    size_t at = 0;
    for (size_t i = 0; i < upper->n; i++) {
        const uint32_t *u = upper->data + i * upper_stride;
        while (at < n && compare_words(lower->data + at * lower_stride, u, lower->k) < 0)
            at++;
        if (at < n && compare_words(lower->data + at * lower_stride, u, lower->k) == 0)
            continue;
        if (last != NULL && compare_words(last, u, lower->k) == 0)
            continue;
        if (!oto_ngram_record_add(lower, u, oto_ngram_bits(NAN), oto_ngram_bits(0)))
            return false;
        last = u;
    }
    return lower->n == n || oto_ngram_records_sort(lower, n_words);
}

static oto_status check_twice(const struct oto_ngram *m, const struct oto_ngram_records *r,
                              const char *name, oto_error *err)
{
    const size_t stride = (size_t)r->k + 2;
    for (size_t i = 1; i < r->n; i++) {
        const uint32_t *u = r->data + i * stride;
        if (compare_words(u - stride, u, r->k) != 0)
            continue;
        char text[160] = "";
        size_t n = 0;
        for (int w = 0; w < r->k && n < sizeof text - 1; w++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%.40s", w > 0 ? " " : "",
                                  oto_words_text(&m->words, u[w]));
        return oto_fail(err, OTO_ERR_FORMAT, "%s: \\%d-grams: '%s' is there twice", name, r->k,
                        text);
    }
    return OTO_OK;
}

/* Arrays of level k; `parents` are the sorted records of level k-1, NULL for the first level. */
static bool set_level(struct oto_ngram *m, const struct oto_ngram_records *r,
                      const struct oto_ngram_records *parents, bool highest)
{
    const size_t stride = (size_t)r->k + 2;
    struct oto_ngram_level *level = &m->levels[r->k - 1];
    level->n = r->n;
    level->words = oto_calloc(r->n, sizeof *level->words);
    level->log_p = oto_calloc(r->n, sizeof *level->log_p);
    if (!highest) {
        level->backoff = oto_calloc(r->n, sizeof *level->backoff);
        level->children = oto_calloc(r->n + 1, sizeof *level->children);
    }
    if (level->words == NULL || level->log_p == NULL ||
        (!highest && (level->backoff == NULL || level->children == NULL)))
        return false;
    uint32_t *children = parents != NULL ? m->levels[r->k - 2].children : NULL;
    size_t parent = 0;
    for (size_t i = 0; i < r->n; i++) {
        const uint32_t *u = r->data + i * stride;
        level->words[i] = u[r->k - 1];
        level->log_p[i] = oto_ngram_float(u[r->k]);
        if (!highest)
            level->backoff[i] = oto_ngram_float(u[r->k + 1]);
        while (parents != NULL &&
               compare_words(parents->data + parent * (stride - 1), u, r->k - 1) < 0)
            children[++parent] = (uint32_t)i;
    }
    while (parents != NULL && parent < parents->n)
        children[++parent] = (uint32_t)r->n;
    return true;
}

struct fill {
    struct oto_ngram *m;
    int k;
};

/* Probability of what add_missing() put in. */
static oto_status fill_missing(void *arg, uint32_t node, const uint32_t *words, oto_error *err)
{
    struct fill *f = arg;
    struct oto_ngram_level *l = &f->m->levels[f->k - 1];
    (void)err;
    if (isnan(l->log_p[node])) {
        const uint32_t context = oto_ngram_find(f->m, words, f->k - 1);
        l->log_p[node] = (float)((double)f->m->levels[f->k - 2].backoff[context] +
                                 oto_ngram_log_p(f->m, words + 1, f->k - 1));
    }
    return OTO_OK;
}

static bool has_missing(const struct oto_ngram_level *level)
{
    for (size_t i = 0; i < level->n; i++) {
        if (isnan(level->log_p[i]))
            return true;
    }
    return false;
}

oto_status oto_ngram_set_levels(struct oto_ngram *m, struct oto_ngram_records *records, int order,
                                const char *name, oto_error *err)
{
    for (int k = 1; k <= order; k++) {
        if (!oto_ngram_records_sort(&records[k - 1], m->words.n))
            return oto_fail_memory(err, "n-grams");
        oto_status status = check_twice(m, &records[k - 1], name, err);
        if (status != OTO_OK)
            return status;
    }
    for (int k = order - 1; k >= 2; k--) {
        if (!add_missing(&records[k - 1], &records[k], m->words.n))
            return oto_fail_memory(err, "n-grams");
    }
    for (int k = 1; k <= order; k++) {
        if (!set_level(m, &records[k - 1], k > 1 ? &records[k - 2] : NULL, k == order))
            return oto_fail_memory(err, "n-grams");
    }
    m->order = order;
    oto_status status = OTO_OK;
    for (int k = 2; status == OTO_OK && k < order; k++) { /* lower levels first */
        struct fill fill = {m, k};
        if (has_missing(&m->levels[k - 1]))
            status = oto_ngram_visit(m, k, fill_missing, &fill, err);
    }
    return status;
}

/* ---- look-ups ---------------------------------------------------------------------------- */

uint32_t oto_ngram_child(const struct oto_ngram *m, int level, uint32_t node, uint32_t word)
{
    const struct oto_ngram_level *l = &m->levels[level - 1];
    const uint32_t *words = m->levels[level].words;
    uint32_t from = l->children[node], to = l->children[node + 1];
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (words[middle] < word)
            from = middle + 1;
        else
            to = middle;
    }
    return from < l->children[node + 1] && words[from] == word ? from : OTO_NGRAM_NONE;
}

uint32_t oto_ngram_find(const struct oto_ngram *m, const uint32_t *words, int n)
{
    uint32_t node = words[0];
    for (int k = 1; k < n && node != OTO_NGRAM_NONE; k++)
        node = oto_ngram_child(m, k, node, words[k]);
    return node;
}

double oto_ngram_log_p(const struct oto_ngram *m, const uint32_t *words, int n)
{
    double backoff = 0;
    for (int from = 0; from < n - 1; from++) {
        const int length = n - 1 - from; /* of the context */
        uint32_t context = oto_ngram_find(m, words + from, length);
        if (context == OTO_NGRAM_NONE)
            continue;
        uint32_t node = oto_ngram_child(m, length, context, words[n - 1]);
        if (node != OTO_NGRAM_NONE)
            return backoff + (double)m->levels[length].log_p[node];
        backoff += (double)m->levels[length - 1].backoff[context];
    }
    return backoff + (double)m->levels[0].log_p[words[n - 1]];
}

/* ---- passes over the whole --------------------------------------------------------------- */

struct walk {
    const struct oto_ngram *m;
    int k;
    oto_status (*visit)(void *arg, uint32_t node, const uint32_t *words, oto_error *err);
    void *arg;
    uint32_t words[OTO_LM_MAX_ORDER];
};

static oto_status walk_below(struct walk *w, int level, uint32_t node, oto_error *err)
{
    const struct oto_ngram_level *l = &w->m->levels[level - 1];
    w->words[level - 1] = l->words[node];
    if (level == w->k || level == OTO_LM_MAX_ORDER)
        return w->visit(w->arg, node, w->words, err);
    oto_status status = OTO_OK;
    for (uint32_t c = l->children[node]; status == OTO_OK && c < l->children[node + 1]; c++)
        status = walk_below(w, level + 1, c, err);
    return status;
}

oto_status oto_ngram_visit(const struct oto_ngram *m, int k,
                           oto_status (*visit)(void *arg, uint32_t node, const uint32_t *words,
                                               oto_error *err),
                           void *arg, oto_error *err)
{
    struct walk walk = {.m = m, .k = k, .visit = visit, .arg = arg};
    oto_status status = OTO_OK;
    for (uint32_t w = 0; status == OTO_OK && w < m->levels[0].n; w++)
        status = walk_below(&walk, 1, w, err);
    return status;
}

static oto_status normalise_context(void *arg, uint32_t node, const uint32_t *words, oto_error *err)
{
    const struct fill *f = arg;
    struct oto_ngram_level *l = &f->m->levels[f->k - 1];
    const struct oto_ngram_level *next = &f->m->levels[f->k];
    uint32_t ngram[OTO_LM_MAX_ORDER + 1];
    double left = 1, left_below = 1; /* what continuations that are not listed have */
    (void)err;
    memcpy(ngram, words, (size_t)f->k * sizeof *ngram);
    for (uint32_t c = l->children[node]; c < l->children[node + 1]; c++) {
        ngram[f->k] = next->words[c];
        left -= pow(10, (double)next->log_p[c]);
        left_below -= pow(10, oto_ngram_log_p(f->m, ngram + 1, f->k));
    }
    /* Where all words are listed nothing is left but rounding. */
    const bool rest = l->children[node + 1] > l->children[node] && left_below > 1e-7;
    l->backoff[node] = rest ? (float)log10(fmax(left, 1e-9) / left_below) : 0;
    return OTO_OK;
}

void oto_ngram_normalise(struct oto_ngram *m)
{
    for (int k = 1; k < m->order; k++) { /* lower levels first: the higher back off to them */
        struct fill pass = {m, k};
        (void)!oto_ngram_visit(m, k, normalise_context, &pass, NULL);
    }
}
