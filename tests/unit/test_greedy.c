/* SPDX-License-Identifier: BSD-2-Clause */
/* Best path decoding. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "decoder/beam.h"

enum { K = 4 };

/** Rows with one likely symbol each. */
static void peaks(float *out, const int *symbols, int n)
{
    for (int i = 0; i < n * K; i++)
        out[i] = i % K == symbols[i / K] ? -0.25f : -2.5f;
}

static void merges_and_drops_blanks(void **state)
{
    (void)state;
    static const int path[] = {0, 1, 1, 0, 1, 2, 2, 3, 0, 0, 3};
    enum { T = sizeof path / sizeof *path };
    float log_probs[T * K];
    int labels[T], frames[T];
    double log_prob;
    peaks(log_probs, path, T);
    int n = oto_greedy(labels, frames, &log_prob, log_probs, T, K);
    static const int expected[] = {1, 1, 2, 3, 3}, starts[] = {1, 4, 5, 7, 10};
    assert_int_equal(n, 5);
    assert_memory_equal(labels, expected, sizeof expected);
    assert_memory_equal(frames, starts, sizeof starts);
    assert_true(log_prob == -0.25 * T);
    assert_int_equal(oto_greedy(labels, NULL, NULL, log_probs, T, K), 5);
    assert_memory_equal(labels, expected, sizeof expected);
}

static void ties_and_limits(void **state)
{
    (void)state;
    float log_probs[2 * K] = {-1, -1, -1, -1, -2, -1, -1, -INFINITY};
    int labels[2], frames[2];
    double log_prob;
    assert_int_equal(oto_greedy(labels, frames, &log_prob, log_probs, 2, K),
                     1); /* the first of equals: blank, 1 */
    assert_int_equal(labels[0], 1);
    assert_int_equal(frames[0], 1);
    assert_true(log_prob == -2.0);
    assert_int_equal(oto_greedy(labels, frames, &log_prob, log_probs, 0, K), 0);
    assert_true(log_prob == 0.0);
}

/** On random input: the labels are those of the path of maxima. */
static void equals_definition(void **state)
{
    (void)state;
    enum { T = 200 };
    static float log_probs[T * K];
    for (int i = 0; i < T * K; i++)
        log_probs[i] = (float)oto_rng_normal(1, 2, (uint64_t)i);
    int labels[T], frames[T], n = oto_greedy(labels, frames, NULL, log_probs, T, K), next = 0,
                              previous = 0;
    for (int t = 0; t < T; t++) {
        int best = 0;
        for (int k = 1; k < K; k++)
            best = log_probs[t * K + k] > log_probs[t * K + best] ? k : best;
        if (best != 0 && best != previous) {
            assert_true(next < n);
            assert_int_equal(labels[next], best);
            assert_int_equal(frames[next], t);
            next++;
        }
        previous = best;
    }
    assert_int_equal(next, n);
    assert_true(n > T / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_and_drops_blanks),
        cmocka_unit_test(ties_and_limits),
        cmocka_unit_test(equals_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
