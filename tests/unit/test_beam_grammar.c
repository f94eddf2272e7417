/* SPDX-License-Identifier: BSD-2-Clause */
/* Beam search that keeps to a grammar: against enumeration of all paths with an acceptor of its
 * own, against itself in portions, and where no sentence fits. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "beam_words.h"
#include "ctc_brute.h"
#include "ctc_text.h"
#include "decoder/beam.h"
#include "grammar_sentences.h"

static const struct oto_beam_options exhaustive = {20000, 0, -INFINITY, 0.0, 0.0};

/** The empty text, which says that nothing was heard, or a sentence. */
static bool is_allowed(const struct sentences *s, const char *text)
{
    return text[0] == '\0' || grammar_matches(&s->regex, text);
}

/* ---- enumeration ------------------------------------------------------------------------- */

/** Every sentence with its whole probability and prior, and no other text but the empty one. */
static void check_enumeration(const struct sentences *s, double (*prior)(const char *),
                              uint64_t seed)
{
    static double p[N_CODES], p_best[N_CODES];
    float log_probs[MAX_T * K5];
    char text[MAX_T + 1];
    const int T = 1 + (int)(seed % MAX_T);
    int n_expected = 0;
    const struct oto_hypothesis *hyps;
    ctc_random_log_probs(log_probs, T, K5, 0.5 * (double)(1 + seed % 7), 0.0, seed);
    enumerate(p, p_best, log_probs, T);
    for (int code = 1; code < N_CODES; code++) {
        if (p[code] > 0.0) {
            text_of_code(text, code);
            n_expected += is_allowed(s, text);
        }
    }
    struct oto_beam *beam = create(K5, &exhaustive, s->language);
    const int n = decode(beam, log_probs, T, exhaustive.beam, &hyps);
    assert_int_equal(n, n_expected);
    for (int j = 0; j < n; j++) {
        text_of(text, hyps[j].labels, hyps[j].n_labels);
        const double expected = log(p[code_of(hyps[j].labels, hyps[j].n_labels)]) + prior(text);
        if (!is_allowed(s, text) || !(fabs(hyps[j].log_prob - expected) <= 1e-5))
            fail_msg("case %d, \"%s\": %.12g, expected %.12g", (int)seed, text, hyps[j].log_prob,
                     expected);
        assert_true(j == 0 || hyps[j].log_prob <= hyps[j - 1].log_prob);
    }
    oto_beam_destroy(beam);
}

static void equals_enumeration(void **state)
{
    (void)state;
    for (int i = 0; i < N_GRAMMAR_CASES; i++) {
        struct sentences s = parse(grammar_cases[i].rules, grammar_cases[i].regex);
        for (uint64_t seed = 0; seed < 12; seed++)
            check_enumeration(&s, no_prior, 100 * (uint64_t)i + seed);
        release(&s);
    }
}

static void weights_are_added(void **state)
{
    (void)state;
    struct sentences s = parse("public <s> = (/3/ a | /1/ b)+ [c];", "(a |b )+(c )?");
    for (uint64_t seed = 0; seed < 60; seed++)
        check_enumeration(&s, letters_prior, seed);
    release(&s);
}

/* ---- narrow beams, where no sentence fits ------------------------------------------------- */

/** Any width, every kind of pruning, zeros everywhere: sentences or nothing, never above their
 * exact probability. */
static void always_sentences(void **state)
{
    (void)state;
    enum { T = 40 };
    int n_sentences = 0;
    for (uint64_t i = 0; i < 600; i++) {
        const struct grammar_case *g = &grammar_cases[i % N_GRAMMAR_CASES];
        struct sentences s = parse(g->rules, g->regex);
        float log_probs[T * K5];
        char text[T + 1];
        const struct oto_beam_options o = {1 + (int)(i % 13), (int)(i % 4),
                                           i % 3 ? -(double)INFINITY : -1.0, i % 5 ? 0.0 : 3.0,
                                           0.0};
        const struct oto_hypothesis *hyps;
        ctc_random_log_probs(log_probs, T, K5, 4.0, i % 2 ? 0.3 : 0.0, i);
        struct oto_beam *beam = create(K5, &o, s.language);
        const int n = decode(beam, log_probs, T, o.beam + 1, &hyps);
        for (int j = 0; j < n; j++) {
            text_of(text, hyps[j].labels, hyps[j].n_labels);
            if (!is_allowed(&s, text))
                fail_msg("%s: \"%s\"", g->rules, text);
            const double exact = ctc_text_log_prob(log_probs, T, K5, hyps[j].labels,
                                                   hyps[j].n_labels, alphabet->space);
            assert_true(isfinite(exact) ? hyps[j].log_prob <= exact + 1e-9
                                        : hyps[j].log_prob < -900.0);
            n_sentences += hyps[j].n_labels > 0;
        }
        oto_beam_destroy(beam);
        release(&s);
    }
    assert_true(n_sentences > 500);
}

