/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "near.h"
#include "otolith/audio.h"
#include "training/channel.h"
#include "training/convolve.h"

enum { RATE = 16000, N = 2 * RATE, FFT = 4096 };

static float x[N], y[N];

static void fill_noise(float scale)
{
    for (int i = 0; i < N; i++)
        x[i] = scale * (float)oto_rng_normal(1, 2, (uint64_t)i);
    memcpy(y, x, sizeof y);
}

/* Mean power from low to high Hz over Hann windows of the middle of a signal. */
static double band_power(const float *signal, double low_hz, double high_hz)
{
    struct oto_spectra s = {0};
    double sum = 0;
    assert_int_equal(oto_spectra_create(&s, FFT, NULL), OTO_OK);
    for (int start = FFT; start + 2 * FFT <= N; start += FFT / 2) {
        for (int i = 0; i < FFT; i++)
            s.samples[i] =
                signal[start + i] * (float)(0.5 - 0.5 * cos(6.283185307179586 * i / FFT));
        oto_spectra_forward(&s);
        for (int k = 0; k <= FFT / 2; k++) {
            double hz = (double)k * RATE / FFT, re = (double)s.spectrum[2 * k],
                   im = (double)s.spectrum[2 * k + 1];
            if (hz >= low_hz && hz < high_hz)
                sum += re * re + im * im;
        }
    }
    oto_spectra_clear(&s);
    return sum;
}

/* dB of the density in a band against that of the same band before. */
static double change_db(double low_hz, double high_hz)
{
    return 10 * log10(band_power(y, low_hz, high_hz) / band_power(x, low_hz, high_hz));
}

static void spectra_come_back(void **state)
{
    (void)state;
    static const int sizes[] = {4, 6, 64, 512, 1000, 4096};
    fill_noise(1);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct oto_spectra s = {0};
        assert_int_equal(oto_spectra_create(&s, sizes[k], NULL), OTO_OK);
        memcpy(s.samples, x, (size_t)sizes[k] * sizeof *x);
        oto_spectra_forward(&s);
        oto_spectra_backward(&s);
        for (int i = 0; i < sizes[k]; i++)
            assert_near(s.samples[i], x[i], 1e-5);
        oto_spectra_clear(&s);
    }
}

/* Against the sum that defines it, in double. */
static void convolution_is_its_sum(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 77, 1023, 1024, 1025, 3000}, totals[] = {1, 900, 5003};
    static float h[3000];
    for (int i = 0; i < 3000; i++)
        h[i] = (float)oto_rng_normal(4, 4, (uint64_t)i) / 30;
    for (size_t a = 0; a < sizeof lengths / sizeof *lengths; a++)
        for (size_t b = 0; b < sizeof totals / sizeof *totals; b++) {
            fill_noise(1);
            assert_int_equal(oto_convolve(y, totals[b], h, lengths[a], NULL), OTO_OK);
            for (size_t i = 0; i < totals[b]; i += 1 + totals[b] / 200) {
                double sum = 0;
                for (size_t k = 0; k < lengths[a] && k <= i; k++)
                    sum += (double)h[k] * (double)x[i - k];
                assert_near(y[i], sum, 2e-5);
            }
            assert_true(y[totals[b]] == x[totals[b]]);
        }
    assert_int_equal(oto_convolve(y, 10, h, 0, NULL), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_convolve(y, 10, h, ((size_t)1 << 20) + 1, NULL), OTO_ERR_ARGUMENT);
}

/* Every 8-bit code by another program's decoder: libsndfile reads it as raw mu-law. */
static void mulaw_is_that_of_g711(void **state)
{
    (void)state;
    unsigned char codes[256];
    float decoded[256];
    size_t n_read;
    oto_audio_options options;
    oto_audio *audio;
    for (int i = 0; i < 256; i++)
        codes[i] = (unsigned char)i;
    oto_audio_options_init(&options);
    options.raw = "mulaw:8000:1";
    assert_int_equal(oto_audio_open_memory(&audio, codes, 256, "codes", &options, NULL), OTO_OK);
    assert_int_equal(oto_audio_read(audio, decoded, 256, &n_read, NULL), OTO_OK);
    oto_audio_close(audio);
    assert_int_equal(n_read, 256);
    for (int i = 0; i < 256; i++) /* a value of the code stays what it is */
        assert_near(oto_mulaw(decoded[i]), decoded[i], 1e-7);
    for (int k = 0; k < 20000; k++) { /* others go to the nearest, up to its bounds */
        float value = (float)(2 * oto_rng_uniform(1, 1, (uint64_t)k) - 1), found = oto_mulaw(value);
        float nearest = decoded[0];
        for (int i = 1; i < 256; i++)
            if (fabsf(decoded[i] - value) < fabsf(nearest - value))
                nearest = decoded[i];
        /* bounds of cells lie in the middle, but where the step doubles at twice the distance */
        assert_true(found == nearest || fabsf(found - value) < 2 * fabsf(nearest - value) + 1e-6F);
    }
    assert_true(oto_mulaw(0) == 0);
    assert_near(oto_mulaw(1), 8031 / 8192.0, 1e-7);
    assert_near(oto_mulaw(-3), -8031 / 8192.0, 1e-7);
}

