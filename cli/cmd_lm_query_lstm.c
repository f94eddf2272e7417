/* SPDX-License-Identifier: BSD-2-Clause */
/* Probabilities of sentences by an LSTM language model. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cli/lm.h"
#include "models/lstm_lm.h"

/* Sentences that go through the network together, and their words. */
enum { N_TOGETHER = 64 };
static const double ln_10 = 2.302585092994045684;

struct query {
    const struct oto_lstm_lm *lm;
    struct oto_lstm_scorer *scorer;
    const struct oto_text_policy *policy;
    bool summary;
    struct oto_writer words;                        /* ints, of all sentences that wait */
    int n_words[N_TOGETHER], n;                     /* that wait */
    struct oto_word_sentence sentences[N_TOGETHER]; /* into words, once all of them are there */
    double *log_probs[N_TOGETHER];
    struct oto_lm_totals totals;
};

static void count(struct query *q, int k)
{
    const struct oto_word_sentence *s = &q->sentences[k];
    double total = 0;
    for (int t = 0; t <= s->n_words; t++) {
        const double log_p = q->log_probs[k][t] / ln_10;
        total += log_p;
        if (t < s->n_words && s->words[t] == OTO_LSTM_UNKNOWN) {
            q->totals.log_p_unknown += log_p;
            q->totals.n_unknown++;
        }
    }
    q->totals.log_p += total;
    q->totals.n_sentences++;
    q->totals.n_tokens += (size_t)s->n_words + 1;
    if (q->summary)
        return;
    printf("%.6f", total);
    for (int t = 0; t <= s->n_words; t++)
        printf("%c%.4f", t == 0 ? '\t' : ' ', q->log_probs[k][t] / ln_10);
    printf("\n");
}

/* The sentences that wait. */
static oto_status score(struct query *q, oto_error *err)
{
    const int *words = (const int *)(const void *)q->words.data;
    const size_t n_rows = q->words.size / sizeof *words + (size_t)q->n;
    if (q->words.failed)
        return oto_fail_memory(err, "sentences");
    double *log_probs = oto_calloc(n_rows, sizeof *log_probs);
    if (log_probs == NULL)
        return oto_fail_memory(err, "sentences");
    double *at = log_probs;
    for (int k = 0; k < q->n; k++) {
        q->sentences[k] = (struct oto_word_sentence){words, q->n_words[k]};
        q->log_probs[k] = at;
        words += q->n_words[k];
        at += q->n_words[k] + 1;
    }
    oto_status status = oto_lstm_scorer_run(q->scorer, q->log_probs, q->sentences, q->n, err);
    for (int k = 0; status == OTO_OK && k < q->n; k++)
        count(q, k);
    oto_free(log_probs);
    q->words.size = 0;
    q->n = 0;
    return status;
}

static void add(struct query *q, const char *text)
{
    size_t n;
    q->n_words[q->n] = 0;
    for (const char *word; (word = oto_lm_next_word(&text, &n)) != NULL;) {
        const int number = oto_lstm_lm_find(q->lm, word, n);
        oto_write_bytes(&q->words, &number, sizeof number);
        q->n_words[q->n]++;
    }
    q->n++;
}

static oto_status query_text(struct query *q, const char *path, oto_error *err)
{
    struct oto_lines *in = NULL;
    char *text = NULL;
    oto_status status = oto_lines_open(&in, path, err);
    while (status == OTO_OK) {
        status = oto_lm_next_sentence(in, q->policy, &text, err);
        if (status != OTO_OK || text == NULL)
            break;
        add(q, text);
        oto_free(text);
        if (q->n == N_TOGETHER)
            status = score(q, err);
    }
    if (status == OTO_OK && q->n > 0)
        status = score(q, err);
    oto_lines_close(in);
    return status;
}

int oto_lm_query_lstm(const char *path, const char **texts, int n_texts,
                      const struct oto_text_policy *policy, bool summary)
{
    static const char *standard_input[] = {"-"};
    struct oto_lstm_lm *lm = NULL;
    struct query q = {.policy = policy, .summary = summary};
    oto_error err = {0};
    const char *at = path;
    oto_status status = oto_lstm_lm_load(&lm, path, &err);
    if (status == OTO_OK) {
        q.lm = lm;
        status = oto_lstm_scorer_create(&q.scorer, lm, &err);
    }
    if (n_texts == 0) {
        texts = standard_input;
        n_texts = 1;
    }
    for (int i = 0; status == OTO_OK && i < n_texts; i++)
        status = query_text(&q, at = texts[i], &err);
    oto_writer_clear(&q.words);
    oto_lstm_scorer_destroy(q.scorer);
    oto_lstm_lm_destroy(lm);
    return status == OTO_OK ? oto_lm_finish_query(&q.totals) : oto_cli_fail(&err, at);
}
