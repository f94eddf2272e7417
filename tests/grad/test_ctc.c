/* SPDX-License-Identifier: BSD-2-Clause */
/* CTC in double: gradients by enumeration to 1e-10, and by central differences through the softmax.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ctc_brute.h"
#include "training/ctc_loss.h"

static struct oto_ctc *create(void)
{
    struct oto_ctc *ctc;
    assert_int_equal(oto_ctc_create(&ctc, NULL), OTO_OK);
    return ctc;
}

static void compare_all(struct oto_ctc *ctc, const oto_real *log_probs, int T, int K, double *worst)
{
    static struct ctc_brute brute;
    ctc_brute_compute(&brute, log_probs, T, K);
    for (int sequence = 0; sequence < CTC_BRUTE_SEQUENCES; sequence++) {
        int labels[CTC_BRUTE_LABELS], n_labels;
        oto_real grad[CTC_BRUTE_T * CTC_BRUTE_K];
        double loss, p = brute.p[sequence];
        if (!ctc_brute_labels(sequence, K, labels, &n_labels))
            continue;
        assert_int_equal(
            oto_ctc_compute(ctc, &loss, grad, log_probs, NULL, T, K, labels, n_labels, NULL),
            OTO_OK);
        assert_true(isinf(loss) ? p == 0.0 : fabs(loss + log(p)) <= 1e-10 * fmax(1.0, loss));
        for (int t = 0; t < T; t++)
            for (int k = 0; k < K; k++) {
                double expected =
                    p == 0.0 ? 0.0
                             : exp(log_probs[t * K + k]) - brute.occupancy[sequence][t][k] / p;
                *worst = fmax(*worst, fabs(grad[t * K + k] - expected));
            }
    }
}

static void equals_enumeration(void **state)
{
    (void)state;
    struct oto_ctc *ctc = create();
    double worst = 0.0;
    for (int K = 3; K <= CTC_BRUTE_K; K++)
        for (int T = 1; T <= CTC_BRUTE_T; T++)
            for (int scale = 1; scale <= 8; scale *= 2) {
                oto_real log_probs[CTC_BRUTE_T * CTC_BRUTE_K];
                ctc_random_log_probs(log_probs, T, K, scale, scale == 4 ? 0.3 : 0.0,
                                     (uint64_t)(T * 10 + K));
                compare_all(ctc, log_probs, T, K, &worst);
            }
    print_message("worst difference of a gradient: %.2g\n", worst);
    assert_true(worst < 1e-10);
    oto_ctc_destroy(ctc);
}

enum { T = 40, K = 7, U = 12 };

static double smoothing; /* of the loss below */

static double loss_of_logits(struct oto_ctc *ctc, double *dlogits, const double *logits,
                             const int *labels, int n_labels)
{
    double log_probs[T * K], loss;
    for (int t = 0; t < T; t++) {
        double sum = 0.0;
        for (int k = 0; k < K; k++)
            sum += exp(logits[t * K + k]);
        for (int k = 0; k < K; k++)
            log_probs[t * K + k] = logits[t * K + k] - log(sum);
    }
    assert_int_equal(
        oto_ctc_compute(ctc, &loss, dlogits, log_probs, NULL, T, K, labels, n_labels, NULL),
        OTO_OK);
    if (smoothing > 0)
        oto_ctc_smooth(&loss, dlogits, log_probs, NULL, T, K, smoothing);
    return loss;
}

static void equals_central_differences(void **state)
{
    (void)state;
    struct oto_ctc *ctc = create();
    double worst = 0.0;
    for (uint64_t seed = 0; seed < 10; seed++) {
        double logits[T * K], dlogits[T * K];
        int labels[U];
        smoothing = seed < 5 ? 0 : 0.1 * (double)(seed - 4);
        for (int i = 0; i < T * K; i++)
            logits[i] = (1.0 + (double)(seed % 5)) * oto_rng_normal(seed, 0, (uint64_t)i);
        for (int u = 0; u < U; u++)
            labels[u] = 1 + (int)oto_rng_below(seed, 1, (uint64_t)u, K - 1);
        int n_labels = seed % 5 == 4 ? 0 : U;
        loss_of_logits(ctc, dlogits, logits, labels, n_labels);
        for (int i = 0; i < T * K; i++) {
            const double h = 1e-5; /* truncation h^2/6 = 2e-11, rounding 1e-16 * loss / h = 1e-9 */
            double x = logits[i];
            logits[i] = x + h;
            double above = loss_of_logits(ctc, NULL, logits, labels, n_labels);
            logits[i] = x - h;
            double below = loss_of_logits(ctc, NULL, logits, labels, n_labels);
            logits[i] = x;
            worst = fmax(worst, fabs((above - below) / (2.0 * h) - dlogits[i]));
        }
    }
    print_message("worst difference from central differences: %.2g\n", worst);
    assert_true(worst < 1e-8);
    oto_ctc_destroy(ctc);
}

/* Of even odds the distance is 0, and of one sure symbol of K it is infinite but for rounding. */
static void smoothing_measures_distance(void **state)
{
    (void)state;
    double even[2 * 4], dlogits[2 * 4] = {0}, loss = 6;
    for (int i = 0; i < 8; i++)
        even[i] = -log(4.0);
    oto_ctc_smooth(&loss, dlogits, even, NULL, 2, 4, 0.25);
    assert_true(fabs(loss - 4.5) < 1e-14);
    for (int i = 0; i < 8; i++)
        assert_true(fabs(dlogits[i]) < 1e-16);
    /* p = 1/2, 1/4, 1/8, 1/8: KL = -ln 4 + (1 + 2 + 3 + 3) / 4 ln 2 = ln 2 / 4; rows of a batch. */
    const double p[3 * 4] = {9, 9, 9, 9, log(0.5), log(0.25), log(0.125), log(0.125), 9, 9, 9, 9};
    const size_t rows[1] = {1};
    loss = 0;
    oto_ctc_smooth(&loss, NULL, p, rows, 1, 4, 0.5);
    assert_true(fabs(loss - log(2.0) / 8) < 1e-15);
    loss = INFINITY;
    oto_ctc_smooth(&loss, dlogits, even, NULL, 2, 4, 0.25);
    assert_true(isinf(loss));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_enumeration),
        cmocka_unit_test(equals_central_differences),
        cmocka_unit_test(smoothing_measures_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
