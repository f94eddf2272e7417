/* SPDX-License-Identifier: BSD-2-Clause */
/** Manifests as tab-separated values: a header line names the columns (id, path, text; seconds and
 * speaker optional). */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "training/corpus.h"

enum { MAX_FIELDS = 64 };
enum column { COLUMN_ID, COLUMN_PATH, COLUMN_SECONDS, COLUMN_SPEAKER, COLUMN_TEXT, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {"id", "path", "seconds", "speaker", "text"};

struct header {
    int field_of[N_COLUMNS]; /* -1: the file has no such column */
    int n_fields;
};

/* Cuts a line at its tabs, in place. Gives the number of fields, MAX_FIELDS at most. */
static int split(char *line, char **fields)
{
    int n = 0;
    for (;;) {
        fields[n++] = line;
        char *tab = strchr(line, '\t');
        if (!tab || n == MAX_FIELDS)
            return n;
        *tab = '\0';
        line = tab + 1;
    }
}

/* Next line without its end (LF or CRLF); *p moves behind it. */
static size_t next_line(const char **p, const char *end, const char **line)
{
    const char *start = *p, *newline = memchr(start, '\n', (size_t)(end - start));
    size_t n = (size_t)((newline ? newline : end) - start);
    *p = newline ? newline + 1 : end;
    *line = start;
    return n > 0 && start[n - 1] == '\r' ? n - 1 : n;
}

static const char *skip_bom(const char *data, size_t size)
{
    return size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0 ? data + 3 : data;
}

static void parse_header(struct header *h, char *line)
{
    char *fields[MAX_FIELDS];
    h->n_fields = split(line, fields);
    for (int c = 0; c < N_COLUMNS; c++) {
        h->field_of[c] = -1;
        for (int f = 0; f < h->n_fields; f++)
            if (strcmp(fields[f], column_names[c]) == 0)
                h->field_of[c] = f;
    }
}

static bool header_is_complete(const struct header *h)
{
    return h->field_of[COLUMN_ID] >= 0 && h->field_of[COLUMN_PATH] >= 0 &&
           h->field_of[COLUMN_TEXT] >= 0;
}

static bool probe(const char *path, const char *head, size_t n)
{
    (void)path;
    const char *p = skip_bom(head, n), *line;
    size_t length = next_line(&p, head + n, &line);
    char *copy = oto_strndup(line, length);
    if (!copy)
        return false;
    struct header h;
    parse_header(&h, copy);
    oto_free(copy);
    return header_is_complete(&h);
}

/* Seconds as a plain decimal number; false for anything else. */
static bool parse_seconds(const char *text, double *seconds)
{
    char *end;
    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return false;
    errno = 0;
    *seconds = strtod(text, &end);
    return *end == '\0' && errno == 0 && isfinite(*seconds) && *seconds >= 0 && *seconds < 1e7;
}

static oto_status read_line(struct oto_corpus_reader *reader, const struct header *h, int number,
                            char *line, oto_error *err)
{
    char *fields[MAX_FIELDS];
    int n = split(line, fields);
    if (n < h->n_fields) {
        int missing = n;
        for (int c = N_COLUMNS - 1; c >= 0; c--)
            if (h->field_of[c] >= n)
                missing = c;
        oto_corpus_bad_line(reader, number,
                            "found %d fields, expected %d: the field '%s' is missing", n,
                            h->n_fields, missing < N_COLUMNS ? column_names[missing] : "?");
        return OTO_OK;
    }
    if (n > h->n_fields) {
        oto_corpus_bad_line(reader, number, "found %d fields, expected %d as in the header", n,
                            h->n_fields);
        return OTO_OK;
    }
    double seconds = 0;
    int f = h->field_of[COLUMN_SECONDS];
    if (f >= 0 && !parse_seconds(fields[f], &seconds)) {
        oto_corpus_bad_line(reader, number, "'%s' is not a number of seconds", fields[f]);
        return OTO_OK;
    }
    f = h->field_of[COLUMN_SPEAKER];
    return oto_corpus_add(reader, number, fields[h->field_of[COLUMN_ID]],
                          fields[h->field_of[COLUMN_PATH]], seconds, f >= 0 ? fields[f] : "",
                          fields[h->field_of[COLUMN_TEXT]], err);
}

static oto_status read_tsv(struct oto_corpus_reader *reader, const char *path, const char *data,
                           size_t size, oto_error *err)
{
    struct header h = {0};
    const char *p = skip_bom(data, size), *end = data + size, *start;
    for (int number = 1; p < end; number++) {
        size_t n = next_line(&p, end, &start);
        if (n == 0)
            continue; /* empty lines carry nothing */
        if (memchr(start, '\0', n)) {
            oto_corpus_bad_line(reader, number, "a NUL byte");
            continue;
        }
        char *line = oto_strndup(start, n);
        if (!line)
            return oto_fail_memory(err, path);
        oto_status status = OTO_OK;
        ptrdiff_t bad = oto_utf8_invalid_at(line);
        if (number == 1)
            parse_header(&h, line);
        else if (bad >= 0)
            oto_corpus_bad_line(reader, number, "invalid UTF-8 at byte %td of the line", bad + 1);
        else
            status = read_line(reader, &h, number, line, err);
        oto_free(line);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

const struct oto_corpus_format oto_corpus_format_tsv = {"tsv", probe, read_tsv};
