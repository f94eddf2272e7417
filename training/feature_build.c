/* SPDX-License-Identifier: BSD-2-Clause */
/** Fills the feature cache: decodes each utterance once, resamples it to every speed, makes its
 * changed copies, computes static features. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "audio/resample.h"
#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "training/feature_cache.h"
#include "training/recordings.h"

enum { CHUNK = 128 /* utterances between two writes: bounds the memory held */ };

struct block {
    void *data; /* [n_static, dim] as it goes into the file */
    size_t n_static;
};

struct slot { /* what one task at a time works with */
    struct oto_frontend *fe;
    struct oto_samples samples, changed;
};

struct build {
    const struct oto_feature_item *items;
    size_t n_items;
    const struct oto_feature_cache_options *options;
    int dim, n_variants;
    struct slot *slots;
    int n_slots;
    size_t first, n; /* the chunk being computed */
    atomic_size_t next;
    struct block *blocks; /* [CHUNK * n_variants] */
    oto_error *errors;    /* [CHUNK] */
    struct oto_writer table;
    uint64_t offset;
    size_t n_bad;
};

static oto_status compute_block(struct block *block, struct slot *slot, const float *samples,
                                size_t n_samples, uint64_t dither_stream, bool half, int dim,
                                oto_error *err)
{
    oto_frontend_reset(slot->fe, dither_stream);
    oto_status status = oto_frontend_push(slot->fe, samples, n_samples, err);
    if (status == OTO_OK)
        status = oto_frontend_finish(slot->fe, err);
    if (status != OTO_OK)
        return status;
    size_t n_static;
    const float *statics = oto_frontend_static(slot->fe, &n_static);
    size_t n = n_static * (size_t)dim;
    block->data = oto_calloc(n, half ? 2 : 4);
    if (!block->data)
        return oto_fail_memory(err, "features");
    block->n_static = n_static;
    if (half) {
        uint16_t *out = block->data;
        for (size_t i = 0; i < n; i++)
            out[i] = oto_float_to_half(statics[i]);
    } else if (n > 0) {
        memcpy(block->data, statics, n * sizeof(float));
    }
    return OTO_OK;
}

/* A copy with the changes that seed, utterance and s choose, from slot->samples. */
static oto_status compute_copy(struct build *b, struct slot *slot, size_t i, int s,
                               struct block *block, oto_error *err)
{
    const struct oto_feature_cache_options *o = b->options;
    uint64_t stream = oto_rng_stream(b->items[i].id);
    slot->changed.n = 0;
    if (!oto_samples_reserve(&slot->changed, slot->samples.n))
        return oto_fail_memory(err, "features");
    slot->changed.n = slot->samples.n;
    memcpy(slot->changed.x, slot->samples.x, slot->samples.n * sizeof *slot->samples.x);
    oto_status status =
        oto_wave_apply(o->wave, &slot->changed, o->seed,
                       oto_rng_u64(o->seed, stream, (uint64_t)(s - o->n_speeds)), err);
    if (status != OTO_OK)
        return status;
    return compute_block(block, slot, slot->changed.x, slot->changed.n, stream + (uint64_t)s,
                         o->half, b->dim, err);
}

/* The utterance at one of the speeds, from slot->samples. */
static oto_status compute_speed(struct build *b, struct slot *slot, size_t i, int s,
                                struct block *block, oto_error *err)
{
    const struct oto_feature_cache_options *o = b->options;
    uint64_t stream = oto_rng_stream(b->items[i].id) + (uint64_t)s;
    if (o->speeds[s] == 1.0)
        return compute_block(block, slot, slot->samples.x, slot->samples.n, stream, o->half, b->dim,
                             err);
    /* Samples taken as recorded at speed*rate, then brought back to rate: 1/speed as many, all
     * pitches * speed. */
    float *changed;
    size_t n_changed;
    double rate = o->frontend->rate_hz;
    oto_status status = oto_resample(&changed, &n_changed, slot->samples.x, slot->samples.n,
                                     rate * o->speeds[s], rate, err);
    if (status != OTO_OK)
        return status;
    status = compute_block(block, slot, changed, n_changed, stream, o->half, b->dim, err);
    oto_free(changed);
    return status;
}

