/* SPDX-License-Identifier: BSD-2-Clause */
/** From options to everything a training run works with. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/log.h"
#include "base/mem.h"
#include "training/trainer_private.h"
#include "training/transcripts.h"

enum { MAX_MESSAGES = 20 };

char *oto_trainer_path(const char *folder, const char *name)
{
    size_t capacity = strlen(folder) + strlen(name) + 2;
    char *path = oto_calloc(capacity, 1);
    if (path)
        snprintf(path, capacity, "%s/%s", folder, name);
    return path;
}

int oto_trainer_reduction(const struct oto_trainer *t)
{
    return oto_network_reduction(&t->shape, t->shape.n_layers - 1);
}

/* ---- data
 * -------------------------------------------------------------------------------------------------------
 */

struct preparation {
    struct oto_trainer *t;
    const char *what;
};

static void on_progress(void *arg, size_t n_done, size_t n_items)
{
    const struct preparation *p = arg;
    oto_report_prepare(p->t->report, p->what, n_done, n_items);
}

static bool on_stop(void *arg)
{
    const struct preparation *p = arg;
    const struct oto_train_setup *setup = p->t->setup;
    return setup->stop && setup->stop(setup->stop_arg);
}

/* The features of t->train or t->dev. */
static oto_status load_features(struct oto_trainer *t, struct oto_dataset *ds, const double *speeds,
                                int n_speeds, oto_error *err)
{
    struct preparation p = {t, ds->evaluation ? "features of the dev set" : "features"};
    struct oto_frontend_options frontend = *t->setup->frontend;
    if (ds->perturb)
        frontend.kind = OTO_FEATURE_FBANK;
    const struct oto_feature_cache_options options = {
        .frontend = &frontend,
        .speeds = speeds,
        .n_speeds = n_speeds,
        .wave = ds->evaluation ? NULL : t->wave,
        .n_copies = t->o->perturb_copies,
        .seed = t->o->seed,
        .half = t->o->cache_half,
        .unverified = oto_comm_rank(t->comm) > 0,
        .skip_bad_audio = t->o->bad_lines == OTO_BAD_LINES_SKIP,
        .max_messages = MAX_MESSAGES,
        .progress = on_progress,
        .stop = on_stop,
        .arg = &p,
    };
    /* Rank 0 makes the file, the others read it; on machines that do not see it, they make theirs.
     */
    oto_status status = oto_comm_rank(t->comm) > 0 ? oto_trainer_wait_for_all(t, err) : OTO_OK;
    if (status == OTO_OK)
        status = oto_dataset_features(ds, *t->o->cache ? t->o->cache : t->o->out, &options, t->pool,
                                      err);
    if (status == OTO_OK && oto_comm_rank(t->comm) == 0)
        status = oto_trainer_wait_for_all(t, err);
    return status;
}

static oto_status load_noises(struct oto_trainer *t, oto_error *err)
{
    struct preparation p = {t, "features of noises"};
    const struct oto_feature_cache_options options = {
        .frontend = t->setup->frontend,
        .half = t->o->cache_half,
        .skip_bad_audio = t->o->bad_lines == OTO_BAD_LINES_SKIP,
        .max_messages = MAX_MESSAGES,
        .progress = on_progress,
        .stop = on_stop,
        .arg = &p,
    };
    oto_status status =
        oto_noises_load(&t->noises, t->perturb.kinds[OTO_PERTURB_NOISE].folder,
                        *t->o->cache ? t->o->cache : t->o->out, &options, t->pool, err);
    t->perturb.noises = t->noises.items;
    t->perturb.n_noises = t->noises.files.n;
    return status;
}

