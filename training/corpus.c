/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/corpus.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "training/corpus_reader.h"

/* In the order in which they are tried; the last two take almost any folder. */
const struct oto_corpus_format *const oto_corpus_formats[] = {
    &oto_corpus_format_tsv,         &oto_corpus_format_csv,         &oto_corpus_format_jsonl,
    &oto_corpus_format_kaldi,       &oto_corpus_format_commonvoice, &oto_corpus_format_ljspeech,
    &oto_corpus_format_librispeech, &oto_corpus_format_folder,
};
const int oto_n_corpus_formats = sizeof oto_corpus_formats / sizeof *oto_corpus_formats;
const char *const oto_corpus_format_names[] = {"auto",   "tsv",         "csv",      "jsonl",
                                               "kaldi",  "commonvoice", "ljspeech", "librispeech",
                                               "folder", NULL};

const char *oto_corpus_file(const struct oto_corpus *corpus, const struct oto_utterance *u)
{
    return corpus->files[u->file];
}

/* "kaldi:path" gives that format and path. */
static size_t parse_format(struct oto_manifest *m, const char *entry, size_t n, int format)
{
    m->format = format - 1;
    for (int f = 0; f < oto_n_corpus_formats; f++) {
        const char *name = oto_corpus_formats[f]->name;
        size_t length = strlen(name);
        if (n > length && entry[length] == ':' && strncmp(entry, name, length) == 0) {
            m->format = f;
            return length + 1;
        }
    }
    return 0;
}

/* "path*3" gives path and 3. A '*' not followed by a number up to the end belongs to the name. */
static oto_status parse_entry(struct oto_manifest *m, const char *entry, size_t n, int format,
                              oto_error *err)
{
    size_t prefix = parse_format(m, entry, n, format);
    entry += prefix;
    n -= prefix;
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

static oto_status parse_list(struct oto_corpus *c, const char *list, int format, oto_error *err)
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
        oto_status status = parse_entry(&c->manifests[c->n_manifests], p, length, format, err);
        if (status != OTO_OK)
            return status;
        c->n_manifests++;
        p += length;
        if (!*p)
            return OTO_OK;
    }
}

/* Says what formats look like, for the file or folder that is none of them. */
static oto_status fail_unknown(const struct oto_corpus_source *source, oto_error *err)
{
    if (source->is_folder)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: not a corpus: expected wav.scp and text (kaldi), metadata.csv "
                        "(ljspeech), clips and validated.tsv (commonvoice), *.trans.txt "
                        "(librispeech), or audio with a .txt beside each",
                        source->path);
    return oto_fail(err, OTO_ERR_FORMAT,
                    "%s: not a manifest: expected a first line of id, path and text with tabs "
                    "between, or of wav_filename and transcript with commas, or JSON with "
                    "audio_filepath and text on each line",
                    source->path);
}

static oto_status open_source(struct oto_corpus_source *source, struct oto_map *map, oto_error *err)
{
    struct stat st;
    if (stat(source->path, &st) == 0 && S_ISDIR(st.st_mode)) {
        source->is_folder = true;
        return OTO_OK;
    }
    oto_status status = oto_map_open(map, source->path, err);
    if (status == OTO_OK) {
        source->head = (const char *)map->data;
        source->n_head = map->size < 4096 ? map->size : 4096;
    }
    return status;
}

static oto_status read_manifest(struct oto_corpus_reader *r, oto_error *err)
{
    const struct oto_manifest *m = &r->corpus->manifests[r->manifest];
    struct oto_corpus_source source = {.path = m->path};
    struct oto_map map = {0};
    oto_status status = open_source(&source, &map, err);
    if (status != OTO_OK)
        return status;
    const struct oto_corpus_format *format = m->format >= 0 ? oto_corpus_formats[m->format] : NULL;
    for (int f = 0; f < oto_n_corpus_formats && !format; f++)
        if (oto_corpus_formats[f]->probe(&source))
            format = oto_corpus_formats[f];
    status = format ? format->read(r, &source, err) : fail_unknown(&source, err);
    oto_paths_clear(&source.files);
    if (map.data)
        oto_map_close(&map);
    return status;
}

static oto_status check_result(const struct oto_corpus_reader *r, const char *list, oto_error *err)
{
    const struct oto_corpus *c = r->corpus;
    if (r->n_shown > (size_t)r->options->max_messages)
        oto_log(OTO_LOG_WARNING, "%s: %zu more bad lines are not shown", list,
                r->n_shown - (size_t)r->options->max_messages);
    if (r->n_remarks > (size_t)r->options->max_messages)
        oto_log(OTO_LOG_WARNING, "%s: %zu more remarks are not shown", list,
                r->n_remarks - (size_t)r->options->max_messages);
    if (r->options->fault)
        return OTO_OK;
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
    oto_status status = parse_list(corpus, list, options->format, err);
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
        oto_corpus_clear_utterance(&corpus->utts[i]);
    for (int i = 0; corpus->manifests && i < corpus->n_manifests; i++)
        oto_free(corpus->manifests[i].path);
    oto_free(corpus->manifests);
    for (int i = 0; corpus->files && i < corpus->n_files; i++)
        oto_free(corpus->files[i]);
    oto_free(corpus->files);
    oto_free(corpus->utts);
    oto_free(corpus);
}
