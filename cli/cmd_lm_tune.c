/* SPDX-License-Identifier: BSD-2-Clause */
/* otolith lm tune: weights of a language model that give the fewest word errors with a network. The
 * network runs once; every trial is a search over its log-probabilities. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/model.h"
#include "api/rescore.h"
#include "api/stages.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/batch.h"
#include "cli/lm.h"
#include "cli/model.h"
#include "cli/progress.h"
#include "decoder/beam.h"
#include "decoder/edit_distance.h"
#include "decoder/priors.h"
#include "training/corpus.h"

struct tune_options {
    char *model, *manifest, *lm, *rescore, *output;
    int beam, trials, jobs;
    uint64_t seed;
};

#define FIELD(f) .offset = offsetof(struct tune_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "model", .short_name = 'm', .type = OTO_OPTION_TEXT, FIELD(model), .default_text = "", .argument = "MODEL",
     .help = "Model file, or its name in the search path; none is the default model, english."},
    {.name = "manifest", .short_name = 't', .type = OTO_OPTION_TEXT, FIELD(manifest), .default_text = "", .argument = "LIST",
     .help = "Manifests or corpus folders with audio and its texts, separated by commas. Not those that are to be tested with."},
    {.name = "lm", .type = OTO_OPTION_TEXT, FIELD(lm), .default_text = "", .argument = "FILE",
     .help = "Language model: ARPA, binary, or that of a model file; without it the model's own."},
    {.name = "rescore", .type = OTO_OPTION_TEXT, FIELD(rescore), .default_text = "", .argument = "FILE",
     .help = "LSTM language model of a second pass, whose weight is looked for as well; without it the model's own, if it has one; "
             "'none' for none."},
    {.name = "output", .short_name = 'o', .type = OTO_OPTION_TEXT, FIELD(output), .default_text = "", .argument = "FILE",
     .help = "Writes the model with the language models and the best weights in it."},
    {.name = "trials", .short_name = 'n', .type = OTO_OPTION_INT, FIELD(trials), .default_text = "40", .min = 1, .max = 100000,
     .help = "Sets of weights tried: the model's, then half of them anywhere, the others ever nearer to the best."},
    {.name = "beam", .short_name = 'b', .type = OTO_OPTION_INT, FIELD(beam), .default_text = "0", .min = 0, .max = 10000,
     .help = "Prefixes kept in the search; 0 is the model's own choice."},
    {.name = "jobs", .short_name = 'j', .type = OTO_OPTION_INT, FIELD(jobs), .default_text = "1", .min = 1, .max = 256,
     .help = "Utterances worked on at the same time."},
    {.name = "seed", .type = OTO_OPTION_U64, FIELD(seed), .default_text = "1", .help = "Seed of the weights that are tried."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "lm",
    .synopsis = "  otolith lm tune [--model=MODEL] [--lm=FILE] --manifest=LIST [options]\n",
    .examples =
        "  otolith lm tune --manifest=dev.tsv --lm=en.otolm --jobs=2 -o english-lm.oto\n"
        "  otolith lm tune --model=digits-en --lm=digits.arpa --manifest=dev.tsv --trials=100\n",
    .notes =
        "Prints a line for each set of weights that is better than all before: trial, word error "
        "rate in percent,\n"
        "lm-weight, word-bonus, unknown-weight, prior-scale, with a second pass also "
        "rescore-weight, with tabs between. Where the model has no priors of its symbols, they are "
        "found from the "
        "recordings.\nA second network of the model has no part in it. The same seed gives the "
        "same result, with any\n"
        "number of jobs.\n",
};

/* ---- log-probabilities ------------------------------------------------------------------- */

struct item {
    const struct oto_utterance *utterance;
    const struct oto_alphabet *alphabet;
    char *ref;
    struct oto_writer log_probs; /* floats [n_frames, K] of all segments */
    struct oto_writer ends;      /* size_t: the frame behind each segment */
    size_t n_frames;
    oto_error err;
};

struct tuning {
    const struct tune_options *options;
    const oto_model *model;
    const struct oto_lm *lm;
    const struct oto_lstm_lm *lstm; /* of the second pass; NULL: there is none */
    struct oto_beam_options beam;
    double *log_priors; /* [K] the model's, or of these utterances */
    struct item *items;
    size_t n_items;
};

