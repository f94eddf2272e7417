/* SPDX-License-Identifier: BSD-2-Clause */
/** Probability of a text where spaces do not count more than once. */
#ifndef OTO_TESTS_CTC_TEXT_H
#define OTO_TESTS_CTC_TEXT_H

#include <assert.h>
#include <math.h>

static inline double ctc_text_add(double a, double b)
{
    double top = a > b ? a : b;
    return isinf(top) ? top : top + log(exp(a - top) + exp(b - top));
}

/**
 * Over all paths that write these labels, with further spaces at the start, the end and next to
 * spaces, combined by add: the forward algorithm on the one text. n <= 200, single spaces within.
 */
static inline double ctc_text_over_paths(double (*add)(double, double), const float *y, int T,
                                         int K, const int *labels, int n, int space)
{
    double blank[202], label[202], total[202];
    assert(n <= 200);
    int all = n > 0 && space > 0 ? n + 1 : n; /* a space behind, which is no text of its own */
    for (int j = 0; j <= all; j++)
        blank[j] = label[j] = total[j] = -(double)INFINITY;
    blank[0] = total[0] = 0.0;
    for (int t = 0; t < T; t++, y += K) {
        for (int j = all; j >= 0; j--) {
            int last = j == 0 ? 0 : j > n ? space : labels[j - 1];
            double keep = -(double)INFINITY, handed = -(double)INFINITY;
            if (space > 0 && (j == 0 || last == space))
                keep = total[j] + (double)y[space];
            else if (last > 0)
                keep = label[j] + (double)y[last];
            if (j > 0) {
                int repeats = j > 1 && labels[j - 2] == last;
                handed = (repeats ? blank[j - 1] : total[j - 1]) + (double)y[last];
            }
            blank[j] = total[j] + (double)y[0];
            label[j] = add(keep, handed);
        }
        for (int j = 0; j <= all; j++)
            total[j] = add(blank[j], label[j]);
    }
    return all > n ? add(total[n], total[n + 1]) : total[n];
}

/** Natural log of the sum over these paths. */
static inline double ctc_text_log_prob(const float *y, int T, int K, const int *labels, int n,
                                       int space)
{
    return ctc_text_over_paths(ctc_text_add, y, T, K, labels, n, space);
}

#endif
