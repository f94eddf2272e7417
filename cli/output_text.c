/* SPDX-License-Identifier: BSD-2-Clause */
/* One file: its text alone. Several: "FILE: text" each, as grep does. */
#include "cli/output.h"

#include <string.h>

static void write_text(FILE *out, const struct oto_transcript *t)
{
    if (t->n_files > 1)
        fprintf(out, "%s: ", strcmp(t->file, "-") == 0 ? "(standard input)" : t->file);
    fprintf(out, "%s\n", t->result->text);
}

const struct oto_output oto_output_text = {"text", ".txt", false, false, NULL, write_text};
