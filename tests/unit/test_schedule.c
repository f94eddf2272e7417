/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "training/schedule.h"

static void assert_rate(const struct oto_schedule *s, uint64_t step, double expected)
{
    double found = oto_schedule_rate(s, step, 0);
    if (fabs(found - expected) > 1e-15)
        fail_msg("step %d: %.17g, expected %.17g", (int)step, found, expected);
}

static void warms_up_in_equal_steps(void **state)
{
    (void)state;
    for (int kind = OTO_SCHEDULE_CONSTANT; kind <= OTO_SCHEDULE_NEWBOB; kind++) {
        const struct oto_schedule s = {kind, 0.8, 4, 12};
        assert_rate(&s, 0, 0.2);
        assert_rate(&s, 1, 0.4);
        assert_rate(&s, 3, 0.8);
        assert_rate(&s, 4, 0.8); /* the peak is held for the first step after it in every kind */
    }
}

static void falls_as_its_name_says(void **state)
{
    (void)state;
    const struct oto_schedule constant = {OTO_SCHEDULE_CONSTANT, 0.8, 4, 12};
    const struct oto_schedule linear = {OTO_SCHEDULE_LINEAR, 0.8, 4, 12};
    const struct oto_schedule cosine = {OTO_SCHEDULE_COSINE, 0.8, 4, 12};
    assert_rate(&constant, 11, 0.8);
    assert_rate(&constant, 1000, 0.8);
    assert_rate(&linear, 8, 0.4);
    assert_rate(&linear, 11, 0.1);
    assert_rate(&linear, 12, 0);
    assert_rate(&linear, 1000, 0);
    assert_rate(&cosine, 6, 0.8 * (1 + sqrt(0.5)) / 2);
    assert_rate(&cosine, 8, 0.4);
    assert_rate(&cosine, 12, 0);
    assert_rate(&cosine, 1000, 0);
}

static void needs_no_warm_up(void **state)
{
    (void)state;
    const struct oto_schedule s = {OTO_SCHEDULE_LINEAR, 1, 0, 4};
    assert_rate(&s, 0, 1);
    assert_rate(&s, 1, 0.75);
}

static void halves_by_the_dev_loss(void **state)
{
    (void)state;
    const double none = (double)NAN;
    const struct oto_schedule s = {OTO_SCHEDULE_PLATEAU, 0.8, 4, 12};
    assert_true(fabs(oto_schedule_rate(&s, 6, 3) - 0.1) < 1e-15);
    assert_true(fabs(oto_schedule_rate(&s, 1, 1) - 0.2) < 1e-15);
    assert_true(oto_schedule_rate(&s, 6, UINT64_MAX) < 1e-300);
    for (int kind = OTO_SCHEDULE_CONSTANT; kind <= OTO_SCHEDULE_NEWBOB; kind++) {
        bool plateau = kind == OTO_SCHEDULE_PLATEAU, newbob = kind == OTO_SCHEDULE_NEWBOB;
        assert_int_equal(oto_schedule_watches(kind), plateau || newbob);
        assert_false(oto_schedule_halves(kind, 2, none, none, 0));
        assert_int_equal(oto_schedule_halves(kind, 2, 2, 3, 0), plateau);
        assert_false(oto_schedule_halves(kind, 1.9, 2, 3, 0));
        assert_int_equal(oto_schedule_halves(kind, 1.99, 2, 2, 0), newbob);
        assert_int_equal(oto_schedule_halves(kind, 1, 2, 3, 1), newbob);
        assert_int_equal(oto_schedule_halves(kind, none, 2, 3, 0), plateau || newbob);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warms_up_in_equal_steps),
        cmocka_unit_test(falls_as_its_name_says),
        cmocka_unit_test(needs_no_warm_up),
        cmocka_unit_test(halves_by_the_dev_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
