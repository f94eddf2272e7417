/* SPDX-License-Identifier: BSD-2-Clause */
/* Words and language models through the public API, with a model of random weights. */
#include "unit.h"

#include <math.h>

#include "api/stages.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "otolith/otolith.h"
#include "tiny_model.h"

#define N_LONG 32000
#include "recognizer_fixture.h"

/* Every word of the text is one of the list. */
static void check_words(const char *text, const char *words)
{
    char copy[2000], padded[64];
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        snprintf(padded, sizeof padded, "\n%s\n", word);
        assert_contains(words, padded);
    }
}

/* The option reads a file; the model's own lexicon comes after it, and "none" switches it off. */
static void test_lexicon(void **state)
{
    (void)state;
    static const char words[] = "\na\nab\nbeb\ncd\nde\nec\n", own_words[] = "\naaa\nd\n";
    oto_error err = {0};
    struct tiny_model tiny;
    oto_model *strict = NULL;
    char folder[64], model_path[128], path[128], bad_path[128];
    unit_make_folder(folder);
    snprintf(model_path, sizeof model_path, "%s/strict.oto", folder);
    snprintf(path, sizeof path, "%s/words", folder);
    snprintf(bad_path, sizeof bad_path, "%s/bad", folder);
    unit_write_file(path, words + 1, sizeof words - 2);
    unit_write_file(bad_path, "a\nx\n", 4);
    assert_int_equal(tiny_model_init(&tiny, 3, &err), OTO_OK);
    assert_int_equal(oto_lexicon_parse(&tiny.bundle.lexicon, own_words + 1, sizeof own_words - 2,
                                       "words", tiny.bundle.alphabet, &err),
                     OTO_OK);
    assert_int_equal(oto_bundle_save(&tiny.bundle, model_path, &err), OTO_OK);
    oto_lexicon_destroy(tiny.bundle.lexicon);
    tiny_model_clear(&tiny);
    assert_int_equal(oto_model_load(&strict, model_path, &err), OTO_OK);
    oto_recognizer *free_rec = make(8, 1, 30);
    char free_text[2000];
    snprintf(free_text, sizeof free_text, "%s", run(free_rec, sound, 32000, 1600)->text);
    oto_recognizer_destroy(free_rec);
    static const struct {
        bool strict_model;
        int beam;
    } cases[] = {{false, 1}, {false, 8}, {true, 1}, {true, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const oto_model *m = cases[i].strict_model ? strict : model;
        const char *const files[] = {path, "", "none", NULL};
        for (int k = 0; k < 4; k++) {
            oto_recognizer *rec = NULL;
            oto_recognizer_options options;
            oto_recognizer_options_init(&options);
            options.beam = options.n_best = cases[i].beam;
            options.lexicon = files[k];
            assert_int_equal(oto_recognizer_create(&rec, m, &options, &err), OTO_OK);
            const oto_result *r = run(rec, sound, 32000, 1600);
            const char *expected = k == 0 ? words : k != 2 && m == strict ? own_words : NULL;
            for (int j = 0; expected != NULL && j < r->n_alternatives; j++)
                check_words(r->alternatives[j].text, expected);
            if (expected != NULL && cases[i].beam > 1)
                assert_true(strlen(r->text) > 3);
            if (expected == NULL && cases[i].beam > 1)
                assert_string_equal(r->text, free_text);
            oto_recognizer_destroy(rec);
        }
    }
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.lexicon = bad_path;
    assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_ERR_DATA);
    assert_contains(err.message, "/bad:2: \"x\"");
    assert_null(rec);
    options.lexicon = "/nowhere/words";
    assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_ERR_NOT_FOUND);
    oto_model_destroy(strict);
    unit_remove_folder(folder);
}

/* A language model scores words; its file, its weights and their range. */
static void test_language_model(void **state)
{
    (void)state;
    static const char arpa[] = "\\data\\\nngram 1=5\n\n\\1-grams:\n-3\t<unk>\n-99\t<s>\n-1\t</s>\n"
                               "-0.3\tbad\n-0.6\tabe\n\n\\end\\\n";
    oto_error err = {0};
    char folder[64], path[128];
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/toy.arpa", folder);
    unit_write_file(path, arpa, sizeof arpa - 1);
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.lm = path;
    options.lm_weight = 4;
    assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_OK);
    unit_remove_folder(folder); /* read by then */
    const oto_result *r = run(rec, sound, 32000, 1600);
    if (!strstr(r->text, "bad") && !strstr(r->text, "abe"))
        fail_msg("\"%s\"", r->text);
    oto_recognizer_destroy(rec);
    assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_ERR_NOT_FOUND);
    assert_null(rec);
    static const struct {
        double weight, bonus, unknown;
        const char *message;
    } bad[] = {{-1, 0, 0, "lm-weight: found -1"},
               {INFINITY, 0, 0, "lm-weight: found inf"},
               {1, 101, 0, "word-bonus: found 101"},
               {1, 0, 1, "unknown-weight: found 1"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.lm_weight = bad[i].weight;
        options.word_bonus = bad[i].bonus;
        options.unknown_weight = bad[i].unknown;
        assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_ERR_ARGUMENT);
        assert_contains(err.message, bad[i].message);
    }
}

