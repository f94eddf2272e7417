/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/assemble.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

struct slot {
    struct oto_frontend *fe, *sliding; /* sliding: NULL for none */
    float *cached, *stretched, *statics, *scratch, *out;
    size_t cap_cached, cap_stretched, cap_statics, cap_scratch, cap_out;
    oto_error error;
};

struct oto_assembler {
    struct oto_pool *pool;
    struct slot *slots;
    int n_slots, dim, static_dim, stride;
};

oto_status oto_assembler_create(struct oto_assembler **out,
                                const struct oto_frontend_options *frontend,
                                const struct oto_frontend_options *sliding,
                                const struct oto_cmvn_stats *stats, struct oto_pool *pool,
                                oto_error *err)
{
    *out = NULL;
    struct oto_assembler *a = oto_calloc(1, sizeof *a);
    if (!a)
        return oto_fail_memory(err, "batch assembly");
    a->pool = pool;
    a->stride = frontend->stride;
    a->n_slots = oto_pool_n_threads(pool);
    a->slots = oto_calloc((size_t)a->n_slots, sizeof *a->slots);
    oto_status status = a->slots ? OTO_OK : oto_fail_memory(err, "batch assembly");
    for (int k = 0; k < a->n_slots && status == OTO_OK; k++) {
        status = oto_frontend_create(&a->slots[k].fe, frontend, stats, OTO_FFT_AUTO, err);
        if (status == OTO_OK && sliding)
            status = oto_frontend_create(&a->slots[k].sliding, sliding, stats, OTO_FFT_AUTO, err);
    }
    if (status != OTO_OK) {
        oto_assembler_destroy(a);
        return status;
    }
    a->dim = oto_frontend_dim(a->slots[0].fe);
    a->static_dim = oto_frontend_static_dim(a->slots[0].fe);
    *out = a;
    return OTO_OK;
}

void oto_assembler_destroy(struct oto_assembler *a)
{
    if (!a)
        return;
    for (int k = 0; a->slots && k < a->n_slots; k++) {
        oto_frontend_destroy(a->slots[k].fe);
        oto_frontend_destroy(a->slots[k].sliding);
        oto_free(a->slots[k].cached);
        oto_free(a->slots[k].stretched);
        oto_free(a->slots[k].statics);
        oto_free(a->slots[k].scratch);
        oto_free(a->slots[k].out);
    }
    oto_free(a->slots);
    oto_free(a);
}

int oto_assembler_dim(const struct oto_assembler *a)
{
    return a->dim;
}

struct job {
    struct oto_assembler *a;
    struct oto_batch *batch;
    const struct oto_batch_spec *spec;
    atomic_int next;
};

/* Room for n floats; what was there is not kept. */
static bool grow(float **p, size_t *capacity, size_t n)
{
    if (n <= *capacity)
        return true;
    oto_free(*p);
    *p = oto_calloc(n + n / 4, sizeof **p);
    *capacity = *p ? n + n / 4 : 0;
    return *p != NULL;
}

/*
 * What the cache holds of the item at its tempo, in slot memory; *n_static vectors. A length other
 * than the audio's own is the plan's change of tempo: then just so many vectors are made as give
 * that length.
 */
static oto_status read_cache(const struct job *job, struct slot *slot,
                             const struct oto_batch_item *item, float **features, size_t *n_static,
                             oto_error *err)
{
    size_t n = oto_feature_cache_n_static(job->spec->ds->cache, item->utt, item->speed);
    size_t dim = (size_t)oto_feature_cache_dim(job->spec->ds->cache),
           wanted = (size_t)item->n_frames * (size_t)job->a->stride;
    *n_static = n;
    if (!grow(&slot->cached, &slot->cap_cached, n * dim))
        return oto_fail_memory(err, "batch");
    *features = slot->cached;
    oto_status status =
        oto_feature_cache_read(job->spec->ds->cache, item->utt, item->speed, slot->cached, err);
    if (status != OTO_OK || oto_frontend_n_frames(slot->fe, n) == (size_t)item->n_frames)
        return status;
    if (!grow(&slot->stretched, &slot->cap_stretched, wanted * dim))
        return oto_fail_memory(err, "batch");
    oto_tempo_apply(slot->stretched, wanted, slot->cached, n, (int)dim);
    *features = slot->stretched;
    *n_static = wanted;
    return OTO_OK;
}

/* A number for each view of each copy of each utterance in each epoch, and for what it is used. */
static uint64_t item_stream(const struct job *job, const struct oto_batch_item *item,
                            const char *purpose)
{
    uint64_t stream = oto_rng_stream(purpose) + (uint64_t)job->spec->epoch;
    uint64_t number =
        oto_rng_u64(job->spec->seed, stream, (uint64_t)item->utt * 65536 + item->copy);
    return item->view ? oto_rng_u64(job->spec->seed, number, item->view) : number;
}

