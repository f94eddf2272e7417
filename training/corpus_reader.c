/* SPDX-License-Identifier: BSD-2-Clause */
/** What all format readers hand their findings to: utterances, files, faults, lines. */
#include "training/corpus_reader.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

/* ---- faults ---------------------------------------------------------------------------------- */

static void report(struct oto_corpus_reader *r, struct oto_corpus_place at, enum oto_fault kind,
                   bool bad, const char *format, va_list args)
{
    char text[700], line[16] = "";
    const char *file = oto_corpus_reader_file(r, at.file);
    vsnprintf(text, sizeof text, format, args);
    if (r->options->fault) {
        const struct oto_corpus_fault fault = {kind, file, at.line, r->id ? r->id : "", text};
        r->options->fault(r->options->arg, &fault);
        return;
    }
    size_t n_before = bad ? r->n_shown++ : r->n_remarks++;
    if (n_before >= (size_t)r->options->max_messages)
        return;
    bool skip = r->options->bad_lines == OTO_BAD_LINES_SKIP;
    if (at.line > 0)
        snprintf(line, sizeof line, ":%d", at.line);
    oto_log(skip || !bad ? OTO_LOG_WARNING : OTO_LOG_ERROR, "%s%s: %s%s", file, line, text,
            skip && bad ? " (line left out)" : "");
}

void oto_corpus_bad_line(struct oto_corpus_reader *r, struct oto_corpus_place at,
                         enum oto_fault kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    r->corpus->n_bad++;
    report(r, at, kind, true, format, args);
    va_end(args);
}

size_t oto_corpus_n_bad(const struct oto_corpus_reader *r)
{
    return r->corpus->n_bad;
}

void oto_corpus_remark(struct oto_corpus_reader *r, struct oto_corpus_place at, enum oto_fault kind,
                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(r, at, kind, false, format, args);
    va_end(args);
}

/* ---- files ----------------------------------------------------------------------------------- */

int oto_corpus_add_file(struct oto_corpus_reader *r, const char *path)
{
    struct oto_corpus *c = r->corpus;
    if (c->n_files == r->file_capacity) {
        int capacity = r->file_capacity ? r->file_capacity * 2 : 16;
        char **files =
            oto_realloc(c->files, (size_t)r->file_capacity, (size_t)capacity, sizeof *files);
        if (!files)
            return -1;
        c->files = files;
        r->file_capacity = capacity;
    }
    c->files[c->n_files] = oto_strdup(path);
    return c->files[c->n_files] ? c->n_files++ : -1;
}

const char *oto_corpus_reader_file(const struct oto_corpus_reader *r, int file)
{
    return r->corpus->files[file];
}

/* ---- utterances ------------------------------------------------------------------------------ */

/* Slot of an id: the one that holds it, or the free one where it belongs. */
static size_t find_slot(const struct oto_corpus_reader *r, const char *id)
{
    size_t slot = (size_t)oto_checksum(id, strlen(id)) & (r->n_slots - 1);
    while (r->ids[slot] && strcmp(r->corpus->utts[r->ids[slot] - 1].id, id) != 0)
        slot = (slot + 1) & (r->n_slots - 1);
    return slot;
}

static oto_status reserve(struct oto_corpus_reader *r, oto_error *err)
{
    struct oto_corpus *c = r->corpus;
    if (c->n < r->capacity)
        return OTO_OK;
    size_t capacity = r->capacity ? r->capacity * 2 : 512;
    struct oto_utterance *utts = oto_realloc(c->utts, r->capacity, capacity, sizeof *utts);
    if (!utts)
        return oto_fail_memory(err, "utterances");
    c->utts = utts;
    size_t *ids = oto_calloc(capacity * 4, sizeof *ids);
    if (!ids)
        return oto_fail_memory(err, "utterances");
    oto_free(r->ids);
    r->ids = ids;
    r->n_slots = capacity * 4;
    r->capacity = capacity;
    for (size_t i = 0; i < c->n; i++)
        r->ids[find_slot(r, c->utts[i].id)] = i + 1;
    return OTO_OK;
}

static bool is_blank(const char *text)
{
    size_t n;
    for (int32_t c; (c = oto_utf8_next(text, &n)) != 0; text += n)
        if (!oto_utf8_is_space(c) && c != 0xFEFF)
            return false;
    return true;
}

static char *resolve(const char *file, const char *folder, const char *path)
{
    if (path[0] == '/' || (folder && !*folder))
        return oto_strdup(path);
    if (folder)
        return oto_join(folder, path);
    const char *slash = strrchr(file, '/');
    if (!slash)
        return oto_strdup(path);
    char *here = oto_strndup(file, (size_t)(slash - file));
    char *full = here ? oto_join(*here ? here : "/", path) : NULL;
    oto_free(here);
    return full;
}

