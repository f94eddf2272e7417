/* SPDX-License-Identifier: BSD-2-Clause */
/* A model file with a second network in it. */
#include "unit.h"

#include "bad_bundle.h"
#include "tiny_lstm.h"
#include "tiny_model.h"

static struct tiny_model first, second;
static char folder[64], path[128];

static void in_folder(char *out, size_t n, const char *name)
{
    snprintf(out, n, "%s/%s", folder, name);
}

static int set_up(void **state)
{
    (void)state;
    oto_error err = {0};
    unit_make_folder(folder);
    in_folder(path, sizeof path, "both.oto");
    if (tiny_model_init(&first, 1, &err) != OTO_OK || tiny_model_init(&second, 2, &err) != OTO_OK)
        fail_msg("%s", err.message);
    second.bundle.weight_type = OTO_WEIGHT_I8;
    struct oto_bundle both = first.bundle;
    both.second = &second.bundle;
    both.rescore = (struct oto_rescore_options){.weight = 0.5, .best = 12, .second_weight = 0.375};
    if (oto_bundle_save(&both, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tiny_model_clear(&first);
    tiny_model_clear(&second);
    unit_remove_folder(folder);
    return 0;
}

static void read_file(unsigned char **data, size_t *size, const struct oto_bundle *b)
{
    char name[128];
    oto_error err = {0};
    struct oto_map map;
    in_folder(name, sizeof name, "whole.oto");
    if (oto_bundle_save(b, name, &err) != OTO_OK)
        fail_msg("%s", err.message);
    assert_int_equal(oto_map_open(&map, name, &err), OTO_OK);
    *data = malloc(map.size);
    assert_non_null(*data);
    memcpy(*data, map.data, map.size);
    *size = map.size;
    oto_map_close(&map);
}

/* The file of the second network, as it is, with its numbers; written again to the same bytes. The
 * file needs version 1.10. */
static void test_round_trip(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    unsigned char *alone, *again;
    size_t n_alone, n_again;
    read_file(&alone, &n_alone, &second.bundle);
    assert_int_equal(oto_bundle_load(&b, path, &err), OTO_OK);
    assert_non_null(b->second);
    assert_null(b->lstm);
    assert_true(b->rescore.second_weight == 0.375);
    assert_int_equal(b->rescore.best, 12);
    assert_int_equal(b->map.data[10], 10);
    assert_int_equal(b->second->weight_type, OTO_WEIGHT_I8);
    read_file(&again, &n_again, b->second);
    assert_int_equal(n_again, n_alone);
    assert_memory_equal(again, alone, n_alone);
    free(again);
    size_t at = 0;
    while (at + n_alone <= b->map.size && memcmp(b->map.data + at, alone, n_alone) != 0)
        at += 64;
    assert_true(at > 0 && at + n_alone <= b->map.size);
    read_file(&again, &n_again, b);
    assert_int_equal(n_again, b->map.size);
    assert_memory_equal(again, b->map.data, n_again);
    free(again);
    free(alone);
    oto_bundle_destroy(b);
}

/* Taken out, the file is as it was before; language models of a second network stay behind. */
static void test_set_second(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL, *other = NULL;
    unsigned char *before, *after;
    char name[128];
    size_t n_before, n_after;
    read_file(&before, &n_before, &first.bundle);
    assert_int_equal(oto_bundle_load(&b, path, &err), OTO_OK);
    assert_int_equal(oto_bundle_set_second(b, NULL, &err), OTO_OK);
    read_file(&after, &n_after, b);
    assert_int_equal(n_after, n_before);
    assert_memory_equal(after, before, n_before);
    free(before);
    free(after);

    struct oto_lstm_lm *made = tiny_lstm(1);
    struct oto_bundle rich = second.bundle;
    in_folder(name, sizeof name, "tiny.otolstm");
    assert_int_equal(oto_lstm_lm_save(made, name, OTO_LSTM_I8, &err), OTO_OK);
    assert_int_equal(oto_lstm_lm_load(&rich.lstm, name, &err), OTO_OK);
    rich.second = &first.bundle;
    rich.rescore = (struct oto_rescore_options){.weight = 0.5, .second_weight = 0.5};
    in_folder(name, sizeof name, "rich.oto");
    assert_int_equal(oto_bundle_save(&rich, name, &err), OTO_OK);
    assert_int_equal(oto_bundle_load(&other, name, &err), OTO_OK);
    assert_int_equal(oto_bundle_set_second(b, other, &err), OTO_OK);
    assert_null(b->second->lstm);
    assert_null(b->second->second);
    b->rescore = (struct oto_rescore_options){.weight = 0.5, .best = 12, .second_weight = 0.375};
    read_file(&after, &n_after, b);
    oto_bundle_destroy(b);
    assert_int_equal(oto_bundle_load(&b, path, &err), OTO_OK);
    assert_int_equal(n_after, b->map.size);
    assert_memory_equal(after, b->map.data, n_after);
    free(after);
    oto_bundle_destroy(b);
    oto_lstm_lm_destroy(rich.lstm);
    oto_lstm_lm_destroy(made);
}

/* ---- what does not go together ------------------------------------------------------------ */

static void expect_refused(struct oto_bundle *other, const char *message)
{
    oto_error err = {0};
    struct oto_bundle b = first.bundle;
    assert_int_equal(oto_bundle_set_second(&b, other, &err), OTO_ERR_DATA);
    assert_null(b.second);
    assert_contains(err.message, message);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const few[] = {" ", "a"};
    static const char *const others[] = {" ", "'", "a", "b", "c", "d", "f", "\xC3\xA9"};
    struct oto_bundle other = second.bundle;
    other.frontend.rate_hz = 8000;
    expect_refused(&other, "sample-rate: found 8000, expected 16000");
    other = second.bundle;
    other.frontend.frame_shift_ms = 12.5;
    expect_refused(&other, "frame-shift: found 12.5, expected 10");
    other = second.bundle;
    other.frontend.frame_length_ms = 20;
    expect_refused(&other, "frame-length: found 20, expected 25");
    other = second.bundle;
    other.frontend.snip_edges = false;
    expect_refused(&other, "snip-edges: found 0, expected 1");
    other = second.bundle;
    assert_int_equal(
        oto_alphabet_create(&other.alphabet, few, 2, &first.bundle.alphabet->policy, NULL), OTO_OK);
    expect_refused(&other, "found 2 symbols, expected 8");
    oto_alphabet_destroy(other.alphabet);
    assert_int_equal(
        oto_alphabet_create(&other.alphabet, others, 8, &first.bundle.alphabet->policy, NULL),
        OTO_OK);
    expect_refused(&other, "symbol 7: found 'f', expected 'e'");
    oto_alphabet_destroy(other.alphabet);
    double priors[9];
    for (int k = 0; k < 9; k++)
        priors[k] = -2;
    first.bundle.log_priors = priors;
    other = second.bundle;
    expect_refused(&other, "found no priors of its symbols");
    first.bundle.log_priors = NULL;
}

static void expect_bad(const void *image, size_t size, const char *rescore, oto_status status,
                       const char *message)
{
    const struct new_section sections[] = {{"second", image, size},
                                           {"rescore", rescore, rescore ? strlen(rescore) : 0}};
    expect_bad_bundle(path, sections, 2, status, message);
}

static void test_bad_sections(void **state)
{
    (void)state;
    static const char good[] =
        "{\"rescore-weight\": 0.5, \"rescore-best\": 0, \"second-weight\": 0.5}";
    unsigned char *data, *more;
    size_t n, n_more;
    read_file(&data, &n, &second.bundle);
    expect_bad(data, n, NULL, OTO_ERR_FORMAT, "no section 'rescore'");
    expect_bad(data, n, "{\"rescore-weight\": 0.5, \"rescore-best\": 0}", OTO_ERR_FORMAT,
               "section 'rescore': second-weight: found nothing");
    expect_bad(data, n, "{\"rescore-weight\": 0.5, \"rescore-best\": 0, \"second-weight\": 1.5}",
               OTO_ERR_FORMAT, "second-weight: found 1.5");
    expect_bad(data, 0, good, OTO_ERR_FORMAT, "section 'second'");
    expect_bad(data, n - 64, good, OTO_ERR_FORMAT, "section 'second'");
    data[n - 100] ^= 1;
    expect_bad(data, n, good, OTO_ERR_CHECKSUM, "section 'second'");
    free(data);
    struct oto_bundle other = second.bundle;
    other.frontend.frame_shift_ms = 12.5;
    read_file(&data, &n, &other);
    expect_bad(data, n, good, OTO_ERR_FORMAT, "frame-shift: found 12.5, expected 10");
    free(data);
    other = second.bundle;
    other.second = &first.bundle;
    other.rescore = (struct oto_rescore_options){.second_weight = 0.5};
    read_file(&more, &n_more, &other);
    expect_bad(more, n_more, good, OTO_ERR_FORMAT,
               "section 'second': found one, expected a network alone");
    free(more);
}

static void test_failing_allocations(void **state)
{
    (void)state;
    char again[128];
    in_folder(again, sizeof again, "again.oto");
    assert_true(expect_allocations_checked(path, again) >= 200);
}

static void test_damage(void **state)
{
    (void)state;
    expect_bits_checked(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_set_second),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_bad_sections),
        cmocka_unit_test(test_damage),     cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
