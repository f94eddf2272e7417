/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/frontend_options.h"
#include "features/mel.h"
#include "training/perturb.h"

enum { N_MELS = 40, N = 60, CELLS = N * N_MELS };

static const double log10_of_e = 0.43429448190325183;

static struct oto_frontend_options front_end(void)
{
    struct oto_frontend_options o;
    oto_error err;
    assert_int_equal(oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &o, &err),
                     OTO_OK);
    o.n_mels = N_MELS;
    return o;
}

static struct oto_perturb parse(const char *text)
{
    struct oto_perturb p;
    oto_error err;
    struct oto_frontend_options o = front_end();
    assert_int_equal(oto_perturb_parse(&p, text, &o, &err), OTO_OK);
    return p;
}

static void apply(const char *text, float *x, uint64_t stream)
{
    struct oto_perturb p = parse(text);
    float scratch[2 * N_MELS];
    oto_perturb_apply(&p, x, N, scratch, 5, stream);
}

/* Something like speech: loud and soft stretches, loudest around filter 12. */
static void fill(float *x)
{
    for (int t = 0; t < N; t++)
        for (int m = 0; m < N_MELS; m++)
            x[t * N_MELS + m] =
                (float)(10 + 4 * sin(0.3 * t) - 0.01 * (m - 12) * (m - 12) + 0.1 * (t % 3));
}

static double db(double log_energy)
{
    return 10 * log10_of_e * log_energy;
}

static double mean_energy(const float *x)
{
    double sum = 0;
    for (int i = 0; i < CELLS; i++)
        sum += exp((double)x[i]);
    return sum / CELLS;
}

static double hz_of(const struct oto_perturb *p, double m)
{
    double low = oto_mel_from_hz(p->low_hz), high = oto_mel_from_hz(p->high_hz);
    return oto_mel_to_hz(low + (m + 1) * (high - low) / (N_MELS + 1));
}

static const char everything[] = "warp:0.7:0.8:1.25,reverb:0.7:0.1:0.8,highpass:0.7:80:400,"
                                 "lowpass:0.7:2500:7000,colour:0.7:0:12,noise:0.7:-5:30,"
                                 "gain:0.7:-10:10";

static void depends_on_seed_and_stream_alone(void **state)
{
    (void)state;
    static float a[CELLS], b[CELLS], same[CELLS];
    int n_differ = 0;
    fill(same);
    for (uint64_t stream = 0; stream < 50; stream++) {
        fill(a);
        fill(b);
        apply(everything, a, stream);
        apply(everything, b, stream);
        for (int i = 0; i < CELLS; i++)
            assert_true(a[i] == b[i]);
        for (int i = 0; i < CELLS; i++)
            assert_true(isfinite(a[i]));
        fill(b);
        apply(everything, b, stream + 1000);
        int first = 0;
        while (first < CELLS && a[first] == b[first])
            first++;
        n_differ += first < CELLS;
    }
    assert_true(n_differ > 45);
}

/* Probability 0, and ranges that stand for no change. */
static void nothing_changes_nothing(void **state)
{
    (void)state;
    static float x[CELLS], same[CELLS];
    fill(same);
    static const char *const none[] = {"", "  ", "warp:0:0.8:1.2,noise:0:0:0", "gain:1:0:0",
                                       "colour:1:0:0"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        fill(x);
        apply(none[i], x, 1);
        assert_memory_equal(x, same, sizeof x);
    }
    static const char *const nearly[] = {"warp:1:1:1", "noise:1:100:100", "highpass:1:1:1",
                                         "lowpass:1:8000:8000"};
    for (size_t i = 0; i < sizeof nearly / sizeof *nearly; i++) {
        fill(x);
        apply(nearly[i], x, 1);
        for (int k = 0; k < CELLS; k++)
            assert_true(fabsf(x[k] - same[k]) < 1e-4F);
    }
    struct oto_perturb p = parse(" warp:0:0.8:1.2 , gain:0:1:1");
    assert_false(oto_perturb_any(&p));
    p = parse("gain:0.1:1:1");
    assert_true(oto_perturb_any(&p));
}

static void comes_as_often_as_said(void **state)
{
    (void)state;
    static float x[CELLS], same[CELLS];
    int n_changed = 0;
    double lowest = 1e9, highest = -1e9;
    fill(same);
    for (uint64_t stream = 0; stream < 1000; stream++) {
        fill(x);
        apply("gain:0.3:-6:12", x, stream);
        double change = db((double)(x[0] - same[0]));
        n_changed += change != 0;
        lowest = fmin(lowest, change);
        highest = fmax(highest, change);
        assert_true(change > -6.001 && change < 12.001);
    }
    assert_in_range(n_changed, 250, 350); /* 300, standard deviation 14 */
    assert_true(lowest < -5.5 && highest > 11.5);
}

