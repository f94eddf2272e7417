/* SPDX-License-Identifier: BSD-2-Clause */
/* Mixtures of language models. */
#include "unit.h"

#include <math.h>

#include "base/lines.h"
#include "base/mem.h"
#include "decoder/ngram_mix.h"
#include "near.h"
#include "toy_lm.h"

static const char other_arpa[] = "\\data\\\nngram 1=5\nngram 2=2\n\\1-grams:\n-99 <s> -0.1\n"
                                 "-0.5 </s>\n-0.6 <unk>\n-0.7 a -0.2\n-0.8 z -0.3\n"
                                 "\\2-grams:\n-0.1 a z\n-0.2 z a\n\\end\\\n";

static struct oto_ngram *read_model(const char *text)
{
    struct oto_lines *in = NULL;
    struct oto_ngram *m = NULL;
    assert_int_equal(oto_lines_open_memory(&in, text, strlen(text), "toy", NULL), OTO_OK);
    assert_int_equal(oto_ngram_read_arpa(&m, in, NULL), OTO_OK);
    oto_lines_close(in);
    return m;
}

static double p_of(const struct oto_ngram *m, const char *text)
{
    uint32_t words[OTO_LM_MAX_ORDER];
    char copy[100];
    int n = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        words[n] = oto_words_find(&m->words, word, strlen(word));
        words[n] = words[n] == OTO_WORDS_NONE ? OTO_LM_UNKNOWN : words[n];
        n++;
    }
    return pow(10, oto_ngram_log_p(m, words, n < m->order ? n : m->order));
}

static void listed_ngrams_are_mixed_exactly(void **unused)
{
    (void)unused;
    struct oto_ngram *models[] = {read_model(toy_arpa), read_model(other_arpa)}, *m = NULL;
    const double weights[] = {0.7, 0.3};
    assert_int_equal(oto_ngram_mix(&m, (const struct oto_ngram *const *)models, weights, 2, NULL),
                     OTO_OK);
    assert_int_equal(m->order, 3);
    assert_int_equal(m->words.n, 7);
    assert_int_equal(m->levels[1].n, 8);
    assert_int_equal(m->levels[2].n, 3);
    assert_near(p_of(m, "a"), 0.7 * pow(10, -0.7) + 0.3 * pow(10, -0.7), 1e-6);
    assert_near(p_of(m, "b"), 0.7 * pow(10, -0.8), 1e-6); /* the other has no b */
    assert_near(p_of(m, "z"), 0.3 * pow(10, -0.8), 1e-6);
    assert_near(p_of(m, "a z"), 0.3 * pow(10, -0.1), 1e-6);
    /* The first hears z as <unk>, which has an n-gram with a. */
    assert_near(p_of(m, "z a"), 0.7 * pow(10, -0.5) + 0.3 * pow(10, -0.2), 1e-6);
    assert_near(p_of(m, "<s> a"), 0.7 * pow(10, -0.4) + 0.3 * pow(10, -0.1 - 0.7), 1e-6);
    oto_ngram_destroy(m);
    oto_ngram_destroy(models[0]);
    oto_ngram_destroy(models[1]);
}

/* Of two models that each know one of two words, the weights are the words' shares. */
static void weights_are_shares(void **unused)
{
    (void)unused;
    double p[400], weights[2];
    for (int t = 0; t < 200; t++) {
        p[2 * t] = t < 50 ? 0.5 : 0;
        p[2 * t + 1] = t < 50 ? 0 : 0.25;
    }
    double perplexity = oto_ngram_mix_weights(weights, p, 200, 2);
    assert_near(weights[0], 0.25, 1e-9);
    assert_near(weights[1], 0.75, 1e-9);
    assert_near(perplexity, exp(-(0.25 * log(0.25 * 0.5) + 0.75 * log(0.75 * 0.25))), 1e-9);
}

/* No other pair of weights does better. */
static void weights_are_best(void **unused)
{
    (void)unused;
    double p[600], weights[3], best = 0;
    for (int t = 0; t < 200; t++) {
        p[3 * t] = 0.1 + 0.3 * (t % 7);
        p[3 * t + 1] = 0.2 + 0.2 * (t % 5);
        p[3 * t + 2] = 0.9 - 0.4 * (t % 3);
    }
    double perplexity = oto_ngram_mix_weights(weights, p, 200, 3);
    assert_near(weights[0] + weights[1] + weights[2], 1, 1e-12);
    for (int i = 0; i <= 20; i++) {
        for (int j = 0; i + j <= 20; j++) {
            double log_p = 0;
            for (int t = 0; t < 200; t++)
                log_p += log((i * p[3 * t] + j * p[3 * t + 1] + (20 - i - j) * p[3 * t + 2]) / 20);
            best = fmax(best, exp(log_p / 200));
        }
    }
    assert_true(1 / perplexity >= best * (1 - 1e-4));
}

static void failing_allocations(void **unused)
{
    (void)unused;
    struct oto_ngram *models[] = {read_model(toy_arpa), read_model(other_arpa)}, *m = NULL;
    const double weights[] = {0.5, 0.5};
    oto_mem_fail_nth(0);
    assert_int_equal(oto_ngram_mix(&m, (const struct oto_ngram *const *)models, weights, 2, NULL),
                     OTO_OK);
    oto_ngram_destroy(m);
    size_t n = oto_mem_fail_nth(0);
    assert_true(n > 20);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(
            oto_ngram_mix(&m, (const struct oto_ngram *const *)models, weights, 2, NULL),
            OTO_ERR_MEMORY);
        assert_null(m);
    }
    oto_mem_fail_nth(0);
    oto_ngram_destroy(models[0]);
    oto_ngram_destroy(models[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_ngrams_are_mixed_exactly),
        cmocka_unit_test(weights_are_shares),
        cmocka_unit_test(weights_are_best),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
