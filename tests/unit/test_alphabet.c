/* SPDX-License-Identifier: BSD-2-Clause */
/* Alphabets from arrays, files and texts; encoding and decoding; every error names its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "decoder/alphabet.h"

static const struct oto_text_policy lower = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
static const struct oto_text_policy keep = {OTO_CASE_KEEP, OTO_PUNCTUATION_KEEP};
static const char *const abc[] = {" ", "a", "b", "c", "\u00E9"};

static struct oto_alphabet *create_abc(void)
{
    struct oto_alphabet *a;
    assert_int_equal(oto_alphabet_create(&a, abc, 5, &lower, NULL), OTO_OK);
    return a;
}

static void from_array(void **state)
{
    (void)state;
    struct oto_alphabet *a = create_abc();
    assert_int_equal(a->n_symbols, 6);
    assert_string_equal(a->symbols[0], "");
    assert_string_equal(a->symbols[5], "\u00E9");
    assert_int_equal(a->space, 1);
    assert_int_equal(oto_alphabet_find(a, 'b'), 3);
    assert_int_equal(oto_alphabet_find(a, 0xE9), 5);
    assert_int_equal(oto_alphabet_find(a, 'z'), 0);
    assert_int_equal(oto_alphabet_find(a, 0x4F60), 0);
    assert_int_equal(oto_alphabet_find(a, 0), 0);
    assert_int_equal(oto_alphabet_find(a, -1), 0);
    oto_alphabet_destroy(a);
    oto_alphabet_destroy(NULL);
}

static void composes_symbols(void **state)
{
    (void)state;
    static const char *const nfd[] = {"e\u0301", "x"};
    struct oto_alphabet *a;
    assert_int_equal(oto_alphabet_create(&a, nfd, 2, &keep, NULL), OTO_OK);
    assert_int_equal(oto_alphabet_find(a, 0xE9), 1);
    assert_int_equal(a->space, -1);
    oto_alphabet_destroy(a);
}

static void expect_refusal(const char *const *symbols, int n, const struct oto_text_policy *policy,
                           oto_status status, const char *words)
{
    struct oto_alphabet *a = (struct oto_alphabet *)&a;
    oto_error err;
    assert_int_equal(oto_alphabet_create(&a, symbols, n, policy, &err), status);
    assert_null(a);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void refusals(void **state)
{
    (void)state;
    expect_refusal((const char *[]){"a", "b", "a"}, 3, &lower, OTO_ERR_DATA,
                   "symbol 3: \"a\" (U+0061) is there already, symbol 1");
    expect_refusal((const char *[]){"\u00E9", "e\u0301"}, 2, &lower, OTO_ERR_DATA, "symbol 2");
    expect_refusal((const char *[]){"a", ""}, 2, &lower, OTO_ERR_DATA, "symbol 2: empty");
    expect_refusal((const char *[]){"ab"}, 1, &lower, OTO_ERR_DATA, "2 characters");
    expect_refusal((const char *[]){"\u0915\u094D\u0937"}, 1, &lower, OTO_ERR_DATA, "3 characters");
    expect_refusal((const char *[]){"a", "\t"}, 2, &lower, OTO_ERR_DATA, "white space U+0009");
    expect_refusal((const char *[]){"a", "\xff"}, 2, &lower, OTO_ERR_DATA,
                   "symbol 2: invalid UTF-8");
    expect_refusal(NULL, 0, &lower, OTO_ERR_DATA, "at least one");
    expect_refusal(abc, 5, &(struct oto_text_policy){3, 0}, OTO_ERR_ARGUMENT, "letter case 3");
    expect_refusal(abc, 5, &(struct oto_text_policy){0, -1}, OTO_ERR_ARGUMENT, "punctuation -1");
}

/** Loads an alphabet from a temporary file of this content. */
static oto_status load(struct oto_alphabet **out, const char *content, size_t size, oto_error *err)
{
    char path[] = "/tmp/oto-alphabet-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, size), (ssize_t)size);
    close(fd);
    oto_status status = oto_alphabet_load(out, path, &lower, err);
    unlink(path);
    return status;
}

static void from_file(void **state)
{
    (void)state;
    static const char content[] = "\xEF\xBB\xBF# an alphabet\r\n \r\na\r\n#\r\ne\u0301\n\u4F60";
    struct oto_alphabet *a;
    oto_error err = {OTO_OK, ""};
    if (load(&a, content, sizeof content - 1, &err))
        fail_msg("%s", err.message);
    assert_int_equal(a->n_symbols, 6);
    static const char *const expected[] = {"", " ", "a", "#", "\u00E9", "\u4F60"};
    for (int i = 0; i < 6; i++)
        assert_string_equal(a->symbols[i], expected[i]);
    assert_int_equal(a->space, 1);
    oto_alphabet_destroy(a);
}