static oto_status keep_segment(void *arg, const float *log_probs, size_t n_frames, oto_error *err)
{
    struct item *item = arg;
    const size_t n_symbols = (size_t)item->alphabet->n_symbols;
    item->n_frames += n_frames;
    oto_write_bytes(&item->log_probs, log_probs, n_frames * n_symbols * sizeof *log_probs);
    oto_write_bytes(&item->ends, &item->n_frames, sizeof item->n_frames);
    return item->log_probs.failed || item->ends.failed ? oto_fail_memory(err, "log-probabilities")
                                                       : OTO_OK;
}

static void hear(void *arg, struct oto_batch_worker *worker, size_t k)
{
    const struct tuning *t = arg;
    struct item *item = &t->items[k];
    const oto_result *result = NULL;
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.start_s = item->utterance->start_s;
    options.length_s = item->utterance->length_s;
    oto_recognizer_watch_segments(oto_batch_recognizer(worker), keep_segment, item);
    if (oto_text_normalise(&item->ref, item->utterance->text, &item->alphabet->policy,
                           item->alphabet, &item->err) != OTO_OK)
        oto_cli_name_file(&item->err, item->utterance->path);
    else
        item->err.status =
            oto_batch_recognize(worker, &result, NULL, item->utterance->path, &options, &item->err);
}

static bool tell(void *arg, size_t k)
{
    const struct tuning *t = arg;
    if (t->items[k].err.status != OTO_OK)
        oto_cli_error("%s", t->items[k].err.message);
    return t->items[k].err.status == OTO_OK;
}

/* Runs the network over everything. The first utterance that cannot be used ends it. */
static oto_status hear_all(struct tuning *t, oto_error *err)
{
    oto_recognizer_options options;
    oto_batch_network_options(&options);
    struct oto_batch batch = {.model = t->model,
                              .options = &options,
                              .n_jobs = t->options->jobs,
                              .n_items = t->n_items,
                              .what = "utterances",
                              .arg = t,
                              .work = hear,
                              .tell = tell};
    oto_status status = oto_batch_run(&batch, err);
    for (size_t k = 0; status == OTO_OK && k < t->n_items; k++)
        if (t->items[k].err.status != OTO_OK)
            status = oto_fail(err, t->items[k].err.status, "an utterance cannot be used");
    return status;
}

/* The model's own priors of symbols, else those of what was heard. */
static oto_status find_priors(struct tuning *t, oto_error *err)
{
    const struct oto_bundle *b = t->model->bundle;
    const size_t n_symbols = (size_t)b->shape.n_outputs;
    size_t n_frames = 0;
    t->log_priors = oto_calloc(n_symbols, sizeof *t->log_priors);
    if (t->log_priors == NULL)
        return oto_fail_memory(err, "priors");
    if (b->log_priors != NULL) {
        memcpy(t->log_priors, b->log_priors, n_symbols * sizeof *t->log_priors);
        return OTO_OK;
    }
    for (size_t k = 0; k < t->n_items; k++) {
        n_frames += t->items[k].n_frames;
        oto_priors_add(t->log_priors, (const float *)(const void *)t->items[k].log_probs.data,
                       t->items[k].n_frames, b->shape.n_outputs);
    }
    if (n_frames == 0)
        return oto_fail(err, OTO_ERR_DATA, "no frames to find priors from");
    oto_priors_finish(t->log_priors, n_frames, b->shape.n_outputs);
    return OTO_OK;
}

/* What a trial is made with. */
struct weights {
    struct oto_language_options language;
    double rescore;
};

/* ---- a trial ----------------------------------------------------------------------------- */

/* What one thread does: utterances first, first + step, ... */
struct share {
    const struct tuning *tuning;
    const struct oto_language *language;
    const struct weights *weights;
    size_t first, step;
    struct oto_errors errors;
    oto_error err;
    pthread_t thread;
};

/* The best text of what the beam heard, after the second pass where there is one. */
static oto_status best_of(const struct oto_hypothesis **best, struct oto_beam *beam,
                          const struct tuning *t, struct oto_rescorer *rescorer, oto_error *err)
{
    int n = 0;
    oto_status status = oto_beam_n_best(beam, rescorer != NULL ? t->beam.beam : 1, best, &n, err);
    if (status == OTO_OK && rescorer != NULL)
        status = oto_rescorer_run(rescorer, best, &n, err);
    return status;
}

