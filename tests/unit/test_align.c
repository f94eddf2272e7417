/* SPDX-License-Identifier: BSD-2-Clause */
/* The likeliest path of a text: against the enumeration of all paths, against the whole table in
 * double precision, and in little memory against all of it. */
#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "decoder/align.h"
#include "unit.h"

static struct oto_aligner *create(int K, const struct oto_align_options *options)
{
    struct oto_aligner *a = NULL;
    oto_error err = {0};
    if (oto_aligner_create(&a, K, options, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return a;
}

static struct oto_align_options exact(void)
{
    struct oto_align_options options;
    oto_align_options_init(&options);
    options.band = options.memory = 0;
    return options;
}

/* Normalised random log-probabilities; scale makes them sharp. */
static void fill(float *log_probs, size_t T, int K, double scale, uint64_t seed)
{
    for (size_t t = 0; t < T; t++) {
        float *row = log_probs + t * (size_t)K;
        double sum = 0;
        for (int k = 0; k < K; k++) {
            row[k] = (float)(scale * oto_rng_normal(seed, 1, t * (size_t)K + (size_t)k));
            sum += exp((double)row[k]);
        }
        for (int k = 0; k < K; k++)
            row[k] -= (float)log(sum);
    }
}

static void push(struct oto_aligner *a, const float *log_probs, size_t n)
{
    oto_error err = {0};
    if (oto_aligner_push(a, log_probs, n, &err) != OTO_OK)
        fail_msg("%s", err.message);
}

/* ---- all paths --------------------------------------------------------------------------- */

enum { MAX_T = 6, MAX_K = 4, N_CODES = 1 << (2 * (MAX_T + 1)) };

static void enumeration(void **state)
{
    (void)state;
    static double best[N_CODES];
    float log_probs[MAX_T * MAX_K];
    struct oto_align_options options = exact();
    struct oto_aligner *a = create(MAX_K, &options);
    int n_checked = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        int T = 1 + (int)(seed % MAX_T), n_paths = 1;
        fill(log_probs, (size_t)T, MAX_K, 2, seed);
        for (int i = 0; i < N_CODES; i++)
            best[i] = -(double)INFINITY;
        for (int t = 0; t < T; t++)
            n_paths *= MAX_K;
        for (int i = 0; i < n_paths; i++) {
            int code = 1, previous = 0;
            double score = 0;
            for (int t = 0, rest = i; t < T; t++, rest /= MAX_K) {
                int k = rest % MAX_K;
                score += (double)log_probs[t * MAX_K + k];
                if (k != 0 && k != previous)
                    code = code * 4 + k;
                previous = k;
            }
            best[code] = fmax(best[code], score);
        }
        for (int code = 1; code < N_CODES; code++) {
            int labels[MAX_T], n = 0;
            if (!isfinite(best[code]))
                continue;
            for (int c = code; c > 1; c /= 4)
                n++;
            for (int c = code, i = n; c > 1; c /= 4)
                labels[--i] = c % 4;
            const struct oto_span *spans;
            size_t n_spans;
            double log_prob;
            assert_int_equal(oto_aligner_begin(a, labels, (size_t)n, NULL), OTO_OK);
            push(a, log_probs, (size_t)T);
            oto_aligner_finish(a, &spans, &n_spans, &log_prob);
            assert_int_equal(n_spans, n);
            /* sums of at most 6 numbers below 100 in another order: a few units in the last place
             */
            if (fabs(log_prob - best[code]) > 1e-12)
                fail_msg("code %d: %.17g, expected %.17g", code, log_prob, best[code]);
            n_checked++;
        }
    }
    assert_true(n_checked > 1000);
    oto_aligner_destroy(a);
}

/* ---- the whole table --------------------------------------------------------------------- */

/* Score of the best path, and the symbol it emits at each frame, by the textbook recursion. */
static double table(int *path, const float *log_probs, int T, int K, const int *labels, int n)
{
    int S = 2 * n + 1;
    static double score[80 * 61];
    static int from[80 * 61];
    assert_true(T <= 80 && S <= 61);
    for (int t = 0; t < T; t++) {
        for (int s = 0; s < S; s++) {
            int symbol = s % 2 ? labels[s / 2] : 0, origin = s;
            double most = t > 0 ? score[(t - 1) * S + s] : s < 2 ? 0 : -(double)INFINITY;
            for (int d = 1; t > 0 && d <= 2 && d <= s; d++) {
                if (d == 2 && (s % 2 == 0 || labels[s / 2] == labels[s / 2 - 1]))
                    break;
                if (score[(t - 1) * S + s - d] > most) {
                    most = score[(t - 1) * S + s - d];
                    origin = s - d;
                }
            }
            score[t * S + s] = most + (double)log_probs[t * K + symbol];
            from[t * S + s] = origin;
        }
    }
    int s = n > 0 && score[T * S - 2] > score[T * S - 1] ? S - 2 : S - 1;
    double result = score[(T - 1) * S + s];
    for (int t = T - 1; t >= 0; t--) {
        path[t] = s;
        s = from[t * S + s];
    }
    return result;
}

static void expect_path(const struct oto_span *spans, size_t n_spans, const int *path, int T,
                        const float *log_probs, int K, const int *labels)
{
    for (size_t i = 0; i < n_spans; i++) {
        double sum = 0;
        int start = T, end = 0;
        for (int t = 0; t < T; t++) {
            if (path[t] != 2 * (int)i + 1)
                continue;
            start = t < start ? t : start;
            end = t + 1;
            sum += (double)log_probs[t * K + labels[i]];
        }
        if ((int)spans[i].start != start || (int)spans[i].end != end)
            fail_msg("label %zu: frames %zu to %zu, expected %d to %d", i, spans[i].start,
                     spans[i].end, start, end);
        assert_true(fabs(spans[i].log_prob - sum) < 1e-9 * (1 + fabs(sum)));
    }
}

static void whole_table(void **state)
{
    (void)state;
    enum { K = 6, T = 80, L = 30 };
    static float log_probs[T * K];
    int labels[L], path[T];
    struct oto_align_options options = exact();
    struct oto_aligner *a = create(K, &options);
    for (uint64_t seed = 0; seed < 300; seed++) {
        int t = 1 + (int)oto_rng_below(seed, 7, 0, T), n = (int)oto_rng_below(seed, 7, 1, L);
        fill(log_probs, (size_t)t, K, 3, seed);
        int needed = n;
        for (int i = 0; i < n; i++) {
            labels[i] = 1 + (int)oto_rng_below(seed, 8, (uint64_t)i, K - 1);
            needed += i > 0 && labels[i] == labels[i - 1];
        }
        if (needed > t)
            continue;
        double expected = table(path, log_probs, t, K, labels, n), log_prob;
        const struct oto_span *spans;
        size_t n_spans;
        assert_int_equal(oto_aligner_begin(a, labels, (size_t)n, NULL), OTO_OK);
        for (int at = 0, m; at < t; at += m) {
            m = 1 + (int)oto_rng_below(seed, 9, (uint64_t)at, 7);
            m = m < t - at ? m : t - at;
            push(a, log_probs + at * K, (size_t)m);
        }
        oto_aligner_finish(a, &spans, &n_spans, &log_prob);
        assert_int_equal(n_spans, n);
        assert_true(fabs(log_prob - expected) < 1e-9 * (1 + fabs(expected)));
        expect_path(spans, n_spans, path, t, log_probs, K, labels);
    }
    oto_aligner_destroy(a);
}

/* ---- long input -------------------------------------------------------------------------- */

enum { LONG_K = 12, LONG_T = 30000, LONG_L = 6000 };

/* A text said at a changing pace: some frames of each label, some blanks, and noise over all. */
static size_t say(float *log_probs, const int *labels, size_t n, uint64_t seed)
{
    size_t t = 0;
    fill(log_probs, LONG_T, LONG_K, 1, seed);
    for (size_t i = 0; i < n; i++) {
        size_t n_label = 1 + oto_rng_below(seed, 20, i, 2),
               n_blank = 1 + oto_rng_below(seed, 21, i, 4);
        for (size_t j = 0; j < n_label + n_blank && t < LONG_T; j++, t++)
            log_probs[t * LONG_K + (size_t)(j < n_label ? labels[i] : 0)] += 4;
    }
    return t;
}

static void little_memory(void **state)
{
    (void)state;
    static float log_probs[LONG_T * LONG_K];
    static int labels[LONG_L];
    for (size_t i = 0; i < LONG_L; i++)
        labels[i] = 1 + (int)oto_rng_below(3, 8, i, LONG_K - 1);
    size_t T = say(log_probs, labels, LONG_L, 3);
    assert_in_range(T, 20000, LONG_T);
    struct oto_align_options options = exact(), small = exact();
    options.memory = (size_t)512 << 20;
    small.band = 200;
    small.memory = 40000; /* some 200 frames */
    struct oto_aligner *a = create(LONG_K, &options), *b = create(LONG_K, &small);
    const struct oto_span *spans, *expected;
    size_t n, n_expected;
    double log_prob, log_prob_expected;
    assert_int_equal(oto_aligner_begin(a, labels, LONG_L, NULL), OTO_OK);
    push(a, log_probs, T);
    oto_aligner_finish(a, &expected, &n_expected, &log_prob_expected);
    assert_int_equal(n_expected, LONG_L);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(oto_aligner_begin(b, labels, LONG_L, NULL), OTO_OK);
        push(b, log_probs, T);
        oto_aligner_finish(b, &spans, &n, &log_prob);
        assert_int_equal(n, LONG_L);
        assert_true(fabs(log_prob - log_prob_expected) < 1e-6);
        for (size_t i = 0; i < n; i++)
            if (spans[i].start != expected[i].start || spans[i].end != expected[i].end)
                fail_msg("label %zu at %zu to %zu, expected %zu to %zu", i, spans[i].start,
                         spans[i].end, expected[i].start, expected[i].end);
    }
    oto_aligner_destroy(a);
    oto_aligner_destroy(b);
}

