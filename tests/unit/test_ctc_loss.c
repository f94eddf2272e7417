/* SPDX-License-Identifier: BSD-2-Clause */
/* CTC loss against enumeration of all paths, its limits (infeasible, saturated, empty), rows, and
 * failing memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ctc_brute.h"
#include "training/ctc_loss.h"

static struct oto_ctc *create(void)
{
    struct oto_ctc *ctc;
    assert_int_equal(oto_ctc_create(&ctc, NULL), OTO_OK);
    return ctc;
}

static double compute(struct oto_ctc *ctc, oto_real *dlogits, const oto_real *log_probs, int T,
                      int K, const int *labels, int n_labels)
{
    double loss = NAN;
    oto_error err = {OTO_OK, ""};
    if (oto_ctc_compute(ctc, &loss, dlogits, log_probs, NULL, T, K, labels, n_labels, &err))
        fail_msg("%s", err.message);
    return loss;
}

static void min_frames(void **state)
{
    (void)state;
    assert_int_equal(oto_ctc_min_frames(NULL, 0), 0);
    assert_int_equal(oto_ctc_min_frames((const int[]){1}, 1), 1);
    assert_int_equal(oto_ctc_min_frames((const int[]){1, 2, 1}, 3), 3);
    assert_int_equal(oto_ctc_min_frames((const int[]){1, 1, 1, 2, 2}, 5), 8);
}

/** Loss to 1e-10, gradient to float's own precision, of every sequence at this size. */
static void compare_all(struct oto_ctc *ctc, const oto_real *log_probs, int T, int K)
{
    static struct ctc_brute brute;
    ctc_brute_compute(&brute, log_probs, T, K);
    for (int sequence = 0; sequence < CTC_BRUTE_SEQUENCES; sequence++) {
        int labels[CTC_BRUTE_LABELS], n_labels;
        oto_real grad[CTC_BRUTE_T * CTC_BRUTE_K];
        if (!ctc_brute_labels(sequence, K, labels, &n_labels))
            continue;
        double loss = compute(ctc, grad, log_probs, T, K, labels, n_labels);
        double p = brute.p[sequence];
        if (oto_ctc_min_frames(labels, n_labels) > T)
            assert_true(p == 0.0);
        if (p == 0.0)
            assert_true(isinf(loss) && loss > 0.0);
        else if (!(fabs(loss + log(p)) <= 1e-10 * fmax(1.0, loss)))
            fail_msg("T %d K %d sequence %d: loss %.15g, expected %.15g", T, K, sequence, loss,
                     -log(p));
        for (int t = 0; t < T; t++)
            for (int k = 0; k < K; k++) {
                double softmax = exp((double)log_probs[t * K + k]);
                double expected = p == 0.0 ? 0.0 : softmax - brute.occupancy[sequence][t][k] / p;
                if (!(fabs((double)grad[t * K + k] - expected) <= 1e-7))
                    fail_msg("T %d K %d sequence %d: gradient %.9g at %d, %d, expected %.9g", T, K,
                             sequence, (double)grad[t * K + k], t, k, expected);
            }
    }
}

static void equals_enumeration(void **state)
{
    (void)state;
    struct oto_ctc *ctc = create();
    for (int K = 3; K <= CTC_BRUTE_K; K++)
        for (int T = 1; T <= CTC_BRUTE_T; T++)
            for (int scale = 0; scale < 4; scale++)
                for (int zeros = 0; zeros < 2; zeros++) {
                    oto_real log_probs[CTC_BRUTE_T * CTC_BRUTE_K];
                    ctc_random_log_probs(log_probs, T, K, 0.5 * (1 << (2 * scale)),
                                         zeros ? 0.3 : 0.0, (uint64_t)(T * 100 + K * 10 + scale));
                    compare_all(ctc, log_probs, T, K);
                }
    oto_ctc_destroy(ctc);
}

/** T = 1 without labels: the loss is the blank's own -log_prob, through the whole range of
 * exp2_fraction(). */
static void one_blank(void **state)
{
    (void)state;
    struct oto_ctc *ctc = create();
    double worst = 0.0;
    for (int i = 0; i <= 20000; i++) {
        oto_real x = (oto_real)(-i * 1e-4);
        worst = fmax(worst, fabs(compute(ctc, NULL, &x, 1, 1, NULL, 0) + (double)x));
    }
    print_message("worst error of one emission: %.3g\n", worst);
    assert_true(worst < 1e-15);
    oto_ctc_destroy(ctc);
}

static void empty_cases(void **state)
{
    (void)state;
    struct oto_ctc *ctc = create();
    assert_true(compute(ctc, NULL, NULL, 0, 3, NULL, 0) == 0.0);
    assert_true(isinf(compute(ctc, NULL, NULL, 0, 3, (const int[]){1}, 1)));
    oto_ctc_destroy(ctc);
}

