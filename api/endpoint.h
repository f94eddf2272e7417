/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Where speech begins and ends, by loudness against the noise around it, 10 ms at a time.
 *
 * A block's level is the energy of its first differences (hum and rumble count for little), in dB
 * of full scale. The noise is the least level, smoothed over 50 ms, of the last three seconds:
 * pauses between words keep it down while somebody speaks. It is not taken for higher than
 * noise_max_db, so that a recording may begin with speech; what is louder than that all the time is
 * left to the network, which knows speech better, and says so by oto_endpoint_is_noise().
 *
 * What it finds depends on the samples alone, not on portions or clocks.
 */
#ifndef OTO_API_ENDPOINT_H
#define OTO_API_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

struct oto_endpoint_options {
    double threshold_db; /* speech is so much louder than the noise: 8 */
    double least_db;     /* and louder than this: -75 */
    double noise_max_db; /* -50 */
    double min_speech_s; /* of speech in the last 0.3 s begin an utterance: 0.08 */
    double silence_s;    /* without speech ends it: 0.8 */
};
void oto_endpoint_options_init(struct oto_endpoint_options *options);

enum { OTO_ENDPOINT_RECENT = 30, OTO_ENDPOINT_MINIMA = 6 };

struct oto_endpoint {
    struct oto_endpoint_options options;
    size_t block; /* samples of 10 ms */
    bool speaking;
    float last;                                  /* sample before the block */
    double most;                                 /* level up to which noise is believed */
    double smooth;                               /* level smoothed */
    double minima[OTO_ENDPOINT_MINIMA], minimum; /* of half seconds, the newest at the end */
    int n_minimum;                               /* blocks in minimum */
    bool recent[OTO_ENDPOINT_RECENT];            /* blocks louder than noise, as a ring */
    size_t n_blocks;
    int n_recent;    /* of them true */
    size_t n_silent; /* blocks since speech was last heard */
    double level_db; /* of the last block */
};

enum oto_endpoint_event { OTO_ENDPOINT_NONE, OTO_ENDPOINT_START, OTO_ENDPOINT_END };

/** @param rate_hz  at least 1000 */
void oto_endpoint_init(struct oto_endpoint *e, int rate_hz,
                       const struct oto_endpoint_options *options);
/** As after init. */
void oto_endpoint_reset(struct oto_endpoint *e);
/** @param samples  [e->block]; START and END take turns */
enum oto_endpoint_event oto_endpoint_push(struct oto_endpoint *e, const float *samples);
/** What is heard is no speech, though loud: ends an utterance, and takes the present level for
 * noise. */
void oto_endpoint_is_noise(struct oto_endpoint *e);
/** The utterance was cut; another begins at once. */
void oto_endpoint_go_on(struct oto_endpoint *e);

#endif
