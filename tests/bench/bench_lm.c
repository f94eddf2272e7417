/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scores of a language model on one thread, processor time a pass over a text.
 *
 *     bench_lm LM TEXT [--lookup=1] [--reps=5]
 *
 * Every word and the end of every line are scored, each line a sentence. --lookup=0 looks the words
 * up in the vocabulary beforehand, as a decoder does; otherwise each pass starts from text.
 */
#include "bench.h"
#include "decoder/lm.h"

static int lookup = 1, reps = 5;

struct data {
    struct oto_lm *lm;
    char *text;      /* words with one space between and lines with '\n' */
    uint32_t *words; /* [n_words] the same as numbers */
    size_t n_words;
    double log_p;
};

static double score(const struct oto_lm *lm, struct oto_lm_state *state, uint32_t word)
{
    double log_p = oto_lm_score(lm, state, state, word, NULL);
    if (word == oto_lm_end_of_sentence(lm))
        oto_lm_start(lm, state);
    return log_p;
}

/* Next word of the text, the end of the sentence for a line feed. */
static uint32_t next_word(const struct oto_lm *lm, const char **at)
{
    const char *start = *at;
    if (*start == '\n') {
        (*at)++;
        return oto_lm_end_of_sentence(lm);
    }
    while ((unsigned char)**at > ' ')
        (*at)++;
    size_t n = (size_t)(*at - start);
    *at += **at == ' ';
    return oto_lm_find(lm, start, n);
}

static oto_status run(void *arg, oto_error *err)
{
    struct data *d = arg;
    struct oto_lm_state state;
    (void)err;
    d->log_p = 0;
    oto_lm_start(d->lm, &state);
    if (lookup) {
        for (const char *at = d->text; *at != 0;)
            d->log_p += score(d->lm, &state, next_word(d->lm, &at));
    } else {
        for (size_t i = 0; i < d->n_words; i++)
            d->log_p += score(d->lm, &state, d->words[i]);
    }
    return OTO_OK;
}

static oto_status read_text(struct data *d, const char *path, oto_error *err)
{
    FILE *f = fopen(path, "rb");
    size_t n = 0, capacity = (size_t)1 << 26;
    d->text = oto_calloc(capacity + 1, 1);
    d->words = oto_calloc(capacity, sizeof *d->words);
    if (f != NULL && d->text != NULL)
        n = fread(d->text, 1, capacity, f);
    if (f != NULL)
        fclose(f);
    if (n == 0 || d->words == NULL || n == capacity)
        return oto_fail(err, OTO_ERR_IO, "%s: expected a text below 64 MiB", path);
    for (const char *at = d->text; *at != 0;)
        d->words[d->n_words++] = next_word(d->lm, &at);
    return OTO_OK;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {.name = "lookup", &lookup, 0, 1},
        {.name = "reps", &reps, 1, BENCH_REPS_MAX},
    };
    static struct bench_times times;
    struct data d = {NULL};
    oto_error err = {0};
    oto_status status = OTO_OK;
    if (argc < 3)
        status = oto_fail(&err, OTO_ERR_ARGUMENT, "usage: bench_lm LM TEXT [--lookup=1]");
    else
        bench_parse(argc - 2, argv + 2, options, sizeof options / sizeof *options);
    if (status == OTO_OK)
        status = oto_lm_open(&d.lm, argv[1], &err);
    if (status == OTO_OK)
        status = read_text(&d, argv[2], &err);
    if (status == OTO_OK)
        status = bench_repeat(&times, 1, reps, run, &d, &err);
    if (status == OTO_OK) {
        printf("{\"bench\":\"lm\",\"engine\":\"otolith\",\"lookup\":%d,\"words\":%zu,"
               "\"log10_p\":%.3f",
               lookup, d.n_words, d.log_p);
        bench_print_end(&times, 1, 1, 0);
    }
    oto_lm_close(d.lm);
    oto_free(d.text);
    oto_free(d.words);
    return bench_exit("bench_lm", status, &err);
}
