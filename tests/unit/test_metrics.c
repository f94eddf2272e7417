/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "training/metrics.h"

static oto_status load(struct oto_metrics *m, const char *text, oto_error *err)
{
    char folder[64], path[80];
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/m.jsonl", folder);
    unit_write_file(path, text, strlen(text));
    oto_status status = oto_metrics_load(m, path, err);
    unit_remove_folder(folder);
    return status;
}

static void reads_steps_and_epochs(void **state)
{
    (void)state;
    struct oto_metrics m = {0};
    oto_error err = {0};
    assert_int_equal(load(&m,
                          "{\"kind\":\"step\",\"step\":10,\"epoch\":1,\"loss\":7.5,\"lr\":1e-3}\n"
                          "{\"kind\":\"from a later version\",\"step\":12}\n\n"
                          "{\"kind\":\"epoch\",\"step\":20,\"dev_wer\":0.25,\"dev_loss\":null}",
                          &err),
                     OTO_OK);
    assert_int_equal(m.n, 2);
    assert_false(m.rows[0].is_epoch);
    assert_true(m.rows[0].values[OTO_METRIC_STEP] == 10);
    assert_true(m.rows[0].values[OTO_METRIC_LOSS] == 7.5);
    assert_true(m.rows[0].values[OTO_METRIC_LR] == 1e-3);
    assert_true(isnan(m.rows[0].values[OTO_METRIC_DEV_WER]));
    assert_true(m.rows[1].is_epoch);
    assert_true(m.rows[1].values[OTO_METRIC_DEV_WER] == 0.25);
    assert_true(isnan(m.rows[1].values[OTO_METRIC_DEV_LOSS]));
    oto_metrics_clear(&m);
}

static void names_a_bad_line(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"kind\":\"step\",\"step\":1}\nnonsense\n",
                                      "{\"kind\":\"step\",\"step\":1}\n{\"kind\":\"step\"",
                                      "{\"kind\":\"step\"}\n[1]\n",
                                      "{\"kind\":\"step\"}\n{\"step\":2}\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct oto_metrics m = {0};
        oto_error err = {0};
        assert_int_equal(load(&m, bad[i], &err), OTO_ERR_FORMAT);
        assert_contains(err.message, "m.jsonl:2: ");
        oto_metrics_clear(&m);
    }
    struct oto_metrics m = {0};
    oto_error err = {0};
    assert_int_equal(oto_metrics_load(&m, "/nowhere/m.jsonl", &err), OTO_ERR_NOT_FOUND);
    assert_int_equal(load(&m, "", &err), OTO_OK);
    assert_int_equal(m.n, 0);
}

static void grows(void **state)
{
    (void)state;
    static char text[64 * 1000];
    struct oto_metrics m = {0};
    oto_error err = {0};
    size_t n = 0;
    for (int i = 0; i < 1000; i++)
        n += (size_t)sprintf(text + n, "{\"kind\":\"step\",\"step\":%d}\n", i);
    assert_int_equal(load(&m, text, &err), OTO_OK);
    assert_int_equal(m.n, 1000);
    for (int i = 0; i < 1000; i++)
        assert_true(m.rows[i].values[OTO_METRIC_STEP] == i);
    oto_metrics_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_steps_and_epochs),
                                       cmocka_unit_test(names_a_bad_line), cmocka_unit_test(grows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
