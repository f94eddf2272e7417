/* SPDX-License-Identifier: BSD-2-Clause */
/* Language models: scores worked out by hand, states, ARPA and binary, every fault of a file. */
#include "near.h"
#include "unit.h"

#include <math.h>

#include "base/lines.h"
#include "base/mem.h"
#include "decoder/lm.h"
#include "decoder/ngram.h"
#include "toy_lm.h"

static oto_status read_arpa(struct oto_ngram **m, const char *text, size_t n, oto_error *err)
{
    struct oto_lines *in = NULL;
    *m = NULL;
    oto_status status = oto_lines_open_memory(&in, text, n, "toy.arpa", err);
    if (status == OTO_OK)
        status = oto_ngram_read_arpa(m, in, err);
    oto_lines_close(in);
    return status;
}

static struct oto_lm *open_toy(void)
{
    struct oto_ngram *m = NULL;
    struct oto_lm *lm = NULL;
    oto_error err = {0};
    assert_int_equal(read_arpa(&m, toy_arpa, strlen(toy_arpa), &err), OTO_OK);
    assert_int_equal(oto_lm_from_ngram(&lm, m, "toy", &err), OTO_OK);
    oto_ngram_destroy(m);
    return lm;
}

static uint32_t find(const struct oto_lm *lm, const char *word)
{
    return oto_lm_find(lm, word, strlen(word));
}

/* Scores the words of text (at most 20), from the start of a sentence, and its end. */
static double score(const struct oto_lm *lm, const char *text, double *each, int *orders)
{
    struct oto_lm_state state;
    double total = 0;
    int n = 0;
    char copy[200];
    snprintf(copy, sizeof copy, "%s </s>", text);
    oto_lm_start(lm, &state);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "), n++) {
        each[n] = oto_lm_score(lm, &state, &state, find(lm, word), &orders[n]);
        total += each[n];
    }
    return total;
}

static void scores_by_hand(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        double each[6];
        int orders[6];
        int n;
    } cases[] = {
        {"", {-0.5 - 0.9}, {1}, 1},
        {"a b", {-0.4, -0.2, -0.6 - 0.6}, {2, 3, 2}, 3},
        /* "a b c" with nothing for "b c"; then "a" after it has no context but "c" */
        {"a b c a", {-0.4, -0.2, -0.25, -0.2 - 0.7, -0.3 - 0.9}, {2, 3, 3, 2, 1}, 5},
        /* "c a" is no bigram of the file, but the beginning of "c a b" */
        {"c a b", {-0.5 - 1.1, -0.2 - 0.7, -0.35, -0.6 - 0.6}, {1, 2, 3, 2}, 4},
        {"x a b", {-0.5 - 1.5, -0.5, -0.05 - 0.3, -0.6 - 0.6}, {1, 2, 2, 2}, 4},
        {"b b", {-0.5 - 0.8, -0.4 - 0.8, -0.6}, {1, 1, 2}, 3},
    };
    struct oto_lm *lm = open_toy();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double each[20], total = 0;
        int orders[20];
        double found = score(lm, cases[i].text, each, orders);
        for (int k = 0; k < cases[i].n; k++) {
            assert_near(each[k], cases[i].each[k], 1e-6); /* floats below 4 */
            assert_int_equal(orders[k], cases[i].orders[k]);
            total += cases[i].each[k];
        }
        assert_near(found, total, 1e-6);
    }
    oto_lm_close(lm);
}

