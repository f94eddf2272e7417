/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/report_page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/mem.h"
#include "decoder/confusions.h"
#include "decoder/edit_distance.h"
#include "models/bundle.h"
#include "training/chart.h"
#include "training/metrics.h"
#include "training/report.h"

enum { N_UTTERANCES = 20, N_CONFUSIONS = 40 };

/* One line of best-dev.tsv. */
struct utterance {
    char *id, *ref, *hyp; /* into page.text */
    struct oto_errors words;
};

struct page {
    struct oto_writer w;
    struct oto_metrics metrics;
    double *x, *y[2]; /* [metrics.n] of one chart */
    char *text;       /* best-dev.tsv, cut into fields */
    struct utterance *utts;
    size_t n_utts;
    struct oto_confusions confusions;
    struct oto_bundle *model; /* NULL without */
};

static const char style[] =
    ":root{--fg:#1d2125;--mute:#667;--line:#dde;--bg:#fff;--c0:#1769aa;--c1:#c2410c}"
    "@media(prefers-color-scheme:dark){:root{--fg:#e6e8ea;--mute:#99a;--line:#334;--bg:#16181b;"
    "--c0:#6cb6ff;--c1:#ff9f5a}}"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:2rem "
    "auto;max-width:1180px;padding:0 1rem}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:1rem}"
    "svg{width:100%;height:auto}text{fill:var(--fg);font-size:12px}.title{font-weight:600}"
    ".tick{fill:var(--mute);font-size:11px}.grid{stroke:var(--line)}"
    "polyline{fill:none;stroke-width:1.6}"
    "polyline.c0{stroke:var(--c0)}polyline.c1{stroke:var(--c1)}circle.c0,text.c0{fill:var(--c0)}"
    "circle.c1,text.c1{fill:var(--c1)}table{border-collapse:collapse}"
    "td,th{border-bottom:1px solid var(--line);padding:.2rem .7rem .2rem 0;text-align:left;"
    "vertical-align:top}td.n,th.n{text-align:right}.bad{color:var(--c1)}"
    "pre{border:1px solid var(--line);padding:.7rem;overflow:auto;font-size:13px}";

static void put(struct page *p, const char *html)
{
    oto_write_bytes(&p->w, html, strlen(html));
}

static void put_text(struct page *p, const char *text)
{
    oto_chart_write_text(&p->w, text);
}

/* Formatted, then as text. */
static void put_format(struct page *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put_format(struct page *p, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_text(p, text);
}

/* ---- what is read ------------------------------------------------------------------------ */

static char *join(const char *folder, const char *name)
{
    size_t n = strlen(folder) + strlen(name) + 2;
    char *path = oto_calloc(n, 1);
    if (path)
        snprintf(path, n, "%s/%s", folder, name);
    return path;
}

/* Cuts the next line of *rest into three fields. */
static oto_status cut_line(struct utterance *u, char **rest, const char *path, size_t number,
                           oto_error *err)
{
    char *line = *rest, *end = line + strcspn(line, "\n");
    *rest = *end ? end + 1 : end;
    *end = 0;
    char *ref = strchr(line, '\t'), *hyp = ref ? strchr(ref + 1, '\t') : NULL;
    if (!hyp)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s:%zu: three fields expected: id, said, heard, with tabs between", path,
                        number);
    *ref++ = *hyp++ = 0;
    *u = (struct utterance){.id = line, .ref = ref, .hyp = hyp};
    return OTO_OK;
}

