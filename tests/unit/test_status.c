/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>

#include "base/status.h"
#include "base/utf8.h"
#include "otolith/otolith.h"

static void every_status_has_its_own_text(void **state)
{
    (void)state;
    for (int a = OTO_ERR_INTERRUPTED; a <= OTO_OK; a++) {
        const char *text = oto_status_text((oto_status)a);
        assert_true(strlen(text) > 3);
        assert_string_not_equal(text, "unknown status");
        for (int b = OTO_ERR_INTERRUPTED; b < a; b++) {
            assert_string_not_equal(text, oto_status_text((oto_status)b));
        }
    }
    assert_string_equal(oto_status_text((oto_status)-13), "unknown status");
    assert_string_equal(oto_status_text((oto_status)1), "unknown status");
}

static void version_is_three_numbers(void **state)
{
    (void)state;
    int a, b, c, end = 0;
    assert_int_equal(sscanf(oto_version(), "%d.%d.%d%n", &a, &b, &c, &end), 3);
    assert_int_equal(end, strlen(oto_version()));
}

static void fail_fills_the_record(void **state)
{
    (void)state;
    oto_error err = {0};
    assert_int_equal(oto_fail(&err, OTO_ERR_FORMAT, "%s:%d: bad", "a.tsv", 7), OTO_ERR_FORMAT);
    assert_int_equal(err.status, OTO_ERR_FORMAT);
    assert_string_equal(err.message, "a.tsv:7: bad");
    assert_int_equal(oto_fail(NULL, OTO_ERR_DATA, "%s", "nobody listens"), OTO_ERR_DATA);
    assert_int_equal(oto_fail_memory(&err, "weights"), OTO_ERR_MEMORY);
    assert_string_equal(err.message, "out of memory (weights)");
}

static void a_message_may_wrap_itself(void **state)
{
    (void)state;
    oto_error err = {OTO_ERR_IO, "inner"};
    assert_int_equal(oto_fail(&err, OTO_ERR_IO, "outer: %s", err.message), OTO_ERR_IO);
    assert_string_equal(err.message, "outer: inner");
}

static void long_messages_end_in_dots(void **state)
{
    (void)state;
    char fits[256], cut[257];
    oto_error err;
    memset(fits, 'x', 255);
    fits[255] = '\0';
    oto_fail(&err, OTO_ERR_DATA, "%s", fits);
    assert_string_equal(err.message, fits);
    memset(cut, 'x', 256);
    cut[256] = '\0';
    oto_fail(&err, OTO_ERR_DATA, "%s", cut);
    assert_int_equal(strlen(err.message), 255);
    assert_string_equal(err.message + 250, "xx...");
}

static void cutting_keeps_utf8_whole(void **state)
{
    (void)state;
    for (int shift = 0; shift < 8; shift++) {
        for (int width = 2; width <= 4; width++) {
            static const char *const letters[] = {"", "", "\xC3\xA9", "\xE2\x82\xAC",
                                                  "\xF0\x9F\x8E\xA4"};
            char text[600] = "";
            memset(text, 'a', (size_t)shift);
            for (int i = 0; i < 140; i++) {
                memcpy(text + shift + i * width, letters[width], (size_t)width + 1);
            }
            oto_error err;
            oto_fail(&err, OTO_ERR_DATA, "%s", text);
            size_t n = strlen(err.message);
            assert_true(n > 248 && n < 256);
            assert_string_equal(err.message + n - 3, "...");
            assert_int_equal(oto_utf8_invalid_at(err.message), -1);
        }
    }
}

static void what_a_terminal_would_obey_is_replaced(void **state)
{
    (void)state;
    oto_error err;
    oto_fail(&err, OTO_ERR_DATA, "%s", "a\x1B[2Jb\nc\td\x7F \xC2\x9B");
    assert_string_equal(err.message, "a?[2Jb?c?d? ?");
    oto_fail(&err, OTO_ERR_DATA, "%s", "caf\xC3\xA9 \xFF\xC3(");
    assert_string_equal(err.message, "caf\xC3\xA9 ?"
                                     "?(");
    oto_fail(&err, OTO_ERR_DATA, "\"%.4s\"", "caf\xC3\xA9"); /* cut by the precision */
    assert_string_equal(err.message, "\"caf?\"");
}

static void errno_becomes_words(void **state)
{
    (void)state;
    oto_error err;
    errno = ENOENT;
    assert_int_equal(oto_fail_errno(&err, "x.wav", "cannot open"), OTO_ERR_NOT_FOUND);
    assert_string_equal(err.message, "x.wav: cannot open: No such file or directory");
    errno = EACCES;
    assert_int_equal(oto_fail_errno(&err, "x.wav", "cannot open"), OTO_ERR_IO);
    errno = ENOMEM;
    assert_int_equal(oto_fail_errno(&err, "x.wav", "cannot map"), OTO_ERR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_own_text),
        cmocka_unit_test(version_is_three_numbers),
        cmocka_unit_test(fail_fills_the_record),
        cmocka_unit_test(a_message_may_wrap_itself),
        cmocka_unit_test(long_messages_end_in_dots),
        cmocka_unit_test(cutting_keeps_utf8_whole),
        cmocka_unit_test(what_a_terminal_would_obey_is_replaced),
        cmocka_unit_test(errno_becomes_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
