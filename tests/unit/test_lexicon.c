/* SPDX-License-Identifier: BSD-2-Clause */
/* Word lists: what is read, how it is found again, and every kind of bad line. */
#include "unit.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "decoder/lexicon.h"
#include "otolith/otolith.h"

static struct oto_alphabet *alphabet, *spaceless;
static char log_text[4096];

static void keep_log(void *user_data, oto_log_level level, const char *message)
{
    (void)user_data;
    (void)level;
    size_t n = strlen(log_text);
    snprintf(log_text + n, sizeof log_text - n, "%s\n", message);
}

static int set_up(void **state)
{
    (void)state;
    static const char *const symbols[] = {" ", "'", "a", "b", "c", "d", "e", "\xC3\xA9"};
    static const struct oto_text_policy policy = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
    assert_int_equal(oto_alphabet_create(&alphabet, symbols, 8, &policy, NULL), OTO_OK);
    assert_int_equal(oto_alphabet_create(&spaceless, symbols + 2, 6, &policy, NULL), OTO_OK);
    oto_log_set(keep_log, NULL, OTO_LOG_WARNING);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    oto_alphabet_destroy(alphabet);
    oto_alphabet_destroy(spaceless);
    return 0;
}

static struct oto_lexicon *parse(const char *text)
{
    oto_error err = {0};
    struct oto_lexicon *lexicon = NULL;
    if (oto_lexicon_parse(&lexicon, text, strlen(text), "words", alphabet, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return lexicon;
}

/** The node that a text leads to. */
static int32_t walk(const struct oto_lexicon *lexicon, const char *text)
{
    int *labels, n_labels, n_unknown;
    assert_int_equal(
        oto_alphabet_encode(alphabet, text, &labels, &n_labels, &n_unknown, NULL, NULL, NULL),
        OTO_OK);
    int32_t node = OTO_LEXICON_ROOT;
    for (int i = 0; i < n_labels && node != OTO_LEXICON_NONE; i++)
        node = oto_lexicon_step(lexicon, node, labels[i]);
    oto_free(labels);
    return node;
}

static void check_text(const struct oto_lexicon *lexicon, const char *text, bool begins, bool ends)
{
    int32_t node = walk(lexicon, text);
    if ((node != OTO_LEXICON_NONE) != begins)
        fail_msg("\"%s\" %s", text, begins ? "is not found" : "is found");
    if (begins && oto_lexicon_is_complete(lexicon, node) != ends)
        fail_msg("\"%s\" %s", text, ends ? "does not end there" : "ends there");
}

static void finds_words(void **state)
{
    (void)state;
    struct oto_lexicon *lexicon =
        parse("\xEF\xBB\xBF# a comment\nbad\r\n  Bade \n#another\nab\nd\xC3\xA9"
              "ca\nde\xCC\x81\na!");
    assert_int_equal(lexicon->n_words, 6);
    static const char *const words[] = {"bad",
                                        "bade",
                                        "ab",
                                        "d\xC3\xA9"
                                        "ca",
                                        "d\xC3\xA9",
                                        "a"};
    for (int i = 0; i < 6; i++) {
        assert_string_equal(oto_lexicon_word(lexicon, i), words[i]);
        int32_t node = walk(lexicon, words[i]);
        assert_int_equal(lexicon->nodes[node].word, i);
    }
    assert_int_equal(lexicon->n_nodes, 1 + 4 + 2 + 4); /* root, bade, ab, deca */
    check_text(lexicon, "", true, true);
    check_text(lexicon, "b", true, false);
    check_text(lexicon, "ba", true, false);
    check_text(lexicon, "bad", true, true);
    check_text(lexicon, "bade", true, true);
    check_text(lexicon, "badea", false, false);
    check_text(lexicon, "c", false, false);
    check_text(lexicon, "d\xC3\xA9", true, true);
    check_text(lexicon,
               "d\xC3\xA9"
               "c",
               true, false);
    check_text(lexicon, "de", false, false);
    check_text(lexicon, "bad a ab", true, true);
    check_text(lexicon, "bad a aba", false, false);
    check_text(lexicon, "ba a", false, false);
    int space = alphabet->space;
    assert_int_equal(oto_lexicon_step(lexicon, OTO_LEXICON_ROOT, space), OTO_LEXICON_NONE);
    assert_int_equal(oto_lexicon_step(lexicon, walk(lexicon, "bad"), space), OTO_LEXICON_ROOT);
    oto_lexicon_destroy(lexicon);
    oto_lexicon_destroy(NULL);
}

/** Without a space in the alphabet a text is one word. */
static void single_word(void **state)
{
    (void)state;
    struct oto_lexicon *lexicon = NULL;
    assert_int_equal(oto_lexicon_parse(&lexicon, "ab\nabe\n", 7, "words", spaceless, NULL), OTO_OK);
    assert_int_equal(lexicon->space, -1);
    int32_t node = oto_lexicon_step(lexicon, oto_lexicon_step(lexicon, 0, 1), 2);
    assert_int_equal(lexicon->nodes[node].word, 0);
    for (int k = 1; k < spaceless->n_symbols; k++)
        assert_int_equal(oto_lexicon_step(lexicon, node, k) != OTO_LEXICON_NONE, k == 5);
    oto_lexicon_destroy(lexicon);
}

/** Thousands of random words: each is found, and nothing that is no beginning of one. */
static void many_words(void **state)
{
    (void)state;
    enum { N = 3000, LENGTH = 6 };
    static char words[N][LENGTH + 1], text[N * (LENGTH + 1) + 1];
    int n = 0;
    text[0] = '\0';
    for (uint64_t i = 0; n < N; i++) {
        char word[LENGTH + 1] = "";
        uint64_t length = 1 + oto_rng_below(1, 0, i, LENGTH);
        for (uint64_t j = 0; j < length; j++)
            word[j] = (char)('a' + (char)oto_rng_below(1, 1 + j, i, 5));
        bool known = false;
        for (int k = 0; k < n && !known; k++)
            known = strcmp(words[k], word) == 0;
        if (!known)
            memcpy(words[n++], word, sizeof word);
    }
    for (int i = 0; i < N; i++) {
        strcat(text, words[i]);
        strcat(text, "\n");
    }
    struct oto_lexicon *lexicon = parse(text);
    for (int i = 0; i < N; i++)
        assert_int_equal(lexicon->nodes[walk(lexicon, words[i])].word, i);
    int n_ends = 0;
    for (int32_t node = 0; node < lexicon->n_nodes; node++) {
        const struct oto_lexicon_node *x = &lexicon->nodes[node];
        n_ends += x->word >= 0;
        assert_true(x->word >= 0 || x->n_children > 0); /* no path leads nowhere */
        for (int32_t k = 1; k < x->n_children; k++)
            assert_true(x[0].first_child > node && lexicon->nodes[x->first_child + k - 1].label <
                                                       lexicon->nodes[x->first_child + k].label);
    }
    assert_int_equal(n_ends, N);
    struct oto_writer w = {0};
    oto_lexicon_write(lexicon, &w);
    assert_int_equal(w.size, strlen(text));
    assert_memory_equal(w.data, text, w.size);
    oto_writer_clear(&w);
    oto_lexicon_destroy(lexicon);
}

/** The child by any label is the one that a look at all of them finds: with labels below 64 alone,
 * and with more. */
static void children_by_any_label(void **state)
{
    (void)state;
    static const int sizes[] = {40, 63, 64, 130};
    static const struct oto_text_policy policy = {OTO_CASE_KEEP, OTO_PUNCTUATION_KEEP};
    for (uint64_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int n = sizes[s];
        char symbols[130][5] = {{0}};
        const char *pointers[130];
        struct oto_alphabet *large;
        struct oto_lexicon *lexicon;
        struct oto_word_list list = {0};
        for (int i = 0; i < n; i++) {
            pointers[i] = symbols[i];
            oto_utf8_encode(0x4E00 + i, symbols[i]);
        }
        assert_int_equal(oto_alphabet_create(&large, pointers, n, &policy, NULL), OTO_OK);
        const struct oto_word_list_rules rules = {.alphabet = large, .least = -1, .most = 1};
        for (uint64_t i = 0; i < 2000; i++) {
            char word[16] = "";
            for (uint64_t j = 0; j < 1 + i % 3; j++)
                strcat(word, symbols[oto_rng_below(s, j, i, (uint64_t)n)]);
            assert_int_equal(oto_word_list_add(&list, word, 0.0, &rules, "test", NULL), OTO_OK);
        }
        oto_word_list_sort(&list);
        assert_int_equal(oto_lexicon_extend(&lexicon, NULL, &list, false, large, NULL), OTO_OK);
        for (int32_t node = 0; node < lexicon->n_nodes; node++) {
            const struct oto_lexicon_node *x = &lexicon->nodes[node];
            for (int32_t label = 1; label <= n; label++) {
                int32_t there = OTO_LEXICON_NONE;
                for (int32_t c = x->first_child; c < x->first_child + x->n_children; c++)
                    if (lexicon->nodes[c].label == label)
                        there = c;
                assert_int_equal(oto_lexicon_child(lexicon, node, label), there);
            }
        }
        oto_lexicon_destroy(lexicon);
        oto_word_list_clear(&list);
        oto_alphabet_destroy(large);
    }
}

/* ---- errors ------------------------------------------------------------------------------ */

static void expect_bad(const char *text, size_t size, oto_status status, const char *message)
{
    oto_error err = {0};
    struct oto_lexicon *lexicon = (struct oto_lexicon *)&err;
    log_text[0] = '\0';
    assert_int_equal(oto_lexicon_parse(&lexicon, text, size, "words", alphabet, &err), status);
    assert_null(lexicon);
    assert_string_equal(err.message, message);
}

static void bad_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "words: no words, expected one a line"},
        {"# nothing\n", "words: no words, expected one a line"},
        {"a\n\nb\n", "words:2: empty, expected a word"},
        {"a\n \t\r\nb\n", "words:2: empty, expected a word"},
        {"a\n...\nb\n", "words:2: empty, expected a word"},
        {"a\nb\nab ba\n", "words:3: \"ab ba\" is more than one word, expected one a line"},
        {"a-b\n", "words:1: \"a b\" is more than one word, expected one a line"},
        {"# x\nax\n", "words:2: \"ax\": 'x' (U+0078) is not in the model's alphabet"},
        {"b\xC3\xB6\n",
         "words:1: \"b\xC3\xB6\": '\xC3\xB6' (U+00F6) is not in the model's alphabet"},
        {"ab\n#\nb\nAB\n", "words:4: \"ab\" is there already, in line 1"},
        {"ab\nb\xC3(\n", "words:2: invalid UTF-8 at byte 1 (0xc3)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_bad(cases[i].text, strlen(cases[i].text), OTO_ERR_DATA, cases[i].message);
        assert_string_equal(log_text, "");
    }
    expect_bad("a\0b", 3, OTO_ERR_FORMAT, "words: no text file, expected one word a line");
}

