/* SPDX-License-Identifier: BSD-2-Clause */
/* Hot words and added words in the beam search: every text of small cases scored by definition. */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "beam_words.h"
#include "ctc_brute.h"
#include "ctc_text.h"
#include "decoder/beam.h"

static const char arpa[] =
    "\\data\\\nngram 1=5\nngram 2=3\n\n\\1-grams:\n-1.2\t<unk>\n-99\t<s>\t-0.4\n"
    "-1.1\t</s>\n-0.5\ta\t-0.3\n-0.9\tab\t-0.2\n\n\\2-grams:\n-0.2\t<s> ab\n"
    "-0.6\ta ab\n-0.3\tab a\n\n\\end\\\n";

enum { MAX_T = 7, K4 = 4, SPACE = 1, N_PARTS = 4 };
static const struct oto_beam_options exhaustive = {40000, 0, -INFINITY, 0.0, 0.0};
static struct oto_alphabet *alphabet; /* space a b */
static struct oto_lm *lm;
static struct oto_lexicon *lexicon; /* a, ba */
static struct oto_word_list phrases, words;
static struct oto_boost *boost;

struct listed {
    const char *text;
    double value;
};

/* "a b" goes on from what "a" alone is; "b" ends what "a b" is; "b" may not be written everywhere.
 */
static const struct listed hot[] = {{"a", 0.5},   {"ab a", 2.5}, {"a b", 1.75},
                                    {"b", -0.75}, {"bb", 3.0},   {"ba bb", 1.0}};
static const struct listed added[] = {{"b", -2.0}, {"bb", -0.5}, {"a", -7.0}};

static void fill(struct oto_word_list *list, const struct listed *items, size_t n, bool many)
{
    const struct oto_word_list_rules rules = {alphabet, many, 0, -20, 20};
    for (size_t i = 0; i < n; i++)
        assert_int_equal(
            oto_word_list_add(list, items[i].text, items[i].value, &rules, "list", NULL), OTO_OK);
    oto_word_list_sort(list);
}

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
        oto_lexicon_parse(&lexicon, "a\nba\n", 5, "words", alphabet, &err) != OTO_OK)
        fail_msg("%s", err.message);
    unit_remove_folder(folder);
    fill(&phrases, hot, sizeof hot / sizeof *hot, true);
    fill(&words, added, sizeof added / sizeof *added, false);
    assert_int_equal(oto_boost_create(&boost, &phrases, alphabet, &err), OTO_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    oto_boost_destroy(boost);
    oto_word_list_clear(&phrases);
    oto_word_list_clear(&words);
    oto_lexicon_destroy(lexicon);
    oto_lm_close(lm);
    oto_alphabet_destroy(alphabet);
    return 0;
}

/* ---- by definition ------------------------------------------------------------------------ */

/** What the hot phrases in a text are worth: each occurrence that begins and ends with words. */
static double boost_of(const char *text)
{
    double sum = 0.0;
    for (size_t i = 0; i < sizeof hot / sizeof *hot; i++) {
        const size_t n = strlen(hot[i].text);
        for (const char *s = text; (s = strstr(s, hot[i].text)) != NULL; s++)
            if ((s == text || s[-1] == ' ') && (s[n] == ' ' || s[n] == '\0'))
                sum += hot[i].value;
    }
    return sum;
}

static bool is_listed(const char *word, size_t n, const struct listed *items, size_t m,
                      double *value)
{
    for (size_t i = 0; i < m; i++)
        if (strlen(items[i].text) == n && memcmp(items[i].text, word, n) == 0) {
            *value = items[i].value;
            return true;
        }
    return false;
}

/** Score of a text word by word; -inf where a lexicon forbids one. */
static double score_text(const char *text, const struct oto_language_parts *parts,
                         const struct oto_language_options *o)
{
    struct oto_lm_state state;
    double score = parts->boost ? boost_of(text) : 0.0, log10_p = 0.0;
    oto_lm_start(lm, &state);
    while (*text) {
        size_t n = strcspn(text, " ");
        uint32_t word = oto_lm_find(lm, text, n);
        double share = 0.0;
        bool in_list =
            parts->words && is_listed(text, n, added, sizeof added / sizeof *added, &share);
        bool in_lexicon =
            (n == 1 && text[0] == 'a') || (n == 2 && memcmp(text, "ba", 2) == 0) || in_list;
        if (parts->lexicon && !in_lexicon)
            return -(double)INFINITY;
        log10_p += oto_lm_score(lm, &state, &state, word, NULL);
        score += parts->lm ? o->word_bonus : 0.0;
        if (parts->lm && word == OTO_LM_UNKNOWN)
            score += in_list ? o->lm_weight * share : o->unknown_weight * (double)n;
        text += n;
        text += *text == ' ';
    }
    log10_p += oto_lm_score(lm, &state, &state, oto_lm_end_of_sentence(lm), NULL);
    return score + (parts->lm ? o->lm_weight * log(10.0) * log10_p : 0.0);
}

