/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/optim.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK = 16384 /* parameters per task */ };

static size_t n_blocks(size_t n)
{
    return (n + BLOCK - 1) / BLOCK;
}

oto_status oto_adam_init(struct oto_adam *adam, size_t n, const float *params,
                         const struct oto_adam_options *options, oto_error *err)
{
    *adam = (struct oto_adam){.options = *options, .n = n};
    adam->m = oto_calloc(n, sizeof(float));
    adam->v = oto_calloc(n, sizeof(float));
    adam->sums = oto_calloc(n_blocks(n), sizeof(double));
    if (options->ema > 0)
        adam->ema = oto_calloc(n, sizeof(float));
    if (!adam->m || !adam->v || !adam->sums || (options->ema > 0 && !adam->ema)) {
        oto_adam_clear(adam);
        return oto_fail_memory(err, "optimiser");
    }
    if (adam->ema)
        memcpy(adam->ema, params, n * sizeof(float));
    return OTO_OK;
}

void oto_adam_clear(struct oto_adam *adam)
{
    oto_free(adam->m);
    oto_free(adam->v);
    oto_free(adam->ema);
    oto_free(adam->sums);
    memset(adam, 0, sizeof *adam);
}

/* The part of the parameters that task k works on. */
static size_t block_begin(const struct oto_adam *adam, int k)
{
    return adam->options.n_frozen + (size_t)k * BLOCK;
}

static size_t block_end(const struct oto_adam *adam, int k)
{
    size_t end = block_begin(adam, k) + BLOCK;
    return end < adam->n ? end : adam->n;
}

static int n_tasks(const struct oto_adam *adam)
{
    return (int)n_blocks(adam->n - adam->options.n_frozen);
}

struct norm_job {
    const struct oto_adam *adam;
    const float *grads;
    double *sums;
};

static void norm_task(void *arg, int k)
{
    const struct norm_job *job = arg;
    size_t end = block_end(job->adam, k);
    double sum = 0;
    for (size_t i = block_begin(job->adam, k); i < end; i++)
        sum += (double)job->grads[i] * (double)job->grads[i];
    job->sums[k] = sum;
}

double oto_adam_norm(struct oto_adam *adam, const float *grads, struct oto_pool *pool)
{
    struct norm_job job = {adam, grads, adam->sums};
    oto_pool_run(pool, n_tasks(adam), norm_task, &job);
    double sum = 0;
    for (int k = 0; k < n_tasks(adam); k++)
        sum += adam->sums[k];
    return sqrt(sum);
}

struct update_job {
    struct oto_adam *adam;
    float *params;
    const float *grads;
    float scale, step, root, eps, decay; /* see update_task */
    float average;                       /* 1 - d */
};

static void update_task(void *arg, int k)
{
    const struct update_job *job = arg;
    struct oto_adam *adam = job->adam;
    size_t begin = block_begin(adam, k), end = block_end(adam, k);
    const float b1 = (float)adam->options.beta1, b2 = (float)adam->options.beta2;
    const float a1 = (float)(1 - adam->options.beta1), a2 = (float)(1 - adam->options.beta2);
    float *restrict m = adam->m, *restrict v = adam->v, *restrict w = job->params;
    const float *restrict g = job->grads;
    for (size_t i = begin; i < end; i++) {
        float gi = g[i] * job->scale;
        m[i] = b1 * m[i] + a1 * gi;
        v[i] = b2 * v[i] + a2 * gi * gi;
        w[i] -= job->step * m[i] / (sqrtf(v[i]) * job->root + job->eps) + job->decay * w[i];
    }
    if (!adam->ema)
        return;
    for (size_t i = begin; i < end; i++)
        adam->ema[i] += job->average * (w[i] - adam->ema[i]);
}

void oto_adam_update(struct oto_adam *adam, float *params, const float *grads, double scale,
                     double rate, struct oto_pool *pool)
{
    const struct oto_adam_options *o = &adam->options;
    double t = (double)++adam->t;
    double d = (1 + t) / (10 + t) < o->ema ? (1 + t) / (10 + t) : o->ema;
    struct update_job job = {
        .adam = adam,
        .params = params,
        .grads = grads,
        .scale = (float)scale,
        .step = (float)(rate / (1 - pow(o->beta1, t))),
        .root = (float)(1 / sqrt(1 - pow(o->beta2, t))),
        .eps = (float)o->eps,
        .decay = (float)(rate * o->weight_decay),
        .average = (float)(1 - d),
    };
    oto_pool_run(pool, n_tasks(adam), update_task, &job);
}
