/* SPDX-License-Identifier: BSD-2-Clause */
/** What the actions of `otolith data` share. */
#ifndef OTO_CLI_DATA_H
#define OTO_CLI_DATA_H

#include <stdint.h>

#include "base/pool.h"
#include "training/corpus.h"

enum { OTO_DATA_TEXT, OTO_DATA_JSON }; /* --format */

struct oto_data_options {
    char *model, *config, *alphabet, *symbols, *shares;
    int format, to, corpus_format, paths, bad_lines, letter_case, punctuation, jobs, by;
    double tolerance_s, max_clipped, silence_db;
    uint64_t seed;
    bool own_case, own_punctuation; /* said on the command line, so a recipe does not count */
};

/** Reads the corpora named, with faults to fault() or, where that is NULL, to the log. On failure
 * tells of it; the result is the exit code. */
int oto_data_load(struct oto_corpus **out, const struct oto_data_options *o, const char **names,
                  int n, void (*fault)(void *arg, const struct oto_corpus_fault *fault), void *arg);
/** Fills in lengths that manifests leave out, and tells of those that stay unknown. */
int oto_data_measure(struct oto_corpus *corpus, const struct oto_data_options *o);

/** The actions; names are the operands behind the action. Exit codes of cli/common.h. */
int oto_data_check(const struct oto_data_options *o, const char **names, int n);
int oto_data_stats(const struct oto_data_options *o, const char **names, int n);
int oto_data_convert(const struct oto_data_options *o, const char **names, int n);
int oto_data_split(const struct oto_data_options *o, const char **names, int n);

#endif
