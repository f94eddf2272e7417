/* SPDX-License-Identifier: BSD-2-Clause */
/** Another tempo at the same pitch. */
#ifndef OTO_TRAINING_STRETCH_H
#define OTO_TRAINING_STRETCH_H

#include <stddef.h>

#include "base/status.h"

/**
 * n_in samples become n_out by WSOLA: windows of 24 ms are taken from the signal at the wanted
 * tempo, each moved by up to 12 ms to where it continues the one before best (greatest normalised
 * cross-correlation), and added with half overlap. n_out = n_in gives the signal back.
 *
 * @param out  freed with oto_free()
 * Errors: OTO_ERR_MEMORY.   Cost: about 400 multiplications for each sample at 16 kHz.
 * Source: W. Verhelst, M. Roelands, ICASSP 1993.
 */
oto_status oto_stretch(float **out, size_t n_out, const float *in, size_t n_in, double rate_hz,
                       oto_error *err) OTO_WARN_UNUSED;

#endif
