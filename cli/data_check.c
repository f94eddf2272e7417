/* SPDX-License-Identifier: BSD-2-Clause */
/* otolith data check */
#include <string.h>

#include "base/mem.h"
#include "cli/common.h"
#include "cli/data.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "decoder/beam.h"
#include "models/bundle.h"
#include "otolith/otolith.h"
#include "training/corpus_check.h"
#include "training/train_options.h"
#include "training/transcripts.h"

/* What transcripts and recordings are held to, and where it comes from. */
struct yardstick {
    struct oto_alphabet *own; /* NULL when it is the model's */
    const struct oto_alphabet *alphabet;
    struct oto_frontend_options frontend;
    int reduction;             /* of its frames to one that CTC sees */
    struct oto_bundle *bundle; /* NULL without --model */
};

struct output {
    bool json;
    size_t n, counts[OTO_N_FAULTS];
    struct oto_progress progress;
};

static void print_fault(void *arg, const struct oto_corpus_fault *fault)
{
    struct output *out = arg;
    const char *kind = oto_fault_name(fault->kind);
    out->counts[fault->kind]++;
    oto_progress_hide();
    if (!out->json) {
        printf("%s:", fault->file);
        if (fault->line > 0)
            printf("%d:", fault->line);
        printf(" %s: %s\n", kind, fault->message);
    } else {
        fputs(out->n > 0 ? ",\n{\"file\":" : "\n{\"file\":", stdout);
        oto_json_text(stdout, fault->file);
        printf(",\"line\":%d,\"id\":", fault->line);
        oto_json_text(stdout, fault->id);
        printf(",\"kind\":\"%s\",\"message\":", kind);
        oto_json_text(stdout, fault->message);
        putchar('}');
    }
    out->n++;
}

static void show_progress(void *arg, size_t n_done, size_t n, double audio_s)
{
    struct output *out = arg;
    oto_progress_show(&out->progress, "%zu of %zu utterances, %.0f s of audio, %zu problems",
                      n_done, n, audio_s, out->n);
}

static void print_end(const struct output *out, const struct oto_corpus *corpus, double audio_s)
{
    size_t n = corpus->n + corpus->n_bad;
    if (out->json) {
        printf("],\"utterances\":%zu,\"audio_seconds\":", n);
        oto_json_number(stdout, audio_s);
        printf(",\"counts\":{");
    } else {
        printf("%zu utterance%s, %.2f hours; %zu problem%s", n, n == 1 ? "" : "s", audio_s / 3600,
               out->n, out->n == 1 ? "" : "s");
    }
    const char *separator = out->json ? "" : ": ";
    for (int k = 0; k < OTO_N_FAULTS; k++) {
        if (out->counts[k] == 0)
            continue;
        printf(out->json ? "%s\"%s\":%zu" : "%s%s %zu", separator,
               oto_fault_name((enum oto_fault)k), out->counts[k]);
        separator = out->json ? "," : ", ";
    }
    puts(out->json ? "}}" : "");
}

/* ---- what to check against ------------------------------------------------------------------- */

static oto_status of_model(struct yardstick *y, const struct oto_data_options *o, oto_error *err)
{
    char path[4096];
    oto_status status = oto_model_find(o->model, path, sizeof path, err);
    if (status == OTO_OK)
        status = oto_bundle_load(&y->bundle, path, err);
    if (status != OTO_OK)
        return status;
    y->alphabet = y->bundle->alphabet;
    y->frontend = y->bundle->frontend;
    y->reduction = oto_network_reduction(&y->bundle->shape, y->bundle->shape.n_layers - 1);
    return OTO_OK;
}

static oto_status read_reduction(int *reduction, const struct oto_train_options *train,
                                 oto_error *err)
{
    oto_error inner;
    struct oto_network_shape shape = {.n_layers = train->layers};
    if (oto_network_parse_reductions(&shape.reduce_after, train->reduce_after, train->layers,
                                     &inner) != OTO_OK)
        return oto_fail(err, OTO_ERR_CONFIG, "reduce-after = %s", inner.message);
    *reduction = oto_network_reduction(&shape, shape.n_layers - 1);
    return OTO_OK;
}

