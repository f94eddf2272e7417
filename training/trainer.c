/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/mem.h"
#include "training/trainer_private.h"

bool oto_trainer_is_asked_to_stop(const struct oto_trainer *t)
{
    return t->setup->stop && t->setup->stop(t->setup->stop_arg);
}

/* Only one process writes files. */
static bool is_writer(const struct oto_trainer *t)
{
    return oto_comm_rank(t->comm) == 0;
}

static void show_progress(struct oto_trainer *t)
{
    const struct oto_train_state *s = &t->state;
    double per_step = s->position ? s->wall_s / (double)s->position : -1;
    const struct oto_report_progress p = {
        .epoch = s->epoch + 1,
        .n_epochs = (uint64_t)t->o->epochs,
        .share = (double)s->position / (double)t->plan.n_batches,
        .loss = s->loss_labels ? s->loss_sum / (double)s->loss_labels : (double)NAN,
        .rate = s->wall_s > 0 ? s->audio_s / s->wall_s : 0,
        .left_s = per_step * (double)(t->n_steps - s->step),
        .wait_share = oto_trainer_share(t, t->shares.data_s),
        .n_skipped = s->n_skipped,
    };
    oto_report_progress(t->report, &p);
}

/* Steps from the state's position to the end of the epoch, with a checkpoint every so often. */
static oto_status run_steps(struct oto_trainer *t, oto_error *err)
{
    double last_checkpoint = oto_clock_wall_s();
    while (t->state.position < t->plan.n_batches) {
        oto_status status = oto_trainer_step(t, err);
        if (status != OTO_OK)
            return status;
        show_progress(t);
        if (t->stop || oto_clock_wall_s() - last_checkpoint >= 60 * t->o->checkpoint_minutes) {
            status = oto_trainer_save_checkpoint(t, err);
            if (status != OTO_OK)
                return status;
            last_checkpoint = oto_clock_wall_s();
        }
        if (t->stop)
            return oto_fail(
                err, OTO_ERR_INTERRUPTED, "stopped at epoch %llu, step %llu; go on with --resume",
                (unsigned long long)t->state.epoch + 1, (unsigned long long)t->state.step);
    }
    return OTO_OK;
}

static void report_epoch(struct oto_trainer *t, const struct oto_dev_result *dev, bool best)
{
    const struct oto_train_state *s = &t->state;
    double loss = s->loss_labels ? s->loss_sum / (double)s->loss_labels : (double)NAN;
    double rate = s->wall_s > 0 ? s->audio_s / s->wall_s : (double)NAN;
    char taken[32], text[160] = "";
    oto_report_begin(t->report, "epoch");
    oto_report_count(t->report, "epoch", s->epoch + 1);
    oto_report_count(t->report, "step", s->step);
    oto_report_number(t->report, "loss", loss);
    if (t->dev) {
        oto_report_number(t->report, "dev_loss", dev->loss);
        oto_report_number(t->report, "dev_cer", dev->cer);
        oto_report_number(t->report, "dev_wer", dev->wer);
        oto_report_count(t->report, "best_epoch", s->best_epoch);
    }
    oto_report_number(t->report, "audio_s_per_s", rate);
    oto_trainer_report_shares(t);
    oto_report_number(t->report, "seconds", s->total_wall_s);
    oto_report_count(t->report, "skipped", s->n_skipped);
    oto_report_end(t->report);
    if (t->dev)
        snprintf(text, sizeof text, "; dev loss %.3f, CER %.2f %%, WER %.2f %%%s", dev->loss,
                 100 * dev->cer, 100 * dev->wer, best ? " (best)" : "");
    oto_report_line(t->report,
                    "epoch %llu/%d: loss %.3f%s; %s, %.0f s of audio per s, %.1f %% of it waiting "
                    "for data",
                    (unsigned long long)s->epoch + 1, t->o->epochs, loss, text,
                    oto_report_duration(taken, s->wall_s), rate,
                    100 * oto_trainer_share(t, t->shares.data_s));
}

static struct oto_best_entry entry_of(uint64_t epoch, const struct oto_dev_result *dev)
{
    return (struct oto_best_entry){epoch, dev->cer, dev->wer, dev->loss};
}

static bool is_better(const struct oto_dev_result *dev, const struct oto_train_state *s)
{
    const struct oto_best_entry now = entry_of(s->epoch + 1, dev),
                                best = {s->best_epoch, s->best_cer, s->best_wer, s->best_loss};
    return s->best_epoch == 0 || oto_best_is_better(&now, &best);
}

