/* SPDX-License-Identifier: BSD-2-Clause */
/* "NAME<tab>text": the file's name without folder and suffix, which is the id in our manifests. */
#include "cli/output.h"

#include <string.h>

static void write_tsv(FILE *out, const struct oto_transcript *t)
{
    const char *slash = strrchr(t->file, '/');
    const char *name = slash != NULL ? slash + 1 : t->file;
    if (strcmp(name, "-") == 0)
        name = "stdin";
    const char *dot = strrchr(name, '.');
    size_t n = dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);
    for (size_t i = 0; i < n; i++) /* a name may hold what separates fields and lines */
        putc(name[i] == '\t' || name[i] == '\n' || name[i] == '\r' ? ' ' : name[i], out);
    fprintf(out, "\t%s\n", t->result->text);
}

const struct oto_output oto_output_tsv = {"tsv", write_tsv};
