/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "training/ctc_loss.h"

/* Removes utterance i's texts; the caller closes the gap. */
static void free_utterance(struct oto_utterance *u)
{
    oto_free(u->id);
    oto_free(u->path);
    oto_free(u->speaker);
    oto_free(u->text);
}

static const char *file_of(const struct oto_dataset *ds, const struct oto_utterance *u)
{
    return oto_corpus_file(ds->corpus, u);
}

static void filter_by_length(struct oto_dataset *ds, double min_seconds, double max_seconds)
{
    struct oto_corpus *c = ds->corpus;
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        double s = c->utts[i].seconds;
        if (s > 0 && (s < min_seconds || (max_seconds > 0 && s > max_seconds))) {
            free_utterance(&c->utts[i]);
            ds->counts.length++;
        } else {
            c->utts[n++] = c->utts[i];
        }
    }
    c->n = n;
}

oto_status oto_dataset_create(struct oto_dataset **out, const char *name, const char *list,
                              const struct oto_corpus_options *options, double min_seconds,
                              double max_seconds, oto_error *err)
{
    *out = NULL;
    struct oto_dataset *ds = oto_calloc(1, sizeof *ds);
    if (!ds)
        return oto_fail_memory(err, name);
    ds->name = name;
    ds->max_messages = options->max_messages;
    oto_status status = oto_corpus_load(&ds->corpus, list, options, err);
    if (status == OTO_OK) {
        ds->counts.bad_lines = ds->corpus->n_bad;
        filter_by_length(ds, min_seconds, max_seconds);
        if (ds->corpus->n == 0)
            status = oto_fail(err, OTO_ERR_DATA,
                              "%s: every utterance is outside --min-seconds=%g --max-seconds=%g",
                              list, min_seconds, max_seconds);
    }
    size_t n = status == OTO_OK ? ds->corpus->n : 0;
    if (status == OTO_OK) {
        ds->labels = oto_calloc(n, sizeof *ds->labels);
        ds->n_labels = oto_calloc(n, sizeof *ds->n_labels);
        ds->repeats = oto_calloc(n, sizeof *ds->repeats);
        if (!ds->labels || !ds->n_labels || !ds->repeats)
            status = oto_fail_memory(err, name);
    }
    if (status != OTO_OK) {
        oto_dataset_destroy(ds);
        return status;
    }
    ds->reduction = 1;
    for (size_t i = 0; i < n; i++)
        ds->repeats[i] = ds->corpus->manifests[ds->corpus->utts[i].manifest].repeat;
    *out = ds;
    return OTO_OK;
}

void oto_dataset_destroy(struct oto_dataset *ds)
{
    if (!ds)
        return;
    oto_feature_cache_close(ds->cache);
    for (size_t i = 0; ds->labels && i < ds->corpus->n; i++)
        oto_free(ds->labels[i]);
    oto_free(ds->labels);
    oto_free(ds->n_labels);
    oto_free(ds->repeats);
    oto_free(ds->n_frames);
    oto_free(ds->min_frames);
    oto_corpus_destroy(ds->corpus);
    oto_free(ds);
}

/* ---- transcripts
 * ------------------------------------------------------------------------------------------------
 */

enum { MAX_UNKNOWN = 256, SHOWN_LINES = 3 };

struct unknown_character {
    int32_t code_point;
    size_t count, n_lines;
    size_t utts[SHOWN_LINES];
};

struct unknown_list {
    struct unknown_character characters[MAX_UNKNOWN];
    int n;
    size_t n_other; /* kinds beyond MAX_UNKNOWN are counted together */
    size_t utt;     /* being encoded */
};

static void note_unknown(void *arg, int32_t code_point)
{
    struct unknown_list *list = arg;
    int k = 0;
    while (k < list->n && list->characters[k].code_point != code_point)
        k++;
    if (k == MAX_UNKNOWN) {
        list->n_other++;
        return;
    }
    struct unknown_character *c = &list->characters[k];
    if (k == list->n) {
        list->n++;
        c->code_point = code_point;
    }
    c->count++;
    if (c->n_lines < SHOWN_LINES && (c->n_lines == 0 || c->utts[c->n_lines - 1] != list->utt))
        c->utts[c->n_lines++] = list->utt;
}

