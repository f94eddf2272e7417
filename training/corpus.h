/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A corpus: utterances with their audio and transcript, read from one or several manifests, which
 * are files or folders of the formats in docs/corpora.md.
 *
 * Each fault is reported as FILE:LINE with what was found, what was expected and what to do; all
 * lines are looked at before the reading fails.
 */
#ifndef OTO_TRAINING_CORPUS_H
#define OTO_TRAINING_CORPUS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct oto_utterance {
    char *id, *path, *speaker, *text; /* owned; path as it can be opened; speaker may be "" */
    double seconds;                   /* by the manifest; 0 when it does not say */
    double start_s, length_s; /* its part of the file; length 0 goes to the end; both 0 are all */
    int manifest;             /* index into oto_corpus.manifests */
    int file, line;           /* where it stands: index into oto_corpus.files, line from 1 */
};

struct oto_manifest {
    char *path;
    int repeat; /* times each of its utterances is seen in an epoch, >= 1 */
    int format; /* index into oto_corpus_formats, -1: by probing */
};

struct oto_corpus {
    struct oto_utterance *utts; /* [n] in the order of the manifests */
    size_t n;
    struct oto_manifest *manifests; /* [n_manifests] */
    int n_manifests;
    char **files; /* [n_files] that utterances stand in: manifests, or files of those folders */
    int n_files;
    size_t n_bad; /* lines that were left out */
};

/** What can be wrong with a line or its audio; names in corpus_fault.c. */
enum oto_fault {
    OTO_FAULT_FIELDS,
    OTO_FAULT_ENCODING,
    OTO_FAULT_NUL,
    OTO_FAULT_ID,
    OTO_FAULT_DUPLICATE_ID,
    OTO_FAULT_PATH,
    OTO_FAULT_EMPTY_TEXT,
    OTO_FAULT_NUMBER,
    OTO_FAULT_MISSING_AUDIO,
    OTO_FAULT_NOT_A_FILE,
    OTO_FAULT_FILE_SIZE,
    OTO_FAULT_QUOTES,
    OTO_FAULT_JSON,
    OTO_FAULT_KEY,
    OTO_FAULT_TYPE,
    OTO_FAULT_PIPE,
    OTO_FAULT_RECORDING,
    OTO_FAULT_SEGMENT,
    OTO_FAULT_NO_TEXT,
    OTO_FAULT_NO_AUDIO,
    OTO_FAULT_SPEAKER,
    OTO_FAULT_ORDER,
    OTO_FAULT_UNDECODABLE,
    OTO_FAULT_NO_SAMPLES,
    OTO_FAULT_TRUNCATED,
    OTO_FAULT_NOT_FINITE,
    OTO_FAULT_DURATION,
    OTO_FAULT_BEYOND_END,
    OTO_FAULT_CLIPPING,
    OTO_FAULT_SILENCE,
    OTO_FAULT_DUPLICATE_AUDIO,
    OTO_FAULT_SYMBOLS,
    OTO_FAULT_NO_LABELS,
    OTO_FAULT_TOO_SHORT,
    OTO_N_FAULTS
};
/** "duplicate-id" */
const char *oto_fault_name(enum oto_fault kind);

struct oto_corpus_fault {
    enum oto_fault kind;
    const char *file; /* borrowed during the call, as are id and message */
    int line;         /* 0: the file as a whole */
    const char *id;   /* of the utterance, "" when unknown */
    const char *message;
};

enum oto_bad_lines { OTO_BAD_LINES_ERROR, OTO_BAD_LINES_SKIP };

struct oto_corpus_options {
    int bad_lines;    /* enum oto_bad_lines */
    int max_messages; /* faults shown; the rest is only counted */
    bool check_audio; /* a line whose audio file is not there is bad */
    int format;       /* of manifests without a prefix: 0 by probing, else 1 + index into
                         oto_corpus_formats */
    /** NULL: faults go to the log. Else all of them go here, and neither they nor an empty corpus
     * fail the reading. */
    void (*fault)(void *arg, const struct oto_corpus_fault *fault);
    void *arg;
};

/**
 * Reads manifests.
 *
 * @param list   "a.tsv,kaldi:data/b*2": paths separated by commas, each with an optional format
 * before it and an optional *N, its repeat, behind
 *
 * Errors: OTO_ERR_NOT_FOUND, OTO_ERR_IO for a manifest; OTO_ERR_FORMAT for one of no known format;
 * OTO_ERR_DATA when lines are bad (policy ERROR) or nothing is left; OTO_ERR_ARGUMENT for a
 * malformed list. *out is NULL then.
 */
oto_status oto_corpus_load(struct oto_corpus **out, const char *list,
                           const struct oto_corpus_options *options,
                           oto_error *err) OTO_WARN_UNUSED;
void oto_corpus_destroy(struct oto_corpus *corpus);
/** The file that an utterance's line is in. */
const char *oto_corpus_file(const struct oto_corpus *corpus, const struct oto_utterance *u);

/** Names of the formats, in the order of the table, for options: "auto" first, NULL last. An index
 * into it is oto_corpus_options.format. */
extern const char *const oto_corpus_format_names[];

#endif