static oto_status compute_item(struct build *b, struct slot *slot, size_t i, struct block *blocks,
                               oto_error *err)
{
    const struct oto_feature_cache_options *o = b->options;
    const struct oto_feature_item *item = &b->items[i];
    slot->samples.n = 0;
    oto_status status = oto_samples_read(&slot->samples, item->path, o->frontend->rate_hz,
                                         item->start_s, item->length_s, err);
    if (status == OTO_OK && slot->samples.n == 0)
        status = oto_fail(err, OTO_ERR_DATA, "%s: no samples", item->path);
    for (int s = 0; s < b->n_variants && status == OTO_OK; s++)
        status = s < o->n_speeds ? compute_speed(b, slot, i, s, &blocks[s], err)
                                 : compute_copy(b, slot, i, s, &blocks[s], err);
    if (status != OTO_OK)
        for (int s = 0; s < b->n_variants; s++) {
            oto_free(blocks[s].data);
            blocks[s] = (struct block){0};
        }
    return status;
}

/* Each task is a slot that takes the next utterance until none is left; an utterance's result
 * depends on itself alone. */
static void slot_task(void *arg, int k)
{
    struct build *b = arg;
    for (size_t j; (j = atomic_fetch_add(&b->next, 1)) < b->n;) {
        b->errors[j].status = OTO_OK;
        b->errors[j].status = compute_item(b, &b->slots[k], b->first + j,
                                           &b->blocks[j * (size_t)b->n_variants], &b->errors[j]);
    }
}

static oto_status write_aligned(struct build *b, struct oto_atomic_file *f, const void *data,
                                size_t n, oto_error *err)
{
    static const unsigned char zeros[OTO_ALIGN];
    oto_status status = n ? oto_atomic_write(f, data, n, err) : OTO_OK;
    size_t pad = (OTO_ALIGN - n % OTO_ALIGN) % OTO_ALIGN;
    if (status == OTO_OK && pad)
        status = oto_atomic_write(f, zeros, pad, err);
    b->offset += n + pad;
    return status;
}

static oto_status write_chunk(struct build *b, struct oto_atomic_file *f, oto_error *err)
{
    oto_status status = OTO_OK;
    for (size_t j = 0; j < b->n; j++) {
        if (b->errors[j].status == OTO_ERR_MEMORY && status == OTO_OK)
            status = oto_fail_memory(err, "features");
        if (b->errors[j].status != OTO_OK && b->n_bad++ < (size_t)b->options->max_messages)
            oto_log(b->options->skip_bad_audio ? OTO_LOG_WARNING : OTO_LOG_ERROR, "%s: %s",
                    b->items[b->first + j].where, b->errors[j].message);
    }
    for (size_t j = 0; j < b->n * (size_t)b->n_variants; j++) {
        struct block *block = &b->blocks[j];
        size_t n_bytes = block->n_static * (size_t)b->dim * (b->options->half ? 2 : 4);
        oto_write_u64(&b->table, b->offset);
        oto_write_u64(&b->table, block->n_static);
        oto_write_u64(&b->table, oto_checksum(block->data, n_bytes));
        if (status == OTO_OK)
            status = write_aligned(b, f, block->data, n_bytes, err);
        oto_free(block->data);
        *block = (struct block){0};
    }
    return status;
}

