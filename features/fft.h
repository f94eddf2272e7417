/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Forward real FFT behind one plan interface; KissFFT and FFTW stand behind it, each in its own
 * file.
 *
 *     X[k] = sum_n x[n] exp(-2 pi i k n / N),   k = 0 .. N/2   (eq. 7)
 *
 * Both back ends agree to 4e-7 of the spectrum's rms times log2(N) (tests/unit/test_fft.c, against
 * double precision).
 */
#ifndef OTO_FEATURES_FFT_H
#define OTO_FEATURES_FFT_H

#include "base/status.h"
#include "features/frontend.h"

/** A plan. One thread at a time; plans of different threads are independent. */
struct oto_fft {
    int n;
    const char *name; /* "KissFFT" or "FFTW" */
    void (*forward)(struct oto_fft *fft, float *spectrum, float *samples);
    void (*destroy)(struct oto_fft *fft);
};

/**
 * @param n  even, 4 .. 2^22. Powers of two are fast; every even size works.
 * Errors: OTO_ERR_ARGUMENT for n; OTO_ERR_UNSUPPORTED for FFTW in a build without it;
 * OTO_ERR_MEMORY.
 */
oto_status oto_fft_create(struct oto_fft **out, int n, enum oto_fft_backend backend,
                          oto_error *err) OTO_WARN_UNUSED;
void oto_fft_destroy(struct oto_fft *fft);

/**
 * @param spectrum  [n/2 + 1][2] real and imaginary parts; 64-byte aligned
 * @param samples   [n], 64-byte aligned; may be overwritten; must not overlap spectrum
 * Errors: none.   Allocates: no.   Cost: O(n log n).
 */
void oto_fft_forward(struct oto_fft *fft, float *spectrum, float *samples);

/* The back ends; called through oto_fft_create(), which has checked n. */
oto_status oto_fft_kiss_create(struct oto_fft **out, int n, oto_error *err) OTO_WARN_UNUSED;
#ifdef OTO_HAVE_FFTW
oto_status oto_fft_fftw_create(struct oto_fft **out, int n, oto_error *err) OTO_WARN_UNUSED;
#endif

#endif
