/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams through the public API, with a model of random weights. */
#include "unit.h"

#include <math.h>
#include <pthread.h>

#include "api/stages.h"
#include "base/clock.h"
#include "base/rng.h"
#include "otolith/otolith.h"
#include "tiny_model.h"

#define N_LONG (16000 * 7)
#include "recognizer_fixture.h"

/* ---- one input, any portions
 * ------------------------------------------------------------------------------------ */

static void check_portions(int beam, int n_best, double max_segment_s, size_t n)
{
    static const size_t portions[] = {1, 7, 160, 1600, 16000, 0, 0};
    oto_recognizer *whole_rec = make(beam, n_best, max_segment_s),
                   *rec = make(beam, n_best, max_segment_s);
    const oto_result *whole = run(whole_rec, sound, n, n);
    assert_true(strlen(whole->text) > 3); /* else the test would show nothing */
    for (size_t i = 0; i < sizeof portions / sizeof portions[0]; i++) {
        const oto_result *r = run(rec, sound, n, portions[i]);
        assert_string_equal(r->text, whole->text);
        assert_true(r->log_prob == whole->log_prob && r->seconds == whole->seconds);
        assert_int_equal(r->n_alternatives, whole->n_alternatives);
        for (int k = 0; k < r->n_alternatives; k++) {
            assert_string_equal(r->alternatives[k].text, whole->alternatives[k].text);
            assert_true(r->alternatives[k].log_prob == whole->alternatives[k].log_prob);
        }
    }
    oto_recognizer_destroy(rec);
    oto_recognizer_destroy(whole_rec);
}

static void test_portions(void **state)
{
    (void)state;
    check_portions(1, 1, 30, 16000 + 123);
    check_portions(8, 4, 30, 16000 + 123);
}

static void test_portions_in_segments(void **state)
{
    (void)state;
    check_portions(0, 1, 1, N_LONG);
    check_portions(1, 1, 1.5, N_LONG);
}

/* ---- results ----------------------------------------------------------------------------- */

static void test_alternatives(void **state)
{
    (void)state;
    oto_recognizer *rec = make(8, 5, 30);
    const oto_result *r = run(rec, sound, 16000, 16000);
    assert_true(r->seconds == 1.0);
    assert_in_range(r->n_alternatives, 2, 5);
    assert_string_equal(r->alternatives[0].text, r->text);
    assert_true(r->alternatives[0].log_prob == r->log_prob && r->log_prob < 0);
    for (int k = 1; k < r->n_alternatives; k++) {
        assert_true(r->alternatives[k].log_prob <= r->alternatives[k - 1].log_prob);
        for (int i = 0; i < k; i++)
            assert_string_not_equal(r->alternatives[i].text, r->alternatives[k].text);
    }
    r = run(rec, sound, 0, 1);
    assert_int_equal(r->n_alternatives, 1);
    oto_recognizer_destroy(rec);
    rec = make(8, 5, 1); /* several segments: the whole text alone */
    r = run(rec, sound, N_LONG, N_LONG);
    assert_int_equal(r->n_alternatives, 1);
    assert_string_equal(r->alternatives[0].text, r->text);
    oto_recognizer_destroy(rec);
}

/* A wider search never finds a less probable text. */
static void test_beam_beats_greedy(void **state)
{
    (void)state;
    oto_recognizer *greedy = make(1, 1, 30), *narrow = make(2, 1, 30), *wide = make(100, 1, 30);
    double g = run(greedy, sound, 20000, 20000)->log_prob;
    double n = run(narrow, sound, 20000, 20000)->log_prob;
    double w = run(wide, sound, 20000, 20000)->log_prob;
    print_message("log-probability: best path %.3f, beam 2 %.3f, beam 100 %.3f\n", g, n, w);
    assert_true(w >= n && w > g);
    oto_recognizer_destroy(greedy);
    oto_recognizer_destroy(narrow);
    oto_recognizer_destroy(wide);
}

static void test_nothing_heard(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 399};
    oto_recognizer *rec = make(0, 1, 30);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const oto_result *r = run(rec, sound, sizes[i], 7); /* too short for one window */
        assert_string_equal(r->text, "");
        assert_true(r->log_prob == 0 && r->seconds == (double)sizes[i] / 16000);
        assert_int_equal(r->n_alternatives, 1);
        assert_string_equal(r->alternatives[0].text, "");
    }
    oto_recognizer_destroy(rec);
}

static void test_digital_silence(void **state)
{
    (void)state;
    float *zeros = calloc(32000, sizeof *zeros);
    assert_non_null(zeros);
    oto_recognizer *rec = make(0, 1, 1);
    const oto_result *r = run(rec, zeros, 32000, 500);
    assert_true(isfinite(r->log_prob));
    oto_recognizer_destroy(rec);
    free(zeros);
}

