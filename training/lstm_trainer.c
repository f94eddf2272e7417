/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/lstm_trainer.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "models/lstm_lm.h"
#include "training/lstm_private.h"
#include "training/schedule.h"

enum {
    SUM_BLOCK = 16384, /* parameters per task */
    DEV_ROWS = 4096    /* words measured at once */
};

double oto_lstm_done(const struct oto_lstm_trainer *t)
{
    const double words =
        (double)t->state.epoch * (double)t->order.n_words + (double)t->state.loss_labels;
    const double by_words = words / (t->o->epochs * (double)t->order.n_words);
    const double by_time = t->o->minutes > 0 ? t->state.total_wall_s / (60 * t->o->minutes) : 0;
    const double done = by_words > by_time ? by_words : by_time;
    return done < 1 ? done : 1;
}

/* ---- a pass over sentences --------------------------------------------------------------- */

/* part->sentences through the network. */
static oto_status forward(struct oto_lstm_trainer *t, struct oto_lstm_part *part, bool keep,
                          const struct oto_dropout *dropout, oto_error *err)
{
    oto_status status = oto_word_batch_set(&part->batch, part->sentences, part->n, err);
    if (status != OTO_OK)
        return status;
    const size_t n_rows = part->batch.seqs.n_rows;
    if (n_rows > part->cap_rows) {
        oto_free(part->log_probs);
        part->log_probs = oto_calloc(n_rows, sizeof *part->log_probs);
        part->cap_rows = part->log_probs != NULL ? n_rows : 0;
        if (part->log_probs == NULL)
            return oto_fail_memory(err, "probabilities of words");
    }
    return oto_word_network_forward(t->network, part->workspace, part->log_probs, &part->batch.rows,
                                    keep, dropout, err);
}

static oto_status push_sentence(struct oto_lstm_part *part, struct oto_word_sentence sentence,
                                oto_error *err)
{
    if (part->n == part->cap_sentences) {
        const int capacity = part->cap_sentences == 0 ? 64 : 2 * part->cap_sentences;
        struct oto_word_sentence *list = oto_realloc(part->sentences, (size_t)part->cap_sentences,
                                                     (size_t)capacity, sizeof *list);
        if (list == NULL)
            return oto_fail_memory(err, "sentences of a step");
        part->sentences = list;
        part->cap_sentences = capacity;
    }
    part->sentences[part->n++] = sentence;
    return OTO_OK;
}

/* ---- a step ------------------------------------------------------------------------------ */

struct step {
    struct oto_lstm_trainer *t;
    uint64_t n_words;
};

static void part_task(void *arg, int k)
{
    const struct step *step = arg;
    struct oto_lstm_trainer *t = step->t;
    struct oto_lstm_part *part = &t->parts[k];
    part->err.status = OTO_OK;
    part->loss = 0;
    if (part->n == 0)
        return;
    const struct oto_dropout dropout = {t->o->dropout, t->o->seed,
                                        oto_checksum("dropout", 7) +
                                            t->state.step * (uint64_t)t->o->parts + (uint64_t)k};
    oto_status status = forward(t, part, true, t->o->dropout > 0 ? &dropout : NULL, &part->err);
    for (size_t i = 0; status == OTO_OK && i < part->batch.seqs.n_rows; i++)
        part->loss -= part->log_probs[i];
    if (status == OTO_OK)
        status =
            oto_word_network_backward(t->network, part->workspace, part->grads,
                                      1 / (double)step->n_words, &part->batch.rows, &part->err);
    part->err.status = status;
}

static void sum_task(void *arg, int k)
{
    const struct step *step = arg;
    const struct oto_lstm_trainer *t = step->t;
    const size_t first = (size_t)k * SUM_BLOCK;
    const size_t end = first + SUM_BLOCK < t->n_params ? first + SUM_BLOCK : t->n_params;
    for (int p = 1; p < t->o->parts; p++) {
        if (t->parts[p].n == 0)
            continue;
        for (size_t i = first; i < end; i++)
            t->parts[0].grads[i] += t->parts[p].grads[i];
    }
}

