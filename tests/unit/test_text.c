/* SPDX-License-Identifier: BSD-2-Clause */
/* Normalisation of transcripts in several scripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "decoder/alphabet.h"

static const struct oto_text_policy keep = {OTO_CASE_KEEP, OTO_PUNCTUATION_KEEP};
static const struct oto_text_policy strip = {OTO_CASE_KEEP, OTO_PUNCTUATION_STRIP};
static const struct oto_text_policy lower = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
static const struct oto_text_policy upper = {OTO_CASE_UPPER, OTO_PUNCTUATION_KEEP};

static void expect(const char *text, const struct oto_text_policy *policy,
                   const struct oto_alphabet *a, const char *expected)
{
    char *once, *twice;
    assert_int_equal(oto_text_normalise(&once, text, policy, a, NULL), OTO_OK);
    assert_string_equal(once, expected);
    assert_int_equal(oto_text_normalise(&twice, once, policy, a, NULL), OTO_OK);
    assert_string_equal(twice, expected);
    oto_free(once);
    oto_free(twice);
}

static void white_space(void **state)
{
    (void)state;
    expect("", &keep, NULL, "");
    expect(" \t\r\n ", &keep, NULL, "");
    expect("  one\t two\r\nthree\u00A0\u3000four ", &keep, NULL, "one two three four");
    expect("\xEF\xBB\xBFone", &keep, NULL, "one");
    expect(" \xEF\xBB\xBFone\xEF\xBB\xBFtwo", &keep, NULL, "onetwo");
}

static void letter_case(void **state)
{
    (void)state;
    expect("Ünïté ÉÇOLE ΣΑΜΟΣ Жук", &lower, NULL, "ünïté éçole σαμοσ жук");
    expect("ünïté жук don't", &upper, NULL, "ÜNÏTÉ ЖУК DON'T");
    expect("McX", &keep, NULL, "McX");
}

static void composition(void **state)
{
    (void)state;
    expect("e\u0301te\u0301", &keep, NULL, "\u00E9t\u00E9");
    expect("E\u0301", &lower, NULL, "\u00E9");
    expect("\uAC00 \u1100\u1161", &keep, NULL, "\uAC00 \uAC00"); /* Hangul from jamo */
    expect("\u212B", &keep, NULL, "\u00C5");                     /* Angstrom sign */
    expect("e,\u0301", &strip, NULL, "\u00E9"); /* neighbours only after the comma has gone */
}

static void punctuation(void **state)
{
    (void)state;
    expect("Well, \"yes\" - no!", &keep, NULL, "Well, \"yes\" - no!");
    expect("Well, \"yes\" - no!", &lower, NULL, "well yes no");
    expect("twenty-one, and/or a\u2014b 5\u22123", &lower, NULL, "twenty one and or a b 5 3");
    expect("don\u2019t 'quote' a.m.", &lower, NULL, "don't 'quote' am");
    expect("$5 + 3\u20AC = 8 \u2603", &strip, NULL, "5 3 8");
}

static void scripts(void **state)
{
    (void)state;
    expect(
        "\u0645\u0631\u062D\u0628\u0627\u060C \u0643\u064A\u0641\u061F", &strip, NULL,
        "\u0645\u0631\u062D\u0628\u0627 \u0643\u064A\u0641"); /* Arabic comma and question mark */
    expect("\u4F60\u597D\uFF0C\u4E16\u754C\u3002", &strip, NULL, "\u4F60\u597D\u4E16\u754C");
    expect("\u0928\u092E\u0938\u094D\u0924\u0947\u0964", &strip, NULL,
           "\u0928\u092E\u0938\u094D\u0924\u0947"); /* danda goes, vowel signs and virama stay */
}

static void alphabet_decides(void **state)
{
    (void)state;
    static const char *const with_hyphen[] = {" ", "a", "b", "-", "!"};
    static const char *const no_apostrophe[] = {" ", "a", "b"};
    static const char *const curly[] = {" ", "a", "b", "'", "\u2019"};
    struct oto_alphabet *a;
    assert_int_equal(oto_alphabet_create(&a, with_hyphen, 5, &strip, NULL), OTO_OK);
    expect("a-b! a/b? a'b", &strip, a, "a-b! a b ab");
    oto_alphabet_destroy(a);
    assert_int_equal(oto_alphabet_create(&a, no_apostrophe, 3, &strip, NULL), OTO_OK);
    expect("a'b a\u2019b", &strip, a, "ab ab");
    oto_alphabet_destroy(a);
    assert_int_equal(oto_alphabet_create(&a, curly, 5, &strip, NULL), OTO_OK);
    expect("a'b a\u2019b", &strip, a, "a'b a\u2019b");
    oto_alphabet_destroy(a);
}

static void invalid_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {"ab\xff", "ab\xc3", "ab\xed\xa0\x80", "ab\xc0\x80",
                                      "ab\xf5\x80\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *out;
        oto_error err;
        assert_int_equal(oto_text_normalise(&out, bad[i], &lower, NULL, &err), OTO_ERR_DATA);
        assert_null(out);
        assert_non_null(strstr(err.message, "byte 2"));
    }
}

/** Random texts over marks, punctuation and spaces: normalising twice is normalising once, and
 * never longer. */
static void idempotent(void **state)
{
    (void)state;
    static const int32_t pool[] = {'a',    'E',     ' ',    '\t',   ',',    '-',    '\'',   0x301,
                                   0x327,  0x323,   0x2019, 0xE9,   0x130,  0x1E9E, 0x3A3,  0xFEFF,
                                   0xA0,   0x1100,  0x1161, 0x11A8, 0x928,  0x93C,  0x4F60, 0x2603,
                                   0x2014, 0x1F600, 0x345,  0x390,  0x200D, 0x64B};
    for (uint64_t i = 0; i < 20000; i++) {
        char text[128], *once, *twice;
        size_t size = 0;
        for (uint64_t j = 0, n = oto_rng_below(i, 0, 0, 16); j < n; j++)
            size += oto_utf8_encode(pool[oto_rng_below(i, 1, j, sizeof pool / sizeof *pool)],
                                    text + size);
        text[size] = '\0';
        const struct oto_text_policy policy = {(int)(i % 3), (int)(i / 3 % 2)};
        assert_int_equal(oto_text_normalise(&once, text, &policy, NULL, NULL), OTO_OK);
        assert_int_equal(oto_text_normalise(&twice, once, &policy, NULL, NULL), OTO_OK);
        assert_string_equal(once, twice);
        oto_free(once);
        oto_free(twice);
    }
}

static void failing_memory(void **state)
{
    (void)state;
    for (size_t nth = 1;; nth++) {
        char *out;
        oto_mem_fail_nth(nth);
        oto_status status = oto_text_normalise(&out, "e,\u0301", &strip, NULL, NULL);
        oto_mem_fail_nth(0);
        oto_free(out);
        if (!status) {
            assert_true(nth > 2);
            return;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
        assert_null(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space),    cmocka_unit_test(letter_case),
        cmocka_unit_test(composition),    cmocka_unit_test(punctuation),
        cmocka_unit_test(scripts),        cmocka_unit_test(alphabet_decides),
        cmocka_unit_test(invalid_utf8),   cmocka_unit_test(idempotent),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
