/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

struct key {
    int bucket;  /* length class, 5 % wide; the length itself when sorted */
    size_t rank; /* place in the shuffled order: ties are broken by chance, but the same chance each
                    time */
    size_t item;
};

static int by_bucket(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->bucket != y->bucket)
        return x->bucket < y->bucket ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int by_falling_frames(const void *a, const void *b)
{
    const struct oto_batch_item *x = a, *y = b;
    if (x->n_frames != y->n_frames)
        return x->n_frames > y->n_frames ? -1 : 1;
    if (x->utt != y->utt)
        return x->utt < y->utt ? -1 : 1;
    return x->copy < y->copy ? -1 : x->copy > y->copy;
}

static oto_status reserve(struct oto_batch_plan *plan, size_t n, oto_error *err)
{
    if (n <= plan->cap_items)
        return OTO_OK;
    oto_batch_plan_clear(plan);
    plan->items =
        oto_calloc(n * 2, sizeof *plan->items); /* the second half is room for reordering */
    plan->starts = oto_calloc(n + 1, sizeof *plan->starts);
    plan->keys = oto_calloc(n, sizeof(struct key) + 2 * sizeof(size_t));
    if (!plan->items || !plan->starts || !plan->keys) {
        oto_batch_plan_clear(plan);
        return oto_fail_memory(err, "batches");
    }
    plan->cap_items = n;
    return OTO_OK;
}

/* One of the speeds at which the utterance is usable, by chance; -1 when there is none. */
static int choose_speed(const struct oto_plan_input *in, const struct oto_plan_options *o,
                        size_t utt, int copy, int epoch)
{
    const int *n_frames = in->n_frames + utt * (size_t)in->n_variants;
    int usable[64], n = 0;
    for (int s = 0; s < in->n_variants && n < 64; s++)
        if (n_frames[s] > 0)
            usable[n++] = s;
    if (n == 0)
        return -1;
    if (o->sorted)
        return usable[0];
    uint64_t stream = oto_rng_stream("speed") + (uint64_t)epoch;
    return usable[oto_rng_below(o->seed, stream, (uint64_t)utt * 65536 + (uint64_t)copy,
                                (uint64_t)n)];
}

/* The length after a change of tempo by chance, in [1-tempo, 1+tempo] and long enough for the
 * labels. */
static int change_tempo(const struct oto_plan_input *in, const struct oto_plan_options *o,
                        size_t utt, int copy, int epoch, int n_frames)
{
    if (o->sorted || o->tempo <= 0)
        return n_frames;
    uint64_t stream = oto_rng_stream("tempo") + (uint64_t)epoch;
    double share = 2 * oto_rng_uniform(o->seed, stream, (uint64_t)utt * 65536 + (uint64_t)copy) - 1;
    int least = in->min_frames && in->min_frames[utt] > 1 ? in->min_frames[utt] : 1;
    int changed = (int)lround(n_frames * (1 + o->tempo * share));
    return changed > least ? changed : least;
}

static void collect(struct oto_batch_plan *plan, const struct oto_plan_input *in,
                    const struct oto_plan_options *o, int epoch)
{
    int limit = !o->sorted && epoch < o->short_epochs ? o->short_frames : 0;
    plan->n_items = 0;
    for (size_t u = 0; u < in->n_utts; u++)
        for (int copy = 0; copy < (in->repeats ? in->repeats[u] : 1); copy++) {
            int speed = choose_speed(in, o, u, copy, epoch);
            if (speed < 0)
                continue;
            int n_frames = in->n_frames[u * (size_t)in->n_variants + (size_t)speed];
            n_frames = change_tempo(in, o, u, copy, epoch, n_frames);
            if (limit > 0 && n_frames > limit)
                continue;
            plan->items[plan->n_items++] = (struct oto_batch_item){.utt = (uint32_t)u,
                                                                   .copy = (uint16_t)copy,
                                                                   .speed = (uint16_t)speed,
                                                                   .n_frames = n_frames};
        }
}

