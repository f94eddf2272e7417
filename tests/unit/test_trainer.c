/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole runs in small: the same bytes on any number of threads, and after any number of stops. */
#include "unit.h"

#include "models/bundle.h"
#include "toy_corpus.h"
#include "training/checkpoint.h"
#include "training/trainer.h"

/* A run's options, changed by the test before it starts. */
struct run {
    struct oto_train_options train;
    struct oto_frontend_options frontend;
    struct oto_beam_options beam;
    int stop_after; /* steps until stop; 0 = never */
    int n_steps;
    struct oto_train_result result;
};

static char folder[64];

static void set(struct run *r, const char *name, const char *value)
{
    oto_error err = {0};
    if (oto_options_find(oto_train_option_table, oto_train_n_options, name))
        assert_int_equal(oto_options_set(oto_train_option_table, oto_train_n_options, &r->train,
                                         name, value, &err),
                         0);
    else
        assert_int_equal(oto_options_set(oto_frontend_option_table, oto_frontend_n_options,
                                         &r->frontend, name, value, &err),
                         0);
}

/* Everything that could break sameness is on: dropout, masks, speeds, moving average, repeats. */
static void init_run(struct run *r, const char *out)
{
    oto_error err = {0};
    char list[200], path[200];
    memset(r, 0, sizeof *r);
    assert_int_equal(oto_options_init(oto_train_option_table, oto_train_n_options, &r->train, &err),
                     0);
    assert_int_equal(
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &r->frontend, &err), 0);
    assert_int_equal(oto_options_init(oto_beam_option_table, oto_beam_n_options, &r->beam, &err),
                     0);
    static const char *const options[][2] = {
        {"layers", "2"},
        {"hidden", "12"},
        {"dropout", "0.2"},
        {"epochs", "3"},
        {"batch-seconds", "3"},
        {"lr", "0.01"},
        {"warmup-steps", "3"},
        {"ema", "0.9"},
        {"time-masks", "1"},
        {"time-mask-ms", "60"},
        {"freq-masks", "1"},
        {"freq-mask-bins", "3"},
        {"mask-warmup", "2"},
        {"speeds", "0.9,1.1"},
        {"short-epochs", "1"},
        {"tempo", "0.1"},
        {"feature-noise", "0.3"},
        {"perturb", "warp:0.5:0.9:1.1,reverb:0.5:0.1:0.4,colour:0.5:0:9,noise:0.8:5:30"},
        {"cmvn", "global"},
        {"chunk-share", "0.5"},
        {"chunk-ms", "60..200"},
        {"context-ms", "0..90"},
        {"label-smoothing", "0.1"},
        {"weight-noise", "0.01"},
        {"average-best", "2"},
        {"auxiliary-layer", "1"},
        {"auxiliary-weight", "0.4"},
        {"show", "1"},
        {"date", "2020-01-02"},
        {"threads", "1"},
        {"name", "toy"},
        {"mels", "16"},
        {"ceps", "8"},
        {"log-steps", "1"},
        {"checkpoint-minutes", "1000"},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        set(r, options[i][0], options[i][1]);
    snprintf(list, sizeof list, "%s/train.tsv*2,%s/more.tsv", folder, folder);
    set(r, "train", list);
    snprintf(path, sizeof path, "%s/dev.tsv", folder);
    set(r, "dev", path);
    snprintf(path, sizeof path, "%s/%s", folder, out);
    set(r, "out", path);
    snprintf(path, sizeof path, "%s/cache",
             folder); /* shared, so that only the first run computes features */
    set(r, "cache", path);
}

static void clear_run(struct run *r)
{
    oto_options_clear(oto_train_option_table, oto_train_n_options, &r->train);
    oto_options_clear(oto_frontend_option_table, oto_frontend_n_options, &r->frontend);
    oto_options_clear(oto_beam_option_table, oto_beam_n_options, &r->beam);
}

static bool stop(void *arg)
{
    struct run *r = arg;
    r->n_steps++;
    return r->stop_after > 0 && r->n_steps >= r->stop_after;
}

static oto_status start(struct run *r, oto_error *err)
{
    const struct oto_train_setup setup = {.options = &r->train,
                                          .frontend = &r->frontend,
                                          .beam = &r->beam,
                                          .stop = stop,
                                          .stop_arg = r};
    r->n_steps = 0;
    return oto_train(&setup, &r->result, err);
}

