/* SPDX-License-Identifier: BSD-2-Clause */
/* Beam search with a language model: every text of small cases scored by definition, pruning, and
 * the options of a language. */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "beam_words.h"
#include "ctc_brute.h"
#include "ctc_text.h"
#include "decoder/beam.h"

/* Of the alphabet's words it knows four, and one that the alphabet cannot write. */
static const char arpa[] = "\\data\\\n"
                           "ngram 1=8\n"
                           "ngram 2=6\n"
                           "ngram 3=3\n"
                           "\n"
                           "\\1-grams:\n"
                           "-1.7\t<unk>\n"
                           "-99\t<s>\t-0.4\n"
                           "-1.1\t</s>\n"
                           "-0.5\ta\t-0.3\n"
                           "-0.9\tab\t-0.2\n"
                           "-1.3\tba\t-0.6\n"
                           "-1.6\tbb\n"
                           "-0.7\txy\t-0.1\n"
                           "\n"
                           "\\2-grams:\n"
                           "-0.2\t<s> ab\t-0.15\n"
                           "-0.6\ta ab\t-0.25\n"
                           "-0.4\tab ba\t-0.1\n"
                           "-0.3\tba </s>\n"
                           "-1.9\ta a\t-0.35\n"
                           "-0.8\tba a\n"
                           "\n"
                           "\\3-grams:\n"
                           "-0.1\t<s> ab ba\n"
                           "-0.05\tab ba a\n"
                           "-0.45\ta a ab\n"
                           "\n"
                           "\\end\\\n";

enum { MAX_T = 6, K4 = 4, N_CODES = 1 << (2 * (MAX_T + 1)), SPACE = 1 };
static const struct oto_beam_options exhaustive = {20000, 0, -INFINITY, 0.0, 0.0};
static struct oto_alphabet *alphabet; /* space a b */
static struct oto_lm *lm;
static struct oto_lexicon *lexicon; /* a, ba, and bab, which the model does not know */

