/* SPDX-License-Identifier: BSD-2-Clause */
/* WebVTT (W3C): a header, then cues; & < > are escaped. */
#include "cli/cues.h"

static void print_word(FILE *out, const char *word)
{
    for (; *word != 0; word++) {
        if (*word == '&')
            fputs("&amp;", out);
        else if (*word == '<')
            fputs("&lt;", out);
        else if (*word == '>')
            fputs("&gt;", out);
        else
            putc(*word, out);
    }
}

static void write_vtt(FILE *out, const struct oto_transcript *t)
{
    struct oto_cue cue = {0};
    fputs("WEBVTT\n", out);
    while (oto_cue_next(&cue, t->result, &t->limits)) {
        putc('\n', out);
        oto_output_print_clock(out, cue.start_s, '.');
        fputs(" --> ", out);
        oto_output_print_clock(out, cue.end_s, '.');
        putc('\n', out);
        oto_cue_print(out, &cue, t->result, &t->limits, "\n", print_word);
        putc('\n', out);
    }
}

const struct oto_output oto_output_vtt = {"vtt", ".vtt", true, true, NULL, write_vtt};
