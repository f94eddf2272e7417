/* SPDX-License-Identifier: BSD-2-Clause */
/* Normalisation of mean and variance against its definitions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/cmvn.h"
#include "near.h"

#define T 700
#define D 3

static float x[T * D], y[T * D];
static double scratch[2 * D];

static void fill(void)
{
    for (size_t t = 0; t < T; t++)
        for (size_t d = 0; d < D; d++)
            x[t * D + d] = (float)(oto_rng_normal(4, d, t) * (double)(d + 1) + 10.0 * (double)d +
                                   0.01 * (double)t);
}

/* Mean and variance of column d over vectors begin..end-1. */
static void moments(size_t begin, size_t end, size_t d, double *mean, double *variance)
{
    *mean = *variance = 0.0;
    for (size_t t = begin; t < end; t++)
        *mean += (double)x[t * D + d] / (double)(end - begin);
    for (size_t t = begin; t < end; t++)
        *variance +=
            ((double)x[t * D + d] - *mean) * ((double)x[t * D + d] - *mean) / (double)(end - begin);
}

static void utterance_has_mean_zero_and_variance_one(void **state)
{
    (void)state;
    fill();
    for (int variance = 0; variance < 2; variance++) {
        memcpy(y, x, sizeof x);
        oto_cmvn_utterance(y, y, T, D, variance, NULL, scratch); /* in place */
        for (size_t d = 0; d < D; d++) {
            double mean, var;
            moments(0, T, d, &mean, &var);
            for (size_t t = 0; t < T; t++)
                assert_near(y[t * D + d],
                            ((double)x[t * D + d] - mean) / (variance ? sqrt(var) : 1.0), 1e-5);
        }
    }
}

static void constant_columns_become_zero(void **state)
{
    struct oto_cmvn_stats none = {0};

    (void)state;
    for (size_t i = 0; i < T * D; i++)
        x[i] = -15.9423847f;
    oto_cmvn_utterance(y, x, T, D, true, NULL, scratch);
    for (size_t i = 0; i < T * D; i++)
        assert_near(y[i], 0.0, 0.0);
    oto_cmvn_sliding(y, x, T, D, true, 50, &none, scratch);
    for (size_t i = 0; i < T * D; i++)
        assert_near(y[i], 0.0, 1e-6);
    oto_cmvn_utterance(y, x, 1, D, true, NULL, scratch); /* a single vector */
    for (size_t i = 0; i < D; i++)
        assert_near(y[i], 0.0, 0.0);
}

static void small_noise_is_not_blown_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < T * D; i++)
        x[i] = 20.0f + (i % 2 ? 2e-6f : 0.0f); /* one step of float */
    oto_cmvn_utterance(y, x, T, D, true, NULL, scratch);
    for (size_t i = 0; i < T * D; i++)
        assert_near(y[i], 0.0, 0.002);
}

static void global_uses_the_statistics(void **state)
{
    struct oto_cmvn_stats stats;
    double mean, var;

    (void)state;
    fill();
    assert_int_equal(oto_cmvn_stats_init(&stats, D, NULL), OTO_OK);
    oto_cmvn_stats_add(&stats, x, 300);
    oto_cmvn_stats_add(&stats, x + 300 * D, T - 300); /* in two portions */
    assert_near(stats.count, T, 0.0);
    assert_int_equal(oto_cmvn_stats_check(&stats, D, NULL), OTO_OK);
    for (int variance = 0; variance < 2; variance++) {
        oto_cmvn_global(y, x, 10, D, variance, &stats,
                        scratch); /* ten vectors, statistics of all */
        for (size_t d = 0; d < D; d++) {
            moments(0, T, d, &mean, &var);
            for (size_t t = 0; t < 10; t++)
                assert_near(y[t * D + d],
                            ((double)x[t * D + d] - mean) / (variance ? sqrt(var) : 1.0), 1e-5);
        }
    }
    oto_cmvn_stats_clear(&stats);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void sliding_equals_the_definition(void **state)
{
    static const int windows[] = {1, 2, 50, 100, 150, 600, 5000};
    static const size_t lengths[] = {1, 2, 99, 100, 101, T};
    const struct oto_cmvn_stats none = {0};

    (void)state;
    fill();
    for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++)
        for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
            const size_t n = lengths[l], window = (size_t)windows[w];
            oto_cmvn_sliding(y, x, n, D, true, windows[w], l % 2 ? &none : NULL, scratch);
            for (size_t t = 0; t < n; t++)
                for (size_t d = 0; d < D; d++) {
                    const size_t begin = t > window ? t - window : 0;
                    const size_t end = least(t + 1 < 100 ? 100 : t + 1, n);
                    double mean, var;
                    moments(begin, end, d, &mean, &var);
                    assert_near(y[t * D + d],
                                ((double)x[t * D + d] - mean) / sqrt(fmax(var, OTO_CMVN_FLOOR)),
                                1e-4);
                }
        }
}

