/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/mem.h"

static void blocks_are_aligned_zero_and_padded(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        unsigned char *p = oto_calloc(n, 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % OTO_ALIGN, 0);
        size_t padded = (n + OTO_ALIGN - 1) / OTO_ALIGN * OTO_ALIGN;
        for (size_t i = 0; i < padded;
             i++) { /* AddressSanitizer objects if the padding is not ours */
            assert_int_equal(p[i], 0);
            p[i] = 0xA5;
        }
        oto_free(p);
    }
    oto_free(NULL);
}

static void products_are_checked(void **state)
{
    (void)state;
    size_t product = 7;
    assert_true(oto_mul_size(0, SIZE_MAX, &product));
    assert_int_equal(product, 0);
    assert_true(oto_mul_size(SIZE_MAX, 1, &product));
    assert_true(product == SIZE_MAX);
    assert_true(oto_mul_size(SIZE_MAX / 2, 2, &product));
    assert_false(oto_mul_size(SIZE_MAX / 2 + 1, 2, &product));
    assert_false(oto_mul_size(SIZE_MAX, SIZE_MAX, &product));
    assert_null(oto_calloc(SIZE_MAX / 2 + 1, 2));
    assert_null(oto_calloc(SIZE_MAX, 1));
    assert_null(oto_calloc((size_t)PTRDIFF_MAX, 1));
    assert_null(oto_realloc(NULL, 0, SIZE_MAX / 4, 8));
}

static void realloc_keeps_and_zeroes(void **state)
{
    (void)state;
    int *p = oto_realloc(NULL, 0, 3, sizeof *p);
    assert_non_null(p);
    for (int i = 0; i < 3; i++) {
        p[i] = i + 1;
    }
    p = oto_realloc(p, 3, 100, sizeof *p);
    assert_non_null(p);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(p[i], i < 3 ? i + 1 : 0);
        p[i] = i;
    }
    p = oto_realloc(p, 100, 2, sizeof *p);
    assert_int_equal(p[1], 1);
    p = oto_realloc(p, 2, 10, sizeof *p); /* what was dropped must come back as zero */
    assert_int_equal(p[2], 0);
    assert_int_equal((uintptr_t)p % OTO_ALIGN, 0);
    oto_free(p);
}

static void strings_are_copied(void **state)
{
    (void)state;
    char *a = oto_strdup("speech");
    char *b = oto_strndup("speech", 3);
    char *c = oto_strndup("speech", 100);
    char *d = oto_strdup("");
    assert_string_equal(a, "speech");
    assert_string_equal(b, "spe");
    assert_string_equal(c, "speech");
    assert_string_equal(d, "");
    oto_free(a);
    oto_free(b);
    oto_free(c);
    oto_free(d);
}

static void the_nth_allocation_fails_once(void **state)
{
    (void)state;
    oto_mem_fail_nth(3);
    void *a = oto_calloc(1, 1);
    char *b = oto_strdup("b");
    assert_non_null(a);
    assert_non_null(b);
    assert_null(oto_realloc(a, 1, 2, 1)); /* a stays ours */
    void *c = oto_calloc(1, 1);
    assert_non_null(c);
    assert_int_equal(oto_mem_fail_nth(0), 4);
    assert_int_equal(oto_mem_fail_nth(1), 0);
    oto_mem_fail_nth(0); /* switched off again before it struck */
    void *d = oto_calloc(1, 1);
    assert_non_null(d);
    assert_int_equal(oto_mem_fail_nth(0), 1);
    oto_free(a);
    oto_free(b);
    oto_free(c);
    oto_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_zero_and_padded),
        cmocka_unit_test(products_are_checked),
        cmocka_unit_test(realloc_keeps_and_zeroes),
        cmocka_unit_test(strings_are_copied),
        cmocka_unit_test(the_nth_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
