/* SPDX-License-Identifier: BSD-2-Clause */
/* Probabilities of sentences, and the perplexity of a text. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/common.h"
#include "cli/lm.h"
#include "models/lstm_lm.h"

struct query_options {
    int letter_case, punctuation;
    bool summary;
};

#define FIELD(f) .offset = offsetof(struct query_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "case", .type = OTO_OPTION_CHOICE, FIELD(letter_case), .default_text = "keep", .choices = oto_lm_case_names,
     .help = "Letter case that the text is brought to."},
    {.name = "punctuation", .type = OTO_OPTION_CHOICE, FIELD(punctuation), .default_text = "keep",
     .choices = oto_lm_punctuation_names, .help = "Whether punctuation but the apostrophe is removed from the text."},
    {.name = "summary", .short_name = 's', .type = OTO_OPTION_BOOL, FIELD(summary), .default_text = "false",
     .help = "Perplexity alone, no line for each sentence."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "lm",
    .synopsis = "  otolith lm query [options] LM [TEXT...]\n",
    .examples =
        "  otolith lm query en.otolm dev.txt\n"
        "  echo 'once upon a time' | otolith lm query en.arpa\n"
        "  otolith lm query --summary --case=lower --punctuation=strip en.otolm book.txt.xz\n",
    .notes = "Prints for each line, which is one sentence: log10 of its probability with its end, "
             "a tab, and for\n"
             "each word and the end how many words the n-gram had that its probability came from; "
             "0 is an unknown\n"
             "word. Of an LSTM language model, log10 of the probability of each word and the end "
             "instead. The perplexity of all is printed last, on standard error. TEXT may be "
             "compressed; - or none is\n"
             "standard input.\n",
};

struct query {
    const struct oto_lm *lm;
    struct oto_text_policy policy;
    bool summary;
    struct oto_writer orders; /* of the sentence, as text */
    struct oto_lm_totals totals;
};

/* Gives log10 of the word's probability. */
static double score_word(struct query *q, struct oto_lm_state *state, uint32_t word)
{
    int order;
    double log_p = oto_lm_score(q->lm, state, state, word, &order);
    if (word == OTO_LM_UNKNOWN) {
        q->totals.log_p_unknown += log_p;
        q->totals.n_unknown++;
        order = 0;
    }
    oto_write_u8(&q->orders, q->orders.size > 0 ? ' ' : '\t');
    oto_write_u8(&q->orders, (uint8_t)('0' + order));
    q->totals.n_tokens++;
    return log_p;
}

static oto_status score_sentence(struct query *q, const char *text, oto_error *err)
{
    struct oto_lm_state state;
    double total = 0;
    size_t n;
    q->orders.size = 0;
    oto_lm_start(q->lm, &state);
    for (const char *word; (word = oto_lm_next_word(&text, &n)) != NULL;)
        total += score_word(q, &state, oto_lm_find(q->lm, word, n));
    total += score_word(q, &state, oto_lm_end_of_sentence(q->lm));
    q->totals.log_p += total;
    q->totals.n_sentences++;
    if (q->orders.failed)
        return oto_fail_memory(err, "sentence");
    if (!q->summary)
        printf("%.6f%.*s\n", total, (int)q->orders.size, (const char *)q->orders.data);
    return OTO_OK;
}

static int query_text(struct query *q, const char *path)
{
    struct oto_lines *in = NULL;
    oto_error err = {0};
    char *text = NULL;
    oto_status status = oto_lines_open(&in, path, &err);
    while (status == OTO_OK) {
        status = oto_lm_next_sentence(in, &q->policy, &text, &err);
        if (status != OTO_OK || text == NULL)
            break;
        status = score_sentence(q, text, &err);
        oto_free(text);
    }
    oto_lines_close(in);
    return status == OTO_OK ? OTO_EXIT_OK : oto_cli_fail(&err, path);
}

int oto_lm_finish_query(const struct oto_lm_totals *t)
{
    if (t->n_tokens == 0) {
        oto_cli_error("no text");
        return OTO_EXIT_DATA;
    }
    if (!oto_cli_flush())
        return OTO_EXIT_OK; /* main() tells of it */
    const size_t n_known = t->n_tokens - t->n_unknown;
    const double known = n_known > 0 ? -(t->log_p - t->log_p_unknown) / (double)n_known : 0;
    fprintf(stderr,
            "perplexity %.4f, without unknown words %.4f; %zu sentences, %zu words, %zu unknown\n",
            pow(10, -t->log_p / (double)t->n_tokens), pow(10, known), t->n_sentences,
            t->n_tokens - t->n_sentences, t->n_unknown);
    return OTO_EXIT_OK;
}

static int run_query(const struct query_options *o, const char **operands, int n)
{
    struct oto_lm *lm = NULL;
    oto_error err = {0};
    int code = OTO_EXIT_OK;
    if (n == 0)
        return oto_cli_usage_error("lm", "query takes a language model and texts");
    const struct oto_text_policy policy = {o->letter_case, o->punctuation};
    if (oto_lstm_lm_is_file(operands[0]))
        return oto_lm_query_lstm(operands[0], operands + 1, n - 1, &policy, o->summary);
    if (oto_lm_open(&lm, operands[0], &err) != OTO_OK)
        return oto_cli_fail(&err, operands[0]);
    struct query q = {.lm = lm, .policy = policy, .summary = o->summary};
    if (n == 1)
        code = query_text(&q, "-");
    for (int i = 1; code == OTO_EXIT_OK && i < n; i++)
        code = query_text(&q, operands[i]);
    if (code == OTO_EXIT_OK)
        code = oto_lm_finish_query(&q.totals);
    oto_writer_clear(&q.orders);
    oto_lm_close(lm);
    return code;
}

int oto_cmd_lm_query(int argc, char **argv)
{
    struct query_options options = {0};
    const struct oto_option_group groups[] = {{"Options:", option_table, N_OPTIONS, &options}, {0}};
    const char **operands = NULL;
    int n = 0, code = OTO_EXIT_OK;
    if (oto_lm_parse_options(&usage, groups, argc, argv, &operands, &n, &code))
        code = run_query(&options, operands, n);
    oto_lm_clear_options(groups, operands);
    return code;
}