static void report_dataset(struct oto_trainer *t, const struct oto_dataset *ds)
{
    const struct oto_dataset_counts *c = &ds->counts;
    size_t n_out = c->bad_lines + c->length + c->unknown + c->empty + c->audio + c->too_short;
    oto_report_line(t->report, "%s: %zu utterances, %.2f hours; %zu left out", ds->name, ds->n_used,
                    ds->used_hours, n_out);
    if (n_out)
        oto_report_line(t->report,
                        "  left out: %zu bad lines, %zu by length, %zu for unknown characters, %zu "
                        "without text, "
                        "%zu without audio, %zu too short for their text",
                        c->bad_lines, c->length, c->unknown, c->empty, c->audio, c->too_short);
}

static oto_status load_datasets(struct oto_trainer *t, oto_error *err)
{
    const struct oto_train_options *o = t->o;
    const struct oto_corpus_options options = {.bad_lines = o->bad_lines,
                                               .max_messages = MAX_MESSAGES,
                                               .check_audio = true,
                                               .format = o->corpus_format};
    const struct oto_text_policy policy = {o->letter_case, o->punctuation};
    const double plain_speed = 1;
    oto_status status = oto_dataset_create(&t->train, "train", o->train, &options, o->min_seconds,
                                           o->max_seconds, err);
    if (status == OTO_OK && *o->dev)
        status = oto_dataset_create(&t->dev, "dev", o->dev, &options, 0, 0, err);
    if (status == OTO_OK)
        status = oto_transcripts_alphabet(&t->alphabet, t->train->corpus, o->alphabet, o->symbols,
                                          &policy, err);
    if (status == OTO_OK && *o->lexicon)
        status = oto_lexicon_load(&t->lexicon, o->lexicon, t->alphabet, err);
    if (status == OTO_OK)
        status = oto_dataset_encode(t->train, t->alphabet, o->unknown, err);
    if (status == OTO_OK && t->dev) {
        t->dev->evaluation = true;
        status = oto_dataset_encode(t->dev, t->alphabet, o->unknown, err);
    }
    if (status == OTO_OK)
        t->train->reduction = oto_trainer_reduction(t);
    if (status == OTO_OK && t->dev)
        t->dev->reduction = oto_trainer_reduction(t);
    if (status == OTO_OK && oto_perturb_any(&t->perturb))
        t->train->perturb = &t->perturb;
    if (status == OTO_OK && t->perturb.kinds[OTO_PERTURB_NOISE].folder)
        status = load_noises(t, err);
    if (status == OTO_OK && oto_perturb_any_wave(&t->perturb))
        status = oto_wave_create(&t->wave, &t->perturb, err);
    if (status == OTO_OK)
        status = load_features(t, t->train, t->speeds, t->n_speeds, err);
    if (status == OTO_OK && t->dev)
        status = load_features(t, t->dev, &plain_speed, 1, err);
    if (status != OTO_OK)
        return status;
    report_dataset(t, t->train);
    if (t->dev)
        report_dataset(t, t->dev);
    return OTO_OK;
}

/* Every utterance at one speed into t->stats; fe makes static vectors of log-mel energies. */
static oto_status add_all(struct oto_trainer *t, struct oto_frontend *fe, int speed, oto_error *err)
{
    const struct oto_feature_cache *cache = t->train->cache;
    size_t longest = 0, cached_dim = (size_t)oto_feature_cache_dim(cache),
           dim = (size_t)oto_frontend_static_dim(fe);
    for (size_t i = 0; i < t->train->corpus->n; i++)
        if (oto_feature_cache_n_static(cache, i, speed) > longest)
            longest = oto_feature_cache_n_static(cache, i, speed);
    float *cached = oto_calloc(longest * cached_dim, sizeof *cached);
    float *statics = oto_calloc(longest * dim, sizeof *statics);
    oto_status status = cached && statics ? OTO_OK : oto_fail_memory(err, "statistics");
    for (size_t i = 0; i < t->train->corpus->n && status == OTO_OK; i++) {
        size_t n = oto_feature_cache_n_static(cache, i, speed);
        status = oto_feature_cache_read(cache, i, speed, cached, err);
        if (status != OTO_OK)
            break;
        if (t->train->perturb)
            oto_frontend_of_log_mels(fe, statics, cached, n);
        oto_cmvn_stats_add(&t->stats, t->train->perturb ? statics : cached, n);
    }
    oto_free(cached);
    oto_free(statics);
    return status;
}