/** Several bad lines are all told. */
static void many_bad_lines(void **state)
{
    (void)state;
    static const char text[] = "a\nx\nb\n\na\nb\nb\n";
    expect_bad(text, sizeof text - 1, OTO_ERR_DATA,
               "words: 5 bad lines, the first: line 2: \"x\": 'x' (U+0078) is not in the model's "
               "alphabet");
    assert_string_equal(log_text, "words:2: \"x\": 'x' (U+0078) is not in the model's alphabet\n"
                                  "words:4: empty, expected a word\n"
                                  "words:5: \"a\" is there already, in line 1\n"
                                  "words:6: \"b\" is there already, in line 3\n"
                                  "words:7: \"b\" is there already, in line 3\n");
    char many[61] = "";
    for (int i = 0; i < 30; i++)
        memcpy(many + (ptrdiff_t)(2 * i), "a\n", 3);
    expect_bad(many, 60, OTO_ERR_DATA,
               "words: 29 bad lines, the first: line 2: \"a\" is there already, in line 1");
    assert_contains(log_text, "words:21: ");
    assert_null(strstr(log_text, "words:22: "));
    assert_contains(log_text, "words: 9 more bad lines are not shown");
}

static void files(void **state)
{
    (void)state;
    char folder[64], path[128];
    oto_error err = {0};
    struct oto_lexicon *lexicon = NULL;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/words.txt", folder);
    unit_write_file(path, "abe\nbad", 7);
    assert_int_equal(oto_lexicon_load(&lexicon, path, alphabet, &err), OTO_OK);
    assert_int_equal(lexicon->n_words, 2);
    oto_lexicon_destroy(lexicon);
    unit_write_file(path, "", 0);
    assert_int_equal(oto_lexicon_load(&lexicon, path, alphabet, &err), OTO_ERR_DATA);
    assert_contains(err.message, "words.txt: no words");
    assert_null(lexicon);
    assert_int_equal(oto_lexicon_load(&lexicon, folder, alphabet, &err), OTO_ERR_FORMAT);
    unit_remove_folder(folder);
    assert_int_equal(oto_lexicon_load(&lexicon, path, alphabet, &err), OTO_ERR_NOT_FOUND);
}

static void failing_memory(void **state)
{
    (void)state;
    static const char text[] = "abe\nbad\nbade\nd\xC3\xA9"
                               "ca\n";
    struct oto_lexicon *lexicon = NULL;
    oto_mem_fail_nth(0);
    oto_lexicon_destroy(parse(text));
    size_t n = oto_mem_fail_nth(0);
    assert_true(n > 5);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(
            oto_lexicon_parse(&lexicon, text, sizeof text - 1, "words", alphabet, NULL),
            OTO_ERR_MEMORY);
        assert_null(lexicon);
    }
    oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_words), cmocka_unit_test(single_word),
        cmocka_unit_test(many_words),  cmocka_unit_test(children_by_any_label),
        cmocka_unit_test(bad_lines),   cmocka_unit_test(many_bad_lines),
        cmocka_unit_test(files),       cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
