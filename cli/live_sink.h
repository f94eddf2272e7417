/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * What happens while `otolith live` listens, and who tells it: one sink for each form of output.
 * Times are seconds since the first sample, with the sound that was lost counted in.
 */
#ifndef OTO_CLI_LIVE_SINK_H
#define OTO_CLI_LIVE_SINK_H

#include <stdbool.h>
#include <stdio.h>

#include "otolith/otolith.h"

enum oto_live_event_type {
    OTO_LIVE_LISTENING, /* the first samples are there */
    OTO_LIVE_LEVEL,     /* of the samples just heard */
    OTO_LIVE_PARTIAL,   /* the text in work has changed */
    OTO_LIVE_FINAL,     /* an utterance has ended */
    OTO_LIVE_GAP,       /* sound was lost */
    OTO_LIVE_DEVICE,    /* the device failed, or is there again */
    OTO_LIVE_END
};

struct oto_live_event {
    enum oto_live_event_type type;
    double heard_s; /* sound taken in so far */

    /* PARTIAL, FINAL */
    const char *text;
    size_t n_stable; /* bytes of text that stay: all of a FINAL */
    double start_s, end_s;
    double speech;            /* FINAL: how sure it is that this is speech, 0 to 1 */
    const oto_result *result; /* FINAL */
    /* LEVEL */
    double level_db;
    bool clipped;
    /* GAP: at start_s; 0 samples: their number is not known */
    uint64_t n_lost;
    /* END: samples at the model's rate */
    uint64_t n_processed, n_lost_total;
    /* LISTENING, DEVICE */
    const char *source, *message;
    const char *model; /* LISTENING */
    int source_rate_hz, rate_hz;
};

struct oto_live_sink {
    FILE *out;
    /** Writes to out. Errors show there (ferror()). */
    void (*tell)(struct oto_live_sink *sink, const struct oto_live_event *event);
    void (*close)(struct oto_live_sink *sink); /* does not close out */
};

/** Lines of final text, gaps in brackets. */
struct oto_live_sink *oto_live_lines_create(FILE *out);
/** One JSON object a line. */
struct oto_live_sink *oto_live_jsonl_create(FILE *out);
/** A terminal; it is given back as it was by close, or by oto_live_terminal_restore() from a signal
 * handler. */
struct oto_live_sink *oto_live_terminal_create(FILE *out);
void oto_live_terminal_restore(void);
/** Whether out is a terminal that can be drawn on. */
bool oto_live_is_terminal(FILE *out);

#endif
