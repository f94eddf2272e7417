/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Which training steps see their utterances in chunks with right context, as a live stream does
 * (math.md, section 3.8), so that one model serves files and live. Pure functions of seed and step.
 */
#ifndef OTO_TRAINING_CHUNKING_H
#define OTO_TRAINING_CHUNKING_H

#include <stdbool.h>
#include <stdint.h>

#include "acoustic/sequences.h"
#include "base/status.h"

struct oto_chunking {
    double share; /* of the steps; 0: none */
    /* Frames of the network's output, drawn evenly from low to high. */
    int chunk_low, chunk_high, context_low, context_high;
};

/**
 * @param chunk_ms, context_ms  "320..1280", or one number
 * @param shift_ms              of those frames: ranges are rounded to them, chunks to at least
 * one Errors: OTO_ERR_CONFIG with the option's name and what was found.
 */
oto_status oto_chunking_parse(struct oto_chunking *chunking, double share, const char *chunk_ms,
                              const char *context_ms, double shift_ms,
                              oto_error *err) OTO_WARN_UNUSED;

/** Whether a step is one in chunks, and in which, of frames of the output. */
bool oto_chunking_draw(const struct oto_chunking *chunking, uint64_t seed, uint64_t step,
                       struct oto_network_chunks *chunks);

#endif
