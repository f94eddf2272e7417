/* SPDX-License-Identifier: BSD-2-Clause */
/* A recognizer with a second pass. */
enum { N_LONG = 32000, BEAM = 8, FAVOURITE = 3 };
#include "recognizer_fixture.h"

#include <math.h>

#include "tiny_lstm.h"

static char file[96], file_folder[64];

/* A model of the second pass that knows the fourth best text, which is one word. */
static int set_up_all(void **state)
{
    if (set_up(state) != 0)
        return -1;
    oto_recognizer *plain = make(BEAM, BEAM, 30);
    const oto_result *result = run(plain, sound, N_LONG, 0);
    assert_true(result->n_alternatives > 4);
    assert_null(strchr(result->alternatives[FAVOURITE].text, ' '));
    struct oto_lstm_lm *lm = tiny_lstm_with(1, result->alternatives[FAVOURITE].text, 1000000);
    oto_recognizer_destroy(plain);
    unit_make_folder(file_folder);
    snprintf(file, sizeof file, "%s/tiny.otolstm", file_folder);
    assert_int_equal(oto_lstm_lm_save(lm, file, OTO_LSTM_F32, NULL), OTO_OK);
    oto_lstm_lm_destroy(lm);
    return 0;
}

static int tear_down_all(void **state)
{
    unit_remove_folder(file_folder);
    return tear_down(state);
}

static void options_with(oto_recognizer_options *options, double weight)
{
    oto_recognizer_options_init(options);
    options->beam = BEAM;
    options->n_best = BEAM;
    options->rescore = file;
    options->rescore_weight = weight;
}

