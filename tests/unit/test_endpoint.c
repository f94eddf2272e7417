/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "api/endpoint.h"
#include "base/rng.h"

enum { RATE = 16000, BLOCK = RATE / 100 };

static struct oto_endpoint e;
static float last_start_s, last_end_s;
static int n_starts, n_ends;
static uint64_t at; /* blocks since start() */

static void start(void)
{
    struct oto_endpoint_options options;
    oto_endpoint_options_init(&options);
    oto_endpoint_init(&e, RATE, &options);
    n_starts = n_ends = 0;
    at = 0;
}

/* White noise of that level, dB of full scale, for so long; turns of it where half is less. */
static void hear(double seconds, double level_db, double other_db)
{
    float block[BLOCK];
    for (int k = 0; k < (int)(100 * seconds + 0.5); k++, at++) {
        double amplitude = pow(10, (k / 10 % 2 == 0 ? level_db : other_db) / 20);
        for (uint64_t i = 0; i < BLOCK; i++)
            block[i] = (float)(amplitude * oto_rng_normal(3, 0, at * BLOCK + i));
        enum oto_endpoint_event event = oto_endpoint_push(&e, block);
        if (event == OTO_ENDPOINT_START) {
            n_starts++;
            last_start_s = (float)(at + 1) / 100;
        } else if (event == OTO_ENDPOINT_END) {
            n_ends++;
            last_end_s = (float)(at + 1) / 100;
        }
        assert_int_equal(n_starts - n_ends, e.speaking);
    }
}

static void test_speech_in_quiet(void **state)
{
    (void)state;
    start();
    hear(2, -80, -80);
    assert_int_equal(n_starts, 0);
    hear(3, -25, -45);
    assert_int_equal(n_starts, 1);
    assert_true(last_start_s > 2.05F && last_start_s < 2.15F);
    assert_int_equal(n_ends, 0);
    hear(2, -80, -80);
    assert_int_equal(n_ends, 1);
    assert_true(last_end_s > 5.75F && last_end_s < 5.85F); /* silence_s later */
    hear(1, -25, -45);
    hear(0.5, -80, -80); /* a short pause ends nothing */
    hear(1, -25, -45);
    assert_int_equal(n_starts, 2);
    assert_int_equal(n_ends, 1);
}

static void test_begins_with_speech(void **state)
{
    (void)state;
    start();
    hear(1, -25, -35);
    assert_int_equal(n_starts, 1);
    assert_true(last_start_s < 0.15F);
    hear(1.5, -70, -70);
    assert_int_equal(n_ends, 1);
}

static void test_quiet_speaker(void **state)
{
    (void)state;
    start();
    hear(2, -85, -85);
    hear(2, -55, -70);
    assert_int_equal(n_starts, 1);
}

/* Steady noise is known after three seconds at the latest; speech stands out of it. */
static void test_noise(void **state)
{
    (void)state;
    start();
    hear(20, -58, -58);
    assert_int_equal(n_starts, 0);
    hear(2, -35, -50);
    assert_int_equal(n_starts, 1);
    hear(2, -58, -58);
    assert_int_equal(n_ends, 1);
    hear(60, -58, -58);
    assert_int_equal(n_starts, 1);
}

/* Noise as loud as speech may be: somebody must say what it is. */
static void test_loud_noise(void **state)
{
    (void)state;
    start();
    hear(5, -30, -30);
    assert_int_equal(n_starts, 1);
    assert_int_equal(n_ends, 0);
    oto_endpoint_is_noise(&e);
    n_ends++;
    hear(60, -30, -30);
    assert_int_equal(n_starts, 1);
    hear(1, -12, -20);
    assert_int_equal(n_starts, 2);
}

static void test_clicks_and_silence(void **state)
{
    (void)state;
    float zeros[BLOCK] = {0}, click[BLOCK] = {0};
    start();
    for (int i = 0; i < 60000; i++)
        assert_int_equal(oto_endpoint_push(&e, zeros), OTO_ENDPOINT_NONE);
    click[5] = 0.8F;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(oto_endpoint_push(&e, i % 20 == 0 ? click : zeros), OTO_ENDPOINT_NONE);
    /* nor do clicks keep an utterance alive */
    hear(1, -25, -35);
    assert_int_equal(n_starts, 1);
    int ended = 0;
    for (int i = 0; i < 200; i++)
        ended += oto_endpoint_push(&e, i % 20 == 0 ? click : zeros) == OTO_ENDPOINT_END;
    assert_int_equal(ended, 1);
}

/* A constant added to all samples changes nothing but the first block. */
static void test_offset(void **state)
{
    (void)state;
    float block[BLOCK];
    start();
    for (int k = 0; k < 300; k++) {
        for (uint64_t i = 0; i < BLOCK; i++)
            block[i] = 0.5F + 1e-5F * (float)oto_rng_normal(3, 0, (uint64_t)k * BLOCK + i);
        assert_int_equal(oto_endpoint_push(&e, block), OTO_ENDPOINT_NONE);
    }
    oto_endpoint_go_on(&e);
    assert_true(e.speaking);
    oto_endpoint_reset(&e);
    assert_false(e.speaking);
    assert_int_equal(e.block, BLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_speech_in_quiet), cmocka_unit_test(test_begins_with_speech),
        cmocka_unit_test(test_quiet_speaker),   cmocka_unit_test(test_noise),
        cmocka_unit_test(test_loud_noise),      cmocka_unit_test(test_clicks_and_silence),
        cmocka_unit_test(test_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
