/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/convolve.h"

#include <string.h>

#include "base/mem.h"

oto_status oto_spectra_create(struct oto_spectra *s, int n, oto_error *err)
{
    oto_status status = oto_fft_create(&s->fft, n, OTO_FFT_AUTO, err);
    if (status != OTO_OK)
        return status;
    s->samples = oto_calloc((size_t)n, sizeof *s->samples);
    s->spectrum = oto_calloc((size_t)n + 2, sizeof *s->spectrum);
    s->reversed = oto_calloc((size_t)n + 2, sizeof *s->reversed);
    if (s->samples && s->spectrum && s->reversed)
        return OTO_OK;
    oto_spectra_clear(s);
    return oto_fail_memory(err, "spectra");
}

void oto_spectra_clear(struct oto_spectra *s)
{
    if (s->fft)
        oto_fft_destroy(s->fft);
    oto_free(s->samples);
    oto_free(s->spectrum);
    oto_free(s->reversed);
    *s = (struct oto_spectra){0};
}

void oto_spectra_forward(struct oto_spectra *s)
{
    oto_fft_forward(s->fft, s->spectrum, s->samples);
}

/*
 * The plan interface only goes forward. The discrete Hartley transform H[k] = Re X[k] - Im X[k],
 * k = 0..N-1, is its own inverse up to 1/N, and a forward FFT of real numbers gives it.
 */
void oto_spectra_backward(struct oto_spectra *s)
{
    int n = s->fft->n;
    float scale = 1.0F / (float)n;
    for (int k = 0; k <= n / 2; k++) {
        float re = s->spectrum[2 * k], im = s->spectrum[2 * k + 1];
        s->samples[k] = (re - im) * scale;
        if (k > 0 && k < n / 2)
            s->samples[n - k] = (re + im) * scale; /* X[N-k] is the conjugate of X[k] */
    }
    oto_fft_forward(s->fft, s->reversed, s->samples);
    for (int k = 0; k <= n / 2; k++) {
        float re = s->reversed[2 * k], im = s->reversed[2 * k + 1];
        s->samples[k] = re - im;
        if (k > 0 && k < n / 2)
            s->samples[n - k] = re + im;
    }
}

/* Blocks of half the transform; what a block's echo leaves behind its end goes into tail. */
static void overlap_add(struct oto_spectra *s, const float *filter, float *tail, float *x, size_t n)
{
    size_t half = (size_t)s->fft->n / 2;
    for (size_t start = 0; start < n; start += half) {
        size_t length = n - start < half ? n - start : half;
        memcpy(s->samples, x + start, length * sizeof *x);
        memset(s->samples + length, 0, (2 * half - length) * sizeof *x);
        oto_spectra_forward(s);
        for (size_t k = 0; k <= half; k++) {
            float re = s->spectrum[2 * k], im = s->spectrum[2 * k + 1];
            float f_re = filter[2 * k], f_im = filter[2 * k + 1];
            s->spectrum[2 * k] = re * f_re - im * f_im;
            s->spectrum[2 * k + 1] = re * f_im + im * f_re;
        }
        oto_spectra_backward(s);
        for (size_t i = 0; i < length; i++)
            x[start + i] = s->samples[i] + tail[i];
        memcpy(tail, s->samples + half, half * sizeof *tail);
    }
}

oto_status oto_convolve(float *x, size_t n, const float *h, size_t n_h, oto_error *err)
{
    struct oto_spectra s = {0};
    size_t half = 1024; /* at least as long as h: echoes of a block end within the next */
    float *filter = NULL, *tail = NULL;
    if (n_h == 0 || n_h > (size_t)1 << 20)
        return oto_fail(err, OTO_ERR_ARGUMENT, "a filter of %zu samples", n_h);
    while (half < n_h)
        half *= 2;
    oto_status status = oto_spectra_create(&s, (int)(2 * half), err);
    if (status != OTO_OK)
        return status;
    filter = oto_calloc(2 * half + 2, sizeof *filter);
    tail = oto_calloc(half, sizeof *tail);
    if (!filter || !tail) {
        status = oto_fail_memory(err, "filter");
        goto done;
    }
    memcpy(s.samples, h, n_h * sizeof *h);
    oto_spectra_forward(&s);
    memcpy(filter, s.spectrum, (2 * half + 2) * sizeof *filter);
    overlap_add(&s, filter, tail, x, n);
done:
    oto_free(filter);
    oto_free(tail);
    oto_spectra_clear(&s);
    return status;
}
