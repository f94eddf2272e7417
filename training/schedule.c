/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/schedule.h"

#include <math.h>

double oto_schedule_rate(const struct oto_schedule *s, uint64_t step)
{
    static const double pi = 3.14159265358979323846;
    if (step < s->warmup_steps)
        return s->peak * ((double)step + 1) / (double)s->warmup_steps;
    if (s->kind == OTO_SCHEDULE_CONSTANT)
        return s->peak;
    if (step >= s->n_steps)
        return 0;
    double length = (double)(s->n_steps - s->warmup_steps);
    if (s->kind == OTO_SCHEDULE_LINEAR)
        return s->peak * (double)(s->n_steps - step) / length;
    return s->peak * (1 + cos(pi * (double)(step - s->warmup_steps) / length)) / 2;
}
