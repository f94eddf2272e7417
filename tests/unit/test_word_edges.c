/* SPDX-License-Identifier: BSD-2-Clause */
/* Edges of words on sound whose beginnings and ends are known. */
#include <math.h>

#include "api/word_edges.h"
#include "unit.h"

enum { N = 400 };
static struct oto_frontend_options frontend;
static float levels[N];

/* Silence at 2, with a little noise. */
static void make_silence(void)
{
    oto_error err = {0};
    if (oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &frontend, &err))
        fail_msg("%s", err.message);
    for (int t = 0; t < N; t++)
        levels[t] = 2 + 0.1F * (float)(t * 7 % 5);
}

static void make_sound(int from, int to, float level)
{
    for (int t = from; t <= to; t++)
        levels[t] = level;
}

/* When a frame's share of time begins, in an input in which frame 0 begins at start_s. */
static double edge(double start_s, int frame)
{
    return start_s + frontend.frame_shift_ms / 1000 * (frame - 0.5) +
           (frontend.snip_edges ? frontend.frame_length_ms : frontend.frame_shift_ms) / 2000;
}

static oto_word word(double start_s, int first, int last)
{
    return (oto_word){"w", edge(start_s, first), edge(start_s, last + 1), 1};
}

static void expect(const oto_word *w, double start_s, int first, int last)
{
    if (fabs(w->start_s - edge(start_s, first)) > 1e-9 ||
        fabs(w->end_s - edge(start_s, last + 1)) > 1e-9)
        fail_msg("%.4f to %.4f, expected %.4f to %.4f", w->start_s, w->end_s, edge(start_s, first),
                 edge(start_s, last + 1));
}

static void pauses(void **state)
{
    (void)state;
    for (int snip = 0; snip < 2; snip++) {
        make_silence();
        frontend.snip_edges = snip;
        make_sound(50, 89, 12);
        make_sound(120, 169, 15);
        make_sound(300, 310, 9);
        /* labels within the sound, before its start, beyond its end */
        oto_word words[] = {word(7, 55, 70), word(7, 112, 150), word(7, 303, 318)};
        oto_word_edges_refine(words, 3, levels, N, 7, &frontend);
        expect(&words[0], 7, 50, 89);
        expect(&words[1], 7, 120, 169);
        expect(&words[2], 7, 300, 310);
    }
}

/* No pause: the quietest moment between the labels. */
static void running_speech(void **state)
{
    (void)state;
    make_silence();
    make_sound(50, 150, 14);
    levels[98] = 8;
    levels[99] = 6;
    levels[100] = 9;
    oto_word words[] = {word(0, 60, 85), word(0, 110, 140)};
    oto_word_edges_refine(words, 2, levels, N, 0, &frontend);
    expect(&words[0], 0, 50, 98);
    expect(&words[1], 0, 100, 150);
    /* nothing is quiet: an edge goes no farther than the neighbour's labels */
    for (int t = 0; t < N; t++)
        levels[t] = 14;
    oto_word loud[] = {word(0, 60, 85), word(0, 90, 140)};
    oto_word_edges_refine(loud, 2, levels, N, 0, &frontend);
    assert_true(loud[0].end_s <= edge(0, 90) + 1e-9);
    assert_true(loud[1].start_s >= edge(0, 86) - 1e-9);
}

static void limits(void **state)
{
    (void)state;
    make_silence();
    make_sound(0, N - 1, 14);
    levels[200] = 3;
    oto_word words[] = {word(0, 10, 12), {"unheard", 1, 1, 0}, word(0, 390, 398)};
    oto_word_edges_refine(words, 3, levels, N, 0, &frontend);
    assert_true(words[0].start_s >= edge(0, 0) - 1e-9);
    assert_true(words[0].end_s <= edge(0, 12 + 61) + 1e-9); /* 0.6 s ahead */
    assert_true(words[1].start_s == 1 && words[1].end_s == 1);
    assert_true(words[2].start_s >= edge(0, 390 - 15) - 1e-9); /* 0.15 s back */
    assert_true(words[2].end_s <= edge(0, N) + 1e-9);
    /* labels outside the frames, and no frames */
    oto_word far = word(0, 900, 950), same = far;
    oto_word_edges_refine(&far, 1, levels, 1, 0, &frontend);
    assert_true(far.start_s < far.end_s);
    far = same;
    oto_word_edges_refine(&far, 1, levels, 0, 0, &frontend);
    assert_true(far.start_s == same.start_s && far.end_s == same.end_s);
}

static void loudness(void **state)
{
    (void)state;
    static const float statics[] = {1, 2, 6, -1, 0, 4};
    float out[2];
    make_silence();
    frontend.kind = OTO_FEATURE_MFCC;
    oto_word_levels(out, statics, 2, 3, &frontend);
    assert_true(out[0] == 1 && out[1] == -1);
    frontend.kind = OTO_FEATURE_FBANK;
    oto_word_levels(out, statics, 2, 3, &frontend);
    assert_true(out[0] == 3 && out[1] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses),
        cmocka_unit_test(running_speech),
        cmocka_unit_test(limits),
        cmocka_unit_test(loudness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
