/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CTC prefix beam search on one thread, processor time an utterance.
 *
 *     bench_beam [DATA.f32 [LM]] [--utterances=20] [--frames=500] [--symbols=29] [--lengths=0]
 *                [--beam=100] [--top-n=40] [--min-log-prob=-10] [--margin=20] [--reps=5]
 *                [--lm-weight=50] [--word-bonus=150] [--unknown-weight=-200] [--hot-words=0]
 *                [--labels=0] [--lexicon=0] [--greedy=0] [--blank-skip=0]
 *
 * DATA holds log-probabilities [utterances, frames, symbols]; with --lengths=1 before those of each
 * utterance their number of frames as 32 bits (bench_posteriors), and --frames is the most there
 * may be. Without DATA peaky ones are made up: a blank of 0.97 but on every sixth frame, where a
 * label or two stand out. --min-log-prob=-10000 is no threshold. LM is a language model of words,
 * ARPA or binary, its weights are in hundredths; then there are 29 symbols: blank, space,
 * apostrophe and a to z. --hot-words=1000 of its words, every other one with the next as a phrase,
 * are boosted by 6. --labels=1 prints the best labels first, one line of JSON for each utterance.
 * --lexicon=1 keeps to the words of LM. --greedy=1 times greedy decoding instead. --blank-skip is
 * in ten-thousandths. Times are of one utterance.
 */
#include <math.h>
#include <string.h>

#include "bench.h"
#include "decoder/beam.h"

static int n_utterances = 20, n_frames = 500, n_symbols = 29, width = 100, top_n = 40,
           min_log_prob = -10, margin = 20, reps = 5, print_labels, n_hot_words, lengths, greedy,
           lm_weight = 50, word_bonus = 150, unknown_weight = -200, strict, blank_skip;

static void make_up(float *out)
{
    size_t n = (size_t)n_utterances * (size_t)n_frames, K = (size_t)n_symbols;
    for (size_t t = 0; t < n; t++) {
        float *x = out + t * K;
        double sum = 0.0;
        for (size_t k = 0; k < K; k++)
            x[k] = (float)oto_rng_normal(1, 0, t * K + k);
        if (t % 6 == 3) {
            x[1 + oto_rng_below(1, 1, t, K - 1)] += 5.0f + 1.8f * (float)oto_rng_normal(1, 2, t);
            x[1 + oto_rng_below(1, 3, t, K - 1)] += 3.5f + 1.5f * (float)oto_rng_normal(1, 4, t);
        } else {
            x[0] += 7.5f;
        }
        for (size_t k = 0; k < K; k++)
            sum += exp((double)x[k]);
        for (size_t k = 0; k < K; k++)
            x[k] -= (float)log(sum);
    }
}

struct data {
    struct oto_beam *beam;
    float *log_probs;   /* [n_utterances, n_frames, n_symbols] */
    uint32_t *n_frames; /* [n_utterances] of each */
    struct oto_alphabet *alphabet;
    struct oto_lm *lm;
    struct oto_lexicon *lexicon;
    struct oto_boost *boost;
    struct oto_language *language;
};

static oto_status read_data(struct data *d, const char *path, oto_error *err)
{
    const size_t stride = (size_t)n_frames * (size_t)n_symbols;
    FILE *f = fopen(path, "rb");
    bool good = f != NULL;
    for (size_t i = 0; good && i < (size_t)n_utterances; i++) {
        if (lengths)
            good = fread(&d->n_frames[i], sizeof *d->n_frames, 1, f) == 1 &&
                   d->n_frames[i] <= (uint32_t)n_frames;
        const size_t n = (size_t)d->n_frames[i] * (size_t)n_symbols;
        good = good && fread(d->log_probs + i * stride, sizeof(float), n, f) == n;
    }
    good = good && getc(f) == EOF;
    if (f)
        fclose(f);
    return good ? OTO_OK
                : oto_fail(err, OTO_ERR_IO, "%s: expected %d utterances of %s%d frames", path,
                           n_utterances, lengths ? "up to " : "", n_frames);
}

