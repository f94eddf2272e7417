/* SPDX-License-Identifier: BSD-2-Clause */
/** Loss and gradient of a batch: part by part, summed over the tree of parts (training/comm.h). */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "training/trainer_private.h"

/* Masks grow from nothing in the first epoch to full width after mask_warmup epochs. */
static struct oto_mask_options mask_options(const struct oto_trainer *t)
{
    const struct oto_train_options *o = t->o;
    double epoch = (double)t->state.epoch;
    return (struct oto_mask_options){
        .time_masks = o->time_masks,
        .time_mask_frames = (int)(o->time_mask_ms / t->setup->frontend->frame_shift_ms),
        .freq_masks = o->freq_masks,
        .freq_mask_bins = o->freq_mask_bins,
        .noise = o->feature_noise,
        .scale = o->mask_warmup > 0 && epoch < o->mask_warmup ? epoch / o->mask_warmup : 1,
    };
}

static int n_views(const struct oto_trainer *t)
{
    return t->o->consistency > 0 ? 2 : 1;
}

void oto_trainer_load_epoch(struct oto_trainer *t)
{
    struct oto_load_order order = {
        .ds = t->train,
        .plan = &t->plan,
        .first = (size_t)t->state.position,
        .step = 1,
        .n_parts = t->o->parts,
        .n_views = n_views(t),
        .n_ranges = oto_comm_n_own(t->comm),
        .masks = mask_options(t),
        .seed = t->o->seed,
        .epoch = (int)t->state.epoch,
        .sliding = t->o->chunk_cmvn == OTO_CHUNK_CMVN_SLIDING ? &t->chunking : NULL,
        .first_step = t->state.step,
    };
    for (int k = 0; k < order.n_ranges; k++)
        order.first_parts[k] = oto_comm_own_parts(t->comm, k, &order.range_parts);
    order.masked =
        order.masks.noise > 0 ||
        (order.masks.scale > 0 && (order.masks.time_masks > 0 || order.masks.freq_masks > 0));
    oto_loader_start(t->loader, &order);
}

/* In the order of the part's utterances, the mean of each one's views; NaN or inf when one is. */
static double sum_losses(const struct oto_trainer *t, const double *losses)
{
    double sum = 0;
    for (int b = 0; b < t->batch->n; b++)
        sum += losses[b];
    return sum / n_views(t);
}

/* The second output, where there is one; its gradients go behind the network's. */
static void set_auxiliary(struct oto_trainer *t, float *grads)
{
    if (t->o->auxiliary_layer == 0)
        return;
    const struct oto_network_auxiliary auxiliary = {
        .layer = t->o->auxiliary_layer - 1,
        .params = (t->noisy ? t->noisy : t->params) + t->n_network,
        .log_probs = t->auxiliary.log_probs,
        .dlogits = t->auxiliary.dlogits,
        .dparams = grads + t->n_network,
    };
    oto_network_workspace_set_auxiliary(t->ws, &auxiliary);
}

/* Forward, CTC, backward of one part: its loss and its gradients times scale. Without a finite loss
 * there are no gradients: the step will be skipped. */
static oto_status compute_part(struct oto_trainer *t, int part, double scale, float *grads,
                               double *loss, oto_error *err)
{
    double waited_s;
    *loss = 0;
    oto_status status = oto_loader_next(t->loader, &t->batch, &waited_s, err);
    if (status != OTO_OK)
        return status;
    t->waited_s += waited_s;
    if (t->batch->n == 0) {
        memset(grads, 0, t->n * sizeof *grads);
        return OTO_OK;
    }
    struct oto_network_chunks chunks;
    bool chunked = oto_chunking_draw(&t->chunking, t->o->seed, t->state.step, &chunks);
    if (chunked) {
        chunks.n_chunk *= oto_trainer_reduction(t);
        chunks.n_context *= oto_trainer_reduction(t);
    }
    oto_network_workspace_set_chunks(t->ws, chunked ? &chunks : NULL);
    status = oto_trainer_reserve(t, t->batch, err);
    if (status != OTO_OK)
        return status;
    uint64_t stream = t->state.step * (uint64_t)t->o->parts + (uint64_t)part;
    struct oto_network_dropout dropout = {t->o->dropout, t->o->seed,
                                          oto_rng_stream("dropout") + stream};
    set_auxiliary(t, grads);
    double share = t->o->auxiliary_layer > 0 ? t->o->auxiliary_weight : 0;
    scale /= n_views(t);
    status = oto_network_forward(t->net, t->ws, t->log_probs, t->batch->x, &t->batch->seqs, 1,
                                 t->o->dropout > 0 ? &dropout : NULL, t->pool, err);
    if (status == OTO_OK)
        status = oto_trainer_ctc(t, t->train, (1 - share) * scale, err);
    if (status == OTO_OK && share > 0)
        status = oto_trainer_ctc_auxiliary(t, share * scale, err);
    if (status != OTO_OK)
        return status;
    *loss = (1 - share) * sum_losses(t, t->losses);
    if (share > 0)
        *loss += share * sum_losses(t, t->auxiliary.losses);
    if (!isfinite(*loss))
        return OTO_OK;
    return oto_network_backward(t->net, t->ws, grads, NULL, t->dlogits, t->batch->x,
                                &t->batch->seqs, t->pool, err);
}