/** Far below the range of double: 2,000 frames with every probability e^-80 or e^-5000. */
static void no_underflow(void **state)
{
    (void)state;
    enum { T = 2000, K = 3 };
    struct oto_ctc *ctc = create();
    oto_real *log_probs = oto_calloc(T * K, sizeof *log_probs),
             *grad = oto_calloc(T * K, sizeof *grad);
    for (int deep = 0; deep < 2; deep++) {
        double x = deep ? -5000.0 : -80.0;
        for (int i = 0; i < T * K; i++)
            log_probs[i] = (oto_real)x;
        /* every path has the same probability; "1" has T(T+1)/2 of them */
        double loss = compute(ctc, grad, log_probs, T, K, (const int[]){1}, 1);
        double expected = -(T * x + log(T * (T + 1.0) / 2.0));
        assert_true(fabs(loss - expected) < 1e-10 * expected);
        double sum = 0.0;
        for (int i = 0; i < T * K; i++) {
            assert_true(isfinite(grad[i]));
            sum += (double)grad[i];
        }
        assert_true(fabs(sum - T * (K * exp(x) - 1.0)) <
                    1e-3); /* occupancies of a frame add up to 1 */
    }
    oto_free(log_probs);
    oto_free(grad);
    oto_ctc_destroy(ctc);
}

/** Peaky posteriors whose alphas differ by far more than double's range from state to state. */
static void steep_lattice(void **state)
{
    (void)state;
    enum { T = 200, K = 2, U = 90 };
    struct oto_ctc *ctc = create();
    static oto_real log_probs[T * K], grad[T * K];
    int labels[U];
    for (int t = 0; t < T; t++) {
        log_probs[t * K] = 0;
        log_probs[t * K + 1] = -100;
    }
    for (int u = 0; u < U; u++)
        labels[u] = 1;
    /* 90 equal labels of one frame each with 89 blanks between, 21 frames to spare: the shortest
     * runs dominate. Number of ways to place 90 separate frames among 200: C(111, 90); longer runs
     * cost e^-100 each. */
    double expected = 100.0 * U - (lgamma(112.0) - lgamma(91.0) - lgamma(22.0));
    assert_true(fabs(compute(ctc, grad, log_probs, T, K, labels, U) - expected) < 1e-9 * expected);
    double sum = 0.0;
    for (int t = 0; t < T; t++)
        sum -= (double)grad[t * K + 1];
    assert_true(fabs(sum - U) < 1e-3); /* frames spent on labels */
    oto_ctc_destroy(ctc);
}

static void rows_of_a_packed_batch(void **state)
{
    (void)state;
    enum { T = 5, K = 3, N = 11 };
    static const size_t rows[T] = {7, 0, 10, 3, 4};
    static const int labels[] = {2, 2};
    struct oto_ctc *ctc = create();
    oto_real dense[T * K], packed[N * K], dense_grad[T * K], packed_grad[N * K];
    ctc_random_log_probs(dense, T, K, 2.0, 0.0, 5);
    for (int i = 0; i < N * K; i++) {
        packed[i] = (oto_real)NAN; /* never looked at */
        packed_grad[i] = 77;       /* never written */
    }
    for (int i = 0; i < T * K; i++)
        packed[rows[i / K] * K + (size_t)(i % K)] = dense[i];
    double loss;
    assert_int_equal(oto_ctc_compute(ctc, &loss, packed_grad, packed, rows, T, K, labels, 2, NULL),
                     OTO_OK);
    assert_true(loss == compute(ctc, dense_grad, dense, T, K, labels, 2));
    for (int t = 0, n = 0; t < N; t++) {
        int from = -1;
        for (int i = 0; i < T; i++)
            from = rows[i] == (size_t)t ? i : from;
        for (int k = 0; k < K; k++)
            assert_true(packed_grad[t * K + k] == (from < 0 ? 77 : dense_grad[from * K + k]));
        n += from >= 0;
        assert_true(t < N - 1 || n == T);
    }
    oto_ctc_destroy(ctc);
}

/** 100,000 random problems, many without a path, many with -inf: gradients finite, zero where there
 * is no path. */
