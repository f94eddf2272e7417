/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/endpoint.h"

#include <math.h>
#include <string.h>

enum {
    BLOCKS_A_SECOND = 100,
    BLOCKS_A_MINIMUM = BLOCKS_A_SECOND / 2,
    STILL = 10,      /* blocks */
    STILL_SPEECH = 3 /* louder ones among the last STILL that are speech and not a click */
};
#define FLOOR_DB (-120.0)
#define SMOOTHING 0.2 /* five blocks */

void oto_endpoint_options_init(struct oto_endpoint_options *options)
{
    *options = (struct oto_endpoint_options){.threshold_db = 8,
                                             .least_db = -75,
                                             .noise_max_db = -50,
                                             .min_speech_s = 0.08,
                                             .silence_s = 0.8};
}

void oto_endpoint_init(struct oto_endpoint *e, int rate_hz,
                       const struct oto_endpoint_options *options)
{
    e->options = *options;
    e->block = (size_t)(rate_hz / BLOCKS_A_SECOND);
    oto_endpoint_reset(e);
}

void oto_endpoint_reset(struct oto_endpoint *e)
{
    const struct oto_endpoint_options options = e->options;
    const size_t block = e->block;
    *e = (struct oto_endpoint){.options = options,
                               .block = block,
                               .most = options.noise_max_db,
                               .smooth = options.noise_max_db,
                               .minimum = options.noise_max_db,
                               .level_db = FLOOR_DB};
    for (int i = 0; i < OTO_ENDPOINT_MINIMA; i++)
        e->minima[i] = options.noise_max_db;
}

/* Energy of the first differences in dB, full scale being 0. */
static double level_of(struct oto_endpoint *e, const float *samples)
{
    double sum = 0;
    for (size_t i = 0; i < e->block; i++) {
        double d = (double)samples[i] - (double)e->last;
        sum += d * d;
        e->last = samples[i];
    }
    double level = 10 * log10(sum / (double)e->block);
    return level > FLOOR_DB ? level : FLOOR_DB;
}

static double follow_noise(struct oto_endpoint *e)
{
    double least = e->most;
    e->smooth += SMOOTHING * (e->level_db - e->smooth);
    e->minimum = e->n_minimum == 0 || e->smooth < e->minimum ? e->smooth : e->minimum;
    if (++e->n_minimum == BLOCKS_A_MINIMUM) {
        memmove(e->minima, e->minima + 1, (OTO_ENDPOINT_MINIMA - 1) * sizeof e->minima[0]);
        e->minima[OTO_ENDPOINT_MINIMA - 1] = e->minimum;
        e->n_minimum = 0;
    }
    for (int i = 0; i < OTO_ENDPOINT_MINIMA; i++)
        least = fmin(least, e->minima[i]);
    return fmin(least, e->minimum);
}

/* Louder blocks among the last n. */
static int count_recent(const struct oto_endpoint *e, size_t n)
{
    int count = 0;
    for (size_t i = 0; i < n && i < e->n_blocks; i++)
        count += e->recent[(e->n_blocks - 1 - i) % OTO_ENDPOINT_RECENT];
    return count;
}

enum oto_endpoint_event oto_endpoint_push(struct oto_endpoint *e, const float *samples)
{
    e->level_db = level_of(e, samples);
    const double noise = follow_noise(e);
    const bool loud =
        e->level_db > noise + e->options.threshold_db && e->level_db > e->options.least_db;
    e->recent[e->n_blocks % OTO_ENDPOINT_RECENT] = loud;
    e->n_blocks++;
    if (!e->speaking) {
        if (count_recent(e, OTO_ENDPOINT_RECENT) < e->options.min_speech_s * BLOCKS_A_SECOND)
            return OTO_ENDPOINT_NONE;
        oto_endpoint_go_on(e);
        return OTO_ENDPOINT_START;
    }
    e->n_silent = loud && count_recent(e, STILL) >= STILL_SPEECH ? 0 : e->n_silent + 1;
    if ((double)e->n_silent < e->options.silence_s * BLOCKS_A_SECOND)
        return OTO_ENDPOINT_NONE;
    e->speaking = false;
    return OTO_ENDPOINT_END;
}

void oto_endpoint_is_noise(struct oto_endpoint *e)
{
    e->speaking = false;
    e->n_silent = 0;
    e->n_minimum = 0;
    for (int i = 0; i < OTO_ENDPOINT_MINIMA; i++)
        e->minima[i] = e->smooth;
    e->minimum = e->smooth;
    e->most = fmax(e->smooth, e->options.noise_max_db);
    memset(e->recent, 0, sizeof e->recent);
}

void oto_endpoint_go_on(struct oto_endpoint *e)
{
    e->speaking = true;
    e->n_silent = 0;
}
