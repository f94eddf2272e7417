/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefix beam search against enumeration of all paths, against a plain version of itself, and its
 * properties. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ctc_brute.h"
#include "decoder/beam.h"
#include "hypotheses.h"
#include "training/ctc_loss.h"

static const struct oto_beam_options exhaustive = {20000, 0, -INFINITY, 0.0, 0.0};

static struct oto_beam *create(int K, const struct oto_beam_options *options)
{
    struct oto_beam *beam;
    oto_error err = {OTO_OK, ""};
    if (oto_beam_create(&beam, K, options, &err))
        fail_msg("%s", err.message);
    return beam;
}

static void push(struct oto_beam *beam, const float *log_probs, int n_frames)
{
    oto_error err = {OTO_OK, ""};
    if (oto_beam_push(beam, log_probs, (size_t)n_frames, &err))
        fail_msg("%s", err.message);
}

static int n_best(struct oto_beam *beam, int n, const struct oto_hypothesis **hyps)
{
    int n_hyps = 0;
    assert_int_equal(oto_beam_n_best(beam, n, hyps, &n_hyps, NULL), OTO_OK);
    assert_in_range(n_hyps, 1, n);
    return n_hyps;
}

/* ---- enumeration
 * ------------------------------------------------------------------------------------------------
 */

enum { MAX_T = 6, MAX_K = 4, N_CODES = 1 << (2 * (MAX_T + 1)) };

/** A label sequence as a number: digits in base 4 behind a leading 1. */
static int code_of(const int *labels, int n)
{
    int code = 1;
    for (int i = 0; i < n; i++)
        code = code * 4 + labels[i];
    return code;
}

static void enumerate(double *p, const float *log_probs, int T, int K)
{
    int n_paths = 1;
    memset(p, 0, N_CODES * sizeof *p);
    for (int t = 0; t < T; t++)
        n_paths *= K;
    for (int i = 0; i < n_paths; i++) {
        int code = 1, previous = 0;
        double log_p = 0.0;
        for (int t = 0, rest = i; t < T; t++, rest /= K) {
            int k = rest % K;
            log_p += (double)log_probs[t * K + k];
            if (k != 0 && k != previous)
                code = code * 4 + k;
            previous = k;
        }
        p[code] += exp(log_p);
    }
}

static void equals_enumeration(void **state)
{
    (void)state;
    static double p[N_CODES];
    for (uint64_t i = 0; i < 240; i++) {
        int T = 1 + (int)(i % MAX_T), K = 2 + (int)(i / MAX_T % 3);
        float log_probs[MAX_T * MAX_K];
        ctc_random_log_probs(log_probs, T, K, 0.3 * (double)(1 + i % 5 * i % 7), i % 2 ? 0.25 : 0.0,
                             i);
        enumerate(p, log_probs, T, K);
        struct oto_beam *beam = create(K, &exhaustive);
        const struct oto_hypothesis *hyps;
        push(beam, log_probs, T);
        int n = n_best(beam, exhaustive.beam, &hyps), n_expected = 0;
        for (int j = 0; j < n; j++) {
            double expected = log(p[code_of(hyps[j].labels, hyps[j].n_labels)]);
            if (!(fabs(hyps[j].log_prob - expected) <= 1e-9))
                fail_msg("case %d, hypothesis %d: %.12g, expected %.12g", (int)i, j,
                         hyps[j].log_prob, expected);
            assert_true(j == 0 || hyps[j].log_prob <= hyps[j - 1].log_prob);
        }
        for (int code = 0; code < N_CODES; code++)
            n_expected += p[code] > 0.0;
        assert_int_equal(n, n_expected);
        oto_beam_destroy(beam);
    }
}

/** Log-probabilities beyond the range of double's exponent are still told apart. */
static void far_from_one(void **state)
{
    (void)state;
    static const float log_probs[] = {0, -2000, -3000, 0, -2000, -3000};
    struct oto_beam *beam = create(3, &exhaustive);
    const struct oto_hypothesis *hyps;
    push(beam, log_probs, 2);
    assert_int_equal(n_best(beam, 100, &hyps),
                     5); /* "", 1, 2, 12, 21; not 11, which needs three frames */
    static const double expected[] = {0.0, -2000.0 + 0.6931471805599453,
                                      -3000.0 + 0.6931471805599453, -5000.0, -5000.0};
    for (int i = 0; i < 5; i++)
        assert_true(fabs(hyps[i].log_prob - expected[i]) < 1e-9);
    assert_int_equal(hyps[3].labels[0], 1); /* the tie by labels */
    oto_beam_destroy(beam);
}

