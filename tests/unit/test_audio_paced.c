/* SPDX-License-Identifier: BSD-2-Clause */
/* A file at the speed of a microphone, and what happens to those who come late. */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "near.h"
#include "otolith/audio.h"

enum { RATE = 8000, TOTAL = RATE * 60 };

static int16_t ramp[TOTAL];

/* One sample a number: 16 bits count to 65535 and again from there. */
static oto_audio *open_ramp(double pace, int rate_hz, size_t n)
{
    oto_audio *audio = NULL;
    oto_audio_options options;
    oto_error err = {OTO_OK, ""};
    oto_audio_options_init(&options);
    options.raw = "s16le:8000:1";
    options.pace = pace;
    options.rate_hz = rate_hz;
    if (oto_audio_open_memory(&audio, ramp, n * sizeof *ramp, "ramp", &options, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return audio;
}

static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* Half a second takes no less than that, and arrives in small portions. */
static void test_speed(void **state)
{
    (void)state;
    float block[4096];
    double start = oto_clock_wall_s();
    oto_audio *audio = open_ramp(1, 0, RATE / 2);
    oto_audio_info info;
    size_t n = 1, total = 0, most = 0;
    while (n > 0) {
        assert_int_equal(oto_audio_read(audio, block, 4096, &n, NULL), OTO_OK);
        for (size_t i = 0; i < n; i++)
            assert_true(block[i] * 32768 == (float)ramp[total + i]);
        total += n;
        most = n > most ? n : most;
    }
    double took = oto_clock_wall_s() - start;
    oto_audio_get_info(audio, &info);
    oto_audio_close(audio);
    assert_int_equal(total, RATE / 2);
    assert_int_equal(info.n_lost, 0);
    assert_int_equal(info.source_rate_hz, RATE);
    assert_near(info.seconds, 0.5, 1e-9);
    assert_true(took >= 0.49);
    print_message("0.5 s took %.3f s, at most %zu samples at once\n", took, most);
}

/* All that was given is read or told as lost, at the right place, at either rate. */
static void check_late_reader(int rate_hz)
{
    static float block[8192];
    oto_audio *audio = open_ramp(400, rate_hz, TOTAL); /* a minute in 150 ms */
    oto_audio_info info;
    oto_audio_gap gap;
    const double ratio = rate_hz > 0 ? (double)rate_hz / RATE : 1;
    uint64_t n_read = 0, n_lost = 0, n_gaps = 0;
    size_t n = 1;
    while (n > 0) {
        assert_int_equal(oto_audio_read(audio, block, 8192, &n, NULL), OTO_OK);
        n_read += n;
        while (oto_audio_next_gap(audio, &gap)) {
            n_gaps++;
            n_lost += gap.n_lost;
            assert_true(gap.position <= n_read + 4096);
        }
        if (n_gaps == 0)
            pause_ms(20);
    }
    oto_audio_get_info(audio, &info);
    print_message("%llu read, %llu lost in %llu gaps\n", (unsigned long long)n_read,
                  (unsigned long long)n_lost, (unsigned long long)n_gaps);
    assert_true(n_gaps > 0 && n_lost > 0);
    assert_contains(info.warning, "samples were lost at");
    assert_near((double)n_lost, (double)info.n_lost * ratio, 1);
    assert_near((double)(n_read + n_lost), TOTAL * ratio, 2);
    oto_audio_close(audio);
}

static void test_late_reader(void **state)
{
    (void)state;
    check_late_reader(0);
    check_late_reader(16000);
}

/* Closing does not wait for the rest. */
static void test_close_early(void **state)
{
    (void)state;
    float block[16];
    size_t n = 0;
    double start = oto_clock_wall_s();
    oto_audio *audio = open_ramp(1, 0, TOTAL);
    assert_int_equal(oto_audio_read(audio, block, 16, &n, NULL), OTO_OK);
    oto_audio_close(audio);
    assert_true(oto_clock_wall_s() - start < 20);
}

static void test_errors(void **state)
{
    (void)state;
    oto_audio *audio = NULL;
    oto_audio_options options;
    oto_error err = {OTO_OK, ""};
    oto_audio_gap gap;
    oto_audio_options_init(&options);
    options.raw = "s16le:8000:1";
    static const double bad[] = {-1, 1e9, NAN};
    for (size_t i = 0; i < 3; i++) {
        options.pace = bad[i];
        assert_int_equal(oto_audio_open_memory(&audio, ramp, 100, "ramp", &options, &err),
                         OTO_ERR_ARGUMENT);
        assert_contains(err.message, "pace");
    }
    options.pace = 100;
    (void)oto_mem_fail_nth(0);
    assert_int_equal(oto_audio_open_memory(&audio, ramp, 100, "ramp", &options, &err), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    oto_audio_close(audio);
    for (size_t nth = 1; nth <= n; nth++) {
        (void)oto_mem_fail_nth(nth);
        assert_int_equal(oto_audio_open_memory(&audio, ramp, 100, "ramp", &options, &err),
                         OTO_ERR_MEMORY);
        assert_null(audio);
    }
    (void)oto_mem_fail_nth(0);
    assert_int_equal(oto_audio_next_gap(NULL, &gap), 0);
    /* A failure in the middle comes to the reader, after what was good. */
    static float broken[4000];
    broken[3000] = NAN;
    options.raw = "f32le:8000:1";
    size_t total = 0, got = 1;
    oto_status status =
        oto_audio_open_memory(&audio, broken, sizeof broken, "broken", &options, &err);
    float block[512];
    while (status == OTO_OK && got > 0) {
        status = oto_audio_read(audio, block, 512, &got, &err);
        total += got;
    }
    assert_int_equal(status, OTO_ERR_DATA);
    assert_contains(err.message, "sample 3000");
    assert_true(total <= 3000);
    oto_audio_close(audio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_speed),
        cmocka_unit_test(test_late_reader),
        cmocka_unit_test(test_close_early),
        cmocka_unit_test(test_errors),
    };
    for (int i = 0; i < TOTAL; i++)
        ramp[i] = (int16_t)(uint16_t)i;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
