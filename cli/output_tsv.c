/* SPDX-License-Identifier: BSD-2-Clause */
/* "NAME<tab>text": the file's name without folder and suffix, which is the id in our manifests. */
#include "cli/output.h"

static void write_tsv(FILE *out, const struct oto_transcript *t)
{
    oto_output_print_name(out, t->file, ' ');
    fprintf(out, "\t%s\n", t->result->text);
}

const struct oto_output oto_output_tsv = {"tsv", ".tsv", false, false, NULL, write_tsv};
