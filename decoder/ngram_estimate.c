/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/ngram_estimate.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* What one order is made with. The n-grams of one context come together. */
struct estimate {
    struct oto_ngram *m;
    int k, order;
    uint32_t begin, prune;
    const double *discounts; /* [3] of a = 1, 2, 3 and more */
    uint32_t *seen;          /* of the level in the making, NULL: not wanted */
    size_t capacity;         /* of its arrays */
    bool want_seen;

    uint32_t context[OTO_LM_MAX_ORDER]; /* k - 1 words */
    struct oto_ngram_records group;     /* last word with both counts, as records of one word */
};

static double discount_of(const struct estimate *e, uint32_t a)
{
    return a == 0 ? 0 : e->discounts[a < 3 ? a - 1 : 2];
}

/* Chen and Goodman 1998, eq. 26; with too few n-grams the values that kenlm falls back to. */
static bool set_discounts(double discounts[3], const uint64_t n_of[4])
{
    const double n1 = (double)n_of[0], n2 = (double)n_of[1];
    bool good = n_of[0] > 0 && n_of[1] > 0 && n_of[2] > 0 && n_of[3] > 0;
    const double y = good ? n1 / (n1 + 2 * n2) : 0;
    for (int i = 0; good && i < 3; i++) {
        discounts[i] = i + 1 - (i + 2) * y * (double)n_of[i + 1] / (double)n_of[i];
        good = discounts[i] >= 0 && discounts[i] <= i + 1;
    }
    for (int i = 0; !good && i < 3; i++)
        discounts[i] = 0.5 * (i + 1);
    return good;
}

/* ---- arrays of the level in the making --------------------------------------------------- */

static bool grow(struct estimate *e)
{
    struct oto_ngram_level *l = &e->m->levels[e->k - 1];
    if (l->n < e->capacity)
        return true;
    const size_t n = e->capacity, more = n == 0 ? 1024 : n + n / 2;
    uint32_t *words = oto_realloc(l->words, n, more, sizeof *words);
    if (words == NULL)
        return false;
    l->words = words;
    float *log_p = oto_realloc(l->log_p, n, more, sizeof *log_p);
    if (log_p == NULL)
        return false;
    l->log_p = log_p;
    if (e->want_seen) {
        uint32_t *seen = oto_realloc(e->seen, n, more, sizeof *seen);
        if (seen == NULL)
            return false;
        e->seen = seen;
    }
    e->capacity = more;
    return l->n < OTO_NGRAM_MAX;
}

static bool append(struct estimate *e, uint32_t word, double p, uint32_t seen)
{
    struct oto_ngram_level *l = &e->m->levels[e->k - 1];
    if (!grow(e))
        return false;
    l->words[l->n] = word;
    l->log_p[l->n] = (float)fmin(log10(fmax(p, 1e-99)), 0);
    if (e->want_seen)
        e->seen[l->n] = seen;
    l->n++;
    return true;
}

/* Room for what is known of a finished level once the next is made. */
static bool add_contexts(struct oto_ngram_level *l)
{
    l->backoff = oto_calloc(l->n, sizeof *l->backoff);
    l->children = oto_calloc(l->n + 1, sizeof *l->children);
    return l->backoff != NULL && l->children != NULL;
}

/* ---- one context ------------------------------------------------------------------------- */

/* Sum of the counts and what discounting and leaving out frees, as part of it. */
static double mass(const struct estimate *e, double *gamma)
{
    double total = 0, freed = 0;
    for (size_t i = 0; i < e->group.n; i++) {
        const uint32_t *r = e->group.data + 3 * i;
        total += r[2];
        freed += r[1] <= e->prune ? (double)r[2] : discount_of(e, r[2]);
    }
    *gamma = freed / total;
    return total;
}

