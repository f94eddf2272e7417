/* SPDX-License-Identifier: BSD-2-Clause */
/* Live text by a model that holds an LSTM language model: final texts are scored by it, where there
 * is time for that. */
#include "unit.h"

#include <math.h>

enum { N_LONG = 16000 * 24, BEAM = 64 };
#include "otolith/live.h"
#include "recognizer_fixture.h"
#include "tiny_lstm.h"

static oto_recognizer *with, *without; /* the second pass */

/* One that takes many times as long as all the rest. */
static struct oto_lstm_lm *slow_lstm(void)
{
    struct oto_lstm_parts parts = {.shape = {TINY_LSTM_WORDS, 3, 6, 1200, 1},
                                   .class_first = tiny_lstm_classes,
                                   .n_unknown = 9};
    struct oto_words words = {0};
    struct oto_lstm_lm *lm = NULL;
    for (size_t i = 0; i < TINY_LSTM_WORDS; i++) {
        uint32_t number;
        assert_true(oto_words_add(&words, tiny_lstm_words[i], strlen(tiny_lstm_words[i]), &number));
    }
    const size_t n = oto_word_n_parameters(&parts.shape);
    float *params = oto_calloc(n, sizeof *params);
    assert_non_null(params);
    for (size_t i = 0; i < n; i++)
        params[i] = (float)(0.1 * oto_rng_uniform(5, 1, i));
    parts.words = &words;
    parts.params = params;
    assert_int_equal(oto_lstm_lm_create(&lm, &parts, NULL), OTO_OK);
    oto_words_clear(&words);
    oto_free(params);
    return lm;
}

static void make_model(void)
{
    oto_error err = {0};
    struct tiny_model tiny;
    struct oto_bundle second;
    struct oto_tensor bias;
    char folder[64], path[128];
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/slow.otolstm", folder);
    struct oto_lstm_lm *lm = slow_lstm();
    assert_int_equal(tiny_model_init(&tiny, 3, &err), OTO_OK);
    oto_network_tensor(&tiny.bundle.shape, oto_network_n_tensors(&tiny.bundle.shape) - 1, &bias);
    tiny.weights[bias.offset + 1] += 7; /* spaces, too */
    second = tiny.bundle;
    second.rescore.weight = 0.5;
    if (oto_lstm_lm_save(lm, path, OTO_LSTM_I8, &err) != OTO_OK ||
        oto_lstm_lm_load(&second.lstm, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s/second.oto", folder);
    if (oto_bundle_save(&second, path, &err) != OTO_OK ||
        oto_model_load(&model, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    oto_lstm_lm_destroy(second.lstm);
    oto_lstm_lm_destroy(lm);
    tiny_model_clear(&tiny);
    unit_remove_folder(folder);
}

static int set_up_all(void **state)
{
    oto_recognizer_options options;
    if (set_up(state) != 0)
        return 1;
    oto_model_destroy(model);
    make_model();
    for (int i = 0; i < 6; i++) { /* pauses, so that utterances end */
        for (size_t k = 0; k < 20000; k++)
            sound[(size_t)i * 64000 + 35000 + k] *= 1e-4F;
    }
    with = make(BEAM, 1, 30);
    oto_recognizer_options_init(&options);
    options.beam = BEAM;
    options.rescore = "none";
    assert_int_equal(oto_recognizer_create(&without, model, &options, NULL), OTO_OK);
    return 0;
}

static int tear_down_all(void **state)
{
    oto_recognizer_destroy(with);
    oto_recognizer_destroy(without);
    return tear_down(state);
}

struct told {
    int n, n_whole, n_first; /* utterances; with the second pass; heard again, but without it */
    bool first_is_whole;
};

static void note(void *user_data, const oto_live_utterance *u)
{
    struct told *told = user_data;
    const size_t from = (size_t)lround(u->start_s * 16000);
    const size_t n = (size_t)lround(u->end_s * 16000) - from;
    const oto_result *second = run(with, sound + from, n, 1000);
    const oto_result *first = run(without, sound + from, n, 1000);
    assert_true(first->log_prob > second->log_prob || first->log_prob < second->log_prob);
    const bool is_whole = u->result->log_prob == second->log_prob;
    const bool is_first = u->n_passes == 2 && u->result->log_prob == first->log_prob;
    if (is_whole)
        assert_string_equal(u->result->text, second->text);
    if (is_first)
        assert_string_equal(u->result->text, first->text);
    assert_true(is_whole || is_first || u->n_passes == 1);
    told->first_is_whole = told->first_is_whole || (told->n == 0 && is_whole);
    told->n++;
    told->n_whole += is_whole;
    told->n_first += is_first;
}

static struct told listen(int second_pass_ms, const char *rescore)
{
    oto_error err = {0};
    oto_live *live = NULL;
    oto_live_options options;
    oto_recognizer_options recognizer;
    struct told told = {0};
    oto_recognizer_options_init(&recognizer);
    recognizer.beam = BEAM;
    recognizer.rescore = rescore;
    oto_live_options_init(&options);
    options.second_pass_ms = second_pass_ms;
    options.min_confidence = 0; /* a random network is never sure */
    options.utterance = note;
    options.user_data = &told;
    if (oto_live_create(&live, model, &recognizer, &options, &err) != OTO_OK ||
        oto_live_feed(live, sound, N_LONG, &err) != OTO_OK || oto_live_finish(live, &err) != OTO_OK)
        fail_msg("%s", err.message);
    oto_live_destroy(live);
    assert_true(told.n >= 4);
    return told;
}

static void as_a_file(void **state)
{
    (void)state;
    const struct told told = listen(0, NULL);
    assert_int_equal(told.n_whole, told.n);
    const struct told plain = listen(0, "none");
    assert_int_equal(plain.n_first, plain.n);
}

/* What it costs is known after the first utterance; then it is left out, the rest of the second
 * pass only where that alone took too long. */
static void in_time(void **state)
{
    (void)state;
    const struct told told = listen(4, NULL);
    assert_true(told.first_is_whole);
    assert_int_equal(told.n_whole, 1);
    print_message("%d utterances, %d of them heard again without the language model\n", told.n,
                  told.n_first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_a_file), cmocka_unit_test(in_time)};
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
