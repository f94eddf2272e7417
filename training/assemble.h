/* SPDX-License-Identifier: BSD-2-Clause */
/** Features of one batch, packed by time as the network reads them (acoustic/sequences.h). */
#ifndef OTO_TRAINING_ASSEMBLE_H
#define OTO_TRAINING_ASSEMBLE_H

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
    float *x; /* [seqs.n_rows, dim] */
    const struct oto_batch_item
        *items; /* [n], borrowed from the plan; utterance b of seqs is items[b] */
    int n;
    int *lengths; /* [n] */
    size_t cap_x, cap_n;
};

struct oto_assembler; /* one front end for each thread of the pool */

oto_status oto_assembler_create(struct oto_assembler **out,
                                const struct oto_frontend_options *frontend,
                                const struct oto_cmvn_stats *stats, struct oto_pool *pool,
                                oto_error *err) OTO_WARN_UNUSED;
void oto_assembler_destroy(struct oto_assembler *a);
int oto_assembler_dim(const struct oto_assembler *a);

/**
 * Reads, normalises, masks, stacks and packs utterances over the pool.
 * @param batch  zero-initialise once, then reuse; release with oto_batch_clear()
 * @param masks  NULL for none
 * @param seed, epoch  choose the masks, together with each item's utterance and copy
 */
oto_status oto_assemble(struct oto_assembler *a, struct oto_batch *batch,
                        const struct oto_dataset *ds, const struct oto_batch_item *items, size_t n,
                        const struct oto_mask_options *masks, uint64_t seed, int epoch,
                        oto_error *err) OTO_WARN_UNUSED;
void oto_batch_clear(struct oto_batch *batch);

#endif
