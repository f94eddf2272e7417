/* SPDX-License-Identifier: BSD-2-Clause */
/* What a network writes on average over a corpus. */
#include "api/model.h"
#include "api/stages.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "cli/batch.h"
#include "cli/model.h"
#include "decoder/priors.h"
#include "training/corpus.h"

struct recording {
    const struct oto_utterance *utterance;
    int n_symbols;
    size_t n_frames;
    double *sums; /* [n_symbols] */
    oto_error err;
};

static oto_status add_segment(void *arg, const float *log_probs, size_t n_frames, oto_error *err)
{
    struct recording *r = arg;
    (void)err;
    r->n_frames += n_frames;
    oto_priors_add(r->sums, log_probs, n_frames, r->n_symbols);
    return OTO_OK;
}

static void hear(void *arg, struct oto_batch_worker *worker, size_t k)
{
    struct recording *r = (struct recording *)arg + k;
    const oto_result *result = NULL;
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.start_s = r->utterance->start_s;
    options.length_s = r->utterance->length_s;
    oto_recognizer_watch_segments(oto_batch_recognizer(worker), add_segment, r);
    r->err.status =
        oto_batch_recognize(worker, &result, NULL, r->utterance->path, &options, &r->err);
}

static bool is_fine(void *arg, size_t k)
{
    return ((const struct recording *)arg)[k].err.status == OTO_OK;
}

/* The sums of all in the order of the corpus, whichever thread was first. */
static oto_status add_all(double *log_priors, const struct recording *recordings, size_t n,
                          int n_symbols, const char *manifest, oto_error *err)
{
    size_t n_frames = 0;
    for (size_t i = 0; i < n; i++) {
        if (recordings[i].err.status != OTO_OK) {
            *err = recordings[i].err;
            return err->status;
        }
        n_frames += recordings[i].n_frames;
        for (int k = 0; k < n_symbols; k++)
            log_priors[k] += recordings[i].sums[k];
    }
    if (n_frames == 0)
        return oto_fail(err, OTO_ERR_DATA, "%s: no frames to find priors from", manifest);
    oto_priors_finish(log_priors, n_frames, n_symbols);
    return OTO_OK;
}

static oto_status hear_all(double *log_priors, const oto_model *model,
                           const struct oto_corpus *corpus, const char *manifest, oto_error *err)
{
    const int n_symbols = model->bundle->shape.n_outputs;
    oto_recognizer_options options;
    oto_batch_network_options(&options);
    struct recording *recordings = oto_calloc(corpus->n, sizeof *recordings);
    double *sums = oto_calloc(corpus->n * (size_t)n_symbols, sizeof *sums);
    struct oto_batch batch = {.model = model,
                              .options = &options,
                              .n_jobs = oto_cpu_count(),
                              .n_items = corpus->n,
                              .what = "utterances",
                              .arg = recordings,
                              .work = hear,
                              .tell = is_fine};
    oto_status status = OTO_OK;
    if (recordings == NULL || sums == NULL)
        status = oto_fail_memory(err, "priors");
    for (size_t i = 0; status == OTO_OK && i < corpus->n; i++)
        recordings[i] = (struct recording){.utterance = &corpus->utts[i],
                                           .n_symbols = n_symbols,
                                           .sums = sums + i * (size_t)n_symbols};
    if (status == OTO_OK)
        status = oto_batch_run(&batch, err);
    if (status == OTO_OK)
        status = add_all(log_priors, recordings, corpus->n, n_symbols, manifest, err);
    oto_free(recordings);
    oto_free(sums);
    return status;
}

oto_status oto_cli_set_priors(struct oto_bundle *bundle, const char *path, const char *manifest,
                              oto_error *err)
{
    const struct oto_corpus_options corpus_options = {.max_messages = 5};
    struct oto_corpus *corpus = NULL;
    oto_model *model = NULL;
    double *log_priors = oto_calloc((size_t)bundle->shape.n_outputs, sizeof *log_priors);
    oto_status status = log_priors != NULL ? OTO_OK : oto_fail_memory(err, "priors");
    if (status == OTO_OK)
        status = oto_corpus_load(&corpus, manifest, &corpus_options, err);
    if (status == OTO_OK)
        status = oto_model_load(&model, path, err);
    if (status == OTO_OK)
        status = hear_all(log_priors, model, corpus, manifest, err);
    if (status == OTO_OK) {
        oto_free(bundle->log_priors);
        bundle->log_priors = log_priors;
    } else {
        oto_free(log_priors);
    }
    oto_model_destroy(model);
    oto_corpus_destroy(corpus);
    return status;
}