/* Nothing but blanks for long: paths never meet, and the older half is settled by force. */
static void long_silence(void **state)
{
    (void)state;
    enum { K = 3, T = 5000 };
    static float log_probs[T * K];
    static const int labels[] = {1, 2, 1};
    struct oto_align_options options = exact();
    options.memory = 4000;
    for (size_t t = 0; t < T; t++) {
        int k = t == 4000 ? 1 : t == 4500 ? 2 : t == 4999 ? 1 : 0;
        for (int j = 0; j < K; j++)
            log_probs[t * K + (size_t)j] = j == k ? -0.1F : -5;
    }
    struct oto_aligner *a = create(K, &options);
    const struct oto_span *spans;
    size_t n;
    double log_prob;
    assert_int_equal(oto_aligner_begin(a, labels, 3, NULL), OTO_OK);
    push(a, log_probs, T);
    oto_aligner_finish(a, &spans, &n, &log_prob);
    assert_int_equal(n, 3);
    assert_int_equal(spans[0].start, 4000);
    assert_int_equal(spans[1].start, 4500);
    assert_int_equal(spans[2].start, 4999);
    assert_true(fabs(log_prob + 0.1 * T) < 1e-3); /* 0.1F differs from 0.1 by 1.5e-9 */
    oto_aligner_destroy(a);
}