/* ---- a plain version
 * -------------------------------------------------------------------------------------------- */

enum { PLAIN_MAX = 1024, PLAIN_LABELS = 64 };

struct plain_prefix {
    int labels[PLAIN_LABELS], n;
    double blank, label, total;
};

struct plain {
    struct plain_prefix prefixes[PLAIN_MAX];
    int n;
};

static double plain_add(double a, double b)
{
    double top = a > b ? a : b;
    return isinf(top) ? top : top + log(exp(a - top) + exp(b - top));
}

static struct plain_prefix *plain_find(struct plain *p, const int *labels, int n)
{
    for (int i = 0; i < p->n; i++)
        if (p->prefixes[i].n == n &&
            memcmp(p->prefixes[i].labels, labels, (size_t)n * sizeof *labels) == 0)
            return &p->prefixes[i];
    assert_true(p->n < PLAIN_MAX && n <= PLAIN_LABELS);
    struct plain_prefix *fresh = &p->prefixes[p->n++];
    memcpy(fresh->labels, labels, (size_t)n * sizeof *labels);
    fresh->n = n;
    fresh->blank = fresh->label = -(double)INFINITY;
    return fresh;
}

static int plain_compare(const void *a, const void *b)
{
    const struct plain_prefix *x = a, *y = b;
    if (x->total != y->total)
        return x->total > y->total ? -1 : 1;
    for (int i = 0; i < x->n && i < y->n; i++)
        if (x->labels[i] != y->labels[i])
            return x->labels[i] < y->labels[i] ? -1 : 1;
    return (x->n > y->n) - (x->n < y->n);
}

/** Which symbols of a frame are looked at. */
static void plain_choose(bool *chosen, const float *y, int K, const struct oto_beam_options *o)
{
    int best = 0;
    for (int k = 1; k < K; k++)
        best = y[k] > y[best] ? k : best;
    for (int k = 0; k < K; k++) {
        int rank = 0;
        for (int j = 0; j < K; j++)
            rank += y[j] > y[k] || (y[j] == y[k] && j < k);
        if (o->blank_skip > 0.0 && exp((double)y[0]) >= o->blank_skip)
            chosen[k] = k == 0;
        else
            chosen[k] = k == best ||
                        ((double)y[k] >= o->min_log_prob && (o->top_n == 0 || rank < o->top_n));
    }
}

static void plain_step(struct plain *out, const struct plain *in, const float *y, int K,
                       const struct oto_beam_options *o)
{
    bool chosen[64];
    plain_choose(chosen, y, K, o);
    out->n = 0;
    for (int i = 0; i < in->n; i++) {
        const struct plain_prefix *p = &in->prefixes[i];
        for (int k = 0; k < K; k++) {
            if (!chosen[k])
                continue;
            int longer[PLAIN_LABELS], last = p->n ? p->labels[p->n - 1] : 0;
            struct plain_prefix *same = plain_find(out, p->labels, p->n);
            if (k == 0) {
                same->blank = plain_add(same->blank, p->total + (double)y[0]);
                continue;
            }
            if (k == last)
                same->label = plain_add(same->label, p->label + (double)y[k]);
            memcpy(longer, p->labels, (size_t)p->n * sizeof *longer);
            longer[p->n] = k;
            struct plain_prefix *extended = plain_find(out, longer, p->n + 1);
            extended->label =
                plain_add(extended->label, (k == last ? p->blank : p->total) + (double)y[k]);
        }
    }
    for (int i = 0; i < out->n; i++)
        out->prefixes[i].total = plain_add(out->prefixes[i].blank, out->prefixes[i].label);
    qsort(out->prefixes, (size_t)out->n, sizeof *out->prefixes, plain_compare);
    if (out->n > o->beam)
        out->n = o->beam;
    while (isinf(out->prefixes[out->n - 1].total) ||
           (o->score_margin > 0.0 &&
            out->prefixes[out->n - 1].total < out->prefixes[0].total - o->score_margin))
        out->n--;
}

/** Random problems with every kind of pruning; peaky and flat, with ties (few distinct values) and
 * -inf. */
