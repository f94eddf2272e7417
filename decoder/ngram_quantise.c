/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/ngram_quantise.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define N_CODES 256
#define N_ITERATIONS 20

/* Sorted numbers and running sums, so that any cell's mean and error take no loop. */
struct numbers {
    float *v;               /* [n] sorted */
    double *sums, *squares; /* [n + 1] of those before */
    size_t n;
    size_t from[N_CODES + 1]; /* where cells begin; the last ends at n */
    int n_cells;
};

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double mean_of(const struct numbers *s, size_t from, size_t to)
{
    return (s->sums[to] - s->sums[from]) / (double)(to - from);
}

static double error_of(const struct numbers *s, size_t from, size_t to)
{
    if (!(s->v[from] < s->v[to - 1]))
        return 0; /* not what rounding makes of it */
    double sum = s->sums[to] - s->sums[from];
    return s->squares[to] - s->squares[from] - sum * sum / (double)(to - from);
}

/* First number of [from, to) above x. */
static size_t first_above(const struct numbers *s, size_t from, size_t to, double x)
{
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if ((double)s->v[middle] <= x)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Splits the worst cell; false when all are exact. */
static bool split_worst(struct numbers *s)
{
    int worst = -1;
    double error = 0;
    for (int c = 0; c < s->n_cells; c++) {
        double e = error_of(s, s->from[c], s->from[c + 1]);
        if (s->v[s->from[c]] < s->v[s->from[c + 1] - 1] && (worst < 0 || e > error)) {
            worst = c;
            error = e;
        }
    }
    if (worst < 0)
        return false;
    const size_t from = s->from[worst], to = s->from[worst + 1];
    size_t cut = first_above(s, from, to, mean_of(s, from, to));
    if (cut == from || cut == to) /* the mean is rounded: between two neighbouring numbers */
        cut = first_above(s, from, to, (double)s->v[from]);
    memmove(s->from + worst + 2, s->from + worst + 1,
            (size_t)(s->n_cells - worst) * sizeof *s->from);
    s->from[worst + 1] = cut;
    s->n_cells++;
    return true;
}

/* Each number goes to the nearest mean. A cell that this empties is dropped. */
static void move_cells(struct numbers *s)
{
    double means[N_CODES];
    int n = 0;
    for (int c = 0; c < s->n_cells; c++)
        means[c] = mean_of(s, s->from[c], s->from[c + 1]);
    for (int c = 1; c < s->n_cells; c++) {
        size_t cut = first_above(s, s->from[n], s->n, (means[c - 1] + means[c]) / 2);
        if (cut > s->from[n] && cut < s->n)
            s->from[++n] = cut;
    }
    s->n_cells = n + 1;
    s->from[s->n_cells] = s->n;
}

static bool load(struct numbers *s, const float *v, size_t n)
{
    s->v = oto_calloc(n, sizeof *s->v);
    s->sums = oto_calloc(n + 1, sizeof *s->sums);
    s->squares = oto_calloc(n + 1, sizeof *s->squares);
    if (s->v == NULL || s->sums == NULL || s->squares == NULL)
        return false;
    memcpy(s->v, v, n * sizeof *v);
    qsort(s->v, n, sizeof *s->v, compare_floats);
    for (size_t i = 0; i < n; i++) {
        const double x = (double)s->v[i];
        s->sums[i + 1] = s->sums[i] + x;
        s->squares[i + 1] = s->squares[i] + x * x;
    }
    s->n = n;
    s->from[1] = n;
    s->n_cells = 1;
    return true;
}

bool oto_quantise_make(float codes[256], const float *v, size_t n)
{
    memset(codes, 0, N_CODES * sizeof *codes);
    if (n == 0)
        return true;
    struct numbers *s = oto_calloc(1, sizeof *s);
    bool good = s != NULL && load(s, v, n);
    if (good) {
        const size_t zero = first_above(s, 0, n, -1e-30);
        const bool has_zero = zero < n && !(s->v[zero] > 0);
        while (s->n_cells < N_CODES - has_zero && split_worst(s))
            continue;
        for (int i = 0; i < N_ITERATIONS; i++)
            move_cells(s);
        for (int c = 0; c < N_CODES; c++) /* what is over repeats the last */
            codes[c] =
                c < s->n_cells ? (float)mean_of(s, s->from[c], s->from[c + 1]) : codes[c - 1];
        if (has_zero) {
            codes[N_CODES - 1] = 0;
            qsort(codes, N_CODES, sizeof *codes, compare_floats);
        }
    }
    if (s != NULL) {
        oto_free(s->v);
        oto_free(s->sums);
        oto_free(s->squares);
    }
    oto_free(s);
    return good;
}

uint8_t oto_quantise_code(const float codes[256], float v)
{
    int from = 0, to = N_CODES - 1; /* the first not below v, or the last */
    while (from < to) {
        int middle = (from + to) / 2;
        if (codes[middle] < v)
            from = middle + 1;
        else
            to = middle;
    }
    if (from > 0 && v - codes[from - 1] < codes[from] - v)
        from--;
    return (uint8_t)from;
}
