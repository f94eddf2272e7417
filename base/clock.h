/* SPDX-License-Identifier: BSD-2-Clause */
/** Two clocks in seconds. Only differences mean anything. */
#ifndef OTO_BASE_CLOCK_H
#define OTO_BASE_CLOCK_H

/** Of the wall; never set back. */
double oto_clock_wall_s(void);
/** Processor time of this process, all its threads together. */
double oto_clock_cpu_s(void);

#endif