/*
 * The sum over parts first .. first + n-1 into sums[0], n a power of two: sums wait on a stack for
 * their neighbour of the same size, as the digits of a binary counter wait for their carry.
 */
static oto_status sum_parts(struct oto_trainer *t, int first, int n, double scale, float **sums,
                            double *loss, oto_error *err)
{
    double losses[OTO_MAX_PART_LEVELS + 1] = {0};
    int depth = 0;
    for (int k = 0; k < n; k++) {
        oto_status status = compute_part(t, first + k, scale, sums[depth], &losses[depth], err);
        if (status != OTO_OK)
            return status;
        for (int carry = k + 1; carry % 2 == 0; carry /= 2) {
            depth--;
            oto_comm_add(sums[depth], sums[depth + 1], t->n, t->pool);
            losses[depth] += losses[depth + 1];
        }
        depth++;
    }
    *loss = losses[0];
    return OTO_OK;
}

struct record { /* of what a process has found in a step */
    double losses[OTO_COMM_MAX_OWN];
    double waited_s; /* for data */
    bool stop;
};

/* Losses of all blocks over the rest of the tree, the longest wait for data, and whether anybody
 * was asked to stop. */
static oto_status exchange(struct oto_trainer *t, const struct record *mine, double *loss,
                           oto_error *err)
{
    size_t size = (size_t)oto_comm_size(t->comm);
    double *losses = t->block_losses;
    struct record *all = t->records;
    oto_status status = oto_comm_gather(t->comm, all, mine, sizeof *mine, err);
    if (status != OTO_OK)
        return status;
    size_t n_blocks = 1;
    while (n_blocks < size)
        n_blocks *= 2;
    for (size_t b = 0; b < n_blocks; b++)
        losses[b] = all[b % size].losses[b / size];
    for (size_t step = 1; step < n_blocks; step *= 2)
        for (size_t b = 0; b + step < n_blocks; b += 2 * step)
            losses[b] += losses[b + step];
    *loss = losses[0];
    for (size_t r = 0; r < size; r++) {
        t->stop = t->stop || all[r].stop;
        t->waited_s = all[r].waited_s > t->waited_s ? all[r].waited_s : t->waited_s;
    }
    return OTO_OK;
}

oto_status oto_trainer_reserve_parts(struct oto_trainer *t, oto_error *err)
{
    size_t size = (size_t)oto_comm_size(t->comm);
    int n_parts;
    oto_comm_own_parts(t->comm, 0, &n_parts);
    t->records = oto_calloc(size, sizeof(struct record));
    t->block_losses = oto_calloc(2 * size, sizeof *t->block_losses);
    bool good = t->records && t->block_losses;
    for (int level = 1; good && 1 << (level - 1) < n_parts; level++) {
        t->part_sums[level] = oto_calloc(t->n, sizeof(float));
        good = t->part_sums[level] != NULL;
    }
    return good ? OTO_OK : oto_fail_memory(err, "gradients of parts");
}

oto_status oto_trainer_gradients(struct oto_trainer *t, double scale, double *loss, oto_error *err)
{
    struct record mine = {.losses = {0}};
    t->waited_s = 0;
    for (int k = 0; k < oto_comm_n_own(t->comm); k++) {
        int n, first = oto_comm_own_parts(t->comm, k, &n);
        t->part_sums[0] = oto_comm_block(t->comm, k);
        oto_status status = sum_parts(t, first, n, scale, t->part_sums, &mine.losses[k], err);
        if (status != OTO_OK)
            return status;
    }
    double computed_s = oto_clock_wall_s();
    mine.waited_s = t->waited_s;
    mine.stop = oto_trainer_is_asked_to_stop(t);
    oto_status status = exchange(t, &mine, loss, err);
    if (status == OTO_OK && isfinite(*loss))
        status = oto_comm_sum(t->comm, &t->grads, t->pool, err);
    t->shares.exchange_s += oto_clock_wall_s() - computed_s;
    t->shares.data_s += t->waited_s;
    return status;
}