static void check_spelt(const char *rules, int width, const char *frames, const char *expected)
{
    float log_probs[64 * K5];
    char text[64];
    const struct oto_hypothesis *hyps;
    const struct oto_beam_options o = {width, 40, -10.0, 20.0, 0.0};
    struct sentences s = parse(rules, "a");
    struct oto_beam *beam = create(K5, &o, s.language);
    spell(log_probs, frames);
    decode(beam, log_probs, (int)strlen(frames), 1, &hyps);
    text_of(text, hyps[0].labels, hyps[0].n_labels);
    if (strcmp(text, expected) != 0)
        fail_msg("%s: \"%s\" by a beam of %d: \"%s\", expected \"%s\"", rules, frames, width, text,
                 expected);
    oto_beam_destroy(beam);
    release(&s);
}

static void nearest_sentence(void **state)
{
    (void)state;
    static const char rules[] = "public <s> = (abc | cab) (a | b) ;";
    for (int width = 1; width <= 32; width *= 4) {
        check_spelt(rules, width, ".a.b.c. .a.", "abc a");
        check_spelt(rules, width, "  .cc.ab.. b. ..", "cab b");
        check_spelt(rules, width, "......", ""); /* nothing said */
    }
    check_spelt(rules, 32, ".a.b.c. c.a.", "abc a"); /* one letter too many */
    check_spelt(rules, 32, ".a.bc. .c.b.", "abc b");
    check_spelt(rules, 32, ".bc .b", "abc b"); /* one too few */
    check_spelt(rules, 32, ".a.b.c.", "");     /* half a sentence is none */
    check_spelt("public <s> = a;", 4, ".", "");
    /* what is likelier before is taken where the sound leaves it open */
    check_spelt("public <s> = c (/1000/ a | /1/ b);", 8, ".c. .c.", "c a");
    check_spelt("public <s> = c (/1/ a | /1000/ b);", 8, ".c. .c.", "c b");
    check_spelt("public <s> = c (/1/ a | /100/ b);", 8, ".c. .a.", "c a");
}

/** Beginnings of the best text are beginnings of sentences; the empty text stays possible. */
static void partial_results(void **state)
{
    (void)state;
    float log_probs[64 * K5];
    static const struct oto_beam_options o = {8, 0, -20.0, 0.0, 0.0};
    static const char frames[] = ".ab.c. .a..b. b.";
    struct sentences s = parse("public <s> = abc [a] (b | ab) b;", "abc (a )?(b |ab )b ");
    struct oto_beam *beam = create(K5, &o, s.language);
    static const char *const shown[] = {"", "a", "ab", "ab", "abc", "abc", "abc ", "abc "};
    spell(log_probs, frames);
    for (int t = 0; frames[t]; t++) {
        struct oto_hypothesis best;
        char text[64];
        int n_stable;
        assert_int_equal(oto_beam_push(beam, log_probs + t * K5, 1, NULL), OTO_OK);
        assert_int_equal(oto_beam_partial(beam, &best, &n_stable, NULL), OTO_OK);
        text_of(text, best.labels, best.n_labels);
        if (t < 8 && strcmp(text, shown[t]) != 0)
            fail_msg("frame %d: \"%s\", expected \"%s\"", t, text, shown[t]);
        assert_in_range(n_stable, 0, best.n_labels);
    }
    oto_beam_destroy(beam);
    release(&s);
}

/* ---- portions, commitment, memory --------------------------------------------------------- */

/** With what is decided taken out after every portion the text is one of the grammar, too, and what
 * was taken out is its beginning. */
static void committed_as_it_goes(void **state)
{
    (void)state;
    enum { T = 200 };
    static float log_probs[T * K5];
    static const struct oto_beam_options o = {12, 0, -12.0, 0.0, 0.0};
    int n_committed = 0;
    struct sentences s = parse("public <s> = (a b | c+ ab)+;", "(a b |(c )+ab )+");
    for (uint64_t round = 0; round < 30; round++) {
        struct oto_beam *beam = create(K5, &o, s.language);
        int labels[2 * T], n = 0;
        char text[2 * T + 1];
        const struct oto_hypothesis *hyps;
        ctc_random_log_probs(log_probs, T, K5, 3.0, 0.0, round);
        for (int t = 0; t < T; t += 10) {
            struct oto_hypothesis done;
            assert_int_equal(oto_beam_push(beam, log_probs + t * K5, 10, NULL), OTO_OK);
            assert_int_equal(oto_beam_commit(beam, 8, &done, NULL), OTO_OK);
            memcpy(labels + n, done.labels, (size_t)done.n_labels * sizeof(int));
            n += done.n_labels;
        }
        n_committed += n;
        decode(beam, NULL, 0, 1, &hyps);
        memcpy(labels + n, hyps[0].labels, (size_t)hyps[0].n_labels * sizeof(int));
        n += hyps[0].n_labels;
        n -= n > 0 && labels[n - 1] == alphabet->space;
        text_of(text, labels, n);
        if (!is_allowed(&s, text))
            fail_msg("round %d: \"%s\"", (int)round, text);
        oto_beam_destroy(beam);
    }
    assert_true(n_committed > 500);
    release(&s);
}

