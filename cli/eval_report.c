/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of otolith eval: sums, the bootstrap interval, a table by group, as text and as JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "cli/eval.h"
#include "cli/json.h"

/** Sums over some utterances. */
struct sums {
    size_t n_utterances, n_failed, n_with_errors;
    struct oto_errors words, chars;
    uint64_t n_unknown;
    double seconds;
};

struct interval {
    double low, high; /* of the word error rate */
};

struct group {
    const char *name;
    size_t length; /* of the name, which is part of a longer text */
    struct sums sums;
};

static void add_errors(struct oto_errors *sum, const struct oto_errors *e)
{
    sum->n_ref += e->n_ref;
    sum->n_hyp += e->n_hyp;
    sum->substitutions += e->substitutions;
    sum->insertions += e->insertions;
    sum->deletions += e->deletions;
}

static uint64_t n_errors(const struct oto_errors *e)
{
    return e->substitutions + e->insertions + e->deletions;
}

static void add_item(struct sums *sums, const struct oto_eval_item *item)
{
    sums->n_utterances++;
    if (item->err.status != OTO_OK) {
        sums->n_failed++;
        return;
    }
    sums->n_with_errors += n_errors(&item->words) > 0;
    add_errors(&sums->words, &item->words);
    add_errors(&sums->chars, &item->chars);
    sums->n_unknown += (uint64_t)item->n_unknown;
    sums->seconds += item->seconds;
}

