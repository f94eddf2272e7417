/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Mozilla Common Voice: a TSV file with the columns client_id, path and sentence among others, no
 * quoting, and the audio in clips/ beside it. Given as the file, or as the folder, where
 * validated.tsv is taken, else train.tsv. Lengths come from clip_durations.tsv where it is there.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "training/corpus_format.h"

enum { MAX_FIELDS = 64 };
enum column { COLUMN_CLIENT, COLUMN_PATH, COLUMN_SENTENCE, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {"client_id", "path", "sentence"};

struct header {
    int field_of[N_COLUMNS]; /* -1: the file has no such column */
    int n_fields;
};

struct duration {
    char *clip; /* owned */
    double seconds;
};

struct durations { /* sorted by clip */
    struct duration *items;
    size_t n, capacity;
};

static bool parse_header(struct header *h, char *line)
{
    char *fields[MAX_FIELDS];
    h->n_fields = oto_split(line, '\t', fields, MAX_FIELDS);
    for (int c = 0; c < N_COLUMNS; c++) {
        h->field_of[c] = -1;
        for (int f = 0; f < h->n_fields; f++)
            if (strcmp(fields[f], column_names[c]) == 0)
                h->field_of[c] = f;
    }
    return h->field_of[COLUMN_CLIENT] >= 0 && h->field_of[COLUMN_PATH] >= 0 &&
           h->field_of[COLUMN_SENTENCE] >= 0;
}

static const char *main_file(const struct oto_corpus_source *source)
{
    return oto_source_has(source, "validated.tsv") ? "validated.tsv" : "train.tsv";
}

static bool probe(struct oto_corpus_source *source)
{
    struct stat st;
    struct header h = {.n_fields = 0};
    if (source->is_folder) {
        char *clips = oto_join(source->path, "clips");
        bool found = clips && stat(clips, &st) == 0 && S_ISDIR(st.st_mode) &&
                     oto_source_has(source, main_file(source));
        oto_free(clips);
        return found;
    }
    char *line = oto_source_first_line(source);
    bool found = line && parse_header(&h, line);
    oto_free(line);
    return found;
}

/* ---- lengths --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct duration *)a)->clip, ((const struct duration *)b)->clip);
}

static oto_status add_duration(struct durations *d, const char *clip, double seconds,
                               oto_error *err)
{
    if (d->n == d->capacity) {
        size_t capacity = d->capacity ? 2 * d->capacity : 256;
        struct duration *items = oto_realloc(d->items, d->capacity, capacity, sizeof *items);
        if (!items)
            return oto_fail_memory(err, "lengths of clips");
        d->items = items;
        d->capacity = capacity;
    }
    d->items[d->n].clip = oto_strdup(clip);
    d->items[d->n].seconds = seconds;
    return d->items[d->n++].clip ? OTO_OK : oto_fail_memory(err, "lengths of clips");
}

/* "CLIP tab MILLISECONDS" behind a header. */
static oto_status read_durations(struct durations *d, struct oto_corpus_reader *r,
                                 const char *folder, oto_error *err)
{
    struct stat st;
    struct oto_corpus_lines lines = {0};
    char *path = oto_join(folder, "clip_durations.tsv"), *fields[2];
    oto_status status = path ? OTO_OK : oto_fail_memory(err, folder);
    if (!path || stat(path, &st) != 0) {
        oto_free(path);
        return status;
    }
    status = oto_corpus_lines_open(&lines, r, path, err);
    while (status == OTO_OK && oto_corpus_lines_next(&lines)) {
        double ms;
        if (oto_split(lines.text, '\t', fields, 2) == 2 && oto_parse_seconds(fields[1], &ms))
            status = add_duration(d, fields[0], ms / 1000, err);
        else if (lines.at.line > 1)
            oto_corpus_remark(r, lines.at, OTO_FAULT_NUMBER,
                              "no clip with its milliseconds; expected both with a tab between; "
                              "correct it");
    }
    status = oto_corpus_lines_close(&lines, status, err);
    if (status == OTO_OK && d->n > 0)
        qsort(d->items, d->n, sizeof *d->items, compare);
    oto_free(path);
    return status;
}

static double find_duration(const struct durations *d, char *clip)
{
    const struct duration key = {clip, 0};
    const struct duration *at =
        d->n > 0 ? bsearch(&key, d->items, d->n, sizeof key, compare) : NULL;
    return at ? at->seconds : 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static oto_status read_line(struct oto_corpus_reader *r, const struct header *h,
                            const struct oto_corpus_lines *lines, const char *clips,
                            const struct durations *durations, oto_error *err)
{
    char *fields[MAX_FIELDS];
    int n = oto_split(lines->text, '\t', fields, MAX_FIELDS);
    if (n != h->n_fields) {
        oto_corpus_bad_line(r, lines->at, OTO_FAULT_FIELDS,
                            "found %d fields, expected %d as in the header; put one tab between "
                            "fields, also around empty ones",
                            n, h->n_fields);
        return OTO_OK;
    }
    char *path = fields[h->field_of[COLUMN_PATH]];
    const struct oto_corpus_entry entry = {.at = lines->at,
                                           .path = path,
                                           .folder = clips,
                                           .speaker = fields[h->field_of[COLUMN_CLIENT]],
                                           .text = fields[h->field_of[COLUMN_SENTENCE]],
                                           .seconds = find_duration(durations, path)};
    return oto_corpus_add(r, &entry, err);
}

static oto_status read_file(struct oto_corpus_reader *r, const char *file, const char *folder,
                            oto_error *err)
{
    struct header h = {.n_fields = 0};
    struct oto_corpus_lines lines = {0};
    struct durations durations = {0};
    char *clips = oto_join(folder, "clips");
    oto_status status =
        clips ? read_durations(&durations, r, folder, err) : oto_fail_memory(err, folder);
    if (status == OTO_OK)
        status = oto_corpus_lines_open(&lines, r, file, err);
    if (status == OTO_OK &&
        (!oto_corpus_lines_next(&lines) || lines.at.line != 1 || !parse_header(&h, lines.text)))
        status = oto_fail(err, OTO_ERR_FORMAT,
                          "%s:1: not a Common Voice manifest: expected a header with client_id, "
                          "path and sentence, tabs between",
                          file);
    while (status == OTO_OK && oto_corpus_lines_next(&lines))
        status = read_line(r, &h, &lines, clips, &durations, err);
    status = oto_corpus_lines_close(&lines, status, err);
    for (size_t i = 0; i < durations.n; i++)
        oto_free(durations.items[i].clip);
    oto_free(durations.items);
    oto_free(clips);
    return status;
}

static oto_status read_commonvoice(struct oto_corpus_reader *r, struct oto_corpus_source *source,
                                   oto_error *err)
{
    const char *slash = strrchr(source->path, '/');
    char *folder = source->is_folder ? oto_strdup(source->path)
                   : slash           ? oto_strndup(source->path, (size_t)(slash - source->path) + 1)
                                     : oto_strdup(".");
    char *file =
        source->is_folder ? oto_join(source->path, main_file(source)) : oto_strdup(source->path);
    oto_status status =
        file && folder ? read_file(r, file, folder, err) : oto_fail_memory(err, source->path);
    oto_free(file);
    oto_free(folder);
    return status;
}

const struct oto_corpus_format oto_corpus_format_commonvoice = {
    .name = "commonvoice", .probe = probe, .read = read_commonvoice};
