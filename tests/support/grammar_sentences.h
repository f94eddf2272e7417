/* SPDX-License-Identifier: BSD-2-Clause */
/** Grammars over the letters a, b and c as searches keep to them, and the probability of every text
 * of a few frames by enumeration of all paths. */
#ifndef OTO_TESTS_GRAMMAR_SENTENCES_H
#define OTO_TESTS_GRAMMAR_SENTENCES_H

#include <math.h>

#include "decoder/language.h"
#include "grammar_cases.h"
#include "unit.h"

enum { MAX_T = 6, K5 = 5, N_CODES = 5 * 5 * 5 * 5 * 5 * 5 * 2 };

static struct oto_alphabet *alphabet; /* space a b c */

static inline int set_up(void **state)
{
    (void)state;
    static const char *const symbols[] = {" ", "a", "b", "c"};
    static const struct oto_text_policy policy = {OTO_CASE_KEEP, OTO_PUNCTUATION_KEEP};
    assert_int_equal(oto_alphabet_create(&alphabet, symbols, 4, &policy, NULL), OTO_OK);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    oto_alphabet_destroy(alphabet);
    return 0;
}

struct sentences {
    struct oto_grammar *grammar;
    struct oto_language *language;
    regex_t regex;
};

static inline struct sentences parse(const char *rules, const char *regex)
{
    struct sentences s = {.grammar = grammar_parse(rules, alphabet)};
    assert_int_equal(oto_language_create_of_grammar(&s.language, s.grammar, NULL), OTO_OK);
    s.regex = grammar_regex(regex);
    return s;
}

static inline void release(struct sentences *s)
{
    regfree(&s->regex);
    oto_language_destroy(s->language);
    oto_grammar_destroy(s->grammar);
}

static inline void text_of(char *text, const int *labels, int n)
{
    for (int i = 0; i < n; i++)
        text[i] = alphabet->symbols[labels[i]][0];
    text[n] = '\0';
}

/** Clear peaks that spell text; a low floor elsewhere. */
static inline void spell(float *log_probs, const char *text)
{
    for (int t = 0; text[t]; t++) {
        const int peak = text[t] == '.' ? 0 : oto_alphabet_find(alphabet, text[t]);
        for (int k = 0; k < K5; k++)
            log_probs[t * K5 + k] = k == peak ? -0.01f : -6.0f - 0.1f * (float)k;
    }
}

/* ---- enumeration ------------------------------------------------------------------------- */

/** Digits in base 5 behind a leading 1; spaces at the ends and next to one another are left out. */
static inline int code_of(const int *labels, int n)
{
    int code = 1;
    bool space = false;
    for (int i = 0; i < n; i++) {
        if (labels[i] == alphabet->space) {
            space = code > 1;
            continue;
        }
        code = (space ? code * K5 + alphabet->space : code) * K5 + labels[i];
        space = false;
    }
    return code;
}

static inline void text_of_code(char *text, int code)
{
    int labels[MAX_T + 1], reversed[MAX_T + 1], n = 0;
    for (; code > 1; code /= K5)
        reversed[n++] = code % K5;
    for (int i = 0; i < n; i++)
        labels[i] = reversed[n - 1 - i];
    text_of(text, labels, n);
}

/** Probability of each text over all 5^T paths, and of the likeliest of them. */
static inline void enumerate(double *p, double *p_best, const float *log_probs, int T)
{
    int n_paths = 1;
    memset(p, 0, N_CODES * sizeof *p);
    memset(p_best, 0, N_CODES * sizeof *p_best);
    for (int t = 0; t < T; t++)
        n_paths *= K5;
    for (int i = 0; i < n_paths; i++) {
        int labels[MAX_T], n = 0, previous = 0;
        double log_p = 0.0;
        for (int t = 0, rest = i; t < T; t++, rest /= K5) {
            const int k = rest % K5;
            log_p += (double)log_probs[t * K5 + k];
            if (k != 0 && k != previous)
                labels[n++] = k;
            previous = k;
        }
        const int code = code_of(labels, n);
        p[code] += exp(log_p);
        p_best[code] = fmax(p_best[code], exp(log_p));
    }
}

/* ---- priors ------------------------------------------------------------------------------ */

static inline double no_prior(const char *text)
{
    (void)text;
    return 0.0;
}

/** Of (/3/ a | /1/ b)+ [c]. */
static inline double letters_prior(const char *text)
{
    double sum = 0.0;
    for (; *text; text++)
        sum += *text == 'a' ? log(0.75) : *text == 'b' ? log(0.25) : 0.0;
    return sum;
}

#endif
