/* SPDX-License-Identifier: BSD-2-Clause */
/** Long filters, by FFT. */
#ifndef OTO_TRAINING_CONVOLVE_H
#define OTO_TRAINING_CONVOLVE_H

#include <stddef.h>

#include "base/status.h"
#include "features/fft.h"

/** A forward real FFT and the way back. Zero-initialise; one thread at a time. */
struct oto_spectra {
    struct oto_fft *fft;
    float *samples;  /* [n] in and out */
    float *spectrum; /* [n/2 + 1][2] out and in */
    float *reversed; /* [n/2 + 1][2] scratch */
};

oto_status oto_spectra_create(struct oto_spectra *s, int n, oto_error *err) OTO_WARN_UNUSED;
void oto_spectra_clear(struct oto_spectra *s);
/** spectrum of samples, which are lost. */
void oto_spectra_forward(struct oto_spectra *s);
/** samples of spectrum, which is lost; backward(forward(x)) is x within float's rounding. */
void oto_spectra_backward(struct oto_spectra *s);

/**
 * x becomes the first n samples of x * h, by overlap-add.
 *
 * @param x  [n]   @param h  [n_h], n_h <= 2^20
 * Errors: OTO_ERR_MEMORY, OTO_ERR_ARGUMENT for n_h.   Allocates: yes.   Cost: O(n log n_h).
 */
oto_status oto_convolve(float *x, size_t n, const float *h, size_t n_h,
                        oto_error *err) OTO_WARN_UNUSED;

#endif
