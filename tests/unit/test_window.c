/* SPDX-License-Identifier: BSD-2-Clause */
/* Window shapes and the time-domain steps of a frame. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "features/window.h"
#include "near.h"

static void shapes_have_their_known_values(void **state)
{
    static const struct {
        enum oto_window_kind kind;
        double edge, quarter, middle;
    } known[] = {
        {OTO_WINDOW_POVEY, 0.0, 0.55478473603392, 1.0}, /* 0.5^0.85 */
        {OTO_WINDOW_HAMMING, 0.08, 0.54, 1.0},          {OTO_WINDOW_HANNING, 0.0, 0.5, 1.0},
        {OTO_WINDOW_BLACKMAN, 0.0, 0.34, 1.0},          {OTO_WINDOW_RECTANGULAR, 1.0, 1.0, 1.0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        float w[401];
        oto_window_fill(w, 401, known[i].kind, 0.42);
        assert_near(w[0], known[i].edge, 1e-6);
        assert_near(w[100], known[i].quarter, 1e-6);
        assert_near(w[200], known[i].middle, 1e-6);
        for (int k = 0; k < 401; k++)
            assert_near(w[k], w[400 - k], 1e-6);
    }
}

static void blackman_coefficient_is_used(void **state)
{
    float w[5];

    (void)state;
    oto_window_fill(w, 5, OTO_WINDOW_BLACKMAN, 0.3);
    assert_near(w[1], 0.3 - 0.2, 1e-6); /* cos(pi/2) = 0, cos(pi) = -1 */
}

static void steps_come_in_order(void **state)
{
    /* By hand: mean 3, so -2 -1 1 2; energy 10; pre-emphasis 0.5: -1, 0, 1.5, 1.5; window 1 2 3 4.
     */
    const float x[] = {1, 2, 4, 5}, w[] = {1, 2, 3, 4};
    const float expected[] = {-1, 0, 4.5f, 6};
    const struct oto_window_options options = {.remove_dc = true, .preemphasis = 0.5};
    float out[4], scratch[4];
    double energy = 0.0;

    (void)state;
    oto_window_process(out, scratch, x, w, 4, &options, &energy);
    for (int i = 0; i < 4; i++)
        assert_near(out[i], expected[i], 0.0);
    assert_near(energy, 10.0, 0.0);
}

static void steps_can_be_switched_off(void **state)
{
    const float x[] = {1, 2, 4, 5}, w[] = {1, 1, 1, 1};
    const struct oto_window_options options = {.remove_dc = false, .preemphasis = 0.0};
    float out[4], scratch[4];
    double energy = 0.0;

    (void)state;
    oto_window_process(out, scratch, x, w, 4, &options, &energy);
    for (int i = 0; i < 4; i++)
        assert_near(out[i], x[i], 0.0);
    assert_near(energy, 46.0, 0.0);
    oto_window_process(out, scratch, x, w, 4, &options, NULL);
}

static void all_lengths_equal_double_precision(void **state)
{
    const struct oto_window_options options = {.remove_dc = true, .preemphasis = 0.97};
    float x[70], w[70], out[70], scratch[70];

    (void)state;
    for (int n = 2; n <= 70; n++) {
        double mean = 0.0, energy = 0.0, raw = 0.0;
        for (int i = 0; i < n; i++) {
            x[i] = (float)(1000.0 * oto_rng_normal(3, (uint64_t)n, (uint64_t)i) + 300.0);
            mean += (double)x[i] / n;
        }
        oto_window_fill(w, n, OTO_WINDOW_HAMMING, 0.0);
        oto_window_process(out, scratch, x, w, n, &options, &raw);
        for (int i = 0; i < n; i++) {
            const double now = (double)x[i] - mean, before = (double)x[i ? i - 1 : 0] - mean;
            energy += now * now;
            assert_near(out[i], (double)w[i] * (now - 0.97 * before), 2e-3);
        }
        assert_near(raw / energy, 1.0, 1e-6);
        energy = 0.0;
        for (int i = 0; i < n; i++)
            energy += (double)x[i] * (double)x[i];
        assert_near(oto_window_energy(x, n) / energy, 1.0, 1e-14);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_have_their_known_values),
        cmocka_unit_test(blackman_coefficient_is_used),
        cmocka_unit_test(steps_come_in_order),
        cmocka_unit_test(steps_can_be_switched_off),
        cmocka_unit_test(all_lengths_equal_double_precision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
