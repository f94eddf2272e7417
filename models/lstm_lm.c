/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of LSTM language models, and what they say of sentences. */
#include "models/lstm_lm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "models/lstm_lm_format.h"

/* ---- life -------------------------------------------------------------------------------- */

void oto_lstm_lm_destroy(struct oto_lstm_lm *lm)
{
    if (lm == NULL)
        return;
    oto_word_network_destroy(lm->network);
    oto_words_clear(&lm->words);
    oto_free(lm->class_first);
    oto_free(lm->params);
    oto_map_close(&lm->map);
    oto_free(lm);
}

oto_status oto_lstm_lm_complete(struct oto_lstm_lm *lm, oto_error *err)
{
    struct oto_dsp dsp;
    oto_dsp_init(&dsp, oto_cpu_flags());
    oto_status status =
        oto_word_network_create(&lm->network, &lm->shape, lm->class_first, &dsp, err);
    if (status == OTO_OK)
        oto_word_network_set_parameters(lm->network, lm->params);
    return status;
}

static bool copy_parts(struct oto_lstm_lm *lm, const struct oto_lstm_parts *parts)
{
    const size_t n_classes = (size_t)parts->shape.n_classes + 1;
    const size_t n_params = oto_word_n_parameters(&parts->shape);
    lm->shape = parts->shape;
    lm->n_unknown = parts->n_unknown > 0 ? parts->n_unknown : 1;
    lm->class_first = oto_calloc(n_classes, sizeof *lm->class_first);
    lm->params = oto_calloc(n_params, sizeof *lm->params);
    if (lm->class_first == NULL || lm->params == NULL)
        return false;
    memcpy(lm->class_first, parts->class_first, n_classes * sizeof *lm->class_first);
    memcpy(lm->params, parts->params, n_params * sizeof *lm->params);
    for (uint32_t i = 0; i < parts->words->n; i++) {
        const char *word = oto_words_text(parts->words, i);
        uint32_t number;
        if (!oto_words_add(&lm->words, word, strlen(word), &number))
            return false;
    }
    return true;
}

oto_status oto_lstm_lm_create(struct oto_lstm_lm **out, const struct oto_lstm_parts *parts,
                              oto_error *err)
{
    *out = NULL;
    oto_status status = oto_word_shape_check(&parts->shape, err);
    if (status != OTO_OK)
        return status;
    struct oto_lstm_lm *lm = oto_calloc(1, sizeof *lm);
    if (lm == NULL || !copy_parts(lm, parts))
        status = oto_fail_memory(err, "LSTM language model");
    else
        status = oto_lstm_lm_complete(lm, err);
    if (status != OTO_OK) {
        oto_lstm_lm_destroy(lm);
        return status;
    }
    *out = lm;
    return OTO_OK;
}

int oto_lstm_lm_find(const struct oto_lstm_lm *lm, const char *word, size_t n)
{
    const uint32_t number = oto_words_find(&lm->words, word, n);
    return number == OTO_WORDS_NONE || number == OTO_LSTM_END ? OTO_LSTM_UNKNOWN : (int)number;
}

/* ---- sentences --------------------------------------------------------------------------- */

/* Words of one pass: bounds its memory, and is plenty for the kernels. */
enum { PASS_ROWS = 4096 };

struct oto_lstm_scorer {
    const struct oto_lstm_lm *lm;
    struct oto_word_workspace *workspace;
    struct oto_word_batch batch;
    struct oto_word_sentence *sorted; /* [capacity] */
    int *order;                       /* [capacity] which sentence that is */
    int capacity;
    double *log_probs; /* [cap_rows] */
    size_t cap_rows;
};

oto_status oto_lstm_scorer_create(struct oto_lstm_scorer **out, const struct oto_lstm_lm *lm,
                                  oto_error *err)
{
    *out = NULL;
    struct oto_lstm_scorer *s = oto_calloc(1, sizeof *s);
    if (s == NULL)
        return oto_fail_memory(err, "scorer of an LSTM language model");
    s->lm = lm;
    oto_status status = oto_word_workspace_create(&s->workspace, lm->network, err);
    if (status != OTO_OK) {
        oto_lstm_scorer_destroy(s);
        return status;
    }
    *out = s;
    return OTO_OK;
}

void oto_lstm_scorer_destroy(struct oto_lstm_scorer *s)
{
    if (s == NULL)
        return;
    oto_word_workspace_destroy(s->workspace);
    oto_word_batch_clear(&s->batch);
    oto_free(s->sorted);
    oto_free(s->order);
    oto_free(s->log_probs);
    oto_free(s);
}

static bool reserve(struct oto_lstm_scorer *s, int n)
{
    if (n <= s->capacity)
        return true;
    oto_free(s->sorted);
    oto_free(s->order);
    s->sorted = oto_calloc((size_t)n, sizeof *s->sorted);
    s->order = oto_calloc((size_t)n, sizeof *s->order);
    s->capacity = s->sorted != NULL && s->order != NULL ? n : 0;
    return s->capacity > 0;
}

/* By falling length; equals as they came. Sentences are few, and mostly in order. */
static void sort(struct oto_lstm_scorer *s, const struct oto_word_sentence *sentences, int n)
{
    for (int i = 0; i < n; i++) {
        int at = i;
        while (at > 0 && s->sorted[at - 1].n_words < sentences[i].n_words) {
            s->sorted[at] = s->sorted[at - 1];
            s->order[at] = s->order[at - 1];
            at--;
        }
        s->sorted[at] = sentences[i];
        s->order[at] = i;
    }
}

/* Sentences [first, first + n) of the sorted ones. */
static oto_status run_pass(struct oto_lstm_scorer *s, double *const *log_probs, int first, int n,
                           oto_error *err)
{
    const double unknown = log((double)s->lm->n_unknown);
    oto_status status = oto_word_batch_set(&s->batch, s->sorted + first, n, err);
    if (status != OTO_OK)
        return status;
    const struct oto_sequences *seqs = &s->batch.seqs;
    if (seqs->n_rows > s->cap_rows) {
        oto_free(s->log_probs);
        s->log_probs = oto_calloc(seqs->n_rows, sizeof *s->log_probs);
        s->cap_rows = s->log_probs != NULL ? seqs->n_rows : 0;
        if (s->log_probs == NULL)
            return oto_fail_memory(err, "probabilities of words");
    }
    status = oto_word_network_forward(s->lm->network, s->workspace, s->log_probs, &s->batch.rows,
                                      false, NULL, err);
    for (int b = 0; status == OTO_OK && b < n; b++) {
        double *to = log_probs[s->order[first + b]];
        for (int t = 0; t < seqs->lengths[b]; t++) {
            const size_t row = oto_sequences_row(seqs, t, b);
            const bool is_unknown = s->batch.targets[row] == OTO_LSTM_UNKNOWN;
            to[t] = s->log_probs[row] - (is_unknown ? unknown : 0);
        }
    }
    return status;
}

oto_status oto_lstm_scorer_run(struct oto_lstm_scorer *s, double *const *log_probs,
                               const struct oto_word_sentence *sentences, int n, oto_error *err)
{
    oto_status status = OTO_OK;
    if (!reserve(s, n))
        return oto_fail_memory(err, "sentences");
    sort(s, sentences, n);
    for (int first = 0; status == OTO_OK && first < n;) {
        size_t rows = 0;
        int end = first;
        while (end < n && (end == first || rows + (size_t)s->sorted[end].n_words < PASS_ROWS))
            rows += (size_t)s->sorted[end++].n_words + 1;
        status = run_pass(s, log_probs, first, end - first, err);
        first = end;
    }
    return status;
}
