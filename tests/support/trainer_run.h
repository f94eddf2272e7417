/* SPDX-License-Identifier: BSD-2-Clause */
/** Small training runs on a toy corpus with everything on that could break sameness; each including
 * test has a folder of its own. */
#ifndef OTO_TESTS_TRAINER_RUN_H
#define OTO_TESTS_TRAINER_RUN_H

#include "toy_corpus.h"
#include "training/trainer.h"
#include "unit.h"

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

static inline void set(struct run *r, const char *name, const char *value)
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
static inline void init_run(struct run *r, const char *out)
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
        {"consistency", "0.2"},
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

static inline void clear_run(struct run *r)
{
    oto_options_clear(oto_train_option_table, oto_train_n_options, &r->train);
    oto_options_clear(oto_frontend_option_table, oto_frontend_n_options, &r->frontend);
    oto_options_clear(oto_beam_option_table, oto_beam_n_options, &r->beam);
}

static inline bool stop(void *arg)
{
    struct run *r = arg;
    r->n_steps++;
    return r->stop_after > 0 && r->n_steps >= r->stop_after;
}

static inline oto_status start(struct run *r, oto_error *err)
{
    const struct oto_train_setup setup = {.options = &r->train,
                                          .frontend = &r->frontend,
                                          .beam = &r->beam,
                                          .stop = stop,
                                          .stop_arg = r};
    r->n_steps = 0;
    return oto_train(&setup, &r->result, err);
}

static inline void run_to_end(struct run *r)
{
    oto_error err = {0};
    if (start(r, &err) != OTO_OK)
        fail_msg("%s", err.message);
}

static inline int make_corpus(void **state)
{
    (void)state;
    unit_make_folder(folder);
    toy_corpus(folder, "train", 12, 1);
    toy_corpus(folder, "more", 5, 2);
    toy_corpus(folder, "dev", 4, 3);
    return 0;
}

static inline int remove_corpus(void **state)
{
    (void)state;
    unit_remove_folder(folder);
    return 0;
}

static inline void assert_same_run(const char *a, const char *b)
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
static inline struct oto_train_result reference(void)
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

#endif