/* A model with a language model of its own: used unless another or none is asked for, with its own
 * weights unless others are given; and recognisers made like another one share what it read. */
static void test_own_language_model(void **state)
{
    (void)state;
    static const char arpa[] = "\\data\\\nngram 1=5\n\n\\1-grams:\n-3\t<unk>\n-99\t<s>\n-1\t</s>\n"
                               "-0.3\tbad\n-0.6\tabe\n\n\\end\\\n";
    oto_error err = {0};
    struct tiny_model tiny;
    oto_model *scored = NULL;
    char folder[64], path[128], arpa_path[128], texts[6][2000];
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/scored.oto", folder);
    snprintf(arpa_path, sizeof arpa_path, "%s/toy.arpa", folder);
    unit_write_file(arpa_path, arpa, sizeof arpa - 1);
    assert_int_equal(tiny_model_init(&tiny, 3, &err), OTO_OK);
    assert_int_equal(oto_lm_open(&tiny.bundle.lm, arpa_path, &err), OTO_OK);
    tiny.bundle.language = (struct oto_language_options){4, 2, -3};
    assert_int_equal(oto_bundle_save(&tiny.bundle, path, &err), OTO_OK);
    oto_lm_close(tiny.bundle.lm);
    tiny_model_clear(&tiny);
    assert_int_equal(oto_model_load(&scored, path, &err), OTO_OK);
    oto_recognizer_options options[6];
    for (int i = 0; i < 6; i++)
        oto_recognizer_options_init(&options[i]);
    options[1].lm = arpa_path; /* of a model without: the same weights */
    options[1].lm_weight = 4;
    options[1].word_bonus = 2;
    options[1].unknown_weight = -3;
    options[2].lm = "none";
    options[4].lm = arpa_path; /* of the model with one: its weights but for one */
    options[4].word_bonus = 40;
    options[5] = options[1];
    options[5].word_bonus = 40;
    const oto_model *const models[] = {scored, model, scored, model, scored, model};
    for (int i = 0; i < 6; i++) {
        oto_recognizer *rec = NULL, *like = NULL;
        options[i].n_best = 3;
        assert_int_equal(oto_recognizer_create(&rec, models[i], &options[i], &err), OTO_OK);
        assert_int_equal(oto_recognizer_create_like(&like, rec, &err), OTO_OK);
        snprintf(texts[i], sizeof texts[i], "%s", run(rec, sound, 32000, 1600)->text);
        oto_recognizer_destroy(rec);
        const oto_result *r = run(like, sound, 32000, 700);
        assert_string_equal(r->text, texts[i]);
        assert_int_equal(r->n_alternatives, 3);
        oto_recognizer_destroy(like);
    }
    assert_string_equal(texts[0], texts[1]);
    assert_string_equal(texts[2], texts[3]);
    assert_string_equal(texts[4], texts[5]);
    assert_string_not_equal(texts[0], texts[2]);
    assert_string_not_equal(texts[0], texts[4]);
    oto_model_destroy(scored);
    unit_remove_folder(folder);
}

static void test_create_like(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_recognizer *rec = make(8, 2, 30), *like = rec;
    assert_int_equal(oto_recognizer_create_like(NULL, rec, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_recognizer_create_like(&like, NULL, &err), OTO_ERR_ARGUMENT);
    assert_null(like);
    size_t n = 0;
    for (oto_status status = OTO_ERR_MEMORY; status != OTO_OK; n++) {
        (void)oto_mem_fail_nth(n + 1);
        status = oto_recognizer_create_like(&like, rec, &err);
        (void)oto_mem_fail_nth(0);
        assert_true(status == OTO_OK || (status == OTO_ERR_MEMORY && like == NULL));
    }
    assert_true(n > 5);
    oto_recognizer_destroy(like);
    oto_recognizer_destroy(rec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lexicon),
        cmocka_unit_test(test_language_model),
        cmocka_unit_test(test_own_language_model),
        cmocka_unit_test(test_create_like),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
