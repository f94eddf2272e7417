/* SPDX-License-Identifier: BSD-2-Clause */
/* One object a line: "v" is the version of this form, "type" what happened. Fields are only added.
 */
#include <stdlib.h>

#include "cli/json.h"
#include "cli/live_sink.h"

static void number(FILE *out, const char *name, double value)
{
    fprintf(out, ",\"%s\":", name);
    oto_json_number(out, value);
}

static void text(FILE *out, const char *name, const char *value)
{
    fprintf(out, ",\"%s\":", name);
    oto_json_text(out, value);
}

static void count(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void begin(FILE *out, const char *type, const struct oto_live_event *e)
{
    fprintf(out, "{\"v\":1,\"type\":\"%s\"", type);
    number(out, "heard", e->heard_s);
}

static void write_words(FILE *out, const oto_result *result, double start_s)
{
    fputs(",\"words\":[", out);
    for (int i = 0; i < result->n_words; i++) {
        const oto_word *w = &result->words[i];
        fputs(i > 0 ? ",{\"word\":" : "{\"word\":", out);
        oto_json_text(out, w->text);
        number(out, "start", start_s + w->start_s);
        number(out, "end", start_s + w->end_s);
        number(out, "confidence", w->confidence);
        putc('}', out);
    }
    putc(']', out);
}

static void write_text(FILE *out, const struct oto_live_event *e)
{
    begin(out, e->type == OTO_LIVE_FINAL ? "final" : "partial", e);
    number(out, "start", e->start_s);
    number(out, "end", e->end_s);
    text(out, "text", e->text);
    if (e->type == OTO_LIVE_PARTIAL)
        count(out, "stable", e->n_stable);
    else {
        number(out, "log_prob", e->result->log_prob);
        number(out, "speech", e->speech);
        write_words(out, e->result, e->start_s);
    }
}

static void write_meta(FILE *out, const struct oto_live_event *e)
{
    begin(out, "meta", e);
    if (e->type == OTO_LIVE_LISTENING) {
        text(out, "event", "listening");
        text(out, "source", e->source);
        text(out, "model", e->model);
        count(out, "source_rate_hz", (uint64_t)e->source_rate_hz);
        count(out, "rate_hz", (uint64_t)e->rate_hz);
    } else if (e->type == OTO_LIVE_DEVICE) {
        text(out, "event", "device");
        text(out, "message", e->message);
    } else {
        text(out, "event", "end");
        count(out, "captured", e->n_processed + e->n_lost_total);
        count(out, "processed", e->n_processed);
        count(out, "lost", e->n_lost_total);
    }
}

static void tell(struct oto_live_sink *sink, const struct oto_live_event *e)
{
    FILE *out = sink->out;
    switch (e->type) {
    case OTO_LIVE_LEVEL:
        return;
    case OTO_LIVE_PARTIAL:
    case OTO_LIVE_FINAL:
        write_text(out, e);
        break;
    case OTO_LIVE_GAP:
        begin(out, "gap", e);
        number(out, "start", e->start_s);
        number(out, "end", e->end_s);
        if (e->n_lost > 0)
            count(out, "samples", e->n_lost);
        else
            fputs(",\"samples\":null", out);
        break;
    case OTO_LIVE_LISTENING:
    case OTO_LIVE_DEVICE:
    case OTO_LIVE_END:
        write_meta(out, e);
        break;
    }
    fputs("}\n", out);
    fflush(out);
}

static void release(struct oto_live_sink *sink)
{
    free(sink);
}

struct oto_live_sink *oto_live_jsonl_create(FILE *out)
{
    struct oto_live_sink *sink = calloc(1, sizeof *sink);
    if (sink != NULL)
        *sink = (struct oto_live_sink){out, tell, release};
    return sink;
}
