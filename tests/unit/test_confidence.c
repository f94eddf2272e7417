/* SPDX-License-Identifier: BSD-2-Clause */
/* Confidence of words: votes of an n-best list, the calibration's fit, its error. */
#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "decoder/confidence.h"
#include "unit.h"

enum { SPACE = 1, A, B, C };

static void expect_votes(const struct oto_hypothesis *hyps, int n_hyps, const double *expected,
                         int n)
{
    double *votes = NULL;
    assert_int_equal(oto_votes_count(&votes, hyps, n_hyps, SPACE, NULL), OTO_OK);
    for (int i = 0; i < n; i++)
        if (fabs(votes[i] - expected[i]) > 1e-12)
            fail_msg("word %d: %.9g, expected %.9g", i, votes[i], expected[i]);
    oto_free(votes);
}

static void votes(void **state)
{
    (void)state;
    /* "ab c b", "ab b" with half of its probability, "c ab a b" with a quarter, "" with a quarter
     */
    static const int best[] = {A, B, SPACE, C, SPACE, B}, second[] = {A, B, SPACE, B},
                     third[] = {C, SPACE, A, B, SPACE, SPACE, A, SPACE, B};
    const struct oto_hypothesis hyps[] = {{best, NULL, 6, -10},
                                          {second, NULL, 4, -10 + log(0.5)},
                                          {third, NULL, 9, -10 + log(0.25)},
                                          {best, NULL, 0, -10 + log(0.25)}};
    /* 1/2, 1/4, 1/8, 1/8; the third has "ab" behind another word, and "a" for "c" */
    expect_votes(hyps, 4, (double[]){0.875, 0.5, 0.875}, 3);
    expect_votes(hyps, 1, (double[]){1, 1, 1}, 3);
    expect_votes(hyps + 3, 1, NULL, 0);
    expect_votes((struct oto_hypothesis[]){hyps[3], hyps[0]}, 2, NULL, 0);
    /* the first need not be the likeliest */
    expect_votes((struct oto_hypothesis[]){{best, NULL, 6, -2000}, {best, NULL, 0, -10}}, 2,
                 (double[]){0, 0, 0}, 3);
    /* no space in the alphabet: the text is one word */
    double *one = NULL;
    assert_int_equal(oto_votes_count(&one, hyps, 2, -1, NULL), OTO_OK);
    assert_true(fabs(one[0] - 1 / 1.5) < 1e-12);
    oto_free(one);
}

/* Random texts: a word never gets more than all, and all where every text has it at either end. */
static void votes_of_many(void **state)
{
    (void)state;
    enum { N = 40, LABELS = 60 };
    static int labels[N][LABELS];
    struct oto_hypothesis hyps[N];
    for (uint64_t seed = 0; seed < 30; seed++) {
        for (int i = 0; i < N; i++) {
            int n = 6 + (int)oto_rng_below(seed, 1, (uint64_t)i, LABELS - 6);
            for (int k = 0; k < n; k++)
                labels[i][k] = k == 0 || k == n - 1 ? C
                               : k == 1 || k == n - 2
                                   ? SPACE
                                   : 1 + (int)oto_rng_below(seed, 2, (uint64_t)(i * LABELS + k), 4);
            hyps[i] = (struct oto_hypothesis){labels[i], NULL, n, -0.1 * i};
        }
        double *v = NULL;
        int n_words = 1;
        assert_int_equal(oto_votes_count(&v, hyps, N, SPACE, NULL), OTO_OK);
        for (int k = 1; k < hyps[0].n_labels; k++)
            n_words += labels[0][k] != SPACE && labels[0][k - 1] == SPACE;
        assert_true(fabs(v[0] - 1) < 1e-9 && fabs(v[n_words - 1] - 1) < 1e-9);
        for (int i = 0; i < n_words; i++)
            assert_true(v[i] > 0.09 && v[i] < 1 + 1e-9); /* its own share is 0.097 */
        oto_free(v);
    }
}

enum { N_WORDS = 40000 };
static struct oto_evidence evidence[N_WORDS];
static double confidence[N_WORDS];
static bool right[N_WORDS];

/* Words that are right as often as truth says. */
static void draw(const struct oto_confidence *truth)
{
    for (uint64_t k = 0; k < N_WORDS; k++) {
        double mean = -3 * oto_rng_uniform(1, 1, k);
        evidence[k] = (struct oto_evidence){.posterior = oto_rng_uniform(1, 2, k),
                                            .mean_log_prob = mean,
                                            .least_log_prob = mean - 2 * oto_rng_uniform(1, 3, k),
                                            .n_labels = 1 + (int)oto_rng_below(1, 4, k, 9)};
        right[k] = oto_rng_uniform(1, 5, k) < oto_confidence(truth, &evidence[k]);
    }
}

static void fit(void **state)
{
    (void)state;
    const struct oto_confidence truth = {1.5, 0.6, 0.9, 0.4, -0.7}, plain = {.posterior = 1};
    struct oto_confidence found;
    draw(&truth);
    assert_int_equal(oto_confidence_fit(&found, evidence, right, N_WORDS, NULL), OTO_OK);
    /* Standard errors by the inverse of the information are at most 0.04 here. */
    assert_true(fabs(found.bias - truth.bias) < 0.16 && fabs(found.mean - truth.mean) < 0.16);
    assert_true(fabs(found.posterior - truth.posterior) < 0.05);
    assert_true(fabs(found.least - truth.least) < 0.16 && fabs(found.length - truth.length) < 0.16);
    for (int k = 0; k < N_WORDS; k++)
        confidence[k] = oto_confidence(&found, &evidence[k]);
    double fitted = oto_calibration_error(confidence, right, N_WORDS);
    for (int k = 0; k < N_WORDS; k++)
        confidence[k] = oto_confidence(&plain, &evidence[k]);
    assert_true(fitted < 0.01 && oto_calibration_error(confidence, right, N_WORDS) > 0.1);
}

