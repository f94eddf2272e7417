/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a result, and the times of a text that is known. */
#include <math.h>

#include "base/mem.h"

#define N_LONG (16000 * 6)
#include "recognizer_fixture.h"

/* In order, without overlap, within the input; their texts are the result's. */
static void check_words(const oto_result *result)
{
    char text[4000] = "";
    double end_s = 0;
    for (int i = 0; i < result->n_words; i++) {
        const oto_word *w = &result->words[i];
        if (!(w->start_s >= end_s && w->end_s >= w->start_s && w->end_s <= result->seconds))
            fail_msg("word %d \"%s\" from %g to %g, after %g, in %g s", i, w->text, w->start_s,
                     w->end_s, end_s, result->seconds);
        assert_true(w->confidence >= 0 && w->confidence <= 1);
        end_s = w->end_s;
        assert_true(strlen(text) + strlen(w->text) + 2 < sizeof text);
        strcat(strcat(text, i > 0 ? " " : ""), w->text);
    }
    assert_string_equal(text, result->text);
}

static void of_a_result(void **state)
{
    (void)state;
    for (int beam = 1; beam <= 8; beam += 7) {
        for (double segment_s = 1; segment_s <= 30; segment_s += 29) {
            oto_recognizer *rec = make(beam, 1, segment_s);
            const oto_result *result = run(rec, sound, N_LONG, 0);
            check_words(result);
            int n = result->n_words;
            assert_in_range(n, segment_s < 2 ? 3 : 1, 1000); /* each segment begins a word */
            oto_word *first = malloc((size_t)n * sizeof *first);
            assert_non_null(first);
            memcpy(first, result->words, (size_t)n * sizeof *first);
            result = run(rec, sound, N_LONG, 777);
            assert_int_equal(result->n_words, n);
            for (int i = 0; i < n; i++)
                assert_true(first[i].start_s == result->words[i].start_s &&
                            first[i].end_s == result->words[i].end_s &&
                            first[i].confidence == result->words[i].confidence);
            result = run(rec, sound, 0, 1);
            assert_int_equal(result->n_words, 0);
            free(first);
            oto_recognizer_destroy(rec);
        }
    }
}

static oto_recognizer *make_with(const char *known_text, int words, double max_segment_s)
{
    oto_error err = {0};
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.known_text = known_text;
    options.words = words;
    options.max_segment_s = max_segment_s;
    if (oto_recognizer_create(&rec, model, &options, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return rec;
}

static void left_out(void **state)
{
    (void)state;
    oto_recognizer *rec = make_with(NULL, 0, 30), *with = make_with(NULL, 1, 30);
    const oto_result *result = run(rec, sound, N_LONG, 0);
    assert_int_equal(result->n_words, 0);
    assert_string_equal(result->text, run(with, sound, N_LONG, 0)->text);
    oto_recognizer_destroy(rec);
    oto_recognizer_destroy(with);
}

/* Words as they were written, whatever they are to the model. */
static void known_text(void **state)
{
    (void)state;
    static const char text[] = " Bad, \xC3\xA9"
                               "bc-de\t...\n(ace) 17 abba  cede\n";
    oto_recognizer *rec = make_with(text, 1, 1), *like = NULL;
    assert_int_equal(oto_recognizer_create_like(&like, rec, NULL), OTO_OK);
    const oto_result *result = run(rec, sound, N_LONG, 0);
    assert_string_equal(result->text, "Bad, \xC3\xA9"
                                      "bc-de ... (ace) 17 abba cede");
    assert_int_equal(result->n_words, 7);
    check_words(result);
    for (int i = 0; i < 7; i++) {
        bool none = i == 2 || i == 4;
        assert_true((result->words[i].end_s > result->words[i].start_s) != none);
        assert_true((result->words[i].confidence > 0) != none);
    }
    assert_true(isfinite(result->log_prob) && result->log_prob < 0);
    double last_s = result->words[6].start_s;
    assert_true(last_s > 1); /* not all in the first segment */
    assert_true(run(like, sound, N_LONG, 100)->words[6].start_s == last_s);
    assert_true(run(rec, sound, N_LONG, 12345)->words[6].start_s == last_s);
    /* too little sound: the rest is not heard */
    result = run(rec, sound, 1600, 0);
    assert_int_equal(result->n_words, 7);
    assert_true(result->words[6].confidence == 0 && result->words[6].start_s == result->seconds);
    result = run(rec, sound, 0, 1);
    assert_int_equal(result->n_words, 7);
    check_words(result);
    oto_recognizer_destroy(rec);
    oto_recognizer_destroy(like);
}

static void bad_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {{"abc \xFF", "byte 4 is not valid UTF-8"},
                 {" 12 34 ", "no character that the model knows, in 2 words"},
                 {"", "no character that the model knows, in 0 words"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oto_error err = {0};
        oto_recognizer *rec = NULL;
        oto_recognizer_options options;
        oto_recognizer_options_init(&options);
        options.known_text = cases[i].text;
        assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_ERR_DATA);
        assert_contains(err.message, cases[i].message);
        assert_null(rec);
    }
    oto_error err = {0};
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.words = 2;
    assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "words: found 2");
}

static oto_status whole(const char *known_text_or_null)
{
    const oto_result *result = NULL;
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.known_text = known_text_or_null;
    options.max_segment_s = 1;
    oto_status status = oto_recognizer_create(&rec, model, &options, NULL);
    if (status == OTO_OK)
        status = oto_recognizer_feed(rec, sound, N_LONG / 2, NULL);
    if (status == OTO_OK)
        status = oto_recognizer_finish(rec, &result, NULL);
    oto_recognizer_destroy(rec);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    static const char *const texts[] = {NULL, "abba cede (ace) ... bad"};
    for (int i = 0; i < 2; i++) {
        oto_mem_fail_nth(0);
        assert_int_equal(whole(texts[i]), OTO_OK);
        size_t n = oto_mem_fail_nth(0);
        assert_in_range(n, 20, 100000);
        for (size_t nth = 1; nth <= n; nth++) {
            oto_mem_fail_nth(nth);
            assert_int_equal(whole(texts[i]), OTO_ERR_MEMORY);
        }
        oto_mem_fail_nth(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_result), cmocka_unit_test(left_out),  cmocka_unit_test(known_text),
        cmocka_unit_test(bad_text),    cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
