/* SPDX-License-Identifier: BSD-2-Clause */
/** The learning rate as a function of the step and, in two kinds, of how the dev loss went. */
#ifndef OTO_TRAINING_SCHEDULE_H
#define OTO_TRAINING_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum oto_schedule_kind {
    OTO_SCHEDULE_CONSTANT,
    OTO_SCHEDULE_LINEAR,
    OTO_SCHEDULE_COSINE,
    OTO_SCHEDULE_PLATEAU, /* halved after each epoch without a lower dev loss */
    OTO_SCHEDULE_NEWBOB   /* halved after each epoch from the first with little gain on */
};

struct oto_schedule {
    int kind;                       /* enum oto_schedule_kind */
    double peak;                    /* reached after warm-up */
    uint64_t warmup_steps, n_steps; /* n_steps: of the whole training */
};

/** Whether the kind goes by the dev loss. */
bool oto_schedule_watches(int kind);

/**
 * Rate of step s = 0, 1, ...; W warm-up steps, S steps in all, h halvings so far:
 *     s < W            peak * 2^-h * (s+1)/W
 *     constant         peak
 *     linear           peak * (S-s)/(S-W)
 *     cosine           peak * (1 + cos(pi*(s-W)/(S-W)))/2
 *     plateau, newbob  peak * 2^-h
 * Linear and cosine reach 0 at s = S, and stay there.
 */
double oto_schedule_rate(const struct oto_schedule *schedule, uint64_t step, uint64_t n_halvings);

/**
 * After an epoch, whether its end halves the rate.
 *     plateau  loss >= lowest of the epochs before
 *     newbob   h > 0, or loss > 0.99 * that of the epoch before (the rule of ICSI's QuickNet, there
 *              on the accuracy)
 * @param lowest, previous  NAN after the first epoch, which never halves
 */
bool oto_schedule_halves(int kind, double loss, double lowest, double previous,
                         uint64_t n_halvings);

#endif