static oto_status write_all(struct build *b, struct oto_atomic_file *f, uint64_t key,
                            struct oto_pool *pool, oto_error *err)
{
    const struct oto_feature_cache_options *o = b->options;
    struct oto_writer head = {0}, foot = {0};
    oto_write_bytes(&head, oto_feature_magic, 8);
    oto_write_u64(&head, key);
    oto_write_u64(&head, b->n_items);
    oto_write_u32(&head, (uint32_t)b->n_variants);
    oto_write_u32(&head, (uint32_t)b->dim);
    oto_write_u32(&head, o->half);
    oto_write_align(&head, OTO_FEATURE_HEADER_BYTES);
    oto_status status = head.failed ? oto_fail_memory(err, "features")
                                    : write_aligned(b, f, head.data, head.size, err);
    for (b->first = 0; status == OTO_OK && b->first < b->n_items; b->first += b->n) {
        b->n = b->n_items - b->first < CHUNK ? b->n_items - b->first : CHUNK;
        atomic_store(&b->next, 0);
        oto_pool_run(pool, b->n_slots, slot_task, b);
        status = write_chunk(b, f, err);
        if (o->progress)
            o->progress(o->arg, b->first + b->n, b->n_items);
        if (status == OTO_OK && o->stop && o->stop(o->arg))
            status = oto_fail(err, OTO_ERR_INTERRUPTED, "stopped while computing features");
    }
    if (status == OTO_OK && b->n_bad > 0 && !o->skip_bad_audio)
        status = oto_fail(err, OTO_ERR_DATA,
                          "%zu audio file%s cannot be used; correct them, or leave them out with "
                          "--bad-lines=skip",
                          b->n_bad, b->n_bad == 1 ? "" : "s");
    if (status == OTO_OK) {
        oto_write_u64(&foot, b->offset);
        oto_write_u64(&foot, oto_checksum(b->table.data, b->table.size));
        oto_write_u64(&foot, oto_checksum(head.data, head.size));
        oto_write_bytes(&foot, oto_feature_end_magic, 8);
        status = b->table.failed || foot.failed
                     ? oto_fail_memory(err, "features")
                     : oto_atomic_write(f, b->table.data, b->table.size, err);
    }
    if (status == OTO_OK)
        status = oto_atomic_write(f, foot.data, foot.size, err);
    oto_writer_clear(&head);
    oto_writer_clear(&foot);
    return status;
}

static oto_status create_slots(struct build *b, struct oto_pool *pool, oto_error *err)
{
    /* Static vectors need no statistics, so global CMVN, whose statistics come from this very
     * cache, is set aside. */
    struct oto_frontend_options frontend = *b->options->frontend;
    frontend.cmvn = OTO_CMVN_NONE;
    b->n_slots = oto_pool_n_threads(pool);
    b->slots = oto_calloc((size_t)b->n_slots, sizeof *b->slots);
    b->blocks = oto_calloc((size_t)CHUNK * (size_t)b->n_variants, sizeof *b->blocks);
    b->errors = oto_calloc(CHUNK, sizeof *b->errors);
    if (!b->slots || !b->blocks || !b->errors)
        return oto_fail_memory(err, "features");
    for (int k = 0; k < b->n_slots; k++) {
        oto_status status =
            oto_frontend_create(&b->slots[k].fe, &frontend, NULL, OTO_FFT_AUTO, err);
        if (status != OTO_OK)
            return status;
    }
    b->dim = oto_frontend_static_dim(b->slots[0].fe);
    return OTO_OK;
}

oto_status oto_feature_build(const char *path, uint64_t key, const struct oto_feature_item *items,
                             size_t n_items, const struct oto_feature_cache_options *options,
                             struct oto_pool *pool, oto_error *err)
{
    struct build b = {.items = items,
                      .n_items = n_items,
                      .options = options,
                      .n_variants = oto_feature_n_variants(options)};
    struct oto_atomic_file *file = NULL;
    oto_status status = create_slots(&b, pool, err);
    if (status == OTO_OK)
        status = oto_atomic_open(&file, path, err);
    if (status == OTO_OK)
        status = write_all(&b, file, key, pool, err);
    if (status == OTO_OK)
        status = oto_atomic_commit(file, err);
    else
        oto_atomic_abort(file);
    for (int k = 0; b.slots && k < b.n_slots; k++) {
        oto_frontend_destroy(b.slots[k].fe);
        oto_samples_clear(&b.slots[k].samples);
        oto_samples_clear(&b.slots[k].changed);
    }
    oto_free(b.slots);
    oto_free(b.blocks);
    oto_free(b.errors);
    oto_writer_clear(&b.table);
    return status;
}