static void vocabulary(void **unused)
{
    (void)unused;
    struct oto_lm *lm = open_toy();
    assert_int_equal(oto_lm_order(lm), 3);
    assert_int_equal(oto_lm_n_words(lm), 6);
    assert_int_equal(oto_lm_n_ngrams(lm, 1), 6);
    assert_int_equal(oto_lm_n_ngrams(lm, 2), 6); /* with "c a" */
    assert_int_equal(oto_lm_n_ngrams(lm, 3), 3);
    assert_int_equal(oto_lm_n_ngrams(lm, 4), 0);
    assert_int_equal(oto_lm_n_ngrams(lm, 0), 0);
    assert_int_equal(find(lm, "<unk>"), OTO_LM_UNKNOWN);
    assert_int_equal(find(lm, "x"), OTO_LM_UNKNOWN);
    assert_int_equal(find(lm, ""), OTO_LM_UNKNOWN);
    assert_int_equal(oto_lm_find(lm, "abc", 1), find(lm, "a"));
    assert_int_equal(oto_lm_end_of_sentence(lm), find(lm, "</s>"));
    for (uint32_t i = 0; i < oto_lm_n_words(lm); i++)
        assert_int_equal(find(lm, oto_lm_word(lm, i)), i);
    oto_lm_close(lm);
}

static void states_forget_what_cannot_matter(void **unused)
{
    (void)unused;
    struct oto_lm *lm = open_toy();
    struct oto_lm_state empty, a, b;
    oto_lm_start_empty(&empty);
    assert_int_equal(empty.n, 0);
    oto_lm_score(lm, &a, &empty, find(lm, "a"), NULL);
    assert_int_equal(a.n, 1);
    oto_lm_score(lm, &b, &a, find(lm, "b"), NULL);
    assert_int_equal(b.n, 2);
    /* After "a b c" only "c" matters, as after "c" alone. */
    struct oto_lm_state long_c, short_c;
    oto_lm_score(lm, &long_c, &b, find(lm, "c"), NULL);
    oto_lm_score(lm, &short_c, &empty, find(lm, "c"), NULL);
    assert_memory_equal(&long_c, &short_c, sizeof long_c);
    /* Nothing follows the end of a sentence, and it has no back-off. */
    struct oto_lm_state end;
    oto_lm_score(lm, &end, &b, oto_lm_end_of_sentence(lm), NULL);
    assert_memory_equal(&end, &empty, sizeof end);
    oto_lm_close(lm);
}

/* Equal states must score every word alike; all states of up to three words. */
static void equal_states_score_alike(void **unused)
{
    (void)unused;
    struct oto_lm *lm = open_toy();
    struct oto_lm_state states[1 + 6 + 36 + 216];
    const uint32_t n_words = oto_lm_n_words(lm);
    size_t n = 1;
    oto_lm_start_empty(&states[0]);
    for (size_t i = 0; n < sizeof states / sizeof states[0]; i++) {
        for (uint32_t w = 0; w < n_words; w++)
            oto_lm_score(lm, &states[n++], &states[i], w, NULL);
    }
    size_t n_equal = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (memcmp(&states[i], &states[j], sizeof states[i]) != 0)
                continue;
            n_equal++;
            for (uint32_t w = 0; w < n_words; w++) {
                struct oto_lm_state x, y;
                double p = oto_lm_score(lm, &x, &states[i], w, NULL);
                double q = oto_lm_score(lm, &y, &states[j], w, NULL);
                assert_true(p == q);
                assert_memory_equal(&x, &y, sizeof x);
            }
        }
    }
    assert_true(n_equal > 1000);
    oto_lm_close(lm);
}

static void no_unknown_word(void **unused)
{
    (void)unused;
    static const char text[] = "\\data\\\nngram 1=2\n\\1-grams:\n-0.3 a\n-0.3 </s>\n\\end\\\n";
    struct oto_ngram *m = NULL;
    struct oto_lm *lm = NULL;
    oto_error err = {0};
    assert_int_equal(read_arpa(&m, text, strlen(text), &err), OTO_OK);
    assert_int_equal(oto_lm_from_ngram(&lm, m, "toy", &err), OTO_OK);
    struct oto_lm_state state;
    oto_lm_start(lm, &state); /* there is no <s> */
    assert_int_equal(state.n, 0);
    assert_near(oto_lm_score(lm, &state, &state, OTO_LM_UNKNOWN, NULL), -100, 1e-5);
    assert_int_equal(oto_lm_n_words(lm), 3);
    oto_lm_close(lm);
    oto_ngram_destroy(m);
}

/* ---- ARPA that is not right -------------------------------------------------------------- */

