/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "training/augment.h"

enum { T = 100, DIM = 10, WIDTH = 30 /* with two orders of deltas */ };

static void fill(float *block, int n)
{
    for (int i = 0; i < n; i++)
        block[i] = 1;
}

/* Rows (columns) that are zero from end to end. */
static int zero_rows(const float *block, int n_static)
{
    int n = 0;
    for (int t = 0; t < n_static; t++) {
        int zeros = 0;
        for (int i = 0; i < WIDTH; i++)
            zeros += block[t * WIDTH + i] == 0;
        n += zeros == WIDTH;
    }
    return n;
}

static int zero_columns(const float *block, int n_static, int column)
{
    int zeros = 0;
    for (int t = 0; t < n_static; t++)
        zeros += block[t * WIDTH + column] == 0;
    return zeros == n_static;
}

static void depends_on_seed_and_stream_alone(void **state)
{
    (void)state;
    static float a[T * WIDTH], b[T * WIDTH];
    int n_differ = 0;
    for (uint64_t stream = 0; stream < 50; stream++) {
        struct oto_mask mask = {{2, 15, 2, 4, 1, 0}, 9, stream, DIM}, other = mask;
        fill(a, T * WIDTH);
        fill(b, T * WIDTH);
        oto_mask_apply(&mask, a, T, WIDTH);
        oto_mask_apply(&other, b, T, WIDTH);
        assert_memory_equal(a, b, sizeof a);
        fill(b, T * WIDTH);
        other.stream += 1000;
        oto_mask_apply(&other, b, T, WIDTH);
        n_differ += memcmp(a, b, sizeof a) != 0;
    }
    assert_true(n_differ > 45);
}

static void keeps_within_its_widths(void **state)
{
    (void)state;
    static float block[T * WIDTH];
    int widest_time = 0, widest_band = 0;
    for (uint64_t stream = 0; stream < 2000; stream++) {
        struct oto_mask mask = {{1, 15, 0, 0, 1, 0}, 3, stream, DIM};
        fill(block, T * WIDTH);
        oto_mask_apply(&mask, block, T, WIDTH);
        int n = zero_rows(block, T);
        assert_true(n <= 15);
        widest_time = n > widest_time ? n : widest_time;

        mask.options = (struct oto_mask_options){0, 0, 1, 4, 1, 0};
        fill(block, T * WIDTH);
        oto_mask_apply(&mask, block, T, WIDTH);
        n = 0;
        for (int i = 0; i < DIM; i++) {
            int zero = zero_columns(block, T, i);
            n += zero;
            /* the same band in the deltas */
            assert_int_equal(zero, zero_columns(block, T, DIM + i));
            assert_int_equal(zero, zero_columns(block, T, 2 * DIM + i));
        }
        assert_true(n <= 4);
        widest_band = n > widest_band ? n : widest_band;
        assert_int_equal(zero_rows(block, T), 0);
    }
    assert_int_equal(widest_time, 15);
    assert_int_equal(widest_band, 4);
}

static void reaches_every_place(void **state)
{
    (void)state;
    static float block[T * WIDTH];
    int first = 0, last = 0, low = 0, high = 0;
    for (uint64_t stream = 0; stream < 2000; stream++) {
        struct oto_mask mask = {{1, 15, 1, 4, 1, 0}, 4, stream, DIM};
        fill(block, T * WIDTH);
        oto_mask_apply(&mask, block, T, WIDTH);
        first += zero_rows(block, 1);
        last += zero_rows(block + (T - 1) * WIDTH, 1);
        low += zero_columns(block, T, 0);
        high += zero_columns(block, T, DIM - 1);
    }
    assert_true(first > 5 && last > 5 && low > 100 && high > 100);
}

static void spares_short_utterances(void **state)
{
    (void)state;
    static float block[T * WIDTH];
    for (uint64_t stream = 0; stream < 500; stream++)
        for (int n_static = 1; n_static <= 20; n_static++) {
            struct oto_mask mask = {{1, 50, 0, 0, 1, 0}, 3, stream, DIM};
            fill(block, T * WIDTH);
            oto_mask_apply(&mask, block, (size_t)n_static, WIDTH);
            assert_true(zero_rows(block, n_static) <= n_static / 5);
            assert_int_equal(zero_rows(block + n_static * WIDTH, T - n_static), 0);
        }
}

