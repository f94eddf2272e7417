/* SPDX-License-Identifier: BSD-2-Clause */
/** Tab-separated values: a header line names the columns (id, path, text; seconds, start and
 * speaker optional). No quoting. */
#include <string.h>

#include "base/mem.h"
#include "training/corpus_format.h"

enum { MAX_FIELDS = 64 };
enum column {
    COLUMN_ID,
    COLUMN_PATH,
    COLUMN_SECONDS,
    COLUMN_START,
    COLUMN_SPEAKER,
    COLUMN_TEXT,
    N_COLUMNS
};
static const char *const column_names[N_COLUMNS] = {"id",    "path",    "seconds",
                                                    "start", "speaker", "text"};

struct header {
    int field_of[N_COLUMNS]; /* -1: the file has no such column */
    int n_fields;
    int twice; /* a column that is named twice, or -1 */
};

static void parse_header(struct header *h, char *line)
{
    char *fields[MAX_FIELDS];
    h->n_fields = oto_split(line, '\t', fields, MAX_FIELDS);
    h->twice = -1;
    for (int c = 0; c < N_COLUMNS; c++) {
        h->field_of[c] = -1;
        for (int f = 0; f < h->n_fields; f++) {
            if (strcmp(fields[f], column_names[c]) != 0)
                continue;
            if (h->field_of[c] >= 0)
                h->twice = c;
            h->field_of[c] = f;
        }
    }
}

static bool header_is_complete(const struct header *h)
{
    return h->field_of[COLUMN_ID] >= 0 && h->field_of[COLUMN_PATH] >= 0 &&
           h->field_of[COLUMN_TEXT] >= 0;
}

static bool probe(struct oto_corpus_source *source)
{
    struct header h = {.n_fields = 0};
    char *line = source->is_folder ? NULL : oto_source_first_line(source);
    if (line)
        parse_header(&h, line);
    oto_free(line);
    return h.n_fields > 0 && header_is_complete(&h);
}

static bool count_is_right(struct oto_corpus_reader *reader, const struct header *h,
                           struct oto_corpus_place at, int n)
{
    if (n == h->n_fields)
        return true;
    int missing = N_COLUMNS;
    for (int c = 0; c < N_COLUMNS; c++)
        if (h->field_of[c] >= n && (missing == N_COLUMNS || h->field_of[c] < h->field_of[missing]))
            missing = c;
    if (missing < N_COLUMNS)
        oto_corpus_bad_line(reader, at, OTO_FAULT_FIELDS,
                            "found %d fields, expected %d as in the header: the field '%s' is "
                            "missing; put one tab between fields, also around empty ones",
                            n, h->n_fields, column_names[missing]);
    else
        oto_corpus_bad_line(reader, at, OTO_FAULT_FIELDS,
                            "found %d fields, expected %d as in the header; put one tab between "
                            "fields and none inside of one",
                            n, h->n_fields);
    return false;
}

/* An optional number; false when it is none. */
static bool read_number(struct oto_corpus_reader *reader, const struct header *h,
                        struct oto_corpus_place at, char **fields, enum column c, double *value)
{
    int f = h->field_of[c];
    *value = 0;
    if (f < 0 || (c == COLUMN_START && !*fields[f]) || oto_parse_seconds(fields[f], value))
        return true;
    oto_corpus_bad_line(reader, at, OTO_FAULT_NUMBER,
                        "'%s' is not a number of seconds in the field '%s'; expected one such as "
                        "2.75; write it, or 0 for unknown",
                        fields[f], column_names[c]);
    return false;
}

