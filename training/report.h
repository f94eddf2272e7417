/* SPDX-License-Identifier: BSD-2-Clause */
/** What a training run says about itself: metrics.jsonl for programs, lines of text for people. */
#ifndef OTO_TRAINING_REPORT_H
#define OTO_TRAINING_REPORT_H

#include <stdint.h>

#include "base/status.h"

struct oto_report;

/** Where text for people goes. The library itself never prints. */
struct oto_report_sink {
    void (*line)(void *arg, const char *text); /* a line to stay; NULL: nobody reads */
    void (*live)(void *arg, const char *text); /* a line rewritten in place, on a terminal; NULL: a
                                                  line to stay every few minutes instead */
    void *arg;
};

/** @param path  metrics file, one JSON object a line, opened for appending */
oto_status oto_report_open(struct oto_report **out, const char *path,
                           const struct oto_report_sink *sink, oto_error *err) OTO_WARN_UNUSED;
/** Cuts the metrics file to n_bytes: what a stopped run wrote after the checkpoint it goes on from.
 */
oto_status oto_report_cut(struct oto_report *r, uint64_t n_bytes, oto_error *err) OTO_WARN_UNUSED;
/** Flushes; NULL is a no-op. */
void oto_report_close(struct oto_report *r);
/** Bytes in the metrics file, everything written so far brought to disk. */
oto_status oto_report_sync(struct oto_report *r, uint64_t *n_bytes, oto_error *err) OTO_WARN_UNUSED;

struct oto_report_progress {
    uint64_t epoch, n_epochs; /* epoch from 1 */
    double share;             /* of the epoch, 0..1 */
    double loss;              /* mean per label in this epoch */
    double rate;              /* seconds of audio per second */
    double left_s;            /* of the whole training; negative = unknown */
    uint64_t n_skipped;
    double wait_share; /* of the time, spent waiting for data */
};
/** Shows progress when it is time to. */
void oto_report_progress(struct oto_report *r, const struct oto_report_progress *p);
/** Progress of a preparation with its own word, e.g. "features". */
void oto_report_prepare(struct oto_report *r, const char *what, uint64_t n_done, uint64_t n);
/** A whole line for people. */
void oto_report_line(struct oto_report *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** One line of the metrics file: begin, then names with values, then end. NaN and infinities become
 * null. */
void oto_report_begin(struct oto_report *r, const char *kind);
void oto_report_number(struct oto_report *r, const char *name, double value);
void oto_report_count(struct oto_report *r, const char *name, uint64_t value);
void oto_report_end(struct oto_report *r);

/** "1:02:03", "2:03"; into text, which it returns. */
char *oto_report_duration(char text[32], double seconds);

#endif
