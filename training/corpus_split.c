/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/corpus_split.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "training/corpus_format.h"

struct piece { /* an utterance, by the key that it may not be parted from */
    const char *key;
    size_t i;
};

struct group {       /* the pieces of one key */
    size_t first, n; /* in the sorted pieces */
    double size;     /* seconds, or utterances where lengths are not known */
    uint64_t order;
};

oto_status oto_split_parse(double shares[OTO_SPLIT_SETS], const char *text, oto_error *err)
{
    char *copy = oto_strdup(text), *fields[OTO_SPLIT_SETS + 1];
    if (!copy)
        return oto_fail_memory(err, "shares");
    double sum = 0;
    int n = oto_split(copy, ',', fields, OTO_SPLIT_SETS);
    bool good = n == OTO_SPLIT_SETS;
    for (int k = 0; k < OTO_SPLIT_SETS && good; k++) {
        good = oto_parse_seconds(fields[k], &shares[k]);
        sum += good ? shares[k] : 0;
    }
    oto_free(copy);
    if (!good || sum <= 0)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "shares '%s': expected three numbers for train, dev and test such as "
                        "80,10,10",
                        text);
    for (int k = 0; k < OTO_SPLIT_SETS; k++)
        shares[k] /= sum;
    return OTO_OK;
}

static int by_key(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->i > y->i) - (x->i < y->i);
}

static int by_order(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static size_t make_groups(struct group *groups, const struct piece *pieces,
                          const struct oto_corpus *corpus, uint64_t seed)
{
    size_t n = 0;
    bool lengths = true;
    for (size_t i = 0; i < corpus->n; i++)
        lengths = lengths && corpus->utts[i].seconds > 0;
    for (size_t i = 0; i < corpus->n; i++) {
        if (i == 0 || strcmp(pieces[i - 1].key, pieces[i].key) != 0)
            groups[n++] =
                (struct group){i, 0, 0, oto_rng_u64(seed, oto_rng_stream(pieces[i].key), 0)};
        groups[n - 1].n++;
        groups[n - 1].size += lengths ? corpus->utts[pieces[i].i].seconds : 1;
    }
    return n;
}

/* The set that lacks most of its share; first of all, one that has nothing yet and would have
 * nothing for want of groups. */
static int choose_set(const double *shares, const double *got, double total, size_t n_left)
{
    int best = -1;
    size_t n_empty = 0;
    for (int k = 0; k < OTO_SPLIT_SETS; k++)
        n_empty += shares[k] > 0 && got[k] <= 0;
    for (int k = 0; k < OTO_SPLIT_SETS; k++) {
        if (shares[k] <= 0 || (n_empty >= n_left && got[k] > 0))
            continue;
        if (best < 0 || shares[k] * total - got[k] > shares[best] * total - got[best])
            best = k;
    }
    return best;
}

static oto_status assign(int *set, const struct piece *pieces, struct group *groups,
                         size_t n_groups, const struct oto_split_options *o, oto_error *err)
{
    double got[OTO_SPLIT_SETS] = {0}, total = 0;
    size_t n_sets = 0;
    for (int k = 0; k < OTO_SPLIT_SETS; k++)
        n_sets += o->shares[k] > 0;
    if (n_groups < n_sets)
        return oto_fail(err, OTO_ERR_DATA,
                        "%zu speaker%s cannot be parted into %zu sets; use --by=utterance, or give "
                        "a set the share 0",
                        n_groups, n_groups == 1 ? "" : "s", n_sets);
    for (size_t g = 0; g < n_groups; g++)
        total += groups[g].size;
    qsort(groups, n_groups, sizeof *groups, by_order);
    for (size_t g = 0; g < n_groups; g++) {
        int k = choose_set(o->shares, got, total, n_groups - g);
        got[k] += groups[g].size;
        for (size_t i = 0; i < groups[g].n; i++)
            set[pieces[groups[g].first + i].i] = k;
    }
    return OTO_OK;
}

oto_status oto_corpus_split(int *set, const struct oto_corpus *corpus,
                            const struct oto_split_options *options, oto_error *err)
{
    struct piece *pieces = oto_calloc(corpus->n, sizeof *pieces);
    struct group *groups = oto_calloc(corpus->n, sizeof *groups);
    oto_status status = pieces && groups ? OTO_OK : oto_fail_memory(err, "speakers");
    for (size_t i = 0; i < corpus->n && status == OTO_OK; i++) {
        const struct oto_utterance *u = &corpus->utts[i];
        pieces[i] = (struct piece){options->by == OTO_SPLIT_BY_SPEAKER ? u->speaker : u->id, i};
        if (!*pieces[i].key)
            status = oto_fail(err, OTO_ERR_DATA,
                              "%s:%d: %s has no speaker; name one for each utterance, or use "
                              "--by=utterance, which may put one voice into several sets",
                              oto_corpus_file(corpus, u), u->line, u->id);
    }
    if (status == OTO_OK && corpus->n > 0) {
        qsort(pieces, corpus->n, sizeof *pieces, by_key);
        size_t n = make_groups(groups, pieces, corpus, options->seed);
        status = assign(set, pieces, groups, n, options, err);
    }
    oto_free(groups);
    oto_free(pieces);
    return status;
}
