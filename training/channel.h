/* SPDX-License-Identifier: BSD-2-Clause */
/** What speech goes through before it is stored: telephone lines and lossy coding. Levels stay as
 * they were, and so do lengths. */
#ifndef OTO_TRAINING_CHANNEL_H
#define OTO_TRAINING_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/** 8-bit mu-law of ITU-T G.711 and back: x, full scale +-1, as a telephone would give it. */
float oto_mulaw(float x);

/**
 * A telephone line: 8 kHz, 300 to 3400 Hz (-6 dB there, 50 dB down 130 Hz further out), and 8-bit
 * mu-law at a level of level_db (rms over all samples, dB below full scale).
 * @param x  [n] changed in place
 * Errors: OTO_ERR_MEMORY.
 */
oto_status oto_telephone(float *x, size_t n, int rate_hz, double level_db,
                         oto_error *err) OTO_WARN_UNUSED;

/**
 * What a transform codec at a low rate does: nothing above cutoff_hz is kept, and in each of about
 * 20 bands of each window of 32 ms, coefficients are rounded to steps that put the noise ratio_db
 * below that band. Where that makes a step larger than a coefficient, it becomes 0, as it does in
 * such codecs.
 */
oto_status oto_codec(float *x, size_t n, int rate_hz, double ratio_db, double cutoff_hz,
                     oto_error *err) OTO_WARN_UNUSED;

/** Mean of x squared. */
double oto_mean_power(const float *x, size_t n);
/** Brings x to that mean power; silence stays as it is. */
void oto_set_power(float *x, size_t n, double power);

#endif
