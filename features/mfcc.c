/* SPDX-License-Identifier: BSD-2-Clause */
#include "features/mfcc.h"

#include <float.h>
#include <math.h>

#include "base/mem.h"
#include "features/fft.h"
#include "features/frontend_options.h"
#include "features/mel.h"
#include "features/window.h"

#define CEPS_BLOCK 16 /* cepstra accumulated together, so that their sums stay in registers */

struct oto_mfcc {
    struct oto_frontend_options options;
    int n_window, n_fft, dim, n_ceps_padded;
    struct oto_fft *fft;
    struct oto_mel *mel;
    float *window;   /* [n_window] */
    float *dct;      /* [n_mels, n_ceps_padded] transposed, lifter included; NULL for log-mel */
    float *scratch;  /* [n_window] */
    float *frame;    /* [n_fft] windowed samples, zeros behind them */
    float *spectrum; /* [n_fft/2 + 1][2] */
    float *power;    /* [oto_mel_spectrum_size] */
    float *mels;     /* [n_mels] */
    float *ceps;     /* [n_ceps_padded] */
};

void oto_mfcc_destroy(struct oto_mfcc *mfcc)
{
    if (!mfcc)
        return;
    oto_free(mfcc->ceps);
    oto_free(mfcc->mels);
    oto_free(mfcc->power);
    oto_free(mfcc->spectrum);
    oto_free(mfcc->frame);
    oto_free(mfcc->scratch);
    oto_free(mfcc->dct);
    oto_free(mfcc->window);
    oto_mel_destroy(mfcc->mel);
    oto_fft_destroy(mfcc->fft);
    oto_free(mfcc);
}

/* Orthonormal DCT-II times lifter (eq. 13 and 14). */
static void fill_dct(struct oto_mfcc *mfcc)
{
    const double pi = 3.14159265358979323846, lifter = mfcc->options.lifter;
    const int n_mels = mfcc->options.n_mels;

    for (int m = 0; m < n_mels; m++) {
        for (int q = 0; q < mfcc->options.n_ceps; q++) {
            const double norm = sqrt((q == 0 ? 1.0 : 2.0) / n_mels);
            const double lift = lifter > 0.0 ? 1.0 + 0.5 * lifter * sin(pi * q / lifter) : 1.0;
            mfcc->dct[(size_t)m * mfcc->n_ceps_padded + q] =
                (float)(lift * norm * cos(pi / n_mels * (m + 0.5) * q));
        }
    }
}

static oto_status allocate(struct oto_mfcc *mfcc, oto_error *err)
{
    const size_t n_mels = (size_t)mfcc->options.n_mels, n_ceps = (size_t)mfcc->n_ceps_padded;

    mfcc->window = oto_calloc((size_t)mfcc->n_window, sizeof(float));
    mfcc->scratch = oto_calloc((size_t)mfcc->n_window, sizeof(float));
    mfcc->frame = oto_calloc((size_t)mfcc->n_fft, sizeof(float));
    mfcc->spectrum = oto_calloc((size_t)mfcc->n_fft + 2, sizeof(float));
    mfcc->power = oto_calloc(oto_mel_spectrum_size(mfcc->mel), sizeof(float));
    mfcc->mels = oto_calloc(n_mels, sizeof(float));
    if (!mfcc->window || !mfcc->scratch || !mfcc->frame || !mfcc->spectrum || !mfcc->power ||
        !mfcc->mels)
        return oto_fail_memory(err, "feature buffers");
    if (mfcc->options.kind == OTO_FEATURE_MFCC) {
        mfcc->dct = oto_calloc(n_mels * n_ceps, sizeof(float));
        mfcc->ceps = oto_calloc(n_ceps, sizeof(float));
        if (!mfcc->dct || !mfcc->ceps)
            return oto_fail_memory(err, "feature buffers");
        fill_dct(mfcc);
    }
    return OTO_OK;
}

oto_status oto_mfcc_create(struct oto_mfcc **out, const struct oto_frontend_options *options,
                           enum oto_fft_backend backend, oto_error *err)
{
    struct oto_mfcc *mfcc = oto_calloc(1, sizeof *mfcc);
    oto_status status;

