/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/weight_noise.h"

#include <math.h>

#include "base/rng.h"

enum { BLOCK = 16384 /* parameters per task, a multiple of PER_DRAW */, PER_DRAW = 4 };

struct job {
    float *noisy;
    const float *params;
    size_t n_frozen, n;
    float std;
    uint64_t seed, stream;
};

/* Four normal numbers of one block of random bits: Box-Muller in float, twice as fast as
 * oto_rng_normal() and exact enough for noise: |g| <= 6.66. */
static void draw(float g[PER_DRAW], const struct job *job, uint64_t counter)
{
    static const float two_pi = 6.28318530717958647692f;
    uint32_t bits[4];
    oto_rng_block(job->seed, job->stream, counter, bits);
    for (int k = 0; k < 2; k++) {
        float u = ((float)bits[2 * k] + 1.0f) * 0x1p-32f; /* (0, 1] */
        float angle = two_pi * ((float)(bits[2 * k + 1] >> 8) * 0x1p-24f);
        float radius = sqrtf(-2 * logf(u < 1 ? u : 1));
        g[2 * k] = radius * cosf(angle);
        g[2 * k + 1] = radius * sinf(angle);
    }
}

static void noise_task(void *arg, int k)
{
    const struct job *job = arg;
    size_t begin = (size_t)k * BLOCK, end = begin + BLOCK < job->n ? begin + BLOCK : job->n;
    for (size_t first = begin; first < end; first += PER_DRAW) {
        float g[PER_DRAW];
        size_t n = end - first < PER_DRAW ? end - first : PER_DRAW;
        draw(g, job, first / PER_DRAW);
        for (size_t i = first; i < first + n; i++)
            job->noisy[i] = job->params[i] + (i < job->n_frozen ? 0 : job->std * g[i - first]);
    }
}

void oto_weight_noise_apply(float *noisy, const float *params, size_t n_frozen, size_t n,
                            double std, uint64_t seed, uint64_t step, struct oto_pool *pool)
{
    struct job job = {.noisy = noisy,
                      .params = params,
                      .n_frozen = n_frozen,
                      .n = n,
                      .std = (float)std,
                      .seed = seed,
                      .stream = oto_rng_stream("weight noise") + step};
    oto_pool_run(pool, (int)((n + BLOCK - 1) / BLOCK), noise_task, &job);
}
