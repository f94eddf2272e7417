/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows between a batch and its windows. A step's rows are the first utterances of its frame, so
 * they are one block in both. */
#include <string.h>

#include "acoustic/network_internal.h"

/* Rows of a step in the windows and of its frame in the batch. */
struct blocks {
    size_t window, whole, n;
};

static struct blocks blocks_of(const struct oto_sequences *windows,
                               const struct oto_sequences *whole, int step, int n_cols)
{
    size_t width = (size_t)n_cols;
    return (struct blocks){windows->row_offset[step] * width,
                           whole->row_offset[windows->frame[step]] * width,
                           (size_t)windows->n_active[step] * width};
}

void oto_windows_spread(const struct oto_sequences *windows, const struct oto_sequences *whole,
                        oto_real *to, const oto_real *from, int n_cols)
{
    for (int step = 0; step < windows->max_t; step++) {
        struct blocks b = blocks_of(windows, whole, step, n_cols);
        memcpy(to + b.window, from + b.whole, b.n * sizeof *to);
    }
}

void oto_windows_sum(const struct oto_sequences *windows, const struct oto_sequences *whole,
                     oto_real *to, const oto_real *from, int n_cols)
{
    memset(to, 0, whole->n_rows * (size_t)n_cols * sizeof *to);
    for (int step = 0; step < windows->max_t; step++) {
        struct blocks b = blocks_of(windows, whole, step, n_cols);
        for (size_t i = 0; i < b.n; i++)
            to[b.whole + i] += from[b.window + i];
    }
}

void oto_windows_take(const struct oto_sequences *windows, const struct oto_sequences *whole,
                      oto_real *to, const oto_real *from, int n_cols)
{
    for (int step = 0; step < windows->max_t; step++) {
        struct blocks b = blocks_of(windows, whole, step, n_cols);
        if (windows->in_chunk[step])
            memcpy(to + b.whole, from + b.window, b.n * sizeof *to);
    }
}

void oto_windows_add(const struct oto_sequences *windows, const struct oto_sequences *whole,
                     oto_real *to, const oto_real *from, int n_cols)
{
    for (int step = 0; step < windows->max_t; step++) {
        struct blocks b = blocks_of(windows, whole, step, n_cols);
        for (size_t i = 0; i < b.n && windows->in_chunk[step]; i++)
            to[b.window + i] += from[b.whole + i];
    }
}

void oto_windows_put(const struct oto_sequences *windows, const struct oto_sequences *whole,
                     oto_real *to, const oto_real *from, int n_cols)
{
    for (int step = 0; step < windows->max_t; step++) {
        struct blocks b = blocks_of(windows, whole, step, n_cols);
        if (windows->in_chunk[step])
            memcpy(to + b.window, from + b.whole, b.n * sizeof *to);
        else
            memset(to + b.window, 0, b.n * sizeof *to);
    }
}