static void equals_plain_version(void **state)
{
    (void)state;
    static struct plain plain[2];
    for (uint64_t i = 0; i < 400; i++) {
        enum { MAX_FRAMES = 40, MAX_SYMBOLS = 7 };
        int T = 1 + (int)oto_rng_below(i, 9, 0, MAX_FRAMES),
            K = 2 + (int)oto_rng_below(i, 9, 1, MAX_SYMBOLS - 1);
        struct oto_beam_options o = {
            1 + (int)oto_rng_below(i, 9, 2, 20), (int)oto_rng_below(i, 9, 3, 4),
            i % 2 ? -(double)INFINITY : -1.0 - 5.0 * oto_rng_uniform(i, 9, 4), i % 5 ? 0.0 : 4.0,
            i % 3 ? 0.0 : 0.3};
        float log_probs[MAX_FRAMES * MAX_SYMBOLS];
        ctc_random_log_probs(log_probs, T, K, 3.0 * oto_rng_uniform(i, 9, 5), i % 3 ? 0.0 : 0.3, i);
        plain[0] = (struct plain){.n = 1};
        plain[0].prefixes[0] = (struct plain_prefix){.label = -(double)INFINITY};
        struct oto_beam *beam = create(K, &o);
        for (int t = 0; t < T; t++) {
            const struct oto_hypothesis *hyps;
            struct plain *now = &plain[(t + 1) % 2];
            plain_step(now, &plain[t % 2], log_probs + t * K, K, &o);
            push(beam, log_probs + t * K, 1);
            assert_int_equal(n_best(beam, o.beam, &hyps), now->n);
            for (int j = 0; j < now->n; j++) {
                const struct plain_prefix *p = &now->prefixes[j];
                if (hyps[j].n_labels != p->n || !(fabs(hyps[j].log_prob - p->total) < 1e-9) ||
                    memcmp(hyps[j].labels, p->labels, (size_t)p->n * sizeof(int)) != 0)
                    fail_msg("case %d frame %d hypothesis %d: %.12g, expected %.12g", (int)i, t, j,
                             hyps[j].log_prob, p->total);
            }
        }
        oto_beam_destroy(beam);
    }
}

/* ---- properties
 * -------------------------------------------------------------------------------------------------
 */

enum { LONG_T = 300, LONG_K = 12 };

static void random_long(float *log_probs, uint64_t seed)
{
    ctc_random_log_probs(log_probs, LONG_T, LONG_K, 3.0, 0.0, seed);
}

static void portions_do_not_matter(void **state)
{
    (void)state;
    static float log_probs[LONG_T * LONG_K];
    static const struct oto_beam_options o = {30, 8, -8.0, 15.0, 0.0};
    random_long(log_probs, 1);
    struct oto_beam *whole = create(LONG_K, &o), *parts = create(LONG_K, &o);
    for (uint64_t round = 0; round < 20; round++) {
        const struct oto_hypothesis *a, *b;
        oto_beam_reset(whole);
        push(whole, log_probs, LONG_T);
        for (int t = 0, i = 0; t < LONG_T; i++) {
            int n = (int)oto_rng_below(round, 0, (uint64_t)i, 30);
            n = n < LONG_T - t ? n : LONG_T - t;
            push(parts, log_probs + t * LONG_K, n);
            if (round % 2)
                n_best(parts, 3, &b); /* looking changes nothing */
            t += n;
        }
        int n = n_best(whole, 30, &a);
        assert_int_equal(n_best(parts, 30, &b), n);
        assert_same_hypotheses(a, b, n);
        oto_beam_reset(parts);
    }
    oto_beam_destroy(whole);
    oto_beam_destroy(parts);
}

/** No hypothesis scores above its exact probability; they differ; the frames of its labels go up.
 */
static void never_above_the_exact_total(void **state)
{
    (void)state;
    static float log_probs[LONG_T * LONG_K];
    struct oto_ctc *ctc;
    assert_int_equal(oto_ctc_create(&ctc, NULL), OTO_OK);
    for (uint64_t seed = 0; seed < 4; seed++) {
        const struct oto_beam_options o = {5 << (2 * seed), 0, -INFINITY, 0.0, 0.0};
        const struct oto_hypothesis *hyps;
        struct oto_beam *beam = create(LONG_K, &o);
        random_long(log_probs, seed);
        push(beam, log_probs, LONG_T);
        int n = n_best(beam, 5, &hyps);
        for (int j = 0; j < n; j++) {
            double loss;
            assert_int_equal(oto_ctc_compute(ctc, &loss, NULL, log_probs, NULL, LONG_T, LONG_K,
                                             hyps[j].labels, hyps[j].n_labels, NULL),
                             OTO_OK);
            assert_true(hyps[j].log_prob <= -loss + 1e-9);
            for (int i = 0; i < hyps[j].n_labels; i++)
                assert_in_range(hyps[j].frames[i], i ? hyps[j].frames[i - 1] : 0, LONG_T - 1);
            for (int i = 0; i < j; i++)
                assert_true(hyps[i].n_labels != hyps[j].n_labels ||
                            memcmp(hyps[i].labels, hyps[j].labels,
                                   (size_t)hyps[i].n_labels * sizeof(int)) != 0);
        }
        oto_beam_destroy(beam);
    }
    oto_ctc_destroy(ctc);
}