/* The model with the file inside, which is to count 3. */
static oto_model *model_with_lstm(void)
{
    struct tiny_model tiny;
    oto_model *own = NULL;
    oto_error err = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/own.oto", file_folder);
    assert_int_equal(tiny_model_init(&tiny, 3, &err), OTO_OK);
    struct oto_bundle bundle = tiny.bundle;
    bundle.rescore.weight = 3;
    if (oto_lstm_lm_load(&bundle.lstm, file, &err) != OTO_OK ||
        oto_bundle_save(&bundle, path, &err) != OTO_OK ||
        oto_model_load(&own, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    oto_lstm_lm_destroy(bundle.lstm);
    tiny_model_clear(&tiny);
    return own;
}

/* The same texts, the known one in front and the others behind it as they were; another recognizer
 * like it agrees. */
static void new_order(void **state)
{
    oto_recognizer_options options;
    oto_recognizer *plain = make(BEAM, BEAM, 30), *second = NULL, *like = NULL;
    (void)state;
    options_with(&options, 3);
    assert_int_equal(oto_recognizer_create(&second, model, &options, NULL), OTO_OK);
    assert_int_equal(oto_recognizer_create_like(&like, second, NULL), OTO_OK);
    const oto_result *a = run(plain, sound, N_LONG, 0), *b = run(second, sound, N_LONG, 0);
    const oto_result *c = run(like, sound, N_LONG, 0);
    assert_int_equal(a->n_alternatives, b->n_alternatives);
    for (int i = 0; i < b->n_alternatives; i++) {
        const int was = i == 0 ? FAVOURITE : i <= FAVOURITE ? i - 1 : i;
        assert_string_equal(b->alternatives[i].text, a->alternatives[was].text);
        assert_true(i == 0 || b->alternatives[i].log_prob <= b->alternatives[i - 1].log_prob);
        assert_string_equal(b->alternatives[i].text, c->alternatives[i].text);
        assert_true(b->alternatives[i].log_prob == c->alternatives[i].log_prob);
    }
    assert_string_equal(b->text, b->alternatives[0].text);
    oto_recognizer_destroy(plain);
    oto_recognizer_destroy(second);
    oto_recognizer_destroy(like);
}

static void only_the_best(void **state)
{
    oto_recognizer_options options;
    oto_recognizer *plain = make(BEAM, BEAM, 30), *second = NULL;
    (void)state;
    options_with(&options, 0);
    options.rescore_best = 3;
    assert_int_equal(oto_recognizer_create(&second, model, &options, NULL), OTO_OK);
    const oto_result *a = run(plain, sound, N_LONG, 0), *b = run(second, sound, N_LONG, 0);
    assert_int_equal(b->n_alternatives, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(b->alternatives[i].text, a->alternatives[i].text);
        assert_true(b->alternatives[i].log_prob == a->alternatives[i].log_prob);
    }
    oto_recognizer_destroy(plain);
    oto_recognizer_destroy(second);
}

/* A model with the file inside does what the same model does with the file beside it, unless it is
 * told not to; a weight of 0 is its own first pass. */
static void of_the_model(void **state)
{
    static const struct {
        const char *rescore, *lm;
        int beam;
        double weight;
        bool is_second;
    } cases[] = {{NULL, NULL, BEAM, (double)NAN, true},
                 {"", "", BEAM, (double)NAN, true},
                 {"none", NULL, BEAM, (double)NAN, false},
                 {NULL, "none", BEAM, (double)NAN, false},
                 {NULL, NULL, BEAM, 0, false},
                 {NULL, NULL, 1, (double)NAN, false},
                 {file, "none", BEAM, (double)NAN, true}};
    oto_recognizer_options options;
    oto_model *own = NULL;
    oto_recognizer *second = NULL;
    (void)state;
    own = model_with_lstm();
    options_with(&options, 3);
    assert_int_equal(oto_recognizer_create(&second, model, &options, NULL), OTO_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oto_recognizer *rec = NULL, *like = NULL;
        oto_recognizer *plain = make(cases[i].beam, cases[i].beam, 30);
        oto_recognizer_options_init(&options);
        options.beam = options.n_best = cases[i].beam;
        options.rescore = cases[i].rescore;
        options.lm = cases[i].lm;
        options.rescore_weight = cases[i].weight;
        assert_int_equal(oto_recognizer_create(&rec, own, &options, NULL), OTO_OK);
        assert_int_equal(oto_recognizer_create_like(&like, rec, NULL), OTO_OK);
        const oto_result *a = run(rec, sound, N_LONG, 0), *b = run(like, sound, N_LONG, 0);
        const oto_result *expected = run(cases[i].is_second ? second : plain, sound, N_LONG, 0);
        assert_int_equal(a->n_alternatives, expected->n_alternatives);
        for (int k = 0; k < a->n_alternatives; k++) {
            assert_string_equal(a->alternatives[k].text, expected->alternatives[k].text);
            assert_true(a->alternatives[k].log_prob == expected->alternatives[k].log_prob);
            assert_string_equal(a->alternatives[k].text, b->alternatives[k].text);
        }
        oto_recognizer_destroy(like);
        oto_recognizer_destroy(rec);
        oto_recognizer_destroy(plain);
    }
    options_with(&options, 3); /* the model's number of texts, and another one */
    options.rescore = NULL;
    options.rescore_best = 4;
    oto_recognizer_destroy(second);
    assert_int_equal(oto_recognizer_create(&second, own, &options, NULL), OTO_OK);
    assert_int_equal(run(second, sound, N_LONG, 0)->n_alternatives, 4);
    oto_recognizer_destroy(second);
    oto_model_destroy(own);
}

static void refuse(const oto_recognizer_options *options, oto_status expected, const char *what)
{
    oto_recognizer *rec = NULL;
    oto_error err = {0};
    assert_int_equal(oto_recognizer_create(&rec, model, options, &err), expected);
    assert_null(rec);
    assert_contains(err.message, what);
}

static void bad_options(void **state)
{
    oto_recognizer_options options;
    (void)state;
    options_with(&options, -0.1);
    refuse(&options, OTO_ERR_ARGUMENT, "rescore_weight: found -0.1");
    options_with(&options, 0.5);
    options.rescore_best = -1;
    refuse(&options, OTO_ERR_ARGUMENT, "rescore_best: found -1");
    options_with(&options, 0.5);
    options.beam = options.n_best = 1;
    refuse(&options, OTO_ERR_ARGUMENT, "widen the beam");
    options_with(&options, 0.5);
    options.rescore = "missing.otolstm";
    refuse(&options, OTO_ERR_NOT_FOUND, "missing.otolstm");
}

static oto_status whole(void)
{
    oto_recognizer_options options;
    oto_recognizer *rec = NULL;
    const oto_result *result = NULL;
    options_with(&options, 1);
    oto_status status = oto_recognizer_create(&rec, model, &options, NULL);
    if (status == OTO_OK)
        status = oto_recognizer_feed(rec, sound, 8000, NULL);
    if (status == OTO_OK)
        status = oto_recognizer_finish(rec, &result, NULL);
    oto_recognizer_destroy(rec);
    return status;
}

static void failing_allocations(void **state)
{
    (void)state;
    oto_mem_fail_nth(0);
    assert_int_equal(whole(), OTO_OK);
    const size_t n = oto_mem_fail_nth(0);
    assert_in_range(n, 40, 5000);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(whole(), OTO_ERR_MEMORY);
    }
    oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_order),           cmocka_unit_test(only_the_best),
        cmocka_unit_test(of_the_model),        cmocka_unit_test(bad_options),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