static int set_up(void **state)
{
    (void)state;
    static const char *const symbols[] = {" ", "a", "b"};
    static const struct oto_text_policy policy = {OTO_CASE_KEEP, OTO_PUNCTUATION_KEEP};
    char folder[64], path[128];
    oto_error err = {0};
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/small.arpa", folder);
    unit_write_file(path, arpa, sizeof arpa - 1);
    if (oto_alphabet_create(&alphabet, symbols, 3, &policy, &err) != OTO_OK ||
        oto_lm_open(&lm, path, &err) != OTO_OK ||
        oto_lexicon_parse(&lexicon, "a\nba\nbab\n", 9, "words", alphabet, &err) != OTO_OK)
        fail_msg("%s", err.message);
    unit_remove_folder(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    oto_lexicon_destroy(lexicon);
    oto_lm_close(lm);
    oto_alphabet_destroy(alphabet);
    return 0;
}

static struct oto_language *create_language(bool strict, const struct oto_language_options *o)
{
    struct oto_language *language = NULL;
    oto_error err = {0};
    if (oto_language_create(&language, strict ? lexicon : NULL, lm, alphabet, o, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return language;
}

/* ---- by definition ------------------------------------------------------------------------ */

static struct oto_language_options random_options(uint64_t seed)
{
    return (struct oto_language_options){.lm_weight = 1.5 * oto_rng_uniform(seed, 50, 0),
                                         .word_bonus = 4.0 * oto_rng_uniform(seed, 50, 1) - 2.0,
                                         .unknown_weight = -2.0 * oto_rng_uniform(seed, 50, 2)};
}

/** Score of a text word by word; -inf where strict forbids one. */
static double score_text(const char *text, bool strict, const struct oto_language_options *o)
{
    struct oto_lm_state state;
    double score = 0.0, log10_p = 0.0;
    oto_lm_start(lm, &state);
    while (*text) {
        size_t n = strcspn(text, " ");
        uint32_t word = oto_lm_find(lm, text, n);
        bool listed = (n == 1 && text[0] == 'a') || (n == 2 && memcmp(text, "ba", 2) == 0) ||
                      (n == 3 && memcmp(text, "bab", 3) == 0);
        if (strict && !listed)
            return -(double)INFINITY;
        log10_p += oto_lm_score(lm, &state, &state, word, NULL);
        score += o->word_bonus + (word == OTO_LM_UNKNOWN ? o->unknown_weight * (double)n : 0.0);
        text += n;
        text += *text == ' ';
    }
    log10_p += oto_lm_score(lm, &state, &state, oto_lm_end_of_sentence(lm), NULL);
    return score + o->lm_weight * log(10.0) * log10_p;
}

static void text_of(char *text, const int *labels, int n)
{
    for (int i = 0; i < n; i++)
        text[i] = alphabet->symbols[labels[i]][0];
    text[n] = '\0';
}

static int code_of(const int *labels, int n)
{
    int code = 1;
    bool space = false;
    for (int i = 0; i < n; i++) {
        if (labels[i] == SPACE) {
            space = code > 1;
            continue;
        }
        code = (space ? code * 4 + SPACE : code) * 4 + labels[i];
        space = false;
    }
    return code;
}

static void enumerate(double *p, const float *log_probs, int T)
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
        p[code_of(labels, n)] += exp(log_p);
    }
}

static void check_enumeration(bool strict, uint64_t seed)
{
    static double p[N_CODES];
    int T = 1 + (int)(seed % MAX_T), n_expected = 0;
    float log_probs[MAX_T * K4];
    char text[MAX_T + 1];
    const struct oto_language_options o = random_options(seed);
    struct oto_language *language = create_language(strict, &o);
    ctc_random_log_probs(log_probs, T, K4, 0.5 * (double)(1 + seed % 5), 0.0, seed);
    enumerate(p, log_probs, T);
    for (int code = 1; code < N_CODES; code++) {
        if (p[code] > 0.0) {
            int digits[MAX_T + 1], n = 0;
            for (int rest = code; rest > 1; rest /= 4)
                digits[MAX_T - n++] = rest % 4;
            text_of(text, digits + MAX_T + 1 - n, n);
            n_expected += isfinite(score_text(text, strict, &o));
        }
    }
    struct oto_beam *beam = create(K4, &exhaustive, language);
    const struct oto_hypothesis *hyps;
    int n = decode(beam, log_probs, T, exhaustive.beam, &hyps);
    assert_int_equal(n, n_expected);
    for (int j = 0; j < n; j++) {
        text_of(text, hyps[j].labels, hyps[j].n_labels);
        double expected =
            log(p[code_of(hyps[j].labels, hyps[j].n_labels)]) + score_text(text, strict, &o);
        if (!(fabs(hyps[j].log_prob - expected) <= 1e-9))
            fail_msg("case %d, \"%s\": %.12g, expected %.12g", (int)seed, text, hyps[j].log_prob,
                     expected);
        assert_true(j == 0 || hyps[j].log_prob <= hyps[j - 1].log_prob);
    }
    oto_beam_destroy(beam);
    oto_language_destroy(language);
}

static void equals_enumeration(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 300; i++) {
        check_enumeration(false, i);
        check_enumeration(true, i);
    }
}

/** Narrow beams: scores never above the exact ones, and the look-ahead is taken back in full. */
static void never_above_the_exact_score(void **state)
{
    (void)state;
    enum { T = 50 };
    int n_best_texts = 0;
    for (uint64_t i = 0; i < 200; i++) {
        float log_probs[T * K4];
        char text[T + 1];
        const struct oto_language_options options = random_options(i);
        const struct oto_beam_options o = {
            2 << (i % 6), (int)(i % 4), i % 3 ? -(double)INFINITY : -3.0, i % 5 ? 0.0 : 6.0, 0.0};
        struct oto_language *language = create_language(i % 2, &options);
        struct oto_beam *beam = create(K4, &o, language);
        const struct oto_hypothesis *hyps;
        ctc_random_log_probs(log_probs, T, K4, 4.0, 0.0, i);
        int n = decode(beam, log_probs, T, 10, &hyps);
        for (int j = 0; j < n; j++) {
            double exact =
                ctc_text_log_prob(log_probs, T, K4, hyps[j].labels, hyps[j].n_labels, SPACE);
            text_of(text, hyps[j].labels, hyps[j].n_labels);
            exact += score_text(text, i % 2, &options);
            if (!(hyps[j].log_prob <= exact + 1e-9))
                fail_msg("\"%s\": %.12g, exactly %.12g", text, hyps[j].log_prob, exact);
            n_best_texts += hyps[j].log_prob > exact - 0.5;
        }
        oto_beam_destroy(beam);
        oto_language_destroy(language);
    }
    assert_true(n_best_texts > 200); /* most paths of the best texts are kept */
}

