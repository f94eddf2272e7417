/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/rescore.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

static const double ln_10 = 2.302585092994045684;

struct oto_rescorer {
    struct oto_rescore_setup setup;
    struct oto_lstm_scorer *scorer;
    struct oto_writer words;             /* ints: the words of all texts, in the LSTM's numbers */
    struct oto_writer ngram;             /* doubles: ln p of each word and end; NAN: unknown */
    struct oto_writer lstm;              /* doubles: the same of the LSTM */
    struct oto_word_sentence *sentences; /* [n_best] */
    double **log_probs;                  /* [n_best] into lstm */
    struct oto_hypothesis *hyps;         /* [n_best] */
};

oto_status oto_rescorer_create(struct oto_rescorer **out, const struct oto_rescore_setup *setup,
                               oto_error *err)
{
    const size_t n = (size_t)setup->n_best;
    *out = NULL;
    struct oto_rescorer *r = oto_calloc(1, sizeof *r);
    if (r == NULL)
        return oto_fail_memory(err, "second pass");
    r->setup = *setup;
    r->sentences = oto_calloc(n, sizeof *r->sentences);
    r->log_probs = oto_calloc(n, sizeof *r->log_probs);
    r->hyps = oto_calloc(n, sizeof *r->hyps);
    oto_status status = oto_lstm_scorer_create(&r->scorer, setup->lstm, err);
    if (status == OTO_OK && (r->sentences == NULL || r->log_probs == NULL || r->hyps == NULL))
        status = oto_fail_memory(err, "second pass");
    if (status != OTO_OK) {
        oto_rescorer_destroy(r);
        return status;
    }
    *out = r;
    return OTO_OK;
}

void oto_rescorer_destroy(struct oto_rescorer *r)
{
    if (r == NULL)
        return;
    oto_lstm_scorer_destroy(r->scorer);
    oto_writer_clear(&r->words);
    oto_writer_clear(&r->ngram);
    oto_writer_clear(&r->lstm);
    oto_free(r->sentences);
    oto_free(r->log_probs);
    oto_free(r->hyps);
    oto_free(r);
}

void oto_rescorer_set_weights(struct oto_rescorer *r, const struct oto_language_options *weights,
                              double weight)
{
    r->setup.weights = *weights;
    r->setup.weight = weight;
}

static void push_ngram(struct oto_rescorer *r, struct oto_lm_state *state, uint32_t word)
{
    const double log_p = oto_lm_score(r->setup.lm, state, state, word, NULL) * ln_10;
    const double known = word != OTO_LM_UNKNOWN ? log_p : (double)NAN;
    oto_write_bytes(&r->ngram, &known, sizeof known);
}

/* The words of a text, with what the n-grams say of them. */
static int push_text(struct oto_rescorer *r, const char *text)
{
    const struct oto_lm *lm = r->setup.lm;
    struct oto_lm_state state;
    int n_words = 0;
    if (lm != NULL)
        oto_lm_start(lm, &state);
    while (*text != 0) {
        const size_t n = strcspn(text, " ");
        const int number = oto_lstm_lm_find(r->setup.lstm, text, n);
        oto_write_bytes(&r->words, &number, sizeof number);
        if (lm != NULL)
            push_ngram(r, &state, oto_lm_find(lm, text, n));
        n_words++;
        text += n + (text[n] == ' ');
    }
    if (lm != NULL)
        push_ngram(r, &state, oto_lm_end_of_sentence(lm));
    return n_words;
}

static oto_status push_hypothesis(struct oto_rescorer *r, int k, oto_error *err)
{
    char *text = NULL;
    oto_status status =
        oto_alphabet_decode(r->setup.alphabet, r->hyps[k].labels, r->hyps[k].n_labels, &text, err);
    if (status == OTO_OK)
        r->sentences[k].n_words = push_text(r, text);
    oto_free(text);
    return status;
}

/* What W is multiplied with; ngram is NULL without. */
static double gain(const struct oto_rescorer *r, int k, const double *ngram)
{
    const struct oto_language_options *weights = &r->setup.weights;
    const struct oto_word_sentence *s = &r->sentences[k];
    double sum = 0;
    for (int t = 0; t <= s->n_words; t++) {
        const bool is_end = t == s->n_words;
        const bool is_known = is_end || s->words[t] != OTO_LSTM_UNKNOWN;
        if (ngram == NULL)
            sum += weights->lm_weight * r->log_probs[k][t] + (is_end ? 0 : weights->word_bonus);
        else if (is_known && !isnan(ngram[t]))
            sum += weights->lm_weight * (r->log_probs[k][t] - ngram[t]);
    }
    return sum;
}

/* Points each text to its words and probabilities, once all of them are there. */
static bool place(struct oto_rescorer *r, int n)
{
    static const double zero = 0;
    const size_t n_rows = r->words.size / sizeof(int) + (size_t)n;
    while (r->lstm.size < n_rows * sizeof zero && !r->lstm.failed)
        oto_write_bytes(&r->lstm, &zero, sizeof zero);
    if (r->words.failed || r->ngram.failed || r->lstm.failed)
        return false;
    const int *words = (const int *)(const void *)r->words.data;
    double *log_probs = (double *)(void *)r->lstm.data;
    for (int k = 0; k < n; k++) {
        r->sentences[k].words = words;
        r->log_probs[k] = log_probs;
        words += r->sentences[k].n_words;
        log_probs += r->sentences[k].n_words + 1;
    }
    return true;
}

void oto_rescore_sort(struct oto_hypothesis *hyps, int n)
{
    for (int i = 1; i < n; i++) {
        const struct oto_hypothesis h = hyps[i];
        int at = i;
        for (; at > 0 && hyps[at - 1].log_prob < h.log_prob; at--)
            hyps[at] = hyps[at - 1];
        hyps[at] = h;
    }
}

oto_status oto_rescorer_run(struct oto_rescorer *r, const struct oto_hypothesis **hyps, int *n_hyps,
                            oto_error *err)
{
    const int n = *n_hyps < r->setup.n_best ? *n_hyps : r->setup.n_best;
    oto_status status = OTO_OK;
    r->words.size = r->ngram.size = r->lstm.size = 0;
    for (int k = 0; k < n && status == OTO_OK; k++) {
        r->hyps[k] = (*hyps)[k];
        status = push_hypothesis(r, k, err);
    }
    if (status == OTO_OK && !place(r, n))
        status = oto_fail_memory(err, "texts of the second pass");
    if (status == OTO_OK)
        status = oto_lstm_scorer_run(r->scorer, r->log_probs, r->sentences, n, err);
    if (status != OTO_OK)
        return status;
    const double *ngram = r->setup.lm != NULL ? (const double *)(const void *)r->ngram.data : NULL;
    for (int k = 0; k < n; k++) {
        r->hyps[k].log_prob += r->setup.weight * gain(r, k, ngram);
        if (ngram != NULL)
            ngram += r->sentences[k].n_words + 1;
    }
    oto_rescore_sort(r->hyps, n);
    *hyps = r->hyps;
    *n_hyps = n;
    return OTO_OK;
}