static oto_status decode(char **text, const struct tuning *t, const struct item *item,
                         struct oto_beam *beam, struct oto_rescorer *rescorer, oto_error *err)
{
    const float *log_probs = (const float *)(const void *)item->log_probs.data;
    const size_t *ends = (const size_t *)(const void *)item->ends.data;
    const size_t n_symbols = (size_t)item->alphabet->n_symbols;
    struct oto_writer all = {0};
    oto_status status = OTO_OK;
    size_t begin = 0;
    for (size_t i = 0; status == OTO_OK && i < item->ends.size / sizeof *ends; i++) {
        const struct oto_hypothesis *best = NULL;
        char *part = NULL;
        oto_beam_reset(beam);
        status = oto_beam_push(beam, log_probs + begin * n_symbols, ends[i] - begin, err);
        if (status == OTO_OK)
            status = best_of(&best, beam, t, rescorer, err);
        if (status == OTO_OK)
            status = oto_alphabet_decode(item->alphabet, best->labels, best->n_labels, &part, err);
        if (status == OTO_OK) {
            oto_write_bytes(&all, part, strlen(part));
            oto_write_u8(&all, ' ');
        }
        oto_free(part);
        begin = ends[i];
    }
    oto_write_u8(&all, 0);
    if (status == OTO_OK && all.failed)
        status = oto_fail_memory(err, "text");
    *text = status == OTO_OK ? oto_strdup((const char *)all.data) : NULL;
    if (status == OTO_OK && *text == NULL)
        status = oto_fail_memory(err, "text");
    oto_writer_clear(&all);
    return status;
}

/* Texts of a beam that the second pass looks at. */
static int n_rescored(const struct tuning *t)
{
    const int best = t->model->bundle->rescore.best;
    return best > 0 && best < t->beam.beam ? best : t->beam.beam;
}

static void *run_share(void *arg)
{
    struct share *s = arg;
    const struct tuning *t = s->tuning;
    struct oto_beam *beam = NULL;
    struct oto_rescorer *rescorer = NULL;
    oto_status status = oto_beam_create(&beam, t->items[0].alphabet->n_symbols, &t->beam, &s->err);
    if (status == OTO_OK)
        status = oto_beam_set_language(beam, s->language, &s->err);
    if (status == OTO_OK && t->lstm != NULL) {
        const struct oto_rescore_setup setup = {.lstm = t->lstm,
                                                .lm = t->lm,
                                                .alphabet = t->items[0].alphabet,
                                                .weights = s->weights->language,
                                                .weight = s->weights->rescore,
                                                .n_best = n_rescored(t)};
        status = oto_rescorer_create(&rescorer, &setup, &s->err);
    }
    for (size_t k = s->first; status == OTO_OK && k < t->n_items; k += s->step) {
        char *text = NULL;
        status = decode(&text, t, &t->items[k], beam, rescorer, &s->err);
        if (status == OTO_OK)
            status = oto_edit_add(&s->errors, t->items[k].ref, text, OTO_EDIT_WORDS, &s->err);
        oto_free(text);
    }
    oto_rescorer_destroy(rescorer);
    oto_beam_destroy(beam);
    s->err.status = status;
    return NULL;
}

static void add_errors(struct oto_errors *sum, const struct oto_errors *e)
{
    sum->n_ref += e->n_ref;
    sum->n_hyp += e->n_hyp;
    sum->substitutions += e->substitutions;
    sum->insertions += e->insertions;
    sum->deletions += e->deletions;
}

/* Word errors with these weights. */
static oto_status try_weights(struct oto_errors *sum, const struct tuning *t,
                              const struct weights *weights, oto_error *err)
{
    const struct oto_bundle *b = t->model->bundle;
    struct oto_language *language = NULL;
    const int n = t->options->jobs;
    int n_started = 0;
    *sum = (struct oto_errors){0};
    struct share *shares = oto_calloc((size_t)n, sizeof *shares);
    oto_status status = shares != NULL ? OTO_OK : oto_fail_memory(err, "threads");
    const struct oto_language_parts parts = {
        .lexicon = b->lexicon, .lm = t->lm, .log_priors = t->log_priors};
    if (status == OTO_OK)
        status = oto_language_create_from(&language, &parts, b->alphabet, &weights->language, err);
    for (; status == OTO_OK && n_started < n; n_started++) {
        shares[n_started] = (struct share){.tuning = t,
                                           .language = language,
                                           .weights = weights,
                                           .first = (size_t)n_started,
                                           .step = (size_t)n};
        if (pthread_create(&shares[n_started].thread, NULL, run_share, &shares[n_started]) != 0)
            break;
    }
    for (int i = 0; i < n_started; i++) {
        pthread_join(shares[i].thread, NULL);
        if (shares[i].err.status != OTO_OK && status == OTO_OK) {
            status = shares[i].err.status;
            if (err != NULL)
                *err = shares[i].err;
        }
        add_errors(sum, &shares[i].errors);
    }
    if (status == OTO_OK && n_started < n)
        status = oto_fail(err, OTO_ERR_MEMORY, "cannot start a thread");
    oto_language_destroy(language);
    oto_free(shares);
    return status;
}