static void arpa_faults(void **unused)
{
    (void)unused;
#define HEAD "\\data\\\nngram 1=2\nngram 2=1\n\\1-grams:\n-1 a -1\n-1 b\n\\2-grams:\n"
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "toy.arpa:0: no line \\data\\"},
        {"hello\n", "toy.arpa:1: no line \\data\\"},
        {"\\data\\\n", "toy.arpa:1: expected 'ngram 1=COUNT'"},
        {"\\data\\\nngram 2=1\n", "toy.arpa:2: found order 2, expected order 1"},
        {"\\data\\\nngram 1=x\n", "toy.arpa:2: found 'ngram 1=x', expected 'ngram ORDER=COUNT'"},
        {"\\data\\\nngram 1=99999999999\n", "toy.arpa:2: "},
        {"\\data\\\nngram 9=1\n", "toy.arpa:2: order 9, this build reads up to 6"},
        {"\\data\\\nngram 1=1\n\\2-grams:\n", "toy.arpa:3: found \\2-grams:, expected \\1-grams:"},
        {"\\data\\\nngram 1=1\n\\1-grams:\n", "toy.arpa:3: 0 1-grams, \\data\\ said 1"},
        {"\\data\\\nngram 1=1\n\\1-grams:\n-1 a\n-1 b\n", "toy.arpa:5: more than the 1 1-grams"},
        {"\\data\\\nngram 1=2\n\\1-grams:\n-1 a\n-1 a\n", "toy.arpa:5: word 'a' is there twice"},
        {"\\data\\\nngram 1=2\n\\1-grams:\nx a\n", "toy.arpa:4: found 'x', expected the logarithm"},
        {"\\data\\\nngram 1=2\n\\1-grams:\nnan a\n", "toy.arpa:4: found 'nan', expected the log"},
        {"\\data\\\nngram 1=2\n\\1-grams:\n1e99 a\n", "toy.arpa:4: found '1e99', expected the log"},
        {"\\data\\\nngram 1=2\n\\1-grams:\n0.5 a\n", "toy.arpa:4: found '0.5', but no logarithm"},
        {"\\data\\\nngram 1=2\n\\1-grams:\n-1\n", "toy.arpa:4: 0 words, expected 1"},
        {"\\data\\\nngram 1=2\n\\1-grams:\n-1 a b\n", "toy.arpa:4: found 'b' after 1 words"},
        {"\\data\\\nngram 1=2\n\\1-grams:\n-1 a -1 2\n", "toy.arpa:4: found '-1' after 1 words"},
        {"\\data\\\nngram 1=2\n\\1-grams:\n-1 a -1\n", "toy.arpa:4: back-off -1 in the highest"},
        {"\\data\\\nngram 1=2\n\\1-grams:\n-1 \xFF\n", "toy.arpa:4: word '?' is not valid UTF-8"},
        {HEAD "-1 a c\n", "toy.arpa:8: word 'c' is not among the 1-grams"},
        {HEAD "-1 a\n", "toy.arpa:8: 1 words, expected 2"},
        {HEAD "-1 a b\n", "toy.arpa:8: found the file's end, expected \\end\\"},
        {HEAD "-1 a b\n\\3-grams:\n", "toy.arpa:9: found \\3-grams:, expected \\end\\"},
        {"\\data\\\nngram 1=1\nngram 2=2\n\\1-grams:\n-1 a -1\n\\2-grams:\n-1 a a\n-2 a "
         "a\n\\end\\\n",
         "toy.arpa: \\2-grams: 'a a' is there twice"},
    };
#undef HEAD
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oto_ngram *m;
        oto_error err = {0};
        assert_int_equal(read_arpa(&m, cases[i].text, strlen(cases[i].text), &err), OTO_ERR_FORMAT);
        assert_null(m);
        assert_contains(err.message, cases[i].message);
    }
    struct oto_ngram *m;
    oto_error err = {0};
    assert_int_equal(read_arpa(&m, "\\data\\\n\0\n", 9, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "toy.arpa:2: NUL byte");
}

