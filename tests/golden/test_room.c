/* SPDX-License-Identifier: BSD-2-Clause */
/* Rooms against pyroomacoustics (make_room.py). */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "training/room.h"

enum { RATE = 16000, N = 1600, ROOMS = 3, WING = 32 };

static const double pi = 3.14159265358979323846;

/* What it does not have: second-order Butterworth as in tests/unit/test_room.c. */
static void high_pass(double *x)
{
    double w = 1 / tan(pi * OTO_ROOM_HIGHPASS_HZ / RATE), a0 = w * w + sqrt(2) * w + 1;
    double in[2] = {0}, out[2] = {0};
    for (int i = 0; i < N; i++) {
        double y = (w * w * (x[i] - 2 * in[0] + in[1]) - (2 - 2 * w * w) * out[0] -
                    (w * w - sqrt(2) * w + 1) * out[1]) /
                   a0;
        in[1] = in[0];
        in[0] = x[i];
        out[1] = out[0];
        out[0] = x[i] = y;
    }
}

/* Sample i of x below 5 kHz. Both programs place an image between two samples by a windowed sinc,
 * on another grid and of another length, and so differ near the Nyquist frequency alone. */
static double low_pass(const double *x, int i)
{
    double sum = 0;
    for (int k = -WING; k <= WING; k++) {
        double share = 2 * 5000.0 / RATE, sinc = k == 0 ? share : sin(pi * share * k) / (pi * k);
        if (i + k >= 0 && i + k < N)
            sum += x[i + k] * sinc * (0.5 + 0.5 * cos(pi * k / WING));
    }
    return sum;
}

/*
 * Ours are off by 1/512 of a sample at most, which at 5 kHz is a phase of 2 pi 5/16 / 512 or 0.4 %
 * of each image; the golden file's places are its own program's.
 */
static void agrees_with_pyroomacoustics(void **state)
{
    (void)state;
    FILE *f = fopen(OTO_TEST_DATA "/room.f32", "rb");
    static float golden[N];
    static double ours[N], theirs[N];
    float place[10];
    assert_non_null(f);
    for (int k = 0; k < ROOMS; k++) {
        struct oto_room room;
        float *h;
        double errors = 0, sum = 0;
        assert_int_equal(fread(place, sizeof *place, 10, f), 10);
        assert_int_equal(fread(golden, sizeof *golden, N, f), N);
        for (int a = 0; a < 3; a++) {
            room.size_m[a] = (double)place[a];
            room.source_m[a] = (double)place[3 + a];
            room.microphone_m[a] = (double)place[6 + a];
        }
        room.reflection = (double)place[9];
        assert_int_equal(oto_room_response(&h, &room, N, RATE, NULL), OTO_OK);
        for (int i = 0; i < N; i++) {
            ours[i] = (double)h[i];
            theirs[i] = (double)golden[i];
        }
        oto_free(h);
        high_pass(theirs);
        for (int i = 0; i < N - WING; i++) {
            double expected = low_pass(theirs, i), error = low_pass(ours, i) - expected;
            errors += error * error;
            sum += expected * expected;
        }
        print_message("room %d: off by %.2g of its rms\n", k, sqrt(errors / sum));
        assert_true(sqrt(errors / sum) < 0.01);
    }
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_pyroomacoustics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