/* ---- filler, ends, errors ---------------------------------------------------------------- */

/* "a", then ten frames of "c c c ..." that the text does not have, then " b". */
static void filler(void **state)
{
    (void)state;
    enum { K = 5, T = 24, SPACE = 1 };
    static const int labels[] = {2, SPACE, 3}; /* a, space, b */
    static float log_probs[T * K];
    for (int t = 0; t < T; t++) {
        int k = t == 2 ? 2 : t >= 5 && t < 15 ? (t % 2 ? 4 : 3) : t == 17 ? SPACE : t == 20 ? 3 : 0;
        for (int j = 0; j < K; j++)
            log_probs[t * K + j] = j == k ? -0.05F : -6;
    }
    struct oto_align_options options = exact();
    const struct oto_span *spans;
    size_t n;
    for (int with = 0; with < 2; with++) {
        options.space = SPACE;
        options.filler = with ? 0.5 : (double)INFINITY;
        struct oto_aligner *a = create(K, &options);
        assert_int_equal(oto_aligner_begin(a, labels, 3, NULL), OTO_OK);
        push(a, log_probs, T);
        oto_aligner_finish(a, &spans, &n, NULL);
        assert_int_equal(n, 3);
        assert_int_equal(spans[0].start, 2);
        if (with)
            assert_int_equal(spans[2].start, 20);
        else
            assert_in_range(spans[2].start, 5, 15); /* taken for a b that was there */
        oto_aligner_destroy(a);
    }
}

