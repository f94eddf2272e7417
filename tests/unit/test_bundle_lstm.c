/* SPDX-License-Identifier: BSD-2-Clause */
/* A model file with an LSTM language model of a second pass in it. */
#include "unit.h"

#include "bad_bundle.h"
#include "tiny_lstm.h"
#include "tiny_model.h"

static struct tiny_model tiny;
static struct oto_lstm_lm *lstm; /* from a file */
static char folder[64], path[128];

static int set_up(void **state)
{
    (void)state;
    oto_error err = {0};
    char name[128];
    unit_make_folder(folder);
    snprintf(name, sizeof name, "%s/tiny.otolstm", folder);
    snprintf(path, sizeof path, "%s/second.oto", folder);
    struct oto_lstm_lm *lm = tiny_lstm(1);
    if (tiny_model_init(&tiny, 1, &err) != OTO_OK ||
        oto_lstm_lm_save(lm, name, OTO_LSTM_I8, &err) != OTO_OK ||
        oto_lstm_lm_load(&lstm, name, &err) != OTO_OK)
        fail_msg("%s", err.message);
    oto_lstm_lm_destroy(lm);
    struct oto_bundle second = tiny.bundle;
    second.lstm = lstm;
    second.rescore = (struct oto_rescore_options){.weight = 0.375, .best = 12};
    if (oto_bundle_save(&second, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    oto_lstm_lm_destroy(lstm);
    tiny_model_clear(&tiny);
    unit_remove_folder(folder);
    return 0;
}

/* Whole, used where it lies in the file, with its numbers; written again to the same bytes. The
 * file needs version 1.7. */
static void test_round_trip(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    struct oto_map map;
    char again[128];
    snprintf(again, sizeof again, "%s/again.oto", folder);
    assert_int_equal(oto_bundle_load(&b, path, &err), OTO_OK);
    assert_non_null(b->lstm);
    assert_null(b->lm);
    assert_true(b->rescore.weight == 0.375);
    assert_int_equal(b->rescore.best, 12);
    assert_int_equal(b->lstm->file_size, lstm->file_size);
    assert_memory_equal(b->lstm->image, lstm->image, lstm->file_size);
    const unsigned char *image = b->lstm->image;
    assert_true(image > b->map.data && image + b->lstm->file_size <= b->map.data + b->map.size);
    assert_int_equal((image - b->map.data) % 64, 0);
    assert_memory_equal(b->lstm->params, lstm->params,
                        oto_word_n_parameters(&lstm->shape) * sizeof *lstm->params);
    assert_int_equal(b->map.data[10], 7);
    assert_int_equal(oto_bundle_save(b, again, &err), OTO_OK);
    assert_int_equal(oto_map_open(&map, again, &err), OTO_OK);
    assert_int_equal(map.size, b->map.size);
    assert_memory_equal(map.data, b->map.data, map.size);
    oto_map_close(&map);
    oto_bundle_destroy(b);
}

/* Without: the defaults, and a file as it was before. */
static void test_without(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    char name[128];
    snprintf(name, sizeof name, "%s/first.oto", folder);
    assert_int_equal(oto_bundle_save(&tiny.bundle, name, &err), OTO_OK);
    assert_int_equal(oto_bundle_load(&b, name, &err), OTO_OK);
    assert_null(b->lstm);
    assert_true(b->rescore.weight == 0.5);
    assert_int_equal(b->rescore.best, 0);
    assert_int_equal(b->map.data[10], 0);
    oto_bundle_destroy(b);
}

static void test_failing_allocations(void **state)
{
    (void)state;
    char again[128];
    snprintf(again, sizeof again, "%s/again.oto", folder);
    assert_true(expect_allocations_checked(path, again) >= 100);
}

/* Every bit of the file, and every length. */
static void test_damage(void **state)
{
    (void)state;
    struct oto_map map;
    struct oto_bundle *b = NULL;
    oto_error err = {0};
    expect_bits_checked(path);
    assert_int_equal(oto_map_open(&map, path, &err), OTO_OK);
    for (size_t size = 0; size < map.size; size++)
        assert_int_not_equal(oto_bundle_parse(&b, map.data, size, "DAMAGED", &err), OTO_OK);
    oto_map_close(&map);
}

/* With another section "lstm", and another or no "rescore". */
static void expect_bad(const void *image, size_t size, const char *rescore, oto_status status,
                       const char *message)
{
    const struct new_section sections[] = {{"lstm", image, size},
                                           {"rescore", rescore, rescore ? strlen(rescore) : 0}};
    expect_bad_bundle(path, sections, 2, status, message);
}

static void test_bad_sections(void **state)
{
    (void)state;
    static const char good[] = "{\"rescore-weight\": 0.5, \"rescore-best\": 0}";
    const size_t n = lstm->file_size;
    unsigned char *data = malloc(n);
    assert_non_null(data);
    memcpy(data, lstm->image, n);
    expect_bad(data, n, NULL, OTO_ERR_FORMAT, "no section 'rescore'");
    expect_bad(data, n, "{}", OTO_ERR_FORMAT,
               "section 'rescore': rescore-weight: found nothing, expected a number from 0 to 10");
    expect_bad(data, n, "{\"rescore-weight\": 11, \"rescore-best\": 0}", OTO_ERR_FORMAT,
               "rescore-weight: found 11");
    expect_bad(data, n, "{\"rescore-weight\": 1, \"rescore-best\": -1}", OTO_ERR_FORMAT,
               "rescore-best: found -1, expected a whole number from 0 to 10000");
    expect_bad(data, n, "{\"more\": 1}", OTO_ERR_VERSION, "unknown entry 'more'");
    expect_bad(data, 0, good, OTO_ERR_FORMAT, "section 'lstm'");
    expect_bad(data, n - 64, good, OTO_ERR_FORMAT, "section 'lstm'");
    data[n - 100] ^= 1;
    expect_bad(data, n, good, OTO_ERR_CHECKSUM, "section 'lstm'");
    free(data);
}

/* Language models are also read out of model files, which are verified as a whole. */
static void test_out_of_a_model(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_lstm_lm *found = NULL;
    struct oto_lm *lm = NULL;
    struct oto_bundle *b = NULL;
    char name[128];
    assert_int_equal(oto_lstm_lm_load(&found, path, &err), OTO_OK);
    assert_int_equal(found->file_size, lstm->file_size);
    assert_memory_equal(found->image, lstm->image, lstm->file_size);
    snprintf(name, sizeof name, "%s/third.oto", folder);
    struct oto_bundle third = tiny.bundle;
    third.lstm = found; /* as it was found there, into another model */
    third.rescore = (struct oto_rescore_options){.weight = 0.375, .best = 12};
    assert_int_equal(oto_bundle_save(&third, name, &err), OTO_OK);
    assert_int_equal(oto_bundle_load(&b, name, &err), OTO_OK);
    assert_memory_equal(b->lstm->image, lstm->image, lstm->file_size);
    oto_bundle_destroy(b);
    oto_lstm_lm_destroy(found);
    assert_int_equal(oto_lm_open(&lm, path, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "second.oto: a model that holds no language model (section 'lm')");
    assert_null(lm);
    snprintf(name, sizeof name, "%s/plain.oto", folder);
    assert_int_equal(oto_bundle_save(&tiny.bundle, name, &err), OTO_OK);
    assert_int_equal(oto_lstm_lm_load(&found, name, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "plain.oto: a model that holds no LSTM language model");
    assert_null(found);
    FILE *f = fopen(name, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, -70, SEEK_END), 0);
    assert_int_equal(fputc(0xA5, f), 0xA5);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(oto_lstm_lm_load(&found, name, &err), OTO_ERR_CHECKSUM);
}

static void test_save_refuses(void **state)
{
    (void)state;
    oto_error err = {0};
    char name[128];
    struct oto_bundle second = tiny.bundle;
    snprintf(name, sizeof name, "%s/unsaved.oto", folder);
    second.lstm = tiny_lstm(1); /* of no file */
    assert_int_equal(oto_bundle_save(&second, name, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "not read from a file");
    oto_lstm_lm_destroy(second.lstm);
    second.lstm = lstm;
    second.rescore = (struct oto_rescore_options){.weight = 0.5, .best = -3};
    assert_int_equal(oto_bundle_save(&second, name, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "rescore-best: found -3");
    FILE *f = fopen(name, "rb");
    assert_null(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_without),
        cmocka_unit_test(test_damage),       cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_bad_sections), cmocka_unit_test(test_out_of_a_model),
        cmocka_unit_test(test_save_refuses),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
