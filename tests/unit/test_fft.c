/* SPDX-License-Identifier: BSD-2-Clause */
/* The two FFT back ends against a direct transform in double precision, and against each other. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/fft.h"

static const int sizes[] = {4, 6, 8, 10, 30, 64, 100, 254, 256, 400, 512, 1024, 2048};
#define N_SIZES (sizeof sizes / sizeof sizes[0])

static const enum oto_fft_backend backends[] = {
    OTO_FFT_KISS,
#ifdef OTO_HAVE_FFTW
    OTO_FFT_FFTW,
#endif
};
#define N_BACKENDS (sizeof backends / sizeof backends[0])

static void fill(float *x, int n, uint64_t stream)
{
    for (int i = 0; i < n; i++)
        x[i] = (float)oto_rng_normal(1, stream, (uint64_t)i);
}

static void transform(enum oto_fft_backend backend, float *spectrum, const float *x, int n)
{
    struct oto_fft *fft = NULL;
    float *copy = oto_calloc((size_t)n, sizeof *copy);

    assert_non_null(copy);
    memcpy(copy, x, (size_t)n * sizeof *copy);
    assert_int_equal(oto_fft_create(&fft, n, backend, NULL), OTO_OK);
    assert_int_equal(fft->n, n);
    oto_fft_forward(fft, spectrum, copy);
    oto_fft_destroy(fft);
    oto_free(copy);
}

/* Largest error of a spectrum over the rms of the true one. */
static double error_of(const float *spectrum, const float *x, int n)
{
    double worst = 0.0, power = 0.0;

    for (int k = 0; k <= n / 2; k++) {
        double re = 0.0, im = 0.0;
        for (int i = 0; i < n; i++) {
            const double angle = -2.0 * 3.14159265358979323846 * (double)((int64_t)i * k % n) / n;
            re += (double)x[i] * cos(angle);
            im += (double)x[i] * sin(angle);
        }
        worst = fmax(worst, hypot((double)spectrum[2 * k] - re, (double)spectrum[2 * k + 1] - im));
        power += re * re + im * im;
    }
    return worst / sqrt(power / (n / 2 + 1));
}

static void back_ends_equal_the_definition(void **state)
{
    (void)state;
    for (size_t b = 0; b < N_BACKENDS; b++) {
        double worst = 0.0;
        for (size_t s = 0; s < N_SIZES; s++) {
            const int n = sizes[s];
            float *x = oto_calloc((size_t)n, sizeof *x);
            float *spectrum = oto_calloc((size_t)n + 2, sizeof *spectrum);
            assert_non_null(x);
            assert_non_null(spectrum);
            fill(x, n, (uint64_t)n);
            transform(backends[b], spectrum, x, n);
            worst = fmax(worst, error_of(spectrum, x, n) / log2(n));
            oto_free(spectrum);
            oto_free(x);
        }
        print_message("back end %d: worst error %.2g of rms per doubling\n", (int)backends[b],
                      worst);
        assert_true(worst <= 4e-7);
    }
}

static void back_ends_agree(void **state)
{
    (void)state;
#ifdef OTO_HAVE_FFTW
    for (size_t s = 0; s < N_SIZES; s++) {
        const int n = sizes[s];
        float *x = oto_calloc((size_t)n, sizeof *x);
        float *kiss = oto_calloc((size_t)n + 2, sizeof *kiss);
        float *fftw = oto_calloc((size_t)n + 2, sizeof *fftw);
        double worst = 0.0;
        assert_true(x && kiss && fftw);
        fill(x, n, (uint64_t)n);
        transform(OTO_FFT_KISS, kiss, x, n);
        transform(OTO_FFT_FFTW, fftw, x, n);
        for (int i = 0; i < n + 2; i++)
            worst = fmax(worst, fabs((double)kiss[i] - (double)fftw[i]));
        assert_true(worst <= 8e-7 * log2(n) * sqrt(n)); /* sqrt(n) is the rms of a line */
        oto_free(fftw);
        oto_free(kiss);
        oto_free(x);
    }
#else
    print_message("this build has no FFTW\n");
    skip();
#endif
}

static void same_plan_gives_same_bits(void **state)
{
    (void)state;
    for (size_t b = 0; b < N_BACKENDS; b++) {
        float *x = oto_calloc(512, sizeof *x);
        float *first = oto_calloc(514, sizeof *first), *second = oto_calloc(514, sizeof *second);
        assert_true(x && first && second);
        fill(x, 512, 9);
        transform(backends[b], first, x, 512);
        transform(backends[b], second, x, 512);
        assert_memory_equal(first, second, 514 * sizeof *first);
        oto_free(second);
        oto_free(first);
        oto_free(x);
    }
}

static void wrong_arguments_are_named(void **state)
{
    static const int bad[] = {-512, 0, 2, 3, 513, (1 << 22) + 2};
    oto_error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct oto_fft *fft = (struct oto_fft *)&err;
        char expected[32];
        assert_int_equal(oto_fft_create(&fft, bad[i], OTO_FFT_AUTO, &err), OTO_ERR_ARGUMENT);
        assert_null(fft);
        snprintf(expected, sizeof expected, "FFT size %d", bad[i]);
        assert_non_null(strstr(err.message, expected));
    }
    struct oto_fft *fft = NULL;
    assert_int_equal(oto_fft_create(&fft, 8, (enum oto_fft_backend)7, &err), OTO_ERR_ARGUMENT);
    assert_null(fft);
#ifndef OTO_HAVE_FFTW
    assert_int_equal(oto_fft_create(&fft, 8, OTO_FFT_FFTW, &err), OTO_ERR_UNSUPPORTED);
#endif
    oto_fft_destroy(NULL);
}

static void allocation_failures_are_reported(void **state)
{
    (void)state;
    for (size_t b = 0; b < N_BACKENDS; b++) {
        size_t nth = 1;
        for (;; nth++) {
            struct oto_fft *fft = NULL;
            oto_mem_fail_nth(nth);
            const oto_status status = oto_fft_create(&fft, 64, backends[b], NULL);
            oto_mem_fail_nth(0);
            if (status == OTO_OK) {
                oto_fft_destroy(fft);
                break;
            }
            assert_int_equal(status, OTO_ERR_MEMORY);
            assert_null(fft);
        }
        assert_true(nth > 2);
    }
}

static void *make_plans(void *arg)
{
    size_t *failures = arg;

    for (int i = 0; i < 50; i++) {
        for (size_t b = 0; b < N_BACKENDS; b++) {
            struct oto_fft *fft = NULL;
            if (oto_fft_create(&fft, sizes[(size_t)i % N_SIZES], backends[b], NULL))
                ++*failures;
            oto_fft_destroy(fft);
        }
    }
    return NULL;
}

static void plans_are_made_from_several_threads(void **state)
{
    pthread_t threads[4];
    size_t failures[4] = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_plans, &failures[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failures[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(back_ends_equal_the_definition),
        cmocka_unit_test(back_ends_agree),
        cmocka_unit_test(same_plan_gives_same_bits),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(allocation_failures_are_reported),
        cmocka_unit_test(plans_are_made_from_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
