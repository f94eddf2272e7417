/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole road on speech of chords: manifests to a model that makes no error on what it was
 * trained on, and hardly any on what it was not, read from the model file by the public API.
 *
 * With "--make-corpus DIR" it only writes such a corpus, for the shell tests beside it.
 */
#include "unit.h"

#include <math.h>

#include "otolith/otolith.h"
#include "toy_corpus.h"
#include "training/trainer.h"

static char folder[64];

static const char *const recipe[][2] = {
    {"layers", "2"}, {"hidden", "24"},   {"epochs", "40"},      {"batch-seconds", "15"},
    {"lr", "0.01"},  {"dropout", "0.1"}, {"warmup-steps", "5"}, {"speeds", "0.95,1.05"},
    {"show", "0"},   {"name", "chords"}, {"mels", "20"},        {"ceps", "13"},
};

struct run {
    struct oto_train_options train;
    struct oto_frontend_options frontend;
    struct oto_beam_options beam;
};

static void set(struct run *r, const char *name, const char *value)
{
    bool ours = oto_options_find(oto_train_option_table, oto_train_n_options, name) != NULL;
    oto_status status = ours ? oto_options_set(oto_train_option_table, oto_train_n_options,
                                               &r->train, name, value, NULL)
                             : oto_options_set(oto_frontend_option_table, oto_frontend_n_options,
                                               &r->frontend, name, value, NULL);
    assert_int_equal(status, OTO_OK);
}

/* reduce_after: of the recipe, "" for none. */
static void train(const char *reduce_after, const char *dev, const char *out,
                  struct oto_train_result *result)
{
    struct run r;
    oto_error err = {0};
    char path[120];
    memset(&r, 0, sizeof r);
    assert_int_equal(oto_options_init(oto_train_option_table, oto_train_n_options, &r.train, NULL),
                     OTO_OK);
    assert_int_equal(
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &r.frontend, NULL),
        OTO_OK);
    assert_int_equal(oto_options_init(oto_beam_option_table, oto_beam_n_options, &r.beam, NULL),
                     OTO_OK);
    for (size_t i = 0; i < sizeof recipe / sizeof *recipe; i++)
        set(&r, recipe[i][0], recipe[i][1]);
    set(&r, "reduce-after", reduce_after);
    snprintf(path, sizeof path, "%s/train.tsv", folder);
    set(&r, "train", path);
    snprintf(path, sizeof path, "%s/%s", folder, dev);
    set(&r, "dev", path);
    snprintf(path, sizeof path, "%s/%s", folder, out);
    set(&r, "out", path);
    const struct oto_train_setup setup = {
        .options = &r.train, .frontend = &r.frontend, .beam = &r.beam};
    if (oto_train(&setup, result, &err) != OTO_OK)
        fail_msg("%s", err.message);
    oto_options_clear(oto_train_option_table, oto_train_n_options, &r.train);
    oto_options_clear(oto_frontend_option_table, oto_frontend_n_options, &r.frontend);
    oto_options_clear(oto_beam_option_table, oto_beam_n_options, &r.beam);
}

static void learn_by_heart(const char *reduce_after, const char *out, double allowed_wer)
{
    struct oto_train_result result;
    train(reduce_after, "train.tsv", out, &result);
    print_message("training utterances: CER %.2f %%, WER %.2f %%, loss %.4f a label, %d steps\n",
                  100 * result.dev_cer, 100 * result.dev_wer, result.dev_loss, (int)result.n_steps);
    assert_true(result.dev_wer <= allowed_wer);
    assert_true(result.dev_cer <= allowed_wer);
    assert_true(result.dev_loss < 0.2);
    assert_int_equal(result.n_skipped, 0);
}

static void learns_its_utterances_by_heart(void **state)
{
    (void)state;
    learn_by_heart("", "heart", 0);
    /* A frame of 60 ms is longer than the 50 ms of pause that part two equal letters. */
    learn_by_heart("1", "pairs", 0.02);
}

/* The one word of a text is where it was spoken: toy_speak() begins after 50 ms and ends 100 ms
 * before the end. A frame of pairs is 60 ms, and a label may come one late. */
static void check_times(const oto_model *model, const float *samples, size_t n)
{
    oto_recognizer *rec;
    const oto_result *result;
    const double seconds = (double)n / TOY_RATE_HZ;
    assert_int_equal(oto_recognizer_create(&rec, model, NULL, NULL), OTO_OK);
    assert_int_equal(oto_recognizer_feed(rec, samples, n, NULL), OTO_OK);
    assert_int_equal(oto_recognizer_finish(rec, &result, NULL), OTO_OK);
    assert_int_equal(result->n_words, 1);
    if (fabs(result->words[0].start_s - 0.05) > 0.15 ||
        fabs(result->words[0].end_s - (seconds - 0.1)) > 0.15)
        fail_msg("a word of %.2f s from %.2f to %.2f s", seconds, result->words[0].start_s,
                 result->words[0].end_s);
    oto_recognizer_destroy(rec);
}

/* Chords it was not trained on, through the model file and the public API. */
static void hear_others(const char *run)
{
    enum { N_TEXTS = 40 };
    oto_model *model;
    oto_error err = {0};
    char path[100];
    snprintf(path, sizeof path, "%s/%s/best.oto", folder, run);
    if (oto_model_load(&model, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    oto_model_info info;
    oto_model_get_info(model, &info);
    assert_string_equal(info.name, "chords");
    assert_int_equal(info.n_symbols, TOY_LETTERS);
    int n_right = 0;
    for (uint64_t i = 0; i < N_TEXTS; i++) {
        char text[TOY_MAX_TEXT + 1] = "", *heard;
        for (uint64_t k = 0; k < 1 + i % TOY_MAX_TEXT; k++)
            text[k] = (char)('a' + oto_rng_below(98, i, k, TOY_LETTERS));
        size_t n;
        float *samples = toy_speak(text, 99, i, &n);
        assert_int_equal(oto_transcribe(&heard, model, samples, n, &err), OTO_OK);
        if (strcmp(heard, text) != 0)
            print_message("said %s, heard %s\n", text, heard);
        n_right += strcmp(heard, text) == 0;
        if (strcmp(heard, text) == 0)
            check_times(model, samples, n);
        oto_text_free(heard);
        free(samples);
    }
    print_message("%d of %d new texts heard rightly\n", n_right, N_TEXTS);
    assert_true(n_right >= N_TEXTS - 2);
    oto_model_destroy(model);
}

static void hears_others_through_the_model_file(void **state)
{
    (void)state;
    hear_others("heart");
    hear_others("pairs");
}

static int make_corpus(void **state)
{
    (void)state;
    unit_make_folder(folder);
    toy_corpus(folder, "train", 100, 11);
    return 0;
}

static int remove_corpus(void **state)
{
    (void)state;
    unit_remove_folder(folder);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_its_utterances_by_heart),
        cmocka_unit_test(hears_others_through_the_model_file),
    };
    if (argc == 3 && strcmp(argv[1], "--make-corpus") == 0) {
        toy_corpus(argv[2], "train", 60, 21);
        toy_corpus(argv[2], "dev", 10, 22);
        return 0;
    }
    return cmocka_run_group_tests(tests, make_corpus, remove_corpus);
}
