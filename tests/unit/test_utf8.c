/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/mem.h"
#include "base/utf8.h"

static void decode_encode_all(void **state)
{
    (void)state;
    for (int32_t c = 1; c <= 0x110010; c++) {
        char text[5] = "";
        size_t n = oto_utf8_encode(c, text);
        bool scalar = c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF);
        size_t expected = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        assert_int_equal(n, scalar ? expected : 0);
        if (scalar) {
            size_t read;
            assert_int_equal(oto_utf8_next(text, &read), c);
            assert_int_equal(read, n);
        }
    }
    char out[4];
    assert_int_equal(oto_utf8_encode(-1, out), 0);
    size_t n = 9;
    assert_int_equal(oto_utf8_next("", &n), 0);
}

static void invalid_sequences_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ptrdiff_t at;
    } cases[] = {
        {"", -1},
        {"plain", -1},
        {"na\xC3\xAFve", -1},
        {"\x80", 0},             /* continuation alone */
        {"ab\xC3", 2},           /* cut at the end */
        {"a\xE2\x82", 1},        /* cut at the end */
        {"a\xF0\x9F\x8E", 1},    /* cut at the end */
        {"\xC0\xAF", 0},         /* overlong */
        {"\xE0\x80\xAF", 0},     /* overlong */
        {"x\xED\xA0\x80", 1},    /* surrogate */
        {"\xF4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xFF", 0},
        {"\xC3(", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = strlen(cases[i].text) + 1;
        char *exact = malloc(size); /* AddressSanitizer watches the end */
        assert_non_null(exact);
        memcpy(exact, cases[i].text, size);
        assert_int_equal(oto_utf8_invalid_at(exact), cases[i].at);
        free(exact);
    }
    size_t n = 0;
    assert_int_equal(oto_utf8_next("\xFFz", &n), -1);
    assert_int_equal(n, 1);
}

static void length_counts_code_points(void **state)
{
    (void)state;
    assert_int_equal(oto_utf8_length(""), 0);
    assert_int_equal(oto_utf8_length("na\xC3\xAFve \xF0\x9F\x8E\xA4"), 7);
}

static void check_nfc(const char *in, enum oto_text_case letter_case, const char *expected)
{
    char *out = NULL;
    oto_error err = {0};
    assert_int_equal(oto_utf8_nfc(&out, in, letter_case, &err), OTO_OK);
    assert_string_equal(out, expected);
    oto_free(out);
}

static void text_is_composed_and_cased(void **state)
{
    (void)state;
    check_nfc("", OTO_CASE_KEEP, "");
    check_nfc("A\xCC\x8Angstr\xC3\xB6m", OTO_CASE_KEEP, "\xC3\x85ngstr\xC3\xB6m");
    check_nfc("A\xCC\x8Angstr\xC3\x96m", OTO_CASE_LOWER, "\xC3\xA5ngstr\xC3\xB6m");
    check_nfc("stra\xC3\x9F\x65 \xCE\xB1", OTO_CASE_UPPER, "STRA\xE1\xBA\x9E\x45 \xCE\x91");
    check_nfc("\xEF\xBB\xBFmark", OTO_CASE_KEEP, "mark");
    check_nfc("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", OTO_CASE_KEEP, "\xED\x95\x9C"); /* Hangul */
    check_nfc("\xE2\x84\xA6", OTO_CASE_KEEP, "\xCE\xA9");     /* ohm sign is canonically omega */
    check_nfc("\xEF\xAC\x81", OTO_CASE_KEEP, "\xEF\xAC\x81"); /* ligature stays: NFC, not NFKC */
}

static void invalid_text_is_refused(void **state)
{
    (void)state;
    oto_error err = {0};
    char *out = (char *)&err;
    assert_int_equal(oto_utf8_nfc(&out, "ok\xFF", OTO_CASE_KEEP, &err), OTO_ERR_DATA);
    assert_null(out);
    assert_contains(err.message, "byte 2");
    assert_contains(err.message, "0xff");
    oto_mem_fail_nth(1);
    assert_int_equal(oto_utf8_nfc(&out, "ok", OTO_CASE_KEEP, &err), OTO_ERR_MEMORY);
    oto_mem_fail_nth(0);
    assert_null(out);
}

static void classes(void **state)
{
    (void)state;
    static const int32_t spaces[] = {' ',  '\t', '\n',   '\r',   0x0B,   0x0C,
                                     0x85, 0xA0, 0x2009, 0x2028, 0x2029, 0x3000};
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        assert_true(oto_utf8_is_space(spaces[i]));
    }
    assert_false(oto_utf8_is_space('a'));
    assert_false(oto_utf8_is_space(0x200B)); /* zero width: a format character */
    assert_false(oto_utf8_is_space(0));
    static const int32_t marks[] = {'.',    ',',    '!',  '?',    '-', '\'', '"', '(', '_',
                                    0x2019, 0x2014, 0xBF, 0x3002, '$', '+',  '^', 0xA9};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        assert_true(oto_utf8_is_punctuation(marks[i]));
    }
    static const int32_t others[] = {'a', '0', ' ', 0xE9, 0x0301, 0x4E00, '\n', -1, 0x110000};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(oto_utf8_is_punctuation(others[i]));
    }
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(oto_utf8_width('a'), 1);
    assert_int_equal(oto_utf8_width(0x4E00), 2);
    assert_int_equal(oto_utf8_width(0x0301), 0);
    assert_int_equal(oto_utf8_width('\n'), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_encode_all),
        cmocka_unit_test(invalid_sequences_are_found),
        cmocka_unit_test(length_counts_code_points),
        cmocka_unit_test(text_is_composed_and_cased),
        cmocka_unit_test(invalid_text_is_refused),
        cmocka_unit_test(classes),
        cmocka_unit_test(widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
