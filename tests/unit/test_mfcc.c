/* SPDX-License-Identifier: BSD-2-Clause */
/* One frame to one vector, against the definition in double precision. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/frontend_options.h"
#include "features/mel.h"
#include "features/mfcc.h"
#include "near.h"

#define PI 3.14159265358979323846
#define N_WINDOW 400
#define N_FFT 512

static struct oto_frontend_options defaults(void)
{
    struct oto_frontend_options o = {0};
    assert_int_equal(oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &o, NULL),
                     OTO_OK);
    return o;
}

static struct oto_mfcc *make(const struct oto_frontend_options *o, enum oto_fft_backend backend)
{
    struct oto_mfcc *mfcc = NULL;
    assert_int_equal(oto_frontend_options_check(o, NULL), OTO_OK);
    assert_int_equal(oto_mfcc_create(&mfcc, o, backend, NULL), OTO_OK);
    return mfcc;
}

/* Log-mel of the default frame by the definition: mean off, pre-emphasis, povey, power, triangles,
 * log. */
static void reference_log_mel(double *out, const float *x, int n_mels)
{
    const double low = oto_mel_from_hz(20), step = (oto_mel_from_hz(8000) - low) / (n_mels + 1);
    double y[N_WINDOW], mean = 0.0;

    for (int i = 0; i < N_WINDOW; i++)
        mean += (double)x[i] / N_WINDOW;
    for (int i = 0; i < N_WINDOW; i++)
        y[i] = ((double)x[i] - mean - 0.97 * ((double)x[i ? i - 1 : 0] - mean)) *
               pow(0.5 - 0.5 * cos(2.0 * PI * i / (N_WINDOW - 1)), 0.85);
    for (int m = 0; m < n_mels; m++)
        out[m] = 0.0;
    for (int k = 0; k < N_FFT / 2; k++) {
        double re = 0.0, im = 0.0;
        for (int i = 0; i < N_WINDOW; i++) {
            re += y[i] * cos(2.0 * PI * (i * k % N_FFT) / N_FFT);
            im -= y[i] * sin(2.0 * PI * (i * k % N_FFT) / N_FFT);
        }
        for (int m = 0; m < n_mels; m++)
            out[m] +=
                fmax(0.0, 1.0 - fabs(oto_mel_from_hz(k * 31.25) - low - (m + 1) * step) / step) *
                (re * re + im * im);
    }
    for (int m = 0; m < n_mels; m++)
        out[m] = log(fmax(out[m], (double)FLT_EPSILON));
}

static void noise(float *x, uint64_t stream)
{
    for (int i = 0; i < N_WINDOW; i++)
        x[i] = (float)(2000.0 * oto_rng_normal(7, stream, (uint64_t)i) + 100.0);
}

static void a_frame_equals_the_definition(void **state)
{
    struct oto_frontend_options o = defaults();
    double mels[40];
    float x[N_WINDOW], out[40];

    (void)state;
    noise(x, 0);
    reference_log_mel(mels, x, 40);
    for (int backend = OTO_FFT_AUTO; backend <= OTO_FFT_KISS; backend++) {
        o.kind = OTO_FEATURE_FBANK;
        struct oto_mfcc *mfcc = make(&o, (enum oto_fft_backend)backend);
        oto_mfcc_compute(mfcc, out, x);
        for (int m = 0; m < 40; m++)
            assert_near(out[m], mels[m], 1e-5);
        oto_mfcc_destroy(mfcc);

        o.kind = OTO_FEATURE_MFCC;
        mfcc = make(&o, (enum oto_fft_backend)backend);
        oto_mfcc_compute(mfcc, out, x);
        for (int q = 0; q < 40; q++) {
            double expected = 0.0;
            for (int m = 0; m < 40; m++)
                expected += sqrt((q ? 2.0 : 1.0) / 40) * cos(PI * q * (m + 0.5) / 40) * mels[m];
            assert_near(out[q], expected * (1.0 + 11.0 * sin(PI * q / 22)), 1e-4);
        }
        oto_mfcc_destroy(mfcc);
    }
}

static void widths_and_names(void **state)
{
    struct oto_frontend_options o = defaults();
    struct oto_mfcc *mfcc;

    (void)state;
    o.n_ceps = 13;
    mfcc = make(&o, OTO_FFT_KISS);
    assert_int_equal(oto_mfcc_dim(mfcc), 13);
    assert_string_equal(oto_mfcc_fft_name(mfcc), "KissFFT");
    oto_mfcc_destroy(mfcc);
    o.kind = OTO_FEATURE_FBANK;
    mfcc = make(&o, OTO_FFT_AUTO);
    assert_int_equal(oto_mfcc_dim(mfcc), 40);
#ifdef OTO_HAVE_FFTW
    assert_string_equal(oto_mfcc_fft_name(mfcc), "FFTW");
#else
    assert_string_equal(oto_mfcc_fft_name(mfcc), "KissFFT");
#endif
    oto_mfcc_destroy(mfcc);
    o.use_energy = true;
    mfcc = make(&o, OTO_FFT_AUTO);
    assert_int_equal(oto_mfcc_dim(mfcc), 41);
    oto_mfcc_destroy(mfcc);
}

