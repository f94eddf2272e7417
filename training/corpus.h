/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A corpus: utterances with their audio file and transcript, read from one or several manifests.
 *
 * Manifests are recognised by a table of formats, so that another kind is one more row. Each bad
 * line is reported through the log as FILE:LINE with what is wrong; all lines are looked at before
 * the reading fails.
 */
#ifndef OTO_TRAINING_CORPUS_H
#define OTO_TRAINING_CORPUS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct oto_utterance {
    char *id, *path, *speaker, *text; /* owned; path as it can be opened; speaker may be "" */
    double seconds;                   /* by the manifest; 0 when it does not say */
    int manifest;                     /* index into oto_corpus.manifests */
    int line;                         /* in that file, from 1 */
};

struct oto_manifest {
    char *path;
    int repeat; /* times each of its utterances is seen in an epoch, >= 1 */
};

struct oto_corpus {
    struct oto_utterance *utts; /* [n] in the order of the manifests */
    size_t n;
    struct oto_manifest *manifests; /* [n_manifests] */
    int n_manifests;
    size_t n_bad; /* lines that were left out */
};

enum oto_bad_lines { OTO_BAD_LINES_ERROR, OTO_BAD_LINES_SKIP };

struct oto_corpus_options {
    int bad_lines;    /* enum oto_bad_lines */
    int max_messages; /* bad lines shown; the rest is only counted */
    bool check_audio; /* a line whose audio file is not there is bad */
};

/**
 * Reads manifests.
 *
 * @param list   "a.tsv,b.tsv*2": paths separated by commas, each with an optional *N, its repeat
 *
 * Errors: OTO_ERR_NOT_FOUND, OTO_ERR_IO for a manifest; OTO_ERR_FORMAT for one of no known format;
 * OTO_ERR_DATA when lines are bad (policy ERROR) or nothing is left; OTO_ERR_ARGUMENT for a
 * malformed list. *out is NULL then.
 */
oto_status oto_corpus_load(struct oto_corpus **out, const char *list,
                           const struct oto_corpus_options *options,
                           oto_error *err) OTO_WARN_UNUSED;
void oto_corpus_destroy(struct oto_corpus *corpus);

/* ---- for the format readers (corpus_*.c)
 * ------------------------------------------------------------------------ */

struct oto_corpus_reader; /* collects what a format reader finds */

struct oto_corpus_format {
    const char *name;
    /** Whether the file's beginning (up to 4 KiB) looks like this format. */
    bool (*probe)(const char *path, const char *head, size_t n);
    /** Reads it all; bad lines go to oto_corpus_bad_line(). Fails only when the file as a whole
     * cannot be used. */
    oto_status (*read)(struct oto_corpus_reader *reader, const char *path, const char *data,
                       size_t size, oto_error *err);
};
extern const struct oto_corpus_format oto_corpus_format_tsv;

/** One utterance; texts are copied, path is resolved against the manifest's folder. Checks id,
 * text, audio. */
oto_status oto_corpus_add(struct oto_corpus_reader *reader, int line, const char *id,
                          const char *path, double seconds, const char *speaker, const char *text,
                          oto_error *err) OTO_WARN_UNUSED;
/** Reports and counts FILE:LINE: message. */
void oto_corpus_bad_line(struct oto_corpus_reader *reader, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
