/* SPDX-License-Identifier: BSD-2-Clause */
/** One training step. */
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "training/consistency.h"
#include "training/trainer_private.h"

static bool reserve_auxiliary(struct oto_trainer *t)
{
    struct oto_outputs *a = &t->auxiliary;
    oto_free(a->log_probs);
    oto_free(a->dlogits);
    oto_free(a->losses);
    a->log_probs = oto_calloc(t->cap_rows * (size_t)t->shape.n_outputs, sizeof(float));
    a->dlogits = oto_calloc(t->cap_rows * (size_t)t->shape.n_outputs, sizeof(float));
    a->losses = oto_calloc(t->cap_utts, sizeof *a->losses);
    return a->log_probs && a->dlogits && a->losses;
}

oto_status oto_trainer_reserve(struct oto_trainer *t, const struct oto_batch *batch, oto_error *err)
{
    size_t rows = batch->seqs.n_rows, utts = (size_t)batch->n, n = 0;
    bool grows = rows > t->cap_rows || utts > t->cap_utts;
    if (rows > t->cap_rows) {
        oto_free(t->log_probs);
        oto_free(t->dlogits);
        t->cap_rows = 0;
        t->log_probs = t->dlogits = NULL;
        size_t cap = rows + rows / 8;
        if (oto_mul_size(cap, (size_t)t->shape.n_outputs, &n)) {
            t->log_probs = oto_calloc(n, sizeof(float));
            t->dlogits = oto_calloc(n, sizeof(float));
        }
        if (!t->log_probs || !t->dlogits)
            return oto_fail_memory(err, "outputs of a batch");
        t->cap_rows = cap;
    }
    if (utts > t->cap_utts) {
        oto_free(t->losses);
        t->losses = oto_calloc(utts, sizeof *t->losses);
        t->cap_utts = t->losses ? utts : 0;
        if (!t->losses)
            return oto_fail_memory(err, "losses of a batch");
    }
    if (t->o->auxiliary_layer > 0 && grows && !reserve_auxiliary(t))
        return oto_fail_memory(err, "outputs of a batch");
    for (int k = 0; k < OTO_CTC_TASKS; k++) {
        struct oto_ctc_slot *slot = &t->slots[k];
        if ((size_t)batch->seqs.max_t <= slot->cap_rows)
            continue;
        oto_free(slot->rows);
        slot->rows = oto_calloc(2 * (size_t)batch->seqs.max_t, sizeof *slot->rows);
        slot->cap_rows = slot->rows ? (size_t)batch->seqs.max_t : 0;
        if (!slot->rows)
            return oto_fail_memory(err, "rows of an utterance");
    }
    return OTO_OK;
}

struct ctc_job {
    struct oto_trainer *t;
    const struct oto_dataset *ds;
    struct oto_outputs out;
    const struct oto_sequences *rows; /* of out */
    double scale, consistency;        /* of the gradient; of the two views of each utterance */
};

static oto_status ctc_utterance(const struct ctc_job *job, struct oto_ctc_slot *slot, int b)
{
    struct oto_trainer *t = job->t;
    const struct oto_batch *batch = t->batch;
    size_t K = (size_t)t->shape.n_outputs, utt = batch->items[b].utt;
    int n_frames = job->rows->lengths[b];
    bool gradient = job->scale != 0;
    for (int i = 0; i < n_frames; i++)
        slot->rows[i] = oto_sequences_row(job->rows, i, b);
    const struct oto_outputs *out = &job->out;
    oto_status status = oto_ctc_compute(slot->ctc, &out->losses[b], gradient ? out->dlogits : NULL,
                                        out->log_probs, slot->rows, n_frames, t->shape.n_outputs,
                                        job->ds->labels[utt], job->ds->n_labels[utt], &slot->error);
    if (status == OTO_ERR_DATA) { /* not finite: the step as a whole will be skipped */
        out->losses[b] = (double)NAN;
        return OTO_OK;
    }
    if (status != OTO_OK || !gradient)
        return status;
    if (t->o->label_smoothing > 0)
        oto_ctc_smooth(&out->losses[b], out->dlogits, out->log_probs, slot->rows, n_frames,
                       t->shape.n_outputs, t->o->label_smoothing);
    if (job->consistency > 0) {
        size_t *other = slot->rows + n_frames;
        for (int i = 0; i < n_frames; i++)
            other[i] = oto_sequences_row(job->rows, i, b ^ 1);
        const struct oto_view view = {slot->rows, other, n_frames, t->shape.n_outputs};
        oto_consistency_add(&out->losses[b], out->dlogits, out->log_probs, &view, job->consistency);
    }
    float scale = (float)job->scale;
    for (int i = 0; i < n_frames; i++) {
        float *row = out->dlogits + slot->rows[i] * K;
        for (size_t k = 0; k < K; k++)
            row[k] *= scale;
    }
    return OTO_OK;
}

/* Utterances k, k + 16, ...: lengths fall with b, so every task gets its share of long ones. */
static void ctc_task(void *arg, int k)
{
    const struct ctc_job *job = arg;
    struct oto_ctc_slot *slot = &job->t->slots[k];
    oto_status status = OTO_OK;
    for (int b = k; b < job->t->batch->n && status == OTO_OK; b += OTO_CTC_TASKS)
        status = ctc_utterance(job, slot, b);
    slot->error.status = status;
}