    *out = NULL;
    if (!mfcc)
        return oto_fail_memory(err, "feature plan");
    mfcc->options = *options;
    mfcc->n_window = oto_frontend_window_samples(options);
    mfcc->n_fft = oto_frontend_fft_size(options);
    mfcc->dim = options->kind == OTO_FEATURE_MFCC ? options->n_ceps
                                                  : options->n_mels + (options->use_energy ? 1 : 0);
    mfcc->n_ceps_padded = (options->n_ceps + CEPS_BLOCK - 1) / CEPS_BLOCK * CEPS_BLOCK;
    status = oto_fft_create(&mfcc->fft, mfcc->n_fft, backend, err);
    if (status)
        goto exit;
    status = oto_mel_create(&mfcc->mel, options->n_mels, mfcc->n_fft, options->rate_hz,
                            options->low_hz, oto_frontend_high_hz(options), err);
    if (status)
        goto exit;
    status = allocate(mfcc, err);
    if (status)
        goto exit;
    oto_window_fill(mfcc->window, mfcc->n_window, (enum oto_window_kind)options->window,
                    options->blackman_coeff);
    *out = mfcc;
    mfcc = NULL;
exit:
    oto_mfcc_destroy(mfcc);
    return status;
}

int oto_mfcc_dim(const struct oto_mfcc *mfcc)
{
    return mfcc->dim;
}

const char *oto_mfcc_fft_name(const struct oto_mfcc *mfcc)
{
    return mfcc->fft->name;
}

/* Power or magnitude of the lines up to Nyquist (eq. 8). */
static void power_spectrum(float *restrict power, const float *restrict spectrum, int n_bins,
                           bool use_power)
{
    for (int k = 0; k < n_bins; k++) {
        const float re = spectrum[2 * k], im = spectrum[2 * k + 1];
        power[k] = re * re + im * im;
    }
    for (int k = 0; k < n_bins && !use_power; k++)
        power[k] = sqrtf(power[k]);
}

/* ceps = dct^T mels, a block of cepstra at a time (eq. 13 and 14). */
static void cepstra(struct oto_mfcc *mfcc, const float *mels)
{
    const int stride = mfcc->n_ceps_padded, n_mels = mfcc->options.n_mels;

    for (int q = 0; q < stride; q += CEPS_BLOCK) {
        const float *row = mfcc->dct + q; /* [m] of width stride */
        float sum[CEPS_BLOCK] = {0};
        for (int m = 0; m < n_mels; m++, row += stride)
            for (int j = 0; j < CEPS_BLOCK; j++)
                sum[j] += row[j] * mels[m];
        for (int j = 0; j < CEPS_BLOCK; j++)
            mfcc->ceps[q + j] = sum[j];
    }
}

/* Natural logarithm of the frame's energy, floored twice as Kaldi does (eq. 3 and 15). */
static float log_energy(const struct oto_mfcc *mfcc, double energy)
{
    const double floor = fmax(mfcc->options.energy_floor, (double)FLT_EPSILON);
    return (float)log(fmax(energy, floor));
}

void oto_mfcc_compute(struct oto_mfcc *mfcc, float *out, const float *samples)
{
    const struct oto_frontend_options *o = &mfcc->options;
    const struct oto_window_options processing = {.remove_dc = o->remove_dc,
                                                  .preemphasis = o->preemphasis};
    double energy = 0.0;

    oto_window_process(mfcc->frame, mfcc->scratch, samples, mfcc->window, mfcc->n_window,
                       &processing, o->use_energy && o->raw_energy ? &energy : NULL);
    if (o->use_energy && !o->raw_energy)
        energy = oto_window_energy(mfcc->frame, mfcc->n_window);
    /* The transform may use its input as scratch, so the padding is made anew each time. */
    for (int i = mfcc->n_window; i < mfcc->n_fft; i++)
        mfcc->frame[i] = 0.0f;
    oto_fft_forward(mfcc->fft, mfcc->spectrum, mfcc->frame);
    power_spectrum(mfcc->power, mfcc->spectrum, mfcc->n_fft / 2 + 1, o->use_power);
    oto_mel_compute(mfcc->mel, mfcc->mels, mfcc->power);
    for (int m = 0; m < o->n_mels; m++) /* eq. 12 */
        mfcc->mels[m] = logf(mfcc->mels[m] > FLT_EPSILON ? mfcc->mels[m] : FLT_EPSILON);
    if (o->kind == OTO_FEATURE_MFCC) {
        cepstra(mfcc, mfcc->mels);
        for (int q = 0; q < o->n_ceps; q++)
            out[q] = mfcc->ceps[q];
        if (o->use_energy)
            out[0] = log_energy(mfcc, energy);
    } else {
        if (o->use_energy)
            *out++ = log_energy(mfcc, energy);
        for (int m = 0; m < o->n_mels; m++)
            out[m] = mfcc->mels[m];
    }
}

void oto_mfcc_of_log_mels(struct oto_mfcc *mfcc, float *out, const float *log_mels)
{
    const float *vector = log_mels;
    if (mfcc->options.kind == OTO_FEATURE_MFCC) {
        cepstra(mfcc, log_mels);
        vector = mfcc->ceps;
    }
    for (int i = 0; i < mfcc->dim; i++)
        out[i] = vector[i];
}
