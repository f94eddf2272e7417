/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "api/rescore.h"
#include "tiny_lstm.h"

/* "rat" is in the n-grams alone, "dog" and "mat" in the LSTM alone; nobody knows "zebra". */
static const char arpa[] = "\\data\\\n"
                           "ngram 1=8\n"
                           "ngram 2=2\n"
                           "\n"
                           "\\1-grams:\n"
                           "-99\t<s>\t-0.3\n"
                           "-1.1\t</s>\n"
                           "-2.1\t<unk>\n"
                           "-0.8\tthe\t-0.2\n"
                           "-1.3\tcat\t-0.4\n"
                           "-1.5\tsat\n"
                           "-1.2\ton\n"
                           "-1.9\trat\n"
                           "\n"
                           "\\2-grams:\n"
                           "-0.4\t<s> the\n"
                           "-0.5\tthe cat\n"
                           "\n"
                           "\\end\\\n";
static const char *const texts[] = {
    "the cat sat", "the rat sat on the mat", "the dog", "cat zebra cat", "", "the cat sat on"};
enum { N_TEXTS = 6 };
static const double ln_10 = 2.302585092994045684;

struct fixture {
    struct oto_alphabet *alphabet;
    struct oto_lm *lm;
    struct oto_lstm_lm *lstm;
    struct oto_hypothesis hyps[N_TEXTS];
    int *labels[N_TEXTS];
    struct oto_rescore_setup setup;
};

static void set_up(struct fixture *f)
{
    static const struct oto_text_policy policy = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
    const char *symbols[28];
    char letters[26][2], folder[64], path[96];
    for (int i = 0; i < 26; i++) {
        letters[i][0] = (char)('a' + i);
        letters[i][1] = 0;
        symbols[i] = letters[i];
    }
    symbols[26] = " ";
    symbols[27] = "ë";
    *f = (struct fixture){.lstm = tiny_lstm(1)};
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/toy.arpa", folder);
    unit_write_file(path, arpa, sizeof arpa - 1);
    assert_int_equal(oto_lm_open(&f->lm, path, NULL), OTO_OK);
    unit_remove_folder(folder);
    assert_int_equal(oto_alphabet_create(&f->alphabet, symbols, 28, &policy, NULL), OTO_OK);
    for (int k = 0; k < N_TEXTS; k++) {
        int n = 0, n_unknown = 0;
        assert_int_equal(oto_alphabet_encode(f->alphabet, texts[k], &f->labels[k], &n, &n_unknown,
                                             NULL, NULL, NULL),
                         OTO_OK);
        f->hyps[k] = (struct oto_hypothesis){
            .labels = f->labels[k], .n_labels = n, .log_prob = -10 - 0.01 * k};
    }
    f->setup = (struct oto_rescore_setup){.lstm = f->lstm,
                                          .lm = f->lm,
                                          .alphabet = f->alphabet,
                                          .weights = {0.7, 1.5, -2},
                                          .weight = 0.4,
                                          .n_best = N_TEXTS};
}

static void tear_down(struct fixture *f)
{
    for (int k = 0; k < N_TEXTS; k++)
        oto_free(f->labels[k]);
    oto_alphabet_destroy(f->alphabet);
    oto_lm_close(f->lm);
    oto_lstm_lm_destroy(f->lstm);
}

/* Score of text k by the formula of rescore.h, from the two models alone. */
static double expected(const struct fixture *f, int k)
{
    struct oto_lstm_scorer *scorer = NULL;
    struct oto_lm_state state;
    double log_probs[16], sum = 0;
    double *const to[] = {log_probs};
    char copy[64], *word, *rest = copy;
    int numbers[16], n = 0;
    double ngram[16];
    if (f->setup.lm != NULL)
        oto_lm_start(f->lm, &state);
    snprintf(copy, sizeof copy, "%s", texts[k]);
    for (; (word = strtok_r(rest, " ", &rest)) != NULL; n++) {
        numbers[n] = oto_lstm_lm_find(f->lstm, word, strlen(word));
        const uint32_t number = oto_lm_find(f->lm, word, strlen(word));
        if (f->setup.lm != NULL)
            ngram[n] = oto_lm_score(f->lm, &state, &state, number, NULL) * ln_10;
        if (number == OTO_LM_UNKNOWN)
            ngram[n] = 1; /* no logarithm of a probability */
    }
    if (f->setup.lm != NULL)
        ngram[n] = oto_lm_score(f->lm, &state, &state, oto_lm_end_of_sentence(f->lm), NULL) * ln_10;
    const struct oto_word_sentence s = {numbers, n};
    assert_int_equal(oto_lstm_scorer_create(&scorer, f->lstm, NULL), OTO_OK);
    assert_int_equal(oto_lstm_scorer_run(scorer, to, &s, 1, NULL), OTO_OK);
    oto_lstm_scorer_destroy(scorer);
    for (int t = 0; t <= n; t++) {
        if (f->setup.lm == NULL)
            sum += f->setup.weights.lm_weight * log_probs[t] +
                   (t < n ? f->setup.weights.word_bonus : 0);
        else if (ngram[t] <= 0 && (t == n || numbers[t] != OTO_LSTM_UNKNOWN))
            sum += f->setup.weights.lm_weight * (log_probs[t] - ngram[t]);
    }
    return f->hyps[k].log_prob + f->setup.weight * sum;
}

