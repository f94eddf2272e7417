/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs that were stopped go on to the same bytes, or say what does not fit. */
#include "trainer_run.h"
#include "training/checkpoint.h"

/* Stops after every k-th step, k from 1: in the middle of epochs, at their ends, at the very end.
 */
static void resumes_exactly(void **state)
{
    (void)state;
    uint64_t n_steps = reference().n_steps;
    assert_true(n_steps > 10);
    static const int every[] = {1, 4, 7};
    for (size_t i = 0; i < 3; i++) {
        struct run r;
        oto_error err = {0};
        char name[20];
        int stops = 0;
        snprintf(name, sizeof name, "every%d", every[i]);
        init_run(&r, name);
        r.stop_after = every[i];
        oto_status status;
        while ((status = start(&r, &err)) == OTO_ERR_INTERRUPTED && stops < 200) {
            stops++;
            set(&r, "resume", "true");
            set(&r, "threads", stops % 2 ? "2" : "1");
        }
        if (status != OTO_OK)
            fail_msg("%s", err.message);
        assert_true(stops > 1);
        assert_same_run("reference", name);
        assert_int_equal(r.result.n_steps, n_steps);
        assert_true(r.result.dev_cer == reference().dev_cer);
        clear_run(&r);
    }
}

/* Each step and epoch stands in the metrics once, also when a run was stopped between. */
static void metrics_have_no_gaps(void **state)
{
    (void)state;
    static const char *const runs[] = {"reference", "every4"};
    uint64_t n_steps = reference().n_steps;
    for (size_t i = 0; i < 2; i++) {
        char path[200], expected[40];
        size_t n;
        snprintf(path, sizeof path, "%s/%s", folder, runs[i]);
        char *text = (char *)toy_read(path, "metrics.jsonl", &n);
        assert_non_null(text);
        const char *p = text;
        for (uint64_t s = 1; s <= n_steps; s++) {
            snprintf(expected, sizeof expected, "{\"kind\":\"step\",\"step\":%d,", (int)s);
            p = strstr(p, expected);
            if (!p)
                fail_msg("%s: step %d is missing or out of order", runs[i], (int)s);
        }
        int n_lines = 0;
        for (p = text; *p; p++)
            n_lines += *p == '\n';
        assert_int_equal(n_lines, (int)n_steps + 3);
        free(text);
    }
}

static void refuses_a_used_folder(void **state)
{
    (void)state;
    struct run r;
    oto_error err = {0};
    reference();
    init_run(&r, "reference");
    assert_int_equal(start(&r, &err), OTO_ERR_CONFIG);
    assert_non_null(strstr(err.message, "--resume"));
    clear_run(&r);
}

static void refuses_to_resume_another_recipe(void **state)
{
    (void)state;
    struct run r;
    oto_error err = {0};
    reference();
    init_run(&r, "reference");
    set(&r, "resume", "true");
    set(&r, "lr", "0.02");
    assert_int_equal(start(&r, &err), OTO_ERR_CONFIG);
    assert_non_null(strstr(err.message, "'lr = 0.01', not 'lr = 0.02'"));
    set(&r, "lr", "0.01");
    char other[200];
    snprintf(other, sizeof other, "%s/more.tsv", folder);
    set(&r, "train", other);
    assert_int_equal(start(&r, &err), OTO_ERR_CONFIG);
    assert_non_null(strstr(err.message, "manifests"));
    clear_run(&r);
}

/* Takes a line out of the recipe of a folder's checkpoint. */
static void forget_option(const char *run, const char *line)
{
    struct oto_checkpoint c;
    char path[200], recipe[8000];
    snprintf(path, sizeof path, "%s/%s", folder, run);
    assert_int_equal(oto_checkpoint_load(&c, path, NULL), OTO_OK);
    const char *at = strstr(c.recipe, line);
    assert_non_null(at);
    snprintf(recipe, sizeof recipe, "%.*s%s", (int)(at - c.recipe), c.recipe, at + strlen(line));
    c.recipe = recipe;
    assert_int_equal(oto_checkpoint_save(&c, path, 1, NULL), OTO_OK);
    oto_checkpoint_close(&c);
}

/* An option that came later than the checkpoint had its default value then. */
static void resumes_a_recipe_of_before(void **state)
{
    (void)state;
    struct run r;
    oto_error err = {0};
    init_run(&r, "before");
    set(&r, "chunk-share", "0");
    r.stop_after = 2;
    assert_int_equal(start(&r, &err), OTO_ERR_INTERRUPTED);
    set(&r, "resume", "true");
    forget_option("before", "chunk-share = 0\n");
    set(&r, "chunk-share", "0.5");
    assert_int_equal(start(&r, &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "'chunk-share = 0', not 'chunk-share = 0.5'");
    set(&r, "chunk-share", "0");
    assert_int_equal(start(&r, &err), OTO_ERR_INTERRUPTED);
    forget_option("before", "lr = 0.01\n");
    assert_int_equal(start(&r, &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "'lr = 0.001', not 'lr = 0.01'");
    clear_run(&r);
}

static void resumes_from_an_older_checkpoint(void **state)
{
    (void)state;
    struct run r;
    oto_error err = {0};
    char path[200];
    size_t n;
    init_run(&r, "damaged");
    r.stop_after = 9;
    assert_int_equal(start(&r, &err), OTO_ERR_INTERRUPTED);
    set(&r, "resume", "true");
    r.stop_after = 3;
    assert_int_equal(start(&r, &err), OTO_ERR_INTERRUPTED);
    snprintf(path, sizeof path, "%s/damaged", folder);
    unsigned char *data = toy_read(path, "checkpoint.bin", &n);
    assert_non_null(data);
    data[n / 2] ^= 4;
    toy_write(path, "checkpoint.bin", data, n);
    free(data);
    struct toy_log *log = malloc(sizeof *log);
    assert_non_null(log);
    toy_log_catch(log);
    r.stop_after = 0;
    run_to_end(&r);
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    assert_non_null(strstr(log->text, "checkpoint.bin: section '"));
    assert_non_null(strstr(log->text, "checkpoint-1.bin"));
    free(log);
    reference();
    assert_same_run("reference", "damaged");
    clear_run(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumes_exactly),
        cmocka_unit_test(metrics_have_no_gaps),
        cmocka_unit_test(refuses_a_used_folder),
        cmocka_unit_test(refuses_to_resume_another_recipe),
        cmocka_unit_test(resumes_a_recipe_of_before),
        cmocka_unit_test(resumes_from_an_older_checkpoint),
    };
    return cmocka_run_group_tests(tests, make_corpus, remove_corpus);
}