static void scale_shrinks_masks(void **state)
{
    (void)state;
    static float block[T * WIDTH];
    for (uint64_t stream = 0; stream < 500; stream++) {
        struct oto_mask mask = {{1, 16, 1, 4, 0.25, 0}, 3, stream, DIM};
        fill(block, T * WIDTH);
        oto_mask_apply(&mask, block, T, WIDTH);
        assert_true(zero_rows(block, T) <= 4);
        mask.options.scale = 0;
        fill(block, T * WIDTH);
        oto_mask_apply(&mask, block, T, WIDTH);
        for (int i = 0; i < T * WIDTH; i++)
            assert_true(block[i] == 1);
    }
}

static void noise_has_its_width(void **state)
{
    (void)state;
    static float block[T * WIDTH], masked[T * WIDTH];
    struct oto_mask mask = {{1, 15, 1, 4, 1, 0.5}, 3, 8, DIM},
                    plain = {{1, 15, 1, 4, 1, 0}, 3, 8, DIM};
    double sum = 0, squares = 0;
    int n = 0;
    fill(block, T * WIDTH);
    fill(masked, T * WIDTH);
    oto_mask_apply(&mask, block, T, WIDTH);
    oto_mask_apply(&plain, masked, T, WIDTH);
    for (int i = 0; i < T * WIDTH; i++) {
        assert_int_equal(block[i] == 0, masked[i] == 0); /* masks fall alike, and over the noise */
        if (masked[i] == 0)
            continue;
        sum += (double)block[i] - 1;
        squares += ((double)block[i] - 1) * ((double)block[i] - 1);
        n++;
    }
    /* four standard errors of mean and variance of n normal numbers */
    assert_true(fabs(sum / n) < 4 * 0.5 / sqrt(n));
    assert_true(fabs(squares / n - 0.25) < 4 * 0.25 * sqrt(2.0 / n));
}

/* A straight line stays one: linear interpolation is exact on it, but for half a step at the ends.
 */
static void tempo_stretches_evenly(void **state)
{
    (void)state;
    float in[40 * 2], out[90 * 2];
    for (int t = 0; t < 40; t++) {
        in[2 * t] = (float)t;
        in[2 * t + 1] = 5;
    }
    static const size_t lengths[] = {1, 7, 39, 40, 41, 60, 90};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        size_t n = lengths[k];
        oto_tempo_apply(out, n, in, 40, 2);
        for (size_t t = 0; t < n; t++) {
            double expected = fmin(fmax(((double)t + 0.5) * 40 / (double)n - 0.5, 0), 39);
            assert_true(fabs((double)out[2 * t] - expected) < 1e-5);
            assert_true(out[2 * t + 1] == 5);
        }
    }
    oto_tempo_apply(out, 40, in, 40, 2);
    assert_memory_equal(out, in, sizeof in);
    oto_tempo_apply(out, 3, in, 1, 2); /* nothing to interpolate between */
    assert_true(out[4] == in[0] && out[5] == in[1]);
}

static void reads_speeds(void **state)
{
    (void)state;
    double speeds[OTO_MAX_SPEEDS];
    int n;
    oto_error err;
    assert_int_equal(oto_speeds_parse(speeds, &n, "0.9, 1.0,1.15", &err), OTO_OK);
    assert_int_equal(n, 3);
    assert_true(speeds[0] == 0.9 && speeds[1] == 1 && speeds[2] == 1.15);
    static const char *const bad[] = {
        "",    "1,",  ",1",    "1;2",  "0.4",
        "2.1", "nan", "1,1.0", "fast", "0.5,0.6,0.7,0.8,0.9,1,1.1,1.2,1.3,1.4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(oto_speeds_parse(speeds, &n, bad[i], &err), OTO_ERR_CONFIG);
        assert_contains(err.message, bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depends_on_seed_and_stream_alone),
        cmocka_unit_test(keeps_within_its_widths),
        cmocka_unit_test(reaches_every_place),
        cmocka_unit_test(spares_short_utterances),
        cmocka_unit_test(scale_shrinks_masks),
        cmocka_unit_test(noise_has_its_width),
        cmocka_unit_test(tempo_stretches_evenly),

        cmocka_unit_test(reads_speeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
