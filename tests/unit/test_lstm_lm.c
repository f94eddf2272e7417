/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "../fuzz/fuzz_container.h"
#include "base/bytes.h"
#include "tiny_lstm.h"

static const int words[] = {2, 3, 4, 5, 2, 6, 1, 7};
static const struct oto_word_sentence sentences[] = {{words + 6, 2}, {words, 6}, {words, 0}};

/* ln p of all words and ends, sentence by sentence: 3 + 7 + 1. */
static void score(const struct oto_lstm_lm *lm, double log_probs[11])
{
    struct oto_lstm_scorer *scorer = NULL;
    double *const to[] = {log_probs, log_probs + 3, log_probs + 10};
    assert_int_equal(oto_lstm_scorer_create(&scorer, lm, NULL), OTO_OK);
    assert_int_equal(oto_lstm_scorer_run(scorer, to, sentences, 3, NULL), OTO_OK);
    oto_lstm_scorer_destroy(scorer);
}

/* A word outside the vocabulary has its share of <unk>; all together, known and unknown, make 1. */
static void unknown_words(void **state)
{
    struct oto_lstm_lm *lm = tiny_lstm(1);
    struct oto_lstm_scorer *scorer = NULL;
    double sum = 0;
    (void)state;
    assert_int_equal(oto_lstm_lm_find(lm, "zoë", 4), 7);
    assert_int_equal(oto_lstm_lm_find(lm, "catalogue", 3), 3);
    assert_int_equal(oto_lstm_lm_find(lm, "cats", 4), OTO_LSTM_UNKNOWN);
    assert_int_equal(oto_lstm_lm_find(lm, "</s>", 4), OTO_LSTM_UNKNOWN);
    assert_int_equal(oto_lstm_scorer_create(&scorer, lm, NULL), OTO_OK);
    for (int next = 0; next < TINY_LSTM_WORDS; next++) {
        double log_probs[3];
        double *const to[] = {log_probs};
        const int text[] = {2, next};
        const struct oto_word_sentence s = {text, 1 + (next != 0)};
        assert_int_equal(oto_lstm_scorer_run(scorer, to, &s, 1, NULL), OTO_OK);
        sum += exp(log_probs[1]) * (next == OTO_LSTM_UNKNOWN ? TINY_LSTM_UNKNOWN : 1);
    }
    assert_true(fabs(sum - 1) < 1e-5);
    oto_lstm_scorer_destroy(scorer);
    oto_lstm_lm_destroy(lm);
}

static void many_sentences_take_several_passes(void **state)
{
    enum { N = 1500 }; /* of 7 rows: beyond 4096 */
    struct oto_lstm_lm *lm = tiny_lstm(1);
    struct oto_lstm_scorer *scorer = NULL;
    static struct oto_word_sentence list[N];
    static double log_probs[N][7], *to[N];
    double alone[11];
    (void)state;
    score(lm, alone);
    for (int i = 0; i < N; i++) {
        list[i] = sentences[i % 3 == 0 ? 0 : 1];
        to[i] = log_probs[i];
    }
    assert_int_equal(oto_lstm_scorer_create(&scorer, lm, NULL), OTO_OK);
    assert_int_equal(oto_lstm_scorer_run(scorer, to, list, N, NULL), OTO_OK);
    for (int i = 0; i < N; i++)
        for (int t = 0; t <= list[i].n_words; t++)
            assert_true(fabs(log_probs[i][t] - alone[i % 3 == 0 ? t : 3 + t]) < 1e-5);
    oto_lstm_scorer_destroy(scorer);
    oto_lstm_lm_destroy(lm);
}

static void files_keep_it(void **state)
{
    struct oto_lstm_lm *lm = tiny_lstm(1), *back = NULL;
    double before[11], after[11];
    char folder[64], path[96], again[96];
    (void)state;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/a.otolstm", folder);
    snprintf(again, sizeof again, "%s/b.otolstm", folder);
    score(lm, before);
    for (int weights = OTO_LSTM_F32; weights <= OTO_LSTM_I8; weights++) {
        struct oto_map a, b;
        assert_int_equal(oto_lstm_lm_save(lm, path, weights, NULL), OTO_OK);
        assert_true(oto_lstm_lm_is_file(path));
        assert_int_equal(oto_lstm_lm_load(&back, path, NULL), OTO_OK);
        assert_int_equal(back->stored, weights);
        assert_int_equal(back->n_unknown, TINY_LSTM_UNKNOWN);
        assert_string_equal(oto_words_text(&back->words, 8), "dog");
        score(back, after);
        /* A matrix moves by up to 1/254 of its largest number, 1: sums of some ten of them. */
        for (int i = 0; i < 11; i++)
            assert_true(fabs(before[i] - after[i]) <= (weights == OTO_LSTM_F32 ? 0 : 0.2));
        /* What was read is written again as it was. */
        assert_int_equal(oto_lstm_lm_save(back, again, weights, NULL), OTO_OK);
        assert_int_equal(oto_map_open(&a, path, NULL), OTO_OK);
        assert_int_equal(oto_map_open(&b, again, NULL), OTO_OK);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
        oto_map_close(&a);
        oto_map_close(&b);
        oto_lstm_lm_destroy(back);
    }
    lm->params[7] = (float)NAN;
    oto_error err = {0};
    assert_int_equal(oto_lstm_lm_save(lm, path, OTO_LSTM_F32, &err), OTO_ERR_DATA);
    assert_contains(err.message, "tensor 'word.weight': element 7");
    assert_false(oto_lstm_lm_is_file(folder));
    assert_false(oto_lstm_lm_is_file("no such file"));
    assert_int_equal(oto_lstm_lm_load(&back, "no such file", NULL), OTO_ERR_NOT_FOUND);
    unit_remove_folder(folder);
    oto_lstm_lm_destroy(lm);
}

