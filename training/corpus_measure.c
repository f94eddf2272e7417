/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/corpus_measure.h"

#include "base/mem.h"
#include "otolith/audio.h"

enum { PER_TASK = 32 };

struct job {
    struct oto_corpus *corpus;
    oto_error *errors; /* [tasks] the first of each */
    size_t *n_unknown; /* [tasks] */
};

static oto_status measure(struct oto_utterance *u, oto_error *err)
{
    oto_audio *audio;
    oto_audio_info info;
    oto_status status = oto_audio_open(&audio, u->path, NULL, err);
    if (status != OTO_OK)
        return status;
    oto_audio_get_info(audio, &info);
    if (info.seconds > u->start_s)
        u->seconds = info.seconds - u->start_s;
    oto_audio_close(audio);
    return OTO_OK;
}

static void task(void *arg, int k)
{
    struct job *job = arg;
    size_t end = ((size_t)k + 1) * PER_TASK;
    for (size_t i = (size_t)k * PER_TASK; i < end && i < job->corpus->n; i++) {
        struct oto_utterance *u = &job->corpus->utts[i];
        oto_error err = {OTO_OK, ""};
        if (u->seconds > 0)
            continue;
        if (u->length_s > 0)
            u->seconds = u->length_s;
        else
            err.status = measure(u, &err);
        if (u->seconds > 0)
            continue;
        if (job->n_unknown[k]++ == 0)
            job->errors[k] = err;
    }
}

oto_status oto_corpus_measure(struct oto_corpus *corpus, struct oto_pool *pool, size_t *n_unknown,
                              oto_error *first, oto_error *err)
{
    size_t n = (corpus->n + PER_TASK - 1) / PER_TASK;
    struct job job = {corpus, oto_calloc(n, sizeof *job.errors),
                      oto_calloc(n, sizeof *job.n_unknown)};
    *n_unknown = 0;
    *first = (oto_error){OTO_OK, ""};
    oto_status status = job.errors && job.n_unknown ? OTO_OK : oto_fail_memory(err, "lengths");
    if (status == OTO_OK)
        oto_pool_run(pool, (int)n, task, &job);
    for (size_t k = 0; status == OTO_OK && k < n; k++) {
        if (*n_unknown == 0 && job.n_unknown[k] > 0)
            *first = job.errors[k];
        *n_unknown += job.n_unknown[k];
    }
    oto_free(job.errors);
    oto_free(job.n_unknown);
    return status;
}