/* First and second moments of the training set at its speed nearest to 1: for global and sliding
 * CMVN, and for live text, which starts from them. */
static oto_status compute_stats(struct oto_trainer *t, oto_error *err)
{
    int nearest = 0;
    if (t->setup->frontend->cmvn == OTO_CMVN_NONE)
        return OTO_OK;
    for (int s = 1; s < t->n_speeds; s++)
        if ((t->speeds[s] - 1) * (t->speeds[s] - 1) <
            (t->speeds[nearest] - 1) * (t->speeds[nearest] - 1))
            nearest = s;
    struct oto_frontend_options plain = *t->setup->frontend;
    plain.cmvn = OTO_CMVN_NONE;
    struct oto_frontend *fe;
    oto_status status = oto_frontend_create(&fe, &plain, NULL, OTO_FFT_AUTO, err);
    if (status != OTO_OK)
        return status;
    status = oto_cmvn_stats_init(&t->stats, oto_frontend_static_dim(fe), err);
    if (status == OTO_OK)
        status = add_all(t, fe, nearest, err);
    oto_frontend_destroy(fe);
    return status;
}

/* ---- batches and schedule
 * --------------------------------------------------------------------------------------- */

static struct oto_plan_options plan_options(const struct oto_trainer *t, int sorted)
{
    return (struct oto_plan_options){
        .seed = t->o->seed,
        .max_frames = (size_t)(t->o->batch_seconds / t->shift_s),
        .tempo = t->o->tempo,
        .short_epochs = t->o->short_epochs,
        .short_frames = (int)(t->o->short_seconds / t->shift_s),
        .sorted = sorted,
    };
}

oto_status oto_trainer_plan(struct oto_trainer *t, struct oto_batch_plan *plan, int epoch,
                            oto_error *err)
{
    const struct oto_plan_input input = {t->train->corpus->n, t->train->n_variants,
                                         t->train->n_frames, t->train->repeats,
                                         t->train->min_frames};
    struct oto_plan_options options = plan_options(t, 0);
    return oto_batch_plan_make(plan, &input, &options, epoch, err);
}

/* Speeds are drawn anew in each epoch, so the number of batches changes a little: the schedule
 * needs their sum. */
static oto_status count_steps(struct oto_trainer *t, oto_error *err)
{
    t->n_steps = 0;
    for (int epoch = 0; epoch < t->o->epochs; epoch++) {
        oto_status status = oto_trainer_plan(t, &t->plan, epoch, err);
        if (status != OTO_OK)
            return status;
        t->n_steps += t->plan.n_batches;
    }
    t->schedule =
        (struct oto_schedule){t->o->schedule, t->o->rate, (uint64_t)t->o->warmup_steps, t->n_steps};
    bool ends = t->o->schedule == OTO_SCHEDULE_LINEAR || t->o->schedule == OTO_SCHEDULE_COSINE;
    if (ends && (uint64_t)t->o->warmup_steps >= t->n_steps)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--warmup-steps=%d: the whole training has only %llu steps",
                        t->o->warmup_steps, (unsigned long long)t->n_steps);
    if (!t->dev)
        return OTO_OK;
    const struct oto_plan_input input = {t->dev->corpus->n, 1, t->dev->n_frames, NULL, NULL};
    struct oto_plan_options options = plan_options(t, 1);
    return oto_batch_plan_make(&t->dev_plan, &input, &options, 0, err);
}

/* ---- network
 * ----------------------------------------------------------------------------------------------------
 */

