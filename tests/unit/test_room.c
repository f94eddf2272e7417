/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "near.h"
#include "training/room.h"

enum { RATE = 16000 };

static const double pi = 3.14159265358979323846, speed_m_s = 343;

/* s^2 / (s^2 + sqrt(2) s + 1), s = w (1 - 1/z) / (1 + 1/z), w = 1/tan: cuts below 80 Hz. */
static void filter(double *h, int n)
{
    double w = 1 / tan(pi * OTO_ROOM_HIGHPASS_HZ / RATE), a0 = w * w + sqrt(2) * w + 1;
    double before[2] = {0}, out[2] = {0};
    for (int i = 0; i < n; i++) {
        double y = (w * w * (h[i] - 2 * before[0] + before[1]) - (2 - 2 * w * w) * out[0] -
                    (w * w - sqrt(2) * w + 1) * out[1]) /
                   a0;
        before[1] = before[0];
        before[0] = h[i];
        out[1] = out[0];
        out[0] = h[i] = y;
    }
}

/* The response by Allen and Berkley's own double sum over p = (q, j, k) and r = (n, l, m), in
 * double precision, with the windowed sinc computed for each sample of each image. */
static double *direct_sum(const struct oto_room *room, int n)
{
    double *h = calloc((size_t)n, sizeof *h), direct = 0;
    const double *L = room->size_m, *s = room->source_m, *m = room->microphone_m;
    assert_non_null(h);
    for (int a = 0; a < 3; a++)
        direct += (s[a] - m[a]) * (s[a] - m[a]);
    direct = sqrt(direct);
    double reach = direct + n * speed_m_s / RATE;
    for (int p = 0; p < 8; p++)
        for (int x = -60; x <= 60; x++)
            for (int y = -60; y <= 60; y++)
                for (int z = -60; z <= 60; z++) {
                    const int q[3] = {p & 1, p >> 1 & 1, p >> 2}, r[3] = {x, y, z};
                    double square = 0, height = 1;
                    for (int a = 0; a < 3; a++) {
                        /* R_p + R_r: from microphone to image */
                        double along = (s[a] - m[a]) - 2 * q[a] * s[a] + 2 * r[a] * L[a];
                        square += along * along;
                    }
                    double distance = sqrt(square);
                    if (distance > reach)
                        continue;
                    for (int a = 0; a < 3; a++)
                        height *= pow(room->reflection, abs(r[a] - q[a]) + abs(r[a]));
                    double at = (distance - direct) / speed_m_s * RATE;
                    for (int i = (int)at - 17; i <= (int)at + 17; i++) {
                        double d = i - at;
                        if (i < 0 || i >= n || fabs(d) >= 16)
                            continue;
                        double sinc = d == 0 ? 1 : sin(pi * d) / (pi * d);
                        h[i] += height * direct / distance * sinc * (0.5 + 0.5 * cos(pi * d / 16));
                    }
                }
    filter(h, n);
    return h;
}

/*
 * Off by the place of an image between two samples, 1/256 apart, so by 1/512 at most; the slope of
 * a sinc is at most 1.4 (at 0.66 from its top), summed over all images that touch a sample. The
 * error of each image being evenly spread, it is the root of the sum of squares that counts; 1 % of
 * the response's rms is three times of what 1.4/512/sqrt(3) gives.
 */
static void is_the_sum_of_images(void **state)
{
    (void)state;
    static const struct oto_room rooms[] = {
        {{5, 4, 3}, {1, 1.5, 1.2}, {3.2, 2.1, 1.6}, 0.8},
        {{3.1, 6.7, 2.4}, {2.5, 6, 0.6}, {0.6, 0.7, 1.9}, 0.6},
        {{8, 3, 2.7}, {4, 1.5, 1.35}, {4.4, 1.5, 1.35}, 0.9}, /* in the middle: images coincide */
    };
    enum { N = 1200 };
    for (size_t k = 0; k < sizeof rooms / sizeof *rooms; k++) {
        float *h;
        double *expected = direct_sum(&rooms[k], N), worst = 0, sum = 0, errors = 0;
        assert_int_equal(oto_room_response(&h, &rooms[k], N, RATE, NULL), OTO_OK);
        for (int i = 0; i < N; i++) {
            double error = (double)h[i] - expected[i];
            worst = fmax(worst, fabs(error));
            errors += error * error;
            sum += expected[i] * expected[i];
        }
        print_message("room %zu: off by %.2g of its rms, at most %.2g\n", k, sqrt(errors / sum),
                      worst);
        assert_true(sqrt(errors / sum) < 0.01 && worst < 0.01);
        oto_free(h);
        free(expected);
    }
}