static void run_to_end(struct run *r)
{
    oto_error err = {0};
    if (start(r, &err) != OTO_OK)
        fail_msg("%s", err.message);
}

static int make_corpus(void **state)
{
    (void)state;
    unit_make_folder(folder);
    toy_corpus(folder, "train", 12, 1);
    toy_corpus(folder, "more", 5, 2);
    toy_corpus(folder, "dev", 4, 3);
    return 0;
}

static int remove_corpus(void **state)
{
    (void)state;
    unit_remove_folder(folder);
    return 0;
}

static void assert_same_run(const char *a, const char *b)
{
    static const char *const files[] = {"best.oto", "last.oto", "average.oto"};
    char folder_a[200], folder_b[200];
    snprintf(folder_a, sizeof folder_a, "%s/%s", folder, a);
    snprintf(folder_b, sizeof folder_b, "%s/%s", folder, b);
    for (size_t i = 0; i < 3; i++)
        if (!toy_same_file(folder_a, files[i], folder_b, files[i]))
            fail_msg("%s of runs %s and %s differ", files[i], a, b);
}

/* The uninterrupted run that others are compared with. */
static struct oto_train_result reference(void)
{
    static struct oto_train_result result;
    static bool done;
    if (!done) {
        struct run r;
        init_run(&r, "reference");
        run_to_end(&r);
        result = r.result;
        clear_run(&r);
        done = true;
    }
    return result;
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    static const char *const threads[] = {"2", "3"};
    reference();
    for (size_t i = 0; i < 2; i++) {
        struct run r;
        init_run(&r, threads[i]);
        set(&r, "threads", threads[i]);
        run_to_end(&r);
        assert_same_run("reference", threads[i]);
        clear_run(&r);
    }
}

static void another_seed_gives_another_model(void **state)
{
    (void)state;
    struct run r;
    char a[200], b[200];
    reference();
    init_run(&r, "seed");
    set(&r, "seed", "2");
    run_to_end(&r);
    snprintf(a, sizeof a, "%s/reference", folder);
    snprintf(b, sizeof b, "%s/seed", folder);
    assert_false(toy_same_file(a, "last.oto", b, "last.oto"));
    clear_run(&r);
}

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

static void fails_for_options_that_contradict(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"train", "", "--train"},
        {"out", "", "--out"},
        {"speeds", "1,fast", "speeds"},
        {"chunk-ms", "5..", "--chunk-ms=5.."},
        {"auxiliary-layer", "2", "--auxiliary-layer=2: expected"},
        {"warmup-steps", "9999", "--warmup-steps"},
        {"max-seconds", "0.01", "outside"},
        {"symbols", "abc", "alphabet"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r;
        oto_error err = {0};
        init_run(&r, "contradiction");
        set(&r, cases[i][0], cases[i][1]);
        assert_true(start(&r, &err) != OTO_OK);
        if (!strstr(err.message, cases[i][2]))
            fail_msg("%s=%s: %s", cases[i][0], cases[i][1], err.message);
        clear_run(&r);
    }
}

/* Weights of a finished run, unchanged by a rate of zero, measure as they did there. */
static void starts_from_a_model(void **state)
{
    (void)state;
    struct run r;
    oto_error err = {0};
    char model[200];
    reference();
    snprintf(model, sizeof model, "%s/reference/best.oto", folder);
    init_run(&r, "warm");
    set(&r, "init", model);
    set(&r, "lr", "0");
    set(&r, "epochs", "2");
    run_to_end(&r);
    assert_true(r.result.dev_cer == reference().dev_cer);
    assert_true(r.result.dev_loss == reference().dev_loss);
    clear_run(&r);
    init_run(&r, "live"); /* another normalisation */
    set(&r, "init", model);
    set(&r, "lr", "0");
    set(&r, "epochs", "1");
    set(&r, "cmvn", "sliding");
    run_to_end(&r);
    assert_true(r.result.dev_loss != reference().dev_loss);
    static const char *const misfits[][3] = {{"hidden", "13", "12 units"},
                                             {"freeze", "3", "has 2 layers"},
                                             {"mels", "17", "--mels=16"},
                                             {"cmvn", "none", "--cmvn=global"},
                                             {"init", "/nowhere.oto", "/nowhere.oto"}};
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        struct run bad;
        init_run(&bad, "misfit");
        set(&bad, "init", model);
        set(&bad, "unknown", "drop");
        set(&bad, misfits[i][0], misfits[i][1]);
        assert_true(start(&bad, &err) != OTO_OK);
        assert_contains(err.message, misfits[i][2]);
        clear_run(&bad);
    }
    clear_run(&r);
}

