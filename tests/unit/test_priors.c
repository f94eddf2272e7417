/* SPDX-License-Identifier: BSD-2-Clause */
/* Priors of the symbols: found, taken out of a frame, taken out before the beam search, and kept in
 * a model file. */
#include "unit.h"

#include <math.h>

#include "bad_bundle.h"
#include "ctc_brute.h"
#include "decoder/beam.h"
#include "decoder/priors.h"
#include "tiny_model.h"

enum { K = 4, T = 40 };
static const double log_priors[K] = {-0.5, -1.5, -2.5, -4.0};

/* Means of the probabilities; rare ones are as frequent as OTO_LEAST_PRIOR. */
static void test_found(void **state)
{
    (void)state;
    const float frames[2 * 3] = {logf(0.75F), logf(0.25F), -INFINITY, 0, -INFINITY, -INFINITY};
    double sums[3] = {0};
    oto_priors_add(sums, frames, 1, 3);
    oto_priors_add(sums, frames + 3, 1, 3);
    oto_priors_finish(sums, 2, 3);
    assert_true(fabs(sums[0] - log(0.875)) < 1e-7);
    assert_true(fabs(sums[1] - log(0.125)) < 1e-7);
    assert_true(sums[2] == log(OTO_LEAST_PRIOR));
    assert_int_equal(oto_priors_check(sums, 3, NULL), OTO_OK);
    double all[1] = {0};
    const float more = 1e-6F; /* a float's rounding above 1 */
    oto_priors_add(all, &more, 1, 1);
    oto_priors_finish(all, 1, 1);
    assert_true(all[0] == 0);
}

static void test_check(void **state)
{
    (void)state;
    oto_error err = {0};
    const double bad[][2] = {{-1, 0.5}, {-1, -9.3}, {-1, (double)NAN}, {-1, -(double)INFINITY}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(oto_priors_check(bad[i], 2, &err), OTO_ERR_DATA);
        assert_contains(err.message, "prior of symbol 1: found ");
    }
}

/* Of a random frame: the ratios are those of the definition, the sum is 1, 0 stays 0. */
static void test_divided(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        float x[K], y[K];
        double sum = 0;
        const double scale = 2 * oto_rng_uniform(seed, 9, 0);
        ctc_random_log_probs(x, 1, K, 4.0, 0.0, seed);
        if (seed % 5 == 0)
            x[2] = -INFINITY;
        memcpy(y, x, sizeof x);
        oto_priors_divide(y, y, log_priors, scale, K);
        for (int k = 0; k < K; k++) {
            const double ratio =
                (double)x[k] - (double)x[0] - scale * (log_priors[k] - log_priors[0]);
            if (isinf(x[k]))
                assert_true(y[k] == -INFINITY);
            else
                assert_true(fabs((double)y[k] - (double)y[0] - ratio) < 1e-5);
            sum += exp((double)y[k]);
        }
        assert_true(fabs(sum - 1) < 1e-5);
    }
}

/* ---- in the search ----------------------------------------------------------------------- */

struct search {
    struct oto_alphabet *alphabet; /* space a b */
    struct oto_lm *lm;
    struct oto_language *language;
    struct oto_beam *beam;
};

static const char arpa[] = "\\data\\\nngram 1=5\n\n\\1-grams:\n-1.0\t<unk>\n-99\t<s>\n-0.7\t</s>\n"
                           "-0.4\ta\n-0.9\tba\n\n\\end\\\n";