static void sliding_with_prior_equals_the_definition(void **state)
{
    static const int windows[] = {1, 50, 150, 600};
    struct oto_cmvn_stats prior;

    (void)state;
    fill();
    assert_int_equal(oto_cmvn_stats_init(&prior, D, NULL), OTO_OK);
    oto_cmvn_stats_add(&prior, x + 200 * D, 400);
    for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
        const size_t window = (size_t)windows[w];
        oto_cmvn_sliding(y, x, T, D, true, windows[w], &prior, scratch);
        for (size_t t = 0; t < T; t++)
            for (size_t d = 0; d < D; d++) {
                const size_t begin = t + 1 > window ? t + 1 - window : 0, count = t + 1 - begin;
                const double borrowed = (double)least(window - count, 200);
                double mean, var, prior_mean, prior_var, square;
                moments(begin, t + 1, d, &mean, &var);
                moments(200, 600, d, &prior_mean, &prior_var);
                square = (var + mean * mean) * (double)count +
                         (prior_var + prior_mean * prior_mean) * borrowed;
                mean = (mean * (double)count + prior_mean * borrowed) / ((double)count + borrowed);
                var = square / ((double)count + borrowed) - mean * mean;
                assert_near(y[t * D + d],
                            ((double)x[t * D + d] - mean) / sqrt(fmax(var, OTO_CMVN_FLOOR)), 1e-4);
            }
    }
    oto_cmvn_stats_clear(&prior);
}

static void sliding_rows_do_not_change_as_vectors_follow(void **state)
{
    static float prefix[T * D];
    struct oto_cmvn_stats prior;

    (void)state;
    fill();
    assert_int_equal(oto_cmvn_stats_init(&prior, D, NULL), OTO_OK);
    oto_cmvn_sliding(y, x, T, D, true, 300, &prior, scratch); /* empty prior: from row 100 on */
    for (size_t n = 100; n < T; n += 37) {
        oto_cmvn_sliding(prefix, x, n, D, true, 300, &prior, scratch);
        assert_memory_equal(prefix, y, n * D * sizeof *y);
    }
    oto_cmvn_stats_add(&prior, x, T);
    oto_cmvn_sliding(y, x, T, D, true, 300, &prior, scratch);
    for (size_t n = 1; n < T; n += 37) {
        oto_cmvn_sliding(prefix, x, n, D, true, 300, &prior, scratch);
        assert_memory_equal(prefix, y, n * D * sizeof *y);
    }
    oto_cmvn_stats_clear(&prior);
}

static void bad_statistics_are_refused(void **state)
{
    struct oto_cmvn_stats stats;
    oto_error err = {0};

    (void)state;
    fill();
    assert_int_equal(oto_cmvn_stats_init(&stats, D, NULL), OTO_OK);
    assert_int_equal(oto_cmvn_stats_check(&stats, D, &err), OTO_ERR_DATA);
    assert_non_null(strstr(err.message, "count 0"));
    oto_cmvn_stats_add(&stats, x, T);
    assert_int_equal(oto_cmvn_stats_check(&stats, D + 1, &err), OTO_ERR_DATA);
    assert_non_null(strstr(err.message, "3 columns, the features have 4"));
    const double good = stats.sum[1];
    stats.sum[1] = NAN;
    assert_int_equal(oto_cmvn_stats_check(&stats, D, &err), OTO_ERR_DATA);
    assert_non_null(strstr(err.message, "column 1"));
    stats.sum[1] = good * 100.0; /* mean square below the square of the mean */
    assert_int_equal(oto_cmvn_stats_check(&stats, D, &err), OTO_ERR_DATA);
    stats.sum[1] = good;
    stats.count = INFINITY;
    assert_int_equal(oto_cmvn_stats_check(&stats, D, &err), OTO_ERR_DATA);
    stats.count = NAN;
    assert_int_equal(oto_cmvn_stats_check(&stats, D, &err), OTO_ERR_DATA);
    oto_cmvn_stats_clear(&stats);
    assert_null(stats.sum);
    assert_int_equal(oto_cmvn_stats_init(&stats, 0, &err), OTO_ERR_ARGUMENT);
}

static void copies_are_deep_and_failures_are_reported(void **state)
{
    struct oto_cmvn_stats stats, copy;

    (void)state;
    fill();
    assert_int_equal(oto_cmvn_stats_init(&stats, D, NULL), OTO_OK);
    oto_cmvn_stats_add(&stats, x, T);
    assert_int_equal(oto_cmvn_stats_copy(&copy, &stats, NULL), OTO_OK);
    assert_ptr_not_equal(copy.sum, stats.sum);
    assert_memory_equal(copy.sum, stats.sum, D * sizeof *stats.sum);
    assert_memory_equal(copy.sum_squares, stats.sum_squares, D * sizeof *stats.sum_squares);
    assert_near(copy.count, T, 0.0);
    oto_cmvn_stats_clear(&copy);
    for (size_t nth = 1; nth <= 2; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_cmvn_stats_copy(&copy, &stats, NULL), OTO_ERR_MEMORY);
        oto_mem_fail_nth(0);
        assert_null(copy.sum);
    }
    oto_cmvn_stats_clear(&stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utterance_has_mean_zero_and_variance_one),
        cmocka_unit_test(constant_columns_become_zero),
        cmocka_unit_test(small_noise_is_not_blown_up),
        cmocka_unit_test(global_uses_the_statistics),
        cmocka_unit_test(sliding_equals_the_definition),
        cmocka_unit_test(sliding_with_prior_equals_the_definition),
        cmocka_unit_test(sliding_rows_do_not_change_as_vectors_follow),
        cmocka_unit_test(bad_statistics_are_refused),
        cmocka_unit_test(copies_are_deep_and_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
