/* SPDX-License-Identifier: BSD-2-Clause */
/* Estimating and pruning n-gram models: a case by hand, sums of probabilities, memory, faults. */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "decoder/ngram_build.h"
#include "near.h"

static struct oto_ngram_build_options options_of(int order)
{
    const char *folder = getenv("TMPDIR");
    return (struct oto_ngram_build_options){
        .order = order, .memory = (size_t)64 << 20, .folder = folder != NULL ? folder : "/tmp"};
}

/* Sentences are parted by '\n'. */
static oto_status build(struct oto_ngram **m, const struct oto_ngram_build_options *options,
                        const char *text, struct oto_ngram_build_report *report, oto_error *err)
{
    struct oto_ngram_builder *b = NULL;
    struct oto_ngram_build_report unused;
    char sentence[400];
    *m = NULL;
    oto_status status = oto_ngram_builder_create(&b, options, err);
    while (status == OTO_OK && *text != 0) {
        size_t n = strcspn(text, "\n");
        snprintf(sentence, sizeof sentence, "%.*s", (int)n, text);
        status = oto_ngram_builder_add(b, sentence, err);
        text += n + (text[n] == '\n');
    }
    if (status == OTO_OK)
        status = oto_ngram_builder_finish(b, m, report != NULL ? report : &unused, NULL, NULL, err);
    oto_ngram_builder_destroy(b);
    return status;
}

/* Text of n sentences over few words, skewed and with some order in it; freed with free(). */
static char *make_text(int n_sentences, int n_words)
{
    char *text = malloc((size_t)n_sentences * 100 + 1);
    size_t n = 0;
    uint64_t counter = 0;
    assert_non_null(text);
    for (int s = 0; s < n_sentences; s++) {
        uint64_t word = 0, length = 1 + oto_rng_below(7, 0, counter++, 12);
        for (uint64_t i = 0; i < length; i++) {
            double u = oto_rng_uniform(7, 0, counter++);
            word = u < 0.5 ? (word * 7 + 3) % (uint64_t)n_words
                           : (uint64_t)(u * u * u * u * n_words) % (uint64_t)n_words;
            n += (size_t)sprintf(text + n, "%sw%d", i > 0 ? " " : "", (int)word);
        }
        text[n++] = '\n';
    }
    text[n] = 0;
    return text;
}

static uint32_t find(const struct oto_ngram *m, const char *word)
{
    return oto_words_find(&m->words, word, strlen(word));
}

static double p2(const struct oto_ngram *m, const char *first, const char *second)
{
    const uint32_t words[] = {find(m, first), find(m, second)};
    return pow(10, oto_ngram_log_p(m, words, 2));
}

/* "<s> a a b </s>". Unigrams by what stands before them: a 2, b 1, </s> 1; so little text takes the
 * discounts 0.5, 1, 1.5, which free 2 of 4 for the uniform distribution over a, b, </s>, <unk>. */
static void by_hand(void **unused)
{
    (void)unused;
    struct oto_ngram *m;
    struct oto_ngram_build_report report;
    struct oto_ngram_build_options options = options_of(2);
    assert_int_equal(build(&m, &options, "a a b", &report, NULL), OTO_OK);
    assert_int_equal(report.n_tokens, 3);
    assert_int_equal(report.n_sentences, 1);
    assert_int_equal(report.n_types, 2);
    assert_true(report.fallback[0] && report.fallback[1]);
    assert_near(p2(m, "<unk>", "a"), 0.375, 1e-6);
    assert_near(p2(m, "<unk>", "b"), 0.25, 1e-6);
    assert_near(p2(m, "<unk>", "</s>"), 0.25, 1e-6);
    assert_near(p2(m, "<unk>", "<unk>"), 0.125, 1e-6);
    assert_near(p2(m, "<s>", "a"), 0.5 + 0.5 * 0.375, 1e-6);
    assert_near(p2(m, "a", "a"), 0.25 + 0.5 * 0.375, 1e-6);
    assert_near(p2(m, "a", "b"), 0.25 + 0.5 * 0.25, 1e-6);
    assert_near(p2(m, "a", "</s>"), 0.5 * 0.25, 1e-6);
    assert_near(p2(m, "b", "</s>"), 0.5 + 0.5 * 0.25, 1e-6);
    oto_ngram_destroy(m);
}

/* ---- sums -------------------------------------------------------------------------------- */

struct sums {
    const struct oto_ngram *m;
    int k;
    size_t n;
};

static oto_status sum_context(void *arg, uint32_t node, const uint32_t *words, oto_error *err)
{
    struct sums *s = arg;
    uint32_t ngram[OTO_LM_MAX_ORDER + 1];
    double sum = 0;
    (void)node;
    (void)err;
    memcpy(ngram, words, (size_t)s->k * sizeof *ngram);
    for (ngram[s->k] = 0; ngram[s->k] < s->m->words.n; ngram[s->k]++)
        sum += pow(10, oto_ngram_log_p(s->m, ngram, s->k + 1));
    /* floats of log10 p below 8: each term is off by 5e-7 of itself */
    assert_near(sum, 1, 2e-6);
    s->n++;
    return OTO_OK;
}