static void every_truncation_of_arpa_fails(void **unused)
{
    (void)unused;
    const size_t size = strlen(toy_arpa);
    for (size_t n = 0; n < size - 1; n++) { /* without the last line end it is whole */
        struct oto_ngram *m;
        oto_error err = {0};
        assert_int_equal(read_arpa(&m, toy_arpa, n, &err), OTO_ERR_FORMAT);
        assert_contains(err.message, "toy.arpa:");
    }
}

static void arpa_is_lenient_about_space(void **unused)
{
    (void)unused;
    static const char text[] =
        "made by hand\r\n\r\n\\data\\ \r\nngram  1 = 2 \r\n\r\n\\1-grams: \r\n"
        " -1e0  a\r\n\r\n-.5\t<UNK>\t0\r\n\r\n\\end\\";
    struct oto_ngram *m = NULL;
    oto_error err = {0};
    assert_int_equal(read_arpa(&m, text, strlen(text), &err), OTO_OK);
    assert_int_equal(m->words.n, 2);
    assert_near((double)m->levels[0].log_p[0], -0.5, 1e-9);
    assert_near((double)m->levels[0].log_p[1], -1, 1e-9);
    oto_ngram_destroy(m);
}

/* ---- binary ------------------------------------------------------------------------------ */

static void make_image(struct oto_writer *image, int bits)
{
    struct oto_ngram *m = NULL;
    oto_error err = {0};
    assert_int_equal(read_arpa(&m, toy_arpa, strlen(toy_arpa), &err), OTO_OK);
    assert_int_equal(oto_ngram_write_image(m, bits, image, &err), OTO_OK);
    oto_ngram_destroy(m);
}

static void every_damage_is_seen(void **unused)
{
    (void)unused;
    for (int bits = 0; bits <= 8; bits += 8) {
        struct oto_writer image;
        struct oto_lm *lm;
        make_image(&image, bits);
        for (size_t n = 0; n < image.size; n++) {
            oto_error err = {0};
            assert_int_not_equal(oto_lm_open_memory(&lm, image.data, n, "cut", &err), OTO_OK);
            assert_null(lm);
            assert_contains(err.message, "cut: ");
        }
        for (size_t i = 0; i < 8 * image.size; i++) {
            oto_error err = {0};
            image.data[i / 8] ^= (unsigned char)(1u << i % 8);
            assert_int_not_equal(oto_lm_open_memory(&lm, image.data, image.size, "bit", &err),
                                 OTO_OK);
            assert_contains(err.message, "bit: ");
            image.data[i / 8] ^= (unsigned char)(1u << i % 8);
        }
        assert_int_equal(oto_lm_open_memory(&lm, image.data, image.size, "whole", NULL), OTO_OK);
        oto_lm_close(lm);
        oto_writer_clear(&image);
    }
}

/* Few numbers: each has its own code, and quantised scores are the same. */
static void quantised_scores(void **unused)
{
    (void)unused;
    struct oto_writer image;
    struct oto_lm *lm = open_toy(), *small = NULL;
    make_image(&image, 8);
    assert_int_equal(oto_lm_open_memory(&small, image.data, image.size, "small", NULL), OTO_OK);
    assert_int_equal(oto_lm_bits(small), 8);
    assert_int_equal(oto_lm_bits(lm), 0);
    assert_int_equal(oto_lm_size(small), image.size);
    static const char *const texts[] = {"", "a b c a", "c a b", "x x x", "b a b c"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double each[20];
        int orders[20];
        assert_near(score(lm, texts[i], each, orders), score(small, texts[i], each, orders), 1e-6);
    }
    oto_lm_close(lm);
    oto_lm_close(small);
    oto_writer_clear(&image);
}

static oto_status write_text(void *arg, const void *data, size_t n, oto_error *err)
{
    (void)err;
    oto_write_bytes(arg, data, n);
    return OTO_OK;
}

