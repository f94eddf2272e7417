/* SPDX-License-Identifier: BSD-2-Clause */
/* Comma-separated values (RFC 4180, but lines end with LF): a header, then a row a word. */
#include <string.h>

#include "cli/output.h"

static void print_field(FILE *out, const char *text)
{
    bool plain = strpbrk(text, ",\"\r\n") == NULL;
    if (!plain)
        putc('"', out);
    for (; *text != 0; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    if (!plain)
        putc('"', out);
}

static void write_csv(FILE *out, const struct oto_transcript *t)
{
    for (int i = 0; i < t->result->n_words; i++) {
        const oto_word *word = &t->result->words[i];
        print_field(out, t->file);
        putc(',', out);
        oto_output_print_seconds(out, word->start_s);
        putc(',', out);
        oto_output_print_seconds(out, word->end_s);
        putc(',', out);
        oto_output_print_confidence(out, word->confidence);
        putc(',', out);
        print_field(out, word->text);
        putc('\n', out);
    }
}

const struct oto_output oto_output_csv = {
    "csv", ".csv", true, false, "file,start,end,confidence,word\n", write_csv};
