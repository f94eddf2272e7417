/* SPDX-License-Identifier: BSD-2-Clause */
/* Time derivatives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/delta.h"
#include "near.h"

static void taps_are_the_regression_slope(void **state)
{
    static const double second[] = {0.25, 0, -0.5, 0, 0.25};
    static const double second2[] = {0.04, 0.04, 0.01, -0.04, -0.1, -0.04, 0.01, 0.04, 0.04};
    struct oto_delta delta;

    (void)state;
    assert_int_equal(oto_delta_init(&delta, 2, 1, NULL), OTO_OK);
    assert_near(delta.taps[1][0], -0.5, 0.0);
    assert_near(delta.taps[1][1], 0.0, 0.0);
    assert_near(delta.taps[1][2], 0.5, 0.0);
    for (int i = 0; i < 5; i++)
        assert_near(delta.taps[2][i], second[i], 0.0);
    oto_delta_clear(&delta);
    assert_int_equal(oto_delta_init(&delta, 2, 2, NULL), OTO_OK);
    for (int i = 0; i < 9; i++)
        assert_near(delta.taps[2][i], second2[i], 1e-15);
    oto_delta_clear(&delta);
}

static void a_short_example_by_hand(void **state)
{
    const float x[] = {1, 10, 2, 20, 4, 40}; /* two columns */
    const float expected[] = {1,  10,    0.5f, 5, 0.75f, 7.5f, 2,  20,     1.5f,
                              15, 0.25f, 2.5f, 4, 40,    1,    10, -0.75f, -7.5f};
    struct oto_delta delta;
    float out[18];

    (void)state;
    assert_int_equal(oto_delta_init(&delta, 2, 1, NULL), OTO_OK);
    oto_delta_apply(&delta, out, x, 3, 2);
    for (int i = 0; i < 18; i++)
        assert_near(out[i], expected[i], 1e-6);
    oto_delta_clear(&delta);
}

static void a_ramp_has_slope_one_and_no_curvature(void **state)
{
    struct oto_delta delta;
    float x[40], out[120];

    (void)state;
    for (int t = 0; t < 40; t++)
        x[t] = (float)t;
    assert_int_equal(oto_delta_init(&delta, 2, 3, NULL), OTO_OK);
    oto_delta_apply(&delta, out, x, 40, 1);
    for (int t = 6; t < 34; t++) {
        assert_near(out[3 * t], t, 0.0);
        assert_near(out[3 * t + 1], 1.0, 1e-6);
        assert_near(out[3 * t + 2], 0.0, 1e-6);
    }
    oto_delta_clear(&delta);
}

static size_t clamp(long t, size_t n)
{
    return t < 0 ? 0 : (size_t)t >= n ? n - 1 : (size_t)t;
}

static void all_sizes_equal_the_definition(void **state)
{
    static const int dims[] = {1, 13, 16, 17, 40};
    static float x[25 * 40], out[25 * 40 * 3];

    (void)state;
    for (size_t i = 0; i < sizeof x / sizeof x[0]; i++)
        x[i] = (float)oto_rng_normal(2, 0, i);
    for (int window = 1; window <= 12; window += 3) {
        struct oto_delta delta;
        assert_int_equal(oto_delta_init(&delta, 2, window, NULL), OTO_OK);
        for (size_t n = 1; n <= 25; n += 4) {
            for (size_t w = 0; w < sizeof dims / sizeof dims[0]; w++) {
                const int dim = dims[w];
                oto_delta_apply(&delta, out, x, n, dim);
                for (size_t t = 0; t < n; t++)
                    for (int i = 0; i <= 2; i++)
                        for (int d = 0; d < dim; d++) {
                            double expected = 0.0;
                            for (int j = -i * window; j <= i * window; j++)
                                expected +=
                                    delta.taps[i][j + i * window] *
                                    (double)x[clamp((long)t + j, n) * (size_t)dim + (size_t)d];
                            assert_near(out[(t * 3 + (size_t)i) * (size_t)dim + (size_t)d],
                                        expected, 1e-6);
                        }
            }
        }
        oto_delta_clear(&delta);
    }
}

static void order_zero_copies(void **state)
{
    const float x[] = {1, 2, 3, 4, 5, 6};
    struct oto_delta delta;
    float out[6];

    (void)state;
    assert_int_equal(oto_delta_init(&delta, 0, 2, NULL), OTO_OK);
    oto_delta_apply(&delta, out, x, 2, 3);
    assert_memory_equal(out, x, sizeof x);
    oto_delta_clear(&delta);
    oto_delta_clear(&delta); /* twice is harmless */
}

static void allocation_failures_are_reported(void **state)
{
    (void)state;
    for (size_t nth = 1; nth <= 3; nth++) {
        struct oto_delta delta;
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_delta_init(&delta, 2, 2, NULL), OTO_ERR_MEMORY);
        oto_mem_fail_nth(0);
        oto_delta_clear(&delta);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taps_are_the_regression_slope),
        cmocka_unit_test(a_short_example_by_hand),
        cmocka_unit_test(a_ramp_has_slope_one_and_no_curvature),
        cmocka_unit_test(all_sizes_equal_the_definition),
        cmocka_unit_test(order_zero_copies),
        cmocka_unit_test(allocation_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
