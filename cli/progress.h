/* SPDX-License-Identifier: BSD-2-Clause */
/** One line at the bottom of a terminal that is rewritten in place. Nothing at all where the stream
 * is no terminal. */
#ifndef OTO_CLI_PROGRESS_H
#define OTO_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

struct oto_progress {
    FILE *out;
    bool enabled;
    double next_s; /* earliest time of the next line, by the monotonic clock */
};

/** wanted: false for -q. Also off where out is no terminal or TERM is "dumb". */
void oto_progress_init(struct oto_progress *p, FILE *out, bool wanted);
/** At most ten times a second; what comes between is skipped. Cut to the terminal's width. From one
 * thread. */
void oto_progress_show(struct oto_progress *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Erases the line. */
void oto_progress_end(struct oto_progress *p);
/** Erases whatever line is shown on any stream, before something else is printed. */
void oto_progress_hide(void);

#endif
