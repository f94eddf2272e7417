/* SPDX-License-Identifier: BSD-2-Clause */
/* Recognizers that keep to a grammar. */
enum { N_LONG = 32000, BEAM = 8 };
#include "recognizer_fixture.h"

#include "base/mem.h"

static char file[96], file_folder[64];

static int set_up_all(void **state)
{
    if (set_up(state) != 0)
        return -1;
    unit_make_folder(file_folder);
    snprintf(file, sizeof file, "%s/small.gram", file_folder);
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fputs("#JSGF V1.0;\ngrammar small;\npublic <s> = (Bad | abe) [be] (/3/ bad | /1/ cab);\n", f);
    assert_int_equal(fclose(f), 0);
    return 0;
}

static int tear_down_all(void **state)
{
    unit_remove_folder(file_folder);
    return tear_down(state);
}

static bool is_sentence(const char *text)
{
    static const char *const sentences[] = {"bad bad", "bad cab", "bad be bad", "bad be cab",
                                            "abe bad", "abe cab", "abe be bad", "abe be cab"};
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (strcmp(text, sentences[i]) == 0)
            return true;
    return false;
}

static void options_with(oto_recognizer_options *options, const char *grammar)
{
    oto_recognizer_options_init(options);
    options->beam = 200;
    options->n_best = BEAM;
    options->grammar = grammar;
}

/* Each alternative is a sentence or empty; words, times and confidence are there; another
 * recognizer like it agrees. */
static void sentences_only(void **state)
{
    (void)state;
    oto_recognizer_options options;
    oto_recognizer *rec = NULL, *like = NULL;
    int n_sentences = 0;
    oto_recognizer *plain = make(BEAM, 1, 30);
    assert_false(is_sentence(run(plain, sound, N_LONG, 0)->text));
    oto_recognizer_destroy(plain);
    options_with(&options, file);
    assert_int_equal(oto_recognizer_create(&rec, model, &options, NULL), OTO_OK);
    assert_int_equal(oto_recognizer_create_like(&like, rec, NULL), OTO_OK);
    for (size_t n = 8000; n <= N_LONG; n += 8000) {
        const oto_result *a = run(rec, sound, n, 0), *b = run(like, sound, n, 1000);
        assert_int_equal(a->n_alternatives, b->n_alternatives);
        for (int i = 0; i < a->n_alternatives; i++) {
            const char *text = a->alternatives[i].text;
            if (*text && !is_sentence(text))
                fail_msg("\"%s\" is no sentence", text);
            assert_string_equal(text, b->alternatives[i].text);
            n_sentences += *text != '\0';
        }
        for (int i = 0; i < a->n_words; i++)
            assert_true(a->words[i].start_s < a->words[i].end_s && a->words[i].confidence >= 0 &&
                        a->words[i].confidence <= 1);
    }
    assert_true(n_sentences > 4);
    oto_recognizer_destroy(like);
    oto_recognizer_destroy(rec);
}

/* The narrowest beams, too, which lose all that could become a sentence: it is there. */
static void always_a_sentence(void **state)
{
    (void)state;
    int n_empty = 0;
    for (int beam = 1; beam <= 16; beam *= 2) {
        oto_recognizer_options options;
        oto_recognizer *rec = NULL;
        options_with(&options, file);
        options.beam = beam;
        options.n_best = beam < BEAM ? beam : BEAM;
        assert_int_equal(oto_recognizer_create(&rec, model, &options, NULL), OTO_OK);
        for (size_t n = 16000; n <= N_LONG; n += 1000) {
            const oto_result *r = run(rec, sound, n, 0);
            if (!is_sentence(r->text))
                fail_msg("beam %d, %zu samples: \"%s\"", beam, n, r->text);
            assert_in_range(r->n_words, 2, 3);
            for (int i = 1; i < r->n_alternatives; i++)
                n_empty += r->alternatives[i].text[0] == '\0';
        }
        oto_recognizer_destroy(rec);
    }
    assert_true(n_empty > 0);
}

static void check_refused(oto_recognizer_options *options, oto_status expected, const char *message)
{
    oto_recognizer *rec = (void *)&rec;
    oto_error err = {0};
    assert_int_equal(oto_recognizer_create(&rec, model, options, &err), expected);
    assert_null(rec);
    if (strstr(err.message, message) == NULL)
        fail_msg("\"%s\", expected \"%s\"", err.message, message);
}

static void what_goes_with_none(void **state)
{
    (void)state;
    static const oto_hot_word hot[] = {{"bad", 5}};
    oto_recognizer_options options;
    options_with(&options, "no/such.gram");
    check_refused(&options, OTO_ERR_NOT_FOUND, "no/such.gram");
    options_with(&options, file);
    options.lexicon = file;
    check_refused(&options, OTO_ERR_ARGUMENT, "lexicon: a grammar says all");
    options_with(&options, file);
    options.lm = file;
    check_refused(&options, OTO_ERR_ARGUMENT, "lm: a grammar says all");
    options_with(&options, file);
    options.more_words = file;
    check_refused(&options, OTO_ERR_ARGUMENT, "words: a grammar says all");
    options_with(&options, file);
    options.hot_words_file = file;
    check_refused(&options, OTO_ERR_ARGUMENT, "hot words: a grammar says all");
    options_with(&options, file);
    options.hot_words = hot;
    options.n_hot_words = 1;
    check_refused(&options, OTO_ERR_ARGUMENT, "hot words: a grammar says all");
    options_with(&options, file);
    options.rescore = file;
    check_refused(&options, OTO_ERR_ARGUMENT, "rescore: a grammar says all");
    oto_recognizer *rec = NULL;
    options_with(&options, file);
    options.lexicon = options.lm = "none";
    assert_int_equal(oto_recognizer_create(&rec, model, &options, NULL), OTO_OK);
    oto_recognizer_destroy(rec);
}

static void failing_memory(void **state)
{
    (void)state;
    oto_recognizer_options options;
    options_with(&options, file);
    for (size_t nth = 1;; nth++) {
        oto_recognizer *rec = NULL;
        oto_mem_fail_nth(nth);
        const oto_status status = oto_recognizer_create(&rec, model, &options, NULL);
        oto_mem_fail_nth(0);
        assert_int_equal(status == OTO_OK, rec != NULL);
        oto_recognizer_destroy(rec);
        if (status == OTO_OK) {
            assert_true(nth > 50);
            break;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_only),
        cmocka_unit_test(always_a_sentence),
        cmocka_unit_test(what_goes_with_none),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