/* A recipe's text options count where the command line says nothing. */
static oto_status of_recipe(struct yardstick *y, const struct oto_data_options *o,
                            const struct oto_corpus *corpus, oto_error *err)
{
    struct oto_train_options train = {0};
    struct oto_beam_options beam = {0};
    const struct oto_option_group groups[] = {
        {"", oto_train_option_table, oto_train_n_options, &train},
        {"", oto_frontend_option_table, oto_frontend_n_options, &y->frontend},
        {"", oto_beam_option_table, oto_beam_n_options, &beam},
        {0}};
    oto_status status = oto_options_init(oto_train_option_table, oto_train_n_options, &train, err);
    if (status == OTO_OK)
        status = oto_options_init(oto_beam_option_table, oto_beam_n_options, &beam, err);
    if (status == OTO_OK && *o->config)
        status = oto_options_read_file(groups, o->config, err);
    if (status == OTO_OK)
        status = read_reduction(&y->reduction, &train, err);
    if (status == OTO_OK) {
        bool own = *o->alphabet || *o->symbols, recipe = *o->config != 0;
        const struct oto_text_policy policy = {
            recipe && !o->own_case ? train.letter_case : o->letter_case,
            recipe && !o->own_punctuation ? train.punctuation : o->punctuation};
        status = oto_transcripts_alphabet(&y->own, corpus, own ? o->alphabet : train.alphabet,
                                          own ? o->symbols : train.symbols, &policy, err);
        y->alphabet = y->own;
    }
    oto_options_clear(oto_beam_option_table, oto_beam_n_options, &beam);
    oto_options_clear(oto_train_option_table, oto_train_n_options, &train);
    return status;
}

static oto_status check(struct output *out, const struct oto_corpus *corpus,
                        const struct yardstick *y, const struct oto_data_options *o,
                        double *audio_s, oto_error *err)
{
    const struct oto_check_options options = {.alphabet = y->alphabet,
                                              .frontend = &y->frontend,
                                              .reduction = y->reduction,
                                              .tolerance_s = o->tolerance_s,
                                              .max_clipped = o->max_clipped,
                                              .silence_db = o->silence_db,
                                              .fault = print_fault,
                                              .progress = show_progress,
                                              .arg = out};
    struct oto_pool *pool = NULL;
    oto_status status = oto_pool_create(&pool, o->jobs, err);
    if (status == OTO_OK)
        status = oto_corpus_check(corpus, &options, pool, audio_s, err);
    oto_pool_destroy(pool);
    return status;
}

static oto_status make_yardstick(struct yardstick *y, const struct oto_data_options *o,
                                 const struct oto_corpus *corpus, oto_error *err)
{
    oto_status status =
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &y->frontend, err);
    if (status != OTO_OK)
        return status;
    return *o->model ? of_model(y, o, err) : of_recipe(y, o, corpus, err);
}

int oto_data_check(const struct oto_data_options *o, const char **names, int n)
{
    if (*o->alphabet && *o->symbols)
        return oto_cli_usage_error("data", "--alphabet and --symbols contradict each other");
    if (*o->model && (*o->alphabet || *o->symbols || *o->config))
        return oto_cli_usage_error("data", "--model brings its own alphabet, text options and "
                                           "front end; leave out the others");
    struct output out = {.json = o->format == OTO_DATA_JSON};
    struct oto_corpus *corpus = NULL;
    struct yardstick y = {0};
    double audio_s = 0;
    oto_error err = {0};
    oto_progress_init(&out.progress, stderr, oto_cli_verbosity() != OTO_QUIET);
    if (out.json)
        printf("{\"v\":1,\"problems\":[");
    int code = oto_data_load(&corpus, o, names, n, print_fault, &out);
    oto_status status = OTO_OK;
    if (code == OTO_EXIT_OK && corpus->n > 0) {
        status = make_yardstick(&y, o, corpus, &err);
        if (status == OTO_OK)
            status = check(&out, corpus, &y, o, &audio_s, &err);
    }
    oto_progress_end(&out.progress);
    if (status != OTO_OK)
        code = oto_cli_fail(&err, NULL);
    if (code == OTO_EXIT_OK) {
        print_end(&out, corpus, audio_s);
        code = out.n > 0 ? OTO_EXIT_SOME_FAILED : OTO_EXIT_OK;
    }
    oto_alphabet_destroy(y.own);
    oto_bundle_destroy(y.bundle);
    oto_corpus_destroy(corpus);
    return code;
}
