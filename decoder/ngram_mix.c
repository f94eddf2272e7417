/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/ngram_mix.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

struct mix {
    const struct oto_ngram *const *models;
    const double *weights;
    int n;
    struct oto_ngram *m;
    uint32_t *to_all[OTO_NGRAM_MAX_MIX];   /* a model's numbers to the mixture's */
    uint32_t *from_all[OTO_NGRAM_MAX_MIX]; /* and back; OTO_WORDS_NONE where it lacks the word */
    struct oto_ngram_records records[OTO_LM_MAX_ORDER];
    int i, k; /* model and order that are collected */
};

static bool join_words(struct mix *x)
{
    struct oto_words *words = &x->m->words;
    uint32_t number;
    for (int i = 0; i < x->n; i++) {
        const struct oto_words *from = &x->models[i]->words;
        for (uint32_t w = 0; w < from->n; w++) {
            const char *text = oto_words_text(from, w);
            if (!oto_words_add(words, text, strlen(text), &number))
                return false;
        }
    }
    uint32_t *new_of = oto_calloc(words->n, sizeof *new_of);
    bool good = new_of != NULL && oto_words_sort(words, new_of);
    oto_free(new_of);
    for (int i = 0; good && i < x->n; i++) {
        const struct oto_words *from = &x->models[i]->words;
        x->to_all[i] = oto_calloc(from->n, sizeof *x->to_all[i]);
        x->from_all[i] = oto_calloc(words->n, sizeof *x->from_all[i]);
        good = x->to_all[i] != NULL && x->from_all[i] != NULL;
        for (uint32_t w = 0; good && w < words->n; w++)
            x->from_all[i][w] = OTO_WORDS_NONE;
        for (uint32_t w = 0; good && w < from->n; w++) {
            const char *text = oto_words_text(from, w);
            number = oto_words_find(words, text, strlen(text));
            x->to_all[i][w] = number;
            x->from_all[i][number] = w;
        }
    }
    return good;
}

/* Probability of the last of n words by one model, as it hears them. */
static double probability(const struct mix *x, int i, const uint32_t *words, int n)
{
    uint32_t own[OTO_LM_MAX_ORDER];
    const struct oto_ngram *m = x->models[i];
    const int length = n < m->order ? n : m->order;
    if (x->from_all[i][words[n - 1]] == OTO_WORDS_NONE)
        return 0;
    for (int j = 0; j < length; j++) {
        const uint32_t word = x->from_all[i][words[n - length + j]];
        own[j] = word == OTO_WORDS_NONE ? OTO_LM_UNKNOWN : word;
    }
    return pow(10, oto_ngram_log_p(m, own, length));
}

static oto_status collect(void *arg, uint32_t node, const uint32_t *words, oto_error *err)
{
    struct mix *x = arg;
    uint32_t all[OTO_LM_MAX_ORDER];
    double p = 0;
    (void)node;
    for (int j = 0; j < x->k; j++)
        all[j] = x->to_all[x->i][words[j]];
    for (int i = 0; i < x->n; i++) {
        const struct oto_ngram *m = x->models[i];
        uint32_t own[OTO_LM_MAX_ORDER];
        bool known = i < x->i && x->k <= m->order;
        for (int j = 0; known && j < x->k; j++)
            known = (own[j] = x->from_all[i][all[j]]) != OTO_WORDS_NONE;
        if (known && oto_ngram_find(m, own, x->k) != OTO_NGRAM_NONE)
            return OTO_OK; /* an earlier model has brought it */
        p += x->weights[i] * probability(x, i, all, x->k);
    }
    const float log_p = (float)fmin(log10(fmax(p, 1e-99)), 0);
    if (!oto_ngram_record_add(&x->records[x->k - 1], all, oto_ngram_bits(log_p), oto_ngram_bits(0)))
        return oto_fail_memory(err, "n-grams");
    return OTO_OK;
}

oto_status oto_ngram_mix(struct oto_ngram **out, const struct oto_ngram *const *models,
                         const double *weights, int n, oto_error *err)
{
    struct mix x = {.models = models, .weights = weights, .n = n, .m = oto_ngram_create()};
    oto_status status = OTO_OK;
    int order = 0;
    *out = NULL;
    for (int k = 0; k < OTO_LM_MAX_ORDER; k++)
        x.records[k].k = k + 1;
    if (x.m == NULL || !join_words(&x)) {
        status = oto_fail_memory(err, "vocabulary");
        goto out;
    }
    for (x.i = 0; x.i < n; x.i++) {
        order = models[x.i]->order > order ? models[x.i]->order : order;
        for (x.k = 1; status == OTO_OK && x.k <= models[x.i]->order; x.k++)
            status = oto_ngram_visit(models[x.i], x.k, collect, &x, err);
    }
    if (status == OTO_OK)
        status = oto_ngram_set_levels(x.m, x.records, order, "mixture", err);
    if (status == OTO_OK) {
        oto_ngram_normalise(x.m);
        *out = x.m;
        x.m = NULL;
    }
out:
    for (int k = 0; k < OTO_LM_MAX_ORDER; k++)
        oto_ngram_records_clear(&x.records[k]);
    for (int i = 0; i < n; i++) {
        oto_free(x.to_all[i]);
        oto_free(x.from_all[i]);
    }
    oto_ngram_destroy(x.m);
    return status;
}

double oto_ngram_mix_weights(double *weights, const double *probabilities, size_t n_tokens, int n)
{
    double sums[OTO_NGRAM_MAX_MIX], log_p = 0, last;
    for (int i = 0; i < n; i++)
        weights[i] = 1.0 / n;
    int round = 0;
    do {
        last = log_p;
        log_p = 0;
        memset(sums, 0, sizeof sums);
        for (size_t t = 0; t < n_tokens; t++) {
            const double *p = probabilities + t * (size_t)n;
            double total = 0;
            for (int i = 0; i < n; i++)
                total += weights[i] * p[i];
            if (!(total > 0))
                continue;
            log_p += log(total);
            for (int i = 0; i < n; i++)
                sums[i] += weights[i] * p[i] / total;
        }
        double total = 0;
        for (int i = 0; i < n; i++)
            total += sums[i];
        for (int i = 0; total > 0 && i < n; i++)
            weights[i] = sums[i] / total;
        /* Each round raises log_p; a millionth of a word's share is beyond what a text can tell. */
    } while (++round < 2 || (round < 1000 && log_p - last > 1e-6 * (double)n_tokens));
    return n_tokens > 0 ? exp(-log_p / (double)n_tokens) : 0;
}