static void report_unknown(const struct oto_dataset *ds, const struct unknown_list *list,
                           int policy)
{
    oto_log_level level = policy == OTO_UNKNOWN_ERROR ? OTO_LOG_ERROR : OTO_LOG_WARNING;
    for (int k = 0; k < list->n; k++) {
        const struct unknown_character *c = &list->characters[k];
        char lines[500] = "", text[8] = "";
        size_t used = 0;
        for (size_t i = 0; i < c->n_lines && used < sizeof lines; i++) {
            const struct oto_utterance *u = &ds->corpus->utts[c->utts[i]];
            int n = snprintf(lines + used, sizeof lines - used, "%s%s:%d", i ? ", " : "",
                             file_of(ds, u), u->line);
            used += n > 0 ? (size_t)n : 0;
        }
        if (c->code_point >= 0x20 && c->code_point != 0x7F)
            oto_utf8_encode(c->code_point, text);
        oto_log(level, "%s: character U+%04X '%s' is not in the alphabet: %zu times, first at %s",
                ds->name, (unsigned)c->code_point, text, c->count, lines);
    }
    if (list->n_other)
        oto_log(level, "%s: %zu more characters are not in the alphabet", ds->name, list->n_other);
}

static void drop_labels(struct oto_dataset *ds, size_t i, size_t *counter)
{
    oto_free(ds->labels[i]);
    ds->labels[i] = NULL;
    ds->n_labels[i] = 0;
    (*counter)++;
}

oto_status oto_dataset_encode(struct oto_dataset *ds, const struct oto_alphabet *alphabet,
                              int policy, oto_error *err)
{
    struct unknown_list *list = oto_calloc(1, sizeof *list);
    if (!list)
        return oto_fail_memory(err, ds->name);
    size_t n_with_unknown = 0;
    oto_status status = OTO_OK;
    for (size_t i = 0; i < ds->corpus->n && status == OTO_OK; i++) {
        int n_unknown = 0;
        list->utt = i;
        status = oto_alphabet_encode(alphabet, ds->corpus->utts[i].text, &ds->labels[i],
                                     &ds->n_labels[i], &n_unknown, note_unknown, list, err);
        n_with_unknown += n_unknown > 0;
        if (status != OTO_OK)
            break;
        if (ds->evaluation)
            continue;
        if (n_unknown > 0 && policy == OTO_UNKNOWN_SKIP)
            drop_labels(ds, i, &ds->counts.unknown);
        else if (ds->n_labels[i] == 0)
            drop_labels(ds, i, &ds->counts.empty);
    }
    report_unknown(ds, list, policy);
    oto_free(list);
    if (status == OTO_OK && n_with_unknown > 0 && policy == OTO_UNKNOWN_ERROR)
        status = oto_fail(err, OTO_ERR_DATA,
                          "%s: %zu transcript%s hold characters outside the alphabet; leave out "
                          "the utterances with "
                          "--unknown=skip or the characters with --unknown=drop",
                          ds->name, n_with_unknown, n_with_unknown == 1 ? "" : "s");
    return status;
}

/* ---- features
 * ---------------------------------------------------------------------------------------------------
 */

/* "FILE:LINE" of every utterance in one block of fixed width; audio messages refer to it. */
enum { WHERE_WIDTH = 240 };

static oto_status open_cache(struct oto_dataset *ds, const char *folder,
                             const struct oto_feature_cache_options *options, struct oto_pool *pool,
                             oto_error *err)
{
    size_t n = ds->corpus->n;
    struct oto_feature_item *items = oto_calloc(n, sizeof *items);
    char(*where)[WHERE_WIDTH] = oto_calloc(n, sizeof *where);
    oto_status status = items && where ? OTO_OK : oto_fail_memory(err, ds->name);
    for (size_t i = 0; i < n && status == OTO_OK; i++) {
        const struct oto_utterance *u = &ds->corpus->utts[i];
        snprintf(where[i], sizeof where[i], "%s:%d", file_of(ds, u), u->line);
        items[i] = (struct oto_feature_item){u->id, u->path, where[i], u->start_s, u->length_s};
    }
    if (status == OTO_OK)
        status = oto_feature_cache_open(&ds->cache, folder, items, n, options, pool, NULL, err);
    oto_free(where);
    oto_free(items);
    return status;
}

