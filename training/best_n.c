/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/best_n.h"

#include <string.h>

#include "base/mem.h"

enum { BLOCK = 16384 /* parameters per task */ };

bool oto_best_is_better(const struct oto_best_entry *a, const struct oto_best_entry *b)
{
    if (a->cer != b->cer)
        return a->cer < b->cer;
    if (a->wer != b->wer)
        return a->wer < b->wer;
    return a->loss < b->loss;
}

oto_status oto_best_n_init(struct oto_best_n *best, int n_max, size_t n_params, oto_error *err)
{
    size_t n;
    *best = (struct oto_best_n){.n_max = n_max, .n_params = n_params};
    if (n_max == 0)
        return OTO_OK;
    if (oto_mul_size((size_t)n_max, n_params, &n))
        best->weights = oto_calloc(n, sizeof *best->weights);
    return best->weights ? OTO_OK : oto_fail_memory(err, "weights of the best epochs");
}

void oto_best_n_clear(struct oto_best_n *best)
{
    oto_free(best->weights);
    *best = (struct oto_best_n){0};
}

void oto_best_n_offer(struct oto_best_n *best, const struct oto_best_entry *entry,
                      const float *weights)
{
    int place = best->n;
    if (best->n == best->n_max) {
        place = 0;
        for (int i = 1; i < best->n; i++) /* of equal ones the later */
            if (!oto_best_is_better(&best->entries[i], &best->entries[place]))
                place = i;
        if (best->n == 0 || !oto_best_is_better(entry, &best->entries[place]))
            return;
    } else {
        best->n++;
    }
    best->entries[place] = *entry;
    memcpy(best->weights + (size_t)place * best->n_params, weights,
           best->n_params * sizeof *weights);
}

struct mean_job {
    const struct oto_best_n *best;
    float *mean;
};

static void mean_task(void *arg, int k)
{
    const struct mean_job *job = arg;
    const struct oto_best_n *best = job->best;
    size_t begin = (size_t)k * BLOCK, end = begin + BLOCK;
    for (size_t i = begin; i < end && i < best->n_params; i++) {
        double sum = 0;
        for (int e = 0; e < best->n; e++)
            sum += (double)best->weights[(size_t)e * best->n_params + i];
        job->mean[i] = (float)(sum / best->n);
    }
}

void oto_best_n_mean(const struct oto_best_n *best, float *mean, struct oto_pool *pool)
{
    struct mean_job job = {best, mean};
    oto_pool_run(pool, (int)((best->n_params + BLOCK - 1) / BLOCK), mean_task, &job);
}
