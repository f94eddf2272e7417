/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Cepstral mean and variance normalisation: y = (x - mean) / sqrt(max(variance, OTO_CMVN_FLOOR)),
 * or y = x - mean. The kinds differ in where mean and variance come from. Statistics are kept in
 * double.
 */
#ifndef OTO_FEATURES_CMVN_H
#define OTO_FEATURES_CMVN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "features/frontend.h"

/**
 * Least variance divided by. It stands 60 dB above the rounding noise of float features, so that a
 * constant signal gives zeros and not amplified rounding (Kaldi floors at 1e-10 or 1e-20).
 */
#define OTO_CMVN_FLOOR 1e-6
/** Sliding without a prior: the first vectors wait for this many (Kaldi's min-cmn-window). */
#define OTO_CMVN_MIN_WINDOW 100
/** Sliding with a prior: it counts for at most this many vectors (Kaldi's global-frames). */
#define OTO_CMVN_PRIOR_FRAMES 200
/** A window that never ends, of live text: longer than any utterance. */
#define OTO_CMVN_ENDLESS 1000000

/** OTO_ERR_DATA when stats are empty, of another width, not finite, or of negative variance; the
 * message names the column. */
oto_status oto_cmvn_stats_check(const struct oto_cmvn_stats *stats, int dim,
                                oto_error *err) OTO_WARN_UNUSED;
/** A deep copy into an uninitialised struct. */
oto_status oto_cmvn_stats_copy(struct oto_cmvn_stats *out, const struct oto_cmvn_stats *in,
                               oto_error *err) OTO_WARN_UNUSED;

/* In all three: out and in [n, dim], may be the same array; scratch [2*dim]; no errors, no
 * allocation. */

/**
 * Mean and variance over the n vectors themselves, two passes (math.md, eq. 16, 17).
 * @param counts  NULL, or [n] 1 for those that mean and variance are taken of, at least one; else 0
 */
void oto_cmvn_utterance(float *out, const float *in, size_t n, int dim, bool variance,
                        const uint8_t *counts, double *scratch);

/** From stats of a training set (math.md, eq. 18). */
void oto_cmvn_global(float *out, const float *in, size_t n, int dim, bool variance,
                     const struct oto_cmvn_stats *stats, double *scratch);

/**
 * Over a window that ends at the vector itself (math.md, eq. 19, 20).
 *
 * Without prior: Kaldi's apply-cmvn-sliding (center=false): vectors t-window .. t; the first
 * OTO_CMVN_MIN_WINDOW - 1 vectors look ahead until that many are seen, so live results of the first
 * second wait, and a window of one vector gives zero. With prior (count > 0): Kaldi's online-cmvn:
 * vectors t-window+1 .. t, and while these are fewer than window, the prior stands in for
 * min(window - count, OTO_CMVN_PRIOR_FRAMES) more. Causal: rows do not change when vectors are
 * appended. `out` must not overlap `in` here.
 */
void oto_cmvn_sliding(float *out, const float *in, size_t n, int dim, bool variance, int window,
                      const struct oto_cmvn_stats *prior, double *scratch);

#endif
