/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A queue of fixed-size elements between one writing and one reading thread, without locks: the
 * writer may be an audio callback that must never wait. In memory that two processes share, the
 * threads may be of both.
 *
 * Positions count up for ever and are masked on use, so full and empty differ and all of the
 * capacity is usable. The writer publishes with release what the reader takes with acquire, and the
 * other way round for the space it frees.
 */
#ifndef OTO_AUDIO_RING_H
#define OTO_AUDIO_RING_H

#include <stddef.h>

#include "base/status.h"

struct oto_ring;

/**
 * @param element_bytes  size of one element, >= 1
 * @param min_elements   >= 1; the capacity is the next power of two
 * OTO_ERR_ARGUMENT, OTO_ERR_MEMORY.
 */
oto_status oto_ring_create(struct oto_ring **out, size_t element_bytes, size_t min_elements,
                           oto_error *err) OTO_WARN_UNUSED;
/** Bytes of memory that such a ring lies in, a multiple of 64; SIZE_MAX when it cannot be made. */
size_t oto_ring_bytes(size_t element_bytes, size_t min_elements);
/**
 * A ring in given memory of oto_ring_bytes(), borrowed: aligned to 64 bytes, and zero before the
 * first ring is made in it. Writer and reader may each make their own, with the same sizes, at
 * different addresses. Nothing in that memory leads out of it, whatever the other side writes.
 * NULL: as oto_ring_create().
 */
oto_status oto_ring_create_in(struct oto_ring **out, void *memory, size_t element_bytes,
                              size_t min_elements, oto_error *err) OTO_WARN_UNUSED;
void oto_ring_destroy(struct oto_ring *ring);
size_t oto_ring_capacity(const struct oto_ring *ring);

/** Writer only. Elements that can be written now; a later call never gives less until something is
 * written. */
size_t oto_ring_writable(const struct oto_ring *ring);
/** Writer only. Copies up to n elements in, returns how many. Wait-free, allocates nothing. */
size_t oto_ring_write(struct oto_ring *ring, const void *elements, size_t n);

/** Reader only. Elements that can be read now. */
size_t oto_ring_readable(const struct oto_ring *ring);
/** Reader only. Copies up to n elements out, returns how many. Wait-free. */
size_t oto_ring_read(struct oto_ring *ring, void *elements, size_t n);
/** Reader only. As oto_ring_read(), but they stay. */
size_t oto_ring_peek(const struct oto_ring *ring, void *elements, size_t n);

#endif
