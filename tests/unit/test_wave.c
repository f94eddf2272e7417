/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/frontend_options.h"
#include "near.h"
#include "toy_corpus.h"
#include "training/channel.h"
#include "training/wave.h"

enum { RATE = TOY_RATE_HZ };

static char folder[64], noises[80], rooms[80];
static struct oto_samples original;

static int make(void **state)
{
    (void)state;
    unit_make_folder(folder);
    snprintf(noises, sizeof noises, "%s/noises", folder);
    snprintf(rooms, sizeof rooms, "%s/rooms", folder);
    if (mkdir(noises, 0777) != 0 || mkdir(rooms, 0777) != 0)
        return -1;
    static float x[3 * RATE];
    for (int k = 0; k < 2; k++) { /* one longer than the utterance, one shorter */
        int n = k == 0 ? 3 * RATE : RATE / 5;
        for (int i = 0; i < n; i++)
            x[i] = 0.05F * (float)oto_rng_normal(8, (uint64_t)k, (uint64_t)i);
        toy_write_wav(noises, k == 0 ? "long.wav" : "short.wav", x, (size_t)n);
    }
    memset(x, 0, sizeof x);
    x[100] = 0.5F; /* the direct sound, and an echo after 200 ms */
    x[100 + RATE / 5] = 0.25F;
    toy_write_wav(rooms, "echo.wav", x, RATE / 2);
    original.x = toy_speak("abcde", 1, 1, &original.n);
    original.capacity = original.n;
    return 0;
}

static int clean(void **state)
{
    (void)state;
    free(original.x);
    unit_remove_folder(folder);
    return 0;
}

/* The utterance, changed. format may hold one %s for a folder. Released with oto_samples_clear().
 */
static struct oto_samples change(const char *format, const char *place, uint64_t stream)
{
    struct oto_frontend_options o;
    struct oto_perturb p;
    struct oto_wave *wave = NULL;
    struct oto_samples s = {0};
    char text[300];
    oto_error err = {OTO_OK, ""};
    size_t n = strcspn(format, "%");
    snprintf(text, sizeof text, "%.*s%s%s", (int)n, format, format[n] ? place : "",
             format[n] ? format + n + 2 : "");
    assert_int_equal(oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &o, NULL),
                     OTO_OK);
    if (oto_perturb_parse(&p, text, &o, &err) != OTO_OK ||
        oto_wave_create(&wave, &p, &err) != OTO_OK)
        fail_msg("%s", err.message);
    assert_true(oto_samples_reserve(&s, original.n + 1));
    memcpy(s.x, original.x, original.n * sizeof *s.x);
    s.n = original.n;
    if (oto_wave_apply(wave, &s, 77, stream, &err) != OTO_OK)
        fail_msg("%s", err.message);
    oto_wave_destroy(wave);
    oto_perturb_clear(&p);
    return s;
}

static double power_of(const struct oto_samples *s)
{
    return oto_mean_power(s->x, s->n);
}

/* The strongest pitch between 150 and 3000 Hz of a part of a signal, by trying. */
static double pitch_of(const float *x, size_t n)
{
    double best = 0, best_hz = 0;
    for (int k = 0; k < 1500; k++) {
        double hz = 150 * pow(1.002, k), re = 0, im = 0;
        for (size_t i = 0; i < n; i++) {
            double phase = 6.283185307179586 * hz * (double)i / RATE;
            re += (double)x[i] * cos(phase);
            im += (double)x[i] * sin(phase);
        }
        if (re * re + im * im > best) {
            best = re * re + im * im;
            best_hz = hz;
        }
    }
    return best_hz;
}

static const char everything[] =
    "speed:0.5:0.9:1.1,pitch:0.5:0.9:1.1,tempo:0.5:0.8:1.2,pause:0.5:0:1,room:0.5:0.1:0.3,"
    "background:0.5:0:20:%s,telephone:0.5:-40:-10,codec:0.5:5:20";