static void file_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *content, *words;
        size_t size;
        oto_status status;
    } cases[] = {
        {"a\nb\n# x\na\n", ":4: \"a\" (U+0061) is there already", 0, OTO_ERR_DATA},
        {"a\n\nb\n", ":2: empty symbol", 0, OTO_ERR_DATA},
        {"a\nb \n", ":2: \"b \" has 2 characters", 0, OTO_ERR_DATA},
        {"a\n\xc3\n", ":2: invalid UTF-8", 0, OTO_ERR_DATA},
        {"", "at least one", 0, OTO_ERR_DATA},
        {"# only a comment\n", "at least one", 0, OTO_ERR_DATA},
        {"a\n\0b\n", "no text file", 5, OTO_ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct oto_alphabet *a;
        oto_error err;
        size_t size = cases[i].size ? cases[i].size : strlen(cases[i].content);
        assert_int_equal(load(&a, cases[i].content, size, &err), cases[i].status);
        assert_null(a);
        if (!strstr(err.message, cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", err.message, cases[i].words);
    }
    struct oto_alphabet *a;
    assert_int_equal(oto_alphabet_load(&a, "/nonexistent/alphabet", &lower, NULL),
                     OTO_ERR_NOT_FOUND);
    assert_int_equal(oto_alphabet_load(&a, "/tmp", &lower, NULL), OTO_ERR_FORMAT);
}

static struct oto_alphabet *build(const char *const *texts, int n,
                                  const struct oto_text_policy *policy)
{
    struct oto_alphabet_builder *b;
    struct oto_alphabet *a;
    assert_int_equal(oto_alphabet_builder_create(&b, policy, NULL), OTO_OK);
    for (int i = 0; i < n; i++)
        assert_int_equal(oto_alphabet_builder_add(b, texts[i], NULL), OTO_OK);
    assert_int_equal(oto_alphabet_builder_finish(b, &a, NULL), OTO_OK);
    oto_alphabet_builder_destroy(b);
    return a;
}

static void from_texts(void **state)
{
    (void)state;
    struct oto_alphabet *a =
        build((const char *[]){"Don't, \u00C9ric!", "\U0001D7D8 a-z"}, 2, &lower);
    static const char *const expected[] = {"",  " ", "'", "a", "c", "d",      "i",
                                           "n", "o", "r", "t", "z", "\u00E9", "\U0001D7D8"};
    assert_int_equal(a->n_symbols, 14);
    for (int i = 0; i < 14; i++)
        assert_string_equal(a->symbols[i], expected[i]);
    oto_alphabet_destroy(a);
    struct oto_alphabet_builder *b;
    assert_int_equal(oto_alphabet_builder_create(&b, &lower, NULL), OTO_OK);
    assert_int_equal(oto_alphabet_builder_add(b, "\xff", NULL), OTO_ERR_DATA);
    assert_int_equal(oto_alphabet_builder_finish(b, &a, NULL),
                     OTO_ERR_DATA); /* no text, no symbols */
    oto_alphabet_builder_destroy(b);
    assert_int_equal(oto_alphabet_builder_create(&b, &(struct oto_text_policy){9, 0}, NULL),
                     OTO_ERR_ARGUMENT);
    oto_alphabet_builder_destroy(NULL);
}

/** Text, normal form, and back: whatever is in the alphabet survives. */
static void round_trips(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "the quick  brown fox",
        "\u00DCber stra\u00DFe na\u00EFve",
        "e\u0301cole",
        "\u0645\u0631\u062D\u0628\u0627 \u0628\u0650\u0643\u064F\u0645",
        "\u4F60\u597D\u4E16\u754C",
        "\u0928\u092E\u0938\u094D\u0924\u0947 \u0926\u0941\u0928\u093F\u092F\u093E",
        "\u0915\u093C",
        "\uD55C\uAD6D\uC5B4"};
    enum { N = sizeof texts / sizeof *texts };
    struct oto_alphabet *a = build(texts, N, &lower);
    for (int i = 0; i < N; i++) {
        int *labels, n, n_unknown;
        char *normal, *back;
        assert_int_equal(oto_text_normalise(&normal, texts[i], &lower, a, NULL), OTO_OK);
        assert_int_equal(
            oto_alphabet_encode(a, texts[i], &labels, &n, &n_unknown, NULL, NULL, NULL), OTO_OK);
        assert_int_equal(n_unknown, 0);
        assert_int_equal(n, oto_utf8_length(normal));
        assert_int_equal(oto_alphabet_decode(a, labels, n, &back, NULL), OTO_OK);
        assert_string_equal(back, normal);
        oto_free(labels);
        oto_free(normal);
        oto_free(back);
    }
    oto_alphabet_destroy(a);
}

struct seen {
    int n;
    int32_t code_points[8];
};

static void remember(void *arg, int32_t code_point)
{
    struct seen *seen = arg;
    assert_true(seen->n < 8);
    seen->code_points[seen->n++] = code_point;
}

static void reports_unknown(void **state)
{
    (void)state;
    struct oto_alphabet *a = create_abc();
    struct seen seen = {0, {0}};
    int *labels, n, n_unknown;
    assert_int_equal(oto_alphabet_encode(a, "A \u0436z B.\u4F60", &labels, &n, &n_unknown, remember,
                                         &seen, NULL),
                     OTO_OK);
    assert_int_equal(n_unknown, 3);
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.code_points[0], 0x436);
    assert_int_equal(seen.code_points[1], 'z');
    assert_int_equal(seen.code_points[2], 0x4F60);
    static const int expected[] = {2, 1, 3};
    assert_int_equal(n, 3);
    assert_memory_equal(labels, expected, sizeof expected);
    oto_free(labels);
    assert_int_equal(oto_alphabet_encode(a, "z a z", &labels, &n, &n_unknown, NULL, NULL, NULL),
                     OTO_OK);
    assert_int_equal(n, 1);
    oto_free(labels);
    assert_int_equal(oto_alphabet_encode(a, "", &labels, &n, &n_unknown, NULL, NULL, NULL), OTO_OK);
    assert_int_equal(n, 0);
    assert_non_null(labels);
    oto_free(labels);
    assert_int_equal(oto_alphabet_encode(a, "a\xff", &labels, &n, &n_unknown, NULL, NULL, NULL),
                     OTO_ERR_DATA);
    assert_null(labels);
    oto_alphabet_destroy(a);
}

