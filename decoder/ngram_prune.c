/* SPDX-License-Identifier: BSD-2-Clause */
/* Entropy pruning (Stolcke 1998, "Entropy-based pruning of backoff language models"). */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "decoder/ngram_build.h"

struct pruning {
    const struct oto_ngram *m;
    double threshold;
    uint32_t *const *counts; /* NULL: contexts by the model */
    double total;            /* of the unigrams' counts */
    uint32_t begin, end;     /* <s>, </s> */
    int k;                   /* length of the contexts */
    unsigned char *kept[OTO_LM_MAX_ORDER];
    double *below; /* [n words] probabilities of the continuations after the shorter context */
};

/* Probability of a context in running text. <s> stands wherever </s> has stood before. */
static double probability(const struct pruning *p, uint32_t node, const uint32_t *words)
{
    if (p->counts != NULL)
        return p->counts[p->k - 1][node] / p->total;
    double log_p = words[0] == p->begin ? (double)p->m->levels[0].log_p[p->end]
                                        : (double)p->m->levels[0].log_p[words[0]];
    for (int n = 2; n <= p->k; n++)
        log_p += oto_ngram_log_p(p->m, words, n);
    return pow(10, log_p);
}

static bool begins_longer(const struct pruning *p, uint32_t node)
{
    const struct oto_ngram_level *l = &p->m->levels[p->k];
    if (l->children == NULL)
        return false;
    for (uint32_t c = l->children[node]; c < l->children[node + 1]; c++) {
        if (p->kept[p->k + 1][c])
            return true;
    }
    return false;
}

/* Judges the continuations of one context; numbers of equations are the paper's. */
static oto_status judge(void *arg, uint32_t node, const uint32_t *words, oto_error *err)
{
    struct pruning *p = arg;
    const struct oto_ngram_level *l = &p->m->levels[p->k - 1], *next = &p->m->levels[p->k];
    const uint32_t from = l->children[node], to = l->children[node + 1];
    uint32_t ngram[OTO_LM_MAX_ORDER + 1];
    double left = 1, left_below = 1;
    (void)err;
    if (from == to)
        return OTO_OK;
    memcpy(ngram, words, (size_t)p->k * sizeof *ngram);
    for (uint32_t c = from; c < to; c++) {
        ngram[p->k] = next->words[c];
        p->below[c - from] = pow(10, oto_ngram_log_p(p->m, ngram + 1, p->k));
        left -= pow(10, (double)next->log_p[c]);
        left_below -= p->below[c - from];
    }
    left = fmax(left, 1e-9);
    left_below = fmax(left_below, 1e-9);
    const double p_context = probability(p, node, words);
    const double log_alpha = log(left / left_below); /* eq. 3 */
    for (uint32_t c = from; c < to; c++) {
        const double log_q = log(10.0) * (double)next->log_p[c], q = exp(log_q);
        const double below = p->below[c - from];
        const double log_alpha_new = log((left + q) / (left_below + below)); /* eq. 6 */
        const double divergence = -p_context * (q * (log(below) + log_alpha_new - log_q) +
                                                left * (log_alpha_new - log_alpha)); /* eq. 5 */
        p->kept[p->k][c] = expm1(divergence) >= p->threshold || begins_longer(p, c);
    }
    return OTO_OK;
}

/* What is kept of level k (from 0), whose contexts are all kept that still have continuations. */
static bool copy_kept(struct oto_ngram *to, const struct pruning *p, int k)
{
    const struct oto_ngram_level *from = &p->m->levels[k];
    struct oto_ngram_level *l = &to->levels[k];
    const unsigned char *kept = p->kept[k];
    const bool highest = k == p->m->order - 1;
    for (size_t i = 0; i < from->n; i++)
        l->n += kept[i];
    l->words = oto_calloc(l->n, sizeof *l->words);
    l->log_p = oto_calloc(l->n, sizeof *l->log_p);
    l->backoff = highest ? NULL : oto_calloc(l->n, sizeof *l->backoff);
    l->children = highest ? NULL : oto_calloc(l->n + 1, sizeof *l->children);
    if (l->words == NULL || l->log_p == NULL ||
        (!highest && (l->backoff == NULL || l->children == NULL)))
        return false;
    size_t n = 0;
    uint32_t n_children = 0;
    for (size_t i = 0; i < from->n; i++) {
        if (!kept[i])
            continue;
        l->words[n] = from->words[i];
        l->log_p[n++] = from->log_p[i];
        if (highest)
            continue;
        for (uint32_t c = from->children[i]; c < from->children[i + 1]; c++)
            n_children += p->kept[k + 1][c];
        l->children[n] = n_children;
    }
    return true;
}

static bool copy_words(struct oto_ngram *to, const struct oto_ngram *m)
{
    uint32_t number;
    for (uint32_t i = 0; i < m->words.n; i++) {
        const char *word = oto_words_text(&m->words, i);
        if (!oto_words_add(&to->words, word, strlen(word), &number))
            return false;
    }
    return true;
}

static bool prepare(struct pruning *p)
{
    p->below = oto_calloc(p->m->words.n, sizeof *p->below);
    bool good = p->below != NULL;
    for (int k = 0; good && k < p->m->order; k++) {
        p->kept[k] = oto_calloc(p->m->levels[k].n, 1);
        good = p->kept[k] != NULL;
    }
    if (good && p->kept[0] != NULL)
        memset(p->kept[0], 1, p->m->levels[0].n);
    p->begin = oto_words_find(&p->m->words, "<s>", 3);
    p->end = oto_words_find(&p->m->words, "</s>", 4);
    if (p->end == OTO_WORDS_NONE)
        p->begin = OTO_WORDS_NONE;
    for (uint32_t w = 0; p->counts != NULL && w < p->m->words.n; w++)
        p->total += w == p->begin ? 0 : p->counts[0][w];
    return good;
}

oto_status oto_ngram_prune(struct oto_ngram **out, const struct oto_ngram *m, double threshold,
                           uint32_t *const *counts, oto_error *err)
{
    struct pruning p = {.m = m, .threshold = threshold, .counts = counts};
    struct oto_ngram *pruned = oto_ngram_create();
    oto_status status = OTO_OK;
    *out = NULL;
    bool good = pruned != NULL && prepare(&p);
    for (p.k = m->order - 1; good && status == OTO_OK && p.k >= 1; p.k--)
        status = oto_ngram_visit(m, p.k, judge, &p, err);
    good = good && copy_words(pruned, m);
    for (int k = 0; good && k < m->order; k++)
        good = copy_kept(pruned, &p, k);
    if (good) {
        pruned->order = m->order;
        oto_ngram_normalise(pruned);
        *out = pruned;
        pruned = NULL;
    }
    for (int k = 0; k < OTO_LM_MAX_ORDER; k++)
        oto_free(p.kept[k]);
    oto_free(p.below);
    oto_ngram_destroy(pruned);
    if (!good)
        return oto_fail_memory(err, "pruning");
    return status;
}
