/* SPDX-License-Identifier: BSD-2-Clause */
/** The time-domain part of a frame: DC removal, energy, pre-emphasis, window. */
#ifndef OTO_FEATURES_WINDOW_H
#define OTO_FEATURES_WINDOW_H

#include <stdbool.h>

#include "features/frontend.h"

/**
 * Symmetric analysis window, w[0] .. w[n-1] (math.md, eq. 5).
 *
 * @param w  [n] out, n >= 2
 * @param blackman_coeff  of OTO_WINDOW_BLACKMAN, 0.42 as usual
 */
void oto_window_fill(float *w, int n, enum oto_window_kind kind, double blackman_coeff);

/** What oto_window_process() does besides windowing. */
struct oto_window_options {
    bool remove_dc;
    double preemphasis; /* 0 = off */
};

/**
 * One frame up to the FFT, in Kaldi's order: mean off, raw energy, pre-emphasis inside the frame,
 * window (math.md, eq. 2 to 6).
 *
 * @param out         [n] windowed frame; must not overlap x
 * @param scratch     [n]
 * @param x           [n] samples in the 16-bit range
 * @param w           [n] window
 * @param raw_energy  NULL, or energy after DC removal and before pre-emphasis
 *
 * Errors: none.   Allocates: no.   Sums over time in double.
 */
void oto_window_process(float *out, float *scratch, const float *x, const float *w, int n,
                        const struct oto_window_options *options, double *raw_energy);

/** sum x[i]^2 in double, in a fixed order. */
double oto_window_energy(const float *x, int n);

#endif