static void a_tone_lands_in_its_mel_band(void **state)
{
    struct oto_frontend_options o = defaults();
    const double low = oto_mel_from_hz(20), step = (oto_mel_from_hz(8000) - low) / 41;
    struct oto_mfcc *mfcc;
    float x[N_WINDOW], out[40];

    (void)state;
    o.kind = OTO_FEATURE_FBANK;
    mfcc = make(&o, OTO_FFT_AUTO);
    for (int m = 5; m < 40; m++) { /* below, a filter is narrower than the window's main lobe */
        const double hz = oto_mel_to_hz(low + (m + 1) * step);
        int best = 0;
        for (int i = 0; i < N_WINDOW; i++)
            x[i] = (float)(10000.0 * sin(2.0 * PI * hz * i / 16000));
        oto_mfcc_compute(mfcc, out, x);
        for (int k = 1; k < 40; k++)
            best = out[k] > out[best] ? k : best;
        assert_int_equal(best, m);
    }
    oto_mfcc_destroy(mfcc);
}

static void silence_and_extremes_are_finite(void **state)
{
    static const float levels[] = {0.0f, 1e-30f, 1.0f, 32767.0f, 3.2768e10f};
    struct oto_frontend_options o = defaults();
    float x[N_WINDOW], out[41];

    (void)state;
    for (int kind = 0; kind < 2; kind++)
        for (int energy = 0; energy < 2; energy++) {
            o.kind = kind;
            o.use_energy = energy;
            struct oto_mfcc *mfcc = make(&o, OTO_FFT_AUTO);
            for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++) {
                for (int i = 0; i < N_WINDOW; i++)
                    x[i] = i % 2 ? levels[l] : -levels[l];
                oto_mfcc_compute(mfcc, out, x);
                for (int d = 0; d < oto_mfcc_dim(mfcc); d++)
                    assert_true(isfinite(out[d]));
            }
            oto_mfcc_destroy(mfcc);
        }
}

static void silence_is_the_logarithm_of_the_floor(void **state)
{
    struct oto_frontend_options o = defaults();
    struct oto_mfcc *mfcc = make(&o, OTO_FFT_AUTO);
    float x[N_WINDOW] = {0}, out[40];

    (void)state;
    for (int faint = 0; faint < 2;
         faint++) { /* nothing, then noise whose energies lie below the floor */
        for (int i = 0; i < N_WINDOW; i++)
            x[i] = faint ? (float)(1e-6 * oto_rng_normal(7, 2, (uint64_t)i)) : 0.0f;
        oto_mfcc_compute(mfcc, out, x);
        assert_near(out[0], sqrt(40.0) * log((double)FLT_EPSILON), 1e-4);
        for (int q = 1; q < 40; q++)
            assert_near(out[q], 0.0, 1e-3);
    }
    oto_mfcc_destroy(mfcc);
}

static void energy_has_its_variants(void **state)
{
    struct oto_frontend_options o = defaults();
    float x[N_WINDOW], out[40], raw;
    double mean = 0.0, energy = 0.0;
    struct oto_mfcc *mfcc;

    (void)state;
    noise(x, 1);
    for (int i = 0; i < N_WINDOW; i++)
        mean += (double)x[i] / N_WINDOW;
    for (int i = 0; i < N_WINDOW; i++)
        energy += ((double)x[i] - mean) * ((double)x[i] - mean);
    o.use_energy = true;
    mfcc = make(&o, OTO_FFT_AUTO);
    oto_mfcc_compute(mfcc, out, x);
    raw = out[0];
    assert_near(raw, log(energy), 1e-5);
    oto_mfcc_destroy(mfcc);
    o.raw_energy = false;
    mfcc = make(&o, OTO_FFT_AUTO);
    oto_mfcc_compute(mfcc, out, x);
    assert_true(fabsf(out[0] - raw) > 0.05f);
    oto_mfcc_destroy(mfcc);
    o.energy_floor = 1e20;
    mfcc = make(&o, OTO_FFT_AUTO);
    oto_mfcc_compute(mfcc, out, x);
    assert_near(out[0], log(1e20), 1e-5);
    oto_mfcc_destroy(mfcc);
}

static void allocation_failures_are_reported(void **state)
{
    struct oto_frontend_options o = defaults();

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        size_t nth = 1;
        o.kind = kind;
        for (;; nth++) {
            struct oto_mfcc *mfcc = (struct oto_mfcc *)&o;
            oto_error err = {0};
            oto_mem_fail_nth(nth);
            const oto_status status = oto_mfcc_create(&mfcc, &o, OTO_FFT_AUTO, &err);
            oto_mem_fail_nth(0);
            if (status == OTO_OK) {
                oto_mfcc_destroy(mfcc);
                break;
            }
            assert_int_equal(status, OTO_ERR_MEMORY);
            assert_non_null(strstr(err.message, "out of memory"));
            assert_null(mfcc);
        }
        assert_true(nth > 12);
    }
    oto_mfcc_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_equals_the_definition),
        cmocka_unit_test(widths_and_names),
        cmocka_unit_test(a_tone_lands_in_its_mel_band),
        cmocka_unit_test(silence_and_extremes_are_finite),
        cmocka_unit_test(silence_is_the_logarithm_of_the_floor),
        cmocka_unit_test(energy_has_its_variants),
        cmocka_unit_test(allocation_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
