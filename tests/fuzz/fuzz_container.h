/* SPDX-License-Identifier: BSD-2-Clause */
/** Containers (base/container.h) whose checksums would stop every change at the door. */
#ifndef OTO_TESTS_FUZZ_CONTAINER_H
#define OTO_TESTS_FUZZ_CONTAINER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/container.h"

static inline void fuzz_put_u64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static inline uint64_t fuzz_get(const uint8_t *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/** Size and checksums as if the content were meant so. */
static inline void fuzz_sign(uint8_t *data, size_t size)
{
    if (size < OTO_CONTAINER_HEADER)
        return;
    size_t n = (size_t)fuzz_get(data + 12, 4);
    if (n > OTO_CONTAINER_MAX_SECTIONS || OTO_CONTAINER_HEADER + n * OTO_CONTAINER_ENTRY + 8 > size)
        return;
    fuzz_put_u64(data + 16, size);
    for (size_t k = 0; k < n; k++) {
        uint8_t *entry = data + OTO_CONTAINER_HEADER + k * OTO_CONTAINER_ENTRY;
        uint64_t offset = fuzz_get(entry + 16, 8), length = fuzz_get(entry + 24, 8);
        if (offset <= size && length <= size - offset)
            fuzz_put_u64(entry + 32, oto_checksum(data + offset, (size_t)length));
    }
    size_t end = OTO_CONTAINER_HEADER + n * OTO_CONTAINER_ENTRY;
    fuzz_put_u64(data + end, oto_checksum(data, end));
}

/** The same for a section that is a container of its own. */
static inline void fuzz_sign_inner(uint8_t *data, size_t size, const char name[8])
{
    size_t n = size < OTO_CONTAINER_HEADER ? 0 : (size_t)fuzz_get(data + 12, 4);
    for (size_t k = 0; k < n && OTO_CONTAINER_HEADER + (k + 1) * OTO_CONTAINER_ENTRY <= size; k++) {
        const uint8_t *entry = data + OTO_CONTAINER_HEADER + k * OTO_CONTAINER_ENTRY;
        uint64_t offset = fuzz_get(entry + 16, 8), length = fuzz_get(entry + 24, 8);
        if (memcmp(entry, name, 8) == 0 && offset <= size && length <= size - offset)
            fuzz_sign(data + offset, (size_t)length);
    }
}

#endif
