/* SPDX-License-Identifier: BSD-2-Clause */
/** CTC by enumeration of every path: the definition itself, for small cases. */
#ifndef OTO_TESTS_CTC_BRUTE_H
#define OTO_TESTS_CTC_BRUTE_H

#include <math.h>
#include <string.h>

#include "base/real.h"
#include "base/rng.h"

enum { CTC_BRUTE_T = 6, CTC_BRUTE_K = 4, CTC_BRUTE_LABELS = 3, CTC_BRUTE_SEQUENCES = 4 * 4 * 4 };

/** Totals of every label sequence of at most 3 labels; sequence number: digits 1..3 in base 4. */
struct ctc_brute {
    double p[CTC_BRUTE_SEQUENCES];
    double occupancy[CTC_BRUTE_SEQUENCES][CTC_BRUTE_T][CTC_BRUTE_K]; /* not yet divided by p */
};

/** Merges repeats, removes blanks; the sequence's number, or -1 where it has more than 3 labels. */
static inline int ctc_brute_collapse(const int *path, int T)
{
    int sequence = 0, n = 0;
    for (int t = 0; t < T; t++) {
        if (path[t] == 0 || (t > 0 && path[t] == path[t - 1]))
            continue;
        if (++n > CTC_BRUTE_LABELS)
            return -1;
        sequence = sequence * 4 + path[t];
    }
    return sequence;
}

static inline void ctc_brute_compute(struct ctc_brute *out, const oto_real *log_probs, int T, int K)
{
    int path[CTC_BRUTE_T] = {0}, n_paths = 1;
    memset(out, 0, sizeof *out);
    for (int t = 0; t < T; t++)
        n_paths *= K;
    for (int i = 0; i < n_paths; i++) {
        double log_p = 0.0;
        for (int t = 0, rest = i; t < T; t++, rest /= K) {
            path[t] = rest % K;
            log_p += (double)log_probs[t * K + path[t]];
        }
        int sequence = ctc_brute_collapse(path, T);
        if (sequence < 0)
            continue;
        double p = exp(log_p);
        out->p[sequence] += p;
        for (int t = 0; t < T; t++)
            out->occupancy[sequence][t][path[t]] += p;
    }
}

/** Labels of a sequence number; false for numbers that are none (a digit 0 below another, a digit
 * >= K). */
static inline int ctc_brute_labels(int sequence, int K, int labels[CTC_BRUTE_LABELS], int *n_labels)
{
    int digits[CTC_BRUTE_LABELS] = {sequence / 16, sequence / 4 % 4, sequence % 4};
    *n_labels = 0;
    for (int i = 0; i < CTC_BRUTE_LABELS; i++) {
        if (digits[i] >= K || (digits[i] == 0 && *n_labels > 0))
            return 0;
        if (digits[i] > 0)
            labels[(*n_labels)++] = digits[i];
    }
    return 1;
}

/** Log-softmax rows of logits scale * N(0, 1); each symbol but one is -inf with probability p_zero.
 */
static inline void ctc_random_log_probs(oto_real *out, int T, int K, double scale, double p_zero,
                                        uint64_t seed)
{
    for (int t = 0; t < T; t++) {
        double z[64], sum = 0.0;
        uint64_t counter = (uint64_t)t * 64;
        int kept = (int)oto_rng_below(seed, 0, counter, (uint64_t)K);
        for (int k = 0; k < K; k++) {
            int zero = k != kept && oto_rng_uniform(seed, 1, counter + (uint64_t)k) < p_zero;
            z[k] =
                zero ? -(double)INFINITY : scale * oto_rng_normal(seed, 2, counter + (uint64_t)k);
        }
        double top = z[kept];
        for (int k = 0; k < K; k++)
            top = z[k] > top ? z[k] : top;
        for (int k = 0; k < K; k++)
            sum += exp(z[k] - top);
        for (int k = 0; k < K; k++)
            out[t * K + k] = (oto_real)(z[k] - top - log(sum));
    }
}

#endif
