/* SPDX-License-Identifier: BSD-2-Clause */
/** Features of one batch, packed by time as the network reads them (acoustic/sequences.h). */
#ifndef OTO_TRAINING_ASSEMBLE_H
#define OTO_TRAINING_ASSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acoustic/sequences.h"
#include "base/pool.h"
#include "features/frontend.h"
#include "training/augment.h"
#include "training/batch.h"
#include "training/dataset.h"

struct oto_batch {
    struct oto_sequences seqs;
    float *x;                     /* [seqs.n_rows, dim] */
    struct oto_batch_item *items; /* [n]; utterance b of seqs is items[b] */
    int n;                        /* 0: an empty part; seqs and x are then of no use */
    int *lengths;                 /* [n] */
    size_t cap_x, cap_n;
};

/** What is to be assembled: a part of a plan's batch. */
struct oto_batch_spec {
    const struct oto_dataset *ds;
    const struct oto_batch_item *items; /* [n] of the whole batch */
    size_t n;
    int n_parts, part;
    int n_views; /* 1; 2: every item twice, one after the other, alike but for masks and changes */
    const struct oto_mask_options *masks; /* NULL for none */
    uint64_t
        seed; /* with the epoch and each item's utterance and copy chooses all that is random */
    int epoch;
    bool sliding; /* normalised by what was heard so far; see oto_assembler_create() */
};

struct oto_assembler; /* one front end for each thread of the pool */

/**
 * @param sliding  NULL, or the front end of batches that are normalised as live text is: frontend
 *                 but for its CMVN
 * @param stats    of both; copied
 */
oto_status oto_assembler_create(struct oto_assembler **out,
                                const struct oto_frontend_options *frontend,
                                const struct oto_frontend_options *sliding,
                                const struct oto_cmvn_stats *stats, struct oto_pool *pool,
                                oto_error *err) OTO_WARN_UNUSED;
void oto_assembler_destroy(struct oto_assembler *a);
int oto_assembler_dim(const struct oto_assembler *a);

/**
 * Reads, normalises, masks, stacks and packs utterances over the pool.
 * @param batch  zero-initialise once, then reuse; release with oto_batch_clear()
 */
oto_status oto_assemble(struct oto_assembler *a, struct oto_batch *batch,
                        const struct oto_batch_spec *spec, oto_error *err) OTO_WARN_UNUSED;
void oto_batch_clear(struct oto_batch *batch);

#endif