static struct sums sum_all(const struct oto_eval *e)
{
    struct sums sums = {0};
    for (size_t i = 0; i < e->n_items; i++)
        add_item(&sums, &e->items[i]);
    return sums;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/**
 * 95 % percentile bootstrap interval of the word error rate (Bisani and Ney 2004): utterances are
 * drawn with replacement, as words of one utterance are not independent. The same seed gives the
 * same interval.
 */
static oto_status bootstrap(struct interval *out, const struct oto_eval *e, oto_error *err)
{
    size_t n = 0, n_draws = (size_t)e->n_resamples;
    struct oto_errors *utterances = oto_calloc(e->n_items, sizeof *utterances);
    double *rates = oto_calloc(n_draws, sizeof *rates);
    if (!utterances || !rates) {
        oto_free(utterances);
        oto_free(rates);
        return oto_fail_memory(err, "bootstrap");
    }
    for (size_t i = 0; i < e->n_items; i++)
        if (e->items[i].err.status == OTO_OK)
            utterances[n++] = e->items[i].words;
    for (size_t draw = 0; draw < n_draws; draw++) {
        struct oto_errors sum = {0, 0, 0, 0, 0};
        for (size_t i = 0; i < n; i++)
            add_errors(&sum, &utterances[oto_rng_below(e->seed, draw, i, n)]);
        rates[draw] = oto_error_rate(&sum);
    }
    qsort(rates, n_draws, sizeof *rates, compare_doubles);
    *out = (struct interval){rates[(size_t)(0.025 * (double)(n_draws - 1) + 0.5)],
                             rates[(size_t)(0.975 * (double)(n_draws - 1) + 0.5)]};
    oto_free(utterances);
    oto_free(rates);
    return OTO_OK;
}

/* ---- groups
 * -----------------------------------------------------------------------------------------------------
 */

static struct group group_of(const struct oto_eval *e, const struct oto_eval_item *item)
{
    const char *name = item->utterance->speaker;
    if (e->by == OTO_EVAL_BY_MANIFEST)
        name = e->corpus->manifests[item->utterance->manifest].path;
    size_t length = strlen(name);
    if (e->by == OTO_EVAL_BY_FOLDER) {
        name = item->utterance->path;
        const char *slash = strrchr(name, '/');
        length = slash ? (size_t)(slash - name) : 0;
    }
    return (struct group){.name = name, .length = length};
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    size_t n = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->name, y->name, n);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

/** The groups in the order of their names; *out freed with oto_free(). */
static oto_status make_groups(struct group **out, size_t *n_groups, const struct oto_eval *e,
                              oto_error *err)
{
    size_t n = 0;
    *n_groups = 0;
    *out = oto_calloc(e->n_items, sizeof **out);
    if (!*out)
        return oto_fail_memory(err, "groups");
    if (e->by == OTO_EVAL_BY_NONE)
        return OTO_OK;
    for (size_t i = 0; i < e->n_items; i++) {
        (*out)[i] = group_of(e, &e->items[i]);
        add_item(&(*out)[i].sums, &e->items[i]);
    }
    qsort(*out, e->n_items, sizeof **out, compare_groups);
    for (size_t i = 0; i < e->n_items; i++) {
        struct group *g = &(*out)[i];
        if (n == 0 || compare_groups(&(*out)[n - 1], g) != 0) {
            (*out)[n++] = *g;
            continue;
        }
        struct sums *into = &(*out)[n - 1].sums;
        into->n_utterances += g->sums.n_utterances;
        into->n_failed += g->sums.n_failed;
        into->n_with_errors += g->sums.n_with_errors;
        add_errors(&into->words, &g->sums.words);
        add_errors(&into->chars, &g->sums.chars);
        into->n_unknown += g->sums.n_unknown;
        into->seconds += g->sums.seconds;
    }
    *n_groups = n;
    return OTO_OK;
}

/* ---- text
 * -------------------------------------------------------------------------------------------------------
 */

static void write_errors(FILE *out, const char *name, const struct oto_errors *e)
{
    fprintf(out, "%-11s %.2f %% of %llu: %llu substituted, %llu inserted, %llu deleted\n", name,
            100.0 * oto_error_rate(e), (unsigned long long)e->n_ref,
            (unsigned long long)e->substitutions, (unsigned long long)e->insertions,
            (unsigned long long)e->deletions);
}

static int name_width(const struct group *g)
{
    int width = 0;
    size_t n;
    for (size_t i = 0; i < g->length; i += n)
        width += oto_utf8_width(oto_utf8_next(g->name + i, &n));
    return width;
}

static void write_table(FILE *out, const char *title, const struct group *groups, size_t n)
{
    int widest = (int)strlen(title);
    for (size_t i = 0; i < n; i++)
        widest = name_width(&groups[i]) > widest ? name_width(&groups[i]) : widest;
    fprintf(out,
            "\n%-*s  utterances  failed   words    WER %%   subst.  insert.  delet.    CER %%\n",
            widest, title);
    for (size_t i = 0; i < n; i++) {
        const struct sums *s = &groups[i].sums;
        fwrite(groups[i].name, 1, groups[i].length, out);
        fprintf(out, "%*s  %10zu  %6zu  %6llu  %7.2f  %7llu  %7llu  %6llu  %7.2f\n",
                widest - name_width(&groups[i]), "", s->n_utterances, s->n_failed,
                (unsigned long long)s->words.n_ref, 100.0 * oto_error_rate(&s->words),
                (unsigned long long)s->words.substitutions, (unsigned long long)s->words.insertions,
                (unsigned long long)s->words.deletions, 100.0 * oto_error_rate(&s->chars));
    }
}

static oto_status write_confidence(FILE *out, const struct oto_eval *e, oto_error *err)
{
    double error;
    size_t n;
    oto_status status = oto_eval_confidence_error(&error, &n, e, err);
    if (status != OTO_OK || n == 0)
        return status;
    fprintf(out, "confidence  of %zu words: calibration error %.2f %%", n, 100.0 * error);
    if (e->has_calibration)
        fprintf(out, ", when fitted to the other half of the utterances %.2f %%",
                100.0 * e->calibrated_error);
    fputc('\n', out);
    return OTO_OK;
}

static const char *const by_titles[] = {"", "speaker", "folder", "manifest"};

oto_status oto_eval_write_text(FILE *out, const struct oto_eval *e, oto_error *err)
{
    struct sums all = sum_all(e);
    struct group *groups = NULL;
    struct interval interval;
    size_t n_groups, n_good = all.n_utterances - all.n_failed;
    oto_status status = make_groups(&groups, &n_groups, e, err);
    if (status == OTO_OK && e->n_resamples > 0 && n_good > 0)
        status = bootstrap(&interval, e, err);
    if (status != OTO_OK)
        goto out;
    fprintf(out, "model       %s (%s), beam %d", e->model, e->model_path, e->beam);
    if (e->latency_ms > 0)
        fprintf(out, ", live with %d ms look-ahead", e->latency_ms);
    fputc('\n', out);
    fprintf(out, "utterances  %zu, %zu of them without error", n_good, n_good - all.n_with_errors);
    if (all.n_failed + e->n_bad_lines > 0)
        fprintf(out, "; %zu failed and are not in the rates", all.n_failed + e->n_bad_lines);
    fputs("\n", out);
    write_errors(out, "WER", &all.words);
    if (e->n_resamples > 0 && n_good > 0)
        fprintf(out, "            95 %% interval %.2f to %.2f %% (bootstrap over utterances)\n",
                100.0 * interval.low, 100.0 * interval.high);
    write_errors(out, "CER", &all.chars);
    if (all.n_unknown > 0)
        fprintf(out, "unknown     %llu characters of the references have no symbol in the model\n",
                (unsigned long long)all.n_unknown);
    status = write_confidence(out, e, err);
    if (status != OTO_OK)
        goto out;
    fprintf(out, "time        %.1f s for %.1f s of audio: real-time factor %.4f, %d job%s\n",
            e->passed_s, all.seconds, all.seconds > 0.0 ? e->passed_s / all.seconds : 0.0, e->jobs,
            e->jobs == 1 ? "" : "s");
    if (e->by != OTO_EVAL_BY_NONE)
        write_table(out, by_titles[e->by], groups, n_groups);
    if (e->n_confusions > 0)
        status = oto_eval_write_confusions(out, e, err);
out:
    oto_free(groups);
    return status;
}

/* ---- JSON
 * -------------------------------------------------------------------------------------------------------
 */

static void write_number(FILE *out, const char *name, double value)
{
    fprintf(out, ",\"%s\":", name);
    oto_json_number(out, value);
}

static void write_json_errors(FILE *out, const char *count, const char *rate,
                              const struct oto_errors *e)
{
    fprintf(out, ",\"%s\":%llu", count, (unsigned long long)e->n_ref);
    write_number(out, rate, oto_error_rate(e));
    fprintf(out, ",\"%s_errors\":{\"substitutions\":%llu,\"insertions\":%llu,\"deletions\":%llu}",
            rate, (unsigned long long)e->substitutions, (unsigned long long)e->insertions,
            (unsigned long long)e->deletions);
}

static void write_json_sums(FILE *out, const struct sums *s)
{
    fprintf(out, "\"utterances\":%zu,\"failed\":%zu,\"with_errors\":%zu", s->n_utterances,
            s->n_failed, s->n_with_errors);
    write_json_errors(out, "words", "wer", &s->words);
    write_json_errors(out, "characters", "cer", &s->chars);
    fprintf(out, ",\"unknown_characters\":%llu", (unsigned long long)s->n_unknown);
    write_number(out, "audio_seconds", s->seconds);
}

static oto_status write_json_groups(FILE *out, const struct group *groups, size_t n, oto_error *err)
{
    fputs(",\"groups\":[", out);
    for (size_t i = 0; i < n; i++) {
        char *name = oto_strndup(groups[i].name, groups[i].length);
        if (!name)
            return oto_fail_memory(err, "group");
        fputs(i > 0 ? ",{\"name\":" : "{\"name\":", out);
        oto_json_text(out, name);
        oto_free(name);
        fputs(",", out);
        write_json_sums(out, &groups[i].sums);
        fputs("}", out);
    }
    fputs("]", out);
    return OTO_OK;
}

oto_status oto_eval_write_json(FILE *out, const struct oto_eval *e, oto_error *err)
{
    struct sums all = sum_all(e);
    struct group *groups = NULL;
    struct interval interval;
    size_t n_groups;
    bool has_interval = e->n_resamples > 0 && all.n_utterances > all.n_failed;
    oto_status status = make_groups(&groups, &n_groups, e, err);
    if (status == OTO_OK && has_interval)
        status = bootstrap(&interval, e, err);
    if (status != OTO_OK)
        goto out;
    fputs("{\"v\":1,\"model\":", out);
    oto_json_text(out, e->model);
    fputs(",\"model_path\":", out);
    oto_json_text(out, e->model_path);
    fputs(",\"manifest\":", out);
    oto_json_text(out, e->manifests);
    fprintf(out, ",\"beam\":%d,\"latency_ms\":%d,\"jobs\":%d,\"bad_lines\":%zu,", e->beam,
            e->latency_ms, e->jobs, e->n_bad_lines);
    write_json_sums(out, &all);
    if (has_interval) {
        write_number(out, "wer_low", interval.low);
        write_number(out, "wer_high", interval.high);
    }
    double error;
    size_t n_words;
    status = oto_eval_confidence_error(&error, &n_words, e, err);
    if (status != OTO_OK)
        goto out;
    if (n_words > 0)
        write_number(out, "calibration_error", error);
    if (e->has_calibration)
        write_number(out, "calibration_error_fitted", e->calibrated_error);
    write_number(out, "seconds", e->passed_s);
    write_number(out, "real_time_factor", all.seconds > 0.0 ? e->passed_s / all.seconds : 0.0);
    if (e->by != OTO_EVAL_BY_NONE) {
        fputs(",\"by\":", out);
        oto_json_text(out, by_titles[e->by]);
        status = write_json_groups(out, groups, n_groups, err);
    }
    if (status == OTO_OK && e->n_confusions > 0)
        status = oto_eval_write_json_confusions(out, e, err);
    fputs("}\n", out);
out:
    oto_free(groups);
    return status;
}
