/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Another voice in another room: the list of changes that a recipe asks for, and those of them that
 * are made on an utterance's log-mel energies, anew for each epoch. Those that need samples are in
 * wave.h. Pure functions of (seed, stream), each with a probability and a range.
 */
#ifndef OTO_TRAINING_PERTURB_H
#define OTO_TRAINING_PERTURB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "features/frontend.h"

/** Both kinds of kinds in the order in which they are applied, samples before energies. */
enum oto_perturb_kind {
    /* on log-mel energies */
    OTO_PERTURB_WARP,     /* vocal-tract length: all frequencies times the value */
    OTO_PERTURB_REVERB,   /* a room: seconds in which its echo falls by 60 dB */
    OTO_PERTURB_HIGHPASS, /* Hz, 24 dB an octave */
    OTO_PERTURB_LOWPASS,  /* Hz, 24 dB an octave */
    OTO_PERTURB_COLOUR,   /* a smooth curve over the mel scale: dB at its peaks */
    OTO_PERTURB_NOISE,    /* steady noise of any colour, or a folder's: signal-to-noise in dB */
    OTO_PERTURB_GAIN,     /* dB */
    OTO_PERTURB_MEL_KINDS,
    /* on samples */
    OTO_PERTURB_SPEED = OTO_PERTURB_MEL_KINDS, /* factor on tempo and pitch */
    OTO_PERTURB_PITCH,                         /* factor on pitch and formants */
    OTO_PERTURB_TEMPO,                         /* factor */
    OTO_PERTURB_PAUSE,                         /* s of quiet before and after, together */
    OTO_PERTURB_ROOM,                          /* image method: s for 60 dB */
    OTO_PERTURB_RESPONSE,                      /* a folder's: dB on what follows the first sound */
    OTO_PERTURB_BACKGROUND,                    /* a folder's: signal-to-noise ratio in dB */
    OTO_PERTURB_TELEPHONE,                     /* level before mu-law: dB of full scale */
    OTO_PERTURB_CODEC,                         /* signal to quantisation noise in dB */
    OTO_PERTURB_KINDS
};

/** A recording of noise. */
struct oto_noise {
    float *log_mels; /* [n, n_mels] */
    size_t n;
};

struct oto_perturb {
    struct {
        double probability; /* 0: never */
        double low, high;   /* the value is drawn from here, evenly */
        char *folder;       /* of recordings, owned; NULL without */
    } kinds[OTO_PERTURB_KINDS];
    const struct oto_noise *noises; /* [n_noises] for noise, borrowed and set after parsing */
    size_t n_noises;                /* 0: steady noise is made */
    /* of the front end, for what is measured in Hz or seconds */
    int n_mels, rate_hz;
    double low_hz, high_hz, shift_s;
    bool power; /* log-mel of power, else of magnitude */
};

/**
 * "warp:0.8:0.85:1.2,background:0.5:0:30:noises": KIND:PROBABILITY:LOW:HIGH[:FOLDER], separated by
 * commas; "" is none. Checks ranges, and, where log-mel energies are changed, that the front end
 * has those and nothing else (no use_energy). OTO_ERR_CONFIG with the item, OTO_ERR_MEMORY. After a
 * failure, *out holds nothing.
 */
oto_status oto_perturb_parse(struct oto_perturb *out, const char *text,
                             const struct oto_frontend_options *frontend,
                             oto_error *err) OTO_WARN_UNUSED;
void oto_perturb_clear(struct oto_perturb *perturb);

/** Whether any kind has a chance that is made on log-mel energies, or on samples. */
bool oto_perturb_any(const struct oto_perturb *perturb);
bool oto_perturb_any_wave(const struct oto_perturb *perturb);

/**
 * Whether that kind comes this time, and the value and the stream of further draws if it does. Each
 * kind draws from a stream of its own, of which counters 0 and UINT64_MAX are used up here.
 */
bool oto_perturb_draw(const struct oto_perturb *perturb, enum oto_perturb_kind kind, uint64_t seed,
                      uint64_t stream, double *value, uint64_t *own_stream);

/**
 * Changes log-mel energies [n, n_mels] in place.
 * @param scratch  [2 * n_mels]
 *
 * Errors: none.   Allocates: no.   Finite in, finite out. Echo and noise are added as energies,
 * which is right on average over the phases. The echo is an exponential decay without single
 * reflections, its energy 2 to 17 dB below the speech; steady noise varies around its spectrum by
 * 3.5 dB (standard deviation), about as the periodogram of a frame does after the mel filters.
 * Recorded noise goes on from a random place, and from its start again after its end. Ratios are
 * those of energies summed over filters and frames, which is what the front end hears.
 */
void oto_perturb_apply(const struct oto_perturb *perturb, float *log_mels, size_t n, float *scratch,
                       uint64_t seed, uint64_t stream);

#endif