/* ---- the search -------------------------------------------------------------------------- */

/* Where weights are looked for. */
static const struct {
    double low, high;
} ranges[] = {{0.05, 2.0}, {-2.0, 5.0}, {-10.0, -0.1}, {0.0, 1.5}, {0.0, 1.0}};
enum { N_WEIGHTS = sizeof ranges / sizeof ranges[0] };

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Two decimals: more are noise, and these can be typed. */
static double round_weight(double x)
{
    return floor(100 * x + 0.5) / 100;
}

/* Trial i: anywhere in the first half, then around the best, ever nearer. */
static struct weights choose(const struct tune_options *o, int i, const struct weights *best)
{
    const double from[N_WEIGHTS] = {best->language.lm_weight, best->language.word_bonus,
                                    best->language.unknown_weight, best->rescore,
                                    best->language.prior_scale};
    const int half = o->trials / 2;
    double to[N_WEIGHTS];
    for (uint64_t k = 0; k < N_WEIGHTS; k++) {
        const double width = ranges[k].high - ranges[k].low;
        if (i <= half) {
            to[k] = ranges[k].low + width * oto_rng_uniform(o->seed, k, (uint64_t)i);
        } else {
            const double nearness = 0.15 * (o->trials - i) / (o->trials - half) + 0.01;
            to[k] = from[k] + nearness * width * oto_rng_normal(o->seed, k, (uint64_t)i);
        }
        to[k] = round_weight(clamp(to[k], ranges[k].low, ranges[k].high));
    }
    return (struct weights){{to[0], to[1], to[2], to[4]}, to[3]};
}

static uint64_t count(const struct oto_errors *e)
{
    return e->substitutions + e->insertions + e->deletions;
}

static void print_best(const struct tuning *t, int trial, const struct oto_errors *errors,
                       const struct weights *best)
{
    oto_progress_hide();
    printf("%d\t%.2f\t%g\t%g\t%g\t%g", trial, 100 * oto_error_rate(errors),
           best->language.lm_weight, best->language.word_bonus, best->language.unknown_weight,
           best->language.prior_scale);
    if (t->lstm != NULL)
        printf("\t%g", best->rescore);
    printf("\n");
    fflush(stdout);
}

static oto_status search(const struct tuning *t, struct weights *best, oto_error *err)
{
    struct oto_progress progress;
    uint64_t least = UINT64_MAX;
    oto_status status = OTO_OK;
    *best = (struct weights){t->model->bundle->language, t->model->bundle->rescore.weight};
    oto_progress_init(&progress, stderr, oto_cli_verbosity() != OTO_QUIET);
    for (int i = 0; status == OTO_OK && i < t->options->trials; i++) {
        const struct weights weights = i == 0 ? *best : choose(t->options, i, best);
        struct oto_errors errors;
        status = try_weights(&errors, t, &weights, err);
        if (status != OTO_OK || errors.n_ref == 0)
            break;
        if (count(&errors) < least) {
            least = count(&errors);
            *best = weights;
            print_best(t, i, &errors, best);
        }
        oto_progress_show(&progress, "trial %d of %d, best %.2f %% with %g %g %g %g", i + 1,
                          t->options->trials, 100 * (double)least / (double)errors.n_ref,
                          best->language.lm_weight, best->language.word_bonus,
                          best->language.unknown_weight, best->language.prior_scale);
    }
    oto_progress_end(&progress);
    if (status == OTO_OK && least == UINT64_MAX)
        status = oto_fail(err, OTO_ERR_DATA, "no words in the texts to count errors of");
    return status;
}

/* ---- files ------------------------------------------------------------------------------- */

static int save(struct tuning *t, const struct weights *best)
{
    const struct tune_options *o = t->options;
    oto_error err = {0};
    char path[4096];
    int code = OTO_EXIT_OK;
    struct oto_bundle *bundle = oto_cli_load_model(o->model, path, sizeof path, &code);
    if (bundle == NULL)
        return code;
    if (o->lm[0] != 0) {
        oto_lm_close(bundle->lm);
        bundle->lm = NULL;
        if (oto_lm_open(&bundle->lm, o->lm, &err) != OTO_OK)
            code = oto_cli_fail(&err, o->lm);
    }
    bundle->language = best->language;
    if (best->language.prior_scale > 0 && bundle->log_priors == NULL) {
        bundle->log_priors = t->log_priors;
        t->log_priors = NULL;
    }
    if (code == OTO_EXIT_OK && oto_cli_set_lstm(bundle, o->rescore, &err) != OTO_OK)
        code = oto_cli_fail(&err, o->rescore);
    if (bundle->lstm != NULL)
        bundle->rescore.weight = best->rescore;
    if (o->beam > 0)
        bundle->beam.beam = o->beam;
    if (code == OTO_EXIT_OK)
        code = oto_cli_save_model(bundle, o->output);
    oto_bundle_destroy(bundle);
    return code;
}

