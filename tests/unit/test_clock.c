/* SPDX-License-Identifier: BSD-2-Clause */
/* The wall's clock passes while we sleep, the processor's does not; both pass while we work. */
#include "unit.h"

#include <time.h>

#include "base/clock.h"

static void test_sleep(void **state)
{
    (void)state;
    const struct timespec pause = {.tv_nsec = 50000000};
    const double wall = oto_clock_wall_s(), cpu = oto_clock_cpu_s();
    nanosleep(&pause, NULL);
    const double slept = oto_clock_wall_s() - wall;
    assert_true(slept >= 0.05);
    assert_true(oto_clock_cpu_s() - cpu < 0.05);
}

static void test_work(void **state)
{
    (void)state;
    const double wall = oto_clock_wall_s(), cpu = oto_clock_cpu_s();
    while (oto_clock_cpu_s() - cpu < 0.01)
        ;
    assert_true(oto_clock_wall_s() - wall >= 0.0099); /* one thread; the clocks differ in grain */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sleep), cmocka_unit_test(test_work)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
