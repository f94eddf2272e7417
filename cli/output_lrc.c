/* SPDX-License-Identifier: BSD-2-Clause */
/* Lyrics: a line "[mm:ss.xx]text" for each subtitle, and an empty one where a pause begins. */
#include <math.h>

#include "cli/cues.h"

static void print_time(FILE *out, double seconds)
{
    long long cs = llround(seconds * 100);
    fprintf(out, "[%02lld:%02lld.%02lld]", cs / 6000, cs / 100 % 60, cs % 100);
}

static void write_lrc(FILE *out, const struct oto_transcript *t)
{
    struct oto_cue cue = {0};
    struct oto_cue_limits one_line = t->limits;
    one_line.n_lines = 1;
    while (oto_cue_next(&cue, t->result, &one_line)) {
        int next = cue.first + cue.n;
        print_time(out, cue.start_s);
        oto_cue_print(out, &cue, t->result, &one_line, " ", oto_cue_print_plain);
        putc('\n', out);
        if (next < t->result->n_words &&
            t->result->words[next].start_s - cue.end_s < OTO_CUE_PAUSE_S)
            continue;
        print_time(out, cue.end_s);
        putc('\n', out);
    }
}

const struct oto_output oto_output_lrc = {"lrc", ".lrc", true, true, NULL, write_lrc};
