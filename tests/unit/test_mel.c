/* SPDX-License-Identifier: BSD-2-Clause */
/* The mel filter bank against its definition. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/mel.h"
#include "near.h"

static struct oto_mel *make(int n_mels, int n_fft, double rate, double low, double high)
{
    struct oto_mel *mel = NULL;
    assert_int_equal(oto_mel_create(&mel, n_mels, n_fft, rate, low, high, NULL), OTO_OK);
    return mel;
}

static void scale_is_the_usual_one(void **state)
{
    (void)state;
    assert_near(oto_mel_from_hz(0.0), 0.0, 0.0);
    assert_near(oto_mel_from_hz(1000.0), 1000.0, 0.02); /* 1127 ln(1 + 1000/700) = 999.99 */
    assert_near(oto_mel_from_hz(8000.0), 2840.0, 0.1);
    for (double hz = 10.0; hz < 24000.0; hz *= 1.3)
        assert_near(oto_mel_to_hz(oto_mel_from_hz(hz)), hz, 1e-8 * hz);
}

/* Weight by the definition. */
static double weight(int m, int k, int n_mels, int n_fft, double rate, double low, double high)
{
    const double step = (oto_mel_from_hz(high) - oto_mel_from_hz(low)) / (n_mels + 1);
    const double centre = oto_mel_from_hz(low) + (m + 1) * step;
    return fmax(0.0, 1.0 - fabs(oto_mel_from_hz(rate / n_fft * k) - centre) / step);
}

static void energies_equal_the_definition(void **state)
{
    static const struct {
        int n_mels, n_fft;
        double rate, low, high;
    } banks[] = {{40, 512, 16000, 20, 8000}, {23, 512, 16000, 20, 8000},
                 {80, 512, 16000, 20, 7600}, {40, 256, 8000, 20, 4000},
                 {3, 8, 1000, 20, 500},      {64, 2048, 48000, 0, 24000}};

    (void)state;
    for (size_t b = 0; b < sizeof banks / sizeof banks[0]; b++) {
        const int n_fft = banks[b].n_fft, n_mels = banks[b].n_mels, n_bins = n_fft / 2 + 1;
        struct oto_mel *mel = make(n_mels, n_fft, banks[b].rate, banks[b].low, banks[b].high);
        float *power = oto_calloc(oto_mel_spectrum_size(mel), sizeof *power);
        float *energies = oto_calloc((size_t)n_mels, sizeof *energies);
        assert_true(power && energies);
        assert_int_equal(oto_mel_spectrum_size(mel), n_bins + 3);
        for (int k = 0; k < n_bins + 3; k++)
            power[k] = (float)(1e6 * oto_rng_uniform(5, b, (uint64_t)k));
        oto_mel_compute(mel, energies, power);
        for (int m = 0; m < n_mels; m++) {
            double expected = 0.0;
            for (int k = 0; k < n_bins - 1; k++)
                expected +=
                    weight(m, k, n_mels, n_fft, banks[b].rate, banks[b].low, banks[b].high) *
                    (double)power[k];
            assert_true(expected > 0.0);
            assert_near((double)energies[m] / expected, 1.0, 1e-6);
        }
        oto_free(energies);
        oto_free(power);
        oto_mel_destroy(mel);
    }
}

/* Between the first and the last centre every line is shared out wholly between two filters. */
static void filters_sum_to_one(void **state)
{
    struct oto_mel *mel = make(40, 512, 16000, 20, 8000);
    float *power = oto_calloc(oto_mel_spectrum_size(mel), sizeof *power), energies[40];
    const double step = (oto_mel_from_hz(8000) - oto_mel_from_hz(20)) / 41.0;
    int n_checked = 0;

    (void)state;
    assert_non_null(power);
    for (int k = 0; k < 256; k++) {
        const double at = oto_mel_from_hz(k * 31.25) - oto_mel_from_hz(20);
        double sum = 0.0;
        if (at < step || at > 40.0 * step)
            continue;
        memset(power, 0, oto_mel_spectrum_size(mel) * sizeof *power);
        power[k] = 1.0f;
        oto_mel_compute(mel, energies, power);
        for (int m = 0; m < 40; m++)
            sum += (double)energies[m];
        assert_near(sum, 1.0, 1e-6);
        n_checked++;
    }
    assert_true(n_checked > 230);
    oto_free(power);
    oto_mel_destroy(mel);
}

