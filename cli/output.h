/* SPDX-License-Identifier: BSD-2-Clause */
/** Result formats of `otolith transcribe`: one file cli/output_NAME.c each, and a row in the table
 * of cmd_transcribe.c. */
#ifndef OTO_CLI_OUTPUT_H
#define OTO_CLI_OUTPUT_H

#include <stdio.h>

#include "otolith/otolith.h"

struct oto_transcript {
    const char *file;         /* as named on the command line, "-" for standard input */
    int n_files;              /* on the command line */
    const oto_result *result; /* borrowed for the call */
};

struct oto_output {
    const char *name;
    /** Writes one result, whole lines, to a buffer: an error shows when the buffer is printed. */
    void (*write)(FILE *out, const struct oto_transcript *t);
};

extern const struct oto_output oto_output_text, oto_output_tsv, oto_output_json;

#endif
