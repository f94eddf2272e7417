/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Comma-separated values as DeepSpeech and Coqui use them: a header with wav_filename and
 * transcript; wav_filesize, and our own id, speaker and seconds, optional. The only file that sees
 * libcsv.
 */
#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "training/corpus_format.h"

enum { MAX_FIELDS = 64 };
enum column {
    COLUMN_FILE,
    COLUMN_SIZE,
    COLUMN_TEXT,
    COLUMN_ID,
    COLUMN_SPEAKER,
    COLUMN_SECONDS,
    N_COLUMNS
};
static const char *const column_names[N_COLUMNS] = {"wav_filename", "wav_filesize", "transcript",
                                                    "id",           "speaker",      "seconds"};

struct csv_state {
    struct oto_corpus_reader *reader;
    struct oto_corpus_place line, row; /* being parsed; where the row began */
    struct oto_writer text;            /* fields of the row, each ended by NUL */
    size_t fields[MAX_FIELDS];         /* where they begin in it */
    int n_fields;                      /* may be beyond MAX_FIELDS */
    int field_of[N_COLUMNS];
    int n_columns; /* 0 before the header */
    oto_status status;
    oto_error *err;
};

static const char *field(const struct csv_state *s, enum column c)
{
    int f = s->field_of[c];
    return f < 0 ? NULL : (const char *)s->text.data + s->fields[f];
}

static void take_field(void *data, size_t n, void *arg)
{
    struct csv_state *s = arg;
    if (s->n_fields == 0)
        s->row = s->line;
    if (s->n_fields < MAX_FIELDS) {
        s->fields[s->n_fields] = s->text.size;
        oto_write_bytes(&s->text, data, n);
        oto_write_u8(&s->text, 0);
    }
    s->n_fields++;
}

static void take_header(struct csv_state *s)
{
    const char *path = oto_corpus_reader_file(s->reader, s->line.file);
    s->n_columns = s->n_fields;
    for (int c = 0; c < N_COLUMNS; c++) {
        s->field_of[c] = -1;
        for (int f = 0; f < s->n_fields && f < MAX_FIELDS; f++)
            if (strcmp((const char *)s->text.data + s->fields[f], column_names[c]) == 0)
                s->field_of[c] = f;
    }
    if (s->field_of[COLUMN_FILE] < 0 || s->field_of[COLUMN_TEXT] < 0)
        s->status =
            oto_fail(s->err, OTO_ERR_FORMAT,
                     "%s:%d: not a manifest: the header has no column '%s'; expected "
                     "wav_filename,wav_filesize,transcript; add it",
                     path, s->row.line,
                     column_names[s->field_of[COLUMN_FILE] < 0 ? COLUMN_FILE : COLUMN_TEXT]);
}

/* The size is that of the audio file where both are there; DeepSpeech sorts by it. */
static bool size_is_right(struct csv_state *s)
{
    const char *text = field(s, COLUMN_SIZE);
    char *end;
    if (!text || !*text)
        return true;
    unsigned long long claimed = strtoull(text, &end, 10);
    if (*end || text[0] < '0' || text[0] > '9') {
        oto_corpus_bad_line(s->reader, s->row, OTO_FAULT_NUMBER,
                            "'%s' is not a number of bytes in the field 'wav_filesize'; expected "
                            "the size of the audio file; correct it, or leave it empty",
                            text);
        return false;
    }
    const char *manifest = oto_corpus_reader_file(s->reader, s->row.file);
    const char *slash = strrchr(manifest, '/'), *name = field(s, COLUMN_FILE);
    char *folder = oto_strndup(manifest, slash ? (size_t)(slash - manifest) + 1 : 0);
    char *path = !folder || !*folder || *name == '/' ? oto_strdup(name) : oto_join(folder, name);
    struct stat st;
    if (path && stat(path, &st) == 0 && (unsigned long long)st.st_size != claimed)
        oto_corpus_remark(s->reader, s->row, OTO_FAULT_FILE_SIZE,
                          "wav_filesize is %s, but %s has %lld bytes; expected the same; the audio "
                          "has changed since the manifest was made, see that it is the right one",
                          text, path, (long long)st.st_size);
    oto_free(path);
    oto_free(folder);
    return true;
}

