/* SPDX-License-Identifier: BSD-2-Clause */
/* What the network says of given texts: against the enumeration of all paths, and against the CTC
 * loss, which is another program for the same sum. */
#include "unit.h"

#include <float.h>
#include <math.h>

#include "base/mem.h"
#include "ctc_brute.h"
#include "decoder/text_scores.h"
#include "training/ctc_loss.h"

static struct oto_text_scorer *scorer;

static int set_up(void **state)
{
    (void)state;
    return oto_text_scorer_create(&scorer, NULL) == OTO_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    oto_text_scorer_destroy(scorer);
    return 0;
}

static void to_floats(float *out, const oto_real *in, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = (float)in[i];
}

static void score(double *scores, const struct oto_hypothesis *texts, int n, const float *log_probs,
                  int T, int K)
{
    oto_error err = {0};
    if (oto_text_scorer_run(scorer, scores, texts, n, log_probs, (size_t)T, K, &err) != OTO_OK)
        fail_msg("%s", err.message);
}

/* All texts of at most three labels at once. */
static void enumeration(void **state)
{
    (void)state;
    oto_real log_probs[CTC_BRUTE_T * CTC_BRUTE_K];
    float floats[CTC_BRUTE_T * CTC_BRUTE_K];
    int labels[CTC_BRUTE_SEQUENCES][CTC_BRUTE_LABELS], number[CTC_BRUTE_SEQUENCES];
    struct oto_hypothesis texts[CTC_BRUTE_SEQUENCES];
    double scores[CTC_BRUTE_SEQUENCES];
    struct ctc_brute brute;
    int n_finite = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        const int T = 1 + (int)(seed % CTC_BRUTE_T), K = 2 + (int)(seed % 3);
        int n = 0;
        ctc_random_log_probs(log_probs, T, K, 2, seed % 4 == 0 ? 0.3 : 0, seed);
        to_floats(floats, log_probs, T * K);
        for (int i = 0; i < T * K; i++)
            log_probs[i] = (oto_real)floats[i];
        ctc_brute_compute(&brute, log_probs, T, K);
        for (int s = CTC_BRUTE_SEQUENCES - 1; s >= 0; s--) { /* in no useful order */
            int n_labels;
            if (!ctc_brute_labels(s, K, labels[n], &n_labels))
                continue;
            texts[n] = (struct oto_hypothesis){.labels = labels[n], .n_labels = n_labels};
            number[n++] = s;
        }
        score(scores, texts, n, floats, T, K);
        for (int i = 0; i < n; i++) {
            const double p = brute.p[number[i]];
            /* sums of at most 4^6 products, in another order */
            if (p > 0 ? !(fabs(scores[i] - log(p)) < 1e-12 * (1 + fabs(log(p))))
                      : scores[i] > -(double)INFINITY)
                fail_msg("seed %d, text %d: %.17g, expected %.17g", (int)seed, number[i], scores[i],
                         log(p));
            n_finite += p > 0;
        }
    }
    assert_true(n_finite > 300);
}

/* Longer texts that share beginnings, some of them twice, and one with more labels than frames. */
static void as_the_loss(void **state)
{
    enum { T = 90, K = 12, N = 60, MOST = 100 };
    (void)state;
    static oto_real log_probs[T * K];
    static float floats[T * K];
    static int labels[N][MOST];
    struct oto_hypothesis texts[N];
    double scores[N];
    struct oto_ctc *ctc = NULL;
    assert_int_equal(oto_ctc_create(&ctc, NULL), OTO_OK);
    for (uint64_t seed = 0; seed < 6; seed++) {
        const double scale = seed % 2 == 0 ? 2 : 30; /* unsure, and sure to e^-500 */
        ctc_random_log_probs(log_probs, T, K, scale, 0, seed);
        to_floats(floats, log_probs, T * K);
        for (int i = 0; i < T * K; i++)
            log_probs[i] = (oto_real)floats[i];
        for (int i = 0; i < N; i++) {
            const int n = i == 0 ? 0 : i == 1 ? MOST : (int)oto_rng_below(seed, 1, (uint64_t)i, 60);
            const int from = i > 3 ? (int)oto_rng_below(seed, 2, (uint64_t)i, (uint64_t)i) : i;
            const int shared = (int)oto_rng_below(seed, 3, (uint64_t)i, 60);
            for (int u = 0; u < n; u++)
                labels[i][u] = from < i && u < shared && u < texts[from].n_labels
                                   ? labels[from][u]
                                   : 1 + (int)oto_rng_below(seed, 4, (uint64_t)(i * MOST + u),
                                                            seed == 0 ? 2 : K - 1);
            texts[i] = (struct oto_hypothesis){.labels = labels[i], .n_labels = n};
        }
        texts[N - 1] = texts[5];
        score(scores, texts, N, floats, T, K);
        for (int i = 0; i < N; i++) {
            double loss = 0;
            assert_int_equal(oto_ctc_compute(ctc, &loss, NULL, log_probs, NULL, T, K,
                                             texts[i].labels, texts[i].n_labels, NULL),
                             OTO_OK);
            if (isfinite(loss) ? !(fabs(scores[i] + loss) < 1e-10 * (1 + loss))
                               : scores[i] > -(double)INFINITY)
                fail_msg("seed %d, text %d: %.17g, expected %.17g", (int)seed, i, scores[i], -loss);
        }
        assert_true(scores[1] < -(double)DBL_MAX);
        assert_true(scores[N - 1] == scores[5]);
    }
    oto_ctc_destroy(ctc);
}

/* Without frames the empty text alone is there. */
static void no_frames(void **state)
{
    (void)state;
    static const int one[] = {1};
    const struct oto_hypothesis texts[] = {{.labels = one, .n_labels = 1}, {.n_labels = 0}};
    double scores[2];
    score(scores, texts, 2, NULL, 0, 3);
    assert_true(scores[0] < -(double)DBL_MAX);
    assert_true(scores[1] == 0);
}

static void failing_allocations(void **state)
{
    (void)state;
    static const int labels[] = {1, 2, 1};
    static const float log_probs[4 * 3] = {-1, -1, -1.2F, -1, -1, -1.2F, -2, -1, -0.6F, -1, -1, -1};
    const struct oto_hypothesis texts[] = {{.labels = labels, .n_labels = 3},
                                           {.labels = labels, .n_labels = 2}};
    double scores[2], expected[2];
    score(expected, texts, 2, log_probs, 4, 3);
    size_t nth = 1;
    for (;; nth++) {
        struct oto_text_scorer *own = NULL;
        (void)oto_mem_fail_nth(nth);
        oto_status status = oto_text_scorer_create(&own, NULL);
        if (status == OTO_OK)
            status = oto_text_scorer_run(own, scores, texts, 2, log_probs, 4, 3, NULL);
        (void)oto_mem_fail_nth(0);
        if (own != NULL && status != OTO_OK) { /* goes on after a failure */
            assert_int_equal(oto_text_scorer_run(own, scores, texts, 2, log_probs, 4, 3, NULL),
                             OTO_OK);
            assert_true(scores[0] == expected[0] && scores[1] == expected[1]);
        }
        oto_text_scorer_destroy(own);
        if (status == OTO_OK)
            break;
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
    assert_int_equal(nth, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enumeration),
        cmocka_unit_test(as_the_loss),
        cmocka_unit_test(no_frames),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