/** The best of any beam is at most the best of all prefixes, which is at least the best single
 * path. */
static void bounded_by_the_whole(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 300; i++) {
        enum { T = 6, K = 4 };
        float log_probs[T * K];
        int labels[T];
        double path;
        const struct oto_hypothesis *hyps;
        ctc_random_log_probs(log_probs, T, K, 2.0, 0.0, i);
        struct oto_beam *all = create(K, &exhaustive);
        push(all, log_probs, T);
        n_best(all, 1, &hyps);
        double best = hyps[0].log_prob;
        oto_greedy(labels, NULL, &path, log_probs, T, K);
        assert_true(best >= path - 1e-12);
        for (int width = 1; width <= 64; width *= 4) {
            struct oto_beam *some =
                create(K, &(struct oto_beam_options){width, 0, -INFINITY, 0.0, 0.0});
            push(some, log_probs, T);
            n_best(some, 1, &hyps);
            assert_true(hyps[0].log_prob <= best + 1e-12);
            oto_beam_destroy(some);
        }
        oto_beam_destroy(all);
    }
}

/** Clear peaks: the best hypothesis is the best path, label for label and frame for frame. */
static void peaks_equal_greedy(void **state)
{
    (void)state;
    enum { T = 200, K = 20 };
    static float log_probs[T * K];
    for (int t = 0; t < T; t++) {
        int peak = t % 4 == 1 ? 1 + (int)oto_rng_below(7, 0, (uint64_t)t, K - 1) : 0;
        for (int k = 0; k < K; k++)
            log_probs[t * K + k] =
                k == peak ? -0.01f
                          : -7.5f - 0.05f * (float)oto_rng_below(7, 1, (uint64_t)(t * K + k), 20);
    }
    int labels[T], frames[T], n = oto_greedy(labels, frames, NULL, log_probs, T, K);
    struct oto_beam *beam = create(K, &(struct oto_beam_options){100, 0, -INFINITY, 0.0, 0.0});
    const struct oto_hypothesis *hyps;
    push(beam, log_probs, T);
    n_best(beam, 1, &hyps);
    assert_int_equal(hyps[0].n_labels, n);
    assert_memory_equal(hyps[0].labels, labels, (size_t)n * sizeof *labels);
    assert_memory_equal(hyps[0].frames, frames, (size_t)n * sizeof *frames);
    oto_beam_destroy(beam);
}

static void ties_by_labels(void **state)
{
    (void)state;
    static const float flat[] = {-1, -1, -1, -1};
    for (int width = 1; width <= 4; width++) {
        struct oto_beam *beam =
            create(4, &(struct oto_beam_options){width, 0, -INFINITY, 0.0, 0.0});
        const struct oto_hypothesis *hyps;
        push(beam, flat, 1);
        assert_int_equal(n_best(beam, 10, &hyps), width);
        for (int i = 0; i < width; i++) { /* "", 1, 2, 3 */
            assert_int_equal(hyps[i].n_labels, i > 0);
            assert_true(i == 0 || hyps[i].labels[0] == i);
        }
        oto_beam_destroy(beam);
    }
}

static void nothing_pushed(void **state)
{
    (void)state;
    struct oto_beam *beam = create(3, &exhaustive);
    const struct oto_hypothesis *hyps;
    push(beam, NULL, 0);
    assert_int_equal(n_best(beam, 10, &hyps), 1);
    assert_int_equal(hyps[0].n_labels, 0);
    assert_true(hyps[0].log_prob == 0.0);
    oto_beam_destroy(beam);
    oto_beam_destroy(NULL);
}

/* ---- errors
 * -----------------------------------------------------------------------------------------------------
 */

