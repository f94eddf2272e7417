/* SPDX-License-Identifier: BSD-2-Clause */
/* SubRip: number, times with a comma, lines, an empty line. */
#include "cli/cues.h"

static void write_srt(FILE *out, const struct oto_transcript *t)
{
    struct oto_cue cue = {0};
    for (int k = 1; oto_cue_next(&cue, t->result, &t->limits); k++) {
        fprintf(out, "%s%d\n", k > 1 ? "\n" : "", k);
        oto_output_print_clock(out, cue.start_s, ',');
        fputs(" --> ", out);
        oto_output_print_clock(out, cue.end_s, ',');
        putc('\n', out);
        oto_cue_print(out, &cue, t->result, &t->limits, "\n", oto_cue_print_plain);
        putc('\n', out);
    }
}

const struct oto_output oto_output_srt = {"srt", ".srt", true, true, NULL, write_srt};
