/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "training/chart.h"
#include "training/report_page.h"

static char folder[64];

static void put_file(const char *name, const char *text)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unit_write_file(path, text, strlen(text));
}

static oto_status write_page(char **html, oto_error *err)
{
    char path[96];
    snprintf(path, sizeof path, "%s/page.html", folder);
    oto_status status = oto_report_page_write(folder, path, err);
    *html = NULL;
    if (status == OTO_OK) {
        struct oto_map map;
        assert_int_equal(oto_map_open(&map, path, err), OTO_OK);
        *html = oto_strndup((const char *)map.data, map.size);
        oto_map_close(&map);
        assert_non_null(*html);
    }
    return status;
}

static int make_folder(void **state)
{
    (void)state;
    unit_make_folder(folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unit_remove_folder(folder);
    return 0;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    while ((text = strstr(text, what)) != NULL) {
        text += strlen(what);
        n++;
    }
    return n;
}

static const char metrics[] =
    "{\"kind\":\"step\",\"step\":10,\"epoch\":1,\"loss\":3,\"grad_norm\":2,\"lr\":0.001,"
    "\"audio_s_per_s\":50,\"skipped\":0}\n"
    "{\"kind\":\"epoch\",\"epoch\":1,\"step\":10,\"loss\":3,\"dev_loss\":2.5,\"dev_cer\":0.5,"
    "\"dev_wer\":0.75,\"best_epoch\":1,\"audio_s_per_s\":50,\"seconds\":61,\"skipped\":0}\n"
    "{\"kind\":\"step\",\"step\":20,\"epoch\":2,\"loss\":2,\"grad_norm\":1,\"lr\":0,"
    "\"audio_s_per_s\":60,\"skipped\":1}\n";

static void shows_a_run(void **state)
{
    (void)state;
    oto_error err = {0};
    char *html;
    put_file("metrics.jsonl", metrics);
    put_file("best-dev.tsv", "id\tsaid\theard\n"
                             "u1\tone two three\ttoo three\n"
                             "u2\tfour\tfour\n"
                             "<u3>\tfive two\tfive too\n");
    assert_int_equal(write_page(&html, &err), OTO_OK);
    assert_int_equal(count(html, "<svg"), 6);
    assert_int_equal(count(html, "</svg>"), 6);
    assert_contains(html, "epoch 1: dev CER 50.00 %, WER 75.00 %, loss 2.500");
    assert_contains(html, "20, in epoch 2");
    assert_contains(html, "1:01");
    assert_contains(html, "not finite</th><td>1</td>");
    assert_contains(html, "<td class=\"n\">2 of 3</td><td>one two three<br><span "
                          "class=\"bad\">too three</span>");
    assert_contains(html, "&lt;u3&gt;");
    assert_null(strstr(html, "<u3>"));
    assert_contains(html, "<td class=\"n\">2</td><td>two</td><td class=\"bad\">too</td>");
    assert_contains(html, "<td>one</td><td class=\"bad\">(nothing)</td>");
    assert_null(strstr(html, "nan"));
    assert_null(strstr(html, "inf"));
    assert_null(strstr(html, "http")); /* nothing is fetched */
    oto_free(html);
}

static void shows_the_first_steps(void **state)
{
    (void)state;
    oto_error err = {0};
    char *html;
    put_file("metrics.jsonl", "{\"kind\":\"step\",\"step\":10,\"epoch\":1,\"loss\":3}\n");
    assert_int_equal(write_page(&html, &err), OTO_OK);
    assert_int_equal(count(html, "<svg"), 1);
    assert_null(strstr(html, "nan"));
    oto_free(html);
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    oto_error err = {0};
    char *html;
    assert_int_equal(write_page(&html, &err), OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "metrics.jsonl");
    put_file("metrics.jsonl", "");
    assert_int_equal(write_page(&html, &err), OTO_ERR_DATA);
    assert_contains(err.message, "no step");
    put_file("metrics.jsonl", metrics);
    put_file("best-dev.tsv", "id\tsaid\theard\nu1\tone\n");
    assert_int_equal(write_page(&html, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "best-dev.tsv:2: three fields");
    put_file("best-dev.tsv", "id\tsaid\theard\n");
    put_file("last.oto", "no model");
    assert_int_equal(write_page(&html, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "last.oto");
}

static void a_chart_leaves_out_what_is_not_finite(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4}, y[] = {1, (double)NAN, (double)INFINITY, 2};
    const struct oto_chart_series series = {"a<b", x, y, 4};
    const struct oto_chart chart = {"t&t", "step", &series, 1, 1, 0};
    struct oto_writer w = {0};
    oto_chart_write(&w, &chart);
    oto_write_u8(&w, 0);
    assert_contains((char *)w.data, "t&amp;t");
    assert_int_equal(count((char *)w.data, "<circle"), 2);
    assert_null(strstr((char *)w.data, "nan"));
    assert_null(strstr((char *)w.data, "inf"));
    oto_writer_clear(&w);
    const struct oto_chart_series empty = {"none", x, y + 1, 2};
    const struct oto_chart nothing = {"t", "step", &empty, 1, 1, 0};
    oto_chart_write(&w, &nothing);
    assert_int_equal(w.size, 0);
}

static void a_long_series_is_thinned(void **state)
{
    (void)state;
    enum { N = 100000 };
    double *x = oto_calloc(N, sizeof *x), *y = oto_calloc(N, sizeof *y);
    for (int i = 0; i < N; i++) {
        x[i] = i;
        y[i] = sin(i * 1e-3);
    }
    const struct oto_chart_series series = {"long", x, y, N};
    const struct oto_chart chart = {"t", "step", &series, 1, 1, 0};
    struct oto_writer w = {0};
    oto_chart_write(&w, &chart);
    assert_in_range(w.size, 3000, 12000);
    oto_writer_clear(&w);
    oto_free(x);
    oto_free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shows_a_run, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(shows_the_first_steps, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(names_what_is_wrong, make_folder, remove_folder),
        cmocka_unit_test(a_chart_leaves_out_what_is_not_finite),
        cmocka_unit_test(a_long_series_is_thinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
