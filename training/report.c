/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/report.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

struct oto_report {
    FILE *metrics;
    char *path;
    struct oto_report_sink sink;
    double last_s; /* when progress was last shown */
};

static const double live_interval_s = 0.5, plain_interval_s = 180;

oto_status oto_report_open(struct oto_report **out, const char *path,
                           const struct oto_report_sink *sink, oto_error *err)
{
    *out = NULL;
    struct oto_report *r = oto_calloc(1, sizeof *r);
    if (!r)
        return oto_fail_memory(err, "report");
    oto_status status = OTO_OK;
    r->sink = *sink;
    r->last_s = oto_clock_wall_s();
    r->path = oto_strdup(path);
    r->metrics = fopen(path, "ab");
    if (!r->path)
        status = oto_fail_memory(err, "report");
    else if (!r->metrics)
        status = oto_fail_errno(err, path, "cannot write");
    if (status != OTO_OK) {
        oto_report_close(r);
        return status;
    }
    *out = r;
    return OTO_OK;
}

oto_status oto_report_cut(struct oto_report *r, uint64_t n_bytes, oto_error *err)
{
    if (fseek(r->metrics, 0, SEEK_END) != 0 || ftell(r->metrics) < 0)
        return oto_fail_errno(err, r->path, "cannot tell its length");
    if ((uint64_t)ftell(r->metrics) > n_bytes && ftruncate(fileno(r->metrics), (off_t)n_bytes) != 0)
        return oto_fail_errno(err, r->path, "cannot cut to its length at the checkpoint");
    return OTO_OK;
}

void oto_report_close(struct oto_report *r)
{
    if (!r)
        return;
    if (r->metrics)
        fclose(r->metrics);
    oto_free(r->path);
    oto_free(r);
}

oto_status oto_report_sync(struct oto_report *r, uint64_t *n_bytes, oto_error *err)
{
    if (fflush(r->metrics) != 0 || ferror(r->metrics) || fsync(fileno(r->metrics)) != 0)
        return oto_fail_errno(err, r->path, "cannot write");
    if (fseek(r->metrics, 0, SEEK_END) != 0)
        return oto_fail_errno(err, r->path, "cannot tell its length");
    *n_bytes = (uint64_t)ftell(r->metrics);
    return OTO_OK;
}

char *oto_report_duration(char text[32], double seconds)
{
    long s = seconds > 0 && seconds < 1e9 ? lround(seconds) : 0;
    if (s >= 3600)
        snprintf(text, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 32, "%ld:%02ld", s / 60, s % 60);
    return text;
}

/* Whether a progress line is due; a live one is drawn often, a plain one every few minutes. */
static bool is_due(struct oto_report *r)
{
    if (!r->sink.line)
        return false;
    double now = oto_clock_wall_s();
    if (now - r->last_s < (r->sink.live ? live_interval_s : plain_interval_s))
        return false;
    r->last_s = now;
    return true;
}

static void show(struct oto_report *r, const char *text)
{
    (r->sink.live ? r->sink.live : r->sink.line)(r->sink.arg, text);
}

void oto_report_progress(struct oto_report *r, const struct oto_report_progress *p)
{
    if (!is_due(r))
        return;
    char text[200], left[32], skipped[40] = "";
    if (p->n_skipped)
        snprintf(skipped, sizeof skipped, ", %llu skipped", (unsigned long long)p->n_skipped);
    snprintf(
        text, sizeof text,
        "epoch %llu/%llu %3.0f %%, loss %.3f, %.0f s of audio per s, %.1f %% waiting for data, "
        "%s left%s",
        (unsigned long long)p->epoch, (unsigned long long)p->n_epochs, 100 * p->share, p->loss,
        p->rate, 100 * p->wait_share, p->left_s < 0 ? "?" : oto_report_duration(left, p->left_s),
        skipped);
    show(r, text);
}

void oto_report_prepare(struct oto_report *r, const char *what, uint64_t n_done, uint64_t n)
{
    if (!is_due(r))
        return;
    char text[120];
    snprintf(text, sizeof text, "%s: %llu of %llu", what, (unsigned long long)n_done,
             (unsigned long long)n);
    show(r, text);
}

void oto_report_line(struct oto_report *r, const char *format, ...)
{
    char text[1024];
    if (!r->sink.line)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->sink.line(r->sink.arg, text);
}

void oto_report_begin(struct oto_report *r, const char *kind)
{
    fprintf(r->metrics, "{\"kind\":\"%s\"", kind);
}

void oto_report_number(struct oto_report *r, const char *name, double value)
{
    if (isfinite(value))
        fprintf(r->metrics, ",\"%s\":%.9g", name, value);
    else
        fprintf(r->metrics, ",\"%s\":null", name);
}

void oto_report_count(struct oto_report *r, const char *name, uint64_t value)
{
    fprintf(r->metrics, ",\"%s\":%llu", name, (unsigned long long)value);
}

void oto_report_end(struct oto_report *r)
{
    fputs("}\n", r->metrics);
    fflush(r->metrics);
}