/* Deals the sentences of the batch out to the parts. */
static oto_status deal(struct oto_lstm_trainer *t, struct step *step, oto_error *err)
{
    const size_t batch = t->order.batches[t->state.position];
    const size_t first = t->order.first[batch], end = t->order.first[batch + 1];
    oto_status status = OTO_OK;
    for (int p = 0; p < t->o->parts; p++)
        t->parts[p].n = 0;
    for (size_t i = first; i < end && status == OTO_OK; i++) {
        const struct oto_word_sentence s =
            oto_lstm_text_sentence(t->setup->train, t->order.sentences[i]);
        status = push_sentence(&t->parts[(i - first) % (size_t)t->o->parts], s, err);
        step->n_words += (uint64_t)s.n_words + 1;
    }
    return status;
}

static double learning_rate(const struct oto_lstm_trainer *t)
{
    const double n = ceil(t->o->epochs * (double)t->order.n_words / t->o->batch_words);
    const struct oto_schedule schedule = {.kind = t->o->schedule,
                                          .peak = t->o->rate,
                                          .warmup_steps = (uint64_t)t->o->warmup_steps,
                                          .n_steps = (uint64_t)n};
    return oto_schedule_rate(&schedule, (uint64_t)(oto_lstm_done(t) * n), 0);
}

/* Makes the update. */
static void update(struct oto_lstm_trainer *t, struct step *step, double loss)
{
    const size_t n_blocks = (t->n_params + SUM_BLOCK - 1) / SUM_BLOCK;
    float *grads = t->parts[0].grads;
    if (t->o->parts > 1)
        oto_pool_run(t->pool, (int)n_blocks, sum_task, step);
    const double norm = oto_adam_norm(&t->adam, grads, t->pool);
    if (!isfinite(loss) || !isfinite(norm)) {
        t->state.n_skipped++;
        return;
    }
    const double clip = t->o->clip_norm;
    const double scale = clip > 0 && norm > clip ? clip / norm : 1;
    oto_adam_update(&t->adam, t->params, grads, scale, learning_rate(t), t->pool);
    oto_word_network_set_parameters(t->network, t->params);
    t->loss_sum += loss;
    t->loss_words += step->n_words;
}

static oto_status make_step(struct oto_lstm_trainer *t, oto_error *err)
{
    const double start = oto_clock_wall_s();
    struct step step = {.t = t};
    oto_status status = OTO_OK;
    if (t->order_epoch != t->state.epoch) {
        status = oto_lstm_order_make(&t->order, t->setup->train, t->o, t->state.epoch, err);
        t->order_epoch = t->state.epoch;
    }
    if (status == OTO_OK)
        status = deal(t, &step, err);
    if (status != OTO_OK)
        return status;
    oto_pool_run(t->pool, t->o->parts, part_task, &step);
    double loss = 0;
    for (int p = 0; p < t->o->parts; p++) {
        if (t->parts[p].err.status != OTO_OK)
            return oto_fail(err, t->parts[p].err.status, "%s", t->parts[p].err.message);
        loss += t->parts[p].loss;
    }
    update(t, &step, loss);
    t->state.step++;
    t->state.loss_labels += step.n_words;
    if (++t->state.position == t->order.n_batches) {
        t->state.epoch++;
        t->state.position = 0;
        t->state.loss_labels = 0;
    }
    const double seconds = oto_clock_wall_s() - start;
    t->state.total_wall_s += seconds;
    t->run_s += seconds;
    t->run_words += step.n_words;
    return OTO_OK;
}

/* ---- the dev text ------------------------------------------------------------------------ */

/* Sums of -ln p and numbers of words, of all and of those that the vocabulary has. */
struct measure {
    double all, known;
    size_t n_all, n_known;
};

static void count_rows(const struct oto_lstm_trainer *t, const struct oto_lstm_part *part,
                       struct measure *m)
{
    const double unknown = log((double)t->setup->vocabulary->n_unknown);
    for (size_t i = 0; i < part->batch.seqs.n_rows; i++) {
        const bool is_known = part->batch.targets[i] != OTO_LSTM_UNKNOWN;
        m->all -= part->log_probs[i] - (is_known ? 0 : unknown);
        m->n_all++;
        m->known -= is_known ? part->log_probs[i] : 0;
        m->n_known += is_known;
    }
}

