/* SPDX-License-Identifier: BSD-2-Clause */
/* Where long input is cut: in pauses, else at the quietest moment, however it comes. */
#include <math.h>

#include "api/cuts.h"
#include "base/rng.h"
#include "unit.h"

enum { RATE = 8000, SECONDS = 200, N = RATE * SECONDS, N_FRAMES = SECONDS * 100 };
static float samples[N], levels[N_FRAMES];
static struct oto_frontend_options frontend;

/* Noise like speech, and silence. Levels are the frames' loudness. */
static void speak(double from_s, double to_s, float amplitude)
{
    for (size_t i = (size_t)(from_s * RATE); i < (size_t)(to_s * RATE); i++)
        samples[i] = amplitude * (float)(oto_rng_uniform(1, 2, i) - 0.5);
    for (size_t t = (size_t)(from_s * 100); t < (size_t)(to_s * 100); t++)
        levels[t] = 20 + logf(amplitude);
}

static int set_up(void **state)
{
    (void)state;
    oto_error err = {0};
    if (oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &frontend, &err))
        return 1;
    frontend.rate_hz = RATE;
    frontend.stride = 3;
    return 0;
}

/* The lengths of all segments, with portions of some size; 0: random ones. */
static int cut_all(uint64_t *cuts, double longest_s, size_t portion)
{
    static struct oto_cuts c;
    uint64_t before = 0;
    int n = 0;
    oto_cuts_init(&c, &frontend, frontend.stride, longest_s);
    assert_int_equal(c.most, (int)(longest_s * 100));
    for (size_t at = 0, k = 0; at < N; k++) {
        size_t m = portion > 0 ? portion : 1 + (size_t)oto_rng_below(3, 4, k, RATE);
        m = m < N - at ? m : N - at;
        oto_cuts_push(&c, samples + at, m);
        at += m;
        for (;;) {
            size_t n_frames = at / (RATE / 100) - before;
            n_frames = n_frames < c.most ? n_frames : c.most;
            size_t cut = oto_cuts_find(&c, before, levels + before, n_frames);
            if (cut == 0)
                break;
            assert_true(cut <= n_frames);
            assert_int_equal(cut % 3, 0);
            before += cut;
            cuts[n++] = before;
            assert_in_range(n, 1, 500);
        }
    }
    return n;
}

static void in_pauses(void **state)
{
    (void)state;
    /* Pauses at 8 and 13 s come too early for segments of 30 s, that at 22 to 24 s does not. Then
     * 18 s of speech with short breaks, a pause, speech without one that is quieter at 70 to 70.5.
     */
    uint64_t expected[500], cuts[500];
    memset(samples, 0, sizeof samples);
    for (int t = 0; t < N_FRAMES; t++)
        levels[t] = 2;
    speak(0, 8, 0.3F);
    speak(9.5, 13, 0.3F);
    speak(14, 22, 0.3F);
    speak(24, 30, 0.3F);
    speak(30.3, 42, 0.3F);
    speak(44, 100, 0.3F);
    speak(70, 70.5, 0.1F);
    int n = cut_all(expected, 30, 1000);
    assert_true(n >= 4);
    assert_in_range(expected[0], 2200, 2400);
    assert_in_range(expected[1], 4200, 4400);
    assert_in_range(expected[2], 7000, 7050);
    for (size_t portion = 0; portion <= 16000; portion += portion < 400 ? 37 : 3333) {
        int m = cut_all(cuts, 30, portion);
        assert_int_equal(m, n);
        assert_memory_equal(cuts, expected, (size_t)n * sizeof *cuts);
    }
}

static void bounds(void **state)
{
    (void)state;
    uint64_t expected[500], cuts[500];
    memset(samples, 0, sizeof samples);
    for (int t = 0; t < N_FRAMES; t++)
        levels[t] = 2;
    for (uint64_t k = 0; k * 3 < SECONDS - 3; k++) /* a pause every few seconds */
        speak((double)k * 3, (double)k * 3 + 0.5 + 2.4 * oto_rng_uniform(5, 6, k), 0.2F);
    for (double longest_s = 1; longest_s < 40; longest_s += 3) {
        int n = cut_all(expected, longest_s, 8000);
        uint64_t most = (uint64_t)(longest_s * 100), before = 0;
        assert_true((uint64_t)n >= N_FRAMES / most);
        for (int i = 0; i < n; i++) {
            assert_in_range(expected[i] - before, most / 2 - 3, most);
            before = expected[i];
        }
        for (size_t portion = 0; portion < 3000; portion += 1000) {
            assert_int_equal(cut_all(cuts, longest_s, portion), n);
            assert_memory_equal(cuts, expected, (size_t)n * sizeof *cuts);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_pauses), cmocka_unit_test(bounds)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
