/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * What a corpus format is, and what its readers and writers share. One format is one file
 * corpus_NAME.c with its row in the table of corpus.c.
 */
#ifndef OTO_TRAINING_CORPUS_FORMAT_H
#define OTO_TRAINING_CORPUS_FORMAT_H

#include "base/bytes.h"
#include "training/corpus.h"

/* ---- what is read ---------------------------------------------------------------------------- */

/** Paths of regular files, relative to their folder, in the order of their bytes. */
struct oto_paths {
    char **items; /* [n] owned */
    size_t n, capacity;
};

struct oto_corpus_source {
    const char *path;
    bool is_folder;
    const char *head; /* first bytes of a file, up to 4 KiB */
    size_t n_head;
    struct oto_paths files; /* of a folder and those in it, once oto_source_files() was called */
    bool listed;
};

/** Lists the folder at the first call. */
oto_status oto_source_files(struct oto_corpus_source *source, oto_error *err) OTO_WARN_UNUSED;
/** Index of a relative path in the list, or -1. */
ptrdiff_t oto_paths_find(const struct oto_paths *paths, const char *path);
/** Whether FOLDER/NAME is a regular file. */
bool oto_source_has(const struct oto_corpus_source *source, const char *name);
/** FOLDER/NAME, freed with oto_free(). NULL without memory. */
char *oto_join(const char *folder, const char *name);
/** First line of the head without BOM and line end; freed with oto_free(), NULL without memory. */
char *oto_source_first_line(const struct oto_corpus_source *source);
/** Where the ending of a name of an audio file begins ("a/b.flac" -> 3), or -1. */
ptrdiff_t oto_audio_ending(const char *path);
/** FOLDER/STEM with the first audio ending for which there is a file; with .wav when there is none.
 * Freed with oto_free(). NULL without memory. */
char *oto_find_audio(const char *folder, const char *stem);

struct oto_corpus_reader; /* collects what a format reader finds */

struct oto_corpus_place {
    int file, line;
};
/** Names a file that lines are counted in; -1 without memory. */
int oto_corpus_add_file(struct oto_corpus_reader *reader, const char *path);
const char *oto_corpus_reader_file(const struct oto_corpus_reader *reader, int file);

struct oto_corpus_entry {
    struct oto_corpus_place at;
    const char *id;     /* NULL: made of the path */
    const char *path;   /* relative to folder, or to that of the file when folder is NULL */
    const char *folder; /* "" for a path that is to be taken as it is */
    const char *speaker, *text;
    double seconds, start_s, length_s; /* as in struct oto_utterance */
};
/** One utterance; texts are copied. Checks id, text, audio. */
oto_status oto_corpus_add(struct oto_corpus_reader *reader, const struct oto_corpus_entry *entry,
                          oto_error *err) OTO_WARN_UNUSED;
/** Lines reported as bad so far. */
size_t oto_corpus_n_bad(const struct oto_corpus_reader *reader);
/** Reports a line that is left out, and counts it. */
void oto_corpus_bad_line(struct oto_corpus_reader *reader, struct oto_corpus_place at,
                         enum oto_fault kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** Reports what is wrong but does no harm here: nothing is left out. */
void oto_corpus_remark(struct oto_corpus_reader *reader, struct oto_corpus_place at,
                       enum oto_fault kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Lines of a text file without BOM and line ends; empty ones are left out, and so, reported as
 * bad, are those with NUL bytes or invalid UTF-8. */
struct oto_corpus_lines {
    struct oto_corpus_reader *reader;
    struct oto_map map;
    const char *p, *end;
    struct oto_corpus_place at; /* of text */
    char *text;                 /* may be written to; valid until the next call */
    size_t capacity;
    bool failed;
};
oto_status oto_corpus_lines_open(struct oto_corpus_lines *lines, struct oto_corpus_reader *reader,
                                 const char *path, oto_error *err) OTO_WARN_UNUSED;
/** False at the end, or without memory. */
bool oto_corpus_lines_next(struct oto_corpus_lines *lines);
/** OTO_ERR_MEMORY when that was why it ended; else status. */
oto_status oto_corpus_lines_close(struct oto_corpus_lines *lines, oto_status status,
                                  oto_error *err) OTO_WARN_UNUSED;

/** Cuts a text in place at a byte. Gives the number of fields; those beyond capacity stay in the
 * last one. */
int oto_split(char *text, char separator, char **fields, int capacity);
/** The first word of a line, ended in place; what follows it and blanks is *rest. */
char *oto_split_word(char *line, char **rest);
/** Cuts blanks (space, tab, CR, LF) off at both ends, in place. */
char *oto_trim(char *text);
/** A plain decimal number >= 0 and < 1e7; false for anything else. */
bool oto_parse_seconds(const char *text, double *seconds);

/* ---- what is written ------------------------------------------------------------------------- */

enum oto_corpus_paths { OTO_PATHS_AUTO, OTO_PATHS_RELATIVE, OTO_PATHS_ABSOLUTE };

struct oto_corpus_target {
    const struct oto_corpus *corpus;
    const size_t *chosen; /* [n] utterances to write, in that order; NULL: all */
    size_t n;
    const char *path; /* file, or folder that exists */
    char *folder;     /* absolute, that relative paths start from */
    int paths;        /* enum oto_corpus_paths */
};
const struct oto_utterance *oto_target_utterance(const struct oto_corpus_target *t, size_t i);
/** The path of an utterance's audio as it is to be written; freed with oto_free(). NULL without
 * memory. */
char *oto_target_path(const struct oto_corpus_target *t, const char *audio);
/** The text on one line: tabs and line ends become spaces. */
void oto_write_line_text(struct oto_writer *w, const char *text);
void oto_write_text(struct oto_writer *w, const char *text);
/** The shortest form that reads back as the same number. */
void oto_write_number(struct oto_writer *w, double value);
/** Saves w to path, or fails for want of memory; w is cleared. */
oto_status oto_write_save(struct oto_writer *w, const char *path, oto_error *err) OTO_WARN_UNUSED;

/* ---- the table ------------------------------------------------------------------------------- */

struct oto_corpus_format {
    const char *name;
    bool (*probe)(struct oto_corpus_source *source);
    /** Reads it all; faults go to oto_corpus_bad_line(). Fails only when it cannot be used as a
     * whole. */
    oto_status (*read)(struct oto_corpus_reader *reader, struct oto_corpus_source *source,
                       oto_error *err);
    /** NULL: it is only read. */
    oto_status (*write)(const struct oto_corpus_target *target, oto_error *err);
    bool is_folder; /* what is written is a folder */
};
extern const struct oto_corpus_format oto_corpus_format_tsv, oto_corpus_format_csv,
    oto_corpus_format_jsonl, oto_corpus_format_kaldi, oto_corpus_format_librispeech,
    oto_corpus_format_ljspeech, oto_corpus_format_commonvoice, oto_corpus_format_folder;
extern const struct oto_corpus_format *const oto_corpus_formats[];
extern const int oto_n_corpus_formats;

#endif