static oto_status make_network(struct oto_trainer *t, oto_error *err)
{
    const struct oto_train_options *o = t->o;
    struct oto_dsp dsp;
    oto_dsp_init(&dsp, oto_cpu_flags());
    t->shape = (struct oto_network_shape){
        t->n_inputs, o->layers, o->hidden, o->proj, t->alphabet->n_symbols, t->shape.reduce_after};
    oto_status status = oto_network_shape_check(&t->shape, err);
    if (status != OTO_OK)
        return status;
    t->n = t->n_network = oto_network_n_parameters(&t->shape);
    if (o->auxiliary_layer > 0)
        t->n += oto_network_auxiliary_size(&t->shape);
    t->params = oto_calloc(t->n, sizeof(float));
    if (o->weight_noise > 0)
        t->noisy = oto_calloc(t->n, sizeof(float));
    if (!t->params || (o->weight_noise > 0 && !t->noisy))
        return oto_fail_memory(err, "parameters");
    const struct oto_adam_options adam = {o->beta1,        o->beta2, o->eps,
                                          o->weight_decay, o->ema,   oto_trainer_n_frozen(t)};
    status = oto_trainer_init_weights(t, err);
    if (status == OTO_OK)
        status = oto_network_create(&t->net, &t->shape, &dsp, err);
    if (status == OTO_OK) {
        oto_network_freeze(t->net, o->freeze);
        status = oto_network_workspace_create(&t->ws, t->net, err);
    }
    if (status == OTO_OK)
        status = oto_adam_init(&t->adam, t->n, t->params, &adam, err);
    if (status == OTO_OK)
        status = oto_best_n_init(&t->best, o->average_best, t->n, err);
    for (int k = 0; k < OTO_CTC_TASKS && status == OTO_OK; k++)
        status = oto_ctc_create(&t->slots[k].ctc, err);
    return status;
}

static void report_network(struct oto_trainer *t)
{
    const struct oto_chunking *c = &t->chunking;
    if (c->share > 0)
        oto_report_line(t->report,
                        "%g %% of the steps in chunks of %d to %d frames with %d to %d of right "
                        "context (%g ms a frame)%s",
                        100 * c->share, c->chunk_low, c->chunk_high, c->context_low,
                        c->context_high, 1000 * t->shift_s * oto_trainer_reduction(t),
                        t->o->chunk_cmvn == OTO_CHUNK_CMVN_SLIDING ? ", normalised as live" : "");
    if (t->shape.reduce_after != 0)
        oto_report_line(t->report, "frames paired after layer %s: one of output every %g ms",
                        t->o->reduce_after, 1000 * t->shift_s * oto_trainer_reduction(t));
    oto_report_line(
        t->report,
        "network: %d inputs, %d layers of 2 x %d units, %d symbols; %zu parameters; %s kernels",
        t->shape.n_inputs, t->shape.n_layers, t->shape.n_hidden, t->shape.n_outputs - 1,
        t->n_network, oto_cpu_name(oto_cpu_flags()));
}

/* ---- all
 * --------------------------------------------------------------------------------------------------------
 */

static oto_status make_folder(const char *path, oto_error *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return OTO_OK;
    return oto_fail_errno(err, path, "cannot make the folder");
}

/*
 * Temporaries that a killed run left in its folder: base/atomic_file.h writes FILE beside itself as
 * FILE.tmp-PID-N. Only names of files that this trainer writes there are touched.
 */
static void remove_leftovers(const char *folder)
{
    static const char *const names[] = {"checkpoint.bin.tmp-", "best.oto.tmp-",     "last.oto.tmp-",
                                        "average.oto.tmp-",    "best-dev.tsv.tmp-", "features-"};
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (strncmp(e->d_name, names[i], strlen(names[i])) != 0 || !strstr(e->d_name, ".tmp-"))
                continue;
            char *path = oto_trainer_path(folder, e->d_name);
            if (path)
                unlink(path); /* what stays only takes space */
            oto_free(path);
        }
    if (dir)
        closedir(dir);
}