/* Takes note of a dev loss, and halves the rate where the schedule says so. */
static void watch(struct oto_trainer *t, double loss)
{
    struct oto_train_state *s = &t->state;
    if (oto_schedule_halves(t->o->schedule, loss, s->lowest_loss, s->last_loss, s->n_halvings))
        s->n_halvings++;
    s->last_loss = loss;
    if (isnan(s->lowest_loss) || loss < s->lowest_loss)
        s->lowest_loss = loss;
}

static void note_best(struct oto_train_state *s, const struct oto_dev_result *dev)
{
    s->best_epoch = s->epoch + 1;
    s->best_cer = dev->cer;
    s->best_wer = dev->wer;
    s->best_loss = dev->loss;
}

/* The model as it is now; and when it is the best so far, what it made of the dev set. */
static oto_status save_models(struct oto_trainer *t, const struct oto_dev_result *dev, bool best,
                              oto_error *err)
{
    oto_status status =
        oto_trainer_save_model(t, "last.oto", oto_trainer_weights(t), t->dev ? dev : NULL, err);
    if (status != OTO_OK || !best)
        return status;
    char *path = oto_trainer_path(t->o->out, "best-dev.tsv");
    if (!path || dev->texts.failed) {
        oto_free(path);
        return oto_fail_memory(err, "texts of the dev set");
    }
    status = oto_atomic_save(path, dev->texts.data, dev->texts.size, err);
    oto_free(path);
    return status == OTO_OK
               ? oto_trainer_save_model(t, "best.oto", oto_trainer_weights(t), dev, err)
               : status;
}

/* Between epochs, where no step tells whether anybody was asked to stop. */
static oto_status agree_on_stop(struct oto_trainer *t, oto_error *err)
{
    bool mine = oto_trainer_is_asked_to_stop(t);
    size_t size = (size_t)oto_comm_size(t->comm);
    bool *all = oto_calloc(size, sizeof *all);
    oto_status status = all ? oto_comm_gather(t->comm, all, &mine, sizeof mine, err)
                            : oto_fail_memory(err, "processes");
    for (size_t r = 0; r < size && status == OTO_OK; r++)
        t->stop = t->stop || all[r];
    oto_free(all);
    return status;
}

/* After the last step: measure, save, move on to the next epoch, checkpoint. */
static oto_status end_epoch(struct oto_trainer *t, oto_error *err)
{
    struct oto_train_state *s = &t->state;
    struct oto_dev_result dev = {.loss = (double)NAN, .cer = (double)NAN, .wer = (double)NAN};
    double start = oto_clock_wall_s();
    oto_status status =
        t->dev ? oto_trainer_evaluate(t, oto_trainer_weights(t), &dev, err) : OTO_OK;
    bool best = status == OTO_OK && t->dev && is_better(&dev, s);
    if (best)
        note_best(s, &dev);
    if (status == OTO_OK && is_writer(t))
        status = save_models(t, &dev, best, err);
    oto_writer_clear(&dev.texts);
    if (status != OTO_OK)
        return status;
    if (t->dev) {
        const struct oto_best_entry entry = entry_of(s->epoch + 1, &dev);
        if (is_writer(t))
            oto_best_n_offer(&t->best, &entry, oto_trainer_weights(t));
        watch(t, dev.loss);
    }
    s->total_wall_s += s->wall_s + (oto_clock_wall_s() - start);
    report_epoch(t, &dev, best);
    s->epoch++;
    s->position = 0;
    s->loss_sum = s->audio_s = s->wall_s = 0;
    s->loss_labels = 0;
    status = oto_trainer_save_checkpoint(t, err);
    return status == OTO_OK ? agree_on_stop(t, err) : status;
}

/* Where the run begins: at the start, or at a checkpoint. */
static oto_status start(struct oto_trainer *t, oto_error *err)
{
    struct oto_train_state *s = &t->state;
    s->best_cer = s->best_wer = s->best_loss = s->lowest_loss = s->last_loss = (double)NAN;
    if (!is_writer(t))
        return OTO_OK;   /* it is told by rank 0 */
    if (!t->o->resume) { /* an earlier run's lines end here, as do its checkpoints */
        oto_checkpoint_remove(t->o->out);
        oto_status status = oto_report_cut(t->report, 0, err);
        if (status != OTO_OK)
            return status;
    } else {
        oto_status status = oto_trainer_resume(t, err);
        if (status == OTO_OK)
            status = oto_report_cut(t->report, s->metrics_bytes, err);
        if (status != OTO_OK)
            return status;
        oto_report_line(t->report, "resumed at epoch %llu, step %llu",
                        (unsigned long long)s->epoch + 1, (unsigned long long)s->step);
    }
    return OTO_OK;
}