static void depends_on_seed_and_stream_alone(void **state)
{
    (void)state;
    int n_differ = 0;
    for (uint64_t stream = 0; stream < 12; stream++) {
        struct oto_samples a = change(everything, noises, stream),
                           b = change(everything, noises, stream),
                           c = change(everything, noises, stream + 100);
        assert_true(a.n == b.n && memcmp(a.x, b.x, a.n * sizeof *a.x) == 0);
        n_differ += a.n != c.n || memcmp(a.x, c.x, a.n * sizeof *a.x) != 0;
        for (size_t i = 0; i < a.n; i++)
            assert_true(isfinite(a.x[i]));
        oto_samples_clear(&a);
        oto_samples_clear(&b);
        oto_samples_clear(&c);
    }
    assert_true(n_differ >= 11);
}

static void nothing_changes_nothing(void **state)
{
    (void)state;
    static const char *const none[] = {"", "room:0:0.1:0.2,codec:0:1:1", "gain:1:5:5"};
    for (size_t k = 0; k < sizeof none / sizeof *none; k++) {
        struct oto_samples s = change(none[k], "", 1);
        assert_true(s.n == original.n && memcmp(s.x, original.x, s.n * sizeof *s.x) == 0);
        oto_samples_clear(&s);
    }
}

/* Factors do to length and pitch what they say: the first letter is a tone. */
static void factors_are_factors(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double length, pitch;
    } cases[] = {
        {"speed:1:1.25:1.25", 1.25, 1.25}, {"speed:1:0.8:0.8", 0.8, 0.8},
        {"pitch:1:1.25:1.25", 1, 1.25},    {"pitch:1:0.8:0.8", 1, 0.8},
        {"tempo:1:1.25:1.25", 1.25, 1},    {"tempo:1:0.8:0.8", 0.8, 1},
    };
    size_t from = RATE / 20 + RATE / 100, n = RATE / 14;
    double pitch = pitch_of(original.x + from, n);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct oto_samples s = change(cases[k].text, "", 3);
        assert_near(s.n, (double)original.n / cases[k].length, 2);
        size_t at = (size_t)((double)from / cases[k].length);
        double found = pitch_of(s.x + at, (size_t)((double)n / cases[k].length)) / pitch;
        print_message("%s: %.3f of the length, %.3f of the pitch\n", cases[k].text,
                      (double)s.n / (double)original.n, found);
        assert_near(found, cases[k].pitch, 0.02);
        oto_samples_clear(&s);
    }
}

/* What was added, against the utterance: the ratio is reached to float's rounding. */
static void backgrounds_have_their_ratio(void **state)
{
    (void)state;
    static const char *const texts[] = {"background:1:-5:-5:%s", "background:1:0:0:%s",
                                        "background:1:12.5:12.5:%s", "background:1:30:30:%s"};
    static const double ratios[] = {-5, 0, 12.5, 30};
    for (size_t k = 0; k < sizeof ratios / sizeof *ratios; k++)
        for (uint64_t stream = 0; stream < 6; stream++) {
            struct oto_samples s = change(texts[k], noises, stream);
            assert_int_equal(s.n, original.n);
            for (size_t i = 0; i < s.n; i++)
                s.x[i] -= original.x[i];
            double ratio = 10 * log10(power_of(&original) / power_of(&s));
            assert_near(ratio, ratios[k], 0.01);
            oto_samples_clear(&s);
        }
}

static void values_are_drawn_from_the_range(void **state)
{
    (void)state;
    int n_changed = 0;
    double lowest = 1e9, highest = -1e9;
    for (uint64_t stream = 0; stream < 200; stream++) {
        struct oto_samples s = change("background:0.3:0:20:%s", noises, stream);
        for (size_t i = 0; i < s.n; i++)
            s.x[i] -= original.x[i];
        if (power_of(&s) > 0) {
            double ratio = 10 * log10(power_of(&original) / power_of(&s));
            lowest = fmin(lowest, ratio);
            highest = fmax(highest, ratio);
            n_changed++;
        }
        oto_samples_clear(&s);
    }
    assert_in_range(n_changed, 40, 80); /* 60, standard deviation 6.5 */
    assert_true(lowest > -0.01 && lowest < 2 && highest < 20.01 && highest > 18);
}

