/* SPDX-License-Identifier: BSD-2-Clause */
/** Measuring on the dev set: loss, character and word error rate. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "training/trainer_private.h"

struct slot {
    float *log_probs; /* [cap_frames, K] of one utterance, gathered */
    int *labels;      /* [cap_frames] */
    size_t cap_frames;
    struct oto_beam *beam; /* NULL for greedy */
    oto_error error;
};

struct evaluation {
    struct oto_trainer *t;
    struct slot slots[OTO_CTC_TASKS];
    struct oto_language *language; /* of the lexicon, where there is one */
    char **texts;                  /* [dev->corpus->n] recognised; NULL: not by this process */
    double *losses;                /* [dev->corpus->n], where there is a text */
};

static bool reserve(struct slot *slot, size_t n_frames, size_t n_symbols)
{
    if (n_frames <= slot->cap_frames)
        return true;
    oto_free(slot->log_probs);
    oto_free(slot->labels);
    slot->log_probs = oto_calloc(n_frames * n_symbols, sizeof(float));
    slot->labels = oto_calloc(n_frames, sizeof *slot->labels);
    slot->cap_frames = slot->log_probs && slot->labels ? n_frames : 0;
    return slot->cap_frames > 0;
}

static oto_status decode(struct evaluation *e, struct slot *slot, int b)
{
    struct oto_trainer *t = e->t;
    const struct oto_batch_item *item = &t->batch->items[b];
    const struct oto_sequences *rows = oto_network_rows(t->ws, t->shape.n_layers - 1);
    size_t K = (size_t)t->shape.n_outputs, n_frames = (size_t)rows->lengths[b];
    if (!reserve(slot, n_frames, K))
        return oto_fail_memory(&slot->error, "evaluation");
    for (int i = 0; i < rows->lengths[b]; i++)
        memcpy(slot->log_probs + (size_t)i * K, t->log_probs + oto_sequences_row(rows, i, b) * K,
               K * sizeof(float));
    const int *labels = slot->labels;
    int n_labels = 0;
    if (!slot->beam) {
        n_labels =
            oto_greedy(slot->labels, NULL, NULL, slot->log_probs, n_frames, t->shape.n_outputs);
    } else {
        const struct oto_hypothesis *best;
        int n_hyps;
        oto_beam_reset(slot->beam);
        oto_status status = oto_beam_push(slot->beam, slot->log_probs, n_frames, &slot->error);
        if (status == OTO_OK)
            status = oto_beam_n_best(slot->beam, 1, &best, &n_hyps, &slot->error);
        if (status != OTO_OK)
            return status;
        labels = best->labels;
        n_labels = best->n_labels;
    }
    return oto_alphabet_decode(t->alphabet, labels, n_labels, &e->texts[item->utt], &slot->error);
}

static void decode_task(void *arg, int k)
{
    struct evaluation *e = arg;
    oto_status status = OTO_OK;
    for (int b = k; b < e->t->batch->n && status == OTO_OK; b += OTO_CTC_TASKS)
        status = decode(e, &e->slots[k], b);
    e->slots[k].error.status = status;
}

static oto_status evaluate_next(struct evaluation *e, oto_error *err)
{
    struct oto_trainer *t = e->t;
    double waited_s;
    oto_status status = oto_loader_next(t->loader, &t->batch, &waited_s, err);
    if (status == OTO_OK)
        status = oto_trainer_reserve(t, t->batch, err);
    if (status == OTO_OK)
        status = oto_network_forward(t->net, t->ws, t->log_probs, t->batch->x, &t->batch->seqs, 0,
                                     NULL, t->pool, err);
    if (status == OTO_OK)
        status = oto_trainer_ctc(t, t->dev, 0, err);
    if (status != OTO_OK)
        return status;
    for (int b = 0; b < t->batch->n; b++)
        e->losses[t->batch->items[b].utt] = t->losses[b];
    oto_pool_run(t->pool, OTO_CTC_TASKS, decode_task, e);
    for (int k = 0; k < OTO_CTC_TASKS; k++)
        if (e->slots[k].error.status != OTO_OK)
            return oto_fail(err, e->slots[k].error.status, "%s", e->slots[k].error.message);
    return OTO_OK;
}

