/* SPDX-License-Identifier: BSD-2-Clause */
/* Two views drawn together, in double: by hand and by central differences through the softmax. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "training/consistency.h"

enum { T = 9, K = 6 };

/* The two views lie across each other, as in a batch, with a row between them. */
static const size_t rows[2][T] = {{0, 2, 4, 7, 9, 11, 13, 15, 17},
                                  {1, 3, 6, 8, 10, 12, 14, 16, 18}};
enum { N_ROWS = 19, UNUSED = 5 };

static void log_softmax(double *log_probs, const double *logits)
{
    for (int t = 0; t < N_ROWS; t++) {
        double sum = 0;
        for (int k = 0; k < K; k++)
            sum += exp(logits[t * K + k]);
        for (int k = 0; k < K; k++)
            log_probs[t * K + k] = logits[t * K + k] - log(sum);
    }
}

/* The other view's probabilities are those of `given`: no gradient goes into them. */
static double loss_of(double *dlogits, const double *logits, const double *given, int view)
{
    double log_probs[N_ROWS * K], fixed[N_ROWS * K], loss = 1.25;
    const struct oto_view v = {rows[view], rows[!view], T, K};
    log_softmax(log_probs, logits);
    log_softmax(fixed, given);
    for (int t = 0; t < T; t++)
        memcpy(log_probs + rows[!view][t] * K, fixed + rows[!view][t] * K, K * sizeof(double));
    oto_consistency_add(&loss, dlogits, log_probs, &v, 0.7);
    return loss;
}

static void equals_central_differences(void **state)
{
    (void)state;
    double worst = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        double logits[N_ROWS * K], given[N_ROWS * K], dlogits[N_ROWS * K];
        int view = (int)(seed % 2);
        for (int i = 0; i < N_ROWS * K; i++) {
            given[i] = logits[i] = (1.0 + (double)seed) * oto_rng_normal(seed, 0, (uint64_t)i);
            dlogits[i] = 3; /* what CTC left there stays */
        }
        loss_of(dlogits, logits, given, view);
        for (int i = 0; i < N_ROWS * K; i++) {
            const double h = 1e-5;
            double x = logits[i];
            logits[i] = x + h;
            double above = loss_of(NULL, logits, given, view);
            logits[i] = x - h;
            double below = loss_of(NULL, logits, given, view);
            logits[i] = x;
            worst = fmax(worst, fabs((above - below) / (2 * h) - (dlogits[i] - 3)));
        }
        for (int k = 0; k < K; k++)
            assert_true(dlogits[UNUSED * K + k] == 3);
    }
    print_message("worst difference from central differences: %.2g\n", worst);
    assert_true(worst < 1e-8);
}

/* KL((1/2, 1/4, 1/4) || (1/4, 1/2, 1/4)) = 1/4 ln 2; a sure symbol has no 0 ln 0. */
static void measures_divergence(void **state)
{
    (void)state;
    const double p[3 * 3] = {log(0.25), log(0.5), log(0.25), log(0.5), log(0.25),
                             log(0.25), 0,        -INFINITY, -INFINITY};
    const size_t own[1] = {0}, other[1] = {1}, sure[1] = {2};
    double loss = 2, dlogits[3 * 3] = {0};
    oto_consistency_add(&loss, dlogits, p, &(struct oto_view){own, other, 1, 3}, 0.5);
    assert_true(fabs(loss - 2 - log(2.0) / 8) < 1e-15);
    assert_true(fabs(dlogits[0] + 0.125) < 1e-15 && fabs(dlogits[1] - 0.125) < 1e-15);
    assert_true(fabs(dlogits[2]) < 1e-15 && dlogits[3] == 0);
    loss = 0;
    oto_consistency_add(&loss, NULL, p, &(struct oto_view){own, sure, 1, 3}, 1);
    assert_true(fabs(loss - log(4.0)) < 1e-15);
    loss = 2;
    oto_consistency_add(&loss, NULL, p, &(struct oto_view){own, own, 1, 3}, 1);
    assert_true(loss == 2);
    loss = INFINITY;
    oto_consistency_add(&loss, dlogits, p, &(struct oto_view){own, other, 1, 3}, 0.5);
    assert_true(isinf(loss) && fabs(dlogits[0] + 0.125) < 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_central_differences),
        cmocka_unit_test(measures_divergence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
