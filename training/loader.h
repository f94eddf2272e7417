/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Batches assembled ahead of whoever uses them, by threads of their own: a fixed number of batches
 * is held, whatever the size of the corpus. What a batch holds is a function of the plan, so the
 * order and the bytes are the same with any number of threads, and with none.
 */
#ifndef OTO_TRAINING_LOADER_H
#define OTO_TRAINING_LOADER_H

#include <stdbool.h>
#include <stddef.h>

#include "training/assemble.h"
#include "training/chunking.h"

enum { OTO_LOADER_MAX_RANGES = 2 };

/** What is to be loaded, in this order. */
struct oto_load_order {
    const struct oto_dataset *ds;
    const struct oto_batch_plan *plan; /* borrowed until oto_loader_stop() */
    size_t first, step;                /* batches first, first + step, ... of the plan */
    int n_parts;                       /* of each batch; see oto_batch_part() */
    int n_views;                       /* of each utterance; see struct oto_batch_spec */
    int n_ranges, range_parts;         /* ranges of so many parts that are loaded of each batch */
    int first_parts[OTO_LOADER_MAX_RANGES];
    bool masked;
    struct oto_mask_options masks;
    uint64_t seed;
    int epoch;
    const struct oto_chunking *sliding; /* NULL, or whose steps are normalised as live text is */
    uint64_t first_step;                /* of batch first, for that; each batch is one step */
};

struct oto_loader;

/**
 * @param n_threads  0: batches are assembled when they are asked for, over the pool, which is
 *                   borrowed and not used otherwise
 * @param sliding    see oto_assembler_create()
 */
oto_status oto_loader_create(struct oto_loader **out, int n_threads,
                             const struct oto_frontend_options *frontend,
                             const struct oto_frontend_options *sliding,
                             const struct oto_cmvn_stats *stats, struct oto_pool *pool,
                             oto_error *err) OTO_WARN_UNUSED;
void oto_loader_destroy(struct oto_loader *loader);

/** Stops what was going on, then begins to load. */
void oto_loader_start(struct oto_loader *loader, const struct oto_load_order *order);
/**
 * The next part, which is good until the next call for this loader. Not to be called more often
 * than there are parts.
 * @param waited_s  receives how long the caller was held up
 * Errors: those of oto_assemble().
 */
oto_status oto_loader_next(struct oto_loader *loader, const struct oto_batch **batch,
                           double *waited_s, oto_error *err) OTO_WARN_UNUSED;
/** What has been loaded and not been asked for is dropped. */
void oto_loader_stop(struct oto_loader *loader);

#endif