static oto_status read_utterances(struct page *p, const char *path, oto_error *err)
{
    struct oto_map map;
    oto_status status = oto_map_open(&map, path, err);
    if (status != OTO_OK)
        return status == OTO_ERR_NOT_FOUND ? OTO_OK : status;
    p->text = oto_strndup((const char *)map.data, map.size);
    oto_map_close(&map);
    size_t n_lines = 1;
    for (const char *c = p->text; c && *c; c++)
        n_lines += *c == '\n';
    p->utts = oto_calloc(n_lines, sizeof *p->utts);
    if (!p->text || !p->utts)
        return oto_fail_memory(err, "utterances");
    char *rest = p->text;
    for (size_t number = 1; *rest && status == OTO_OK; number++) {
        struct utterance *u = &p->utts[p->n_utts];
        status = cut_line(u, &rest, path, number, err);
        if (status != OTO_OK || number == 1) /* the header */
            continue;
        status = oto_edit_add(&u->words, u->ref, u->hyp, OTO_EDIT_WORDS, err);
        if (status == OTO_OK)
            status = oto_confusions_add(&p->confusions, u->ref, u->hyp, err);
        p->n_utts++;
    }
    oto_confusions_sort(&p->confusions);
    return status;
}

static oto_status read_run(struct page *p, const char *folder, oto_error *err)
{
    char *metrics = join(folder, "metrics.jsonl"), *dev = join(folder, "best-dev.tsv");
    char *model = join(folder, "last.oto");
    oto_status status = metrics && dev && model ? OTO_OK : oto_fail_memory(err, "paths");
    if (status == OTO_OK)
        status = oto_metrics_load(&p->metrics, metrics, err);
    if (status == OTO_OK && p->metrics.n == 0)
        status = oto_fail(err, OTO_ERR_DATA, "%s: no step is recorded yet", metrics);
    if (status == OTO_OK)
        status = read_utterances(p, dev, err);
    if (status == OTO_OK)
        status = oto_bundle_load(&p->model, model, err);
    if (status == OTO_ERR_NOT_FOUND && p->metrics.n > 0)
        status = OTO_OK; /* the first epoch is not over */
    if (status == OTO_OK) {
        p->x = oto_calloc(p->metrics.n, sizeof *p->x);
        p->y[0] = oto_calloc(p->metrics.n, sizeof *p->x);
        p->y[1] = oto_calloc(p->metrics.n, sizeof *p->x);
        if (!p->x || !p->y[0] || !p->y[1])
            status = oto_fail_memory(err, "curves");
    }
    oto_free(metrics);
    oto_free(dev);
    oto_free(model);
    return status;
}

/* ---- curves ------------------------------------------------------------------------------ */

/* Points of two metrics over a third, of steps or of epochs; how many. */
static size_t gather(struct page *p, bool epochs, enum oto_metric x, enum oto_metric a,
                     enum oto_metric b)
{
    size_t n = 0;
    for (size_t i = 0; i < p->metrics.n; i++) {
        const struct oto_metric_row *row = &p->metrics.rows[i];
        if (row->is_epoch != epochs)
            continue;
        p->x[n] = row->values[x];
        p->y[0][n] = row->values[a];
        p->y[1][n] = row->values[b];
        n++;
    }
    return n;
}

static void put_chart(struct page *p, const char *title, const char *x_label, size_t n,
                      const char *a, const char *b, double y_scale, bool from_zero)
{
    const struct oto_chart_series series[] = {{a, p->x, p->y[0], n}, {b, p->x, p->y[1], n}};
    const struct oto_chart chart = {title, x_label, series, b ? 2 : 1, y_scale, from_zero};
    oto_chart_write(&p->w, &chart);
}

static void put_charts(struct page *p)
{
    put(p, "<div class=\"charts\">\n");
    size_t n = gather(p, true, OTO_METRIC_EPOCH, OTO_METRIC_DEV_CER, OTO_METRIC_DEV_WER);
    put_chart(p, "Error rates on the dev set, %", "epoch", n, "characters", "words", 100, true);
    n = gather(p, true, OTO_METRIC_EPOCH, OTO_METRIC_LOSS, OTO_METRIC_DEV_LOSS);
    put_chart(p, "Loss per label", "epoch", n, "training", "dev", 1, true);
    n = gather(p, false, OTO_METRIC_STEP, OTO_METRIC_LOSS, OTO_METRIC_LOSS);
    put_chart(p, "Training loss per label", "step", n, "training", NULL, 1, true);
    n = gather(p, false, OTO_METRIC_STEP, OTO_METRIC_GRAD_NORM, OTO_METRIC_GRAD_NORM);
    put_chart(p, "Norm of the gradient", "step", n, "norm", NULL, 1, true);
    n = gather(p, false, OTO_METRIC_STEP, OTO_METRIC_LR, OTO_METRIC_LR);
    put_chart(p, "Learning rate", "step", n, "rate", NULL, 1, true);
    n = gather(p, false, OTO_METRIC_STEP, OTO_METRIC_SPEED, OTO_METRIC_SPEED);
    put_chart(p, "Speed, seconds of audio a second", "step", n, "speed", NULL, 1, true);
    put(p, "</div>\n");
}