/* ---- damage ------------------------------------------------------------------------------ */

struct image {
    unsigned char data[16384];
    size_t size;
};

static void load_image(struct image *image, const struct oto_lstm_lm *lm, int weights)
{
    char folder[64], path[96];
    struct oto_map map;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/a.otolstm", folder);
    assert_int_equal(oto_lstm_lm_save(lm, path, weights, NULL), OTO_OK);
    assert_int_equal(oto_map_open(&map, path, NULL), OTO_OK);
    assert_true(map.size <= sizeof image->data);
    memcpy(image->data, map.data, map.size);
    image->size = map.size;
    oto_map_close(&map);
    unit_remove_folder(folder);
}

/* Where a section's payload is. */
static size_t section(const struct image *image, const char *name)
{
    for (size_t at = 64;; at += 40) {
        assert_true(at + 40 <= image->size);
        if (strncmp((const char *)image->data + at, name, 8) == 0)
            return (size_t)fuzz_get(image->data + at + 16, 8);
    }
}

/* One byte changed, the checksums made right. */
static void refuse(const struct image *good, const char *name, size_t at, int value,
                   const char *what)
{
    static struct image bad;
    struct oto_lstm_lm *lm = NULL;
    oto_error err = {0};
    bad = *good;
    bad.data[section(good, name) + at] = (unsigned char)value;
    fuzz_sign(bad.data, bad.size);
    const oto_status status = oto_lstm_lm_parse(&lm, bad.data, bad.size, "bad", &err);
    if (status != OTO_ERR_FORMAT)
        fail_msg("%s byte %zu = %d: status %d", name, at, value, status);
    assert_null(lm);
    assert_contains(err.message, what);
}

static void damaged_files(void **state)
{
    static struct image f32, i8;
    struct oto_lstm_lm *lm = tiny_lstm(1);
    oto_error err = {0};
    (void)state;
    load_image(&f32, lm, OTO_LSTM_F32);
    load_image(&i8, lm, OTO_LSTM_I8);
    oto_lstm_lm_destroy(lm);
    refuse(&f32, "info", 0, 1, "n_words is 1");
    refuse(&f32, "info", 3, 0x80, "n_words is -1");
    refuse(&f32, "info", 20, 1, "not zero");
    refuse(&f32, "info", 24, 0, "unknown words");
    refuse(&f32, "words", 0, 'x', "'</s>' and '<unk>' expected first");
    refuse(&f32, "words", 12, ' ', "without white space");
    refuse(&f32, "words", 11, 0, "a word in UTF-8");
    refuse(&f32, "words", 12, 0xFF, "a word in UTF-8");
    refuse(&f32, "classes", 0, 1, "rise from 0");
    refuse(&f32, "classes", 8, 1, "rise from 0");
    refuse(&f32, "classes", 12, 8, "rise from 0");
    size_t k = 0; /* of a number whose exponent is odd: one byte makes it infinite or NaN */
    while ((f32.data[section(&f32, "weights") + 4 * k + 2] & 0x80) == 0)
        k++;
    refuse(&f32, "weights", 4 * k + 3, 0x7F, "not a finite number");
    refuse(&i8, "weights8", 3, 0xFF, "a scale that is not");
    refuse(&i8, "weights8", 4 * TINY_LSTM_WORDS, 0x80, "-128");
    refuse(&i8, "info", 16, 1, "section 'weights8': 2676 bytes, expected 1396");
    /* Unsigned, nothing gets that far. */
    for (size_t at = 0; at < i8.size; at += 7) {
        struct oto_lstm_lm *back = NULL;
        i8.data[at] ^= 4;
        assert_int_not_equal(oto_lstm_lm_parse(&back, i8.data, i8.size, "bad", &err), OTO_OK);
        i8.data[at] ^= 4;
    }
}

/* ---- memory ------------------------------------------------------------------------------ */

static oto_status whole(const struct image *image)
{
    struct oto_lstm_lm *lm = NULL;
    struct oto_lstm_scorer *scorer = NULL;
    double log_probs[11];
    double *const to[] = {log_probs, log_probs + 3, log_probs + 10};
    oto_status status = oto_lstm_lm_parse(&lm, image->data, image->size, "tiny", NULL);
    if (status == OTO_OK)
        status = oto_lstm_scorer_create(&scorer, lm, NULL);
    if (status == OTO_OK)
        status = oto_lstm_scorer_run(scorer, to, sentences, 3, NULL);
    oto_lstm_scorer_destroy(scorer);
    oto_lstm_lm_destroy(lm);
    return status;
}

static void failing_allocations(void **state)
{
    static struct image image;
    struct oto_lstm_lm *lm = tiny_lstm(1);
    char folder[64], path[96];
    (void)state;
    load_image(&image, lm, OTO_LSTM_I8);
    oto_mem_fail_nth(0);
    assert_int_equal(whole(&image), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    assert_in_range(n, 10, 1000);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(whole(&image), OTO_ERR_MEMORY);
    }
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/a.otolstm", folder);
    oto_mem_fail_nth(0);
    assert_int_equal(oto_lstm_lm_save(lm, path, OTO_LSTM_I8, NULL), OTO_OK);
    n = oto_mem_fail_nth(0);
    assert_in_range(n, 2, 1000);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_lstm_lm_save(lm, path, OTO_LSTM_I8, NULL), OTO_ERR_MEMORY);
    }
    oto_mem_fail_nth(0);
    unit_remove_folder(folder);
    oto_lstm_lm_destroy(lm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_words),       cmocka_unit_test(many_sentences_take_several_passes),
        cmocka_unit_test(files_keep_it),       cmocka_unit_test(damaged_files),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
