/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/schedule.h"

#include <math.h>

bool oto_schedule_watches(int kind)
{
    return kind == OTO_SCHEDULE_PLATEAU || kind == OTO_SCHEDULE_NEWBOB;
}

double oto_schedule_rate(const struct oto_schedule *s, uint64_t step, uint64_t n_halvings)
{
    static const double pi = 3.14159265358979323846;
    double peak = ldexp(s->peak, n_halvings < 1000 ? -(int)n_halvings : -1000);
    if (step < s->warmup_steps)
        return peak * ((double)step + 1) / (double)s->warmup_steps;
    if (s->kind == OTO_SCHEDULE_CONSTANT || oto_schedule_watches(s->kind))
        return peak;
    if (step >= s->n_steps)
        return 0;
    double length = (double)(s->n_steps - s->warmup_steps);
    if (s->kind == OTO_SCHEDULE_LINEAR)
        return peak * (double)(s->n_steps - step) / length;
    return peak * (1 + cos(pi * (double)(step - s->warmup_steps) / length)) / 2;
}

bool oto_schedule_halves(int kind, double loss, double lowest, double previous, uint64_t n_halvings)
{
    if (isnan(previous) || isnan(lowest))
        return false;
    if (kind == OTO_SCHEDULE_PLATEAU)
        return !(loss < lowest);
    return kind == OTO_SCHEDULE_NEWBOB && (n_halvings > 0 || !(loss <= 0.99 * previous));
}
