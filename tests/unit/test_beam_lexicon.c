/* SPDX-License-Identifier: BSD-2-Clause */
/* Beam search that keeps to the words of a lexicon: against enumeration of all paths, against
 * itself in portions, and where no word fits. */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "beam_words.h"
#include "ctc_brute.h"
#include "ctc_text.h"
#include "decoder/beam.h"

static const struct oto_beam_options exhaustive = {20000, 0, -INFINITY, 0.0, 0.0};
static struct oto_alphabet *spaced, *spaceless; /* space a b; a b c */

static int set_up(void **state)
{
    (void)state;
    static const char *const symbols[] = {" ", "a", "b", "c"};
    static const struct oto_text_policy policy = {OTO_CASE_KEEP, OTO_PUNCTUATION_KEEP};
    assert_int_equal(oto_alphabet_create(&spaced, symbols, 3, &policy, NULL), OTO_OK);
    assert_int_equal(oto_alphabet_create(&spaceless, symbols + 1, 3, &policy, NULL), OTO_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    oto_alphabet_destroy(spaced);
    oto_alphabet_destroy(spaceless);
    return 0;
}

/** A lexicon and a language of nothing but its words. */
struct words {
    struct oto_lexicon *lexicon;
    struct oto_language *language;
};

static struct words parse(const struct oto_alphabet *alphabet, const char *text)
{
    oto_error err = {0};
    struct words w;
    if (oto_lexicon_parse(&w.lexicon, text, strlen(text), "words", alphabet, &err) != OTO_OK ||
        oto_language_create(&w.language, w.lexicon, NULL, alphabet, NULL, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return w;
}

static void release(struct words w)
{
    oto_language_destroy(w.language);
    oto_lexicon_destroy(w.lexicon);
}

/* ---- enumeration: whole texts checked word by word, not by a tree ------------------------- */

enum { MAX_T = 6, K4 = 4, N_CODES = 1 << (2 * (MAX_T + 1)) };

static bool is_word(const char *words, const char *word, size_t n)
{
    for (const char *w = words; *w; w += strcspn(w, "\n") + 1)
        if (strcspn(w, "\n") == n && memcmp(w, word, n) == 0)
            return true;
    return false;
}

/** Whether the text is words of the list with spaces, any number of them and anywhere. */
static bool is_allowed(const char *words, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, " ");
        if (n > 0 && !is_word(words, text, n))
            return false;
        text += n;
        text += *text == ' ';
    }
    return true;
}

static void text_of(char *text, const struct oto_alphabet *alphabet, const int *labels, int n)
{
    for (int i = 0; i < n; i++)
        text[i] = alphabet->symbols[labels[i]][0];
    text[n] = '\0';
}

/** Digits in base 4 behind a leading 1; spaces at the ends and next to one another are left out. */
static int code_of(const struct oto_alphabet *alphabet, const int *labels, int n)
{
    int code = 1;
    bool space = false;
    for (int i = 0; i < n; i++) {
        if (labels[i] == alphabet->space) {
            space = code > 1;
            continue;
        }
        code = (space ? code * 4 + alphabet->space : code) * 4 + labels[i];
        space = false;
    }
    return code;
}

static int labels_of(int labels[MAX_T], int code)
{
    int n = 0, reversed[MAX_T + 1];
    for (; code > 1; code /= 4)
        reversed[n++] = code % 4;
    for (int i = 0; i < n; i++)
        labels[i] = reversed[n - 1 - i];
    return n;
}

/** Probability of each text over all 4^T paths. */
static void enumerate(double *p, const struct oto_alphabet *alphabet, const float *log_probs, int T)
{
    memset(p, 0, N_CODES * sizeof *p);
    for (int i = 0; i < 1 << (2 * T); i++) {
        int labels[MAX_T], n = 0, previous = 0;
        double log_p = 0.0;
        for (int t = 0; t < T; t++) {
            int k = i >> (2 * t) & 3;
            log_p += (double)log_probs[t * K4 + k];
            if (k != 0 && k != previous)
                labels[n++] = k;
            previous = k;
        }
        p[code_of(alphabet, labels, n)] += exp(log_p);
    }
}

static void check_enumeration(const struct oto_alphabet *alphabet, const char *words, uint64_t seed)
{
    static double p[N_CODES];
    int T = 1 + (int)(seed % MAX_T), n_expected = 0, labels[MAX_T];
    float log_probs[MAX_T * K4];
    char text[MAX_T + 1];
    struct words w = parse(alphabet, words);
    ctc_random_log_probs(log_probs, T, K4, 0.5 * (double)(1 + seed % 7), 0.0, seed);
    enumerate(p, alphabet, log_probs, T);
    for (int code = 1; code < N_CODES; code++) {
        if (p[code] > 0.0) {
            text_of(text, alphabet, labels, labels_of(labels, code));
            n_expected += is_allowed(words, text);
        }
    }
    struct oto_beam *beam = create(K4, &exhaustive, w.language);
    const struct oto_hypothesis *hyps;
    int n = decode(beam, log_probs, T, exhaustive.beam, &hyps);
    assert_int_equal(n, n_expected);
    for (int j = 0; j < n; j++) {
        double expected = log(p[code_of(alphabet, hyps[j].labels, hyps[j].n_labels)]);
        text_of(text, alphabet, hyps[j].labels, hyps[j].n_labels);
        if (!is_allowed(words, text) || !(fabs(hyps[j].log_prob - expected) <= 1e-9))
            fail_msg("case %d, \"%s\": %.12g, expected %.12g", (int)seed, text, hyps[j].log_prob,
                     expected);
        assert_true(j == 0 || hyps[j].log_prob <= hyps[j - 1].log_prob);
    }
    oto_beam_destroy(beam);
    release(w);
}

static void equals_enumeration(void **state)
{
    (void)state;
    static const char *const lists[] = {"a\n", "ab\nba\n", "a\naa\nab\n", "aabb\nb\nbab\n",
                                        "ab\nabab\nbb\n"};
    for (uint64_t i = 0; i < 300; i++) {
        check_enumeration(spaced, lists[i % 5], i);
        check_enumeration(spaceless, i % 2 ? "abc\nab\ncab\n" : "a\nbb\nccc\nacab\n", i);
    }
}

/* ---- narrow beams, where no word fits ----------------------------------------------------- */

static void check_texts(const struct oto_alphabet *alphabet, const char *words,
                        const struct oto_hypothesis *hyps, int n)
{
    char text[512];
    for (int j = 0; j < n; j++) {
        text_of(text, alphabet, hyps[j].labels, hyps[j].n_labels);
        if (!is_allowed(words, text))
            fail_msg("\"%s\" is no text of the lexicon", text);
    }
}

/** Any width, every kind of pruning, zeros everywhere: always a text of whole words, never above
 * its exact probability, and whole texts that a wider beam finds are at least as likely. */
static void always_whole_words(void **state)
{
    (void)state;
    enum { T = 40 };
    static const char words[] = "abba\nbab\naaab\n";
    struct words w = parse(spaced, words);
    int n_wordy = 0;
    for (uint64_t i = 0; i < 500; i++) {
        float log_probs[T * K4];
        const struct oto_beam_options o = {1 + (int)(i % 13), (int)(i % 4),
                                           i % 3 ? -(double)INFINITY : -1.0, i % 5 ? 0.0 : 3.0,
                                           0.0};
        const struct oto_hypothesis *hyps;
        ctc_random_log_probs(log_probs, T, K4, 4.0, i % 2 ? 0.3 : 0.0, i);
        struct oto_beam *beam = create(K4, &o, w.language);
        int n = decode(beam, log_probs, T, o.beam + 1, &hyps);
        check_texts(spaced, words, hyps, n);
        for (int j = 0; j < n; j++) {
            double exact = ctc_text_log_prob(log_probs, T, K4, hyps[j].labels, hyps[j].n_labels,
                                             spaced->space);
            if (isfinite(exact))
                assert_true(hyps[j].log_prob <= exact + 1e-9);
            else /* no path of nothing but what is possible: the blank's least stands in */
                assert_true(hyps[j].log_prob < -900.0);
            n_wordy += hyps[j].n_labels > 0;
        }
        oto_beam_destroy(beam);
    }
    assert_true(n_wordy > 500);
    release(w);
}

/** Clear peaks that spell text; a low floor elsewhere. */
static void spell(float *log_probs, const char *text, const struct oto_alphabet *alphabet)
{
    for (int t = 0; text[t]; t++) {
        int peak = text[t] == '.' ? 0 : oto_alphabet_find(alphabet, text[t]);
        for (int k = 0; k < K4; k++)
            log_probs[t * K4 + k] = k == peak ? -0.01f : -6.0f - 0.1f * (float)k;
    }
}

static void check_spelt(const char *words, int width, const char *frames, const char *expected)
{
    float log_probs[64 * K4];
    char text[64];
    const struct oto_hypothesis *hyps;
    const struct oto_beam_options o = {width, 40, -10.0, 20.0, 0.0};
    struct words w = parse(spaceless, words);
    struct oto_beam *beam = create(K4, &o, w.language);
    spell(log_probs, frames, spaceless);
    decode(beam, log_probs, (int)strlen(frames), 1, &hyps);
    text_of(text, spaceless, hyps[0].labels, hyps[0].n_labels);
    if (strcmp(text, expected) != 0)
        fail_msg("\"%s\" by a beam of %d: \"%s\", expected \"%s\"", frames, width, text, expected);
    oto_beam_destroy(beam);
    release(w);
}

static void nearest_word(void **state)
{
    (void)state;
    for (int width = 1; width <= 32; width *= 4) {
        check_spelt("abc\ncab\n", width, ".a.b.c.", "abc");
        check_spelt("abc\ncab\n", width, ".cc.ab..", "cab");
        check_spelt("abc\ncab\n", width, "......", "");
    }
    /* One letter too many, one wrong, one missing: the word that costs least. */
    check_spelt("abc\ncab\n", 32, ".a.b.c.c.", "abc");
    check_spelt("abc\ncab\n", 32, ".c.c.b.", "cab");
    check_spelt("abc\ncab\n", 32, ".a.b..", "abc");
    /* Nothing fits: the empty text stands beside the beam, even for a single prefix. */
    check_spelt("abcabcabc\n", 1, ".a.b.", "");
    /* The last letter comes a frame late and unlikely: whole word beside the beam of one. */
    check_spelt("ab\nabcccc\n", 1, ".a.b.c.", "ab");
}

/** A blank of probability 0 in every frame kills nothing. */
static void impossible_frames(void **state)
{
    (void)state;
    enum { T = 5 };
    float log_probs[T * K4];
    for (int t = 0; t < T; t++)
        for (int k = 0; k < K4; k++)
            log_probs[t * K4 + k] = k == 3 ? 0.0f : -INFINITY;
    struct words w = parse(spaceless, "ab\nb\n");
    for (int width = 1; width < 4; width++) {
        const struct oto_beam_options o = {width, 40, -10.0, 20.0, 0.0};
        const struct oto_hypothesis *hyps;
        struct oto_beam *beam = create(K4, &o, w.language);
        assert_int_equal(decode(beam, log_probs, T, 4, &hyps), 1);
        assert_int_equal(hyps[0].n_labels, 0);
        assert_true(hyps[0].log_prob == -1000.0 * T);
        oto_beam_destroy(beam);
    }
    release(w);
}

/* ---- portions, switching, memory ---------------------------------------------------------- */

static void portions_do_not_matter(void **state)
{
    (void)state;
    enum { T = 200 };
    static float log_probs[T * K4];
    static const char words[] = "a\nab\nbba\nbbb\nabab\n";
    static const struct oto_beam_options o = {12, 3, -8.0, 15.0, 0.0};
    struct words w = parse(spaced, words);
    struct oto_beam *whole = create(K4, &o, w.language), *parts = create(K4, &o, w.language);
    for (uint64_t round = 0; round < 20; round++) {
        const struct oto_hypothesis *a, *b;
        ctc_random_log_probs(log_probs, T, K4, 3.0, 0.0, round);
        oto_beam_reset(whole);
        oto_beam_reset(parts);
        int n = decode(whole, log_probs, T, 20, &a);
        for (int t = 0, i = 0; t < T; i++) {
            int m = (int)oto_rng_below(round, 0, (uint64_t)i, 30);
            m = m < T - t ? m : T - t;
            decode(parts, log_probs + t * K4, m, 3, &b);
            check_texts(spaced, words, b, 1);
            t += m;
        }
        assert_int_equal(decode(parts, NULL, 0, 20, &b), n);
        assert_same_hypotheses(a, b, n);
        assert_true(a[0].n_labels > 10);
    }
    oto_beam_destroy(whole);
    oto_beam_destroy(parts);
    release(w);
}

/** A lexicon can be taken off again; one that allows every prefix changes nothing. */
static void on_and_off(void **state)
{
    (void)state;
    enum { T = 60 };
    float log_probs[T * K4];
    static const struct oto_beam_options o = {10, 0, -INFINITY, 0.0, 0.0};
    const struct oto_hypothesis *a, *b;
    ctc_random_log_probs(log_probs, T, K4, 3.0, 0.0, 7);
    struct words w = parse(spaceless, "a\n");
    struct oto_beam *free_beam = create(K4, &o, NULL), *beam = create(K4, &o, w.language);
    int n = decode(free_beam, log_probs, T, 10, &a);
    assert_in_range(decode(beam, log_probs, T, 10, &b), 1, 2); /* "", a */
    assert_int_equal(oto_beam_set_language(beam, NULL, NULL), OTO_OK);
    assert_int_equal(decode(beam, log_probs, T, 10, &b), n);
    assert_same_hypotheses(a, b, n);
    oto_beam_destroy(free_beam);
    oto_beam_destroy(beam);
    release(w);
}

static void failing_memory(void **state)
{
    (void)state;
    enum { T = 60 };
    float log_probs[T * K4];
    static const struct oto_beam_options o = {20, 0, -INFINITY, 0.0, 0.0};
    static const char words[] = "ab\nba\nbbb\n";
    struct words w = parse(spaced, words);
    ctc_random_log_probs(log_probs, T, K4, 3.0, 0.0, 3);
    for (size_t nth = 1;; nth++) {
        const struct oto_hypothesis *hyps;
        int n_hyps;
        struct oto_beam *beam = create(K4, &o, w.language);
        oto_mem_fail_nth(nth);
        oto_status status = OTO_OK;
        for (int t = 0; !status && t < T; t++)
            status = oto_beam_push(beam, log_probs + t * K4, 1, NULL);
        if (!status)
            status = oto_beam_n_best(beam, 5, &hyps, &n_hyps, NULL);
        oto_mem_fail_nth(0);
        check_texts(spaced, words, hyps, decode(beam, NULL, 0, 5, &hyps));
        oto_beam_destroy(beam);
        if (!status) {
            assert_true(nth > 4);
            break;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
    release(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_enumeration),     cmocka_unit_test(always_whole_words),
        cmocka_unit_test(nearest_word),           cmocka_unit_test(impossible_frames),
        cmocka_unit_test(portions_do_not_matter), cmocka_unit_test(on_and_off),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