/* Sentences are taken in runs that a sort by length makes a batch of: few, so by insertion. */
static void sort_sentences(struct oto_lstm_part *part)
{
    for (int i = 1; i < part->n; i++) {
        const struct oto_word_sentence s = part->sentences[i];
        int at = i;
        for (; at > 0 && part->sentences[at - 1].n_words < s.n_words; at--)
            part->sentences[at] = part->sentences[at - 1];
        part->sentences[at] = s;
    }
}

static oto_status measure_dev(struct oto_lstm_trainer *t, struct measure *m, oto_error *err)
{
    const struct oto_lstm_text *dev = t->setup->dev;
    struct oto_lstm_part *part = &t->parts[0];
    oto_status status = OTO_OK;
    for (size_t i = 0; i < dev->n_sentences && status == OTO_OK;) {
        size_t rows = 0;
        for (part->n = 0; i < dev->n_sentences && rows < DEV_ROWS && status == OTO_OK; i++) {
            const struct oto_word_sentence s = oto_lstm_text_sentence(dev, i);
            rows += (size_t)s.n_words + 1;
            status = push_sentence(part, s, err);
        }
        sort_sentences(part);
        if (status == OTO_OK)
            status = forward(t, part, false, NULL, err);
        if (status == OTO_OK)
            count_rows(t, part, m);
    }
    return status;
}

static void tell(struct oto_lstm_trainer *t, struct oto_lstm_train_event *event)
{
    event->step = t->state.step;
    event->done = oto_lstm_done(t);
    event->loss = t->loss_words > 0 ? t->loss_sum / (double)t->loss_words : 0;
    event->rate = learning_rate(t);
    event->words_per_s = t->run_s > 0 ? (double)t->run_words / t->run_s : 0;
    if (t->setup->tell != NULL)
        t->setup->tell(t->setup->arg, event);
}

/* Measures, and writes the model where it is the best so far; without a dev text, in any case. */
static oto_status measure(struct oto_lstm_trainer *t, oto_error *err)
{
    struct oto_lstm_train_event event = {0};
    struct measure m = {0};
    t->measured_step = t->state.step;
    if (t->setup->dev == NULL)
        return OTO_OK;
    oto_status status = measure_dev(t, &m, err);
    if (status != OTO_OK)
        return status;
    const double loss = m.all / (double)m.n_all;
    event.measured = true;
    event.perplexity = exp(loss);
    event.known_perplexity = m.n_known > 0 ? exp(m.known / (double)m.n_known) : (double)NAN;
    event.best = !(loss >= t->state.best_loss); /* NAN at first */
    if (event.best) {
        t->state.best_loss = loss;
        status = oto_lstm_save_model(t, err);
    }
    tell(t, &event);
    t->loss_sum = 0;
    t->loss_words = 0;
    return status;
}

/* ---- a run ------------------------------------------------------------------------------- */

static oto_status create_parts(struct oto_lstm_trainer *t, oto_error *err)
{
    oto_status status = OTO_OK;
    t->parts = oto_calloc((size_t)t->o->parts, sizeof *t->parts);
    for (int p = 0; t->parts != NULL && p < t->o->parts && status == OTO_OK; p++) {
        status = oto_word_workspace_create(&t->parts[p].workspace, t->network, err);
        t->parts[p].grads = oto_calloc(t->n_params, sizeof *t->parts[p].grads);
        if (status == OTO_OK && t->parts[p].grads == NULL)
            status = oto_fail_memory(err, "gradients");
    }
    return t->parts != NULL ? status : oto_fail_memory(err, "gradients");
}

