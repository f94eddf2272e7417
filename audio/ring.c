/* SPDX-License-Identifier: BSD-2-Clause */
#include "audio/ring.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct oto_ring {
    unsigned char *data; /* [capacity] elements */
    size_t element_bytes, capacity, mask;
    /* Each on its own cache line, so that the two threads do not slow each other down. */
    _Alignas(64) atomic_size_t written; /* elements ever written */
    _Alignas(64) atomic_size_t read;    /* elements ever read */
};

oto_status oto_ring_create(struct oto_ring **out, size_t element_bytes, size_t min_elements,
                           oto_error *err)
{
    *out = NULL;
    if (element_bytes == 0 || min_elements == 0 || min_elements > SIZE_MAX / 4) {
        return oto_fail(err, OTO_ERR_ARGUMENT, "ring of %zu elements of %zu bytes cannot be made",
                        min_elements, element_bytes);
    }
    size_t capacity = 1;
    while (capacity < min_elements) {
        capacity *= 2;
    }
    struct oto_ring *ring = oto_calloc(1, sizeof *ring);
    if (ring == NULL) {
        return oto_fail_memory(err, "ring");
    }
    ring->data = oto_calloc(capacity, element_bytes);
    if (ring->data == NULL) {
        oto_free(ring);
        return oto_fail_memory(err, "ring");
    }
    ring->element_bytes = element_bytes;
    ring->capacity = capacity;
    ring->mask = capacity - 1;
    atomic_init(&ring->written, 0);
    atomic_init(&ring->read, 0);
    *out = ring;
    return OTO_OK;
}

void oto_ring_destroy(struct oto_ring *ring)
{
    if (ring != NULL) {
        oto_free(ring->data);
        oto_free(ring);
    }
}

size_t oto_ring_capacity(const struct oto_ring *ring)
{
    return ring->capacity;
}

size_t oto_ring_writable(const struct oto_ring *ring)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    size_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    return ring->capacity - (written - read);
}

size_t oto_ring_readable(const struct oto_ring *ring)
{
    size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    return atomic_load_explicit(&ring->written, memory_order_acquire) - read;
}

size_t oto_ring_write(struct oto_ring *ring, const void *elements, size_t n)
{
    size_t room = oto_ring_writable(ring), bytes = ring->element_bytes;
    n = n < room ? n : room;
    if (n == 0) {
        return 0;
    }
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    size_t at = written & ring->mask,
           first = ring->capacity - at; /* elements up to the end of data */
    first = first < n ? first : n;
    memcpy(ring->data + at * bytes, elements, first * bytes);
    memcpy(ring->data, (const unsigned char *)elements + first * bytes, (n - first) * bytes);
    atomic_store_explicit(&ring->written, written + n, memory_order_release);
    return n;
}

size_t oto_ring_peek(const struct oto_ring *ring, void *elements, size_t n)
{
    size_t there = oto_ring_readable(ring), bytes = ring->element_bytes;
    n = n < there ? n : there;
    if (n == 0) {
        return 0;
    }
    size_t at = atomic_load_explicit(&ring->read, memory_order_relaxed) & ring->mask;
    size_t first = ring->capacity - at;
    first = first < n ? first : n;
    memcpy(elements, ring->data + at * bytes, first * bytes);
    memcpy((unsigned char *)elements + first * bytes, ring->data, (n - first) * bytes);
    return n;
}

size_t oto_ring_read(struct oto_ring *ring, void *elements, size_t n)
{
    n = oto_ring_peek(ring, elements, n);
    size_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    atomic_store_explicit(&ring->read, read + n, memory_order_release);
    return n;
}