static void test_one_shot(void **state)
{
    (void)state;
    oto_error err = {0};
    char *text = NULL;
    oto_recognizer *rec = make(0, 1, 30);
    assert_int_equal(oto_transcribe(&text, model, sound, 20000, &err), OTO_OK);
    assert_string_equal(text, run(rec, sound, 20000, 20000)->text);
    oto_text_free(text);
    oto_recognizer_destroy(rec);
    assert_int_equal(oto_transcribe(NULL, model, sound, 1, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_transcribe(&text, NULL, sound, 1, &err), OTO_ERR_ARGUMENT);
    assert_null(text);
    assert_int_equal(oto_transcribe(&text, model, NULL, 1, &err), OTO_ERR_ARGUMENT);
    oto_text_free(NULL);
}

/* ---- segments ---------------------------------------------------------------------------- */

static void test_partial(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_recognizer *rec = make(0, 1, 1);
    assert_string_equal(oto_recognizer_partial(rec), "");
    assert_int_equal(oto_recognizer_feed(rec, sound, 12000, &err), OTO_OK);
    assert_string_equal(oto_recognizer_partial(rec), "");
    size_t length = 0, n_grown = 0;
    for (size_t at = 12000; at + 4000 <= N_LONG; at += 4000) {
        assert_int_equal(oto_recognizer_feed(rec, sound + at, 4000, &err), OTO_OK);
        n_grown += strlen(oto_recognizer_partial(rec)) > length;
        length = strlen(oto_recognizer_partial(rec));
    }
    assert_in_range(n_grown, 4, 12);
    char *before = strdup(oto_recognizer_partial(rec));
    const oto_result *r = NULL;
    assert_int_equal(oto_recognizer_finish(rec, &r, &err), OTO_OK);
    assert_memory_equal(r->text, before, strlen(before)); /* what was settled stays */
    free(before);
    oto_recognizer_destroy(rec);
    assert_string_equal(oto_recognizer_partial(NULL), "");
}

/* The cut lies in the pause, so the parts read as if they had been fed apart. */
static void test_cut_at_pause(void **state)
{
    (void)state;
    const size_t n = 48000, from = 22000,
                 to = 31200; /* a long pause around 1.66 s, in the last third of 2 s */
    float *x = malloc(n * sizeof *x);
    assert_non_null(x);
    memcpy(x, sound, n * sizeof *x);
    for (size_t i = from; i < to; i++)
        x[i] *= 1e-4f;
    oto_recognizer *cut = make(0, 1, 2), *whole = make(0, 1, 30);
    oto_error err = {0};
    assert_int_equal(oto_recognizer_feed(cut, x, n, &err), OTO_OK);
    char *partial = strdup(oto_recognizer_partial(cut));
    assert_true(strlen(partial) > 0);
    /* The frames of the first part depend on samples up to the cut alone: find which lengths give
     * that text. */
    size_t first = 0, last = 0;
    for (size_t m = 16000; m <= 32000; m += 160) {
        if (strcmp(run(whole, x, m, m)->text, partial) == 0) {
            first = first > 0 ? first : m;
            last = m;
        }
    }
    print_message("cut between samples %zu and %zu, pause %zu to %zu\n", first, last, from, to);
    assert_true(first > 0 && last >= from && first <= to);
    free(partial);
    free(x);
    oto_recognizer_destroy(cut);
    oto_recognizer_destroy(whole);
}

/* Ten minutes of input need no more allocations than the text takes. */
static void test_endless_input(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_recognizer *rec = make(1, 1, 2);
    for (int k = 0; k < 3; k++)
        assert_int_equal(oto_recognizer_feed(rec, sound, N_LONG, &err), OTO_OK);
    (void)oto_mem_fail_nth(0);
    size_t length = strlen(oto_recognizer_partial(rec));
    for (int k = 0; k < 30; k++)
        assert_int_equal(oto_recognizer_feed(rec, sound, N_LONG, &err), OTO_OK);
    size_t first = oto_mem_fail_nth(0);
    for (int k = 0; k < 30; k++)
        assert_int_equal(oto_recognizer_feed(rec, sound, N_LONG, &err), OTO_OK);
    size_t second = oto_mem_fail_nth(0);
    print_message("%zu allocations for 210 s, %zu for the next 210 s\n", first, second);
    assert_true(second <= first + 2); /* texts of segments come and go; nothing else grows */
    assert_true(strlen(oto_recognizer_partial(rec)) > length);
    oto_recognizer_destroy(rec);
}

/* Any number of threads gives the same bits. */
static void test_threads_in_one(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_recognizer *alone = make(8, 1, 2);
    const oto_result *expected = run(alone, sound, N_LONG, N_LONG);
    assert_true(strlen(expected->text) > 3);
    for (int n = 2; n <= 3; n++) {
        oto_recognizer *rec = NULL;
        oto_recognizer_options options;
        oto_recognizer_options_init(&options);
        options.beam = 8;
        options.max_segment_s = 2;
        options.n_threads = n;
        assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_OK);
        const oto_result *r = run(rec, sound, N_LONG, N_LONG);
        assert_string_equal(r->text, expected->text);
        assert_true(r->log_prob == expected->log_prob);
        oto_recognizer_destroy(rec);
    }
    oto_recognizer_destroy(alone);
}