static void portions_do_not_matter(void **state)
{
    (void)state;
    enum { T = 120 };
    static float log_probs[T * K5];
    static const struct oto_beam_options o = {12, 3, -8.0, 15.0, 0.0};
    struct sentences s = parse("public <s> = (/2/ a b | /1/ c+ ab)+;", "(a b |(c )+ab )+");
    struct oto_beam *whole = create(K5, &o, s.language), *parts = create(K5, &o, s.language);
    for (uint64_t round = 0; round < 20; round++) {
        const struct oto_hypothesis *a, *b;
        ctc_random_log_probs(log_probs, T, K5, 3.0, 0.0, round);
        oto_beam_reset(whole);
        oto_beam_reset(parts);
        const int n = decode(whole, log_probs, T, 20, &a);
        for (int t = 0; t < T; t += 7)
            decode(parts, log_probs + t * K5, T - t < 7 ? T - t : 7, 3, &b);
        assert_int_equal(decode(parts, NULL, 0, 20, &b), n);
        assert_same_hypotheses(a, b, n);
    }
    oto_beam_destroy(whole);
    oto_beam_destroy(parts);
    release(&s);
}

static void failing_memory(void **state)
{
    (void)state;
    enum { T = 60 };
    float log_probs[T * K5];
    char text[T + 1];
    static const struct oto_beam_options o = {20, 0, -INFINITY, 0.0, 0.0};
    struct sentences s = parse("public <s> = (a | b c)+;", "(a |b c )+");
    ctc_random_log_probs(log_probs, T, K5, 3.0, 0.0, 3);
    for (size_t nth = 1;; nth++) {
        const struct oto_hypothesis *hyps;
        int n_hyps;
        struct oto_language *language = NULL;
        struct oto_beam *beam = create(K5, &o, s.language);
        oto_mem_fail_nth(nth);
        oto_status status = oto_language_create_of_grammar(&language, s.grammar, NULL);
        for (int t = 0; !status && t < T; t++)
            status = oto_beam_push(beam, log_probs + t * K5, 1, NULL);
        if (!status)
            status = oto_beam_n_best(beam, 5, &hyps, &n_hyps, NULL);
        oto_mem_fail_nth(0);
        n_hyps = decode(beam, NULL, 0, 5, &hyps);
        for (int j = 0; j < n_hyps; j++) {
            text_of(text, hyps[j].labels, hyps[j].n_labels);
            assert_true(is_allowed(&s, text));
        }
        oto_beam_destroy(beam);
        oto_language_destroy(language);
        if (!status) {
            assert_true(nth > 4);
            break;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
    release(&s);
}

/** All of 8 sentences end at one place, and few are kept unless the beam is wide. */
static void thinned_out(void **state)
{
    (void)state;
    enum { T = 24 };
    float log_probs[T * K5];
    struct sentences s = parse("public <s> = (a | b) (a | b) (a | b) c;", "((a |b ){3})c ");
    for (uint64_t seed = 0; seed < 20; seed++) {
        ctc_random_log_probs(log_probs, T, K5, 1.0, 0.0, seed);
        for (int beam_width = 99; beam_width <= 1299; beam_width += 300) {
            const struct oto_beam_options o = {.beam = beam_width, .min_log_prob = -INFINITY};
            const struct oto_hypothesis *hyps;
            int n_sentences = 0;
            struct oto_beam *beam = create(K5, &o, s.language);
            const int n = decode(beam, log_probs, T, 20, &hyps);
            for (int j = 0; j < n; j++)
                n_sentences += hyps[j].n_labels > 0;
            /* there may be others with a space behind, which is another place */
            const int most = 2 * (1 + beam_width / 100);
            assert_in_range(n_sentences, 1, most < 8 ? most : 8);
            assert_true(n_sentences == 8 || beam_width < 1299);
            oto_beam_destroy(beam);
        }
    }
    release(&s);
}

/** Room for beginnings grows by doubling, and not at all once it is there. */
static void no_allocation_per_frame(void **state)
{
    (void)state;
    enum { T = 120 };
    static float log_probs[T * K5];
    static const struct oto_beam_options o = {20, 0, -INFINITY, 0.0, 0.0};
    struct sentences s = parse("public <s> = (a | b c)+;", "(a |b c )+");
    struct oto_beam *beam = create(K5, &o, s.language);
    ctc_random_log_probs(log_probs, T, K5, 3.0, 0.0, 4);
    assert_int_equal(oto_beam_push(beam, log_probs, T, NULL), OTO_OK);
    oto_beam_reset(beam);
    (void)oto_mem_fail_nth(0);
    assert_int_equal(oto_beam_push(beam, log_probs, T, NULL), OTO_OK);
    assert_int_equal(oto_mem_fail_nth(0), 0);
    oto_beam_destroy(beam);
    release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_enumeration),      cmocka_unit_test(weights_are_added),
        cmocka_unit_test(always_sentences),        cmocka_unit_test(nearest_sentence),
        cmocka_unit_test(partial_results),         cmocka_unit_test(committed_as_it_goes),
        cmocka_unit_test(portions_do_not_matter),  cmocka_unit_test(failing_memory),
        cmocka_unit_test(no_allocation_per_frame), cmocka_unit_test(thinned_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
