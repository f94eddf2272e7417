/* SPDX-License-Identifier: BSD-2-Clause */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <math.h>
#include <stdbool.h>

#include "audio/resample.h"
#include "base/mem.h"
#include "near.h"

#define PI 3.14159265358979323846

static float *tone(size_t n, double hz, double rate_hz)
{
    float *x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)(0.5 * sin(2.0 * PI * hz * (double)i / rate_hz));
    }
    return x;
}

/* rms of what remains of y's middle half after the tone 0.5*sin(2*pi*hz*t) is taken off: frequency,
 * size, place. */
static double rest_after_tone(const float *y, size_t n, double hz, double rate_hz)
{
    double sum = 0.0;
    for (size_t i = n / 4; i < 3 * n / 4; i++) {
        double d = (double)y[i] - 0.5 * sin(2.0 * PI * hz * (double)i / rate_hz);
        sum += d * d;
    }
    return sqrt(sum / (double)(3 * n / 4 - n / 4));
}

/* Speech rates, and the odd ratios of speed perturbation. A tone keeps frequency, size and place to
 * soxr HQ's 20 bits. */
static void test_tones(void **state)
{
    static const double rates[][2] = {{4000, 16000},    {8000, 16000},         {11025, 16000},
                                      {22050, 16000},   {44100, 16000},        {48000, 16000},
                                      {96000, 16000},   {192000, 16000},       {16000, 8000},
                                      {16000, 44100},   {16000, 192000},       {16000, 16000 / 0.9},
                                      {16000, 15018.3}, {16000 * 1.07, 16000}, {192000, 4000}};
    (void)state;
    for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
        double in = rates[k][0], out = rates[k][1];
        size_t n = (size_t)(in * 0.6), n_out = 0;
        float *x = tone(n, 700.0, in), *y = NULL;
        oto_error err = {OTO_OK, ""};
        assert_int_equal(oto_resample(&y, &n_out, x, n, in, out, &err), OTO_OK);
        assert_near(n_out, (double)n * out / in, 1.0);
        assert_near(rest_after_tone(y, n_out, 700.0, out), 0.0, 1e-5);
        oto_free(y);
        free(x);
    }
}

/* What the lower rate cannot hold is taken out, not folded back. */
static void test_no_aliases(void **state)
{
    size_t n = 48000, n_out = 0;
    float *x = tone(n, 11000.0, 48000), *y = NULL;
    double sum = 0.0;
    (void)state;
    assert_int_equal(oto_resample(&y, &n_out, x, n, 48000, 16000, NULL), OTO_OK);
    for (size_t i = n_out / 4; i < 3 * n_out / 4; i++) {
        sum += (double)y[i] * (double)y[i];
    }
    assert_near(sqrt(sum / ((double)n_out / 2)), 0.0, 1e-5);
    oto_free(y);
    free(x);
}

/* Pushes all of x in portions, with room for room samples at a time, and flushes. */
static size_t push_all(struct oto_resampler *r, const float *x, size_t n, size_t portion,
                       size_t room, float *y)
{
    size_t at = 0, made = 0;
    while (true) {
        size_t used = 0, got = 0, left = n - at;
        left = left < portion ? left : portion;
        assert_int_equal(oto_resampler_push(r, left > 0 ? x + at : NULL, left, &used, y + made,
                                            room, &got, NULL),
                         OTO_OK);
        assert_true(used <= left && got <= room);
        at += used;
        made += got;
        if (at == n && left == 0 && got == 0) {
            return made;
        }
    }
}

/* Any portions give the same bits as one block, also after a reset. */
static void test_streaming_equals_block(void **state)
{
    static const double rates[][2] = {
        {44100, 16000}, {8000, 16000}, {16000, 16000}, {16000, 14545.4}};
    static const size_t portions[] = {1, 7, 160, 4096, 20000}, rooms[] = {1, 64, 5000};
    (void)state;
    for (size_t k = 0; k < 4; k++) {
        size_t n = 12345, n_block = 0;
        float *x = tone(n, 333.0, rates[k][0]), *block = NULL, *y = malloc(40000 * sizeof *y);
        struct oto_resampler *r = NULL;
        assert_non_null(y);
        assert_int_equal(oto_resample(&block, &n_block, x, n, rates[k][0], rates[k][1], NULL),
                         OTO_OK);
        assert_int_equal(oto_resampler_create(&r, rates[k][0], rates[k][1], NULL), OTO_OK);
        for (size_t p = 0; p < 5; p++) {
            for (size_t m = 0; m < 3; m++) {
                oto_resampler_reset(r);
                assert_int_equal(push_all(r, x, n, portions[p], rooms[m], y), n_block);
                assert_memory_equal(y, block, n_block * sizeof *y);
            }
        }
        oto_resampler_destroy(r);
        oto_free(block);
        free(x);
        free(y);
    }
}

static void test_empty(void **state)
{
    static const double rates[][2] = {{44100, 16000}, {16000, 16000}};
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        float *y = NULL;
        size_t n = 1;
        assert_int_equal(oto_resample(&y, &n, NULL, 0, rates[k][0], rates[k][1], NULL), OTO_OK);
        assert_int_equal(n, 0);
        assert_non_null(y);
        oto_free(y);
    }
    oto_resampler_destroy(NULL);
}

static void test_errors(void **state)
{
    static const double bad[] = {0.0, -1.0, NAN, INFINITY};
    struct oto_resampler *r = NULL;
    oto_error err = {OTO_OK, ""};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(oto_resampler_create(&r, bad[i], 16000, &err), OTO_ERR_ARGUMENT);
        assert_contains(err.message, "must be positive");
        assert_int_equal(oto_resampler_create(&r, 16000, bad[i], &err), OTO_ERR_ARGUMENT);
        assert_null(r);
    }
    assert_int_equal(oto_resampler_create(&r, 8000, 16000, &err), OTO_OK);
    float x[4] = {0}, y[64];
    size_t used, made;
    assert_int_equal(oto_resampler_push(r, NULL, 0, &used, y, 64, &made, &err), OTO_OK);
    assert_int_equal(oto_resampler_push(r, x, 4, &used, y, 64, &made, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "reset it first");
    oto_resampler_reset(r);
    assert_int_equal(oto_resampler_push(r, x, 4, &used, y, 64, &made, &err), OTO_OK);
    assert_int_equal(used, 4);
    oto_resampler_destroy(r);
}

static void test_out_of_memory(void **state)
{
    float x[100] = {0}, *y = NULL;
    size_t n = 0;
    oto_error err = {OTO_OK, ""};
    (void)state;
    for (size_t nth = 1; nth <= 2; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_resample(&y, &n, x, 100, 8000, 16000, &err), OTO_ERR_MEMORY);
        assert_contains(err.message, "out of memory");
        assert_null(y);
    }
    oto_mem_fail_nth(0);
    /* A length that no memory holds is refused before anything is converted. */
    assert_int_equal(oto_resample(&y, &n, x, SIZE_MAX / 2, 4000, 192000, &err), OTO_ERR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tones),
        cmocka_unit_test(test_no_aliases),
        cmocka_unit_test(test_streaming_equals_block),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