/* ---- facts and tables -------------------------------------------------------------------- */

static void put_fact(struct page *p, const char *name, const char *value)
{
    if (!*value)
        return;
    put(p, "<tr><th>");
    put_text(p, name);
    put(p, "</th><td>");
    put_text(p, value);
    put(p, "</td></tr>\n");
}

/* Of the last line that has a number for it; NAN without. */
static double last_value(const struct page *p, enum oto_metric metric)
{
    for (size_t i = p->metrics.n; i > 0; i--)
        if (!isnan(p->metrics.rows[i - 1].values[metric]))
            return p->metrics.rows[i - 1].values[metric];
    return (double)NAN;
}

static void put_best(struct page *p)
{
    char text[128];
    double best = last_value(p, OTO_METRIC_BEST_EPOCH);
    for (size_t i = 0; i < p->metrics.n; i++) {
        const double *v = p->metrics.rows[i].values;
        if (!p->metrics.rows[i].is_epoch || v[OTO_METRIC_EPOCH] != best)
            continue;
        snprintf(text, sizeof text, "epoch %.0f: dev CER %.2f %%, WER %.2f %%, loss %.3f", best,
                 100 * v[OTO_METRIC_DEV_CER], 100 * v[OTO_METRIC_DEV_WER], v[OTO_METRIC_DEV_LOSS]);
        put_fact(p, "best", text);
    }
}

static void put_facts(struct page *p)
{
    char text[128], taken[32];
    put(p, "<table>\n");
    put_best(p);
    snprintf(text, sizeof text, "%.0f, in epoch %.0f", last_value(p, OTO_METRIC_STEP),
             last_value(p, OTO_METRIC_EPOCH));
    put_fact(p, "steps", text);
    if (!isnan(last_value(p, OTO_METRIC_SECONDS)))
        put_fact(p, "time", oto_report_duration(taken, last_value(p, OTO_METRIC_SECONDS)));
    if (last_value(p, OTO_METRIC_SKIPPED) > 0) {
        snprintf(text, sizeof text, "%.0f", last_value(p, OTO_METRIC_SKIPPED));
        put_fact(p, "steps skipped, not finite", text);
    }
    if (p->model) {
        const struct oto_network_shape *s = &p->model->shape;
        snprintf(text, sizeof text, "%d x BLSTM of 2 x %d units, %zu parameters", s->n_layers,
                 s->n_hidden, oto_network_n_parameters(s));
        put_fact(p, "network", text);
        if (s->reduce_after != 0) {
            char layers[16];
            oto_network_print_reductions(layers, s->reduce_after);
            put_fact(p, "frames paired after layer", layers);
        }
        put_fact(p, "data", p->model->card.data);
        put_fact(p, "licence", p->model->card.licence);
        put_fact(p, "date", p->model->card.date);
    }
    put(p, "</table>\n");
}

static uint64_t n_errors(const struct utterance *u)
{
    return u->words.substitutions + u->words.insertions + u->words.deletions;
}

/* Most errors first; of those with as many, the shorter ones. */
static int by_errors(const void *a, const void *b)
{
    const struct utterance *x = a, *y = b;
    if (n_errors(x) != n_errors(y))
        return n_errors(x) > n_errors(y) ? -1 : 1;
    if (x->words.n_ref != y->words.n_ref)
        return x->words.n_ref < y->words.n_ref ? -1 : 1;
    return strcmp(x->id, y->id);
}

