/* SPDX-License-Identifier: BSD-2-Clause */
/** Result formats of `otolith transcribe` and `otolith align`: one file cli/output_NAME.c each, and
 * a row in the table of output.c. docs/formats.md describes them. */
#ifndef OTO_CLI_OUTPUT_H
#define OTO_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/options.h"
#include "otolith/otolith.h"

/** How much a subtitle holds. */
struct oto_cue_limits {
    int n_chars, n_lines; /* code points a line, lines */
    double length_s;
};

struct oto_transcript {
    const char *file;         /* as named on the command line, "-" for standard input */
    int n_files;              /* in the same output */
    const oto_result *result; /* borrowed for the call */
    struct oto_cue_limits limits;
};

struct oto_output {
    const char *name, *suffix; /* of files, with its dot */
    bool has_words;            /* it needs the words of the result */
    bool is_document;          /* one input an output; else several stand one behind another */
    const char *header;        /* once at the beginning of an output, or NULL */
    /** Writes one result, whole lines, to a buffer: an error shows when the buffer is printed. */
    void (*write)(FILE *out, const struct oto_transcript *t);
};

extern const struct oto_output oto_output_csv, oto_output_ctm, oto_output_json, oto_output_jsonl,
    oto_output_lrc, oto_output_srt, oto_output_stm, oto_output_text, oto_output_textgrid,
    oto_output_textgrid_short, oto_output_tsv, oto_output_vtt;

/* ---- which, and where to ----------------------------------------------------------------- */

enum { OTO_N_OUTPUTS = 12 };

/** Options that the subcommands share; their --format is their own. */
struct oto_cli_output {
    char *folder;
    int n_chars, n_lines;
    double length_s;
    const struct oto_output *list[OTO_N_OUTPUTS]; /* [n] by oto_cli_output_choose() */
    int n;
};
extern const struct oto_option oto_cli_output_table[];
extern const size_t oto_cli_n_output;
/** "text, tsv, ..." for help and messages. */
#define OTO_OUTPUT_NAMES                                                                           \
    "text, tsv, csv, json, jsonl, srt, vtt, lrc, ctm, stm, textgrid, textgrid-short"

/**
 * Looks up the names in formats, separated by commas, and checks that every result has a place of
 * its own. @return OTO_EXIT_OK, or the exit code after a message: usage errors, or a folder that
 * cannot be made.
 */
int oto_cli_output_choose(struct oto_cli_output *o, const char *verb, const char *formats,
                          const char *const *files, int n_files);
bool oto_cli_output_has(const struct oto_cli_output *o, const struct oto_output *output);
/** Whether any of them needs words. */
bool oto_cli_output_has_words(const struct oto_cli_output *o);
/** Writes a result into the folder, if one was named; else into *text [*size], malloc'd, to be
 * printed. t's limits are set here. Errors: memory and files. */
oto_status oto_cli_output_write(const struct oto_cli_output *o, struct oto_transcript *t,
                                char **text, size_t *size, oto_error *err) OTO_WARN_UNUSED;

/* ---- for the formats --------------------------------------------------------------------- */

/** The file's name without folder and suffix, "stdin" for standard input: *n bytes, not terminated.
 */
const char *oto_output_name(const char *file, size_t *n);
/** The same, white space as another character. */
void oto_output_print_name(FILE *out, const char *file, char space);
/** Seconds with three digits, whatever the locale. */
void oto_output_print_seconds(FILE *out, double seconds);
/** "01:02:03,456" with the comma given. */
void oto_output_print_clock(FILE *out, double seconds, char comma);
/** 0 to 1 with three digits. */
void oto_output_print_confidence(FILE *out, double confidence);
/** The words as a JSON list of objects with word, start, end and confidence. */
void oto_output_print_json_words(FILE *out, const oto_word *words, int n);

#endif