static oto_status create(struct oto_lstm_trainer *t, oto_error *err)
{
    const struct oto_lstm_train_options *o = t->o;
    const struct oto_lstm_vocabulary *v = t->setup->vocabulary;
    const struct oto_adam_options adam = {
        .beta1 = o->beta1, .beta2 = o->beta2, .eps = o->eps, .weight_decay = o->weight_decay};
    struct oto_dsp dsp;
    oto_dsp_init(&dsp, oto_cpu_flags());
    t->order_epoch = t->measured_step = UINT64_MAX;
    t->state.best_loss = t->state.best_cer = t->state.best_wer = (double)NAN;
    t->state.lowest_loss = t->state.last_loss = (double)NAN;
    t->shape = (struct oto_word_shape){.n_words = (int)v->words.n,
                                       .n_classes = v->n_classes,
                                       .n_embed = o->embedding,
                                       .n_hidden = o->hidden,
                                       .n_layers = o->layers};
    oto_status status = oto_word_network_create(&t->network, &t->shape, v->class_first, &dsp, err);
    if (status == OTO_OK)
        status = oto_pool_create(&t->pool, o->threads > 0 ? o->threads : oto_cpu_count(), err);
    if (status == OTO_OK)
        status = oto_lstm_order_init(&t->order, t->setup->train, o->max_words, err);
    if (status != OTO_OK)
        return status;
    t->n_params = oto_word_n_parameters(&t->shape);
    t->params = oto_calloc(t->n_params, sizeof *t->params);
    if (t->params == NULL)
        return oto_fail_memory(err, "weights");
    if (t->setup->params != NULL)
        memcpy(t->params, t->setup->params, t->n_params * sizeof *t->params);
    else
        oto_word_init_parameters(&t->shape, t->params, o->seed);
    status = oto_adam_init(&t->adam, t->n_params, t->params, &adam, err);
    return status == OTO_OK ? create_parts(t, err) : status;
}

static void clear(struct oto_lstm_trainer *t)
{
    for (int p = 0; t->parts != NULL && p < t->o->parts; p++) {
        struct oto_lstm_part *part = &t->parts[p];
        oto_word_workspace_destroy(part->workspace);
        oto_word_batch_clear(&part->batch);
        oto_free(part->sentences);
        oto_free(part->log_probs);
        oto_free(part->grads);
    }
    oto_free(t->parts);
    oto_adam_clear(&t->adam);
    oto_free(t->params);
    oto_lstm_order_clear(&t->order);
    oto_pool_destroy(t->pool);
    oto_word_network_destroy(t->network);
    oto_free(t->folder);
    oto_free(t->recipe);
}

/* Until the end, or until it is told to stop. */
static oto_status run(struct oto_lstm_trainer *t, bool *stopped, oto_error *err)
{
    oto_status status = OTO_OK;
    double saved_s = oto_clock_wall_s();
    while (status == OTO_OK && oto_lstm_done(t) < 1) {
        if (t->setup->stop != NULL && t->setup->stop(t->setup->arg)) {
            *stopped = true;
            return oto_lstm_checkpoint(t, err);
        }
        status = make_step(t, err);
        if (status != OTO_OK)
            break;
        if (t->state.step % (uint64_t)t->o->dev_steps == 0)
            status = measure(t, err);
        else
            tell(t, &(struct oto_lstm_train_event){0});
        if (status == OTO_OK && oto_clock_wall_s() - saved_s >= 60 * t->o->checkpoint_minutes) {
            status = oto_lstm_checkpoint(t, err);
            saved_s = oto_clock_wall_s();
        }
    }
    if (status == OTO_OK && t->measured_step != t->state.step)
        status = measure(t, err);
    if (status == OTO_OK && t->setup->dev == NULL)
        status = oto_lstm_save_model(t, err);
    return status == OTO_OK ? oto_lstm_checkpoint(t, err) : status;
}

oto_status oto_lstm_train(const struct oto_lstm_train_setup *setup,
                          struct oto_lstm_train_result *result, oto_error *err)
{
    struct oto_lstm_trainer t = {.setup = setup, .o = setup->options};
    *result = (struct oto_lstm_train_result){.perplexity = (double)NAN};
    oto_status status = create(&t, err);
    if (status == OTO_OK)
        status = oto_lstm_identify(&t, err);
    if (status == OTO_OK)
        status = oto_lstm_begin(&t, err);
    if (status == OTO_OK) {
        oto_word_network_set_parameters(t.network, t.params);
        status = run(&t, &result->stopped, err);
    }
    result->n_steps = t.state.step;
    result->n_skipped = t.state.n_skipped;
    result->n_too_long = t.order.n_all - t.order.n;
    result->n_parameters = t.n_params;
    if (setup->dev != NULL)
        result->perplexity = exp(t.state.best_loss);
    clear(&t);
    return status;
}
