/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and Hutter 2019) over one flat
 * parameter array, and an exponential moving average of the weights. Work is cut into fixed blocks:
 * same bits on any number of threads.
 */
#ifndef OTO_TRAINING_OPTIM_H
#define OTO_TRAINING_OPTIM_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"

struct oto_adam_options {
    double beta1, beta2, eps, weight_decay;
    double ema;      /* decay of the moving average per step, 0 = none */
    size_t n_frozen; /* the first parameters: never changed, no part of the norm */
};

struct oto_adam {
    struct oto_adam_options options;
    size_t n;     /* parameters */
    uint64_t t;   /* updates made */
    float *m, *v; /* [n] first and second moment */
    float *ema;   /* [n], NULL without */
    double *sums; /* one per block: scratch of the norm */
};

/** Moments start at zero, the average at params. Zero-initialised *adam; release with
 * oto_adam_clear(). */
oto_status oto_adam_init(struct oto_adam *adam, size_t n, const float *params,
                         const struct oto_adam_options *options, oto_error *err) OTO_WARN_UNUSED;
void oto_adam_clear(struct oto_adam *adam);

/** Euclidean norm of [adam->n] gradients, less the frozen ones; squares summed in double. */
double oto_adam_norm(struct oto_adam *adam, const float *grads, struct oto_pool *pool);

/**
 * One update with g = scale * grads:
 *     m = b1*m + (1-b1)*g,  v = b2*v + (1-b2)*g^2
 *     w = w - rate*( m/(1-b1^t) / (sqrt(v/(1-b2^t)) + eps) + weight_decay*w )
 *     ema = d*ema + (1-d)*w,  d = min(ema decay, (1+t)/(10+t))
 * The bound on d keeps the random start out of the average's first steps.
 */
void oto_adam_update(struct oto_adam *adam, float *params, const float *grads, double scale,
                     double rate, struct oto_pool *pool);

#endif
