/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Another voice in another room: changes of an utterance's log-mel energies, made anew for each
 * epoch. Pure functions of (seed, stream), each with a probability and a range.
 */
#ifndef OTO_TRAINING_PERTURB_H
#define OTO_TRAINING_PERTURB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "features/frontend.h"

/** In the order in which they are applied. */
enum oto_perturb_kind {
    OTO_PERTURB_WARP,     /* vocal-tract length: all frequencies times the value */
    OTO_PERTURB_REVERB,   /* a room: seconds in which its echo falls by 60 dB */
    OTO_PERTURB_HIGHPASS, /* Hz, 24 dB an octave */
    OTO_PERTURB_LOWPASS,  /* Hz, 24 dB an octave */
    OTO_PERTURB_COLOUR,   /* a smooth curve over the mel scale: dB at its peaks */
    OTO_PERTURB_NOISE,    /* steady noise of any colour: signal-to-noise ratio in dB */
    OTO_PERTURB_GAIN,     /* dB */
    OTO_PERTURB_KINDS
};

struct oto_perturb {
    struct {
        double probability; /* 0: never */
        double low, high;   /* the value is drawn from here, evenly */
    } kinds[OTO_PERTURB_KINDS];
    /* of the front end, for what is measured in Hz or seconds */
    int n_mels;
    double low_hz, high_hz, shift_s;
    bool power; /* log-mel of power, else of magnitude */
};

/**
 * "warp:0.8:0.85:1.2,noise:0.5:0:30": KIND:PROBABILITY:LOW:HIGH, separated by commas; "" is none.
 * Checks ranges, and that the front end has log-mel energies and nothing else (no use_energy).
 * OTO_ERR_CONFIG with the item.
 */
oto_status oto_perturb_parse(struct oto_perturb *out, const char *text,
                             const struct oto_frontend_options *frontend,
                             oto_error *err) OTO_WARN_UNUSED;

/** Whether any kind has a chance. */
bool oto_perturb_any(const struct oto_perturb *perturb);

/**
 * Changes log-mel energies [n, n_mels] in place.
 * @param scratch  [2 * n_mels]
 *
 * Errors: none.   Allocates: no.   Finite in, finite out. Echo and noise are added as energies,
 * which is right on average over the phases. The echo is an exponential decay without single
 * reflections, its energy 2 to 17 dB below the speech; noise varies around its spectrum by 3.5 dB
 * (standard deviation), about as the periodogram of a frame does after the mel filters.
 */
void oto_perturb_apply(const struct oto_perturb *perturb, float *log_mels, size_t n, float *scratch,
                       uint64_t seed, uint64_t stream);

#endif
