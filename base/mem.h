/* SPDX-License-Identifier: BSD-2-Clause */
/** Allocation: overflow-checked, zeroed, 64-byte aligned for anything a kernel reads. NULL on
 * failure or overflow. */
#ifndef OTO_BASE_MEM_H
#define OTO_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#define OTO_ALIGN 64

/** Zeroed [n] elements of size bytes each, aligned to 64 bytes, padded to a multiple of 64. Free
 * with oto_free(). n = 0 gives a valid pointer. */
void *oto_calloc(size_t n, size_t size);
/** Like realloc for memory of oto_calloc: keeps min(old, new) elements, new ones are zero. On
 * failure NULL and the old block stays. */
void *oto_realloc(void *p, size_t old_n, size_t new_n, size_t size);
void oto_free(void *p);
/** Copies; freed with oto_free(). */
char *oto_strdup(const char *s);
char *oto_strndup(const char *s, size_t n);
/** False on overflow, else *out = a*b. */
bool oto_mul_size(size_t a, size_t b, size_t *out);

/**
 * Tests only: the nth allocation from now on (1 = the next) fails, once; 0 switches it off.
 * Returns how many allocations were made since the last call. Not thread-safe.
 */
size_t oto_mem_fail_nth(size_t nth);

#endif