static int tune(struct tuning *t)
{
    oto_error err = {0};
    struct weights best;
    if (hear_all(t, &err) != OTO_OK || find_priors(t, &err) != OTO_OK ||
        search(t, &best, &err) != OTO_OK)
        return oto_cli_fail(&err, t->options->lm);
    if (!oto_cli_flush())
        return OTO_EXIT_IO;
    return t->options->output[0] != 0 ? save(t, &best) : OTO_EXIT_OK;
}

static int load_corpus(struct tuning *t)
{
    const struct oto_corpus_options options = {.bad_lines = OTO_BAD_LINES_ERROR,
                                               .max_messages = 20};
    struct oto_corpus *corpus = NULL;
    oto_error err = {0};
    int code = OTO_EXIT_SYSTEM;
    if (oto_corpus_load(&corpus, t->options->manifest, &options, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    t->n_items = corpus->n;
    t->items = oto_calloc(corpus->n, sizeof *t->items);
    for (size_t k = 0; t->items != NULL && k < t->n_items; k++)
        t->items[k] =
            (struct item){.utterance = &corpus->utts[k], .alphabet = t->model->bundle->alphabet};
    if (t->items != NULL)
        code = tune(t);
    else
        oto_cli_error("out of memory (utterances)");
    for (size_t k = 0; t->items != NULL && k < t->n_items; k++) {
        oto_free(t->items[k].ref);
        oto_writer_clear(&t->items[k].log_probs);
        oto_writer_clear(&t->items[k].ends);
    }
    oto_free(t->items);
    oto_free(t->log_priors);
    oto_corpus_destroy(corpus);
    return code;
}

static int run_tune(const struct tune_options *o)
{
    oto_error err = {0};
    oto_model *model = NULL;
    struct oto_lm *lm = NULL;
    struct oto_lstm_lm *lstm = NULL;
    char path[4096];
    const bool with_file = o->rescore[0] != 0 && strcmp(o->rescore, "none") != 0;
    int code;
    if (oto_model_find(o->model, path, sizeof path, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    if (oto_model_load(&model, path, &err) != OTO_OK)
        return oto_cli_fail(&err, path);
    struct tuning t = {.options = o, .model = model, .lm = model->bundle->lm};
    t.beam = model->bundle->beam;
    if (o->beam > 0)
        t.beam.beam = o->beam;
    if (o->lm[0] != 0 && oto_lm_open(&lm, o->lm, &err) != OTO_OK) {
        code = oto_cli_fail(&err, o->lm);
    } else if (with_file && oto_lstm_lm_load(&lstm, o->rescore, &err) != OTO_OK) {
        code = oto_cli_fail(&err, o->rescore);
    } else if (lm == NULL && t.lm == NULL) {
        code = oto_cli_usage_error("lm", "tune: %s has no language model; name one with --lm=FILE",
                                   path);
    } else {
        if (lm != NULL)
            t.lm = lm;
        t.lstm = o->rescore[0] != 0 ? lstm : model->bundle->lstm;
        code = load_corpus(&t);
    }
    oto_lstm_lm_destroy(lstm);
    oto_lm_close(lm);
    oto_model_destroy(model);
    return code;
}

int oto_cmd_lm_tune(int argc, char **argv)
{
    struct tune_options options = {0};
    const struct oto_option_group groups[] = {{"Options:", option_table, N_OPTIONS, &options}, {0}};
    const char **operands = NULL;
    int n = 0, code = OTO_EXIT_OK;
    if (oto_lm_parse_options(&usage, groups, argc, argv, &operands, &n, &code)) {
        if (n > 0)
            code = oto_cli_usage_error("lm",
                                       "tune: unexpected argument '%s'; texts with audio are "
                                       "given with --manifest",
                                       operands[0]);
        else if (options.manifest[0] == 0)
            code = oto_cli_usage_error("lm", "tune: no manifest; name one with --manifest=FILE");
        else
            code = run_tune(&options);
    }
    oto_lm_clear_options(groups, operands);
    return code;
}
