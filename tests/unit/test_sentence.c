/* SPDX-License-Identifier: BSD-2-Clause */
/* The best sentence of a grammar: against enumeration of all paths, and of all sentences. */
#include "decoder/sentence.h"

#include <limits.h>

#include "base/mem.h"
#include "ctc_brute.h"
#include "ctc_text.h"
#include "grammar_sentences.h"

static struct oto_sentence_search *create(const struct sentences *s)
{
    struct oto_sentence_search *search = NULL;
    assert_int_equal(oto_sentence_search_create(&search, s->grammar, K5, NULL), OTO_OK);
    return search;
}

static struct oto_hypothesis find(struct oto_sentence_search *search, const float *log_probs, int T)
{
    struct oto_hypothesis h;
    assert_int_equal(oto_sentence_search_run(search, &h, log_probs, (size_t)T, NULL), OTO_OK);
    for (int j = 0; j < h.n_labels; j++) {
        assert_in_range(h.frames[j], j, T - 1);
        assert_true(j == 0 || h.frames[j] > h.frames[j - 1]);
    }
    return h;
}

/* ---- every path --------------------------------------------------------------------------- */

/** The likeliest path of those that write a sentence, and what that is worth by all its paths. */
static int check_paths(const struct sentences *s, double (*prior)(const char *), uint64_t seed)
{
    static double p[N_CODES], p_best[N_CODES];
    float log_probs[MAX_T * K5];
    char text[MAX_T + 1];
    const int T = 1 + (int)(seed % MAX_T);
    double best = 0.0;
    ctc_random_log_probs(log_probs, T, K5, 0.5 * (double)(1 + seed % 7), 0.0, seed);
    enumerate(p, p_best, log_probs, T);
    for (int code = 2; code < N_CODES; code++) {
        text_of_code(text, code);
        if (p[code] > 0.0 && grammar_matches(&s->regex, text))
            best = fmax(best, p_best[code] * exp(prior(text)));
    }
    struct oto_sentence_search *search = create(s);
    const struct oto_hypothesis h = find(search, log_probs, T);
    const int code = code_of(h.labels, h.n_labels);
    text_of(text, h.labels, h.n_labels);
    if ((h.n_labels > 0) != (best > 0.0))
        fail_msg("case %d: \"%s\", %g", (int)seed, text, best);
    if (h.n_labels > 0 && (!grammar_matches(&s->regex, text) ||
                           !(fabs(p_best[code] * exp(prior(text)) / best - 1.0) <= 1e-5) ||
                           !(fabs(log(p[code]) + prior(text) - h.log_prob) <= 1e-5)))
        fail_msg("case %d: \"%s\", %g", (int)seed, text, best);
    assert_true(h.n_labels > 0 || h.log_prob == -(double)INFINITY);
    oto_sentence_search_destroy(search);
    return h.n_labels > 0;
}

static void equals_enumeration(void **state)
{
    (void)state;
    int n_found = 0;
    for (int i = 0; i < N_GRAMMAR_CASES; i++) {
        struct sentences s = parse(grammar_cases[i].rules, grammar_cases[i].regex);
        for (uint64_t seed = 0; seed < 12; seed++)
            n_found += check_paths(&s, no_prior, 100 * (uint64_t)i + seed);
        release(&s);
    }
    assert_in_range(n_found, 100, 12 * N_GRAMMAR_CASES - 20);
}

static void weights_are_added(void **state)
{
    (void)state;
    struct sentences s = parse("public <s> = (/3/ a | /1/ b)+ [c];", "(a |b )+(c )?");
    for (uint64_t seed = 0; seed < 60; seed++)
        (void)check_paths(&s, letters_prior, seed);
    release(&s);
}

/* ---- every sentence ------------------------------------------------------------------------ */

enum { MAX_FRAMES = 70 };

static double most(double a, double b)
{
    return fmax(a, b);
}

struct texts {
    char texts[64][32];
    int n;
};

static double over_paths(double (*add)(double, double), const float *log_probs, int T,
                         const char *text)
{
    int labels[32];
    const int n = (int)strlen(text);
    for (int j = 0; j < n; j++)
        labels[j] = oto_alphabet_find(alphabet, text[j]);
    return ctc_text_over_paths(add, log_probs, T, K5, labels, n, alphabet->space);
}

/** The best of all texts that the grammar has in so many frames. */
static void check_best(struct oto_sentence_search *search, const struct texts *all, int T,
                       double zeros, uint64_t seed)
{
    float log_probs[MAX_FRAMES * K5];
    char text[MAX_FRAMES + 1];
    double best = -(double)INFINITY;
    ctc_random_log_probs(log_probs, T, K5, 4.0, zeros, seed);
    for (int i = 0; i < T * K5; i += K5) /* the blank is never quite impossible */
        log_probs[i] = fmaxf(log_probs[i], -1000.0f);
    for (int i = 0; i < all->n; i++)
        best = fmax(best, over_paths(most, log_probs, T, all->texts[i]));
    const struct oto_hypothesis h = find(search, log_probs, T);
    assert_true((h.n_labels > 0) == (best > -(double)INFINITY));
    if (h.n_labels == 0)
        return;
    text_of(text, h.labels, h.n_labels);
    const double path = over_paths(most, log_probs, T, text);
    const double sum = over_paths(ctc_text_add, log_probs, T, text);
    const double bound = 1e-12 * T * (1.0 - best); /* some roundings a frame */
    if (!(fabs(path - best) <= bound) || !(fabs(sum - h.log_prob) <= bound))
        fail_msg("%d frames, \"%s\": %.12g and %.12g, expected %.12g and %.12g", T, text, path,
                 h.log_prob, best, sum);
}

