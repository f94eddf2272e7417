/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/beam.h"

#include <limits.h>

int oto_greedy(int *labels, int *frames, double *log_prob, const float *log_probs, size_t n_frames,
               int n_symbols)
{
    int n = 0, previous = 0;
    double sum = 0.0;
    for (size_t t = 0; t < n_frames; t++) {
        const float *x = log_probs + t * (size_t)n_symbols;
        int best = 0;
        for (int k = 1; k < n_symbols; k++)
            if (x[k] > x[best])
                best = k;
        sum += (double)x[best];
        if (best != 0 && best != previous) {
            labels[n] = best;
            if (frames)
                frames[n] = t < INT_MAX ? (int)t : INT_MAX;
            n++;
        }
        previous = best;
    }
    if (log_prob)
        *log_prob = sum;
    return n;
}
