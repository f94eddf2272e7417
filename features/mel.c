/* SPDX-License-Identifier: BSD-2-Clause */
#include "features/mel.h"

#include <math.h>

#include "base/mem.h"

double oto_mel_from_hz(double hz)
{
    return 1127.0 * log(1.0 + hz / 700.0);
}

double oto_mel_to_hz(double mel)
{
    return 700.0 * (exp(mel / 1127.0) - 1.0);
}

void oto_mel_destroy(struct oto_mel *mel)
{
    if (!mel)
        return;
    oto_free(mel->weights);
    oto_free(mel->offset);
    oto_free(mel->n_padded);
    oto_free(mel->first);
    oto_free(mel);
}

/* Weight of a spectral bin at `at` mel in the triangle left, centre, right; 0 outside (eq. 10). */
static double triangle(double at, double left, double centre, double right)
{
    if (at <= left || at >= right)
        return 0.0;
    return at <= centre ? (at - left) / (centre - left) : (right - at) / (right - centre);
}

/*
 * Finds first and padded width of each filter, and the weights when there is room for them already;
 * returns the number of weights. Run twice: once to count, once to fill.
 */
static oto_status lay_out(struct oto_mel *mel, size_t *n_weights, double bin_hz, double low_mel,
                          double step, oto_error *err)
{
    const int n_used = mel->n_bins - 1; /* without Nyquist */

    *n_weights = 0;
    for (int m = 0; m < mel->n_mels; m++) {
        const double left = low_mel + m * step, centre = left + step, right = centre + step;
        /* Bins that can lie inside, with one to spare on either side for rounding. */
        const int begin = (int)fmax(oto_mel_to_hz(left) / bin_hz - 1.0, 0.0);
        const int end = (int)fmin(oto_mel_to_hz(right) / bin_hz + 2.0, n_used);
        int first = -1, last = -1;
        for (int k = begin; k < end; k++) {
            if (triangle(oto_mel_from_hz(bin_hz * k), left, centre, right) > 0.0) {
                first = first < 0 ? k : first;
                last = k;
            }
        }
        if (first < 0)
            return oto_fail(
                err, OTO_ERR_CONFIG,
                "mel filter %d of %d (%.1f to %.1f Hz) holds no spectral line (they are %.1f Hz "
                "apart); use fewer mels or a longer frame-length",
                m + 1, mel->n_mels, oto_mel_to_hz(left), oto_mel_to_hz(right), bin_hz);
        mel->first[m] = first;
        mel->n_padded[m] = (last - first + 4) / 4 * 4;
        mel->offset[m] = *n_weights;
        *n_weights += (size_t)mel->n_padded[m];
        for (int k = first; mel->weights && k <= last; k++)
            mel->weights[mel->offset[m] + (size_t)(k - first)] =
                (float)triangle(oto_mel_from_hz(bin_hz * k), left, centre, right);
    }
    return OTO_OK;
}

oto_status oto_mel_create(struct oto_mel **out, int n_mels, int n_fft, double rate_hz,
                          double low_hz, double high_hz, oto_error *err)
{
    const double nyquist = rate_hz / 2.0;
    struct oto_mel *mel = NULL;
    size_t n_weights = 0;
    oto_status status;

    *out = NULL;
    if (n_mels < 1 || n_fft < 4 || n_fft % 2 != 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "mel bank of %d filters over an FFT of %d points",
                        n_mels, n_fft);
    if (!(low_hz >= 0.0 && low_hz < high_hz && high_hz <= nyquist))
        return oto_fail(
            err, OTO_ERR_CONFIG,
            "mel filters from %g to %g Hz: expected 0 <= low-hz < high-hz <= %g (half the "
            "sample-rate)",
            low_hz, high_hz, nyquist);
    mel = oto_calloc(1, sizeof *mel);
    if (!mel)
        return oto_fail_memory(err, "mel bank");
    mel->n_mels = n_mels;
    mel->n_bins = n_fft / 2 + 1;
    mel->first = oto_calloc((size_t)n_mels, sizeof *mel->first);
    mel->n_padded = oto_calloc((size_t)n_mels, sizeof *mel->n_padded);
    mel->offset = oto_calloc((size_t)n_mels, sizeof *mel->offset);
    if (!mel->first || !mel->n_padded || !mel->offset) {
        status = oto_fail_memory(err, "mel bank");
        goto exit;
    }
    const double low_mel = oto_mel_from_hz(low_hz);
    const double step = (oto_mel_from_hz(high_hz) - low_mel) / (n_mels + 1);
    status = lay_out(mel, &n_weights, rate_hz / n_fft, low_mel, step, err);
    if (status)
        goto exit;
    mel->weights = oto_calloc(n_weights, sizeof *mel->weights);
    if (!mel->weights) {
        status = oto_fail_memory(err, "mel bank");
        goto exit;
    }
    status = lay_out(mel, &n_weights, rate_hz / n_fft, low_mel, step, err);
    if (status)
        goto exit;
    *out = mel;
    mel = NULL;
exit:
    oto_mel_destroy(mel);
    return status;
}

size_t oto_mel_spectrum_size(const struct oto_mel *mel)
{
    return (size_t)mel->n_bins + 3;
}

void oto_mel_compute(const struct oto_mel *mel, float *energies, const float *power)
{
    for (int m = 0; m < mel->n_mels; m++) {
        const float *w = mel->weights + mel->offset[m];
        const float *p = power + mel->first[m];
        const int n = mel->n_padded[m];
        float lane[4] = {0};
        for (int k = 0; k < n; k += 4)
            for (int j = 0; j < 4; j++)
                lane[j] += w[k + j] * p[k + j];
        energies[m] = (lane[0] + lane[2]) + (lane[1] + lane[3]);
    }
}
