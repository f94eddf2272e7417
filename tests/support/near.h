/* SPDX-License-Identifier: BSD-2-Clause */
/** assert_near(a, b, epsilon): |a - b| <= epsilon in double, with both values in the message
 * (cmocka's own works in float). */
#ifndef OTO_TESTS_NEAR_H
#define OTO_TESTS_NEAR_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline void assert_near_at(double a, double b, double epsilon, const char *file, int line)
{
    if (!(fabs(a - b) <= epsilon)) { /* NaN fails */
        print_error("%.9g is not %.9g within %g\n", a, b, epsilon);
        _fail(file, line);
    }
}

#define assert_near(a, b, epsilon)                                                                 \
    assert_near_at((double)(a), (double)(b), (epsilon), __FILE__, __LINE__)

#endif