/* ARPA -> arrays -> binary -> arrays -> ARPA -> arrays -> binary gives the same bytes. */
static void round_trip(void **unused)
{
    (void)unused;
    struct oto_writer image, again, text = {0};
    struct oto_lm *lm = NULL;
    struct oto_ngram *m = NULL;
    make_image(&image, 0);
    assert_int_equal(oto_lm_open_memory(&lm, image.data, image.size, "toy", NULL), OTO_OK);
    assert_int_equal(oto_ngram_from_lm(&m, lm, NULL), OTO_OK);
    const struct oto_sink sink = {write_text, &text};
    assert_int_equal(oto_ngram_write_arpa(m, &sink, NULL), OTO_OK);
    oto_ngram_destroy(m);
    oto_error err = {0};
    assert_int_equal(read_arpa(&m, (const char *)text.data, text.size, &err), OTO_OK);
    assert_int_equal(oto_ngram_write_image(m, 0, &again, NULL), OTO_OK);
    assert_int_equal(again.size, image.size);
    assert_memory_equal(again.data, image.data, image.size);
    oto_ngram_destroy(m);
    oto_lm_close(lm);
    oto_writer_clear(&image);
    oto_writer_clear(&again);
    oto_writer_clear(&text);
}

static void files(void **unused)
{
    (void)unused;
    char folder[64], path[96];
    struct oto_writer image;
    struct oto_lm *lm;
    oto_error err = {0};
    unit_make_folder(folder);
    make_image(&image, 8);
    snprintf(path, sizeof path, "%s/a.otolm", folder);
    unit_write_file(path, image.data, image.size);
    assert_int_equal(oto_lm_open(&lm, path, &err), OTO_OK);
    assert_int_equal(oto_lm_n_words(lm), 6);
    oto_lm_close(lm);
    snprintf(path, sizeof path, "%s/a.arpa", folder);
    unit_write_file(path, toy_arpa, strlen(toy_arpa));
    assert_int_equal(oto_lm_open(&lm, path, &err), OTO_OK);
    assert_int_equal(oto_lm_n_words(lm), 6);
    oto_lm_close(lm);
    unit_write_file(path, "", 0);
    assert_int_equal(oto_lm_open(&lm, path, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "a.arpa:0: no line \\data\\");
    assert_int_equal(oto_lm_open(&lm, folder, &err), OTO_ERR_FORMAT);
    snprintf(path, sizeof path, "%s/missing", folder);
    assert_int_equal(oto_lm_open(&lm, path, &err), OTO_ERR_NOT_FOUND);
    assert_null(lm);
    oto_writer_clear(&image);
    unit_remove_folder(folder);
}

/* ---- memory ------------------------------------------------------------------------------ */

static oto_status everything(const char *path)
{
    struct oto_lm *lm = NULL;
    struct oto_ngram *m = NULL;
    struct oto_writer image = {0};
    oto_status status = oto_lm_open(&lm, path, NULL);
    if (status == OTO_OK)
        status = oto_ngram_from_lm(&m, lm, NULL);
    if (status == OTO_OK)
        status = oto_ngram_write_image(m, 8, &image, NULL);
    oto_writer_clear(&image);
    oto_ngram_destroy(m);
    oto_lm_close(lm);
    return status;
}

static void failing_allocations(void **unused)
{
    (void)unused;
    char folder[64], path[96];
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/a.arpa", folder);
    unit_write_file(path, toy_arpa, strlen(toy_arpa));
    oto_mem_fail_nth(0);
    assert_int_equal(everything(path), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    assert_true(n > 30);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(everything(path), OTO_ERR_MEMORY);
    }
    oto_mem_fail_nth(0);
    unit_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_by_hand),
        cmocka_unit_test(vocabulary),
        cmocka_unit_test(states_forget_what_cannot_matter),
        cmocka_unit_test(equal_states_score_alike),
        cmocka_unit_test(no_unknown_word),
        cmocka_unit_test(arpa_faults),
        cmocka_unit_test(every_truncation_of_arpa_fails),
        cmocka_unit_test(arpa_is_lenient_about_space),
        cmocka_unit_test(every_damage_is_seen),
        cmocka_unit_test(quantised_scores),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(files),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
