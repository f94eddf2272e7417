/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/channel.h"

#include <math.h>
#include <string.h>

#include "audio/resample.h"
#include "base/mem.h"
#include "training/convolve.h"

static const double pi = 3.14159265358979323846;

double oto_mean_power(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return n > 0 ? sum / (double)n : 0;
}

void oto_set_power(float *x, size_t n, double power)
{
    double now = oto_mean_power(x, n);
    float scale = now > 0 ? (float)sqrt(power / now) : 1;
    for (size_t i = 0; i < n; i++)
        x[i] *= scale;
}

/* ---- telephone ------------------------------------------------------------------------------- */

float oto_mulaw(float x)
{
    /* G.711 in the 14-bit numbers of its table, with magnitudes moved up by 33: eight segments,
     * each twice as coarse as the one below, of 16 steps. */
    float magnitude = fminf(fabsf(x) * 8192, 8158) + 33;
    int exponent;
    frexpf(magnitude, &exponent); /* 2^(exponent-1) <= magnitude; 33 to 63 have exponent 6 */
    float step = ldexpf(1, exponent - 5);
    return copysignf((floorf(magnitude / step) + 0.5F) * step - 33, x) / 8192;
}

enum { TELEPHONE_HZ = 8000, HALF_FILTER = 128 };

/* Difference of two low-passes under a Blackman window; symmetric around HALF_FILTER. */
static void fill_telephone_filter(float h[2 * HALF_FILTER + 1])
{
    double low = 2 * 300.0 / TELEPHONE_HZ, high = 2 * 3400.0 / TELEPHONE_HZ;
    for (int i = -HALF_FILTER; i <= HALF_FILTER; i++) {
        double x = pi * i, phase = x / HALF_FILTER;
        double window = 0.42 + 0.5 * cos(phase) + 0.08 * cos(2 * phase);
        h[i + HALF_FILTER] =
            (float)(window * (i == 0 ? high - low : (sin(high * x) - sin(low * x)) / x));
    }
}

/* Takes over the samples of *x: the band, delayed by nothing, and then mu-law. */
static oto_status speak_through(float **x, size_t n, double level_db, oto_error *err)
{
    float h[2 * HALF_FILTER + 1];
    float *line = oto_calloc(n + HALF_FILTER, sizeof *line);
    if (!line)
        return oto_fail_memory(err, "telephone");
    memcpy(line, *x, n * sizeof *line);
    fill_telephone_filter(h);
    oto_status status = oto_convolve(line, n + HALF_FILTER, h, 2 * HALF_FILTER + 1, err);
    if (status == OTO_OK) {
        float *spoken = line + HALF_FILTER;
        double power = oto_mean_power(spoken, n);
        oto_set_power(spoken, n, pow(10, level_db / 10));
        for (size_t i = 0; i < n && power > 0; i++)
            spoken[i] = oto_mulaw(spoken[i]);
        memcpy(*x, spoken, n * sizeof *line);
    }
    oto_free(line);
    return status;
}

oto_status oto_telephone(float *x, size_t n, int rate_hz, double level_db, oto_error *err)
{
    double power = oto_mean_power(x, n);
    float *narrow = NULL, *wide = NULL;
    size_t n_narrow, n_wide;
    if (n == 0)
        return OTO_OK;
    oto_status status = oto_resample(&narrow, &n_narrow, x, n, rate_hz, TELEPHONE_HZ, err);
    if (status == OTO_OK)
        status = speak_through(&narrow, n_narrow, level_db, err);
    if (status == OTO_OK)
        status = oto_resample(&wide, &n_wide, narrow, n_narrow, TELEPHONE_HZ, rate_hz, err);
    if (status == OTO_OK) {
        size_t n_copied = n_wide < n ? n_wide : n;
        memcpy(x, wide, n_copied * sizeof *x);
        memset(x + n_copied, 0, (n - n_copied) * sizeof *x);
        oto_set_power(x, n, power);
    }
    oto_free(wide);
    oto_free(narrow);
    return status;
}

/* ---- codec ----------------------------------------------------------------------------------- */

/* Rounds bins first..end-1 to steps of sqrt(12 * noise power); the mean over time of the analysis
 * window's square is 1/2, so the band's power in the signal is twice that of the bins. */
static void quantise(float *spectrum, int first, int end, double ratio_db)
{
    double power = 0;
    for (int k = 2 * first; k < 2 * end; k++)
        power += (double)spectrum[k] * (double)spectrum[k];
    power /= 2 * (end - first);
    float step = (float)sqrt(12 * 2 * power * pow(10, -ratio_db / 10));
    for (int k = 2 * first; k < 2 * end && step > 0; k++)
        spectrum[k] = step * rintf(spectrum[k] / step);
}

static void code_window(struct oto_spectra *s, int rate_hz, double ratio_db, double cutoff_hz)
{
    int n_bins = s->fft->n / 2 + 1, first = 0;
    double hz_per_bin = (double)rate_hz / s->fft->n;
    int kept = (int)fmin(n_bins, cutoff_hz / hz_per_bin + 1);
    oto_spectra_forward(s);
    while (first < kept) {
        double width_hz = fmax(100, 0.2 * first * hz_per_bin); /* about a critical band */
        int end = first + (int)fmax(1, round(width_hz / hz_per_bin));
        end = end < kept ? end : kept;
        quantise(s->spectrum, first, end, ratio_db);
        first = end;
    }
    memset(s->spectrum + 2 * kept, 0, 2 * (size_t)(n_bins - kept) * sizeof *s->spectrum);
    oto_spectra_backward(s);
}

oto_status oto_codec(float *x, size_t n, int rate_hz, double ratio_db, double cutoff_hz,
                     oto_error *err)
{
    struct oto_spectra s = {0};
    int window = 2 * (int)fmax(8, round(0.016 * rate_hz)), hop = window / 2;
    double power = oto_mean_power(x, n);
    float *padded = oto_calloc(n + 2 * (size_t)window, sizeof *padded);
    float *coded = oto_calloc(n + 2 * (size_t)window, sizeof *coded);
    oto_status status =
        padded && coded ? oto_spectra_create(&s, window, err) : oto_fail_memory(err, "codec");
    if (status != OTO_OK)
        goto done;
    if (n > 0)
        memcpy(padded + hop, x, n * sizeof *x);
    for (size_t start = 0; start < n + (size_t)hop; start += (size_t)hop) {
        for (int i = 0; i < window; i++) /* sine windows: their squares add up to 1 */
            s.samples[i] = padded[start + (size_t)i] * (float)sin(pi * (i + 0.5) / window);
        code_window(&s, rate_hz, ratio_db, cutoff_hz);
        for (int i = 0; i < window; i++)
            coded[start + (size_t)i] += s.samples[i] * (float)sin(pi * (i + 0.5) / window);
    }
    if (n > 0)
        memcpy(x, coded + hop, n * sizeof *x);
    oto_set_power(x, n, power);
done:
    oto_spectra_clear(&s);
    oto_free(coded);
    oto_free(padded);
    return status;
}