/* Fills n_frames of one utterance; true when a variant leaves enough frames for its labels. */
static bool measure(struct oto_dataset *ds, const struct oto_frontend *fe, size_t i,
                    size_t *longest)
{
    int needed = oto_ctc_min_frames(ds->labels[i], ds->n_labels[i]);
    if (needed > 1) /* the last frame of the output may be made of one alone */
        needed = needed > INT32_MAX / ds->reduction ? INT32_MAX : (needed - 1) * ds->reduction + 1;
    ds->min_frames[i] = needed;
    bool usable = false;
    *longest = 0;
    for (int s = 0; s < ds->n_variants; s++) {
        size_t n_static = oto_feature_cache_n_static(ds->cache, i, s);
        size_t n = n_static ? oto_frontend_n_frames(fe, n_static) : 0;
        *longest = n > *longest ? n : *longest;
        if (n == 0 || n > INT32_MAX / 4 || (n < (size_t)needed && !ds->evaluation))
            continue;
        ds->n_frames[i * (size_t)ds->n_variants + (size_t)s] = (int)n;
        usable = true;
    }
    return usable;
}

static void find_usable(struct oto_dataset *ds, const struct oto_frontend *fe)
{
    for (size_t i = 0; i < ds->corpus->n; i++) {
        const struct oto_utterance *u = &ds->corpus->utts[i];
        size_t longest;
        if (!ds->labels[i])
            continue; /* left out before */
        if (measure(ds, fe, i, &longest)) {
            ds->n_used++;
            continue;
        }
        if (longest == 0) {
            ds->counts.audio++;
            oto_log(OTO_LOG_WARNING, "%s:%d: %s has no usable audio and is left out",
                    file_of(ds, u), u->line, u->id);
        } else if (ds->counts.too_short++ < (size_t)ds->max_messages) {
            oto_log(OTO_LOG_WARNING,
                    "%s:%d: %s is too short and is left out: %zu frames for %d labels, %d needed",
                    file_of(ds, u), u->line, u->id, longest, ds->n_labels[i], ds->min_frames[i]);
        }
    }
}

/* Hours at the speed nearest to 1, brought back to speed 1. */
static double count_hours(const struct oto_dataset *ds, const struct oto_frontend *fe,
                          const double *speeds, int n_speeds)
{
    int nearest = 0;
    double frames = 0;
    for (int s = 1; s < n_speeds; s++)
        if ((speeds[s] - 1) * (speeds[s] - 1) < (speeds[nearest] - 1) * (speeds[nearest] - 1))
            nearest = s;
    for (size_t i = 0; i < ds->corpus->n; i++)
        frames += ds->n_frames[i * (size_t)ds->n_variants + (size_t)nearest];
    return frames * oto_frontend_shift_s(fe) * speeds[nearest] / 3600;
}

oto_status oto_dataset_features(struct oto_dataset *ds, const char *folder,
                                const struct oto_feature_cache_options *options,
                                struct oto_pool *pool, oto_error *err)
{
    oto_status status = open_cache(ds, folder, options, pool, err);
    if (status != OTO_OK)
        return status;
    struct oto_frontend_options frontend = *options->frontend;
    frontend.cmvn = OTO_CMVN_NONE; /* the number of frames does not depend on it, and its statistics
                                      come later */
    struct oto_frontend *fe;
    status = oto_frontend_create(&fe, &frontend, NULL, OTO_FFT_AUTO, err);
    if (status != OTO_OK)
        return status;
    ds->n_variants = oto_feature_n_variants(options);
    ds->n_frames = oto_calloc(ds->corpus->n * (size_t)ds->n_variants, sizeof *ds->n_frames);
    ds->min_frames = oto_calloc(ds->corpus->n, sizeof *ds->min_frames);
    if (!ds->n_frames || !ds->min_frames) {
        status = oto_fail_memory(err, ds->name);
    } else {
        find_usable(ds, fe);
        ds->used_hours = count_hours(ds, fe, options->speeds, options->n_speeds);
        if (ds->counts.too_short > (size_t)ds->max_messages)
            oto_log(OTO_LOG_WARNING, "%s: %zu more are too short", ds->name,
                    ds->counts.too_short - (size_t)ds->max_messages);
        if (ds->n_used == 0)
            status = oto_fail(err, OTO_ERR_DATA, "%s: no usable utterance is left", ds->name);
    }
    oto_frontend_destroy(fe);
    return status;
}