static void values(void **state)
{
    (void)state;
    const struct oto_confidence plain = {.posterior = 1};
    struct oto_evidence e = {.posterior = 0.3, .n_labels = 2};
    assert_true(fabs(oto_confidence(&plain, &e) - 0.3) < 1e-12);
    e.posterior = 1;
    assert_true(fabs(oto_confidence(&plain, &e) - 0.999) < 1e-12);
    const struct oto_span spans[] = {{3, 5, -1}, {7, 8, -2}};
    oto_evidence_collect(&e, spans, 2, -1);
    assert_true(fabs(e.mean_log_prob + 1) < 1e-12 && e.least_log_prob == -2 && e.n_labels == 2);
    assert_true(fabs(e.posterior - exp(-1)) < 1e-12);
    oto_evidence_collect(&e, spans, 1, 0.25);
    assert_true(e.posterior == 0.25 && e.mean_log_prob == -0.5);
    /* two tenths: 0.1 and 0.2 too sure, 0.9 right */
    const double c[] = {0.15, 0.15, 0.25, 0.95};
    const bool r[] = {false, false, false, true};
    assert_true(fabs(oto_calibration_error(c, r, 4) - (0.3 + 0.25 + 0.05) / 4) < 1e-12);
    assert_true(fabs(oto_calibration_error((double[]){1}, (bool[]){true}, 1)) < 1e-12);
    assert_true(fabs(oto_calibration_error(c, r, 0)) < 1e-12);
}

static void errors(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_confidence c = {.bias = 7};
    for (int k = 0; k < 100; k++)
        right[k] = k < 19;
    assert_int_equal(oto_confidence_fit(&c, evidence, right, 100, &err), OTO_ERR_DATA);
    assert_contains(err.message, "19 words are right and 81 wrong");
    assert_true(c.bias == 7);
    /* words that are told apart without fault have finite weights, too */
    for (int k = 0; k < 100; k++) {
        right[k] = k < 50;
        evidence[k] = (struct oto_evidence){k < 50 ? 0.9 : 0.1, -1, -1, 3};
    }
    assert_int_equal(oto_confidence_fit(&c, evidence, right, 100, NULL), OTO_OK);
    assert_true(isfinite(c.bias) && c.posterior > 0.5 && c.posterior < 100);
}

static void no_memory(void **state)
{
    (void)state;
    static const int a[] = {A, SPACE, B, SPACE, C}, b[] = {B, SPACE, A, SPACE, B};
    const struct oto_hypothesis hyps[] = {{a, NULL, 5, -1}, {b, NULL, 5, -2}};
    double *v = NULL;
    oto_mem_fail_nth(0);
    assert_int_equal(oto_votes_count(&v, hyps, 2, SPACE, NULL), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    assert_int_equal(n, 4);
    oto_free(v);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_votes_count(&v, hyps, 2, SPACE, NULL), OTO_ERR_MEMORY);
        assert_null(v);
    }
    oto_mem_fail_nth(0);
}

/* Four frames of letters, A A B B with 0.9, 0.8, 0.5 and 0.4, and three blanks with 0.6, 0.7 and
 * 0.95 around and between them; then certainty. */
static void speech(void **state)
{
    (void)state;
    enum { K = 4 };
    static const int best[] = {0, A, A, 0, 0, B, B};
    static const double p[] = {0.6, 0.9, 0.8, 0.7, 0.95, 0.5, 0.4};
    float log_probs[7][K];
    for (int t = 0; t < 7; t++)
        for (int k = 0; k < K; k++)
            log_probs[t][k] = (float)log(k == best[t] ? p[t] : (1 - p[t]) / (K - 1));
    const double letters = log(0.9 * 0.8 * 0.5 * 0.4), all = letters + log(0.6 * 0.7 * 0.95);
    const double expected = exp(letters / 4 + 0.2 * all / 2);
    const double found = oto_speech_confidence(log_probs[0], 7, K);
    if (fabs(found - expected) > 1e-6)
        fail_msg("%.9g, expected %.9g", found, expected);
    const double two = oto_speech_confidence(log_probs[3], 4, K); /* one letter, behind blanks */
    assert_true(fabs(two - exp(log(0.5 * 0.4) / 2 + 0.2 * log(0.7 * 0.95 * 0.5 * 0.4))) < 1e-6);
    assert_true(oto_speech_confidence(log_probs[3], 2, K) <= 0);
    assert_true(oto_speech_confidence(log_probs[0], 0, K) <= 0);
    for (int t = 0; t < 7; t++)
        for (int k = 0; k < K; k++)
            log_probs[t][k] = k == best[t] ? 0 : -INFINITY;
    assert_true(fabs(oto_speech_confidence(log_probs[0], 7, K) - 1) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(votes),  cmocka_unit_test(votes_of_many), cmocka_unit_test(fit),
        cmocka_unit_test(values), cmocka_unit_test(errors),        cmocka_unit_test(no_memory),
        cmocka_unit_test(speech),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