static void write_texts(struct oto_writer *w, const char *id, const char *ref, const char *hyp)
{
    const char *const fields[] = {id, ref, hyp};
    for (int k = 0; k < 3; k++) {
        oto_write_bytes(w, fields[k], strlen(fields[k]));
        oto_write_u8(w, k < 2 ? '\t' : '\n');
    }
}

/* ---- results of all processes
 * -----------------------------------------------------------------------------------------------
 */

static void write_own(const struct evaluation *e, struct oto_writer *w)
{
    for (size_t i = 0; i < e->t->dev->corpus->n; i++) {
        if (!e->texts[i])
            continue;
        size_t n = strlen(e->texts[i]);
        oto_write_u64(w, i);
        oto_write_f64(w, e->losses[i]);
        oto_write_u64(w, n);
        oto_write_bytes(w, e->texts[i], n);
    }
}

static oto_status read_others(struct evaluation *e, const struct oto_writer *w, oto_error *err)
{
    struct oto_reader r;
    oto_reader_init(&r, w->data, w->size);
    while (r.offset < r.size) {
        uint64_t i = oto_read_u64(&r);
        double loss = oto_read_f64(&r);
        size_t n = (size_t)oto_read_u64(&r);
        const char *text = oto_read_bytes(&r, n);
        if (!text || i >= e->t->dev->corpus->n || e->texts[i])
            return oto_fail(err, OTO_ERR_DATA, "a process measured what is not in the dev set");
        e->losses[i] = loss;
        e->texts[i] = oto_strndup(text, n);
        if (!e->texts[i])
            return oto_fail_memory(err, "evaluation");
    }
    return OTO_OK;
}

/* Texts and losses of all utterances to rank 0. */
static oto_status collect(struct evaluation *e, oto_error *err)
{
    int size = oto_comm_size(e->t->comm);
    if (size == 1)
        return OTO_OK;
    struct oto_writer own = {0}, *all = oto_calloc((size_t)size, sizeof *all);
    write_own(e, &own);
    oto_status status = all && !own.failed
                            ? oto_comm_collect(e->t->comm, all, own.data, own.size, err)
                            : oto_fail_memory(err, "evaluation");
    for (int r = 1; status == OTO_OK && r < size; r++)
        status = read_others(e, &all[r], err);
    for (int r = 0; all && r < size; r++)
        oto_writer_clear(&all[r]);
    oto_free(all);
    oto_writer_clear(&own);
    return status;
}

/* Per label, over utterances that have a path, in the order of the plan whoever measured them. */
static double mean_loss(const struct evaluation *e)
{
    const struct oto_batch_plan *plan = &e->t->dev_plan;
    double sum = 0;
    uint64_t n_labels = 0;
    for (size_t i = 0; i < plan->n_items; i++) {
        uint32_t utt = plan->items[i].utt;
        if (!isfinite(e->losses[utt]))
            continue; /* shorter than its labels: it counts in the error rates alone */
        sum += e->losses[utt];
        n_labels += (uint64_t)e->t->dev->n_labels[utt];
    }
    return n_labels ? sum / (double)n_labels : (double)NAN;
}