static oto_status end_context(struct estimate *e, oto_error *err)
{
    struct oto_ngram_level *contexts = &e->m->levels[e->k - 2];
    const size_t n_before = e->m->levels[e->k - 1].n;
    double gamma, total;
    if (e->group.n == 0)
        return OTO_OK;
    const uint32_t node = oto_ngram_find(e->m, e->context, e->k - 1);
    if (node != OTO_NGRAM_NONE) { /* else it was left out, and so are its n-grams */
        total = mass(e, &gamma);
        contexts->backoff[node] = (float)log10(fmax(gamma, 1e-99));
        const uint32_t lower =
            e->k == 2 ? OTO_NGRAM_NONE : oto_ngram_find(e->m, e->context + 1, e->k - 2);
        for (size_t i = 0; i < e->group.n; i++) {
            const uint32_t *r = e->group.data + 3 * i;
            if (r[1] <= e->prune)
                continue;
            const uint32_t same = e->k == 2 ? r[0] : oto_ngram_child(e->m, e->k - 2, lower, r[0]);
            const double below = pow(10, (double)contexts->log_p[same]);
            const double p = ((double)r[2] - discount_of(e, r[2])) / total + gamma * below;
            if (!append(e, r[0], p, r[1]))
                return oto_fail_memory(err, "n-grams");
        }
        /* Contexts come in the order of their nodes: for now each knows its number. */
        contexts->children[node + 1] = (uint32_t)(e->m->levels[e->k - 1].n - n_before);
    }
    e->group.n = 0;
    return OTO_OK;
}

static oto_status make_level(struct estimate *e, struct oto_ngram_sorter *sorter, oto_error *err)
{
    struct oto_ngram_level *contexts = &e->m->levels[e->k - 2];
    const uint32_t *record;
    oto_status status = OTO_OK;
    if (!add_contexts(contexts))
        return oto_fail_memory(err, "n-grams");
    while ((status = oto_ngram_sorter_next(sorter, &record, err)) == OTO_OK && record != NULL) {
        const size_t n = (size_t)(e->k - 1) * sizeof *record;
        if (e->group.n > 0 && memcmp(e->context, record, n) != 0) {
            status = end_context(e, err);
            if (status != OTO_OK)
                return status;
        }
        memcpy(e->context, record, n);
        if (!oto_ngram_record_add(&e->group, record + e->k - 1, record[e->k], record[e->k + 1]))
            return oto_fail_memory(err, "n-grams");
    }
    if (status == OTO_OK)
        status = end_context(e, err);
    for (size_t i = 0; i < contexts->n; i++)
        contexts->children[i + 1] += contexts->children[i];
    return status;
}

/* ---- unigrams ---------------------------------------------------------------------------- */

static oto_status make_unigrams(struct estimate *e, struct oto_ngram_sorter *sorter, oto_error *err)
{
    const uint32_t n_words = e->m->words.n;
    const uint32_t *record;
    double total = 0, freed = 0;
    oto_status status = OTO_OK;
    uint32_t *counts = oto_calloc(n_words, 2 * sizeof *counts); /* seen, a */
    if (counts == NULL)
        return oto_fail_memory(err, "n-grams");
    while ((status = oto_ngram_sorter_next(sorter, &record, err)) == OTO_OK && record != NULL) {
        memcpy(counts + 2 * record[0], record + 1, 2 * sizeof *record);
        if (record[0] == e->begin)
            continue;
        total += record[2];
        freed += discount_of(e, record[2]);
    }
    for (uint32_t w = 0; status == OTO_OK && w < n_words; w++) {
        const uint32_t a = counts[2 * w + 1];
        double p = ((double)a - discount_of(e, a)) / total + freed / total / (n_words - 1);
        if (!append(e, w, w == e->begin ? 0 : p, counts[2 * w]))
            status = oto_fail_memory(err, "n-grams");
    }
    oto_free(counts);
    return status;
}

oto_status oto_ngram_estimate(struct oto_ngram *m, struct oto_ngram_counts *counts,
                              const uint32_t *prune, uint32_t **seen,
                              struct oto_ngram_build_report *report, oto_error *err)
{
    oto_status status = OTO_OK;
    for (int k = 1; status == OTO_OK && k <= counts->order; k++) {
        double *discounts = report->discounts[k - 1];
        report->fallback[k - 1] = !set_discounts(discounts, counts->n_of[k - 1]);
        struct estimate e = {.m = m,
                             .k = k,
                             .order = counts->order,
                             .begin = counts->begin,
                             .prune = prune[k - 1],
                             .discounts = discounts,
                             .want_seen = seen != NULL && k < counts->order,
                             .group = {.k = 1}};
        status = oto_ngram_sorter_rewind(counts->sorters[k - 1], err);
        if (status == OTO_OK)
            status = k == 1 ? make_unigrams(&e, counts->sorters[0], err)
                            : make_level(&e, counts->sorters[k - 1], err);
        oto_ngram_records_clear(&e.group);
        if (seen != NULL && e.want_seen)
            seen[k - 1] = e.seen;
        m->order = k;
        report->n_kept[k - 1] = m->levels[k - 1].n;
    }
    return status;
}