static oto_status parse_reductions(struct oto_trainer *t, oto_error *err)
{
    oto_error inner;
    t->shape.n_layers = t->o->layers;
    if (oto_network_parse_reductions(&t->shape.reduce_after, t->o->reduce_after, t->o->layers,
                                     &inner) != OTO_OK)
        return oto_fail(err, OTO_ERR_CONFIG, "--reduce-after=%s", inner.message);
    return OTO_OK;
}

static oto_status check_options(struct oto_trainer *t, oto_error *err)
{
    const struct oto_train_options *o = t->o;
    if (!*o->train)
        return oto_fail(err, OTO_ERR_CONFIG, "no training manifest: give --train=FILE");
    if (!*o->out)
        return oto_fail(err, OTO_ERR_CONFIG, "no folder for the results: give --out=DIR");
    if (o->resume && o->overwrite)
        return oto_fail(err, OTO_ERR_CONFIG, "--resume and --overwrite contradict each other");
    if (o->parts & (o->parts - 1))
        return oto_fail(err, OTO_ERR_CONFIG, "--parts=%d: expected a power of two", o->parts);
    if (*o->alphabet && *o->symbols)
        return oto_fail(err, OTO_ERR_CONFIG, "--alphabet and --symbols contradict each other");
    if (o->max_seconds > 0 && o->max_seconds < o->min_seconds)
        return oto_fail(err, OTO_ERR_CONFIG, "--max-seconds=%g is below --min-seconds=%g",
                        o->max_seconds, o->min_seconds);
    if (!*o->dev && o->average_best > 0)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--average-best goes by the dev result: give --dev=FILE");
    if (!*o->dev && (oto_schedule_watches(o->schedule) || o->patience > 0))
        return oto_fail(err, OTO_ERR_CONFIG, "%s goes by the dev loss: give --dev=FILE",
                        o->patience > 0 ? "--patience" : "this --schedule");
    if (o->freeze > 0 && !*o->init)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--freeze=%d needs --init=MODEL: random layers are not worth keeping",
                        o->freeze);
    if (o->freeze > o->layers)
        return oto_fail(err, OTO_ERR_CONFIG, "--freeze=%d, but the network has %d layers",
                        o->freeze, o->layers);
    if (o->auxiliary_layer > 0 &&
        (o->auxiliary_layer >= o->layers || o->auxiliary_layer <= o->freeze))
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--auxiliary-layer=%d: expected a layer that learns below the last, %d to "
                        "%d",
                        o->auxiliary_layer, o->freeze + 1, o->layers - 1);
    if (o->chunk_cmvn == OTO_CHUNK_CMVN_SLIDING && o->chunk_share <= 0)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--chunk-cmvn=sliding needs --chunk-share: there are no steps in chunks");
    if (o->chunk_cmvn == OTO_CHUNK_CMVN_SLIDING && t->setup->frontend->cmvn != OTO_CMVN_UTTERANCE)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--chunk-cmvn=sliding is for --cmvn=utterance alone: with other "
                        "normalisation, live text has that too");
    oto_status status = oto_speeds_parse(t->speeds, &t->n_speeds, o->speeds, err);
    if (status == OTO_OK)
        status = oto_perturb_parse(&t->perturb, o->perturb, t->setup->frontend, err);
    if (status == OTO_OK)
        status = parse_reductions(t, err);
    if (status == OTO_OK)
        status = oto_chunking_parse(&t->chunking, o->chunk_share, o->chunk_ms, o->context_ms,
                                    t->setup->frontend->frame_shift_ms *
                                        t->setup->frontend->stride * oto_trainer_reduction(t),
                                    err);
    if (status == OTO_OK)
        status = make_folder(o->out, err);
    if (status == OTO_OK && *o->cache)
        status = make_folder(o->cache, err);
    if (status != OTO_OK || oto_comm_rank(t->comm) > 0)
        return status; /* files are rank 0's business */
    if (!o->resume && !o->overwrite && oto_checkpoint_exists(o->out))
        status = oto_fail(
            err, OTO_ERR_CONFIG,
            "%s already holds a checkpoint: go on with --resume, or start anew with --overwrite",
            o->out);
    if (status == OTO_OK)
        remove_leftovers(o->out);
    return status;
}

