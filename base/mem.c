/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Failure injection of the tests. Atomic only so that counting in worker threads is no data race.
 */
static atomic_size_t n_allocations;
static atomic_size_t fail_countdown;

static bool injected_failure(void)
{
    atomic_fetch_add_explicit(&n_allocations, 1, memory_order_relaxed);
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) == 0) {
        return false;
    }
    return atomic_fetch_sub_explicit(&fail_countdown, 1, memory_order_relaxed) == 1;
}

size_t oto_mem_fail_nth(size_t nth)
{
    atomic_store_explicit(&fail_countdown, nth, memory_order_relaxed);
    return atomic_exchange_explicit(&n_allocations, 0, memory_order_relaxed);
}

bool oto_mul_size(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b) {
        return false;
    }
    *out = a * b;
    return true;
}

void *oto_calloc(size_t n, size_t size)
{
    size_t bytes;
    /* Objects beyond PTRDIFF_MAX break pointer differences; the margin leaves room for the padding.
     */
    if (!oto_mul_size(n, size, &bytes) || bytes > (size_t)PTRDIFF_MAX - OTO_ALIGN) {
        return NULL;
    }
    if (injected_failure()) {
        return NULL;
    }
    size_t padded = bytes == 0 ? OTO_ALIGN : (bytes + OTO_ALIGN - 1) / OTO_ALIGN * OTO_ALIGN;
    void *p = aligned_alloc(OTO_ALIGN, padded);
    if (p) {
        memset(p, 0, padded);
    }
    return p;
}

void *oto_realloc(void *p, size_t old_n, size_t new_n, size_t size)
{
    void *fresh = oto_calloc(new_n, size);
    if (!fresh) {
        return NULL;
    }
    if (p) {
        size_t kept = old_n < new_n ? old_n : new_n;
        memcpy(fresh, p, kept * size);
        free(p);
    }
    return fresh;
}

void oto_free(void *p)
{
    free(p);
}

char *oto_strdup(const char *s)
{
    return oto_strndup(s, strlen(s));
}

char *oto_strndup(const char *s, size_t n)
{
    const char *end = memchr(s, 0, n);
    size_t length = end ? (size_t)(end - s) : n;
    if (length == SIZE_MAX) {
        return NULL;
    }
    char *copy = oto_calloc(length + 1, 1);
    if (copy) {
        memcpy(copy, s, length);
    }
    return copy;
}