/* Probabilities of every context sum to 1; gives the number of contexts. */
static size_t check_sums(const struct oto_ngram *m)
{
    struct sums s = {m, 0, 0};
    double sum = 0;
    for (uint32_t w = 0; w < m->words.n; w++)
        sum += pow(10, (double)m->levels[0].log_p[w]);
    assert_near(sum, 1, 2e-6);
    for (s.k = 1; s.k < m->order; s.k++)
        assert_int_equal(oto_ngram_visit(m, s.k, sum_context, &s, NULL), OTO_OK);
    return s.n;
}

static void sums_are_one(void **unused)
{
    (void)unused;
    char *text = make_text(400, 60);
    for (int i = 0; i < 5; i++) {
        struct oto_ngram_build_options options = options_of(i == 4 ? 1 : 2 + i);
        struct oto_ngram *m;
        if (i == 1)
            options.prune[2] = options.prune[3] = 1;
        if (i == 2) {
            options.vocabulary = 20;
            options.prune[1] = options.prune[2] = options.prune[3] = 2;
        }
        if (i == 0)
            options.entropy = 1e-4;
        assert_int_equal(build(&m, &options, text, NULL, NULL), OTO_OK);
        assert_true(check_sums(m) > 20 || m->order == 1);
        oto_ngram_destroy(m);
    }
    free(text);
}

/* ---- vocabulary and text ----------------------------------------------------------------- */

static void vocabulary_limit(void **unused)
{
    (void)unused;
    struct oto_ngram *m;
    struct oto_ngram_build_report report;
    struct oto_ngram_build_options options = options_of(2);
    options.vocabulary = 2; /* b; of the others, which are equals, a */
    assert_int_equal(build(&m, &options, "b c d\nb a\n", &report, NULL), OTO_OK);
    assert_int_equal(m->words.n, 5);
    assert_int_not_equal(find(m, "a"), OTO_WORDS_NONE);
    assert_int_not_equal(find(m, "b"), OTO_WORDS_NONE);
    assert_int_equal(find(m, "c"), OTO_WORDS_NONE);
    assert_int_equal(report.n_unknown, 2);
    const uint32_t unknown_twice[] = {0, 0};
    assert_int_not_equal(oto_ngram_find(m, unknown_twice, 2), OTO_NGRAM_NONE);
    oto_ngram_destroy(m);
}