/* Number of a text by its labels, which stay the beam's. */
static int text_of(const struct fixture *f, const struct oto_hypothesis *h)
{
    for (int k = 0; k < N_TEXTS; k++)
        if (h->labels == f->hyps[k].labels && h->n_labels == f->hyps[k].n_labels)
            return k;
    fail_msg("a text that was not given");
    return -1;
}

static void check(struct fixture *f)
{
    struct oto_rescorer *r = NULL;
    assert_int_equal(oto_rescorer_create(&r, &f->setup, NULL), OTO_OK);
    for (int round = 0; round < 2; round++) { /* the second time in memory that is there */
        const struct oto_hypothesis *hyps = f->hyps;
        int n = N_TEXTS, seen = 0;
        assert_int_equal(oto_rescorer_run(r, &hyps, &n, NULL), OTO_OK);
        assert_int_equal(n, f->setup.n_best < N_TEXTS ? f->setup.n_best : N_TEXTS);
        for (int i = 0; i < n; i++) {
            const int k = text_of(f, &hyps[i]);
            seen |= 1 << k;
            assert_true(fabs(hyps[i].log_prob - expected(f, k)) < 1e-4);
            assert_true(i == 0 || hyps[i].log_prob <= hyps[i - 1].log_prob);
        }
        assert_int_equal(seen, (1 << n) - 1); /* the first ones, each once */
    }
    oto_rescorer_destroy(r);
}

static void scores_and_order(void **state)
{
    struct fixture f;
    (void)state;
    set_up(&f);
    check(&f);
    f.setup.weight = 1;
    check(&f);
    f.setup.n_best = 3;
    check(&f);
    f.setup.n_best = 100;
    check(&f);
    tear_down(&f);
}

static void without_n_grams(void **state)
{
    struct fixture f;
    (void)state;
    set_up(&f);
    f.setup.lm = NULL;
    check(&f);
    tear_down(&f);
}

/* Nothing changes, not even by rounding; equal scores stay in their order. */
static void weight_zero(void **state)
{
    struct fixture f;
    struct oto_rescorer *r = NULL;
    (void)state;
    set_up(&f);
    f.hyps[3].log_prob = f.hyps[2].log_prob;
    assert_int_equal(oto_rescorer_create(&r, &f.setup, NULL), OTO_OK);
    oto_rescorer_set_weights(r, &f.setup.weights, 0);
    const struct oto_hypothesis *hyps = f.hyps;
    int n = N_TEXTS;
    assert_int_equal(oto_rescorer_run(r, &hyps, &n, NULL), OTO_OK);
    for (int k = 0; k < N_TEXTS; k++) {
        assert_ptr_equal(hyps[k].labels, f.hyps[k].labels);
        assert_true(hyps[k].log_prob == f.hyps[k].log_prob);
    }
    oto_rescorer_destroy(r);
    tear_down(&f);
}

static oto_status whole(const struct fixture *f)
{
    struct oto_rescorer *r = NULL;
    const struct oto_hypothesis *hyps = f->hyps;
    int n = N_TEXTS;
    oto_status status = oto_rescorer_create(&r, &f->setup, NULL);
    if (status == OTO_OK)
        status = oto_rescorer_run(r, &hyps, &n, NULL);
    oto_rescorer_destroy(r);
    return status;
}

static void failing_allocations(void **state)
{
    struct fixture f;
    (void)state;
    set_up(&f);
    oto_mem_fail_nth(0);
    assert_int_equal(whole(&f), OTO_OK);
    const size_t n = oto_mem_fail_nth(0);
    assert_in_range(n, 10, 1000);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(whole(&f), OTO_ERR_MEMORY);
    }
    oto_mem_fail_nth(0);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_and_order),
        cmocka_unit_test(without_n_grams),
        cmocka_unit_test(weight_zero),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