/* Rows of the output layer of a model file: weights and bias of one symbol. */
static void get_output(const struct oto_bundle *b, const char *symbol, float row[25])
{
    struct oto_tensor weight, bias;
    int k = 0, n = oto_network_n_tensors(&b->shape);
    while (strcmp(symbol, "blank") != 0 && strcmp(b->alphabet->symbols[k], symbol) != 0)
        assert_true(++k < b->alphabet->n_symbols);
    oto_network_tensor(&b->shape, n - 2, &weight);
    oto_network_tensor(&b->shape, n - 1, &bias);
    assert_int_equal(weight.n_cols, 24);
    memcpy(row, b->weights + weight.offset + 24 * k, 24 * sizeof *row);
    row[24] = b->weights[bias.offset + (size_t)k];
}

static struct oto_bundle *load_model(const char *run)
{
    char path[200];
    struct oto_bundle *b = NULL;
    oto_error err = {0};
    snprintf(path, sizeof path, "%s/%s/last.oto", folder, run);
    if (oto_bundle_load(&b, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return b;
}

/* Another alphabet: what both know is taken over by symbol, wherever it stands. */
static void takes_a_new_alphabet(void **state)
{
    (void)state;
    static const char *const known[] = {"blank", "a", "d", "e"};
    static const char *const modes[] = {"match", "new"};
    char model[200];
    float row[25], other[25];
    reference();
    struct oto_bundle *old = load_model("reference");
    snprintf(model, sizeof model, "%s/reference/last.oto", folder);
    for (int mode = 0; mode < 2; mode++) {
        struct run r;
        init_run(&r, modes[mode]);
        set(&r, "init", model);
        set(&r, "init-output", modes[mode]);
        set(&r, "symbols", "xedcba");
        set(&r, "lr", "0");
        set(&r, "epochs", "1");
        set(&r, "warmup-steps", "0");
        run_to_end(&r);
        clear_run(&r);
        struct oto_bundle *b = load_model(modes[mode]);
        assert_int_equal(b->shape.n_outputs, 7);
        assert_memory_equal(b->weights, old->weights, 100 * sizeof *b->weights);
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            get_output(b, known[i], row);
            get_output(old, known[i], other);
            assert_int_equal(memcmp(row, other, sizeof row) == 0, mode == 0);
        }
        get_output(b, "x", row);
        assert_true(row[0] != 0 && row[24] == 0);
        oto_bundle_destroy(b);
    }
    oto_bundle_destroy(old);
}

static void keeps_frozen_layers(void **state)
{
    (void)state;
    struct run r;
    oto_error err = {0};
    struct oto_tensor tensor;
    char model[200];
    reference();
    init_run(&r, "frozen");
    set(&r, "auxiliary-layer", "0"); /* layer 1 does not learn */
    set(&r, "freeze", "1");
    assert_true(start(&r, &err) != OTO_OK);
    assert_contains(err.message, "--freeze=1 needs --init");
    snprintf(model, sizeof model, "%s/reference/last.oto", folder);
    set(&r, "init", model);
    set(&r, "weight-decay", "0.01");
    run_to_end(&r);
    clear_run(&r);
    struct oto_bundle *old = load_model("reference"), *b = load_model("frozen");
    for (int k = 0; k < oto_network_n_tensors(&b->shape); k++) {
        oto_network_tensor(&b->shape, k, &tensor);
        size_t n = (size_t)tensor.n_rows * (size_t)tensor.n_cols;
        bool same = memcmp(b->weights + tensor.offset, old->weights + tensor.offset,
                           n * sizeof *b->weights) == 0;
        if (same != (strstr(tensor.name, "_l0") != NULL))
            fail_msg("%s %s", tensor.name, same ? "was kept" : "changed");
    }
    oto_bundle_destroy(old);
    oto_bundle_destroy(b);
}

/* At a rate of zero no epoch is better than the first: the rate is halved, then patience ends. */
/* Of three epochs the mean of two: that of their last models, which a run of fewer epochs would
 * leave. */
static void averages_the_best_epochs(void **state)
{
    (void)state;
    struct run r;
    struct oto_bundle *average, *last[2];
    char path[250];
    static const char *const names[] = {"mean1", "mean2"};
    for (int k = 0; k < 2; k++) { /* a constant rate: the second run repeats the first */
        init_run(&r, names[k]);
        set(&r, "schedule", "constant");
        set(&r, "epochs", k == 0 ? "1" : "2");
        set(&r, "average-best", "16");
        run_to_end(&r);
        snprintf(path, sizeof path, "%s/last.oto", r.train.out);
        assert_int_equal(oto_bundle_load(&last[k], path, NULL), OTO_OK);
        snprintf(path, sizeof path, "%s/average.oto", r.train.out);
        assert_int_equal(oto_bundle_load(&average, path, NULL), OTO_OK);
        size_t n = oto_network_n_parameters(&average->shape);
        assert_false(isnan(average->card.dev_cer));
        for (size_t i = 0; i < n; i++) {
            double sum = 0;
            for (int j = 0; j <= k; j++)
                sum += (double)last[j]->weights[i];
            assert_true(average->weights[i] == (float)(sum / (k + 1)));
        }
        oto_bundle_destroy(average);
        clear_run(&r);
    }
    oto_bundle_destroy(last[0]);
    oto_bundle_destroy(last[1]);
}

static void stops_without_gain(void **state)
{
    (void)state;
    static const char *const schedules[] = {"plateau", "newbob", "constant"};
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        struct run r;
        uint64_t n_epochs = i == 2 ? 30 : 4;
        init_run(&r, schedules[i]);
        set(&r, "lr", "0");
        set(&r, "epochs", "30");
        set(&r, "batch-seconds", "1000");
        set(&r, "schedule", schedules[i]);
        if (i < 2)
            set(&r, "patience", "3");
        run_to_end(&r);
        assert_int_equal(r.result.best_epoch, 1);
        assert_int_equal(r.result.n_steps, n_epochs);
        struct oto_checkpoint c;
        oto_error err = {0};
        assert_int_equal(oto_checkpoint_load(&c, r.train.out, &err), OTO_OK);
        assert_int_equal(c.state.n_halvings, i == 2 ? 0 : 3);
        oto_checkpoint_close(&c);
        set(&r, "resume", "true"); /* nothing is left to do */
        run_to_end(&r);
        assert_int_equal(r.result.n_steps, n_epochs);
        clear_run(&r);
    }
    struct run r;
    oto_error err = {0};
    init_run(&r, "blind");
    set(&r, "dev", "");
    set(&r, "patience", "3");
    assert_true(start(&r, &err) != OTO_OK);
    assert_contains(err.message, "--dev");
    clear_run(&r);
}

