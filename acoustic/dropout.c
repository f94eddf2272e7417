/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/dropout.h"

#include <math.h>

#include "base/rng.h"

enum { UNITS_PER_DRAW = 8 }; /* 16 bits each of a block of 128 */

void oto_dropout_apply(oto_real *y, const oto_real *x, size_t first_row, size_t n_rows, int n_cols,
                       int layer, const struct oto_dropout *dropout)
{
    uint32_t threshold = (uint32_t)lrint(dropout->rate * 65536.0);
    if (threshold > 65535)
        threshold = 65535;
    oto_real scale = (oto_real)(65536.0 / (65536.0 - (double)threshold));
    int n_draws = (n_cols + UNITS_PER_DRAW - 1) / UNITS_PER_DRAW;

    for (size_t n = 0; n < n_rows; n++) {
        uint64_t counter = ((uint64_t)layer << 56) + (first_row + n) * (uint64_t)n_draws;
        const oto_real *in = x + n * (size_t)n_cols;
        oto_real *out = y + n * (size_t)n_cols;
        for (int k = 0; k < n_draws; k++) {
            uint32_t bits[4];
            oto_rng_block(dropout->seed, dropout->stream, counter + (uint64_t)k, bits);
            int first = k * UNITS_PER_DRAW;
            int last = first + UNITS_PER_DRAW < n_cols ? first + UNITS_PER_DRAW : n_cols;
            for (int j = first; j < last; j++) {
                int i = j - first;
                uint32_t draw = (bits[i >> 1] >> (16 * (i & 1))) & 0xffff;
                /* Zero even where x is not finite: a dropped unit must not poison the sum. */
                out[j] = draw >= threshold ? in[j] * scale : (oto_real)0;
            }
        }
    }
}