/* A peak at one filter moves to where its frequency times the factor lies. */
static void warp_moves_a_tone(void **state)
{
    (void)state;
    static float x[CELLS];
    static const double factors[] = {0.8, 0.9, 1.1, 1.25};
    struct oto_perturb p = parse("");
    for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
        char text[40];
        snprintf(text, sizeof text, "warp:1:%g:%g", factors[k], factors[k]);
        for (int i = 0; i < CELLS; i++)
            x[i] = -0.2F * (float)abs(i % N_MELS - 18); /* a ridge of straight flanks */
        apply(text, x, 3);
        int top = 0;
        for (int m = 1; m < N_MELS; m++)
            if (x[m] > x[top])
                top = m;
        double expected = hz_of(&p, 18) * factors[k];
        assert_true(hz_of(&p, top - 1) < expected && expected < hz_of(&p, top + 1));
        for (int t = 1; t < N; t++)
            assert_memory_equal(x, x + t * N_MELS, N_MELS * sizeof *x);
    }
}

static void echo_decays_at_its_time(void **state)
{
    (void)state;
    static float x[CELLS];
    for (int i = 0; i < CELLS; i++)
        x[i] = i < N_MELS ? 10 : -80;
    apply("reverb:1:0.3:0.3", x, 4);
    double first = db((double)(x[N_MELS] - 10)), slope = db((double)(x[21 * N_MELS] - x[N_MELS]));
    assert_true(fabs(slope + 60 * 0.2 / 0.3) < 0.01); /* 20 frames of 10 ms */
    double all = first - 10 * log10(1 - pow(10, -6 * 0.01 / 0.3));
    print_message("all echoes: %.1f dB\n", all);
    assert_true(all <= -2 && all >= -17);
    assert_true(x[0] == 10);
}

static void filters_keep_their_band(void **state)
{
    (void)state;
    static float x[CELLS], same[CELLS];
    struct oto_perturb p = parse("");
    for (int direction = -1; direction <= 1; direction += 2) {
        fill(x);
        fill(same);
        apply(direction > 0 ? "lowpass:1:2000:2000" : "highpass:1:500:500", x, 1);
        for (int m = 0; m < N_MELS; m++) {
            double octaves = direction * log2(hz_of(&p, m) / (direction > 0 ? 2000 : 500));
            double change = db((double)(x[m] - same[m]));
            assert_true(fabs(change + (octaves > 0 ? fmin(24 * octaves, 60) : 0)) < 1e-3);
        }
    }
}

static void colour_keeps_within_its_height(void **state)
{
    (void)state;
    static float x[CELLS], same[CELLS];
    double greatest = 0;
    fill(same);
    for (uint64_t stream = 0; stream < 200; stream++) {
        fill(x);
        apply("colour:1:10:10", x, stream);
        for (int i = 0; i < CELLS; i++) {
            double change = db((double)(x[i] - same[i]));
            greatest = fmax(greatest, fabs(change));
            assert_true(fabs(change - db((double)(x[i % N_MELS] - same[i % N_MELS]))) < 1e-4);
        }
    }
    assert_true(greatest > 8 && greatest < 10.001);
}

/* Energy added, against the utterance's own. */
static void noise_has_its_ratio(void **state)
{
    (void)state;
    static float x[CELLS], same[CELLS];
    static const double ratios[] = {-5, 0, 10, 20};
    fill(same);
    for (size_t k = 0; k < sizeof ratios / sizeof *ratios; k++) {
        char text[40];
        double worst = 0, mean = 0;
        snprintf(text, sizeof text, "noise:1:%g:%g", ratios[k], ratios[k]);
        for (uint64_t stream = 0; stream < 40; stream++) {
            fill(x);
            apply(text, x, stream);
            double ratio =
                -10 * log10((mean_energy(x) - mean_energy(same)) / mean_energy(same)) - ratios[k];
            worst = fmax(worst, fabs(ratio));
            mean += ratio / 40;
        }
        print_message("%g dB: off by %.2f dB, at most %.2f\n", ratios[k], mean, worst);
        assert_true(fabs(mean) < 0.1 && worst < 1);
    }
}

