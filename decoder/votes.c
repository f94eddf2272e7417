/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a beam's best text, and how many of the other texts have them at the same place. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "decoder/confidence.h"

#define LEAST_WEIGHT 1e-6   /* hypotheses with less are passed over */
#define MOST_CELLS 1000000u /* where two texts differ in more, nothing in between is alike */

struct word {
    const int *labels;
    int n;
};

struct counter {
    struct word *best, *other; /* [n_best], [capacity] */
    int n_best, n_other, capacity;
    uint16_t *cells; /* [n_cells] */
    size_t n_cells;
    double *votes;
};

static int split(struct word *words, const struct oto_hypothesis *h, int space)
{
    int n = 0;
    for (int i = 0, end; i < h->n_labels; i = end + 1) {
        for (end = i; end < h->n_labels && h->labels[end] != space;)
            end++;
        if (end > i)
            words[n++] = (struct word){h->labels + i, end - i};
    }
    return n;
}

static bool is_same(const struct word *a, const struct word *b)
{
    return a->n == b->n && memcmp(a->labels, b->labels, (size_t)a->n * sizeof *a->labels) == 0;
}

static uint16_t least_of(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

/* Words first .. of both that are the same in an alignment of least edit distance get the weight.
 */
static bool vote_between(struct counter *c, int first, int n, int m, double weight)
{
    const struct word *a = c->best + first, *b = c->other + first;
    size_t width = (size_t)m + 1, n_cells = ((size_t)n + 1) * width;
    if (n == 0 || m == 0 || n_cells > MOST_CELLS || n + m > UINT16_MAX)
        return true;
    if (!c->cells || n_cells > c->n_cells) {
        oto_free(c->cells);
        c->cells = oto_calloc(2 * n_cells, sizeof *c->cells);
        c->n_cells = c->cells ? 2 * n_cells : 0;
        if (!c->cells)
            return false;
    }
    uint16_t *d = c->cells;
    for (int i = 0; i <= n; i++) {
        for (int j = 0; j <= m; j++) {
            size_t at = (size_t)i * width + (size_t)j;
            if (i == 0 || j == 0) {
                d[at] = (uint16_t)(i + j);
                continue;
            }
            uint16_t change = (uint16_t)(d[at - width - 1] + !is_same(&a[i - 1], &b[j - 1]));
            d[at] = least_of(change, (uint16_t)(1 + least_of(d[at - 1], d[at - width])));
        }
    }
    for (int i = n, j = m; i > 0 && j > 0;) {
        size_t at = (size_t)i * width + (size_t)j;
        bool same = is_same(&a[i - 1], &b[j - 1]);
        if (d[at] == d[at - width - 1] + !same) {
            if (same)
                c->votes[first + i - 1] += weight;
            i--;
            j--;
        } else if (d[at] == d[at - 1] + 1) {
            j--;
        } else {
            i--;
        }
    }
    return true;
}

static bool vote(struct counter *c, double weight)
{
    int first = 0, n = c->n_best, m = c->n_other;
    for (; first < n && first < m && is_same(&c->best[first], &c->other[first]); first++)
        c->votes[first] += weight;
    for (; n > first && m > first && is_same(&c->best[n - 1], &c->other[m - 1]); n--, m--)
        c->votes[n - 1] += weight;
    return vote_between(c, first, n - first, m - first, weight);
}

oto_status oto_votes_count(double **votes, const struct oto_hypothesis *hyps, int n_hyps, int space,
                           oto_error *err)
{
    struct counter c = {.capacity = 1};
    double total = 0, most = -(double)INFINITY;
    bool good = true;
    *votes = NULL;
    for (int i = 0; i < n_hyps; i++) {
        if (hyps[i].n_labels > c.capacity)
            c.capacity = hyps[i].n_labels;
        most = fmax(most, hyps[i].log_prob);
    }
    for (int i = 0; i < n_hyps; i++)
        total += exp(hyps[i].log_prob - most);
    c.best = oto_calloc((size_t)c.capacity, sizeof *c.best);
    c.other = oto_calloc((size_t)c.capacity, sizeof *c.other);
    c.n_best = c.best ? split(c.best, &hyps[0], space) : 0;
    c.votes = oto_calloc((size_t)c.n_best + 1, sizeof *c.votes);
    if (!c.best || !c.other || !c.votes)
        good = false;
    for (int i = 0; i < n_hyps && good; i++) {
        double weight = exp(hyps[i].log_prob - most) / total;
        if (weight < LEAST_WEIGHT)
            continue;
        c.n_other = split(c.other, &hyps[i], space);
        good = vote(&c, weight);
    }
    oto_free(c.best);
    oto_free(c.other);
    oto_free(c.cells);
    if (!good) {
        oto_free(c.votes);
        return oto_fail_memory(err, "votes");
    }
    *votes = c.votes;
    return OTO_OK;
}
