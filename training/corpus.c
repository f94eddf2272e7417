/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/corpus.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

static const struct oto_corpus_format *const formats[] = {&oto_corpus_format_tsv};

struct oto_corpus_reader {
    struct oto_corpus *corpus;
    const struct oto_corpus_options *options;
    int manifest; /* being read */
    size_t capacity;
    size_t *ids; /* hash table of utterance index + 1 by id, open addressing */
    size_t n_slots;
    size_t n_shown;
};

void oto_corpus_bad_line(struct oto_corpus_reader *r, int line, const char *format, ...)
{
    char text[700];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->corpus->n_bad++;
    bool skip = r->options->bad_lines == OTO_BAD_LINES_SKIP;
    if (r->n_shown < (size_t)r->options->max_messages)
        oto_log(skip ? OTO_LOG_WARNING : OTO_LOG_ERROR, "%s:%d: %s%s",
                r->corpus->manifests[r->manifest].path, line, text, skip ? " (line left out)" : "");
    r->n_shown++;
}

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
        if (!oto_utf8_is_space(c))
            return false;
    return true;
}

static char *resolve(const char *manifest, const char *path)
{
    const char *slash = strrchr(manifest, '/');
    if (path[0] == '/' || !slash)
        return oto_strdup(path);
    size_t n_dir = (size_t)(slash - manifest) + 1, n_path = strlen(path);
    char *full = oto_calloc(n_dir + n_path + 1, 1);
    if (full) {
        memcpy(full, manifest, n_dir);
        memcpy(full + n_dir, path, n_path);
    }
    return full;
}

/* True when the audio file is there; else the line is reported. */
static bool audio_is_there(struct oto_corpus_reader *r, int line, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        oto_corpus_bad_line(r, line, "audio file %s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        oto_corpus_bad_line(r, line, "audio file %s is not a regular file", path);
        return false;
    }
    return true;
}

static void clear_utterance(struct oto_utterance *u)
{
    oto_free(u->id);
    oto_free(u->path);
    oto_free(u->speaker);
    oto_free(u->text);
    memset(u, 0, sizeof *u);
}

oto_status oto_corpus_add(struct oto_corpus_reader *r, int line, const char *id, const char *path,
                          double seconds, const char *speaker, const char *text, oto_error *err)
{
    if (!*id || !*path) {
        oto_corpus_bad_line(r, line, "the field '%s' is empty", *id ? "path" : "id");
        return OTO_OK;
    }
    if (is_blank(text)) {
        oto_corpus_bad_line(r, line, "the text is empty");
        return OTO_OK;
    }
    oto_status status = reserve(r, err);
    if (status != OTO_OK)
        return status;
    size_t slot = find_slot(r, id);
    if (r->ids[slot]) {
        const struct oto_utterance *first = &r->corpus->utts[r->ids[slot] - 1];
        oto_corpus_bad_line(r, line, "the id '%s' was already used at %s:%d", id,
                            r->corpus->manifests[first->manifest].path, first->line);
        return OTO_OK;
    }
    struct oto_utterance u = {.seconds = seconds, .manifest = r->manifest, .line = line};
    u.path = resolve(r->corpus->manifests[r->manifest].path, path);
    if (u.path && r->options->check_audio && !audio_is_there(r, line, u.path)) {
        clear_utterance(&u);
        return OTO_OK;
    }
    u.id = oto_strdup(id);
    u.speaker = oto_strdup(speaker);
    u.text = oto_strdup(text);
    if (!u.id || !u.path || !u.speaker || !u.text) {
        clear_utterance(&u);
        return oto_fail_memory(err, "utterances");
    }
    r->corpus->utts[r->corpus->n] = u;
    r->ids[slot] = ++r->corpus->n;
    return OTO_OK;
}

/* "path*3" gives path and 3. A '*' not followed by a number up to the end belongs to the name. */
static oto_status parse_entry(struct oto_manifest *m, const char *entry, size_t n, oto_error *err)
{
    m->repeat = 1;
    size_t digits = n;
    while (digits > 0 && isdigit((unsigned char)entry[digits - 1]))
        digits--;
    if (digits < n && digits > 0 && entry[digits - 1] == '*') {
        long repeat = n - digits <= 4 ? strtol(entry + digits, NULL, 10) : 0;
        if (repeat < 1 || repeat > 1000)
            return oto_fail(err, OTO_ERR_ARGUMENT,
                            "manifest %.*s: the number after '*' must be 1 to 1000", (int)n, entry);
        m->repeat = (int)repeat;
        n = digits - 1;
    }
    if (n == 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "an empty name in the list of manifests");
    m->path = oto_strndup(entry, n);
    return m->path ? OTO_OK : oto_fail_memory(err, "manifests");
}

