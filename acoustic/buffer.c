/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/buffer.h"

#include "base/mem.h"

enum { BLOCKS_MAX = 8, BLOCK_ROWS_MIN = 256, BLOCK_ROWS_MULTIPLE = 16 };

bool oto_buffer_reserve(struct oto_buffer *buffer, size_t a, size_t b)
{
    size_t n;
    if (!oto_mul_size(a, b, &n)) {
        oto_buffer_clear(buffer);
        return false;
    }
    if (buffer->p != NULL && n <= buffer->n)
        return true;
    /* Released first: the two together may not fit. */
    oto_buffer_clear(buffer);
    buffer->p = oto_calloc(n, sizeof *buffer->p);
    if (buffer->p == NULL)
        return false;
    buffer->n = n;
    return true;
}

void oto_buffer_clear(struct oto_buffer *buffer)
{
    oto_free(buffer->p);
    *buffer = (struct oto_buffer){0};
}

static size_t block_rows(size_t n_rows)
{
    size_t rows = (n_rows + BLOCKS_MAX - 1) / BLOCKS_MAX;
    if (rows < BLOCK_ROWS_MIN)
        rows = BLOCK_ROWS_MIN;
    /* Whole tiles of the matrix product's kernels in every block but the last. */
    return (rows + BLOCK_ROWS_MULTIPLE - 1) / BLOCK_ROWS_MULTIPLE * BLOCK_ROWS_MULTIPLE;
}

int oto_row_blocks(size_t n_rows)
{
    size_t rows = block_rows(n_rows);
    return (int)((n_rows + rows - 1) / rows);
}

struct oto_row_block oto_row_block(size_t n_rows, int k)
{
    size_t rows = block_rows(n_rows);
    struct oto_row_block block = {.first = (size_t)k * rows, .n = rows};
    if (block.first + block.n > n_rows)
        block.n = n_rows - block.first;
    return block;
}