static void never_inf_or_nan(void **state)
{
    (void)state;
    enum { N = 100000, MAX_T = 9, MAX_K = 6 };
    struct oto_ctc *ctc = create();
    int n_infinite = 0, n_finite = 0;
    for (uint64_t i = 0; i < N; i++) {
        int T = (int)oto_rng_below(i, 10, 0, MAX_T + 1),
            K = 2 + (int)oto_rng_below(i, 10, 1, MAX_K - 1);
        int U = (int)oto_rng_below(i, 10, 2, 7), labels[6];
        for (int u = 0; u < U; u++)
            labels[u] = 1 + (int)oto_rng_below(i, 11, (uint64_t)u, (uint64_t)K - 1);
        double scale = pow(10.0, 6.0 * oto_rng_uniform(i, 10, 3) - 1.0); /* to logits of 1e5 */
        oto_real log_probs[MAX_T * MAX_K], grad[MAX_T * MAX_K];
        ctc_random_log_probs(log_probs, T, K, scale, i % 3 ? 0.0 : 0.5, i);
        for (int j = 0; j < T * K; j++)
            grad[j] = (oto_real)NAN;
        double loss = compute(ctc, grad, log_probs, T, K, labels, U);
        assert_true(loss > -1e-6);
        if (oto_ctc_min_frames(labels, U) > T)
            assert_true(isinf(loss));
        isinf(loss) ? n_infinite++ : n_finite++;
        for (int t = 0; t < T; t++) {
            double sum = 0.0;
            for (int k = 0; k < K; k++) {
                double g = (double)grad[t * K + k];
                assert_true(isfinite(g) && fabs(g) <= 1.0 + 1e-6);
                assert_true(isfinite(loss) || g == 0.0);
                sum += g;
            }
            assert_true(fabs(sum) < 1e-5); /* softmax and occupancy both add up to 1 */
        }
    }
    print_message("%d with a path, %d without\n", n_finite, n_infinite);
    assert_true(n_finite > N / 5 && n_infinite > N / 5);
    oto_ctc_destroy(ctc);
}

static void refuses_bad_input(void **state)
{
    (void)state;
    struct oto_ctc *ctc = create();
    oto_error err;
    double loss;
    oto_real x[6] = {-1, -1, -1, -1, (oto_real)NAN, -1}, grad[6];
    assert_int_equal(oto_ctc_compute(ctc, &loss, grad, x, NULL, 2, 3, (const int[]){1}, 1, &err),
                     OTO_ERR_DATA);
    assert_non_null(strstr(err.message, "frame 1, symbol 1"));
    for (int i = 0; i < 6; i++)
        assert_true(grad[i] == 0);
    x[4] = (oto_real)INFINITY;
    assert_int_equal(oto_ctc_compute(ctc, &loss, grad, x, NULL, 2, 3, NULL, 0, &err), OTO_ERR_DATA);
    assert_int_equal(oto_ctc_compute(ctc, &loss, grad, x, NULL, 2, 3, (const int[]){3}, 1, &err),
                     OTO_ERR_ARGUMENT);
    assert_int_equal(oto_ctc_compute(ctc, &loss, grad, x, NULL, 2, 3, (const int[]){0}, 1, &err),
                     OTO_ERR_ARGUMENT);
    assert_int_equal(oto_ctc_compute(ctc, &loss, grad, x, NULL, -1, 3, NULL, 0, &err),
                     OTO_ERR_ARGUMENT);
    oto_ctc_destroy(ctc);
    oto_ctc_destroy(NULL);
}

/** Every allocation fails once; the same scratch then works, and gives the same result. */
static void failing_memory(void **state)
{
    (void)state;
    enum { K = 4 };
    static const int labels[] = {1, 2, 3, 3, 1};
    oto_real x[16 * K], grad[16 * K], grad_again[16 * K];
    ctc_random_log_probs(x, 16, K, 1.0, 0.0, 3);
    struct oto_ctc *reference = create();
    double expected = compute(reference, grad, x, 16, K, labels, 5);
    for (size_t nth = 1;; nth++) {
        struct oto_ctc *ctc = NULL;
        double loss = 0.0;
        oto_error err;
        oto_mem_fail_nth(nth);
        oto_status status = oto_ctc_create(&ctc, &err);
        if (!status)
            status = oto_ctc_compute(ctc, &loss, grad_again, x, NULL, 4, K, labels, 2, &err);
        if (!status)
            status = oto_ctc_compute(ctc, &loss, grad_again, x, NULL, 16, K, labels, 5, &err);
        oto_mem_fail_nth(0);
        if (ctc) {
            assert_true(compute(ctc, grad_again, x, 16, K, labels, 5) == expected);
            assert_memory_equal(grad, grad_again, sizeof grad);
        }
        oto_ctc_destroy(ctc);
        if (!status) {
            assert_true(nth > 4);
            break;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
    oto_ctc_destroy(reference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(min_frames),
        cmocka_unit_test(equals_enumeration),
        cmocka_unit_test(one_blank),
        cmocka_unit_test(empty_cases),
        cmocka_unit_test(no_underflow),
        cmocka_unit_test(steep_lattice),
        cmocka_unit_test(rows_of_a_packed_batch),
        cmocka_unit_test(never_inf_or_nan),
        cmocka_unit_test(refuses_bad_input),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
