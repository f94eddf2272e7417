/* SPDX-License-Identifier: BSD-2-Clause */
/** The weights of the N best epochs of a run, whose mean is often better than each of them. */
#ifndef OTO_TRAINING_BEST_N_H
#define OTO_TRAINING_BEST_N_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"

enum { OTO_BEST_N_MAX = 16 };

struct oto_best_entry {
    uint64_t epoch; /* from 1 */
    double cer, wer, loss;
};

struct oto_best_n {
    int n_max, n;
    size_t n_params;
    struct oto_best_entry entries[OTO_BEST_N_MAX]; /* [n], in no order */
    float *weights;                                /* [n_max, n_params] of the entries */
};

/** Fewer wrong characters, then words, then the lower loss. The characters go first because they
 * tell early models apart, whose words are all wrong. */
bool oto_best_is_better(const struct oto_best_entry *a, const struct oto_best_entry *b);

/** Zero-initialised *best; n_max of 0 keeps nothing. Release with oto_best_n_clear(). */
oto_status oto_best_n_init(struct oto_best_n *best, int n_max, size_t n_params,
                           oto_error *err) OTO_WARN_UNUSED;
void oto_best_n_clear(struct oto_best_n *best);
/** Keeps the weights [n_params] of an epoch that is among the best so far, in the place of the
 * worst of them; an earlier epoch wins over an equal one. */
void oto_best_n_offer(struct oto_best_n *best, const struct oto_best_entry *entry,
                      const float *weights);
/** mean [n_params] of those kept, n > 0; summed in double. Same bits on any number of threads. */
void oto_best_n_mean(const struct oto_best_n *best, float *mean, struct oto_pool *pool);

#endif
