/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The network over a stream: log-probabilities of each chunk of frames as soon as a fixed number of
 * frames beyond it are there (latency-controlled BLSTM, math.md, section 3.8).
 *
 * Chunk k is frames kC .. kC + C - 1, its window these and up to R frames more (the right context),
 * fewer where the utterance ends. Every layer runs over the window: the forward direction from the
 * state that it had at the end of the chunk before, the reverse one from zero state at the window's
 * end. What comes out for the context is used up by the layer above and dropped.
 *
 * Frame kC waits for the C + R - 1 frames after it, frame kC + C - 1 for R: the look-ahead is C + R
 * at most. Of a network that reduces frames, C and R count those of the input and are multiples of
 * the reduction, so that pairs of a chunk are pairs of the utterance. The cost is that of the
 * network for all frames times 1 + R/C. With C at least the length
 * of the utterance all of it is one window, and the result has the same bits as
 * oto_network_forward().
 *
 * Source: Zhang et al. 2016 (Highway long short-term memory RNNs for distant speech recognition);
 * Xue and Yan 2017.
 */
#ifndef OTO_ACOUSTIC_NETWORK_STREAM_H
#define OTO_ACOUSTIC_NETWORK_STREAM_H

#include <stddef.h>

#include "acoustic/network.h"
#include "base/pool.h"
#include "base/real.h"
#include "base/status.h"

/** One utterance after another; one thread at a time. Float and 8-bit networks. */
struct oto_network_stream;

/** net must outlive it. Errors: OTO_ERR_ARGUMENT for frames out of range or no multiples of the
 * reduction, OTO_ERR_MEMORY. */
oto_status oto_network_stream_create(struct oto_network_stream **out, const struct oto_network *net,
                                     const struct oto_network_chunks *chunks,
                                     oto_error *err) OTO_WARN_UNUSED;
void oto_network_stream_destroy(struct oto_network_stream *stream);
/** What the stream holds, whatever the length of the utterance. */
size_t oto_network_stream_bytes(const struct oto_network_stream *stream);

/**
 * Receives the log-probabilities [n_frames, K] of the next frames, n_frames <= C / reduction, valid
 * during the call. A status other than OTO_OK ends the push or finish, which returns it; the stream
 * must then be reset.
 */
typedef oto_status (*oto_log_probs_sink)(void *arg, const oto_real *log_probs, size_t n_frames,
                                         oto_error *err);

/**
 * Takes the next frames and hands every chunk whose context is complete to sink. What the sink gets
 * does not depend on how the frames are cut into portions, nor on the number of threads.
 *
 * @param x  [n_frames, D]
 * Allocates: no.
 */
oto_status oto_network_stream_push(struct oto_network_stream *stream, const oto_real *x,
                                   size_t n_frames, oto_log_probs_sink sink, void *arg,
                                   struct oto_pool *pool, oto_error *err) OTO_WARN_UNUSED;
/** The utterance ends: hands over what is left, and is ready for the next. Allocates: no. */
oto_status oto_network_stream_finish(struct oto_network_stream *stream, oto_log_probs_sink sink,
                                     void *arg, struct oto_pool *pool,
                                     oto_error *err) OTO_WARN_UNUSED;
/** Forgets all frames and states: the next frame is the first of an utterance. */
void oto_network_stream_reset(struct oto_network_stream *stream);

#endif