/* True when the audio file is there; else the line is reported. */
static bool audio_is_there(struct oto_corpus_reader *r, struct oto_corpus_place at,
                           const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        oto_corpus_bad_line(r, at, OTO_FAULT_MISSING_AUDIO,
                            "audio file %s: %s; expected a recording there; correct the path "
                            "(relative ones start at the manifest) or remove the line",
                            path, strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        oto_corpus_bad_line(r, at, OTO_FAULT_NOT_A_FILE,
                            "audio file %s is not a regular file; expected a recording; correct "
                            "the path or remove the line",
                            path);
        return false;
    }
    return true;
}

void oto_corpus_clear_utterance(struct oto_utterance *u)
{
    oto_free(u->id);
    oto_free(u->path);
    oto_free(u->speaker);
    oto_free(u->text);
    memset(u, 0, sizeof *u);
}

/* The path without its ending; a part of a recording also has its start and end in ms. */
static char *make_id(const struct oto_corpus_entry *e, const char *path)
{
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    ptrdiff_t ending = oto_audio_ending(path);
    size_t n = ending > 0 ? (size_t)ending : strlen(path), capacity = n + 64;
    char *id = oto_calloc(capacity, 1);
    if (id && (e->start_s > 0 || e->length_s > 0))
        snprintf(id, capacity, "%.*s-%07.0f-%07.0f", (int)n, path, 1000 * e->start_s,
                 1000 * (e->start_s + e->length_s));
    else if (id)
        memcpy(id, path, n);
    return id;
}

/* Without an id of its own, the name of the audio does; where another manifest has the same name
 * for another recording, its whole path. */
static oto_status choose_id(struct oto_corpus_reader *r, const struct oto_corpus_entry *e,
                            struct oto_utterance *u, oto_error *err)
{
    u->id = e->id ? oto_strdup(e->id) : make_id(e, e->path);
    if (!e->id && u->id) {
        size_t held = r->ids[find_slot(r, u->id)];
        if (held && strcmp(r->corpus->utts[held - 1].path, u->path) != 0) {
            oto_free(u->id);
            u->id = make_id(e, u->path);
        }
    }
    return u->id ? OTO_OK : oto_fail_memory(err, "utterances");
}

static bool entry_is_good(struct oto_corpus_reader *r, const struct oto_corpus_entry *e)
{
    if (e->id && !*e->id) {
        oto_corpus_bad_line(r, e->at, OTO_FAULT_ID,
                            "the field 'id' is empty; expected a name that no other utterance "
                            "has; give it one");
        return false;
    }
    if (!*e->path) {
        oto_corpus_bad_line(r, e->at, OTO_FAULT_PATH,
                            "the field 'path' is empty; expected the name of an audio file; write "
                            "it, or remove the line");
        return false;
    }
    if (is_blank(e->text)) {
        oto_corpus_bad_line(r, e->at, OTO_FAULT_EMPTY_TEXT,
                            "the text is empty; expected what is said in the recording; write "
                            "it, or remove the line");
        return false;
    }
    return true;
}

/* Checks what a whole utterance can be checked for; true when it may be kept. */
static bool utterance_is_good(struct oto_corpus_reader *r, const struct oto_corpus_entry *e,
                              const struct oto_utterance *u)
{
    size_t held = r->ids[find_slot(r, u->id)];
    if (held) {
        const struct oto_utterance *first = &r->corpus->utts[held - 1];
        oto_corpus_bad_line(r, e->at, OTO_FAULT_DUPLICATE_ID,
                            "the id '%s' was already used at %s:%d; expected one that no other "
                            "utterance has; rename or remove one of them",
                            u->id, oto_corpus_file(r->corpus, first), first->line);
        return false;
    }
    return !r->options->check_audio || audio_is_there(r, e->at, u->path);
}

oto_status oto_corpus_add(struct oto_corpus_reader *r, const struct oto_corpus_entry *e,
                          oto_error *err)
{
    r->id = e->id;
    bool keep = entry_is_good(r, e);
    oto_status status = keep ? reserve(r, err) : OTO_OK;
    if (!keep || status != OTO_OK) {
        r->id = NULL;
        return status;
    }
    struct oto_utterance u = {.seconds = e->seconds,
                              .start_s = e->start_s,
                              .length_s = e->length_s,
                              .manifest = r->manifest,
                              .file = e->at.file,
                              .line = e->at.line};
    u.path = resolve(oto_corpus_reader_file(r, e->at.file), e->folder, e->path);
    u.speaker = oto_strdup(e->speaker);
    u.text = oto_strdup(e->text);
    if (!u.path || !u.speaker || !u.text)
        status = oto_fail_memory(err, "utterances");
    if (status == OTO_OK)
        status = choose_id(r, e, &u, err);
    if (status == OTO_OK) {
        r->id = u.id;
        keep = utterance_is_good(r, e, &u);
    }
    r->id = NULL;
    if (status != OTO_OK || !keep) {
        oto_corpus_clear_utterance(&u);
        return status;
    }
    r->ids[find_slot(r, u.id)] = r->corpus->n + 1;
    r->corpus->utts[r->corpus->n++] = u;
    return OTO_OK;
}