static void refuses_options(void **state)
{
    (void)state;
    static const struct {
        int K;
        struct oto_beam_options o;
        const char *words;
    } cases[] = {{0, {1, 0, 0.0, 0.0, 0.0}, "0 symbols"},
                 {3, {0, 0, 0.0, 0.0, 0.0}, "beam of 0"},
                 {3, {100001, 0, 0.0, 0.0, 0.0}, "beam of 100001"},
                 {3, {1, -1, 0.0, 0.0, 0.0}, "top-n is -1"},
                 {3, {1, 0, 0.5, 0.0, 0.0}, "min-log-prob is 0.5"},
                 {3, {1, 0, NAN, 0.0, 0.0}, "min-log-prob"},
                 {3, {1, 0, 0.0, -1.0, 0.0}, "margin is -1"},
                 {3, {1, 0, 0.0, NAN, 0.0}, "margin"},
                 {3, {1, 0, 0.0, 0.0, -0.1}, "blank-skip is -0.1"},
                 {3, {1, 0, 0.0, 0.0, NAN}, "blank-skip"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct oto_beam *beam = (struct oto_beam *)&beam;
        oto_error err;
        assert_int_equal(oto_beam_create(&beam, cases[i].K, &cases[i].o, &err), OTO_ERR_ARGUMENT);
        assert_null(beam);
        assert_non_null(strstr(err.message, cases[i].words));
    }
}

static void refuses_frames(void **state)
{
    (void)state;
    struct oto_beam *beam = create(2, &exhaustive);
    const struct oto_hypothesis *hyps;
    oto_error err;
    int n;
    float x[] = {-1, -0.5f, -1, NAN};
    assert_int_equal(oto_beam_push(beam, x, 2, &err), OTO_ERR_DATA);
    assert_non_null(strstr(err.message, "frame 1: log-probability of symbol 1"));
    x[3] = INFINITY;
    assert_int_equal(oto_beam_push(beam, x, 2, &err), OTO_ERR_DATA);
    x[2] = x[3] = -INFINITY;
    assert_int_equal(oto_beam_push(beam, x, 2, &err), OTO_ERR_DATA);
    assert_non_null(strstr(err.message, "frame 1: every symbol has probability 0"));
    assert_int_equal(n_best(beam, 4, &hyps), 1); /* nothing of the portion was taken */
    assert_int_equal(oto_beam_n_best(beam, 0, &hyps, &n, &err), OTO_ERR_ARGUMENT);
    x[3] = 0;
    push(beam, x, 2);
    assert_int_equal(oto_beam_push(beam, (const float[]){NAN, 0}, 1, &err), OTO_ERR_DATA);
    assert_non_null(strstr(err.message, "frame 2"));
    oto_beam_destroy(beam);
}

static void option_table(void **state)
{
    (void)state;
    struct oto_beam_options o;
    memset(&o, 0, sizeof o);
    assert_int_equal(oto_options_init(oto_beam_option_table, oto_beam_n_options, &o, NULL), OTO_OK);
    assert_true(o.beam > 1 && o.min_log_prob < 0.0 && o.score_margin > 0.0);
    oto_beam_destroy(create(30, &o)); /* the defaults are allowed */
    oto_options_clear(oto_beam_option_table, oto_beam_n_options, &o);
}

/** Every allocation fails once; what was pushed before still counts, and pushing again goes on from
 * there. */
static void failing_memory(void **state)
{
    (void)state;
    static float log_probs[LONG_T * LONG_K];
    static const struct oto_beam_options o = {20, 0, -INFINITY, 0.0, 0.0};
    random_long(log_probs, 3);
    const struct oto_hypothesis *hyps;
    int n_hyps;
    for (size_t nth = 1;; nth++) {
        struct oto_beam *beam = NULL;
        oto_mem_fail_nth(nth);
        oto_status status = oto_beam_create(&beam, LONG_K, &o, NULL);
        for (int t = 0; !status && t < 50; t++)
            status = oto_beam_push(beam, log_probs + t * LONG_K, 1, NULL);
        if (!status)
            status = oto_beam_n_best(beam, 5, &hyps, &n_hyps, NULL);
        oto_mem_fail_nth(0);
        if (beam)
            n_best(beam, 5, &hyps);
        oto_beam_destroy(beam);
        if (!status) {
            assert_true(nth > 10);
            return;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_enumeration),
        cmocka_unit_test(far_from_one),
        cmocka_unit_test(equals_plain_version),
        cmocka_unit_test(portions_do_not_matter),
        cmocka_unit_test(never_above_the_exact_total),
        cmocka_unit_test(bounded_by_the_whole),
        cmocka_unit_test(peaks_equal_greedy),
        cmocka_unit_test(ties_by_labels),
        cmocka_unit_test(nothing_pushed),
        cmocka_unit_test(refuses_options),
        cmocka_unit_test(refuses_frames),
        cmocka_unit_test(option_table),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
