/* SPDX-License-Identifier: BSD-2-Clause */
#include "features/stack.h"

#include <string.h>

size_t oto_stack_n_frames(size_t n, int stride)
{
    return n / (size_t)stride + (n % (size_t)stride ? 1 : 0);
}

void oto_stack_apply(float *out, const float *in, size_t n, int width, int stack, int stride)
{
    const size_t n_out = oto_stack_n_frames(n, stride), row = (size_t)width;

    for (size_t j = 0; j < n_out; j++) {
        for (size_t s = 0; s < (size_t)stack; s++) {
            const size_t t = j * (size_t)stride + s;
            memcpy(out + (j * (size_t)stack + s) * row, in + (t < n ? t : n - 1) * row,
                   row * sizeof *out);
        }
    }
}
