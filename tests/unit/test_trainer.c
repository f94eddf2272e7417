/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole runs in small: the same bytes on any number of threads, other starts, ends and averages. */
#include "models/bundle.h"
#include "trainer_run.h"
#include "training/checkpoint.h"

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

/* Pairs of frames with all else that is on: threads, stops and parts as ever; and a start from such
 * a model, which measures as it did. */
static void pyramids_train_the_same(void **state)
{
    (void)state;
    static const char *const runs[] = {"pyramid", "pyramid-stopped", "pyramid-again"};
    struct run r[3];
    char model[200];
    oto_error err = {0};
    snprintf(model, sizeof model, "%s/pyramid/best.oto", folder);
    for (int i = 0; i < 3; i++) {
        init_run(&r[i], runs[i]);
        set(&r[i], "layers", "3");
        set(&r[i], "reduce-after", "1,2");
        set(&r[i], "proj", "7");
        set(&r[i], "auxiliary-layer", "2");
        if (i == 1) {
            set(&r[i], "threads", "3");
            r[i].stop_after = 5;
            assert_int_equal(start(&r[i], &err), OTO_ERR_INTERRUPTED);
            r[i].stop_after = 0;
            set(&r[i], "resume", "true");
        } else if (i == 2) {
            set(&r[i], "init", model);
            set(&r[i], "lr", "0");
            set(&r[i], "epochs", "1");
            set(&r[i], "warmup-steps", "0");
        }
        run_to_end(&r[i]);
    }
    assert_same_run(runs[0], runs[1]);
    assert_true(isfinite(r[0].result.dev_loss) && r[0].result.n_skipped == 0);
    assert_true(r[2].result.dev_loss == r[0].result.dev_loss);
    for (int i = 0; i < 3; i++)
        clear_run(&r[i]);
}

/* With nothing left to chance both views are the same: the gradient is that of one of them. With
 * noise they are not. */