static oto_status read_line(struct oto_corpus_reader *reader, const struct header *h,
                            struct oto_corpus_place at, char *line, oto_error *err)
{
    char *fields[MAX_FIELDS];
    double seconds, start;
    int n = oto_split(line, '\t', fields, MAX_FIELDS);
    if (!count_is_right(reader, h, at, n) ||
        !read_number(reader, h, at, fields, COLUMN_SECONDS, &seconds) ||
        !read_number(reader, h, at, fields, COLUMN_START, &start))
        return OTO_OK;
    int speaker = h->field_of[COLUMN_SPEAKER], part = h->field_of[COLUMN_START];
    const struct oto_corpus_entry entry = {
        .at = at,
        .id = fields[h->field_of[COLUMN_ID]],
        .path = fields[h->field_of[COLUMN_PATH]],
        .speaker = speaker >= 0 ? fields[speaker] : "",
        .text = fields[h->field_of[COLUMN_TEXT]],
        .seconds = seconds,
        .start_s = start,
        .length_s = part >= 0 && *fields[part] ? seconds : 0,
    };
    return oto_corpus_add(reader, &entry, err);
}

static oto_status read_header(struct header *h, struct oto_corpus_lines *lines, const char *path,
                              oto_error *err)
{
    if (!oto_corpus_lines_next(lines) || lines->at.line != 1)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s:1: not a manifest: no header; expected the names id, path and text "
                        "with tabs between",
                        path);
    parse_header(h, lines->text);
    if (!header_is_complete(h))
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s:1: not a manifest: the header has no column '%s'; expected id, path "
                        "and text, with tabs between; add it",
                        path,
                        h->field_of[COLUMN_ID] < 0     ? "id"
                        : h->field_of[COLUMN_PATH] < 0 ? "path"
                                                       : "text");
    if (h->twice >= 0)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s:1: the header names the column '%s' twice; expected once; rename one "
                        "of them",
                        path, column_names[h->twice]);
    return OTO_OK;
}

static oto_status read_tsv(struct oto_corpus_reader *reader, struct oto_corpus_source *source,
                           oto_error *err)
{
    struct header h = {.n_fields = 0};
    struct oto_corpus_lines lines;
    oto_status status = oto_corpus_lines_open(&lines, reader, source->path, err);
    if (status == OTO_OK)
        status = read_header(&h, &lines, source->path, err);
    while (status == OTO_OK && oto_corpus_lines_next(&lines))
        status = read_line(reader, &h, lines.at, lines.text, err);
    return oto_corpus_lines_close(&lines, status, err);
}

static oto_status write_tsv(const struct oto_corpus_target *t, oto_error *err)
{
    struct oto_writer w = {0};
    bool parts = false;
    for (size_t i = 0; i < t->n; i++) {
        const struct oto_utterance *u = oto_target_utterance(t, i);
        parts = parts || u->start_s > 0 || u->length_s > 0;
    }
    oto_write_text(&w, parts ? "id\tpath\tstart\tseconds\tspeaker\ttext\n"
                             : "id\tpath\tseconds\tspeaker\ttext\n");
    for (size_t i = 0; i < t->n; i++) {
        const struct oto_utterance *u = oto_target_utterance(t, i);
        bool part = u->start_s > 0 || u->length_s > 0;
        char *path = oto_target_path(t, u->path);
        if (!path)
            w.failed = true;
        oto_write_line_text(&w, u->id);
        oto_write_u8(&w, '\t');
        oto_write_line_text(&w, path ? path : "");
        oto_write_u8(&w, '\t');
        if (part)
            oto_write_number(&w, u->start_s);
        if (parts)
            oto_write_u8(&w, '\t');
        oto_write_number(&w, part ? u->length_s : u->seconds);
        oto_write_u8(&w, '\t');
        oto_write_line_text(&w, u->speaker);
        oto_write_u8(&w, '\t');
        oto_write_line_text(&w, u->text);
        oto_write_u8(&w, '\n');
        oto_free(path);
    }
    return oto_write_save(&w, t->path, err);
}

const struct oto_corpus_format oto_corpus_format_tsv = {
    .name = "tsv", .probe = probe, .read = read_tsv, .write = write_tsv};
