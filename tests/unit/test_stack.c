/* SPDX-License-Identifier: BSD-2-Clause */
/* Frame stacking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "features/stack.h"
#include "near.h"

static void a_short_example_by_hand(void **state)
{
    const float x[] = {1, 2, 3, 4, 5};
    const float threes[] = {1, 2, 3, 4, 5, 5}, overlapping[] = {1, 2, 3, 3, 4, 5, 5, 5, 5};
    const float thinned[] = {1, 3, 5};
    float out[9];

    (void)state;
    oto_stack_apply(out, x, 5, 1, 3, 3);
    assert_memory_equal(out, threes, sizeof threes);
    oto_stack_apply(out, x, 5, 1, 3, 2);
    assert_memory_equal(out, overlapping, sizeof overlapping);
    oto_stack_apply(out, x, 5, 1, 1, 2);
    assert_memory_equal(out, thinned, sizeof thinned);
}

static void every_element_comes_from_its_frame(void **state)
{
    float x[20 * 3], out[20 * 3 * 7];

    (void)state;
    for (int i = 0; i < 60; i++)
        x[i] = (float)i;
    for (size_t n = 0; n <= 20; n++)
        for (int stack = 1; stack <= 7; stack++)
            for (int stride = 1; stride <= 5; stride++) {
                const size_t rows = oto_stack_n_frames(n, stride);
                assert_int_equal(rows, (n + (size_t)stride - 1) / (size_t)stride);
                oto_stack_apply(out, x, n, 3, stack, stride);
                for (size_t j = 0; j < rows; j++)
                    for (size_t s = 0; s < (size_t)stack; s++)
                        for (size_t k = 0; k < 3; k++) {
                            const size_t t = j * (size_t)stride + s;
                            assert_near(out[(j * (size_t)stack + s) * 3 + k],
                                        x[(t < n ? t : n - 1) * 3 + k], 0.0);
                        }
            }
}

static void no_frames_give_no_vectors(void **state)
{
    float out = 7.0f;

    (void)state;
    assert_int_equal(oto_stack_n_frames(0, 3), 0);
    assert_int_equal(oto_stack_n_frames(SIZE_MAX, 3),
                     SIZE_MAX / 3); /* 2^64 - 1 is divisible by 3 */
    oto_stack_apply(&out, NULL, 0, 3, 3, 3);
    assert_near(out, 7.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_example_by_hand),
        cmocka_unit_test(every_element_comes_from_its_frame),
        cmocka_unit_test(no_frames_give_no_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
