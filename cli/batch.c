/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/status.h"
#include "cli/batch_live.h"
#include "cli/common.h"
#include "cli/progress.h"

#define CHUNK 16384 /* samples read at once */

/* What the threads share. */
struct shared {
    struct oto_batch *batch;
    int rate_hz;
    pthread_mutex_t lock; /* guards what follows, and batch->audio_s */
    pthread_cond_t changed;
    size_t next, n_done;
    bool *done; /* [n_items] */
    bool stop;
};

struct oto_batch_worker {
    struct shared *shared;
    oto_recognizer *recognizer;
    struct oto_batch_live *live; /* recognises instead where there is a latency_ms; else NULL */
    float *samples;              /* [CHUNK] */
    pthread_t thread;
};

/* ---- one recording -------------------------------------------------------------------------- */

/* Counts n samples. False once the batch is stopped. */
static bool count(struct shared *shared, size_t n)
{
    pthread_mutex_lock(&shared->lock);
    shared->batch->audio_s += (double)n / shared->rate_hz;
    bool stop = shared->stop;
    pthread_mutex_unlock(&shared->lock);
    return !stop;
}

static oto_status feed_all(struct oto_batch_worker *w, const char *file, oto_audio *audio,
                           oto_error *err)
{
    for (;;) {
        size_t n = 0;
        oto_status status = oto_audio_read(audio, w->samples, CHUNK, &n, err);
        if (status != OTO_OK || n == 0)
            return status;
        status = w->live != NULL ? oto_batch_live_feed(w->live, w->samples, n, err)
                                 : oto_recognizer_feed(w->recognizer, w->samples, n, err);
        if (status != OTO_OK) {
            oto_cli_name_file(err, file);
            return status;
        }
        if (!count(w->shared, n))
            return oto_fail(err, OTO_ERR_INTERRUPTED, "%s: stopped", file);
    }
}

oto_status oto_batch_recognize(struct oto_batch_worker *w, const oto_result **result, char *warning,
                               const char *file, const oto_audio_options *options, oto_error *err)
{
    oto_audio_options own = *options;
    oto_audio *audio = NULL;
    own.rate_hz = w->shared->rate_hz;
    oto_status status = oto_audio_open(&audio, file, &own, err);
    if (status != OTO_OK)
        return status;
    oto_recognizer_reset(w->recognizer);
    if (w->live != NULL)
        oto_batch_live_reset(w->live);
    status = feed_all(w, file, audio, err);
    if (warning != NULL) {
        oto_audio_info info;
        oto_audio_get_info(audio, &info);
        snprintf(warning, 256, "%s", info.warning);
    }
    oto_audio_close(audio);
    if (status != OTO_OK)
        return status;
    status = w->live != NULL ? oto_batch_live_finish(w->live, result, err)
                             : oto_recognizer_finish(w->recognizer, result, err);
    if (status != OTO_OK)
        oto_cli_name_file(err, file);
    return status;
}

void oto_batch_network_options(oto_recognizer_options *options)
{
    oto_recognizer_options_init(options);
    options->beam = 1;
    options->grammar = options->lexicon = options->lm = options->rescore = "none";
    options->words = 0;
}

oto_recognizer *oto_batch_recognizer(struct oto_batch_worker *worker)
{
    return worker->recognizer;
}

/* ---- many ----------------------------------------------------------------------------------- */

static void *run_worker(void *argument)
{
    struct oto_batch_worker *w = argument;
    struct shared *shared = w->shared;
    struct oto_batch *batch = shared->batch;
    pthread_mutex_lock(&shared->lock);
    while (!shared->stop && shared->next < batch->n_items) {
        size_t k = shared->next++;
        pthread_mutex_unlock(&shared->lock);
        batch->work(batch->arg, w, k);
        pthread_mutex_lock(&shared->lock);
        shared->done[k] = true;
        shared->n_done++;
        pthread_cond_broadcast(&shared->changed);
    }
    pthread_mutex_unlock(&shared->lock);
    return NULL;
}