/* The echo of the recorded response comes 200 ms later at half the height, or as high as asked. */
static void responses_are_convolved(void **state)
{
    (void)state;
    static const char *const texts[] = {"response:1:0:0:%s", "response:1:6.0206:6.0206:%s",
                                        "response:1:-60:-60:%s"};
    static const double echoes[] = {0.5, 1, 0.0005};
    size_t delay = RATE / 1000, echo = RATE / 5; /* 1 ms before the direct sound is kept */
    for (int k = 0; k < 3; k++) {
        struct oto_samples s = change(texts[k], rooms, 1);
        double scale = 0, sum = 0, error = 0;
        assert_int_equal(s.n, original.n);
        assert_near(power_of(&s), power_of(&original), 1e-7);
        for (int pass = 0; pass < 2; pass++) { /* the common factor first */
            scale = pass == 0 ? 1 : sqrt(power_of(&s) * (double)s.n / sum);
            for (size_t i = delay; i < s.n; i++) {
                size_t j = i - delay;
                double expected = (double)original.x[j];
                expected += j >= echo ? echoes[k] * (double)original.x[j - echo] : 0;
                sum += pass == 0 ? expected * expected : 0;
                error += pass == 1 ? pow((double)s.x[i] - scale * expected, 2) : 0;
            }
        }
        assert_true(error < 1e-5 * sum);
        oto_samples_clear(&s);
    }
}

static void rooms_keep_the_level_and_add_echoes(void **state)
{
    (void)state;
    for (uint64_t stream = 0; stream < 5; stream++) {
        struct oto_samples s = change("room:1:0.3:0.6", "", stream);
        assert_int_equal(s.n, original.n);
        assert_near(power_of(&s), power_of(&original), 1e-7);
        double pause = oto_mean_power(s.x + s.n - RATE / 20, RATE / 20);
        double quiet = oto_mean_power(original.x + s.n - RATE / 20, RATE / 20);
        assert_true(pause > 10 * quiet); /* the last letter rings on into the pause after it */
        oto_samples_clear(&s);
    }
}

/* The utterance stands whole somewhere in the quiet, which is as faint as is said. */
static void pauses_are_around_the_speech(void **state)
{
    (void)state;
    size_t n_pause = (size_t)(1.5 * RATE), earliest = SIZE_MAX, latest = 0;
    for (uint64_t stream = 0; stream < 12; stream++) {
        struct oto_samples s = change("pause:1:1.5:1.5", "", stream);
        size_t best = 0;
        double least = INFINITY, below_db;
        assert_int_equal(s.n, original.n + n_pause);
        for (size_t at = 0; at <= n_pause; at++) {
            double distance = 0;
            for (size_t i = 0; i < original.n && distance < least; i++)
                distance += pow((double)s.x[at + i] - (double)original.x[i], 2);
            best = distance < least ? at : best;
            least = fmin(least, distance);
        }
        assert_true(least / (double)original.n < 1.1e-3 * power_of(&original));
        below_db = 10 * log10(least / (double)original.n / power_of(&original));
        assert_true(below_db > -70.5 && below_db < -29.5);
        size_t n = best > n_pause / 2 ? best : n_pause - best;
        const float *quiet = best > n_pause / 2 ? s.x : s.x + best + original.n;
        assert_near(10 * log10(oto_mean_power(quiet, n) / power_of(&original)), below_db, 0.5);
        earliest = best < earliest ? best : earliest;
        latest = best > latest ? best : latest;
        oto_samples_clear(&s);
    }
    assert_true(earliest < n_pause / 3 && latest > 2 * n_pause / 3);
}

static void silence_stays_silence(void **state)
{
    (void)state;
    struct oto_samples speech = original, silent = {0};
    silent.x = calloc(RATE, sizeof *silent.x);
    assert_non_null(silent.x);
    silent.n = RATE;
    original = silent;
    struct oto_samples s = change("room:1:0.2:0.2,background:1:0:0:%s,telephone:1:-20:-20,"
                                  "codec:1:10:10,pitch:1:1.1:1.1,pause:1:0.1:0.2",
                                  noises, 1);
    for (size_t i = 0; i < s.n; i++)
        assert_true(s.x[i] == 0);
    oto_samples_clear(&s);
    original.n = 0;
    s = change("speed:1:1.1:1.1,tempo:1:1.1:1.1,pause:1:1:1,room:1:0.2:0.2,background:1:0:0:%s",
               noises, 1);
    assert_int_equal(s.n, 0);
    oto_samples_clear(&s);
    original = speech;
    free(silent.x);
}