static oto_status open_report(struct oto_trainer *t, oto_error *err)
{
    char *path = oto_trainer_path(t->o->out, "metrics.jsonl");
    if (!path)
        return oto_fail_memory(err, "report");
    oto_status status = oto_report_open(&t->report, path, &t->setup->sink, err);
    oto_free(path);
    return status;
}

static oto_status measure_frames(struct oto_trainer *t, oto_error *err)
{
    struct oto_frontend *fe;
    oto_status status = oto_frontend_create(
        &fe, t->setup->frontend, t->stats.count > 0 ? &t->stats : NULL, OTO_FFT_AUTO, err);
    if (status != OTO_OK)
        return status;
    t->shift_s = oto_frontend_shift_s(fe);
    t->n_inputs = oto_frontend_dim(fe);
    oto_frontend_destroy(fe);
    return OTO_OK;
}

oto_status oto_trainer_prepare(struct oto_trainer *t, oto_error *err)
{
    oto_status status = oto_comm_start(&t->comm, t->o->processes, err);
    if (status == OTO_OK)
        status = check_options(t, err);
    if (status == OTO_OK)
        status = oto_comm_rank(t->comm) > 0 ? oto_trainer_fall_silent(t, err) : open_report(t, err);
    if (status == OTO_OK)
        status = oto_pool_create(&t->pool, t->o->threads ? t->o->threads : oto_cpu_count(), err);
    if (status == OTO_OK)
        status = load_datasets(t, err);
    if (status == OTO_OK)
        status = compute_stats(t, err);
    if (status == OTO_OK)
        status = measure_frames(t, err);
    if (status == OTO_OK)
        status = count_steps(t, err);
    if (status == OTO_OK)
        status = make_network(t, err);
    if (status == OTO_OK)
        status = oto_trainer_describe(t, err);
    if (status == OTO_OK)
        report_network(t);
    return status;
}

void oto_trainer_clear(struct oto_trainer *t)
{
    for (int k = 0; k < OTO_CTC_TASKS; k++) {
        oto_ctc_destroy(t->slots[k].ctc);
        oto_free(t->slots[k].rows);
    }
    oto_free(t->losses);
    oto_free(t->log_probs);
    oto_free(t->dlogits);
    oto_free(t->auxiliary.log_probs);
    oto_free(t->auxiliary.dlogits);
    oto_free(t->auxiliary.losses);
    oto_loader_destroy(t->loader); /* reads plans and data sets */
    oto_batch_plan_clear(&t->plan);
    oto_batch_plan_clear(&t->dev_plan);
    oto_adam_clear(&t->adam);
    oto_best_n_clear(&t->best);
    oto_network_workspace_destroy(t->ws);
    oto_network_destroy(t->net);
    oto_free(t->params);
    oto_free(t->noisy);
    oto_cmvn_stats_clear(&t->stats);
    oto_dataset_destroy(t->train);
    oto_dataset_destroy(t->dev);
    oto_lexicon_destroy(t->lexicon);
    oto_alphabet_destroy(t->alphabet);
    oto_pool_destroy(t->pool);
    oto_report_close(t->report);
    oto_noises_clear(&t->noises);
    oto_wave_destroy(t->wave);
    oto_perturb_clear(&t->perturb);
    oto_free(t->recipe);
    for (int level = 1; level <= OTO_MAX_PART_LEVELS; level++)
        oto_free(t->part_sums[level]);
    oto_free(t->block_losses);
    oto_free(t->records);
    oto_comm_destroy(t->comm);
}