/* The item's static vectors, from changed log-mel energies when the data set asks for that. */
static oto_status read_statics(const struct job *job, struct slot *slot,
                               const struct oto_batch_item *item, float **statics, size_t *n_static,
                               oto_error *err)
{
    const struct oto_perturb *perturb = job->spec->ds->perturb;
    oto_status status = read_cache(job, slot, item, statics, n_static, err);
    if (status != OTO_OK || !perturb)
        return status;
    float *cached = *statics;
    if (!grow(&slot->scratch, &slot->cap_scratch, 2 * (size_t)perturb->n_mels) ||
        !grow(&slot->statics, &slot->cap_statics, *n_static * (size_t)job->a->static_dim))
        return oto_fail_memory(err, "batch");
    oto_perturb_apply(perturb, cached, *n_static, slot->scratch, job->spec->seed,
                      item_stream(job, item, "perturb"));
    oto_frontend_of_log_mels(slot->fe, slot->statics, cached, *n_static);
    *statics = slot->statics;
    return OTO_OK;
}

static oto_status fill_item(struct job *job, struct slot *slot, int b, oto_error *err)
{
    const struct oto_assembler *a = job->a;
    struct oto_batch *batch = job->batch;
    const struct oto_batch_item *item = &batch->items[b];
    size_t n_static, dim = (size_t)a->dim;
    float *statics = NULL;
    oto_status status = read_statics(job, slot, item, &statics, &n_static, err);
    if (status != OTO_OK)
        return status;
    if (!grow(&slot->out, &slot->cap_out, (size_t)item->n_frames * dim))
        return oto_fail_memory(err, "batch");
    struct oto_mask mask;
    if (job->spec->masks) {
        mask.options = *job->spec->masks;
        mask.seed = job->spec->seed;
        mask.stream = item_stream(job, item, "mask");
        mask.static_dim = a->static_dim;
    }
    status = oto_frontend_apply(job->spec->sliding ? slot->sliding : slot->fe, slot->out, statics,
                                n_static, job->spec->masks ? oto_mask_apply : NULL,
                                job->spec->masks ? &mask : NULL, err);
    if (status != OTO_OK)
        return status;
    for (int t = 0; t < item->n_frames; t++)
        memcpy(batch->x + oto_sequences_row(&batch->seqs, t, b) * dim, slot->out + (size_t)t * dim,
               dim * sizeof(float));
    return OTO_OK;
}

static void slot_task(void *arg, int k)
{
    struct job *job = arg;
    struct slot *slot = &job->a->slots[k];
    slot->error.status = OTO_OK;
    for (int b; (b = atomic_fetch_add(&job->next, 1)) < job->batch->n;) {
        oto_error why;
        oto_status status = fill_item(job, slot, b, &why);
        if (status != OTO_OK) {
            slot->error = why;
            slot->error.status = status;
            return;
        }
    }
}

static oto_status reserve(struct oto_batch *batch, size_t n, oto_error *err)
{
    if (n <= batch->cap_n)
        return OTO_OK;
    oto_free(batch->lengths);
    oto_free(batch->items);
    batch->lengths = oto_calloc(n, sizeof *batch->lengths);
    batch->items = oto_calloc(n, sizeof *batch->items);
    batch->cap_n = batch->lengths && batch->items ? n : 0;
    return batch->cap_n ? OTO_OK : oto_fail_memory(err, "batch");
}

/* Item i becomes items 2 i and 2 i + 1. */
static void double_items(struct oto_batch *batch)
{
    for (int b = 2 * batch->n - 1; b >= 0; b--) {
        batch->items[b] = batch->items[b / 2];
        batch->items[b].view = (uint16_t)(b % 2);
    }
    batch->n *= 2;
}

oto_status oto_assemble(struct oto_assembler *a, struct oto_batch *batch,
                        const struct oto_batch_spec *spec, oto_error *err)
{
    size_t n = (spec->n / (size_t)spec->n_parts + 1) * (size_t)spec->n_views;
    oto_status status = reserve(batch, n, err);
    if (status != OTO_OK)
        return status;
    batch->n = (int)oto_batch_part(batch->items, spec->items, spec->n, spec->n_parts, spec->part);
    if (batch->n == 0)
        return OTO_OK;
    if (spec->n_views == 2)
        double_items(batch);
    for (int b = 0; b < batch->n; b++)
        batch->lengths[b] = batch->items[b].n_frames;
    status = oto_sequences_set(&batch->seqs, batch->lengths, batch->n, err);
    if (status != OTO_OK)
        return status;
    if (!grow(&batch->x, &batch->cap_x, batch->seqs.n_rows * (size_t)a->dim))
        return oto_fail_memory(err, "batch");
    struct job job = {.a = a, .batch = batch, .spec = spec};
    oto_pool_run(a->pool, a->n_slots, slot_task, &job);
    for (int k = 0; k < a->n_slots; k++)
        if (a->slots[k].error.status != OTO_OK)
            return oto_fail(err, a->slots[k].error.status, "%s", a->slots[k].error.message);
    return OTO_OK;
}

void oto_batch_clear(struct oto_batch *batch)
{
    oto_sequences_clear(&batch->seqs);
    oto_free(batch->x);
    oto_free(batch->lengths);
    oto_free(batch->items);
    memset(batch, 0, sizeof *batch);
}