/* Items into buckets, chance order within each. */
static void order_items(struct oto_batch_plan *plan, const struct oto_plan_options *o, int in_order,
                        int epoch)
{
    size_t n = plan->n_items;
    struct key *keys = plan->keys;
    size_t *order = (size_t *)(void *)(keys + plan->cap_items);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    if (!o->sorted)
        oto_rng_shuffle(o->seed, oto_rng_stream("utterances") + (uint64_t)epoch, order, n);
    for (size_t rank = 0; rank < n; rank++) {
        int n_frames = plan->items[order[rank]].n_frames;
        keys[rank].bucket = in_order ? n_frames : (int)(log((double)n_frames) / log(1.05));
        keys[rank].rank = rank;
        keys[rank].item = order[rank];
    }
    qsort(keys, n, sizeof *keys, by_bucket);
    struct oto_batch_item *copy = plan->items + plan->cap_items;
    memcpy(copy, plan->items, n * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        plan->items[i] = copy[keys[i].item];
}

static void cut(struct oto_batch_plan *plan, size_t max_frames)
{
    size_t frames = 0;
    plan->n_batches = 0;
    for (size_t i = 0; i < plan->n_items; i++) {
        size_t n = (size_t)plan->items[i].n_frames;
        if (i == 0 || frames + n > max_frames) {
            plan->starts[plan->n_batches++] = i;
            frames = 0;
        }
        frames += n;
    }
    plan->starts[plan->n_batches] = plan->n_items;
}

/* Whole batches into chance order. */
static void shuffle_batches(struct oto_batch_plan *plan, uint64_t seed, int epoch)
{
    size_t *order = (size_t *)(void *)((struct key *)plan->keys + plan->cap_items);
    size_t *old = order + plan->cap_items, n = 0;
    struct oto_batch_item *copy = plan->items + plan->cap_items;
    memcpy(copy, plan->items, plan->n_items * sizeof *copy);
    for (size_t k = 0; k < plan->n_batches; k++)
        order[k] = k;
    oto_rng_shuffle(seed, oto_rng_stream("batches") + (uint64_t)epoch, order, plan->n_batches);
    memcpy(old, plan->starts, plan->n_batches * sizeof *old);
    for (size_t k = 0; k < plan->n_batches; k++) {
        size_t b = order[k], begin = old[b],
               end = b + 1 < plan->n_batches ? old[b + 1] : plan->n_items;
        memcpy(plan->items + n, copy + begin, (end - begin) * sizeof *copy);
        plan->starts[k] = n;
        n += end - begin;
    }
}

oto_status oto_batch_plan_make(struct oto_batch_plan *plan, const struct oto_plan_input *in,
                               const struct oto_plan_options *o, int epoch, oto_error *err)
{
    size_t n = 0;
    for (size_t u = 0; u < in->n_utts; u++)
        n += in->repeats ? (size_t)in->repeats[u] : 1;
    oto_status status = reserve(plan, n, err);
    if (status != OTO_OK)
        return status;
    collect(plan, in, o, epoch);
    if (plan->n_items == 0)
        return oto_fail(err, OTO_ERR_DATA,
                        epoch < o->short_epochs && o->short_frames > 0
                            ? "epoch %d: no utterance is as short as --short-seconds asks"
                            : "epoch %d: no usable utterance",
                        epoch + 1);
    int in_order = o->sorted || (epoch < o->short_epochs && o->short_frames == 0);
    order_items(plan, o, in_order, epoch);
    cut(plan, o->max_frames);
    if (!in_order)
        shuffle_batches(plan, o->seed, epoch);
    for (size_t k = 0; k < plan->n_batches; k++)
        qsort(plan->items + plan->starts[k], plan->starts[k + 1] - plan->starts[k],
              sizeof *plan->items, by_falling_frames);
    return OTO_OK;
}

size_t oto_batch_part(struct oto_batch_item *out, const struct oto_batch_item *items, size_t n,
                      int n_parts, int k)
{
    size_t parts = (size_t)n_parts, n_out = 0;
    for (size_t row = 0; row * parts < n; row++) {
        size_t i = row * parts + (row % 2 ? parts - 1 - (size_t)k : (size_t)k);
        if (i < n)
            out[n_out++] = items[i];
    }
    return n_out;
}

void oto_batch_plan_clear(struct oto_batch_plan *plan)
{
    oto_free(plan->items);
    oto_free(plan->starts);
    oto_free(plan->keys);
    memset(plan, 0, sizeof *plan);
}