static oto_status parse_list(struct oto_corpus *c, const char *list, oto_error *err)
{
    size_t n = 1;
    for (const char *p = list; *p; p++)
        n += *p == ',';
    if (n > 1000)
        return oto_fail(err, OTO_ERR_ARGUMENT, "more than 1000 manifests in one list");
    c->manifests = oto_calloc(n, sizeof *c->manifests);
    if (!c->manifests)
        return oto_fail_memory(err, "manifests");
    for (const char *p = list;; p++) {
        size_t length = strcspn(p, ",");
        oto_status status = parse_entry(&c->manifests[c->n_manifests], p, length, err);
        if (status != OTO_OK)
            return status;
        c->n_manifests++;
        p += length;
        if (!*p)
            return OTO_OK;
    }
}

static oto_status read_manifest(struct oto_corpus_reader *r, oto_error *err)
{
    const char *path = r->corpus->manifests[r->manifest].path;
    struct oto_map map;
    oto_status status = oto_map_open(&map, path, err);
    if (status != OTO_OK)
        return status;
    const char *data = (const char *)map.data;
    const struct oto_corpus_format *format = NULL;
    for (size_t i = 0; i < sizeof formats / sizeof *formats && !format; i++)
        if (formats[i]->probe(path, data, map.size < 4096 ? map.size : 4096))
            format = formats[i];
    if (format)
        status = format->read(r, path, data, map.size, err);
    else
        status = oto_fail(err, OTO_ERR_FORMAT,
                          "%s: not a manifest: expected a first line with the tab-separated names "
                          "id, path and text, "
                          "optionally seconds and speaker",
                          path);
    oto_map_close(&map);
    return status;
}

static oto_status check_result(const struct oto_corpus_reader *r, const char *list, oto_error *err)
{
    const struct oto_corpus *c = r->corpus;
    if (r->n_shown > (size_t)r->options->max_messages)
        oto_log(OTO_LOG_WARNING, "%s: %zu more bad lines are not shown", list,
                r->n_shown - (size_t)r->options->max_messages);
    if (c->n_bad > 0 && r->options->bad_lines == OTO_BAD_LINES_ERROR)
        return oto_fail(err, OTO_ERR_DATA,
                        "%s: %zu bad line%s; correct them, or leave them out with --bad-lines=skip",
                        list, c->n_bad, c->n_bad == 1 ? "" : "s");
    if (c->n == 0)
        return oto_fail(err, OTO_ERR_DATA, "%s: no utterance", list);
    if (c->n > UINT32_MAX / 2)
        return oto_fail(err, OTO_ERR_DATA, "%s: %zu utterances are more than this build can hold",
                        list, c->n);
    return OTO_OK;
}

oto_status oto_corpus_load(struct oto_corpus **out, const char *list,
                           const struct oto_corpus_options *options, oto_error *err)
{
    *out = NULL;
    struct oto_corpus *corpus = oto_calloc(1, sizeof *corpus);
    if (!corpus)
        return oto_fail_memory(err, "corpus");
    struct oto_corpus_reader reader = {.corpus = corpus, .options = options};
    oto_status status = parse_list(corpus, list, err);
    for (; status == OTO_OK && reader.manifest < corpus->n_manifests; reader.manifest++)
        status = read_manifest(&reader, err);
    if (status == OTO_OK)
        status = check_result(&reader, list, err);
    oto_free(reader.ids);
    if (status != OTO_OK) {
        oto_corpus_destroy(corpus);
        return status;
    }
    *out = corpus;
    return OTO_OK;
}

void oto_corpus_destroy(struct oto_corpus *corpus)
{
    if (!corpus)
        return;
    for (size_t i = 0; i < corpus->n; i++)
        clear_utterance(&corpus->utts[i]);
    for (int i = 0; corpus->manifests && i < corpus->n_manifests; i++)
        oto_free(corpus->manifests[i].path);
    oto_free(corpus->manifests);
    oto_free(corpus->utts);
    oto_free(corpus);
}
