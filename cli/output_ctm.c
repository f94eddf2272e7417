/* SPDX-License-Identifier: BSD-2-Clause */
/* NIST's time-marked conversation: a line "NAME 1 start duration word confidence" a word. */
#include "cli/output.h"

static void write_ctm(FILE *out, const struct oto_transcript *t)
{
    for (int i = 0; i < t->result->n_words; i++) {
        const oto_word *word = &t->result->words[i];
        oto_output_print_name(out, t->file, '_');
        fputs(" 1 ", out);
        oto_output_print_seconds(out, word->start_s);
        putc(' ', out);
        oto_output_print_seconds(out, word->end_s - word->start_s);
        fprintf(out, " %s ", word->text);
        oto_output_print_confidence(out, word->confidence);
        putc('\n', out);
    }
}

const struct oto_output oto_output_ctm = {"ctm", ".ctm", true, false, NULL, write_ctm};