static void telephones_have_their_band(void **state)
{
    (void)state;
    static const int rates[] = {16000, 8000};
    for (int k = 0; k < 2; k++) {
        fill_noise(0.05F);
        /* RATE stands for the other rate, too: the band lies at twice these frequencies then */
        double scale = (double)RATE / rates[k];
        assert_int_equal(oto_telephone(y, N, rates[k], -20, NULL), OTO_OK);
        assert_near(oto_mean_power(y, N), oto_mean_power(x, N), 1e-8);
        double middle = change_db(500 * scale, 3000 * scale);
        double low = change_db(0, 150 * scale) - middle, edge = change_db(290 * scale, 310 * scale);
        double high = change_db(3600 * scale, 4000 * scale) - middle;
        print_message("%d Hz: below %.1f, at the edge %.1f, above %.1f dB\n", rates[k], low,
                      edge - middle, high);
        /* mu-law's own noise, 38 dB below the whole signal, fills what the filter has emptied */
        assert_true(low < -35 && high < -33);
        assert_near(edge - middle, -6, 1.5);
        for (int hz = 400; hz < 3300; hz += 200)
            assert_near(change_db(hz * scale, (hz + 100) * scale), middle, 1.0);
        if (rates[k] == 16000)
            assert_true(change_db(4200, 8000) - middle < -60);
    }
}

/* mu-law's noise at two levels, from what fills the empty band above 3.6 kHz. */
static void faint_calls_are_noisier(void **state)
{
    (void)state;
    double noise[2];
    for (int k = 0; k < 2; k++) {
        fill_noise(0.05F);
        assert_int_equal(oto_telephone(y, N, 16000, k == 0 ? -15 : -60, NULL), OTO_OK);
        noise[k] = change_db(3700, 3900) - change_db(500, 3000);
    }
    print_message("noise at -15 dB: %.1f dB, at -60 dB: %.1f dB\n", noise[0], noise[1]);
    assert_true(noise[1] > noise[0] + 10);
}

/* The noise that is added, against the signal, where steps are smaller than coefficients. */
static void codecs_add_their_noise(void **state)
{
    (void)state;
    static const double ratios[] = {15, 25, 40};
    for (size_t k = 0; k < sizeof ratios / sizeof *ratios; k++) {
        fill_noise(0.1F);
        assert_int_equal(oto_codec(y, N, RATE, ratios[k], 8000, NULL), OTO_OK);
        for (int i = 0; i < N; i++)
            y[i] -= x[i];
        double whole = -change_db(0, 8000), low = -change_db(200, 1000),
               high = -change_db(5000, 8000);
        print_message("wanted %g dB: %.2f, low band %.2f, high band %.2f\n", ratios[k], whole, low,
                      high);
        assert_near(whole, ratios[k], 1);
        assert_near(low, ratios[k], 1.5);
        assert_near(high, ratios[k], 1);
    }
}

static void codecs_cut_the_band(void **state)
{
    (void)state;
    fill_noise(0.1F);
    assert_int_equal(oto_codec(y, N, RATE, 20, 3000, NULL), OTO_OK);
    double middle = change_db(200, 2800);
    assert_true(change_db(3200, 8000) - middle < -45);
    assert_near(change_db(2500, 2900), middle, 1);
    assert_near(oto_mean_power(y, N), oto_mean_power(x, N), 1e-8);
    /* few bits leave holes: more and more coefficients are 0 */
    fill_noise(0.1F);
    assert_int_equal(oto_codec(y, N, RATE, 0, 8000, NULL), OTO_OK);
    for (int i = 0; i < N; i++)
        assert_true(isfinite(y[i]));
}

static void silence_and_short_signals_are_survived(void **state)
{
    (void)state;
    float few[3] = {0.1F, -0.2F, 0.3F};
    memset(y, 0, sizeof y);
    assert_int_equal(oto_telephone(y, N, RATE, -20, NULL), OTO_OK);
    assert_int_equal(oto_codec(y, N, RATE, 10, 4000, NULL), OTO_OK);
    for (int i = 0; i < N; i++)
        assert_true(y[i] == 0);
    for (size_t n = 0; n <= 3; n++) {
        assert_int_equal(oto_telephone(few, n, RATE, -20, NULL), OTO_OK);
        assert_int_equal(oto_codec(few, n, RATE, 10, 4000, NULL), OTO_OK);
    }
    for (int i = 0; i < 3; i++)
        assert_true(isfinite(few[i]));
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    float h[5] = {1, 0.5F, 0.25F, 0, 1};
    for (int k = 0; k < 3; k++)
        for (size_t nth = 0, n = 0; nth <= n; nth++) {
            oto_mem_fail_nth(nth);
            oto_status status = k == 0   ? oto_convolve(y, 5000, h, 5, NULL)
                                : k == 1 ? oto_telephone(y, 5000, RATE, -20, NULL)
                                         : oto_codec(y, 5000, RATE, 20, 4000, NULL);
            size_t n_made = oto_mem_fail_nth(0);
            assert_int_equal(status, nth == 0 ? OTO_OK : OTO_ERR_MEMORY);
            n = nth == 0 ? n_made : n;
            assert_true(n > 3);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectra_come_back),
        cmocka_unit_test(convolution_is_its_sum),
        cmocka_unit_test(mulaw_is_that_of_g711),
        cmocka_unit_test(telephones_have_their_band),
        cmocka_unit_test(faint_calls_are_noisier),
        cmocka_unit_test(codecs_add_their_noise),
        cmocka_unit_test(codecs_cut_the_band),
        cmocka_unit_test(silence_and_short_signals_are_survived),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