/* Waits for item k, showing progress meanwhile. */
static void wait_for(struct shared *shared, size_t k, struct oto_progress *progress, double start_s)
{
    const struct oto_batch *batch = shared->batch;
    pthread_mutex_lock(&shared->lock);
    while (!shared->done[k]) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&shared->changed, &shared->lock, &until);
        double passed_s = oto_clock_wall_s() - start_s;
        oto_progress_show(progress, "%zu of %zu %s done, %.0f s of audio, %.1f times real time",
                          shared->n_done, batch->n_items, batch->what, batch->audio_s,
                          passed_s > 0 ? batch->audio_s / passed_s : 0);
    }
    pthread_mutex_unlock(&shared->lock);
}

static oto_status run_threads(struct shared *shared, struct oto_batch_worker *workers,
                              int n_workers, oto_error *err)
{
    struct oto_batch *batch = shared->batch;
    struct oto_progress progress;
    double start_s = oto_clock_wall_s();
    int n_started = 0;
    while (n_started < n_workers &&
           pthread_create(&workers[n_started].thread, NULL, run_worker, &workers[n_started]) == 0)
        n_started++;
    if (n_started == 0)
        return oto_fail(err, OTO_ERR_MEMORY, "cannot start a thread");
    oto_progress_init(&progress, stderr, oto_cli_verbosity() != OTO_QUIET);
    for (bool good = true; good && batch->n_told < batch->n_items; batch->n_told += good) {
        wait_for(shared, batch->n_told, &progress, start_s);
        good = batch->tell(batch->arg, batch->n_told);
    }
    oto_progress_end(&progress);
    pthread_mutex_lock(&shared->lock);
    shared->stop = true;
    pthread_mutex_unlock(&shared->lock);
    for (int i = 0; i < n_started; i++)
        pthread_join(workers[i].thread, NULL);
    batch->passed_s = oto_clock_wall_s() - start_s;
    return OTO_OK;
}

static oto_status create_workers(struct oto_batch_worker *workers, int n, struct shared *shared,
                                 oto_error *err)
{
    for (int i = 0; i < n; i++) {
        workers[i].shared = shared;
        workers[i].samples = calloc(CHUNK, sizeof(float));
        if (workers[i].samples == NULL)
            return oto_fail_memory(err, "samples");
        oto_status status =
            i == 0 ? oto_recognizer_create(&workers[i].recognizer, shared->batch->model,
                                           shared->batch->options, err)
                   : oto_recognizer_create_like(&workers[i].recognizer, workers[0].recognizer, err);
        const struct oto_batch *batch = shared->batch;
        if (status == OTO_OK && batch->latency_ms > 0)
            status = oto_batch_live_create(&workers[i].live, batch->model, workers[i].recognizer,
                                           batch->options, batch->latency_ms, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

oto_status oto_batch_run(struct oto_batch *batch, oto_error *err)
{
    batch->n_told = 0;
    batch->audio_s = batch->passed_s = 0;
    if (batch->n_items == 0)
        return OTO_OK;
    oto_model_info info;
    oto_model_get_info(batch->model, &info);
    struct shared shared = {.batch = batch, .rate_hz = info.rate_hz};
    int n = batch->n_items < (size_t)batch->n_jobs ? (int)batch->n_items : batch->n_jobs;
    struct oto_batch_worker *workers = calloc((size_t)n, sizeof *workers);
    shared.done = calloc(batch->n_items, sizeof *shared.done);
    pthread_mutex_init(&shared.lock, NULL);
    pthread_cond_init(&shared.changed, NULL);
    oto_status status =
        workers != NULL && shared.done != NULL ? OTO_OK : oto_fail_memory(err, "workers");
    if (status == OTO_OK)
        status = create_workers(workers, n, &shared, err);
    if (status == OTO_OK)
        status = run_threads(&shared, workers, n, err);
    for (int i = 0; workers != NULL && i < n; i++) {
        oto_batch_live_destroy(workers[i].live);
        oto_recognizer_destroy(workers[i].recognizer);
        free(workers[i].samples);
    }
    free(workers);
    free(shared.done);
    pthread_cond_destroy(&shared.changed);
    pthread_mutex_destroy(&shared.lock);
    return status;
}
