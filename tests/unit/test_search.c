/* SPDX-License-Identifier: BSD-2-Clause */
/* What a recogniser's search gives where a grammar is kept to: a sentence wherever something is
 * heard. */
#include "api/search.h"

#include <math.h>

#include "base/mem.h"
#include "tiny_model.h"
#include "unit.h"

enum { K = 9, MAX_T = 64 };

static struct tiny_model tiny; /* space ' a b c d e and e with an accent */
static char folder[64];

static int set_up(void **state)
{
    (void)state;
    unit_make_folder(folder);
    return tiny_model_init(&tiny, 3, NULL) == OTO_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tiny_model_clear(&tiny);
    unit_remove_folder(folder);
    return 0;
}

/** rules NULL: without a grammar. */
static oto_status init(struct oto_search *search, const char *rules, int beam)
{
    char path[96];
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.beam = beam;
    snprintf(path, sizeof path, "%s/rules.gram", folder);
    if (rules != NULL) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "#JSGF V1.0;\ngrammar g;\npublic <s> = %s;\n", rules);
        assert_int_equal(fclose(f), 0);
        options.grammar = path;
    }
    return oto_search_init(search, &tiny.bundle, &options, NULL, NULL);
}

/** Peaks that spell frames, '.' the blank; all else is rest below them. */
static int spell(float *log_probs, const char *frames, float rest)
{
    int t = 0;
    for (; frames[t] != '\0'; t++) {
        const int peak = frames[t] == '.' ? 0 : oto_alphabet_find(tiny.bundle.alphabet, frames[t]);
        for (int k = 0; k < K; k++)
            log_probs[t * K + k] = k == peak ? -0.01f : rest;
    }
    return t;
}

static oto_status search_frames(struct oto_search *search, const char *frames, float rest, int n,
                                const struct oto_hypothesis **hyps, int *n_hyps)
{
    float log_probs[MAX_T * K];
    const int n_frames = spell(log_probs, frames, rest);
    oto_beam_reset(search->beam);
    oto_status status = oto_beam_push(search->beam, log_probs, (size_t)n_frames, NULL);
    if (status == OTO_OK)
        status = oto_search_n_best(search, n, hyps, n_hyps, log_probs, (size_t)n_frames, NULL);
    return status;
}

static void text_of(char *text, const struct oto_hypothesis *h)
{
    for (int i = 0; i < h->n_labels; i++)
        text[i] = tiny.bundle.alphabet->symbols[h->labels[i]][0];
    text[h->n_labels] = '\0';
}

struct test_case {
    const char *rules, *frames;
    float rest;
    const char *texts; /* with a / behind each; others are empty */
};

static void check(const struct test_case *c, int beam, int n)
{
    struct oto_search search;
    const struct oto_hypothesis *hyps = NULL;
    int n_hyps = 0;
    char text[MAX_T + 1], texts[1000] = "";
    assert_int_equal(init(&search, c->rules, beam), OTO_OK);
    assert_int_equal(search_frames(&search, c->frames, c->rest, n, &hyps, &n_hyps), OTO_OK);
    assert_in_range(n_hyps, 1, n);
    for (int i = 0; i < n_hyps; i++) {
        text_of(text, &hyps[i]);
        snprintf(texts + strlen(texts), sizeof texts - strlen(texts), "%s/", text);
        assert_true(i < 2 || hyps[i].log_prob <= hyps[i - 1].log_prob);
        assert_true(i == 0 || hyps[i].log_prob <= hyps[i - 1].log_prob || hyps[i].n_labels == 0);
    }
    if (strncmp(texts, c->texts, n == 1 ? strcspn(c->texts, "/") + 1 : sizeof texts) != 0)
        fail_msg("%s: \"%s\" by a beam of %d: %s, expected %s", c->rules ? c->rules : "none",
                 c->frames, beam, texts, c->texts);
    oto_search_clear(&search);
}

static void first_texts(void **state)
{
    (void)state;
    static const struct test_case cases[] = {
        {"bad | cab", "...............", -9.0f, "/"},     /* nothing is heard */
        {"bad | cab", "...  ....   ...", -9.0f, "/"},     /* spaces are nothing */
        {"bad | cab", "......b........", -9.0f, "bad//"}, /* however little it is */
        {"bad | cab", ".....e..d......", -9.0f, "bad//"}, /* and whatever */
        {"bad | cab", "be", -9.0f, "/"},                  /* no room for it */
        {"bad | cab", "..c...a..b.....", -9.0f, "cab/"},  /* all of it: nothing else is left */
        {"[bad | cab]", "......b........", -9.0f, "/"},   /* the empty text is a sentence */
        {"bad bad | cab", "..c......b.....", -9.0f, "cab//"},
        {"bad bad | cab", "..b.a..d..b.a..d", -9.0f, "bad bad//"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(&cases[i], 1, 2);
        check(&cases[i], 1, 1);
    }
}

/** What the beam has itself need not be looked for: it goes to the front, the rest stays in order.
 */
static void sentences_of_the_beam(void **state)
{
    (void)state;
    struct oto_search search;
    const struct oto_hypothesis *hyps = NULL;
    int n_hyps = 0;
    assert_int_equal(init(&search, "ca | cb | cd", 200), OTO_OK);
    assert_int_equal(search_frames(&search, "...c", -3.0f, 10, &hyps, &n_hyps), OTO_OK);
    assert_int_equal(n_hyps, 4);
    for (int i = 0; i < n_hyps; i++)
        assert_int_equal(hyps[i].n_labels, i == 1 ? 0 : 2);
    for (int i = 1; i < n_hyps; i++)
        assert_true(i == 1 ? hyps[i].log_prob > hyps[0].log_prob
                           : hyps[i].log_prob <= hyps[0].log_prob);
    assert_null(search.sentences);
    oto_search_clear(&search);
}

static void without_a_grammar(void **state)
{
    (void)state;
    static const struct test_case c = {NULL, "..b...a....d...", -9.0f, "bad/"};
    check(&c, 8, 1);
}

static void failing_memory(void **state)
{
    (void)state;
    size_t nth = 1;
    for (oto_status status = OTO_ERR_MEMORY; status != OTO_OK; nth++) {
        struct oto_search search;
        const struct oto_hypothesis *hyps = NULL;
        int n_hyps = 0;
        oto_mem_fail_nth(nth);
        status = init(&search, "bad | cab", 2);
        if (status == OTO_OK)
            status = search_frames(&search, "......b........", -9.0f, 2, &hyps, &n_hyps);
        oto_mem_fail_nth(0);
        assert_true(status == OTO_OK || status == OTO_ERR_MEMORY);
        if (search.texts != NULL) { /* it goes on */
            assert_int_equal(search_frames(&search, "...b...", -9.0f, 2, &hyps, &n_hyps), OTO_OK);
            assert_int_equal(n_hyps, 2);
            for (int i = 0; i < n_hyps; i++)
                assert_int_equal(hyps[i].n_labels, i == 0 ? 3 : 0);
        }
        oto_search_clear(&search);
    }
    assert_true(nth > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_texts),
        cmocka_unit_test(sentences_of_the_beam),
        cmocka_unit_test(without_a_grammar),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