/** Words of the language model at equal distances, from six letters on. */
static oto_status make_boost(struct data *d, oto_error *err)
{
    const struct oto_word_list_rules rules = {d->alphabet, true, 6, -100, 100};
    struct oto_word_list list = {0};
    const uint32_t n = oto_lm_n_words(d->lm);
    const char *before = "";
    oto_status status = OTO_OK;
    for (uint32_t i = 0; status == OTO_OK && list.n < (size_t)n_hot_words && i < n;
         i += n / (3 * (uint32_t)n_hot_words) + 1) {
        char text[256];
        const char *word = oto_lm_word(d->lm, i);
        if (strlen(word) < 6 || strlen(word) > 100 ||
            strspn(word, "abcdefghijklmnopqrstuvwxyz'") != strlen(word))
            continue;
        snprintf(text, sizeof text, "%s%s%s", list.n % 2 ? before : "", list.n % 2 ? " " : "",
                 word);
        status = oto_word_list_add(&list, text, rules.value, &rules, "hot word", err);
        before = word;
    }
    oto_word_list_sort(&list);
    if (status == OTO_OK && list.n != (size_t)n_hot_words)
        status =
            oto_fail(err, OTO_ERR_DATA, "%zu hot words found, expected %d", list.n, n_hot_words);
    if (status == OTO_OK)
        status = oto_boost_create(&d->boost, &list, d->alphabet, err);
    oto_word_list_clear(&list);
    return status;
}

static oto_status load_language(struct data *d, const char *path, oto_error *err)
{
    static const struct oto_text_policy policy = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
    const struct oto_language_options options = {lm_weight / 100.0, word_bonus / 100.0,
                                                 unknown_weight / 100.0, 0};
    char texts[28][2] = {" ", "'"};
    const char *symbols[28];
    for (int k = 0; k < 28; k++) {
        if (k > 1)
            texts[k][0] = (char)('a' + k - 2);
        symbols[k] = texts[k];
    }
    if (n_symbols != 29)
        return oto_fail(err, OTO_ERR_ARGUMENT, "%s: %d symbols, expected 29", path, n_symbols);
    oto_status status = oto_alphabet_create(&d->alphabet, symbols, 28, &policy, err);
    if (status == OTO_OK)
        status = oto_lm_open(&d->lm, path, err);
    if (status == OTO_OK && n_hot_words > 0)
        status = make_boost(d, err);
    if (status == OTO_OK && strict)
        status = oto_lexicon_of_lm(&d->lexicon, d->lm, d->alphabet, err);
    const struct oto_language_parts parts = {.lexicon = d->lexicon, .lm = d->lm, .boost = d->boost};
    if (status == OTO_OK)
        status = oto_language_create_from(&d->language, &parts, d->alphabet, &options, err);
    return status == OTO_OK ? oto_beam_set_language(d->beam, d->language, err) : status;
}

static oto_status run_greedy(void *arg, oto_error *err)
{
    const struct data *d = arg;
    const size_t stride = (size_t)n_frames * (size_t)n_symbols;
    int *labels = oto_calloc((size_t)n_frames, sizeof *labels);
    if (!labels)
        return oto_fail_memory(err, "labels");
    for (size_t i = 0; i < (size_t)n_utterances; i++)
        (void)oto_greedy(labels, NULL, NULL, d->log_probs + i * stride, d->n_frames[i], n_symbols);
    oto_free(labels);
    return OTO_OK;
}

static oto_status run(void *arg, oto_error *err)
{
    const struct data *d = arg;
    const size_t stride = (size_t)n_frames * (size_t)n_symbols;
    oto_status status = OTO_OK;
    for (size_t i = 0; i < (size_t)n_utterances && status == OTO_OK; i++) {
        oto_beam_reset(d->beam);
        status = oto_beam_push(d->beam, d->log_probs + i * stride, d->n_frames[i], err);
    }
    return status;
}