/* Without reflection there is the direct sound alone. */
static void dead_rooms_are_silent(void **state)
{
    (void)state;
    const struct oto_room room = {{5, 4, 3}, {1, 1.5, 1.2}, {3.2, 2.1, 1.6}, 0};
    float *h;
    assert_int_equal(oto_room_response(&h, &room, 800, RATE, NULL), OTO_OK);
    double expected[800] = {1};
    filter(expected, 800);
    for (int i = 0; i < 800; i++)
        assert_near(h[i], expected[i], 1e-6);
    oto_free(h);
}

/* Seconds for 60 dB, from the fall between -5 and -25 dB of the energy that is still to come
 * (Schroeder 1965; T20 of ISO 3382). */
static double decay_of(const float *h, size_t n)
{
    double *left = calloc(n + 1, sizeof *left);
    size_t at_5 = 0, at_25 = 0;
    assert_non_null(left);
    for (size_t i = n; i-- > 0;)
        left[i] = left[i + 1] + (double)h[i] * (double)h[i];
    for (size_t i = 0; i < n; i++) {
        double db = 10 * log10(left[i] / left[0]);
        at_5 = db > -5 ? i : at_5;
        at_25 = db > -25 ? i : at_25;
    }
    free(left);
    return (double)(at_25 - at_5) / RATE * 60 / 20;
}

/* The formula that the walls come from is for rays from everywhere that have all just left; direct
 * sound and first reflections are single rays, so single rooms differ, and their mean a little. */
static void rings_as_long_as_told(void **state)
{
    (void)state;
    static const double wanted[] = {0.2, 0.4, 0.8};
    for (int k = 0; k < 3; k++) {
        double mean = 0, least = 1e9, greatest = 0;
        enum { ROOMS = 12 };
        for (uint64_t stream = 0; stream < ROOMS; stream++) {
            struct oto_room room;
            float *h;
            size_t n = (size_t)(1.3 * wanted[k] * RATE);
            oto_room_draw(&room, wanted[k], 3, stream);
            assert_int_equal(oto_room_response(&h, &room, n, RATE, NULL), OTO_OK);
            double decay = decay_of(h, n);
            mean += decay / ROOMS;
            least = fmin(least, decay);
            greatest = fmax(greatest, decay);
            oto_free(h);
        }
        print_message("wanted %.1f s: mean %.3f s, %.3f to %.3f s\n", wanted[k], mean, least,
                      greatest);
        assert_near(mean, wanted[k], wanted[k] / 10);
        assert_true(least > 0.7 * wanted[k] && greatest < 1.4 * wanted[k]);
    }
}

static void draws_rooms_of_their_kind(void **state)
{
    (void)state;
    for (uint64_t stream = 0; stream < 500; stream++) {
        struct oto_room room, again;
        double distance = 0;
        oto_room_draw(&room, 0.3, 9, stream);
        oto_room_draw(&again, 0.3, 9, stream);
        assert_memory_equal(&room, &again, sizeof room);
        for (int a = 0; a < 3; a++) {
            assert_true(room.size_m[a] >= 2.3 && room.size_m[a] <= 10);
            assert_true(room.source_m[a] >= 0.5 && room.source_m[a] <= room.size_m[a] - 0.5);
            assert_true(room.microphone_m[a] >= 0.5 &&
                        room.microphone_m[a] <= room.size_m[a] - 0.5);
            distance += pow(room.source_m[a] - room.microphone_m[a], 2);
        }
        assert_true(distance >= 0.09);
        assert_true(room.reflection > 0 && room.reflection < 1);
    }
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    const struct oto_room room = {{5, 4, 3}, {1, 1.5, 1.2}, {3.2, 2.1, 1.6}, 0.5};
    float *h;
    oto_mem_fail_nth(0);
    assert_int_equal(oto_room_response(&h, &room, 300, RATE, NULL), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    oto_free(h);
    assert_int_equal(n, 6);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_room_response(&h, &room, 300, RATE, NULL), OTO_ERR_MEMORY);
        assert_null(h);
    }
    oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_sum_of_images),    cmocka_unit_test(dead_rooms_are_silent),
        cmocka_unit_test(rings_as_long_as_told),   cmocka_unit_test(draws_rooms_of_their_kind),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