/** Whatever the number of frames is, and whatever is impossible. */
static void best_of_all(void **state)
{
    (void)state;
    static const char *const words[] = {"a", "ab", "ba", "cc"};
    struct texts all = {.n = 64};
    struct sentences s =
        parse("public <s> = <w> <w> <w>; <w> = a | ab | ba | cc;", "((a |ab |ba |cc ){3})");
    struct oto_sentence_search *search = create(&s);
    for (int i = 0; i < all.n; i++)
        snprintf(all.texts[i], sizeof all.texts[i], "%s %s %s", words[i & 3], words[i >> 2 & 3],
                 words[i >> 4]);
    for (int T = 1; T <= MAX_FRAMES; T++)
        check_best(search, &all, T, T % 2 ? 0.0 : 0.2, (uint64_t)T);
    oto_sentence_search_destroy(search);
    release(&s);
}

/** Several arcs with one label lead to a state that the same label leaves. */
static void loops(void **state)
{
    (void)state;
    static const char *const words[] = {" aab", " aac"};
    struct texts all = {.n = 0};
    struct sentences s = parse("public <s> = (aab | aac)+;", "(aab |aac )+");
    struct oto_sentence_search *search = create(&s);
    for (int n_words = 1; n_words <= 5; n_words++) /* of five frames each but the first */
        for (int i = 0; i < 1 << n_words; i++, all.n++)
            for (int k = 0; k < n_words; k++) {
                char *end = all.texts[all.n] + strlen(all.texts[all.n]);
                snprintf(end, 5, "%s", words[i >> k & 1] + (k == 0));
            }
    for (uint64_t seed = 0; seed < 400; seed++)
        check_best(search, &all, 4 + (int)(seed % 20), 0.0, seed);
    oto_sentence_search_destroy(search);
    release(&s);
}

static void where_labels_begin(void **state)
{
    (void)state;
    static const char frames[] = "..aab.b.  .ccc . ";
    static const int expected[] = {2, 4, 6, 8, 11};
    float log_probs[32 * K5];
    char text[32];
    struct sentences s = parse("public <s> = abb [c] | c;", "abb (c )?|c ");
    struct oto_sentence_search *search = create(&s);
    spell(log_probs, frames);
    const struct oto_hypothesis h = find(search, log_probs, (int)strlen(frames));
    text_of(text, h.labels, h.n_labels);
    assert_string_equal(text, "abb c");
    assert_memory_equal(h.frames, expected, sizeof expected);
    oto_sentence_search_destroy(search);
    release(&s);
}

/** Too few frames, none at all, and a letter that is never possible. */
static void no_sentence(void **state)
{
    (void)state;
    float log_probs[8 * K5];
    struct sentences s = parse("public <s> = ab a;", "ab a ");
    struct oto_sentence_search *search = create(&s);
    spell(log_probs, "ab a....");
    assert_int_equal(find(search, log_probs, 0).n_labels, 0);
    assert_int_equal(find(search, log_probs, 3).n_labels, 0);
    assert_int_equal(find(search, log_probs, 4).n_labels, 4);
    assert_int_equal(find(search, log_probs, 8).n_labels, 4);
    for (int t = 0; t < 8; t++)
        log_probs[t * K5 + oto_alphabet_find(alphabet, 'b')] = -(float)INFINITY;
    const struct oto_hypothesis h = find(search, log_probs, 8);
    assert_int_equal(h.n_labels, 0);
    assert_true(h.log_prob == -(double)INFINITY);
    oto_sentence_search_destroy(search);
    release(&s);
}

static void failing_memory(void **state)
{
    (void)state;
    enum { T = 20 };
    float log_probs[T * K5];
    struct sentences s = parse("public <s> = (a | b c)+;", "(a |b c )+");
    ctc_random_log_probs(log_probs, T, K5, 3.0, 0.0, 3);
    for (size_t nth = 1;; nth++) {
        struct oto_sentence_search *search = (void *)&search;
        struct oto_hypothesis h;
        oto_mem_fail_nth(nth);
        oto_status status = oto_sentence_search_create(&search, s.grammar, K5, NULL);
        if (status != OTO_OK)
            assert_null(search);
        else
            status = oto_sentence_search_run(search, &h, log_probs, T, NULL);
        oto_mem_fail_nth(0);
        if (search != NULL) { /* it goes on, and with so many frames without allocation */
            assert_true(find(search, log_probs, T).n_labels > 0);
            (void)oto_mem_fail_nth(0);
            (void)find(search, log_probs, T - 5);
            assert_int_equal(oto_mem_fail_nth(0), 0);
        }
        oto_sentence_search_destroy(search);
        if (status == OTO_OK) {
            assert_int_equal(nth, 12);
            break;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
    release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_enumeration),
        cmocka_unit_test(weights_are_added),
        cmocka_unit_test(best_of_all),
        cmocka_unit_test(where_labels_begin),
        cmocka_unit_test(loops),
        cmocka_unit_test(no_sentence),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