/* Each ratio is reached, with recordings longer and shorter than the utterance. */
static void recorded_noise_has_its_ratio(void **state)
{
    (void)state;
    static float x[CELLS], same[CELLS], recorded[2][200 * N_MELS];
    const struct oto_noise noises[2] = {{recorded[0], 200}, {recorded[1], 25}};
    static const double ratios[] = {-5, 0, 10, 20};
    fill(same);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 200 * N_MELS; i++)
            recorded[k][i] = (float)(5 + 2 * oto_rng_normal(1, (uint64_t)k, (uint64_t)i));
    for (size_t k = 0; k < sizeof ratios / sizeof *ratios; k++)
        for (uint64_t stream = 0; stream < 20; stream++) {
            char text[60];
            float scratch[2 * N_MELS];
            snprintf(text, sizeof text, "noise:1:%g:%g:folder", ratios[k], ratios[k]);
            struct oto_perturb p = parse(text);
            p.noises = noises;
            p.n_noises = 2;
            fill(x);
            oto_perturb_apply(&p, x, N, scratch, 5, stream);
            double ratio = -10 * log10((mean_energy(x) - mean_energy(same)) / mean_energy(same));
            assert_true(fabs(ratio - ratios[k]) < 0.01);
            oto_perturb_clear(&p);
        }
}

/* What was added is one of the recordings from some place on, and round and round. */
static void recorded_noise_is_a_recording(void **state)
{
    (void)state;
    enum { LENGTHS = 3 };
    static float x[CELLS], recorded[200 * N_MELS];
    static const size_t lengths[LENGTHS] = {200, N, 7};
    bool places[200] = {false};
    for (int i = 0; i < 200 * N_MELS; i++)
        recorded[i] = (float)(5 + oto_rng_normal(1, 2, (uint64_t)i));
    struct oto_perturb p = parse("noise:1:-20:-20:folder");
    for (size_t k = 0; k < LENGTHS; k++)
        for (uint64_t stream = 0; stream < 20; stream++) {
            const struct oto_noise noise = {recorded, lengths[k]};
            float scratch[2 * N_MELS];
            size_t n_found = 0;
            for (int i = 0; i < CELLS; i++)
                x[i] = -10;
            p.noises = &noise;
            p.n_noises = 1;
            oto_perturb_apply(&p, x, N, scratch, 5, stream);
            for (int i = 0; i < CELLS; i++) /* what was added */
                x[i] = logf(expf(x[i]) - expf(-10));
            for (size_t first = 0; first < lengths[k]; first++) {
                double worst = 0, level = (double)(x[0] - recorded[first * N_MELS]);
                for (size_t i = 0; i < CELLS && worst < 0.01; i++) {
                    size_t from = (first + i / N_MELS) % lengths[k] * N_MELS + i % N_MELS;
                    worst = fmax(worst, fabs((double)(x[i] - recorded[from]) - level));
                }
                n_found += worst < 0.01;
                places[first] |= k == 0 && worst < 0.01;
            }
            assert_int_equal(n_found, 1);
        }
    int n_places = 0;
    for (int i = 0; i < 200; i++)
        n_places += places[i];
    assert_true(n_places >= 15);
    oto_perturb_clear(&p);
}

/* A recording of digital silence, which the front end's floor stands for, or of no frame. */
static void silent_recordings_add_nothing(void **state)
{
    (void)state;
    static float x[CELLS], same[CELLS], recorded[10 * N_MELS];
    float scratch[2 * N_MELS];
    fill(same);
    for (int i = 0; i < 10 * N_MELS; i++)
        recorded[i] = logf(1.1920929e-07F);
    struct oto_perturb p = parse("noise:1:-10:-10:folder");
    for (size_t n = 0; n <= 10; n += 10) {
        const struct oto_noise noise = {recorded, n};
        p.noises = &noise;
        p.n_noises = 1;
        fill(x);
        oto_perturb_apply(&p, x, N, scratch, 5, 1);
        for (int i = 0; i < CELLS; i++)
            assert_true(x[i] == same[i]);
    }
    oto_perturb_clear(&p);
}

static void magnitudes_are_understood(void **state)
{
    (void)state;
    float x[N_MELS] = {0}, scratch[2 * N_MELS];
    struct oto_frontend_options o = front_end();
    o.use_power = false;
    struct oto_perturb p;
    oto_error err;
    assert_int_equal(oto_perturb_parse(&p, "gain:1:20:20", &o, &err), OTO_OK);
    oto_perturb_apply(&p, x, 1, scratch, 1, 1);
    assert_true(fabs((double)x[0] - log(10)) < 1e-6); /* 20 dB is ten times the magnitude */
}