/* ---- lines ----------------------------------------------------------------------------------- */

oto_status oto_corpus_lines_open(struct oto_corpus_lines *l, struct oto_corpus_reader *r,
                                 const char *path, oto_error *err)
{
    memset(l, 0, sizeof *l);
    l->reader = r;
    l->at.file = oto_corpus_add_file(r, path);
    if (l->at.file < 0)
        return oto_fail_memory(err, path);
    oto_status status = oto_map_open(&l->map, path, err);
    if (status != OTO_OK)
        return status;
    l->p = (const char *)l->map.data;
    l->end = l->p + l->map.size;
    if (l->map.size >= 3 && memcmp(l->p, "\xEF\xBB\xBF", 3) == 0)
        l->p += 3;
    return OTO_OK;
}

/* Next line without LF or CRLF, in the map. */
static size_t raw_line(struct oto_corpus_lines *l, const char **start)
{
    const char *newline = memchr(l->p, '\n', (size_t)(l->end - l->p));
    size_t n = (size_t)((newline ? newline : l->end) - l->p);
    *start = l->p;
    l->p = newline ? newline + 1 : l->end;
    l->at.line++;
    return n > 0 && (*start)[n - 1] == '\r' ? n - 1 : n;
}

bool oto_corpus_lines_next(struct oto_corpus_lines *l)
{
    while (l->p < l->end && !l->failed) {
        const char *start;
        size_t n = raw_line(l, &start);
        if (n == 0)
            continue;
        if (memchr(start, '\0', n)) {
            oto_corpus_bad_line(l->reader, l->at, OTO_FAULT_NUL,
                                "a NUL byte at byte %zu of the line; expected text in UTF-8; "
                                "remove it, or save the file as UTF-8",
                                (size_t)((const char *)memchr(start, '\0', n) - start) + 1);
            continue;
        }
        if (n >= l->capacity) {
            size_t capacity = 2 * n + 256;
            oto_free(l->text);
            l->text = oto_calloc(capacity, 1);
            l->capacity = l->text ? capacity : 0;
            l->failed = !l->text;
            if (l->failed)
                break;
        }
        memcpy(l->text, start, n);
        l->text[n] = '\0';
        ptrdiff_t bad = oto_utf8_invalid_at(l->text);
        if (bad < 0)
            return true;
        oto_corpus_bad_line(l->reader, l->at, OTO_FAULT_ENCODING,
                            "invalid UTF-8 at byte %td of the line (0x%02x); expected UTF-8; "
                            "convert the file (iconv -f LATIN1 -t UTF-8, or what it is in)",
                            bad + 1, (unsigned)(unsigned char)l->text[bad]);
    }
    return false;
}

oto_status oto_corpus_lines_close(struct oto_corpus_lines *l, oto_status status, oto_error *err)
{
    if (l->map.data)
        oto_map_close(&l->map);
    oto_free(l->text);
    l->text = NULL;
    if (l->failed && status == OTO_OK)
        return oto_fail_memory(err, "a line of a manifest");
    return status;
}

/* ---- fields ---------------------------------------------------------------------------------- */

int oto_split(char *text, char separator, char **fields, int capacity)
{
    for (int n = 0;;) {
        fields[n++] = text;
        char *at = strchr(text, separator);
        if (!at || n == capacity)
            return n;
        *at = '\0';
        text = at + 1;
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char *oto_trim(char *text)
{
    while (is_space(*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && is_space(text[n - 1]))
        n--;
    text[n] = '\0';
    return text;
}

char *oto_split_word(char *line, char **rest)
{
    line = oto_trim(line);
    char *p = line;
    while (*p && !is_space(*p))
        p++;
    if (*p)
        *p++ = '\0';
    *rest = oto_trim(p);
    return line;
}

bool oto_parse_seconds(const char *text, double *seconds)
{
    char *end;
    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return false;
    errno = 0;
    *seconds = strtod(text, &end);
    return *end == '\0' && errno == 0 && isfinite(*seconds) && *seconds >= 0 && *seconds < 1e7;
}