static oto_status run_ctc(struct ctc_job *job, oto_error *err)
{
    struct oto_trainer *t = job->t;
    oto_pool_run(t->pool, OTO_CTC_TASKS, ctc_task, job);
    for (int k = 0; k < OTO_CTC_TASKS; k++)
        if (t->slots[k].error.status != OTO_OK)
            return oto_fail(err, t->slots[k].error.status, "%s", t->slots[k].error.message);
    return OTO_OK;
}

oto_status oto_trainer_ctc(struct oto_trainer *t, const struct oto_dataset *ds, double scale,
                           oto_error *err)
{
    struct ctc_job job = {t,
                          ds,
                          {t->log_probs, t->dlogits, t->losses},
                          oto_network_rows(t->ws, t->shape.n_layers - 1),
                          scale,
                          scale != 0 ? t->o->consistency : 0};
    return run_ctc(&job, err);
}

oto_status oto_trainer_ctc_auxiliary(struct oto_trainer *t, double scale, oto_error *err)
{
    struct ctc_job job = {
        t, t->train, t->auxiliary, oto_network_rows(t->ws, t->o->auxiliary_layer - 1), scale, 0};
    return run_ctc(&job, err);
}

/* Labels and frames of the whole batch, all its parts together. */
static void count_batch(const struct oto_trainer *t, uint64_t *n_labels, uint64_t *n_frames)
{
    const struct oto_batch_plan *plan = &t->plan;
    *n_labels = *n_frames = 0;
    for (size_t i = plan->starts[t->state.position]; i < plan->starts[t->state.position + 1]; i++) {
        *n_labels += (uint64_t)t->train->n_labels[plan->items[i].utt];
        *n_frames += (uint64_t)plan->items[i].n_frames;
    }
}

double oto_trainer_share(const struct oto_trainer *t, double seconds)
{
    return t->shares.step_s > 0 ? seconds / t->shares.step_s : 0;
}

void oto_trainer_report_shares(struct oto_trainer *t)
{
    oto_report_number(t->report, "wait_share", oto_trainer_share(t, t->shares.data_s));
    if (oto_comm_size(t->comm) > 1)
        oto_report_number(t->report, "exchange_share", oto_trainer_share(t, t->shares.exchange_s));
}

static void report_step(struct oto_trainer *t, double loss, double norm, double rate)
{
    const struct oto_train_state *s = &t->state;
    if (s->step % (uint64_t)t->o->log_steps != 0)
        return;
    oto_report_begin(t->report, "step");
    oto_report_count(t->report, "step", s->step);
    oto_report_count(t->report, "epoch", s->epoch + 1);
    oto_report_number(t->report, "loss", loss);
    oto_report_number(t->report, "grad_norm", norm);
    oto_report_number(t->report, "lr", rate);
    oto_report_number(t->report, "audio_s_per_s",
                      s->wall_s > 0 ? s->audio_s / s->wall_s : (double)NAN);
    oto_trainer_report_shares(t);
    oto_report_count(t->report, "skipped", s->n_skipped);
    oto_report_end(t->report);
}

oto_status oto_trainer_step(struct oto_trainer *t, oto_error *err)
{
    struct oto_train_state *s = &t->state;
    double start = oto_clock_wall_s(), norm = (double)NAN, loss;
    uint64_t n_labels, n_frames;
    count_batch(t, &n_labels, &n_frames);
    double scale = 1.0 / (double)n_labels; /* utterances without labels were left out */
    if (t->noisy) {
        oto_weight_noise_apply(t->noisy, t->params, t->adam.options.n_frozen, t->n,
                               t->o->weight_noise, t->o->seed, s->step, t->pool);
        oto_network_set_parameters(t->net, t->noisy, t->pool);
    }
    oto_status status = oto_trainer_gradients(t, scale, &loss, err);
    if (status != OTO_OK)
        return status;
    double rate = oto_schedule_rate(&t->schedule, s->step, s->n_halvings);
    if (isfinite(loss))
        norm = oto_adam_norm(&t->adam, t->grads, t->pool);
    s->step++;
    s->position++;
    if (isfinite(loss) && isfinite(norm)) {
        double clip = t->o->clip_norm > 0 && norm > t->o->clip_norm ? t->o->clip_norm / norm : 1;
        oto_adam_update(&t->adam, t->params, t->grads, clip, rate, t->pool);
        s->loss_sum += loss;
        s->loss_labels += n_labels;
    } else {
        s->n_skipped++;
        oto_report_line(t->report, "step %llu: %s is not finite; skipped (%llu so far)",
                        (unsigned long long)s->step, isfinite(loss) ? "the gradient" : "the loss",
                        (unsigned long long)s->n_skipped);
    }
    oto_network_set_parameters(t->net, t->params, t->pool); /* new ones, or without noise again */
    s->audio_s += (double)n_frames * t->shift_s;
    double step_s = oto_clock_wall_s() - start;
    s->wall_s += step_s;
    t->shares.step_s += step_s;
    report_step(t, loss * scale, norm, rate);
    return OTO_OK;
}