static void take_line(struct csv_state *s)
{
    double seconds = 0;
    const char *number = field(s, COLUMN_SECONDS), *speaker = field(s, COLUMN_SPEAKER);
    const char *id = field(s, COLUMN_ID);
    if (number && *number && !oto_parse_seconds(number, &seconds)) {
        oto_corpus_bad_line(s->reader, s->row, OTO_FAULT_NUMBER,
                            "'%s' is not a number of seconds in the field 'seconds'; expected one "
                            "such as 2.75; write it, or leave it empty",
                            number);
        return;
    }
    if (!size_is_right(s))
        return;
    const struct oto_corpus_entry entry = {
        .at = s->row,
        .id = id && *id ? id : NULL,
        .path = field(s, COLUMN_FILE),
        .speaker = speaker ? speaker : "",
        .text = field(s, COLUMN_TEXT),
        .seconds = seconds,
    };
    s->status = oto_corpus_add(s->reader, &entry, s->err);
}

static void check_row(struct csv_state *s)
{
    ptrdiff_t bad = -1;
    if (memchr(s->text.data, 0, s->text.size) && s->n_fields <= MAX_FIELDS) {
        size_t n_nul = 0;
        for (size_t i = 0; i < s->text.size; i++)
            n_nul += s->text.data[i] == 0;
        if (n_nul != (size_t)s->n_fields) {
            oto_corpus_bad_line(s->reader, s->row, OTO_FAULT_NUL,
                                "a NUL byte; expected text in UTF-8; remove it, or save the file "
                                "as UTF-8");
            return;
        }
    }
    if (s->n_columns == 0) {
        take_header(s);
        return;
    }
    if (s->n_fields != s->n_columns) {
        oto_corpus_bad_line(s->reader, s->row, OTO_FAULT_FIELDS,
                            "found %d fields, expected %d as in the header; put a comma between "
                            "fields, and a field with a comma inside in double quotes",
                            s->n_fields, s->n_columns);
        return;
    }
    for (int f = 0; f < s->n_fields && f < MAX_FIELDS && bad < 0; f++)
        bad = oto_utf8_invalid_at((const char *)s->text.data + s->fields[f]);
    if (bad >= 0)
        oto_corpus_bad_line(s->reader, s->row, OTO_FAULT_ENCODING,
                            "invalid UTF-8 at byte %td of a field; expected UTF-8; convert the "
                            "file (iconv -f LATIN1 -t UTF-8, or what it is in)",
                            bad + 1);
    else
        take_line(s);
}

static void take_row(int end, void *arg)
{
    struct csv_state *s = arg;
    (void)end;
    if (s->text.failed && s->status == OTO_OK)
        s->status = oto_fail_memory(s->err, "a line of a manifest");
    if (s->status == OTO_OK && s->n_fields > 0)
        check_row(s);
    s->text.size = 0;
    s->n_fields = 0;
}

static void report_quotes(struct csv_state *s, bool open)
{
    oto_corpus_bad_line(
        s->reader, s->n_fields > 0 ? s->row : s->line, OTO_FAULT_QUOTES,
        open ? "a double quote is opened and never closed; expected one at the end of the field; "
               "close it, and write quotes inside of a field twice"
             : "a double quote inside a field; expected quotes around all of the field, and "
               "those inside written twice; correct it");
    s->text.size = 0;
    s->n_fields = 0;
}

static bool init_parser(struct csv_parser *parser)
{
    return csv_init(parser, CSV_STRICT | CSV_STRICT_FINI) == 0;
}

/* Line by line, so that a row knows where it began, and a bad line ends with itself. */
static oto_status parse(struct csv_state *s, const char *p, const char *end)
{
    struct csv_parser parser;
    struct oto_corpus_place quoted = s->line; /* where the row that is not yet closed began */
    if (!init_parser(&parser))
        return oto_fail_memory(s->err, "libcsv");
    bool in_row = false;
    while (p < end && s->status == OTO_OK) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((newline ? newline + 1 : end) - p);
        s->line.line++;
        if (!in_row)
            quoted = s->line;
        bool good = csv_parse(&parser, p, n, take_field, take_row, s) == n;
        p += n;
        in_row = good && newline && parser.pstate != 0;
        if (!good && csv_error(&parser) != CSV_EPARSE)
            s->status = oto_fail_memory(s->err, "a line of a manifest");
        if (good)
            continue;
        report_quotes(s, false);
        csv_free(&parser);
        if (!init_parser(&parser))
            return oto_fail_memory(s->err, "libcsv");
    }
    if (s->status == OTO_OK && csv_fini(&parser, take_field, take_row, s) != 0) {
        s->line = quoted;
        s->n_fields = 0;
        report_quotes(s, true);
    }
    csv_free(&parser);
    return s->status;
}