static struct oto_language_parts make_parts(int i)
{
    const struct oto_language_parts all[N_PARTS] = {
        {.lm = lm, .boost = boost, .words = &words},
        {.lexicon = lexicon, .lm = lm, .boost = boost, .words = &words},
        {.lexicon = lexicon, .boost = boost},
        {.boost = boost, .words = &words}};
    return all[i % N_PARTS];
}

static struct oto_language *create_language(const struct oto_language_parts *parts,
                                            const struct oto_language_options *o)
{
    struct oto_language *language = NULL;
    oto_error err = {0};
    if (oto_language_create_from(&language, parts, alphabet, o, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return language;
}

static struct oto_language_options random_options(uint64_t seed)
{
    return (struct oto_language_options){.lm_weight = 1.5 * oto_rng_uniform(seed, 50, 0),
                                         .word_bonus = 4.0 * oto_rng_uniform(seed, 50, 1) - 2.0,
                                         .unknown_weight = -2.0 * oto_rng_uniform(seed, 50, 2)};
}

static void text_of(char *text, const int *labels, int n)
{
    for (int i = 0; i < n; i++)
        text[i] = alphabet->symbols[labels[i]][0];
    text[n] = '\0';
}

/** Everything that a search without pruning finds is worth what the definition says, and nothing
 * that is worth more is missing. */
static void equals_definition(void **state)
{
    (void)state;
    int n_boosted = 0;
    for (uint64_t i = 0; i < 160; i++) {
        const int T = 1 + (int)(i % MAX_T);
        float log_probs[MAX_T * K4];
        char text[MAX_T + 1];
        const struct oto_language_options o = random_options(i);
        const struct oto_language_parts parts = make_parts((int)(i / MAX_T));
        struct oto_language *language = create_language(&parts, &o);
        struct oto_beam *beam = create(K4, &exhaustive, language);
        const struct oto_hypothesis *hyps;
        ctc_random_log_probs(log_probs, T, K4, 0.5 * (double)(1 + i % 5), 0.0, i);
        const int n = decode(beam, log_probs, T, exhaustive.beam, &hyps);
        for (int j = 0; j < n; j++) {
            text_of(text, hyps[j].labels, hyps[j].n_labels);
            const double expected =
                ctc_text_log_prob(log_probs, T, K4, hyps[j].labels, hyps[j].n_labels, SPACE) +
                score_text(text, &parts, &o);
            n_boosted += fabs(boost_of(text)) > 0;
            if (!(fabs(hyps[j].log_prob - expected) <= 1e-9))
                fail_msg("case %d, \"%s\": %.12g, expected %.12g", (int)i, text, hyps[j].log_prob,
                         expected);
        }
        oto_beam_destroy(beam);
        oto_language_destroy(language);
    }
    assert_true(n_boosted > 1000);
}

/** What an abandoned phrase had is given back, also in narrow beams. */
static void never_above_the_exact_score(void **state)
{
    (void)state;
    enum { T = 50 };
    int n_near = 0;
    for (uint64_t i = 0; i < 200; i++) {
        float log_probs[T * K4];
        char text[T + 1];
        const struct oto_language_options o = random_options(i);
        const struct oto_language_parts parts = make_parts((int)i);
        const struct oto_beam_options narrow = {2 << (i % 6), (int)(i % 3 ? 0 : 3),
                                                i % 3 ? -(double)INFINITY : -3.0, i % 5 ? 0.0 : 6.0,
                                                0.0};
        struct oto_language *language = create_language(&parts, &o);
        struct oto_beam *beam = create(K4, &narrow, language);
        const struct oto_hypothesis *hyps;
        ctc_random_log_probs(log_probs, T, K4, 4.0, 0.0, i);
        const int n = decode(beam, log_probs, T, 10, &hyps);
        for (int j = 0; j < n; j++) {
            text_of(text, hyps[j].labels, hyps[j].n_labels);
            const double exact =
                ctc_text_log_prob(log_probs, T, K4, hyps[j].labels, hyps[j].n_labels, SPACE) +
                score_text(text, &parts, &o);
            if (!(hyps[j].log_prob <= exact + 1e-9))
                fail_msg("\"%s\": %.12g, exactly %.12g", text, hyps[j].log_prob, exact);
            n_near += hyps[j].log_prob > exact - 0.5;
        }
        oto_beam_destroy(beam);
        oto_language_destroy(language);
    }
    assert_true(n_near > 200);
}

/** No step may rise by more than the search was told, or it would leave out what it should not. */
static void gains_are_bounds(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 400; i++) {
        const struct oto_language_options o = random_options(i);
        const struct oto_language_parts parts = make_parts((int)i);
        struct oto_language *language = create_language(&parts, &o);
        struct oto_context c, next;
        oto_context_start(language, &c);
        for (uint64_t step = 0; step < 12; step++) {
            const double gain = c.gain, space_gain = c.space_gain;
            const int32_t chosen = 1 + (int32_t)oto_rng_below(i, 1, step, K4 - 1);
            bool moved = false;
            for (int32_t label = 1; label < K4; label++) {
                double score;
                int32_t place;
                if (!oto_context_step(language, &c, label, &score, &place))
                    continue;
                assert_true(score - c.score <= (label == SPACE ? space_gain : gain) + 1e-12);
                if (label != chosen)
                    continue;
                oto_context_enter(language, &next, &c, label, score, place);
                moved = true;
            }
            if (moved)
                c = next;
        }
        oto_language_destroy(language);
    }
}

/** The network cannot tell "a" from "b". Without hot words the language model can; with a phrase of
 * words that it does not know, that is written. */
static void hot_words_decide(void **state)
{
    (void)state;
    static const char frames[] = ".?.?.  .?.."; /* two letters; one */
    static const struct listed one[] = {{"bb b", 12.0}}, both[] = {{"b", -1.0}, {"bb", -1.0}};
    static const struct oto_language_options o = {1.0, 0.0, -3.0, 0.0};
    float log_probs[sizeof frames * K4];
    char text[sizeof frames];
    const struct oto_hypothesis *hyps;
    struct oto_word_list phrase = {0}, its_words = {0};
    struct oto_boost *own = NULL;
    fill(&phrase, one, 1, true);
    fill(&its_words, both, 2, false);
    assert_int_equal(oto_boost_create(&own, &phrase, alphabet, NULL), OTO_OK);
    for (int t = 0; frames[t]; t++)
        for (int k = 0; k < K4; k++) {
            bool likely = frames[t] == '.' ? k == 0 : frames[t] == ' ' ? k == SPACE : k > SPACE;
            log_probs[t * K4 + k] = likely ? -0.7f : -12.0f;
        }
    for (int with = 0; with < 2; with++) {
        const struct oto_language_parts parts = {
            .lm = lm, .boost = with ? own : NULL, .words = with ? &its_words : NULL};
        struct oto_language *language = create_language(&parts, &o);
        struct oto_beam *beam = create(K4, &exhaustive, language);
        decode(beam, log_probs, (int)strlen(frames), 1, &hyps);
        text_of(text, hyps[0].labels, hyps[0].n_labels);
        assert_string_equal(text, with ? "bb b" : "ab a");
        oto_beam_destroy(beam);
        oto_language_destroy(language);
    }
    oto_boost_destroy(own);
    oto_word_list_clear(&phrase);
    oto_word_list_clear(&its_words);
}

static void errors(void **state)
{
    (void)state;
    static const struct oto_language_options o = {1.0, 0.0, -3.0, 0.0};
    const struct oto_language_parts nothing = {.boost = boost};
    struct oto_language *language = NULL;
    oto_error err = {0};
    assert_int_equal(oto_language_create_from(&language, &nothing, alphabet, &o, &err),
                     OTO_ERR_ARGUMENT);
    assert_null(language);
    for (size_t nth = 1;; nth++) {
        struct oto_boost *own = NULL;
        oto_mem_fail_nth(nth);
        oto_status status = oto_boost_create(&own, &phrases, alphabet, &err);
        const struct oto_language_parts parts = {.lm = lm, .boost = own, .words = &words};
        if (status == OTO_OK)
            status = oto_language_create_from(&language, &parts, alphabet, &o, &err);
        oto_mem_fail_nth(0);
        oto_language_destroy(language);
        language = NULL;
        oto_boost_destroy(own);
        if (status == OTO_OK) {
            assert_true(nth > 20);
            return;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_definition),
        cmocka_unit_test(never_above_the_exact_score),
        cmocka_unit_test(gains_are_bounds),
        cmocka_unit_test(hot_words_decide),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