static void put_utterance(struct page *p, const struct utterance *u)
{
    put(p, "<tr><td>");
    put_text(p, u->id);
    put(p, "</td><td class=\"n\">");
    put_format(p, "%llu of %llu", (unsigned long long)n_errors(u),
               (unsigned long long)u->words.n_ref);
    put(p, "</td><td>");
    put_text(p, u->ref);
    put(p, n_errors(u) ? "<br><span class=\"bad\">" : "<br><span>");
    put_text(p, u->hyp);
    put(p, "</span></td></tr>\n");
}

static void put_utterances(struct page *p)
{
    static const char head[] = "<table><tr><th>utterance</th><th class=\"n\">word errors</th>"
                               "<th>said, heard</th></tr>\n";
    size_t n = p->n_utts < N_UTTERANCES ? p->n_utts : N_UTTERANCES;
    if (p->n_utts == 0)
        return;
    qsort(p->utts, p->n_utts, sizeof *p->utts, by_errors);
    put(p, "<h2>Worst utterances of the dev set</h2>\n");
    put(p, head);
    for (size_t i = 0; i < n; i++)
        put_utterance(p, &p->utts[i]);
    put(p, "</table>\n<h2>Best ones</h2>\n");
    put(p, head);
    for (size_t i = 0; i < n; i++)
        put_utterance(p, &p->utts[p->n_utts - 1 - i]);
    put(p, "</table>\n");
}

static void put_confusions(struct page *p)
{
    size_t n = p->confusions.n < N_CONFUSIONS ? p->confusions.n : N_CONFUSIONS;
    if (n == 0)
        return;
    put(p, "<h2>Most frequent confusions</h2>\n<table><tr><th class=\"n\">count</th>"
           "<th>said</th><th>heard</th></tr>\n");
    for (size_t i = 0; i < n; i++) {
        const struct oto_confusion *c = &p->confusions.list[i];
        put(p, "<tr><td class=\"n\">");
        put_format(p, "%llu", (unsigned long long)c->count);
        put(p, "</td><td>");
        put_text(p, c->ref[0] ? c->ref : "(nothing)");
        put(p, "</td><td class=\"bad\">");
        put_text(p, c->hyp[0] ? c->hyp : "(nothing)");
        put(p, "</td></tr>\n");
    }
    put(p, "</table>\n");
}

static void put_page(struct page *p, const char *folder)
{
    const char *name = p->model && p->model->card.name[0] ? p->model->card.name : folder;
    put(p, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width\"><title>Training of ");
    put_text(p, name);
    put(p, "</title><style>");
    put(p, style);
    put(p, "</style></head><body>\n<h1>Training of ");
    put_text(p, name);
    put(p, "</h1>\n");
    put_facts(p);
    put(p, "<h2>Curves</h2>\n");
    put_charts(p);
    put_utterances(p);
    put_confusions(p);
    if (p->model && p->model->card.recipe[0]) {
        put(p, "<h2>Recipe</h2>\n<pre>");
        put_text(p, p->model->card.recipe);
        put(p, "</pre>\n");
    }
    put(p, "</body></html>\n");
}

oto_status oto_report_page_write(const char *folder, const char *path, oto_error *err)
{
    struct page p = {0};
    oto_status status = read_run(&p, folder, err);
    if (status == OTO_OK) {
        put_page(&p, folder);
        status = p.w.failed ? oto_fail_memory(err, "page")
                            : oto_atomic_save(path, p.w.data, p.w.size, err);
    }
    oto_writer_clear(&p.w);
    oto_metrics_clear(&p.metrics);
    oto_confusions_clear(&p.confusions);
    oto_bundle_destroy(p.model);
    oto_free(p.x);
    oto_free(p.y[0]);
    oto_free(p.y[1]);
    oto_free(p.text);
    oto_free(p.utts);
    return status;
}