static void decodes(void **state)
{
    (void)state;
    struct oto_alphabet *a = create_abc();
    oto_error err;
    char *text;
    assert_int_equal(oto_alphabet_decode(a, (const int[]){1, 1, 2, 1, 1, 5, 1}, 7, &text, NULL),
                     OTO_OK);
    assert_string_equal(text, "a \u00E9");
    oto_free(text);
    assert_int_equal(oto_alphabet_decode(a, NULL, 0, &text, NULL), OTO_OK);
    assert_string_equal(text, "");
    oto_free(text);
    assert_int_equal(oto_alphabet_decode(a, (const int[]){2, 0}, 2, &text, &err), OTO_ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "label 1 is 0"));
    assert_null(text);
    assert_int_equal(oto_alphabet_decode(a, (const int[]){6}, 1, &text, &err), OTO_ERR_ARGUMENT);
    oto_alphabet_destroy(a);
}

static oto_status everything(void)
{
    struct oto_alphabet_builder *b = NULL;
    struct oto_alphabet *built = NULL, *loaded = NULL;
    int *labels = NULL, n, n_unknown;
    char *text = NULL;
    oto_status status = oto_alphabet_builder_create(&b, &lower, NULL);
    if (!status)
        status = oto_alphabet_builder_add(b, "a b\u00E9", NULL);
    if (!status)
        status = oto_alphabet_builder_finish(b, &built, NULL);
    if (!status)
        status = load(&loaded, "a\nb\n \n", 6, NULL);
    if (!status)
        status = oto_alphabet_encode(built, "b \u00E9", &labels, &n, &n_unknown, NULL, NULL, NULL);
    if (!status)
        status = oto_alphabet_decode(built, labels, n, &text, NULL);
    assert_true(status || strcmp(text, "b \u00E9") == 0);
    oto_alphabet_builder_destroy(b);
    oto_alphabet_destroy(built);
    oto_alphabet_destroy(loaded);
    oto_free(labels);
    oto_free(text);
    return status;
}

static void failing_memory(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        oto_mem_fail_nth(nth);
        oto_status status = everything();
        oto_mem_fail_nth(0);
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
        cmocka_unit_test(from_array),    cmocka_unit_test(composes_symbols),
        cmocka_unit_test(refusals),      cmocka_unit_test(from_file),
        cmocka_unit_test(file_refusals), cmocka_unit_test(from_texts),
        cmocka_unit_test(round_trips),   cmocka_unit_test(reports_unknown),
        cmocka_unit_test(decodes),       cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