static void reads_both_sides_of_the_grammar(void **state)
{
    (void)state;
    struct oto_perturb p = parse("noise:0.5:0:30:hum, background:0.25:-5:20:my noises/of 2020 ,"
                                 "response:1:0:0:rooms:old,speed:0.5:0.9:1.1");
    assert_true(oto_perturb_any(&p) && oto_perturb_any_wave(&p));
    assert_string_equal(p.kinds[OTO_PERTURB_BACKGROUND].folder, "my noises/of 2020");
    assert_string_equal(p.kinds[OTO_PERTURB_RESPONSE].folder, "rooms:old");
    assert_string_equal(p.kinds[OTO_PERTURB_NOISE].folder, "hum");
    assert_true(p.kinds[OTO_PERTURB_BACKGROUND].probability == 0.25 &&
                p.kinds[OTO_PERTURB_BACKGROUND].low == -5 &&
                p.kinds[OTO_PERTURB_BACKGROUND].high == 20);
    oto_perturb_clear(&p);
    assert_false(oto_perturb_any(&p) || oto_perturb_any_wave(&p));
    p = parse("room:1:0.2:0.4");
    assert_true(oto_perturb_any_wave(&p) && !oto_perturb_any(&p));
    oto_perturb_clear(&p);
    /* samples have nothing to do with what is made of them */
    struct oto_frontend_options o = front_end();
    o.use_energy = true;
    assert_int_equal(oto_perturb_parse(&p, "room:1:0.2:0.4,codec:1:10:20", &o, NULL), OTO_OK);
    oto_perturb_clear(&p);
}

static void reading_survives_lack_of_memory(void **state)
{
    (void)state;
    struct oto_perturb p;
    struct oto_frontend_options o = front_end();
    static const char text[] = "background:1:0:1:a,response:1:0:1:b,gain:1:0:1";
    for (size_t nth = 0, n = 0; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        oto_status status = oto_perturb_parse(&p, text, &o, NULL);
        size_t n_made = oto_mem_fail_nth(0);
        assert_int_equal(status, nth == 0 ? OTO_OK : OTO_ERR_MEMORY);
        n = nth == 0 ? n_made : n;
        assert_int_equal(n, 5);
        assert_true(nth == 0 || !p.kinds[OTO_PERTURB_BACKGROUND].folder);
        oto_perturb_clear(&p);
    }
}

static void refuses_what_it_cannot_read(void **state)
{
    (void)state;
    struct oto_perturb p;
    oto_error err;
    struct oto_frontend_options o = front_end();
    static const char *const bad[] = {"noise",
                                      "noise:",
                                      "noise:0.5:3",
                                      "gain:0.5:3:4:5",
                                      "noise:0.5:3:4x",
                                      "noise:1.5:3:4",
                                      "noise:nan:3:4",
                                      "noise:-0.1:3:4",
                                      "noise:0.5:5:4",
                                      "noise:0.5:nan:4",
                                      "warp:0.5:0.4:1",
                                      "warp:0.5:1:2.1",
                                      "nois:0.5:3:4",
                                      "noises:0.5:3:4",
                                      "gain:1:0:1,gain:1:0:1",
                                      "gain:1:0:1 colour:1:0:1",
                                      "gain:1:0:1,",
                                      "gain:1:0:1, ",
                                      ",gain:1:0:1",
                                      "gain:1:0:1,,gain:1:0:1",
                                      "noise:0.5:3:4:",
                                      "noise: 0.5:3:4",
                                      "room:1:0.01:1",
                                      "room:1:0.2:3",
                                      "room:1:0.2:0.3:rooms",
                                      "background:1:0:10",
                                      "background:1:0:10:",
                                      "response:1:0::x",
                                      "speed:1:0.4:1",
                                      "pause:1:-1:1",
                                      "telephone:1:0:1",
                                      "codec:1:-1:1",
                                      "pitch:1:1:2.5",
                                      "tempo:1:0.1:1",
                                      "background:1:0:1:a,background:1:0:1:b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (oto_perturb_parse(&p, bad[i], &o, &err) != OTO_ERR_CONFIG)
            fail_msg("'%s' was taken", bad[i]);
        assert_contains(err.message, "perturb '");
    }
    o.use_energy = true;
    assert_int_equal(oto_perturb_parse(&p, "gain:1:0:1", &o, &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "--use-energy");
    assert_int_equal(oto_perturb_parse(&p, "", &o, &err), OTO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depends_on_seed_and_stream_alone),
        cmocka_unit_test(nothing_changes_nothing),
        cmocka_unit_test(comes_as_often_as_said),
        cmocka_unit_test(warp_moves_a_tone),
        cmocka_unit_test(echo_decays_at_its_time),
        cmocka_unit_test(filters_keep_their_band),
        cmocka_unit_test(colour_keeps_within_its_height),
        cmocka_unit_test(noise_has_its_ratio),
        cmocka_unit_test(recorded_noise_has_its_ratio),
        cmocka_unit_test(recorded_noise_is_a_recording),
        cmocka_unit_test(silent_recordings_add_nothing),
        cmocka_unit_test(magnitudes_are_understood),
        cmocka_unit_test(reads_both_sides_of_the_grammar),
        cmocka_unit_test(reading_survives_lack_of_memory),
        cmocka_unit_test(refuses_what_it_cannot_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
