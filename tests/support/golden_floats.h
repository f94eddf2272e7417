/* SPDX-License-Identifier: BSD-2-Clause */
/** Numbers of golden files that PyTorch wrote, and those that both sides make by a hash. */
#ifndef OTO_TESTS_GOLDEN_FLOATS_H
#define OTO_TESTS_GOLDEN_FLOATS_H

#include "base/bytes.h"
#include "base/mem.h"
#include "unit.h"

/* Number i of the hash of make_network.py, in [-1, 1). */
static inline float golden_uniform(size_t i, uint32_t seed)
{
    uint32_t v = (uint32_t)i * 2654435761u + seed * 40503u;
    for (int k = 0; k < 2; k++) {
        v ^= v >> 16;
        v *= 0x45d9f3bu;
    }
    v ^= v >> 16;
    return (float)(v >> 8) / (float)(1 << 23) - 1.0f;
}

static inline float *golden_read(struct oto_reader *r, size_t n)
{
    float *out = oto_calloc(n, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        out[i] = oto_read_f32(r);
    return out;
}

/** The file NAME.bin of the test data; oto_map_close() it. */
static inline struct oto_reader golden_open(struct oto_map *map, const char *name)
{
    char path[512];
    struct oto_reader r;
    oto_error err = {0};
    snprintf(path, sizeof path, "%s/%s.bin", OTO_TEST_DATA, name);
    if (oto_map_open(map, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    oto_reader_init(&r, map->data, map->size);
    return r;
}

#endif
