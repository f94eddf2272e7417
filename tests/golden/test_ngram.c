/* SPDX-License-Identifier: BSD-2-Clause */
/* Language models against kenlm's probabilities and against an estimate that is written from the
 * definition alone (make_ngram.py). */
#include "unit.h"

#include "base/lines.h"
#include "base/mem.h"
#include "decoder/ngram_build.h"
#include "near.h"

static void open_data(struct oto_lines **in, const char *name)
{
    char path[400];
    oto_error err = {0};
    snprintf(path, sizeof path, OTO_TEST_DATA "/%s", name);
    assert_int_equal(oto_lines_open(in, path, &err), OTO_OK);
}

static struct oto_ngram *read_model(const char *name)
{
    struct oto_lines *in;
    struct oto_ngram *m = NULL;
    oto_error err = {0};
    open_data(&in, name);
    assert_int_equal(oto_ngram_read_arpa(&m, in, &err), OTO_OK);
    oto_lines_close(in);
    return m;
}

static bool next_line(struct oto_lines *in, char **line)
{
    size_t n;
    assert_int_equal(oto_lines_next(in, line, &n, NULL), OTO_OK);
    return *line != NULL;
}

/* kenlm computes in single precision: a word is off by some 1e-6 at most, a sentence has up to ten
 * of them. The lengths of n-grams must be the same. */
static void scores_of_kenlm(void **unused)
{
    (void)unused;
    struct oto_ngram *m = read_model("ngram_kn_pruned.arpa");
    struct oto_lm *lm = NULL;
    struct oto_lines *sentences, *scores;
    int n_sentences = 0;
    assert_int_equal(oto_lm_from_ngram(&lm, m, "kn", NULL), OTO_OK);
    open_data(&sentences, "ngram_sentences.txt");
    open_data(&scores, "ngram_scores.tsv");
    for (char *text, *expected; next_line(sentences, &text); n_sentences++) {
        struct oto_lm_state state;
        char orders[200] = "", full[400];
        double total = 0;
        int order;
        size_t n = 0;
        snprintf(full, sizeof full, "%s </s>", text);
        oto_lm_start(lm, &state);
        for (char *word = strtok(full, " "); word != NULL; word = strtok(NULL, " ")) {
            uint32_t number = oto_lm_find(lm, word, strlen(word));
            total += oto_lm_score(lm, &state, &state, number, &order);
            n += (size_t)snprintf(orders + n, sizeof orders - n, "%s%d", n > 0 ? " " : "",
                                  number == OTO_LM_UNKNOWN ? 0 : order);
        }
        assert_true(next_line(scores, &expected));
        const char *tab = strchr(expected, '\t');
        assert_non_null(tab);
        assert_near(total, strtod(expected, NULL), 1e-5);
        assert_string_equal(orders, tab + 1);
    }
    assert_int_equal(n_sentences, 150);
    oto_lines_close(sentences);
    oto_lines_close(scores);
    oto_lm_close(lm);
    oto_ngram_destroy(m);
}

static struct oto_ngram *build(int order, const uint32_t *prune)
{
    struct oto_ngram_build_options options = {
        .order = order, .memory = (size_t)1 << 20, .folder = "/tmp"};
    struct oto_ngram_build_report report;
    struct oto_ngram_builder *b;
    struct oto_ngram *m = NULL;
    struct oto_lines *in;
    memcpy(options.prune, prune, sizeof options.prune);
    assert_int_equal(oto_ngram_builder_create(&b, &options, NULL), OTO_OK);
    open_data(&in, "ngram_text.txt");
    for (char *text; next_line(in, &text);)
        assert_int_equal(oto_ngram_builder_add(b, text, NULL), OTO_OK);
    assert_int_equal(oto_ngram_builder_finish(b, &m, &report, NULL, NULL, NULL), OTO_OK);
    oto_lines_close(in);
    oto_ngram_builder_destroy(b);
    return m;
}

/* The stored numbers have seven decimals, ours are floats below 100 in size. */
static void estimates_of_the_definition(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        int order;
        uint32_t prune[OTO_LM_MAX_ORDER];
    } cases[] = {{"ngram_kn.arpa", 3, {0}}, {"ngram_kn_pruned.arpa", 4, {0, 0, 1, 1, 1, 1}}};
    for (int i = 0; i < 2; i++) {
        struct oto_ngram *expected = read_model(cases[i].name);
        struct oto_ngram *m = build(cases[i].order, cases[i].prune);
        assert_int_equal(m->order, expected->order);
        assert_int_equal(m->words.n, expected->words.n);
        for (int k = 0; k < m->order; k++) {
            const struct oto_ngram_level *a = &m->levels[k], *b = &expected->levels[k];
            assert_int_equal(a->n, b->n);
            assert_memory_equal(a->words, b->words, a->n * sizeof *a->words);
            for (size_t g = 0; g < a->n; g++) {
                assert_near(a->log_p[g], b->log_p[g], 5e-7);
                if (a->backoff != NULL)
                    assert_near(a->backoff[g], b->backoff[g], 5e-7);
            }
            if (a->children != NULL)
                assert_memory_equal(a->children, b->children, (a->n + 1) * sizeof *a->children);
        }
        oto_ngram_destroy(expected);
        oto_ngram_destroy(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_of_kenlm),
        cmocka_unit_test(estimates_of_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