/* Each stage is timed while somebody asks for it, and only then; the parts are within the whole. */
static void test_stage_times(void **state)
{
    (void)state;
    struct oto_stage_time times[OTO_N_STAGES] = {{0, 0}}, before[OTO_N_STAGES];
    oto_recognizer *rec = make(8, 1, 2);
    oto_recognizer_time_stages(rec, times);
    const double start = oto_clock_wall_s();
    (void)run(rec, sound, N_LONG, 1600);
    const double whole = oto_clock_wall_s() - start;
    double sum = 0;
    for (int i = 0; i < OTO_N_STAGES; i++) {
        assert_true(times[i].wall_s > 0 && times[i].cpu_s > 0);
        sum += times[i].wall_s;
    }
    assert_true(sum <= whole);
    memcpy(before, times, sizeof times);
    oto_recognizer_time_stages(rec, NULL);
    (void)run(rec, sound, N_LONG, 1600);
    assert_memory_equal(before, times, sizeof times);
    oto_recognizer_destroy(rec);
}

/* ---- errors ------------------------------------------------------------------------------ */

static void test_not_finite(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    oto_error err = {0};
    oto_recognizer *rec = make(0, 1, 30), *clean = make(0, 1, 30);
    const oto_result *r = NULL;
    const char *expected = run(clean, sound, 16000, 16000)->text;
    assert_int_equal(oto_recognizer_feed(rec, sound, 8000, &err), OTO_OK);
    for (int i = 0; i < 3; i++) {
        float kept = sound[8123];
        sound[8123] = bad[i];
        assert_int_equal(oto_recognizer_feed(rec, sound + 8000, 8000, &err), OTO_ERR_DATA);
        assert_contains(err.message, "sample 123 of 8000");
        sound[8123] = kept;
    }
    assert_int_equal(oto_recognizer_feed(rec, sound + 8000, 8000, &err),
                     OTO_OK); /* nothing of it was taken */
    assert_int_equal(oto_recognizer_finish(rec, &r, &err), OTO_OK);
    assert_string_equal(r->text, expected);
    oto_recognizer_destroy(rec);
    oto_recognizer_destroy(clean);
}