static bool probe(struct oto_corpus_source *source)
{
    char *line = source->is_folder ? NULL : oto_source_first_line(source);
    bool found = line && strstr(line, "wav_filename") && strstr(line, "transcript") &&
                 strchr(line, ',') && !strchr(line, '\t') && line[0] != '{';
    oto_free(line);
    return found;
}

static oto_status read_csv(struct oto_corpus_reader *reader, struct oto_corpus_source *source,
                           oto_error *err)
{
    struct csv_state s = {.reader = reader, .err = err};
    struct oto_map map = {0};
    s.line.file = oto_corpus_add_file(reader, source->path);
    if (s.line.file < 0)
        return oto_fail_memory(err, source->path);
    oto_status status = oto_map_open(&map, source->path, err);
    if (status != OTO_OK)
        return status;
    const char *p = (const char *)map.data, *end = p + map.size;
    if (map.size >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        p += 3;
    status = parse(&s, p, end);
    if (status == OTO_OK && s.n_columns == 0)
        status = oto_fail(err, OTO_ERR_FORMAT,
                          "%s:1: not a manifest: no header; expected "
                          "wav_filename,wav_filesize,transcript",
                          source->path);
    oto_writer_clear(&s.text);
    oto_map_close(&map);
    return status;
}

/* In quotes only where that is needed. */
static void write_field(struct oto_writer *w, const char *text)
{
    size_t n = strlen(text), quoted = csv_write(NULL, 0, text, n);
    bool bare = !strpbrk(text, ",\"\r\n") && text[0] != ' ' && (n == 0 || text[n - 1] != ' ');
    char *out = bare ? NULL : oto_calloc(quoted + 1, 1);
    if (bare) {
        oto_write_text(w, text);
    } else if (out) {
        csv_write(out, quoted, text, n);
        oto_write_bytes(w, out, quoted);
    } else {
        w->failed = true;
    }
    oto_free(out);
}

static oto_status write_csv(const struct oto_corpus_target *t, oto_error *err)
{
    struct oto_writer w = {0};
    oto_write_text(&w, "wav_filename,wav_filesize,transcript,id,speaker,seconds\n");
    for (size_t i = 0; i < t->n; i++) {
        const struct oto_utterance *u = oto_target_utterance(t, i);
        struct stat st;
        if (u->start_s > 0 || u->length_s > 0) {
            oto_writer_clear(&w);
            return oto_fail(err, OTO_ERR_DATA,
                            "%s:%d: %s is a part of a longer recording, and csv has no place for "
                            "that; write tsv, jsonl or kaldi",
                            oto_corpus_file(t->corpus, u), u->line, u->id);
        }
        char *path = oto_target_path(t, u->path);
        if (!path)
            w.failed = true;
        write_field(&w, path ? path : "");
        oto_write_u8(&w, ',');
        char size[32] = "";
        if (stat(u->path, &st) == 0)
            snprintf(size, sizeof size, "%lld", (long long)st.st_size);
        oto_write_text(&w, size);
        oto_write_u8(&w, ',');
        write_field(&w, u->text);
        oto_write_u8(&w, ',');
        write_field(&w, u->id);
        oto_write_u8(&w, ',');
        write_field(&w, u->speaker);
        oto_write_u8(&w, ',');
        if (u->seconds > 0)
            oto_write_number(&w, u->seconds);
        oto_write_u8(&w, '\n');
        oto_free(path);
    }
    return oto_write_save(&w, t->path, err);
}

const struct oto_corpus_format oto_corpus_format_csv = {
    .name = "csv", .probe = probe, .read = read_csv, .write = write_csv};
