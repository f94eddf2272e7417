/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Frames from a thread that must never wait (an audio callback) to one that reads them, with an
 * account of what did not fit: every frame that was given is either read or lost at a known place.
 * In memory that two processes share, the threads may be of both.
 */
#ifndef OTO_AUDIO_CAPTURE_H
#define OTO_AUDIO_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/** Frames that are missing before the frame at position, counted in frames that were kept. */
struct oto_capture_gap {
    uint64_t position, n_lost; /* n_lost 0: the device says that it lost some, not how many */
};

struct oto_capture;

/**
 * @param n_channels  of a frame of floats, >= 1
 * @param n_frames    that the reader may fall behind, at least
 * OTO_ERR_ARGUMENT, OTO_ERR_MEMORY.
 */
oto_status oto_capture_create(struct oto_capture **out, int n_channels, size_t n_frames,
                              oto_error *err) OTO_WARN_UNUSED;
/** Bytes of memory that such a capture lies in, a multiple of 64; SIZE_MAX when it cannot be made.
 */
size_t oto_capture_bytes(int n_channels, size_t n_frames);
/**
 * A capture in given memory of oto_capture_bytes(), as oto_ring_create_in() has it: writer and
 * reader may be two processes, each with its own.
 */
oto_status oto_capture_create_in(struct oto_capture **out, void *memory, int n_channels,
                                 size_t n_frames, oto_error *err) OTO_WARN_UNUSED;
void oto_capture_destroy(struct oto_capture *c);

/** Writer only. Keeps all n frames or counts them as lost. late: the device lost some before them.
 * Wait-free, allocates nothing. */
void oto_capture_write(struct oto_capture *c, const float *frames, size_t n, bool late);
/** Writer only, once, after the last write; or the reader, when the writer is no more. */
void oto_capture_end(struct oto_capture *c);

/** Reader only. Up to capacity frames, none beyond the next gap. 0: nothing is there now, or
 * oto_capture_next_gap() must be asked first. */
size_t oto_capture_read(struct oto_capture *c, float *frames, size_t capacity);
/** Reader only. Takes off the gap that lies before the next frame to be read, if there is one;
 * after the end also the one behind the last frame. */
bool oto_capture_next_gap(struct oto_capture *c, struct oto_capture_gap *gap);
/** Reader only. Whether the writer has ended, all was read, and all gaps were taken off. */
bool oto_capture_is_over(const struct oto_capture *c);

/** Any thread. */
uint64_t oto_capture_n_lost(const struct oto_capture *c);

#endif
