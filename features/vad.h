/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Energy-based voice activity: which frames are so near to loud ones that they tell what the voice
 * and the room sound like. CMVN takes its statistics from them alone with cmvn-margin (math.md, eq.
 * 17a, 17b), so that pauses around speech do not move them. Nothing is cut off by it.
 */
#ifndef OTO_FEATURES_VAD_H
#define OTO_FEATURES_VAD_H

#include <stddef.h>
#include <stdint.h>

#include "features/frontend.h"

enum { OTO_VAD_BINS = 256 };

/** Levels of all frames so far, counted. Zero-initialise. */
struct oto_vad {
    float bins[OTO_VAD_BINS]; /* of a quarter of a unit of ln power (1.1 dB), from -20 on */
    double n;
};

/** Mean log energy of the mel filters, or the log energy with use-energy, of one static vector;
 * natural logarithm of power. 1 is 4.3 dB. */
double oto_vad_level(const struct oto_frontend_options *options, const float *statics, int dim);
void oto_vad_add(struct oto_vad *vad, double level);
/** What was heard counts half from now on. */
void oto_vad_fade(struct oto_vad *vad);
/**
 * Frames of this level and above are loud.
 * @param range  loudest less quietest, what must be there at least to tell speech from noise; less:
 *               INFINITY, and -INFINITY where range is 0
 */
double oto_vad_threshold(const struct oto_vad *vad, double range);

/**
 * Marks the frames of a whole utterance that count: 1, others 0. Of an utterance none of whose
 * frames would count all do.
 * @param counts   [n] out
 * @param statics  [n, dim]
 */
void oto_vad_mark(uint8_t *counts, const struct oto_frontend_options *options, const float *statics,
                  size_t n, int dim);

/** The same while frames come in: levels are known up to the present alone. */
struct oto_vad_stream {
    struct oto_vad vad;            /* of this utterance and, fading, of those before it */
    size_t margin;                 /* frames; 0: all count */
    size_t n, n_counted, near_end; /* private: frames so far; decided; near the last loud one */
};

void oto_vad_stream_init(struct oto_vad_stream *s, const struct oto_frontend_options *options);
/** Another utterance begins. */
void oto_vad_stream_next(struct oto_vad_stream *s);
/**
 * The next frame of the utterance. Returns how many of the latest frames, this one the last of
 * them, count from now on: those before a loud frame are only then known to be near one. No frame
 * counts before there are 6 dB between quiet and loud, which noise alone does not have.
 */
size_t oto_vad_stream_push(struct oto_vad_stream *s, double level);

#endif