static void portions_do_not_matter(void **state)
{
    (void)state;
    enum { T = 200 };
    static float log_probs[T * K4];
    static const struct oto_beam_options o = {12, 3, -8.0, 15.0, 0.0};
    static const struct oto_language_options options = {0.8, 0.5, -1.0, 0.0};
    struct oto_language *language = create_language(false, &options);
    struct oto_beam *whole = create(K4, &o, language), *parts = create(K4, &o, language);
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
            t += m;
        }
        assert_int_equal(decode(parts, NULL, 0, 20, &b), n);
        assert_same_hypotheses(a, b, n);
    }
    oto_beam_destroy(whole);
    oto_beam_destroy(parts);
    oto_language_destroy(language);
}

/** The network cannot tell "a" from "b"; the model can: log10 p is -2.80 for "a ba", -3.05 for
 * "a ab", less for all others. */
static void decides(void **state)
{
    (void)state;
    static const char frames[] = ".?.  .?..?"; /* one of a, b; word; two of them */
    float log_probs[sizeof frames * K4];
    char text[sizeof frames];
    const struct oto_hypothesis *hyps;
    for (int t = 0; frames[t]; t++)
        for (int k = 0; k < K4; k++) {
            bool likely = frames[t] == '.' ? k == 0 : frames[t] == ' ' ? k == SPACE : k > SPACE;
            log_probs[t * K4 + k] = likely ? -0.7f : -12.0f;
        }
    for (int strict = 0; strict < 2; strict++) {
        static const struct oto_language_options options = {1.0, 0.0, -3.0, 0.0};
        struct oto_language *language = create_language(strict, &options);
        struct oto_beam *beam = create(K4, &exhaustive, language);
        decode(beam, log_probs, (int)strlen(frames), 1, &hyps);
        text_of(text, hyps[0].labels, hyps[0].n_labels);
        assert_string_equal(text, "a ba");
        oto_beam_destroy(beam);
        oto_language_destroy(language);
    }
}

/* ---- errors ------------------------------------------------------------------------------ */

static void no_common_words(void **state)
{
    (void)state;
    static const char *const symbols[] = {"p", "q"};
    static const struct oto_text_policy policy = {OTO_CASE_KEEP, OTO_PUNCTUATION_KEEP};
    static const struct oto_language_options options = {1.0, 0.0, -3.0, 0.0};
    struct oto_alphabet *other;
    struct oto_language *language = (struct oto_language *)&options;
    oto_error err = {0};
    assert_int_equal(oto_alphabet_create(&other, symbols, 2, &policy, NULL), OTO_OK);
    assert_int_equal(oto_language_create(&language, NULL, lm, other, &options, &err), OTO_ERR_DATA);
    assert_null(language);
    assert_contains(err.message, "no words");
    oto_alphabet_destroy(other);
    oto_language_destroy(NULL);
}

static void failing_memory(void **state)
{
    (void)state;
    enum { T = 60 };
    float log_probs[T * K4];
    static const struct oto_beam_options o = {20, 0, -INFINITY, 0.0, 0.0};
    static const struct oto_language_options options = {0.8, 0.5, -1.0, 0.0};
    ctc_random_log_probs(log_probs, T, K4, 3.0, 0.0, 3);
    for (size_t nth = 1;; nth++) {
        struct oto_language *language = NULL;
        struct oto_beam *beam = NULL;
        const struct oto_hypothesis *hyps;
        int n_hyps;
        oto_mem_fail_nth(nth);
        oto_status status = oto_language_create(&language, NULL, lm, alphabet, &options, NULL);
        if (!status)
            status = oto_beam_create(&beam, K4, &o, NULL);
        if (!status)
            status = oto_beam_set_language(beam, language, NULL);
        for (int t = 0; !status && t < T; t++)
            status = oto_beam_push(beam, log_probs + t * K4, 1, NULL);
        if (!status)
            status = oto_beam_n_best(beam, 5, &hyps, &n_hyps, NULL);
        oto_mem_fail_nth(0);
        if (beam)
            decode(beam, log_probs, 1, 5, &hyps);
        oto_beam_destroy(beam);
        oto_language_destroy(language);
        if (!status) {
            assert_true(nth > 15);
            return;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_enumeration),     cmocka_unit_test(never_above_the_exact_score),
        cmocka_unit_test(portions_do_not_matter), cmocka_unit_test(decides),
        cmocka_unit_test(no_common_words),        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
