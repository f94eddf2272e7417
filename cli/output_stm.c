/* SPDX-License-Identifier: BSD-2-Clause */
/* NIST's segment time marks: a line "NAME 1 unknown start end text" an utterance. */
#include "cli/cues.h"

static void write_stm(FILE *out, const struct oto_transcript *t)
{
    struct oto_cue cue = {0};
    while (oto_cue_next(&cue, t->result, NULL)) {
        oto_output_print_name(out, t->file, '_');
        fputs(" 1 unknown ", out);
        oto_output_print_seconds(out, cue.start_s);
        putc(' ', out);
        oto_output_print_seconds(out, cue.end_s);
        putc(' ', out);
        oto_cue_print(out, &cue, t->result, NULL, " ", oto_cue_print_plain);
        putc('\n', out);
    }
}

const struct oto_output oto_output_stm = {"stm", ".stm", true, false, NULL, write_stm};