/* Rates so high that the loss leaves the floats: such steps are counted, and the weights stay
 * finite. */
static void skips_steps_that_are_not_finite(void **state)
{
    (void)state;
    struct run r;
    init_run(&r, "wild");
    set(&r, "lr", "10");
    set(&r, "clip-norm", "0");
    set(&r, "eps", "1e-30");
    set(&r, "weight-decay", "10");
    set(&r, "schedule", "constant");
    set(&r, "epochs", "12");
    set(&r, "ema", "0");
    run_to_end(&r);
    assert_true(r.result.n_skipped > 0);
    assert_true(r.result.n_skipped < r.result.n_steps);
    clear_run(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(another_seed_gives_another_model),
        cmocka_unit_test(resumes_exactly),
        cmocka_unit_test(metrics_have_no_gaps),
        cmocka_unit_test(refuses_a_used_folder),
        cmocka_unit_test(refuses_to_resume_another_recipe),
        cmocka_unit_test(resumes_a_recipe_of_before),
        cmocka_unit_test(resumes_from_an_older_checkpoint),
        cmocka_unit_test(fails_for_options_that_contradict),
        cmocka_unit_test(starts_from_a_model),
        cmocka_unit_test(takes_a_new_alphabet),
        cmocka_unit_test(keeps_frozen_layers),
        cmocka_unit_test(averages_the_best_epochs),
        cmocka_unit_test(stops_without_gain),
        cmocka_unit_test(skips_steps_that_are_not_finite),
    };
    return cmocka_run_group_tests(tests, make_corpus, remove_corpus);
}
