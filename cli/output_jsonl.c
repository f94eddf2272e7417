/* SPDX-License-Identifier: BSD-2-Clause */
/* One object a line and utterance, in the form of 'otolith live'; "v" is its version. Fields are
 * only added. */
#include "cli/cues.h"
#include "cli/json.h"

static double mean_confidence(const oto_word *words, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += words[i].confidence;
    return sum / n;
}

static void write_jsonl(FILE *out, const struct oto_transcript *t)
{
    struct oto_cue cue = {0};
    while (oto_cue_next(&cue, t->result, NULL)) {
        const oto_word *words = t->result->words + cue.first;
        fputs("{\"v\":1,\"type\":\"final\",\"file\":", out);
        oto_json_text(out, t->file);
        fputs(",\"start\":", out);
        oto_output_print_seconds(out, cue.start_s);
        fputs(",\"end\":", out);
        oto_output_print_seconds(out, cue.end_s);
        fputs(",\"text\":\"", out);
        oto_cue_print(out, &cue, t->result, NULL, " ", oto_json_characters);
        fputs("\",\"confidence\":", out);
        oto_output_print_confidence(out, mean_confidence(words, cue.n));
        fputs(",\"words\":", out);
        oto_output_print_json_words(out, words, cue.n);
        fputs("}\n", out);
    }
}

const struct oto_output oto_output_jsonl = {"jsonl", ".jsonl", true, false, NULL, write_jsonl};
