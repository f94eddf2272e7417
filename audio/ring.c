/* SPDX-License-Identifier: BSD-2-Clause */
#include "audio/ring.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

/* Each end on its own cache line, so that the two sides do not slow each other down. */
struct ends {
    _Alignas(64) atomic_size_t written; /* elements ever written */
    _Alignas(64) atomic_size_t read;    /* elements ever read */
};

struct oto_ring {
    struct ends *ends;   /* at the start of the memory */
    unsigned char *data; /* [capacity] elements, behind them */
    size_t element_bytes, capacity, mask;
    bool owns_memory;
};

/* The next power of two; 0 for what cannot be made. */
static size_t capacity_of(size_t element_bytes, size_t min_elements)
{
    size_t capacity = 1;
    if (element_bytes == 0 || min_elements == 0 || min_elements > SIZE_MAX / 4) {
        return 0;
    }
    while (capacity < min_elements) {
        capacity *= 2;
    }
    return capacity;
}

size_t oto_ring_bytes(size_t element_bytes, size_t min_elements)
{
    size_t capacity = capacity_of(element_bytes, min_elements), bytes = 0;
    if (capacity == 0 || !oto_mul_size(capacity, element_bytes, &bytes) || bytes > SIZE_MAX / 4) {
        return SIZE_MAX;
    }
    return sizeof(struct ends) + (bytes + OTO_ALIGN - 1) / OTO_ALIGN * OTO_ALIGN;
}

oto_status oto_ring_create_in(struct oto_ring **out, void *memory, size_t element_bytes,
                              size_t min_elements, oto_error *err)
{
    *out = NULL;
    size_t capacity = capacity_of(element_bytes, min_elements);
    if (capacity == 0) {
        return oto_fail(err, OTO_ERR_ARGUMENT, "ring of %zu elements of %zu bytes cannot be made",
                        min_elements, element_bytes);
    }
    struct oto_ring *ring = oto_calloc(1, sizeof *ring);
    if (ring == NULL) {
        return oto_fail_memory(err, "ring");
    }
    ring->owns_memory = memory == NULL;
    if (memory == NULL) {
        memory = oto_calloc(1, oto_ring_bytes(element_bytes, min_elements));
    }
    if (memory == NULL) {
        oto_free(ring);
        return oto_fail_memory(err, "ring");
    }
    ring->ends = memory; /* zero is where both start: the other side may be at work already */
    ring->data = (unsigned char *)memory + sizeof *ring->ends;
    ring->element_bytes = element_bytes;
    ring->capacity = capacity;
    ring->mask = capacity - 1;
    *out = ring;
    return OTO_OK;
}

oto_status oto_ring_create(struct oto_ring **out, size_t element_bytes, size_t min_elements,
                           oto_error *err)
{
    return oto_ring_create_in(out, NULL, element_bytes, min_elements, err);
}

void oto_ring_destroy(struct oto_ring *ring)
{
    if (ring != NULL) {
        if (ring->owns_memory) {
            oto_free(ring->ends);
        }
        oto_free(ring);
    }
}

size_t oto_ring_capacity(const struct oto_ring *ring)
{
    return ring->capacity;
}

/* The other side may be a process that has gone mad: what it says never leads out of the memory. */
static size_t within(const struct oto_ring *ring, size_t n)
{
    return n < ring->capacity ? n : ring->capacity;
}

size_t oto_ring_writable(const struct oto_ring *ring)
{
    size_t written = atomic_load_explicit(&ring->ends->written, memory_order_relaxed);
    size_t read = atomic_load_explicit(&ring->ends->read, memory_order_acquire);
    return ring->capacity - within(ring, written - read);
}

size_t oto_ring_readable(const struct oto_ring *ring)
{
    size_t read = atomic_load_explicit(&ring->ends->read, memory_order_relaxed);
    return within(ring, atomic_load_explicit(&ring->ends->written, memory_order_acquire) - read);
}

size_t oto_ring_write(struct oto_ring *ring, const void *elements, size_t n)
{
    size_t room = oto_ring_writable(ring), bytes = ring->element_bytes;
    n = n < room ? n : room;
    if (n == 0) {
        return 0;
    }
    size_t written = atomic_load_explicit(&ring->ends->written, memory_order_relaxed);
    size_t at = written & ring->mask,
           first = ring->capacity - at; /* elements up to the end of data */
    first = first < n ? first : n;
    memcpy(ring->data + at * bytes, elements, first * bytes);
    memcpy(ring->data, (const unsigned char *)elements + first * bytes, (n - first) * bytes);
    atomic_store_explicit(&ring->ends->written, written + n, memory_order_release);
    return n;
}

size_t oto_ring_peek(const struct oto_ring *ring, void *elements, size_t n)
{
    size_t there = oto_ring_readable(ring), bytes = ring->element_bytes;
    n = n < there ? n : there;
    if (n == 0) {
        return 0;
    }
    size_t at = atomic_load_explicit(&ring->ends->read, memory_order_relaxed) & ring->mask;
    size_t first = ring->capacity - at;
    first = first < n ? first : n;
    memcpy(elements, ring->data + at * bytes, first * bytes);
    memcpy((unsigned char *)elements + first * bytes, ring->data, (n - first) * bytes);
    return n;
}

size_t oto_ring_read(struct oto_ring *ring, void *elements, size_t n)
{
    n = oto_ring_peek(ring, elements, n);
    size_t read = atomic_load_explicit(&ring->ends->read, memory_order_relaxed);
    atomic_store_explicit(&ring->ends->read, read + n, memory_order_release);
    return n;
}
