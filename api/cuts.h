/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Where long input is cut into segments: in a pause, as soon as half of the longest segment waits;
 * where there is none, at its quietest moment. Input that is shorter than half of the longest
 * segment is never cut. Cuts depend on the samples alone, not on how they were fed.
 */
#ifndef OTO_API_CUTS_H
#define OTO_API_CUTS_H

#include <stdint.h>

#include "api/endpoint.h"
#include "features/frontend.h"

enum { OTO_CUTS_PAUSES = 16, OTO_CUTS_BLOCK = 4096 };

/** Static frames are counted since the beginning of the input. */
struct oto_cuts {
    size_t most, least; /* frames of a segment, before the last: least <= n <= most */
    size_t stride;      /* segments are a multiple of it, but the last and those of one */
    size_t quiet;       /* frames of the stretch whose loudness counts */
    double frames_a_sample;
    struct oto_endpoint endpoint;
    float block[OTO_CUTS_BLOCK]; /* [endpoint.block] */
    size_t n_block;
    uint64_t n_samples; /* heard by the endpointer */
    struct {
        uint64_t middle, end; /* end: when it was known to be one */
    } pauses[OTO_CUTS_PAUSES];
    int n_pauses;
};

/**
 * @param stride     frames of the front end to one of the network's output
 * @param longest_s  at least one frame is meant by it; the rate is 1000 to 400000 Hz
 */
void oto_cuts_init(struct oto_cuts *cuts, const struct oto_frontend_options *options, int stride,
                   double longest_s);
void oto_cuts_reset(struct oto_cuts *cuts);
/** Samples of at most a few seconds at once, between calls of oto_cuts_find(). */
void oto_cuts_push(struct oto_cuts *cuts, const float *samples, size_t n);
/**
 * Frames of the segment that is to be decoded now, 0 for none yet.
 *
 * @param n_before  frames of the segments so far
 * @param levels    [n_levels] loudness of the frames that wait, made by the caller where
 * n_levels >= cuts->most
 */
size_t oto_cuts_find(struct oto_cuts *cuts, uint64_t n_before, const float *levels,
                     size_t n_levels);

#endif
