/* SPDX-License-Identifier: BSD-2-Clause */
/* Long input with pauses: its text is that of its segments, each recognised alone, and times go on
 * from one to the next. */
#include <math.h>

#include "api/cuts.h"
#include "api/model.h"

#define N_LONG (16000 * 100)
#include "recognizer_fixture.h"

enum { LONGEST_S = 10, SHIFT = 160, WINDOW = 400 };

/* Pauses of a second and more, every few seconds. */
static void make_pauses(void)
{
    for (size_t at = 0, k = 0; at < N_LONG; k++) {
        size_t pause = at + 32000 + (size_t)oto_rng_below(1, 2, k, 24000);
        at = pause + 16000 + (size_t)oto_rng_below(1, 3, k, 8000);
        for (size_t i = pause; i < at && i < N_LONG; i++)
            sound[i] *= 1e-5F;
    }
}

/* First frames of the segments that are found in pauses. */
static int find_cuts(uint64_t *cuts)
{
    static struct oto_cuts c;
    static const float levels[LONGEST_S * 100];
    uint64_t before = 0;
    int n = 0;
    oto_cuts_init(&c, &model->bundle->frontend, model->bundle->frontend.stride, LONGEST_S);
    for (size_t at = 0; at < N_LONG; at += SHIFT) {
        oto_cuts_push(&c, sound + at, SHIFT);
        size_t n_frames = (at + SHIFT - before * SHIFT) / SHIFT;
        assert_true(n_frames < c.most); /* no cut outside pauses, which would ask for levels */
        size_t cut = oto_cuts_find(&c, before, levels, n_frames);
        if (cut > 0)
            cuts[n++] = before += cut;
        assert_in_range(n, 0, 40);
    }
    return n;
}

static void is_its_segments(void **state)
{
    (void)state;
    uint64_t cuts[42];
    make_pauses();
    int n = find_cuts(cuts), n_words = 0;
    assert_in_range(n, 10, 20);
    const struct oto_frontend_options *f = &model->bundle->frontend;
    assert_true(f->snip_edges && f->frame_length_ms == 25 && f->dither == 0);
    oto_recognizer *whole = make(8, 1, LONGEST_S), *part = make(8, 1, 30);
    const oto_result *result = run(whole, sound, N_LONG, 0);
    const char *text = result->text;
    for (int i = 0; i <= n; i++) {
        size_t from = i > 0 ? cuts[i - 1] * SHIFT : 0;
        size_t to = i < n ? cuts[i] * SHIFT + WINDOW - SHIFT : N_LONG;
        const oto_result *r = run(part, sound + from, to - from, 4000);
        if (strncmp(text, r->text, strlen(r->text)) != 0)
            fail_msg("segment %d: \"%.60s\", alone \"%.60s\"", i, text, r->text);
        text += strlen(r->text);
        text += *text == ' ' && r->text[0] != 0;
        for (int k = 0; k < r->n_words; k++, n_words++) {
            double start_s = (double)from / 16000 + r->words[k].start_s;
            assert_in_range(n_words, 0, result->n_words - 1);
            assert_string_equal(result->words[n_words].text, r->words[k].text);
            if (fabs(result->words[n_words].start_s - start_s) > 1e-9)
                fail_msg("word %d at %.4f, expected %.4f", n_words, result->words[n_words].start_s,
                         start_s);
        }
    }
    assert_int_equal(*text, 0);
    assert_int_equal(n_words, result->n_words);
    assert_true(n_words > n);
    char *copy = strdup(result->text);
    assert_non_null(copy);
    assert_string_equal(run(whole, sound, N_LONG, 160)->text, copy);
    assert_string_equal(run(whole, sound, N_LONG, N_LONG)->text, copy);
    free(copy);
    oto_recognizer_destroy(whole);
    oto_recognizer_destroy(part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_its_segments)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