/* Whether all epochs are done, or so many without a better result that --patience is at its end. */
static bool is_over(const struct oto_trainer *t)
{
    const struct oto_train_state *s = &t->state;
    uint64_t patience = (uint64_t)t->o->patience;
    return s->epoch >= (uint64_t)t->o->epochs ||
           (patience > 0 && s->position == 0 && s->epoch >= s->best_epoch + patience);
}

/* The mean of the best epochs: measured and saved as average.oto. */
static oto_status save_average(struct oto_trainer *t, oto_error *err)
{
    struct oto_dev_result dev = {0};
    float *mean = oto_calloc(t->n, sizeof *mean);
    if (!mean)
        return oto_fail_memory(err, "mean of the best epochs");
    if (is_writer(t))
        oto_best_n_mean(&t->best, mean, t->pool);
    oto_status status = oto_comm_share(t->comm, mean, t->n * sizeof *mean, err);
    if (status == OTO_OK)
        status = oto_trainer_evaluate(t, mean, &dev, err);
    if (status == OTO_OK && is_writer(t))
        status = oto_trainer_save_model(t, "average.oto", mean, &dev, err);
    if (status == OTO_OK)
        oto_report_line(t->report,
                        "average.oto, mean of the %d best epochs: dev loss %.3f, CER %.2f %%, WER "
                        "%.2f %%",
                        t->best.n, dev.loss, 100 * dev.cer, 100 * dev.wer);
    oto_writer_clear(&dev.texts);
    oto_free(mean);
    return status;
}

static oto_status run_epochs(struct oto_trainer *t, oto_error *err)
{
    while (!is_over(t)) {
        oto_status status = oto_trainer_plan(t, &t->plan, (int)t->state.epoch, err);
        if (status == OTO_OK && t->state.position > t->plan.n_batches)
            status = oto_fail(err, OTO_ERR_FORMAT,
                              "the checkpoint's position %llu is past the epoch's end",
                              (unsigned long long)t->state.position);
        if (status == OTO_OK) {
            memset(&t->shares, 0, sizeof t->shares);
            oto_trainer_load_epoch(t);
            status = run_steps(t, err);
            oto_loader_stop(t->loader);
        }
        if (status == OTO_OK)
            status = end_epoch(t, err);
        if (status == OTO_OK && t->stop && !is_over(t))
            status =
                oto_fail(err, OTO_ERR_INTERRUPTED, "stopped after epoch %llu; go on with --resume",
                         (unsigned long long)t->state.epoch);
        if (status != OTO_OK)
            return status;
    }
    if (t->state.epoch < (uint64_t)t->o->epochs)
        oto_report_line(t->report, "no better result in %d epochs: done", t->o->patience);
    return t->o->average_best > 0 ? save_average(t, err) : OTO_OK;
}

oto_status oto_train(const struct oto_train_setup *setup, struct oto_train_result *result,
                     oto_error *err)
{
    struct oto_trainer *t = oto_calloc(1, sizeof *t);
    oto_error why = {0};
    if (!t)
        return oto_fail_memory(err, "trainer");
    t->setup = setup;
    t->o = setup->options;
    oto_status status = oto_trainer_prepare(t, &why);
    if (status == OTO_OK)
        status = start(t, &why);
    if (status == OTO_OK)
        status = oto_trainer_join(t, &why);
    if (status == OTO_OK)
        status = run_epochs(t, &why);
    if (status != OTO_OK && status != OTO_ERR_INTERRUPTED)
        oto_comm_fail(t->comm, &why);
    else if (!is_writer(t))
        status = OTO_OK; /* rank 0 tells that the run was stopped */
    if (status != OTO_OK && err)
        *err = why;
    if (result)
        *result = (struct oto_train_result){
            t->state.step,     t->state.n_skipped, t->state.best_epoch,   t->state.best_loss,
            t->state.best_cer, t->state.best_wer,  oto_comm_rank(t->comm)};
    oto_trainer_clear(t);
    oto_free(t);
    return status;
}
