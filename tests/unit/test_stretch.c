/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "near.h"
#include "toy_corpus.h"
#include "training/stretch.h"

enum { RATE = 16000 };

static float *stretch(const float *x, size_t n, size_t n_out)
{
    float *y;
    assert_int_equal(oto_stretch(&y, n_out, x, n, RATE, NULL), OTO_OK);
    return y;
}

/* A tone of 200 Hz: periods counted where it crosses zero upwards, and its rms. */
static void tones_keep_their_pitch(void **state)
{
    (void)state;
    enum { N = RATE };
    static const double factors[] = {0.6, 0.8, 0.93, 1.1, 1.3, 1.7};
    float *x = malloc(N * sizeof *x);
    assert_non_null(x);
    for (int i = 0; i < N; i++)
        x[i] = (float)(0.5 * sin(6.283185307179586 * 200 * i / RATE));
    for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
        size_t n_out = (size_t)lrint(N / factors[k]), first = 0, last = 0;
        int n_periods = -1;
        float *y = stretch(x, N, n_out);
        double power = 0;
        for (size_t i = 1000; i < n_out - 1000; i++) {
            power += (double)y[i] * (double)y[i] / (double)(n_out - 2000);
            if (y[i - 1] < 0 && y[i] >= 0) {
                first = n_periods < 0 ? i : first;
                last = i;
                n_periods++;
            }
        }
        double hz = (double)n_periods * RATE / (double)(last - first);
        print_message("factor %.2f: %.2f Hz, rms %.3f\n", factors[k], hz, sqrt(power));
        assert_near(hz, 200, 1.5);
        assert_near(sqrt(power), 0.5 / sqrt(2), 0.01);
        oto_free(y);
    }
    free(x);
}

/* Chords of a known order come out in the same order at stretched times: the middle of each holds
 * the energy at its pitch. */
static double energy_at(const float *x, size_t n, double hz)
{
    double re = 0, im = 0;
    for (size_t i = 0; i < n; i++) {
        double phase = 6.283185307179586 * hz * (double)i / RATE;
        re += (double)x[i] * cos(phase);
        im += (double)x[i] * sin(phase);
    }
    return (re * re + im * im) / (double)n;
}

static void sounds_keep_their_order(void **state)
{
    (void)state;
    enum { PART = RATE / 4, PARTS = 4, N = PART * PARTS };
    static const double hz[PARTS] = {300, 700, 450, 1100}, factors[] = {0.75, 1.4};
    float *x = malloc(N * sizeof *x);
    assert_non_null(x);
    for (int i = 0; i < N; i++)
        x[i] = (float)(0.3 * sin(6.283185307179586 * hz[i / PART] * i / RATE));
    for (int k = 0; k < 2; k++) {
        size_t n_out = (size_t)lrint(N / factors[k]), part = n_out / PARTS;
        float *y = stretch(x, N, n_out);
        for (int p = 0; p < PARTS; p++) {
            const float *middle = y + (size_t)p * part + part / 4;
            double own = energy_at(middle, part / 2, hz[p]);
            for (int q = 0; q < PARTS; q++)
                assert_true(q == p || energy_at(middle, part / 2, hz[q]) < 0.05 * own);
        }
        oto_free(y);
    }
    free(x);
}

static void same_length_is_the_same(void **state)
{
    (void)state;
    size_t n;
    float *x = toy_speak("abc", 1, 2, &n), *y = stretch(x, n, n);
    for (size_t i = 0; i < n; i++)
        assert_near(y[i], x[i], 1e-6);
    oto_free(y);
    free(x);
}

static void any_length_will_do(void **state)
{
    (void)state;
    size_t n;
    float *x = toy_speak("e", 1, 2, &n);
    for (size_t n_in = 0; n_in < 1200; n_in = 2 * n_in + 1)
        for (size_t n_out = 1; n_out < 1200; n_out *= 3) {
            float *y = stretch(x, n_in, n_out);
            for (size_t i = 0; i < n_out; i++)
                assert_true(isfinite(y[i]) && fabsf(y[i]) < 2);
            oto_free(y);
        }
    oto_free(stretch(x, n, 0));
    free(x);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    size_t n;
    float *x = toy_speak("a", 1, 1, &n), *y;
    oto_mem_fail_nth(0);
    oto_free(stretch(x, n, n / 2));
    size_t n_made = oto_mem_fail_nth(0);
    assert_int_equal(n_made, 3);
    for (size_t nth = 1; nth <= n_made; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_stretch(&y, n / 2, x, n, RATE, NULL), OTO_ERR_MEMORY);
        assert_null(y);
    }
    oto_mem_fail_nth(0);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tones_keep_their_pitch),  cmocka_unit_test(sounds_keep_their_order),
        cmocka_unit_test(same_length_is_the_same), cmocka_unit_test(any_length_will_do),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
