/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/cuts.h"

#include <math.h>
#include <string.h>

/* Width of the stretch whose loudness decides where input without a pause is cut. */
#define QUIET_S 0.3

void oto_cuts_init(struct oto_cuts *cuts, const struct oto_frontend_options *options, int stride,
                   double longest_s)
{
    struct oto_endpoint_options endpoint;
    const double shift_s = options->frame_shift_ms / 1000;
    oto_endpoint_options_init(&endpoint);
    *cuts = (struct oto_cuts){.most = (size_t)(longest_s / shift_s),
                              .stride = (size_t)stride,
                              .quiet = (size_t)(QUIET_S / shift_s + 0.5),
                              .frames_a_sample = 1 / (shift_s * options->rate_hz)};
    if (cuts->most < 1)
        cuts->most = 1;
    cuts->least = cuts->most - cuts->most / 2;
    oto_endpoint_init(&cuts->endpoint, options->rate_hz, &endpoint);
}

void oto_cuts_reset(struct oto_cuts *cuts)
{
    oto_endpoint_reset(&cuts->endpoint);
    cuts->n_block = 0;
    cuts->n_samples = 0;
    cuts->n_pauses = 0;
}

static uint64_t frame_at(const struct oto_cuts *cuts, uint64_t sample)
{
    return (uint64_t)((double)sample * cuts->frames_a_sample);
}

/* The pause that has just been long enough: its middle, by what of it has passed. */
static void add_pause(struct oto_cuts *cuts)
{
    uint64_t silence =
        (uint64_t)(cuts->endpoint.options.silence_s * 100) * cuts->endpoint.block / 2;
    if (cuts->n_pauses == OTO_CUTS_PAUSES) {
        memmove(cuts->pauses, cuts->pauses + 1, (OTO_CUTS_PAUSES - 1) * sizeof *cuts->pauses);
        cuts->n_pauses--;
    }
    cuts->pauses[cuts->n_pauses].middle = frame_at(cuts, cuts->n_samples - silence);
    cuts->pauses[cuts->n_pauses++].end = frame_at(cuts, cuts->n_samples);
}

void oto_cuts_push(struct oto_cuts *cuts, const float *samples, size_t n)
{
    size_t block = cuts->endpoint.block;
    for (size_t at = 0, m; at < n; at += m) {
        m = block - cuts->n_block;
        m = m < n - at ? m : n - at;
        memcpy(cuts->block + cuts->n_block, samples + at, m * sizeof *samples);
        cuts->n_block += m;
        if (cuts->n_block < block)
            continue;
        cuts->n_block = 0;
        cuts->n_samples += block;
        if (oto_endpoint_push(&cuts->endpoint, cuts->block) == OTO_ENDPOINT_END)
            add_pause(cuts);
    }
}

/* The middle of the quietest stretch in the last third of the longest segment, so that segments
 * stay long. */
static size_t quietest(const struct oto_cuts *cuts, const float *levels)
{
    size_t cut = cuts->most, from = cuts->most - cuts->most / 3;
    double sum = 0, least = (double)INFINITY;
    for (size_t t = from; cuts->quiet > 0 && t < cuts->most; t++) {
        sum += (double)levels[t];
        if (t + 1 < from + cuts->quiet)
            continue;
        size_t start = t + 1 - cuts->quiet;
        if (sum < least) {
            least = sum;
            cut = start + cuts->quiet / 2;
        }
        sum -= (double)levels[start];
    }
    return cut;
}

/* Frames of all segments are evenly spaced. */
static size_t whole_strides(const struct oto_cuts *cuts, size_t n)
{
    return n > cuts->stride ? n - n % cuts->stride : n;
}

size_t oto_cuts_find(struct oto_cuts *cuts, uint64_t n_before, const float *levels, size_t n_levels)
{
    int n_past = 0;
    while (n_past < cuts->n_pauses && cuts->pauses[n_past].middle < n_before + cuts->least)
        n_past++;
    cuts->n_pauses -= n_past;
    memmove(cuts->pauses, cuts->pauses + n_past, (size_t)cuts->n_pauses * sizeof *cuts->pauses);
    /* What was heard later than the longest segment does not count: it is not known to those that
     * feed less at once. */
    if (cuts->n_pauses > 0 && cuts->pauses[0].end <= n_before + cuts->most &&
        cuts->pauses[0].middle < n_before + n_levels)
        return whole_strides(cuts, (size_t)(cuts->pauses[0].middle - n_before));
    return n_levels >= cuts->most ? whole_strides(cuts, quietest(cuts, levels)) : 0;
}
