/* SPDX-License-Identifier: BSD-2-Clause */
/** A growing block of numbers, and the fixed cut of rows into tasks that every layer uses. */
#ifndef OTO_ACOUSTIC_BUFFER_H
#define OTO_ACOUSTIC_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/real.h"

/** Zero-initialise; contents are lost when it grows. */
struct oto_buffer {
    oto_real *p;
    size_t n;
};

/** Room for a*b numbers, 64-byte aligned. False (and empty) when memory ends or a*b overflows. */
bool oto_buffer_reserve(struct oto_buffer *buffer, size_t a, size_t b);
void oto_buffer_clear(struct oto_buffer *buffer);

/** Rows [first, first + n) of task k. */
struct oto_row_block {
    size_t first, n;
};

/**
 * Tasks that n_rows rows are cut into: at most 8, of at least 256 rows. Depends on n_rows alone, so
 * that results have the same bits on any number of threads.
 */
int oto_row_blocks(size_t n_rows);
struct oto_row_block oto_row_block(size_t n_rows, int k);

#endif