/* Utterances whose audio could not be read have no text: all their words count as deleted. */
static oto_status score(struct evaluation *e, struct oto_dev_result *result, oto_error *err)
{
    struct oto_trainer *t = e->t;
    const struct oto_corpus *corpus = t->dev->corpus;
    struct oto_errors words = {0}, characters = {0};
    write_texts(&result->texts, "id", "said", "heard");
    size_t show = (size_t)t->o->show, every = show ? (corpus->n + show - 1) / show : 0;
    for (size_t i = 0; i < corpus->n; i++) {
        const char *hyp = e->texts[i] ? e->texts[i] : "";
        char *ref;
        oto_status status =
            oto_text_normalise(&ref, corpus->utts[i].text, &t->alphabet->policy, t->alphabet, err);
        if (status != OTO_OK)
            return status;
        status = oto_edit_add(&words, ref, hyp, OTO_EDIT_WORDS, err);
        if (status == OTO_OK)
            status = oto_edit_add(&characters, ref, hyp, OTO_EDIT_CHARACTERS, err);
        if (status == OTO_OK)
            write_texts(&result->texts, corpus->utts[i].id, ref, hyp);
        if (status == OTO_OK && every && i % every == 0) {
            oto_report_line(t->report, "  %s\n    said:  %s\n    heard: %s", corpus->utts[i].id,
                            ref, hyp);
        }
        oto_free(ref);
        if (status != OTO_OK)
            return status;
    }
    result->wer = oto_error_rate(&words);
    result->cer = oto_error_rate(&characters);
    result->loss = mean_loss(e);
    return OTO_OK;
}

static oto_status create_beams(struct evaluation *e, oto_error *err)
{
    if (e->t->o->dev_decode != OTO_DEV_BEAM)
        return OTO_OK;
    if (e->t->lexicon) {
        oto_status status =
            oto_language_create(&e->language, e->t->lexicon, NULL, e->t->alphabet, NULL, err);
        if (status != OTO_OK)
            return status;
    }
    for (int k = 0; k < OTO_CTC_TASKS; k++) {
        oto_status status =
            oto_beam_create(&e->slots[k].beam, e->t->shape.n_outputs, e->t->setup->beam, err);
        if (status != OTO_OK)
            return status;
        if (e->t->lexicon)
            status = oto_beam_set_language(e->slots[k].beam, e->language, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

const float *oto_trainer_weights(const struct oto_trainer *t)
{
    return t->adam.ema ? t->adam.ema : t->params;
}

oto_status oto_trainer_evaluate(struct oto_trainer *t, const float *weights,
                                struct oto_dev_result *result, oto_error *err)
{
    struct evaluation e = {.t = t};
    e.texts = oto_calloc(t->dev->corpus->n, sizeof *e.texts);
    e.losses = oto_calloc(t->dev->corpus->n, sizeof *e.losses);
    oto_status status =
        e.texts && e.losses ? create_beams(&e, err) : oto_fail_memory(err, "evaluation");
    oto_network_set_parameters(t->net, weights, t->pool);
    size_t rank = (size_t)oto_comm_rank(t->comm), size = (size_t)oto_comm_size(t->comm);
    const struct oto_load_order order = {.ds = t->dev,
                                         .plan = &t->dev_plan,
                                         .first = rank,
                                         .step = size,
                                         .n_parts = 1,
                                         .n_views = 1,
                                         .n_ranges = 1,
                                         .range_parts = 1};
    oto_loader_start(t->loader, &order);
    for (size_t k = rank; k < t->dev_plan.n_batches && status == OTO_OK; k += size)
        status = evaluate_next(&e, err);
    oto_loader_stop(t->loader);
    oto_network_set_parameters(t->net, t->params, t->pool);
    if (status == OTO_OK)
        status = collect(&e, err);
    if (status == OTO_OK && rank == 0)
        status = score(&e, result, err);
    double rates[3] = {result->loss, result->cer, result->wer};
    if (status == OTO_OK)
        status = oto_comm_share(t->comm, rates, sizeof rates, err);
    result->loss = rates[0];
    result->cer = rates[1];
    result->wer = rates[2];
    for (size_t i = 0; e.texts && i < t->dev->corpus->n; i++)
        oto_free(e.texts[i]);
    oto_free(e.texts);
    oto_free(e.losses);
    for (int k = 0; k < OTO_CTC_TASKS; k++) {
        oto_beam_destroy(e.slots[k].beam);
        oto_free(e.slots[k].log_probs);
        oto_free(e.slots[k].labels);
    }
    oto_language_destroy(e.language);
    return status;
}