static void test_wrong_order(void **state)
{
    (void)state;
    oto_error err = {0};
    const oto_result *r = NULL;
    oto_recognizer *rec = make(0, 1, 30);
    assert_int_equal(oto_recognizer_finish(rec, NULL, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_recognizer_feed(rec, NULL, 3, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_recognizer_feed(rec, NULL, 0, &err), OTO_OK);
    assert_int_equal(oto_recognizer_finish(rec, &r, &err), OTO_OK);
    assert_int_equal(oto_recognizer_finish(rec, &r, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "the input was finished: call oto_recognizer_reset() first");
    assert_null(r);
    assert_int_equal(oto_recognizer_feed(rec, sound, 3, &err), OTO_ERR_ARGUMENT);
    oto_recognizer_reset(rec);
    assert_int_equal(oto_recognizer_feed(rec, sound, 3, NULL), OTO_OK);
    assert_int_equal(oto_recognizer_feed(NULL, sound, 3, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_recognizer_finish(NULL, &r, &err), OTO_ERR_ARGUMENT);
    oto_recognizer_reset(NULL);
    oto_recognizer_destroy(NULL);
    oto_recognizer_destroy(rec);
}

static void expect_wrong_options(int beam, int n_best, double max_segment_s, size_t struct_size,
                                 const char *message)
{
    oto_error err = {0};
    oto_recognizer *rec = (oto_recognizer *)1;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.beam = beam;
    options.n_best = n_best;
    options.max_segment_s = max_segment_s;
    options.struct_size = struct_size;
    assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_ERR_ARGUMENT);
    assert_null(rec);
    assert_contains(err.message, message);
}

static void test_wrong_options(void **state)
{
    (void)state;
    const size_t size = sizeof(oto_recognizer_options);
    oto_error err = {0};
    oto_recognizer *rec = NULL;
    expect_wrong_options(-1, 1, 30, size, "beam: found -1");
    expect_wrong_options(4, 5, 30, size, "n_best: found 5, expected 1 to the beam of 4");
    expect_wrong_options(4, 0, 30, size, "n_best: found 0");
    expect_wrong_options(0, 1, 0, size, "max_segment_s: found 0");
    expect_wrong_options(0, 1, (double)NAN, size, "max_segment_s: found nan");
    expect_wrong_options(0, 1, 30, 0, "struct_size is not set");
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.n_threads = 0;
    assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "n_threads: found 0, expected 1 to 256");
    assert_int_equal(oto_recognizer_create(NULL, model, NULL, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_recognizer_create(&rec, NULL, NULL, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_recognizer_create(&rec, model, NULL, &err), OTO_OK);
    oto_recognizer_destroy(rec);
}

/* A caller built against an older header has a shorter struct: the fields it does not know keep
 * their defaults. */
static void test_older_options(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    memset(&options, 0xFF, sizeof options);
    options.struct_size = offsetof(oto_recognizer_options, n_best);
    options.beam = 4;
    assert_int_equal(oto_recognizer_create(&rec, model, &options, &err), OTO_OK);
    assert_int_equal(run(rec, sound, 16000, 16000)->n_alternatives, 1);
    oto_recognizer_destroy(rec);
}

static oto_status run_all(oto_error *err)
{
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    const oto_result *r = NULL;
    oto_recognizer_options_init(&options);
    options.max_segment_s = 1;
    oto_status status = oto_recognizer_create(&rec, model, &options, err);
    if (status == OTO_OK)
        status = oto_recognizer_feed(rec, sound, 30000, err);
    if (status != OTO_OK && rec != NULL) { /* broken until reset */
        assert_int_equal(oto_recognizer_feed(rec, sound, 1, NULL), OTO_ERR_ARGUMENT);
        oto_recognizer_reset(rec);
    }
    if (status == OTO_OK)
        status = oto_recognizer_finish(rec, &r, err);
    oto_recognizer_destroy(rec);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    size_t n = 0;
    for (oto_status status = OTO_ERR_MEMORY; status != OTO_OK; n++) {
        oto_error err = {0};
        (void)oto_mem_fail_nth(n + 1);
        status = run_all(&err);
        (void)oto_mem_fail_nth(0);
        if (status != OTO_OK)
            assert_int_equal(status, OTO_ERR_MEMORY);
    }
    print_message("create, feed and finish survive the failure of each of %zu allocations\n", n);
    assert_true(n > 30);
}

/* ---- threads ----------------------------------------------------------------------------- */

struct job {
    pthread_t thread;
    char text[2000];
};

static void *recognise(void *argument)
{
    struct job *job = argument;
    oto_recognizer *rec = NULL;
    const oto_result *r = NULL;
    if (oto_recognizer_create(&rec, model, NULL, NULL) == OTO_OK &&
        oto_recognizer_feed(rec, sound, N_LONG, NULL) == OTO_OK &&
        oto_recognizer_finish(rec, &r, NULL) == OTO_OK)
        snprintf(job->text, sizeof job->text, "%s", r->text);
    oto_recognizer_destroy(rec);
    return NULL;
}

static void test_threads_share_a_model(void **state)
{
    (void)state;
    struct job jobs[4];
    memset(jobs, 0, sizeof jobs);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, recognise, &jobs[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
    assert_true(strlen(jobs[0].text) > 3);
    for (int i = 1; i < 4; i++)
        assert_string_equal(jobs[i].text, jobs[0].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_portions),       cmocka_unit_test(test_portions_in_segments),
        cmocka_unit_test(test_alternatives),   cmocka_unit_test(test_beam_beats_greedy),
        cmocka_unit_test(test_nothing_heard),  cmocka_unit_test(test_digital_silence),
        cmocka_unit_test(test_one_shot),       cmocka_unit_test(test_partial),
        cmocka_unit_test(test_cut_at_pause),   cmocka_unit_test(test_endless_input),
        cmocka_unit_test(test_not_finite),     cmocka_unit_test(test_wrong_order),
        cmocka_unit_test(test_wrong_options),  cmocka_unit_test(test_older_options),
        cmocka_unit_test(test_without_memory), cmocka_unit_test(test_threads_share_a_model),
        cmocka_unit_test(test_threads_in_one), cmocka_unit_test(test_stage_times),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
