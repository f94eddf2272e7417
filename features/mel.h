/* SPDX-License-Identifier: BSD-2-Clause */
/** Triangular filters, equally wide on the mel scale, stored sparsely. */
#ifndef OTO_FEATURES_MEL_H
#define OTO_FEATURES_MEL_H

#include <stddef.h>

#include "base/status.h"

/** mel(f) = 1127 ln(1 + f/700) (math.md, eq. 9). */
double oto_mel_from_hz(double hz);
double oto_mel_to_hz(double mel);

/** A bank. Fields are read by tests and by mfcc.c; nobody writes them after create. */
struct oto_mel {
    int n_mels;
    int n_bins;     /* length of a power spectrum: fft size / 2 + 1 */
    int *first;     /* [n_mels] first spectral bin of a filter */
    int *n_padded;  /* [n_mels] its width, rounded up to a multiple of 4 */
    size_t *offset; /* [n_mels] of its weights; padding weights are 0 */
    float *weights;
};

/**
 * @param n_fft    FFT size, even
 * @param high_hz  upper edge; at most Nyquist. The spectral bin at Nyquist itself is never used, as
 * in Kaldi. Errors: OTO_ERR_CONFIG when the edges are not 0 <= low < high <= Nyquist, or when a
 * filter lies between two spectral bins (too many filters for this frame length; the message says
 * so). OTO_ERR_MEMORY.
 */
oto_status oto_mel_create(struct oto_mel **out, int n_mels, int n_fft, double rate_hz,
                          double low_hz, double high_hz, oto_error *err) OTO_WARN_UNUSED;
void oto_mel_destroy(struct oto_mel *mel);

/** Readable elements that oto_mel_compute() may touch in a spectrum: n_bins and three of padding,
 * any finite values. */
size_t oto_mel_spectrum_size(const struct oto_mel *mel);

/**
 *     E[m] = sum_k weight[m,k] power[k]   (eq. 11)
 *
 * @param energies  [n_mels] out
 * @param power     [oto_mel_spectrum_size()] power or magnitude spectrum
 * Errors: none.   Allocates: no.   Four partial sums in float per filter: relative error below 1e-6
 * (non-negative terms).
 */
void oto_mel_compute(const struct oto_mel *mel, float *energies, const float *power);

#endif
