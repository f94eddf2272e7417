/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Changes made to training utterances: time and frequency masks (SpecAugment, Park et al. 2019),
 * white noise on the features (Graves et al. 2006), tempo, and the list of speeds. Pure functions
 * of (seed, stream). Voice, room and noise are in perturb.h.
 */
#ifndef OTO_TRAINING_AUGMENT_H
#define OTO_TRAINING_AUGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct oto_mask_options {
    int time_masks;
    int time_mask_frames; /* widest, static frames */
    int freq_masks;
    int freq_mask_bins; /* widest, static coefficients */
    double scale;       /* 0..1, multiplies both widths: masks grow in over the first epochs */
    double noise;       /* standard deviation of white noise on every cell, before the masks */
};

struct oto_mask {
    struct oto_mask_options options;
    uint64_t seed, stream; /* one stream for each utterance seen */
    int static_dim;        /* width of the static part; deltas repeat the same mask */
};

/**
 * Sets masked cells to zero, which is the mean after CMVN. Widths are uniform in 0..widest, starts
 * uniform over all places where the mask fits; one time mask covers a fifth of the utterance at
 * most, so that short ones stay readable. Has the form of the hook of oto_frontend_apply(); arg is
 * a struct oto_mask.
 */
void oto_mask_apply(void *arg, float *block, size_t n_static, int width);

/**
 * Another tempo at the same pitch: n_in vectors become n_out by linear interpolation in time.
 * @param out  [n_out, dim], not in   @param in  [n_in, dim], n_in >= 1
 */
void oto_tempo_apply(float *out, size_t n_out, const float *in, size_t n_in, int dim);

enum { OTO_MAX_SPEEDS = 9 };
/** "0.9,1.0,1.1": distinct numbers from 0.5 to 2. OTO_ERR_CONFIG. */
oto_status oto_speeds_parse(double speeds[OTO_MAX_SPEEDS], int *n_speeds, const char *text,
                            oto_error *err) OTO_WARN_UNUSED;

#endif
