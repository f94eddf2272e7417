/* SPDX-License-Identifier: BSD-2-Clause */
/* A model that pairs frames between its layers, from sound to words: half as many frames, each
 * twice as long, in files and live. */
#include <math.h>

#include "api/first_pass.h"
#include "api/stages.h"
#include "base/rng.h"
#include "tiny_model.h"
#include "unit.h"

enum { RATE_HZ = 16000, N_LONG = RATE_HZ * 6 + 70, STRIDE = 4 };
static const double frame_s = 0.04; /* stride 2 of 10 ms, and pairs of those */
static oto_model *model;
static float *sound;

static int set_up(void **state)
{
    (void)state;
    oto_error err = {0};
    struct tiny_model tiny;
    char folder[64], path[128];
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/pairs.oto", folder);
    if (tiny_model_init_pairs(&tiny, 3, &err) != OTO_OK)
        fail_msg("%s", err.message);
    tiny.bundle.frontend.cmvn = OTO_CMVN_NONE; /* the same vectors live and from files */
    if (oto_bundle_save(&tiny.bundle, path, &err) != OTO_OK ||
        oto_model_load(&model, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    tiny_model_clear(&tiny);
    unit_remove_folder(folder);
    sound = malloc(N_LONG * sizeof *sound);
    assert_non_null(sound);
    tiny_model_sound(sound, N_LONG, RATE_HZ, 5);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(sound);
    oto_model_destroy(model);
    return 0;
}

/* Static frames of the whole sound, owned by *fe. */
static const float *static_frames(struct oto_frontend **fe, size_t *n)
{
    assert_int_equal(oto_frontend_create(fe, &model->bundle->frontend, NULL, OTO_FFT_AUTO, NULL),
                     OTO_OK);
    assert_int_equal(oto_frontend_push(*fe, sound, N_LONG, NULL), OTO_OK);
    assert_int_equal(oto_frontend_finish(*fe, NULL), OTO_OK);
    return oto_frontend_static(*fe, n);
}

struct heard {
    int n_segments;
    size_t n_frames, n_blank; /* n_blank: at the end */
};

static oto_status count(void *arg, const float *log_probs, size_t n_frames, oto_error *err)
{
    struct heard *h = arg;
    const size_t width = (size_t)model->bundle->shape.n_outputs;
    (void)err;
    for (size_t t = 0; t < n_frames; t++) {
        const float *y = log_probs + t * width;
        double sum = 0;
        bool blank = true;
        for (size_t k = 0; k < width; k++) {
            sum += exp((double)y[k]);
            blank = blank && y[k] <= y[0];
        }
        assert_true(fabs(sum - 1) < 1e-5);
        h->n_blank = blank ? h->n_blank + 1 : 0;
    }
    h->n_segments++;
    h->n_frames += n_frames;
    return OTO_OK;
}

static oto_recognizer *make(double max_segment_s, struct heard *heard)
{
    oto_error err = {0};
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.beam = 1;
    options.max_segment_s = max_segment_s;
    if (oto_recognizer_create(&rec, model, &options, &err) != OTO_OK)
        fail_msg("%s", err.message);
    *heard = (struct heard){0};
    oto_recognizer_watch_segments(rec, count, heard);
    return rec;
}

static const oto_result *run(oto_recognizer *rec)
{
    const oto_result *result = NULL;
    assert_int_equal(oto_recognizer_feed(rec, sound, N_LONG, NULL), OTO_OK);
    assert_int_equal(oto_recognizer_finish(rec, &result, NULL), OTO_OK);
    return result;
}

/* Segments are cut between pairs, so that all of them together have as many frames as one. */
static void has_half_the_frames(void **state)
{
    (void)state;
    struct oto_frontend *fe;
    size_t n_static;
    (void)static_frames(&fe, &n_static);
    assert_true(n_static % STRIDE != 0);
    for (double segment_s = 1; segment_s <= 30; segment_s += 29) {
        struct heard heard;
        oto_recognizer *rec = make(segment_s, &heard);
        const oto_result *result = run(rec);
        assert_int_equal(heard.n_frames, (n_static + STRIDE - 1) / STRIDE);
        assert_true(segment_s < 2 ? heard.n_segments > 4 : heard.n_segments == 1);
        double end_s = 0;
        for (int i = 0; i < result->n_words; i++) {
            assert_true(result->words[i].start_s >= end_s);
            end_s = result->words[i].end_s;
        }
        assert_true(end_s > 5 && end_s <= result->seconds);
        oto_recognizer_destroy(rec);
    }
    oto_frontend_destroy(fe);
}

/* A look-ahead beyond the end is the whole utterance: the same text, words and blanks. A short one
 * passes as many frames. */
static void live_hears_the_same(void **state)
{
    (void)state;
    struct oto_frontend *fe;
    struct heard heard;
    size_t n_static, n_stable;
    const float *statics = static_frames(&fe, &n_static);
    const size_t dim = (size_t)oto_frontend_static_dim(fe);
    oto_recognizer *rec = make(30, &heard);
    const oto_result *result = run(rec);
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.beam = 1;
    static const int latencies_ms[] = {60000, 50, 300, 1000};
    for (size_t i = 0; i < sizeof latencies_ms / sizeof *latencies_ms; i++) {
        struct oto_first_pass *pass;
        struct oto_spoken spoken = {0};
        const char *text;
        double log_prob, passed_s, blank_s;
        assert_int_equal(oto_first_pass_create(&pass, model, &options,
                                               oto_recognizer_search(rec)->vocabulary,
                                               latencies_ms[i], 10, NULL),
                         OTO_OK);
        for (size_t at = 0; at < n_static; at += 7)
            assert_int_equal(oto_first_pass_push(pass, statics + at * dim,
                                                 n_static - at < 7 ? n_static - at : 7, NULL),
                             OTO_OK);
        assert_int_equal(oto_first_pass_finish(pass, NULL), OTO_OK);
        assert_int_equal(oto_first_pass_text(pass, &text, &n_stable, &log_prob, NULL), OTO_OK);
        oto_first_pass_blank(pass, &passed_s, &blank_s);
        assert_true(fabs(passed_s - (double)heard.n_frames * frame_s) < 1e-9);
        assert_true(strlen(text) > 3);
        if (i == 0) {
            assert_string_equal(text, result->text);
            assert_true(fabs(blank_s - (double)heard.n_blank * frame_s) < 1e-9);
            assert_int_equal(oto_first_pass_words(pass, &spoken, NULL), OTO_OK);
            oto_spoken_settle(&spoken, result->seconds);
            assert_int_equal(spoken.n, result->n_words);
            for (int w = 0; w < result->n_words; w++) {
                assert_true(spoken.list[w].start_s == result->words[w].start_s);
                assert_true(spoken.list[w].end_s == result->words[w].end_s);
            }
        }
        oto_spoken_clear(&spoken);
        oto_first_pass_destroy(pass);
    }
    oto_recognizer_destroy(rec);
    oto_frontend_destroy(fe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(has_half_the_frames),
                                       cmocka_unit_test(live_hears_the_same)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