static void marks_and_empty_lines_are_no_words(void **unused)
{
    (void)unused;
    struct oto_ngram *m, *same;
    struct oto_ngram_build_report report;
    struct oto_ngram_build_options options = options_of(3);
    struct oto_writer a, b;
    assert_int_equal(build(&m, &options, "a b\nb a a\n", NULL, NULL), OTO_OK);
    assert_int_equal(
        build(&same, &options, "\n<s> a b </s>\n  \n b\ta  a <s>\n<s> </s>\n", &report, NULL),
        OTO_OK);
    assert_int_equal(report.n_sentences, 2);
    assert_int_equal(oto_ngram_write_image(m, 0, &a, NULL), OTO_OK);
    assert_int_equal(oto_ngram_write_image(same, 0, &b, NULL), OTO_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    oto_writer_clear(&a);
    oto_writer_clear(&b);
    oto_ngram_destroy(m);
    oto_ngram_destroy(same);
}

static void faults(void **unused)
{
    (void)unused;
    struct oto_ngram *m;
    oto_error err = {0};
    struct oto_ngram_build_options options = options_of(3);
    assert_int_equal(build(&m, &options, "", NULL, &err), OTO_ERR_DATA);
    assert_contains(err.message, "the text has no words");
    assert_int_equal(build(&m, &options, " \n<s>", NULL, &err), OTO_ERR_DATA);
    options.prune[1] = 2;
    options.prune[2] = 1;
    assert_int_equal(build(&m, &options, "a", NULL, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "1 after 2");
    options = options_of(OTO_LM_MAX_ORDER + 1);
    assert_int_equal(build(&m, &options, "a", NULL, &err), OTO_ERR_ARGUMENT);
    char *text = make_text(8000, 3000); /* more than memory holds */
    options = options_of(3);
    options.memory = 1;
    options.folder = "/nowhere";
    assert_int_equal(build(&m, &options, text, NULL, &err), OTO_ERR_IO);
    assert_contains(err.message, "/nowhere: cannot make a temporary file");
    assert_null(m);
    free(text);
}

/* ---- memory ------------------------------------------------------------------------------ */

static void memory_changes_nothing(void **unused)
{
    (void)unused;
    char *text = make_text(15000, 3000); /* 100,000 words: four runs of 1 MiB and more */
    struct oto_writer images[2];
    for (int i = 0; i < 2; i++) {
        struct oto_ngram_build_options options = options_of(3);
        struct oto_ngram *m;
        if (i == 1)
            options.memory = 1;
        assert_int_equal(build(&m, &options, text, NULL, NULL), OTO_OK);
        assert_int_equal(oto_ngram_write_image(m, 0, &images[i], NULL), OTO_OK);
        oto_ngram_destroy(m);
    }
    assert_int_equal(images[0].size, images[1].size);
    assert_memory_equal(images[0].data, images[1].data, images[0].size);
    oto_writer_clear(&images[0]);
    oto_writer_clear(&images[1]);
    free(text);
}

static void failing_allocations(void **unused)
{
    (void)unused;
    struct oto_ngram_build_options options = options_of(3);
    struct oto_ngram *m;
    options.vocabulary = 3;
    options.entropy = 1e-3;
    static const char text[] = "a b c\nb a a\nc d a b\n";
    oto_mem_fail_nth(0);
    assert_int_equal(build(&m, &options, text, NULL, NULL), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    oto_ngram_destroy(m);
    assert_true(n > 50);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(build(&m, &options, text, NULL, NULL), OTO_ERR_MEMORY);
        assert_null(m);
    }
    oto_mem_fail_nth(0);
}

/* ---- pruning ----------------------------------------------------------------------------- */

/* By how much the perplexity rises without one bigram, from the definition: the divergence between
 * both distributions of the context, word by word, times the context's probability. */
static double rise(const struct oto_ngram *m, uint32_t context, uint32_t child)
{
    const struct oto_ngram_level *l = &m->levels[0], *bigrams = &m->levels[1];
    double left = 1, left_below = 1, divergence = 0;
    for (uint32_t c = l->children[context]; c < l->children[context + 1]; c++) {
        if (c == child)
            continue;
        left -= pow(10, (double)bigrams->log_p[c]);
        left_below -= pow(10, (double)l->log_p[bigrams->words[c]]);
    }
    for (uint32_t w = 0; w < m->words.n; w++) {
        const uint32_t words[] = {context, w};
        const uint32_t node = oto_ngram_find(m, words, 2);
        const double p = pow(10, oto_ngram_log_p(m, words, 2));
        double q = p;
        if (node == OTO_NGRAM_NONE || node == child)
            q = pow(10, (double)l->log_p[w]) * left / left_below;
        divergence += p * log(p / q);
    }
    const uint32_t stands = context == find(m, "<s>") ? find(m, "</s>") : context;
    return expm1(pow(10, (double)l->log_p[stands]) * divergence);
}

static void pruning_by_definition(void **unused)
{
    (void)unused;
    char *text = make_text(300, 30);
    struct oto_ngram_build_options options = options_of(2);
    struct oto_ngram *m, *pruned;
    size_t n_kept = 0;
    assert_int_equal(build(&m, &options, text, NULL, NULL), OTO_OK);
    for (double threshold = 1e-6; threshold < 1e-2; threshold *= 10) {
        assert_int_equal(oto_ngram_prune(&pruned, m, threshold, NULL, NULL), OTO_OK);
        check_sums(pruned);
        size_t n_near = 0, n_wrong = 0;
        for (uint32_t w = 0; w < m->words.n; w++) {
            for (uint32_t c = m->levels[0].children[w]; c < m->levels[0].children[w + 1]; c++) {
                const uint32_t words[] = {w, m->levels[1].words[c]};
                const double r = rise(m, w, c);
                const bool kept = oto_ngram_find(pruned, words, 2) != OTO_NGRAM_NONE;
                if (fabs(r - threshold) < 1e-7) /* rounding of floats may decide */
                    n_near++;
                else
                    n_wrong += kept != (r >= threshold);
            }
        }
        assert_int_equal(n_wrong, 0);
        assert_true(n_near < m->levels[1].n / 4);
        n_kept = pruned->levels[1].n;
        oto_ngram_destroy(pruned);
    }
    assert_true(n_kept < m->levels[1].n);
    oto_ngram_destroy(m);
    free(text);
}

static void pruning_keeps_beginnings(void **unused)
{
    (void)unused;
    char *text = make_text(300, 30);
    struct oto_ngram_build_options options = options_of(4);
    struct oto_ngram *m, *pruned;
    size_t n_before = SIZE_MAX;
    assert_int_equal(build(&m, &options, text, NULL, NULL), OTO_OK);
    for (double threshold = 1e-5; threshold < 1; threshold *= 10) {
        size_t n = 0;
        assert_int_equal(oto_ngram_prune(&pruned, m, threshold, NULL, NULL), OTO_OK);
        check_sums(pruned);
        for (int k = 0; k < 4; k++) {
            n += pruned->levels[k].n;
            if (k < 3)
                assert_int_equal(pruned->levels[k].children[pruned->levels[k].n],
                                 pruned->levels[k + 1].n);
        }
        assert_true(n <= n_before);
        n_before = n;
        oto_ngram_destroy(pruned);
    }
    assert_int_equal(n_before, m->words.n); /* unigrams are all that is left */
    assert_int_equal(oto_ngram_prune(&pruned, m, 0, NULL, NULL), OTO_OK);
    oto_ngram_destroy(pruned);
    oto_ngram_destroy(m);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(sums_are_one),
        cmocka_unit_test(vocabulary_limit),
        cmocka_unit_test(marks_and_empty_lines_are_no_words),
        cmocka_unit_test(faults),
        cmocka_unit_test(memory_changes_nothing),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(pruning_by_definition),
        cmocka_unit_test(pruning_keeps_beginnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
