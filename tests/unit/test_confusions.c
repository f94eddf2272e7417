/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/mem.h"
#include "decoder/confusions.h"

static void counts_by_words(void **state)
{
    (void)state;
    static const struct {
        const char *ref, *hyp;
        uint64_t count;
    } expected[] = {{"the", "a", 3}, {"", "oh", 2}, {"b", "", 1}, {"b", "c", 1}};
    struct oto_confusions c = {0};
    oto_error err = {0};
    oto_confusions_sort(&c);
    assert_int_equal(oto_confusions_add(&c, "the cat", "a cat", &err), OTO_OK);
    assert_int_equal(oto_confusions_add(&c, "on the mat", "oh on a mat", &err), OTO_OK);
    assert_int_equal(oto_confusions_add(&c, "a b", "a", &err), OTO_OK);
    assert_int_equal(oto_confusions_add(&c, "b the x", "c a x oh", &err), OTO_OK);
    assert_int_equal(oto_confusions_add(&c, "", "", &err), OTO_OK);
    oto_confusions_sort(&c);
    assert_int_equal(c.n, 4);
    for (size_t i = 0; i < c.n; i++) {
        assert_string_equal(c.list[i].ref, expected[i].ref);
        assert_string_equal(c.list[i].hyp, expected[i].hyp);
        assert_int_equal(c.list[i].count, expected[i].count);
    }
    oto_confusions_clear(&c);
}

static void grows(void **state)
{
    (void)state;
    struct oto_confusions c = {0};
    oto_error err = {0};
    char word[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(word, sizeof word, "w%d", i % 300);
        assert_int_equal(oto_confusions_add(&c, word, "x", &err), OTO_OK);
    }
    oto_confusions_sort(&c);
    assert_int_equal(c.n, 300);
    assert_int_equal(c.list[0].count, 4);
    assert_int_equal(c.list[299].count, 3);
    oto_confusions_clear(&c);
}

static void failing_memory(void **state)
{
    (void)state;
    oto_status status = OTO_ERR_MEMORY;
    for (size_t nth = 1; status != OTO_OK; nth++) {
        struct oto_confusions c = {0};
        oto_error err = {0};
        assert_true(nth < 100);
        oto_mem_fail_nth(nth);
        status = oto_confusions_add(&c, "a b c", "d b e f", &err);
        oto_mem_fail_nth(0);
        assert_true(status == OTO_OK || status == OTO_ERR_MEMORY);
        oto_confusions_clear(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_by_words), cmocka_unit_test(grows),
                                       cmocka_unit_test(failing_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
