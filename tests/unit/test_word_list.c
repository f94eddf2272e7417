/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of words and phrases with a number each: what is read, and every kind of bad line. */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "decoder/word_list.h"

static struct oto_alphabet *alphabet, *spaceless;
static char folder[64], path[128];

static int set_up(void **state)
{
    (void)state;
    static const char *const symbols[] = {" ", "'", "a", "b", "c", "\xC3\xA9"};
    static const struct oto_text_policy policy = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
    assert_int_equal(oto_alphabet_create(&alphabet, symbols, 6, &policy, NULL), OTO_OK);
    assert_int_equal(oto_alphabet_create(&spaceless, symbols + 2, 4, &policy, NULL), OTO_OK);
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/list", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unit_remove_folder(folder);
    oto_alphabet_destroy(alphabet);
    oto_alphabet_destroy(spaceless);
    return 0;
}

static void check_item(const struct oto_word_list *list, size_t i, const char *text, double value)
{
    assert_in_range(i, 0, list->n - 1);
    assert_string_equal(list->items[i].text, text);
    assert_true(list->items[i].value == value);
    assert_ptr_equal(oto_word_list_find(list, text), &list->items[i]);
}

/* Normalised, sorted; of the same text the later line holds. */
static void reads_lines(void **state)
{
    (void)state;
    static const char text[] =
        "\xEF\xBB\xBF# names\nCab\n\n  b\t2.5\r\n \t\nA  Cab,\t-3\na-b\ncab\t7\n"
        "be\xCC\x81\n";
    const struct oto_word_list_rules rules = {alphabet, true, 1.5, -10, 10};
    struct oto_word_list list = {0};
    oto_error err = {0};
    unit_write_file(path, text, sizeof text - 1);
    assert_int_equal(oto_word_list_load(&list, path, &rules, &err), OTO_OK);
    assert_int_equal(oto_word_list_add(&list, "B b", 4, &rules, "here", &err), OTO_OK);
    oto_word_list_sort(&list);
    assert_int_equal(list.n, 6);
    check_item(&list, 0, "a b", 1.5);
    check_item(&list, 1, "a cab", -3);
    check_item(&list, 2, "b", 2.5);
    check_item(&list, 3, "b b", 4);
    check_item(&list, 4, "b\xC3\xA9", 1.5);
    check_item(&list, 5, "cab", 7);
    assert_null(oto_word_list_find(&list, "ca"));
    oto_word_list_clear(&list);
    oto_word_list_sort(&list);
    assert_null(oto_word_list_find(&list, "cab"));
}

static void bad_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        bool phrases, spaces;
        oto_status status;
        const char *message;
    } cases[] = {
        {"a\nx\n", 4, true, true, OTO_ERR_DATA, "/list:2: \"x\": 'x' (U+0078) is not in"},
        {"a\nb c\n", 6, false, true, OTO_ERR_DATA, "/list:2: \"b c\" is more than one word"},
        {"a\nb c\n", 6, true, false, OTO_ERR_DATA, "/list:2: \"b c\" is more than one word"},
        {"...\n", 4, true, true, OTO_ERR_DATA, "/list:1: empty, expected a word or phrase"},
        {"\t3\n", 3, false, true, OTO_ERR_DATA, "/list:1: empty, expected a word"},
        {"a\t\n", 3, true, true, OTO_ERR_DATA,
         "/list:1: found \"\", expected a number after the tab"},
        {"a\t5x\n", 5, true, true, OTO_ERR_DATA, "/list:1: found \"5x\", expected a number"},
        {"a\t11\n", 5, true, true, OTO_ERR_DATA,
         "/list:1: found 11, expected a number from -10 to 10"},
        {"a\xFF\n", 3, true, true, OTO_ERR_DATA, "/list:1: invalid UTF-8 at byte 1"},
        {"a\0b\n", 4, true, true, OTO_ERR_FORMAT, "/list:1: no text file"},
    };
    oto_error err = {0};
    struct oto_word_list list = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct oto_word_list_rules rules = {cases[i].spaces ? alphabet : spaceless,
                                                  cases[i].phrases, 0, -10, 10};
        unit_write_file(path, cases[i].text, cases[i].n);
        assert_int_equal(oto_word_list_load(&list, path, &rules, &err), cases[i].status);
        assert_contains(err.message, cases[i].message);
        oto_word_list_clear(&list);
    }
    const struct oto_word_list_rules rules = {alphabet, true, 0, -10, 10};
    assert_int_equal(oto_word_list_load(&list, "/nowhere/list", &rules, &err), OTO_ERR_NOT_FOUND);
    assert_int_equal(oto_word_list_add(&list, "a", (double)NAN, &rules, "here", &err),
                     OTO_ERR_DATA);
    assert_contains(err.message, "here: found nan");
    assert_int_equal(list.n, 0);
}

static void failing_memory(void **state)
{
    (void)state;
    const struct oto_word_list_rules rules = {alphabet, true, 0, -10, 10};
    unit_write_file(path, "a\nb\nc\na b\n", 10);
    for (size_t nth = 1;; nth++) {
        struct oto_word_list list = {0};
        oto_mem_fail_nth(nth);
        oto_status status = oto_word_list_load(&list, path, &rules, NULL);
        oto_mem_fail_nth(0);
        assert_in_range(list.n, 0, 4);
        oto_word_list_clear(&list);
        if (status == OTO_OK) {
            assert_true(nth > 5);
            return;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_lines), cmocka_unit_test(bad_lines),
                                       cmocka_unit_test(failing_memory)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
