/* SPDX-License-Identifier: BSD-2-Clause */
/** One frame of samples to one static vector: MFCC or log-mel. The streaming around it is in
 * frontend.c. */
#ifndef OTO_FEATURES_MFCC_H
#define OTO_FEATURES_MFCC_H

#include "base/status.h"
#include "features/frontend.h"

/** A plan with its scratch: one thread at a time. */
struct oto_mfcc;

/** Options must have passed oto_frontend_options_check(). Errors: OTO_ERR_CONFIG (mel bank),
 * OTO_ERR_MEMORY, and those of oto_fft_create(). */
oto_status oto_mfcc_create(struct oto_mfcc **out, const struct oto_frontend_options *options,
                           enum oto_fft_backend backend, oto_error *err) OTO_WARN_UNUSED;
void oto_mfcc_destroy(struct oto_mfcc *mfcc);

/** Width of a vector: MFCC n_ceps; log-mel n_mels, one more with use_energy. */
int oto_mfcc_dim(const struct oto_mfcc *mfcc);
/** "KissFFT" or "FFTW". */
const char *oto_mfcc_fft_name(const struct oto_mfcc *mfcc);

/**
 * Mel-frequency cepstral coefficients of one frame.
 *
 *     c[q] = lift[q] sum_m dct[q,m] log(max(E[m], 2^-23))   (eq. 12 to 15)
 *
 * @param out      [dim]
 * @param samples  [oto_frontend_window_samples()] in the 16-bit range, finite
 *
 * Errors: none.   Allocates: no.   Cost: O(N log N).   Finite for every finite input below 2^35,
 * silence included. Source: Davis and Mermelstein 1980. Agrees with Kaldi's compute-mfcc-feats and
 * compute-fbank-feats (tests/golden).
 */
void oto_mfcc_compute(struct oto_mfcc *mfcc, float *out, const float *samples);

/** The same from the logarithms of the energies E[m], for training code that changes those:
 * log_mels [n_mels] to out [dim]. Log-mel vectors are copied. Only without use_energy. */
void oto_mfcc_of_log_mels(struct oto_mfcc *mfcc, float *out, const float *log_mels);

#endif
