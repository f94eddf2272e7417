/* SPDX-License-Identifier: BSD-2-Clause */
/** Sample-rate conversion by soxr (the only file that sees it), mono, streaming. */
#ifndef OTO_AUDIO_RESAMPLE_H
#define OTO_AUDIO_RESAMPLE_H

#include <stddef.h>

#include "base/status.h"

struct oto_resampler;

/** Rates in Hz, any positive ratio (speed perturbation uses odd ones). Quality: soxr HQ. */
oto_status oto_resampler_create(struct oto_resampler **out, double in_rate_hz, double out_rate_hz,
                                oto_error *err) OTO_WARN_UNUSED;
void oto_resampler_destroy(struct oto_resampler *r);
/**
 * @param in       [n_in]; NULL with n_in = 0 flushes: call until *n_out is 0
 * @param n_used   samples taken from in
 * @param out      [capacity]; *n_out samples written
 */
oto_status oto_resampler_push(struct oto_resampler *r, const float *in, size_t n_in, size_t *n_used,
                              float *out, size_t capacity, size_t *n_out,
                              oto_error *err) OTO_WARN_UNUSED;
void oto_resampler_reset(struct oto_resampler *r);
/** A whole block. *out is freed with oto_free(). */
oto_status oto_resample(float **out, size_t *n_out, const float *in, size_t n_in, double in_rate_hz,
                        double out_rate_hz, oto_error *err) OTO_WARN_UNUSED;

#endif