static oto_status print_best(const struct data *d, oto_error *err)
{
    size_t stride = (size_t)n_frames * (size_t)n_symbols;
    oto_status status = OTO_OK;
    for (int i = 0; print_labels && i < n_utterances && status == OTO_OK; i++) {
        const struct oto_hypothesis *hyps;
        int n;
        oto_beam_reset(d->beam);
        status = oto_beam_push(d->beam, d->log_probs + (size_t)i * stride, d->n_frames[i], err);
        if (status == OTO_OK)
            status = oto_beam_n_best(d->beam, 1, &hyps, &n, err);
        if (status != OTO_OK)
            return status;
        printf("{\"log_prob\":%.9g,\"labels\":[", hyps[0].log_prob);
        for (int j = 0; j < hyps[0].n_labels; j++)
            printf("%s%d", j ? "," : "", hyps[0].labels[j]);
        printf("]}\n");
    }
    return status;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {.name = "utterances", &n_utterances, 1, 100000},
        {.name = "frames", &n_frames, 1, 100000},
        {.name = "symbols", &n_symbols, 2, 100000},
        {.name = "beam", &width, 1, 100000},
        {.name = "top-n", &top_n, 0, 100000},
        {.name = "min-log-prob", &min_log_prob, -10000, 0},
        {.name = "margin", &margin, 0, 10000},
        {.name = "reps", &reps, 1, BENCH_REPS_MAX},
        {.name = "labels", &print_labels, 0, 1},
        {.name = "hot-words", &n_hot_words, 0, 10000},
        {.name = "lengths", &lengths, 0, 1},
        {.name = "lexicon", &strict, 0, 1},
        {.name = "blank-skip", &blank_skip, 0, 10000},
        {.name = "greedy", &greedy, 0, 1},
        {.name = "lm-weight", &lm_weight, 0, 10000},
        {.name = "word-bonus", &word_bonus, -10000, 10000},
        {.name = "unknown-weight", &unknown_weight, -10000, 10000},
    };
    const char *path = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
    const char *lm_path = path && argc > 2 && argv[2][0] != '-' ? argv[2] : NULL;
    const int n_paths = (path != NULL) + (lm_path != NULL);
    static struct bench_times times;
    oto_error err = {0};
    bench_parse(argc - n_paths, argv + n_paths, options, sizeof options / sizeof *options);
    const struct oto_beam_options beam_options = {
        width, top_n, min_log_prob == -10000 ? -(double)INFINITY : min_log_prob, margin,
        blank_skip / 10000.0};
    const size_t n = (size_t)n_utterances * (size_t)n_frames * (size_t)n_symbols;
    struct data d = {.log_probs = oto_calloc(n, sizeof(float)),
                     .n_frames = oto_calloc((size_t)n_utterances, sizeof *d.n_frames)};
    for (int i = 0; d.n_frames && i < n_utterances; i++)
        d.n_frames[i] = (uint32_t)n_frames;
    oto_status status = d.log_probs && d.n_frames
                            ? oto_beam_create(&d.beam, n_symbols, &beam_options, &err)
                            : oto_fail_memory(&err, "posteriors");
    if (status == OTO_OK && path)
        status = read_data(&d, path, &err);
    else if (status == OTO_OK)
        make_up(d.log_probs);
    if (status == OTO_OK && lm_path)
        status = load_language(&d, lm_path, &err);
    if (status == OTO_OK)
        status = bench_repeat(&times, 1, reps, greedy ? run_greedy : run, &d, &err);
    if (status == OTO_OK)
        status = print_best(&d, &err);
    if (status == OTO_OK) {
        printf("{\"bench\":\"beam\",\"engine\":\"otolith\",\"utterances\":%d,\"frames\":%d,"
               "\"symbols\":%d,\"beam\":%d,\"top_n\":%d,\"min_log_prob\":%d,\"margin\":%d",
               n_utterances, n_frames, n_symbols, width, top_n, min_log_prob, margin);
        bench_print_end(&times, 1, n_utterances, 0);
    }
    oto_beam_destroy(d.beam);
    oto_language_destroy(d.language);
    oto_boost_destroy(d.boost);
    oto_lm_close(d.lm);
    oto_alphabet_destroy(d.alphabet);
    oto_lexicon_destroy(d.lexicon);
    oto_free(d.log_probs);
    oto_free(d.n_frames);
    return bench_exit("bench_beam", status, &err);
}