static void views_agree_without_chance(void **state)
{
    (void)state;
    static const char *const off[][2] = {{"dropout", "0"},
                                         {"time-masks", "0"},
                                         {"freq-masks", "0"},
                                         {"feature-noise", "0"},
                                         {"tempo", "0"},
                                         {"chunk-share", "0"},
                                         {"perturb", "gain:1:6:6"},
                                         {"weight-noise", "0"},
                                         {"label-smoothing", "0"},
                                         {"ema", "0"},
                                         {"average-best", "0"},
                                         {"epochs", "1"}};
    struct oto_train_result results[3];
    for (int k = 0; k < 3; k++) {
        struct run r;
        char out[24];
        snprintf(out, sizeof out, "views-%d", k);
        init_run(&r, out);
        for (size_t i = 0; i < sizeof off / sizeof *off; i++)
            set(&r, off[i][0], off[i][1]);
        set(&r, "consistency", k == 0 ? "0" : "0.5");
        if (k == 2)
            set(&r, "feature-noise", "0.5");
        run_to_end(&r);
        results[k] = r.result;
        clear_run(&r);
    }
    assert_true(fabs(results[1].dev_loss - results[0].dev_loss) < 1e-4 * results[0].dev_loss);
    assert_true(fabs(results[2].dev_loss - results[0].dev_loss) > 1e-3 * results[0].dev_loss);
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

static void fails_for_options_that_contradict(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"train", "", "--train"},
        {"out", "", "--out"},
        {"speeds", "1,fast", "speeds"},
        {"chunk-ms", "5..", "--chunk-ms=5.."},
        {"chunk-cmvn", "sliding", "--chunk-cmvn=sliding is for --cmvn=utterance"},
        {"auxiliary-layer", "2", "--auxiliary-layer=2: expected"},
        {"reduce-after", "2", "--reduce-after=\"2\": expected rising layers from 1 to 1"},
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
    static const char *const others[][2] = {{"cmvn", "sliding"}, {"stride", "2"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        clear_run(&r);
        init_run(&r, others[i][0]);
        set(&r, "init", model);
        set(&r, "lr", "0");
        set(&r, "epochs", "1");
        set(&r, others[i][0], others[i][1]);
        run_to_end(&r);
        assert_true(isfinite(r.result.dev_loss));
        assert_true(r.result.dev_loss != reference().dev_loss);
    }
    static const char *const misfits[][3] = {
        {"hidden", "13", "12 units"},
        {"freeze", "3", "has 2 layers"},
        {"reduce-after", "1", "--reduce-after=, this run has 1"},
        {"mels", "17", "--mels=16"},
        {"stack", "2", "--stack="},
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

/* Weights of all cepstra are as good, with statistics of the corpus, as weights of the energies
 * they are made of, and derivatives that nothing reads yet change nothing; fewer cepstra do, and
 * more cannot be had. */
static void carries_over_to_other_features(void **state)
{
    (void)state;
    static const struct {
        const char *run, *init, *feature, *cmvn, *ceps, *delta_order, *message;
        bool same;
    } cases[] = {
        {"cepstra", "", "mfcc", "global", "16", "0", NULL, true},
        {"energies", "cepstra", "fbank", "global", "16", "0", NULL, true},
        {"derivatives", "cepstra", "fbank", "global", "16", "1", NULL, true},
        {"of-cepstra", "cepstra", "mfcc", "global", "16", "2", NULL, true},
        {"of-energies", "energies", "fbank", "global", "16", "1", NULL, true},
        {"each", "cepstra", "fbank", "utterance", "16", "0", NULL, false},
        {"fewer", "cepstra", "mfcc", "global", "8", "1", NULL, false},
        {"more", "reference", "mfcc", "global", "9", "0", "--ceps=8, this run has 9", false},
        {"too-few", "reference", "fbank", "global", "8", "0", "=mfcc, this run has fbank", false},
        {"back", "energies", "mfcc", "global", "16", "0", "=fbank, this run has mfcc", false},
        {"lost", "derivatives", "fbank", "global", "16", "0", "-order=1, this run has 0", false},
    };
    double first = 0;
    reference();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r;
        char model[200];
        oto_error err = {0};
        init_run(&r, cases[i].run);
        set(&r, "feature", cases[i].feature);
        set(&r, "cmvn", cases[i].cmvn);
        set(&r, "ceps", cases[i].ceps);
        set(&r, "delta-order", cases[i].delta_order);
        if (*cases[i].init != 0) {
            snprintf(model, sizeof model, "%s/%s/best.oto", folder, cases[i].init);
            set(&r, "init", model);
            set(&r, "lr", "0");
            set(&r, "epochs", "1");
            set(&r, "warmup-steps", "0");
        }
        if (cases[i].message != NULL) {
            assert_int_equal(start(&r, &err), OTO_ERR_CONFIG);
            assert_contains(err.message, cases[i].message);
        } else {
            run_to_end(&r);
            first = i == 0 ? r.result.dev_loss : first;
            const double change = fabs(r.result.dev_loss - first) / first;
            assert_true(cases[i].same ? change < 1e-5 : change > 1e-5);
        }
        clear_run(&r);
    }
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
            int n_other = 0;
            for (int j = 0; j < 25; j++)
                n_other += row[j] != other[j];
            assert_int_equal(n_other == 0, mode == 0);
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

/* At a rate of zero no epoch is better than the first: the rate is halved, then patience ends. */
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
        cmocka_unit_test(pyramids_train_the_same),
        cmocka_unit_test(views_agree_without_chance),
        cmocka_unit_test(another_seed_gives_another_model),
        cmocka_unit_test(fails_for_options_that_contradict),
        cmocka_unit_test(starts_from_a_model),
        cmocka_unit_test(carries_over_to_other_features),
        cmocka_unit_test(takes_a_new_alphabet),
        cmocka_unit_test(keeps_frozen_layers),
        cmocka_unit_test(averages_the_best_epochs),
        cmocka_unit_test(stops_without_gain),
        cmocka_unit_test(skips_steps_that_are_not_finite),
    };
    return cmocka_run_group_tests(tests, make_corpus, remove_corpus);
}