static void a_line_lands_in_the_filter_around_it(void **state)
{
    struct oto_mel *mel = make(40, 512, 16000, 20, 8000);
    float *power = oto_calloc(oto_mel_spectrum_size(mel), sizeof *power), energies[40];
    const double low = oto_mel_from_hz(20), step = (oto_mel_from_hz(8000) - low) / 41.0;

    (void)state;
    assert_non_null(power);
    for (int k = 2; k < 248; k++) {
        const int nearest = (int)lround((oto_mel_from_hz(k * 31.25) - low) / step) - 1;
        int best = 0;
        memset(power, 0, oto_mel_spectrum_size(mel) * sizeof *power);
        power[k] = 1.0f;
        oto_mel_compute(mel, energies, power);
        for (int m = 1; m < 40; m++)
            best = energies[m] > energies[best] ? m : best;
        assert_int_equal(best, nearest);
    }
    oto_free(power);
    oto_mel_destroy(mel);
}

static void the_line_at_nyquist_is_not_used(void **state)
{
    struct oto_mel *mel = make(10, 512, 16000, 20, 8000);
    float *power = oto_calloc(oto_mel_spectrum_size(mel), sizeof *power), energies[10];

    (void)state;
    assert_non_null(power);
    power[256] = power[257] = power[258] = power[259] = 1e9f;
    oto_mel_compute(mel, energies, power);
    for (int m = 0; m < 10; m++)
        assert_near(energies[m], 0.0, 0.0);
    oto_free(power);
    oto_mel_destroy(mel);
}

static void impossible_banks_are_refused(void **state)
{
    static const struct {
        int n_mels, n_fft;
        double low, high;
        oto_status status;
        const char *text;
    } bad[] = {
        {40, 512, -1, 8000, OTO_ERR_CONFIG, "low-hz"},
        {40, 512, 20, 8001, OTO_ERR_CONFIG, "8000 (half"},
        {40, 512, 4000, 4000, OTO_ERR_CONFIG, "low-hz"},
        {40, 512, NAN, 8000, OTO_ERR_CONFIG, "low-hz"},
        {40, 512, 20, NAN, OTO_ERR_CONFIG, "high-hz"},
        {200, 512, 20, 8000, OTO_ERR_CONFIG, "holds no spectral line"},
        {0, 512, 20, 8000, OTO_ERR_ARGUMENT, "0 filters"},
        {40, 511, 20, 8000, OTO_ERR_ARGUMENT, "511 points"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct oto_mel *mel = (struct oto_mel *)&mel;
        oto_error err = {0};
        assert_int_equal(
            oto_mel_create(&mel, bad[i].n_mels, bad[i].n_fft, 16000, bad[i].low, bad[i].high, &err),
            bad[i].status);
        assert_null(mel);
        assert_non_null(strstr(err.message, bad[i].text));
    }
    oto_mel_destroy(NULL);
}

static void allocation_failures_are_reported(void **state)
{
    size_t nth = 1;

    (void)state;
    for (;; nth++) {
        struct oto_mel *mel = NULL;
        oto_mem_fail_nth(nth);
        const oto_status status = oto_mel_create(&mel, 23, 512, 16000, 20, 8000, NULL);
        oto_mem_fail_nth(0);
        if (status == OTO_OK) {
            oto_mel_destroy(mel);
            break;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
        assert_null(mel);
    }
    assert_int_equal(nth, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale_is_the_usual_one),
        cmocka_unit_test(energies_equal_the_definition),
        cmocka_unit_test(filters_sum_to_one),
        cmocka_unit_test(a_line_lands_in_the_filter_around_it),
        cmocka_unit_test(the_line_at_nyquist_is_not_used),
        cmocka_unit_test(impossible_banks_are_refused),
        cmocka_unit_test(allocation_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