static void make_language(struct search *s, double scale, const double *priors)
{
    static const char *const symbols[] = {" ", "a", "b"};
    static const struct oto_text_policy policy = {OTO_CASE_KEEP, OTO_PUNCTUATION_KEEP};
    static const struct oto_beam_options options = {30, 0, -INFINITY, 0.0, 0.0};
    const struct oto_language_options weights = {0.8, 0.5, -1.0, scale};
    char folder[64], path[128];
    oto_error err = {0};
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/small.arpa", folder);
    unit_write_file(path, arpa, sizeof arpa - 1);
    if (oto_alphabet_create(&s->alphabet, symbols, 3, &policy, &err) != OTO_OK ||
        oto_lm_open(&s->lm, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    unit_remove_folder(folder);
    const struct oto_language_parts parts = {.lm = s->lm, .log_priors = priors};
    if (oto_language_create_from(&s->language, &parts, s->alphabet, &weights, &err) != OTO_OK ||
        oto_beam_create(&s->beam, K, &options, &err) != OTO_OK ||
        oto_beam_set_language(s->beam, s->language, &err) != OTO_OK)
        fail_msg("%s", err.message);
}

static void clear(struct search *s)
{
    oto_beam_destroy(s->beam);
    oto_language_destroy(s->language);
    oto_lm_close(s->lm);
    oto_alphabet_destroy(s->alphabet);
}

/* The same texts and scores as from frames that were divided before; without a scale those of the
 * frames as they are. */
static void test_search(void **state)
{
    (void)state;
    static const double scales[] = {0, 0.4, 1};
    for (int i = 0; i < 3; i++) {
        struct search with, without;
        make_language(&with, scales[i], log_priors);
        make_language(&without, 0, NULL);
        for (uint64_t seed = 1; seed <= 10; seed++) {
            float x[T * K], y[T * K];
            const struct oto_hypothesis *a, *b;
            int n_a, n_b;
            ctc_random_log_probs(x, T, K, 3.0, 0.0, seed);
            memcpy(y, x, sizeof x);
            for (int t = 0; t < T && scales[i] > 0; t++)
                oto_priors_divide(y + t * K, x + t * K, log_priors, scales[i], K);
            oto_beam_reset(with.beam);
            oto_beam_reset(without.beam);
            assert_int_equal(oto_beam_push(with.beam, x, 7, NULL), OTO_OK);
            assert_int_equal(oto_beam_push(with.beam, x + 7 * K, T - 7, NULL), OTO_OK);
            assert_int_equal(oto_beam_push(without.beam, y, T, NULL), OTO_OK);
            assert_int_equal(oto_beam_n_best(with.beam, 5, &a, &n_a, NULL), OTO_OK);
            assert_int_equal(oto_beam_n_best(without.beam, 5, &b, &n_b, NULL), OTO_OK);
            assert_int_equal(n_a, n_b);
            for (int k = 0; k < n_a; k++) {
                assert_int_equal(a[k].n_labels, b[k].n_labels);
                assert_memory_equal(a[k].labels, b[k].labels,
                                    (size_t)a[k].n_labels * sizeof *a[k].labels);
                assert_true(a[k].log_prob == b[k].log_prob);
            }
        }
        clear(&with);
        clear(&without);
    }
}

/* A scale needs priors, but only beside a language model. */
static void test_missing(void **state)
{
    (void)state;
    struct search s;
    const struct oto_language_options weights = {0.8, 0.5, -1.0, 0.3};
    struct oto_language *language = NULL;
    oto_error err = {0};
    make_language(&s, 0.3, log_priors);
    const struct oto_language_parts parts = {.lm = s.lm};
    assert_int_equal(oto_language_create_from(&language, &parts, s.alphabet, &weights, &err),
                     OTO_ERR_ARGUMENT);
    assert_null(language);
    assert_contains(err.message, "prior-scale: found 0.3, but the model has no priors");
    assert_true(s.language->log_priors == log_priors);
    const struct oto_language_parts words = {.lexicon = s.language->lexicon,
                                             .log_priors = log_priors};
    assert_int_equal(oto_language_create_from(&language, &words, s.alphabet, &weights, &err),
                     OTO_OK);
    assert_null(language->log_priors);
    oto_language_destroy(language);
    clear(&s);
}

/* ---- in the model file ------------------------------------------------------------------- */

static struct tiny_model tiny;
static double *tiny_priors; /* [n_outputs] */
static char folder[64], path[128];

static int set_up(void **state)
{
    (void)state;
    oto_error err = {0};
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/priors.oto", folder);
    if (tiny_model_init(&tiny, 1, &err) != OTO_OK)
        fail_msg("%s", err.message);
    const int n = tiny.bundle.shape.n_outputs;
    tiny_priors = calloc((size_t)n, sizeof *tiny_priors);
    assert_non_null(tiny_priors);
    for (int k = 0; k < n; k++)
        tiny_priors[k] = -0.5 * (k + 1);
    struct oto_bundle b = tiny.bundle;
    b.log_priors = tiny_priors;
    b.language.prior_scale = 0.625;
    if (oto_bundle_save(&b, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(tiny_priors);
    tiny_model_clear(&tiny);
    unit_remove_folder(folder);
    return 0;
}

static void test_round_trip(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    struct oto_map map;
    char again[128];
    snprintf(again, sizeof again, "%s/again.oto", folder);
    assert_int_equal(oto_bundle_load(&b, path, &err), OTO_OK);
    assert_non_null(b->log_priors);
    assert_memory_equal(b->log_priors, tiny_priors,
                        (size_t)b->shape.n_outputs * sizeof *tiny_priors);
    assert_true(b->language.prior_scale == 0.625);
    assert_int_equal(b->map.data[10], 8);
    assert_int_equal(oto_bundle_save(b, again, &err), OTO_OK);
    assert_int_equal(oto_map_open(&map, again, &err), OTO_OK);
    assert_int_equal(map.size, b->map.size);
    assert_memory_equal(map.data, b->map.data, map.size);
    oto_map_close(&map);
    oto_bundle_destroy(b);
}

static void test_failing_allocations(void **state)
{
    (void)state;
    char again[128];
    snprintf(again, sizeof again, "%s/again.oto", folder);
    assert_true(expect_allocations_checked(path, again) >= 50);
}

/* With other numbers in the section. */
static void expect_bad(const double *numbers, size_t size, const char *message)
{
    const struct new_section section = {"priors", numbers, size};
    expect_bad_bundle(path, &section, 1, OTO_ERR_FORMAT, message);
}

static void test_bad_section(void **state)
{
    (void)state;
    const size_t n = (size_t)tiny.bundle.shape.n_outputs + 1;
    double *numbers = calloc(n, sizeof *numbers);
    assert_non_null(numbers);
    expect_bad(numbers, 8 * n - 8, "bytes, expected");
    expect_bad(numbers, 0, "bytes, expected");
    numbers[0] = 2.5;
    expect_bad(numbers, 8 * n, "prior-scale: found 2.5, expected 0 to 2");
    numbers[0] = (double)NAN;
    expect_bad(numbers, 8 * n, "prior-scale: found ");
    numbers[0] = 1;
    numbers[n - 1] = 0.25;
    expect_bad(numbers, 8 * n, "found 0.25, expected a natural log");
    free(numbers);
}

static void test_save_refuses(void **state)
{
    (void)state;
    oto_error err = {0};
    char name[128];
    struct oto_bundle b = tiny.bundle;
    snprintf(name, sizeof name, "%s/unsaved.oto", folder);
    b.language.prior_scale = 0.5;
    assert_int_equal(oto_bundle_save(&b, name, &err), OTO_ERR_DATA);
    assert_contains(err.message, "prior-scale: found 0.5, but the model has no priors");
    b.log_priors = tiny_priors;
    tiny_priors[1] = 1;
    assert_int_equal(oto_bundle_save(&b, name, &err), OTO_ERR_DATA);
    assert_contains(err.message, "prior of symbol 1: found 1");
    tiny_priors[1] = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_divided),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bad_section),
        cmocka_unit_test(test_save_refuses),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
