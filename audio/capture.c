/* SPDX-License-Identifier: BSD-2-Clause */
#include "audio/capture.h"

#include <stdatomic.h>

#include "audio/ring.h"
#include "base/mem.h"

enum { N_GAPS = 64 }; /* remembered with their positions at a time; what follows is kept together */

struct shared { /* at the start of the memory, followed by the rings of gaps and of frames */
    _Alignas(64) atomic_uint_fast64_t n_lost;
    atomic_bool ended;
};

struct oto_capture {
    struct shared *shared;
    struct oto_ring *frames, *gaps;
    bool owns_memory;
    /* the writer's own */
    uint64_t n_written, n_missing; /* missing: lost since the last frame that was kept */
    /* the reader's own */
    uint64_t n_read, n_told; /* told: lost frames of the gaps taken off */
};

size_t oto_capture_bytes(int n_channels, size_t n_frames)
{
    size_t frames = oto_ring_bytes(sizeof(float) * (size_t)n_channels, n_frames);
    size_t gaps = oto_ring_bytes(sizeof(struct oto_capture_gap), N_GAPS);
    return frames != SIZE_MAX ? sizeof(struct shared) + gaps + frames : SIZE_MAX;
}

oto_status oto_capture_create_in(struct oto_capture **out, void *memory, int n_channels,
                                 size_t n_frames, oto_error *err)
{
    *out = NULL;
    const size_t bytes = n_channels < 1 ? SIZE_MAX : oto_capture_bytes(n_channels, n_frames);
    if (bytes == SIZE_MAX) {
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "capture of %zu frames of %d channels cannot be made", n_frames,
                        n_channels);
    }
    struct oto_capture *c = oto_calloc(1, sizeof *c);
    if (c == NULL) {
        return oto_fail_memory(err, "capture");
    }
    c->owns_memory = memory == NULL;
    if (memory == NULL) {
        memory = oto_calloc(1, bytes);
    }
    if (memory == NULL) {
        oto_free(c);
        return oto_fail_memory(err, "capture");
    }
    c->shared = memory; /* zero is where it starts: the other side may be at work already */
    unsigned char *rings = (unsigned char *)memory + sizeof *c->shared;
    oto_status status =
        oto_ring_create_in(&c->gaps, rings, sizeof(struct oto_capture_gap), N_GAPS, err);
    if (status == OTO_OK) {
        rings += oto_ring_bytes(sizeof(struct oto_capture_gap), N_GAPS);
        status = oto_ring_create_in(&c->frames, rings, sizeof(float) * (size_t)n_channels, n_frames,
                                    err);
    }
    if (status != OTO_OK) {
        oto_capture_destroy(c);
        return status;
    }
    *out = c;
    return OTO_OK;
}

oto_status oto_capture_create(struct oto_capture **out, int n_channels, size_t n_frames,
                              oto_error *err)
{
    return oto_capture_create_in(out, NULL, n_channels, n_frames, err);
}

void oto_capture_destroy(struct oto_capture *c)
{
    if (c == NULL) {
        return;
    }
    oto_ring_destroy(c->gaps);
    oto_ring_destroy(c->frames);
    if (c->owns_memory) {
        oto_free(c->shared);
    }
    oto_free(c);
}

void oto_capture_write(struct oto_capture *c, const float *frames, size_t n, bool late)
{
    bool fits = oto_ring_writable(c->frames) >= n;
    if (fits && (c->n_missing > 0 || late)) {
        struct oto_capture_gap gap = {c->n_written, c->n_missing};
        fits = oto_ring_write(c->gaps, &gap, 1) == 1;
    }
    if (!fits) {
        c->n_missing += n;
        atomic_fetch_add_explicit(&c->shared->n_lost, n, memory_order_relaxed);
        return;
    }
    c->n_missing = 0;
    c->n_written += oto_ring_write(c->frames, frames, n);
}

void oto_capture_end(struct oto_capture *c)
{
    atomic_store_explicit(&c->shared->ended, true, memory_order_release);
}

size_t oto_capture_read(struct oto_capture *c, float *frames, size_t capacity)
{
    struct oto_capture_gap gap;
    /* Frames first: a gap is published before the frame that follows it. */
    size_t there = oto_ring_readable(c->frames);
    capacity = capacity < there ? capacity : there;
    if (oto_ring_peek(c->gaps, &gap, 1) == 1) {
        uint64_t left = gap.position - c->n_read;
        capacity = left < capacity ? (size_t)left : capacity;
    }
    size_t n = oto_ring_read(c->frames, frames, capacity);
    c->n_read += n;
    return n;
}

/* Whether nothing will come any more but what was lost after the last frame. */
static bool is_drained(const struct oto_capture *c)
{
    return atomic_load_explicit(&c->shared->ended, memory_order_acquire) &&
           oto_ring_readable(c->frames) == 0 && oto_ring_readable(c->gaps) == 0;
}

bool oto_capture_next_gap(struct oto_capture *c, struct oto_capture_gap *gap)
{
    bool found = oto_ring_peek(c->gaps, gap, 1) == 1 && gap->position == c->n_read &&
                 oto_ring_read(c->gaps, gap, 1) == 1;
    if (!found && is_drained(c)) {
        *gap = (struct oto_capture_gap){c->n_read, oto_capture_n_lost(c) - c->n_told};
        found = gap->n_lost > 0;
    }
    if (found)
        c->n_told += gap->n_lost;
    return found;
}

bool oto_capture_is_over(const struct oto_capture *c)
{
    return is_drained(c) && c->n_told == oto_capture_n_lost(c);
}

uint64_t oto_capture_n_lost(const struct oto_capture *c)
{
    return atomic_load_explicit(&c->shared->n_lost, memory_order_relaxed);
}