static void short_input(void **state)
{
    (void)state;
    enum { K = 3 };
    static const int labels[] = {1, 1, 2};
    float log_probs[6 * K];
    struct oto_align_options options = exact();
    struct oto_aligner *a = create(K, &options);
    const struct oto_span *spans;
    size_t n;
    double log_prob;
    fill(log_probs, 6, K, 1, 1);
    for (size_t T = 0; T <= 6; T++) { /* 1, blank, 1, 2 take four frames */
        assert_int_equal(oto_aligner_begin(a, labels, 3, NULL), OTO_OK);
        push(a, log_probs, T);
        oto_aligner_finish(a, &spans, &n, &log_prob);
        if (T >= 4)
            assert_int_equal(n, 3);
        else
            assert_in_range(n, 0, (T + 1) / 2);
        for (size_t i = 0; i < n; i++)
            assert_true(spans[i].start < spans[i].end && spans[i].end <= T);
    }
    assert_int_equal(oto_aligner_begin(a, NULL, 0, NULL), OTO_OK); /* no text */
    push(a, log_probs, 6);
    oto_aligner_finish(a, &spans, &n, &log_prob);
    assert_int_equal(n, 0);
    double sum = 0;
    for (int t = 0; t < 6; t++)
        sum += (double)log_probs[t * K];
    assert_true(fabs(sum - log_prob) < 1e-12);
    oto_aligner_destroy(a);
}

static void errors(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_aligner *a = NULL;
    struct oto_align_options options = exact();
    options.band = 2;
    assert_int_equal(oto_aligner_create(&a, 3, &options, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "band 2");
    options = exact();
    options.filler = (double)NAN;
    assert_int_equal(oto_aligner_create(&a, 3, &options, &err), OTO_ERR_ARGUMENT);
    assert_null(a);
    options = exact();
    a = create(3, &options);
    assert_int_equal(oto_aligner_begin(a, (int[]){1, 3}, 2, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "label 1 is 3, expected 1 to 2");
    assert_int_equal(oto_aligner_begin(a, (int[]){1, 2}, 2, &err), OTO_OK);
    float bad[] = {-1, -1, -1, -1, NAN, -1};
    assert_int_equal(oto_aligner_push(a, bad, 2, &err), OTO_ERR_DATA);
    assert_contains(err.message, "frame 1: log-probability of symbol 1");
    float never[] = {-INFINITY, -INFINITY, -INFINITY, -1, -INFINITY, -INFINITY}; /* is floored */
    const struct oto_span *spans;
    size_t n;
    double log_prob;
    push(a, never, 2);
    oto_aligner_finish(a, &spans, &n, &log_prob);
    assert_int_equal(n, 2);
    assert_true(fabs(log_prob + 2000) < 1e-9);
    oto_aligner_destroy(a);
    oto_aligner_destroy(NULL);
}

static oto_status align_once(void)
{
    static float log_probs[600 * 3];
    static const int labels[] = {1, 2, 1};
    struct oto_align_options options = exact();
    struct oto_aligner *a = NULL;
    fill(log_probs, 600, 3, 1, 1); /* the history grows once */
    oto_status status = oto_aligner_create(&a, 3, &options, NULL);
    if (status == OTO_OK)
        status = oto_aligner_begin(a, labels, 3, NULL);
    if (status == OTO_OK)
        status = oto_aligner_push(a, log_probs, 600, NULL);
    oto_aligner_destroy(a);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    oto_mem_fail_nth(0);
    assert_int_equal(align_once(), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    assert_true(n > 8);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(align_once(), OTO_ERR_MEMORY);
    }
    oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enumeration),   cmocka_unit_test(whole_table),
        cmocka_unit_test(little_memory), cmocka_unit_test(long_silence),
        cmocka_unit_test(filler),        cmocka_unit_test(short_input),
        cmocka_unit_test(errors),        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
