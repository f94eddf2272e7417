/* SPDX-License-Identifier: BSD-2-Clause */
/** The learning rate as a pure function of the step, so nothing needs saving. */
#ifndef OTO_TRAINING_SCHEDULE_H
#define OTO_TRAINING_SCHEDULE_H

#include <stdint.h>

enum oto_schedule_kind { OTO_SCHEDULE_CONSTANT, OTO_SCHEDULE_LINEAR, OTO_SCHEDULE_COSINE };

struct oto_schedule {
    int kind;                       /* enum oto_schedule_kind */
    double peak;                    /* reached after warm-up */
    uint64_t warmup_steps, n_steps; /* n_steps: of the whole training */
};

/**
 * Rate of step s = 0, 1, ...; W warm-up steps, S steps in all:
 *     s < W     peak * (s+1)/W
 *     constant  peak
 *     linear    peak * (S-s)/(S-W)
 *     cosine    peak * (1 + cos(pi*(s-W)/(S-W)))/2
 * Linear and cosine reach 0 at s = S, and stay there.
 */
double oto_schedule_rate(const struct oto_schedule *schedule, uint64_t step);

#endif
