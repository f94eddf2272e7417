/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>
#include <time.h>

#include "toy_corpus.h"
#include "training/report.h"

static char folder[64], path[100], shown[4096], live[4096];

static int make(void **state)
{
    (void)state;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/metrics.jsonl", folder);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    unit_remove_folder(folder);
    return 0;
}

static void on_line(void *arg, const char *text)
{
    (void)arg;
    strncat(shown, text, sizeof shown - strlen(shown) - 2);
    strcat(shown, "\n");
}

static void on_live(void *arg, const char *text)
{
    (void)arg;
    snprintf(live, sizeof live, "%s", text);
}

static void writes_json_lines(void **state)
{
    (void)state;
    struct oto_report *r;
    const struct oto_report_sink nobody = {0};
    uint64_t bytes;
    assert_int_equal(oto_report_open(&r, path, &nobody, NULL), OTO_OK);
    oto_report_begin(r, "step");
    oto_report_count(r, "step", 18446744073709551615u);
    oto_report_number(r, "loss", 0.1);
    oto_report_number(r, "norm", (double)NAN);
    oto_report_number(r, "big", (double)INFINITY);
    oto_report_end(r);
    oto_report_line(r, "into the void");
    assert_int_equal(oto_report_sync(r, &bytes, NULL), OTO_OK);
    const char *expected = "{\"kind\":\"step\",\"step\":18446744073709551615,\"loss\":0.1,\"norm\":"
                           "null,\"big\":null}\n";
    assert_int_equal(bytes, strlen(expected));
    oto_report_begin(r, "epoch");
    oto_report_end(r);
    oto_report_close(r);
    /* a run that resumes drops what came after the checkpoint, then goes on */
    assert_int_equal(oto_report_open(&r, path, &nobody, NULL), OTO_OK);
    assert_int_equal(oto_report_cut(r, bytes, NULL), OTO_OK);
    oto_report_begin(r, "more");
    oto_report_end(r);
    assert_int_equal(oto_report_cut(r, 10000, NULL),
                     OTO_OK); /* longer than it is: nothing to cut */
    oto_report_close(r);
    size_t n;
    char *text = (char *)toy_read(folder, "metrics.jsonl", &n);
    assert_memory_equal(text, expected, strlen(expected));
    assert_string_equal(text + strlen(expected), "{\"kind\":\"more\"}\n");
    free(text);
}

static void shows_progress_in_place(void **state)
{
    (void)state;
    struct oto_report *r;
    const struct oto_report_sink sink = {on_line, on_live, NULL};
    const struct timespec pause = {0, 600000000};
    assert_int_equal(oto_report_open(&r, path, &sink, NULL), OTO_OK);
    struct oto_report_progress p = {2, 7, 0.5, 1.25, 90, 3725, 3, 0.0123};
    oto_report_progress(r, &p);
    assert_string_equal(live, ""); /* too early */
    nanosleep(&pause, NULL);
    oto_report_progress(r, &p);
    assert_string_equal(live, "epoch 2/7  50 %, loss 1.250, 90 s of audio per s, 1.2 % waiting for "
                              "data, 1:02:05 left, 3 skipped");
    nanosleep(&pause, NULL);
    oto_report_prepare(r, "features", 3, 9);
    assert_string_equal(live, "features: 3 of 9");
    oto_report_line(r, "%d of %s", 3, "nine");
    assert_string_equal(shown, "3 of nine\n");
    oto_report_close(r);
}

static void stays_quiet_where_nothing_is_rewritten(void **state)
{
    (void)state;
    struct oto_report *r;
    const struct oto_report_sink sink = {on_line, NULL, NULL};
    const struct timespec pause = {0, 600000000};
    const struct oto_report_progress p = {0};
    shown[0] = 0;
    assert_int_equal(oto_report_open(&r, path, &sink, NULL), OTO_OK);
    nanosleep(&pause, NULL);
    oto_report_progress(r, &p);
    assert_string_equal(shown, ""); /* a line every few minutes only */
    oto_report_close(r);
}

static void writes_durations(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(oto_report_duration(text, 0), "0:00");
    assert_string_equal(oto_report_duration(text, 59.6), "1:00");
    assert_string_equal(oto_report_duration(text, 3599), "59:59");
    assert_string_equal(oto_report_duration(text, 360000), "100:00:00");
    assert_string_equal(oto_report_duration(text, (double)NAN), "0:00");
    assert_string_equal(oto_report_duration(text, -5), "0:00");
}

static void names_the_file_it_cannot_write(void **state)
{
    (void)state;
    struct oto_report *r;
    oto_error err = {0};
    const struct oto_report_sink nobody = {0};
    uint64_t bytes;
    assert_int_equal(oto_report_open(&r, "/nowhere/metrics.jsonl", &nobody, &err),
                     OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "/nowhere/metrics.jsonl");
    assert_null(r);
    assert_int_equal(oto_report_open(&r, "/dev/full", &nobody, &err), OTO_OK);
    oto_report_begin(r, "step");
    oto_report_end(r);
    assert_int_equal(oto_report_sync(r, &bytes, &err), OTO_ERR_IO);
    assert_contains(err.message, "/dev/full");
    oto_report_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_json_lines),
        cmocka_unit_test(shows_progress_in_place),
        cmocka_unit_test(stays_quiet_where_nothing_is_rewritten),
        cmocka_unit_test(writes_durations),
        cmocka_unit_test(names_the_file_it_cannot_write),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