static void tells_what_is_wrong_with_folders(void **state)
{
    (void)state;
    struct oto_frontend_options o;
    struct oto_perturb p;
    struct oto_wave *wave;
    struct oto_samples s = {0};
    oto_error err;
    char text[200];
    float zeros[500] = {0};
    assert_int_equal(oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &o, NULL),
                     OTO_OK);
    snprintf(text, sizeof text, "background:1:0:1:%s/missing", folder);
    assert_int_equal(oto_perturb_parse(&p, text, &o, NULL), OTO_OK);
    assert_int_equal(oto_wave_create(&wave, &p, &err), OTO_ERR_NOT_FOUND);
    assert_null(wave);
    assert_contains(err.message, "perturb: background: ");
    assert_contains(err.message, "missing");
    oto_perturb_clear(&p);
    /* a response that is silence */
    char other[64];
    unit_make_folder(other);
    toy_write_wav(other, "nothing.wav", zeros, 500);
    snprintf(text, sizeof text, "response:1:0:0:%s", other);
    assert_int_equal(oto_perturb_parse(&p, text, &o, NULL), OTO_OK);
    assert_int_equal(oto_wave_create(&wave, &p, &err), OTO_OK);
    assert_true(oto_samples_reserve(&s, 100));
    s.n = 100;
    assert_int_equal(oto_wave_apply(wave, &s, 1, 1, &err), OTO_ERR_DATA);
    assert_contains(err.message, "nothing.wav: silence");
    oto_samples_clear(&s);
    oto_wave_destroy(wave);
    oto_perturb_clear(&p);
    unit_remove_folder(other);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct oto_frontend_options o;
    struct oto_perturb p;
    char text[400];
    assert_int_equal(oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &o, NULL),
                     OTO_OK);
    snprintf(text, sizeof text,
             "speed:1:1.1:1.1,pitch:1:0.9:0.9,tempo:1:0.9:0.9,pause:1:0.1:0.1,room:1:0.05:0.05,"
             "response:1:0:0:%s,background:1:5:5:%s,telephone:1:-20:-20,codec:1:20:20",
             rooms, noises);
    assert_int_equal(oto_perturb_parse(&p, text, &o, NULL), OTO_OK);
    for (size_t nth = 0, n = 0; nth <= n; nth++) {
        struct oto_wave *wave;
        struct oto_samples s = {0};
        assert_true(oto_samples_reserve(&s, 1000));
        memcpy(s.x, original.x, 1000 * sizeof *s.x);
        s.n = 1000;
        oto_mem_fail_nth(nth);
        oto_status status = oto_wave_create(&wave, &p, NULL);
        if (status == OTO_OK)
            status = oto_wave_apply(wave, &s, 1, 1, NULL);
        size_t n_made = oto_mem_fail_nth(0);
        assert_int_equal(status, nth == 0 ? OTO_OK : OTO_ERR_MEMORY);
        n = nth == 0 ? n_made : n;
        assert_true(n > 60);
        oto_samples_clear(&s);
        oto_wave_destroy(wave);
    }
    oto_perturb_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depends_on_seed_and_stream_alone),
        cmocka_unit_test(nothing_changes_nothing),
        cmocka_unit_test(factors_are_factors),
        cmocka_unit_test(backgrounds_have_their_ratio),
        cmocka_unit_test(values_are_drawn_from_the_range),
        cmocka_unit_test(responses_are_convolved),
        cmocka_unit_test(rooms_keep_the_level_and_add_echoes),
        cmocka_unit_test(pauses_are_around_the_speech),
        cmocka_unit_test(silence_stays_silence),
        cmocka_unit_test(tells_what_is_wrong_with_folders),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
