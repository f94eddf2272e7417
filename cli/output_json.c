/* SPDX-License-Identifier: BSD-2-Clause */
/* One object per file and line; "v" is the version of this form. Fields are only added. */
#include "cli/json.h"
#include "cli/output.h"

static void write_json(FILE *out, const struct oto_transcript *t)
{
    const oto_result *r = t->result;
    fputs("{\"v\":1,\"file\":", out);
    oto_json_text(out, t->file);
    fputs(",\"text\":", out);
    oto_json_text(out, r->text);
    fputs(",\"log_prob\":", out);
    oto_json_number(out, r->log_prob);
    fputs(",\"seconds\":", out);
    oto_json_number(out, r->seconds);
    fputs(",\"alternatives\":[", out);
    for (int i = 0; i < r->n_alternatives; i++) {
        fputs(i > 0 ? ",{\"text\":" : "{\"text\":", out);
        oto_json_text(out, r->alternatives[i].text);
        fputs(",\"log_prob\":", out);
        oto_json_number(out, r->alternatives[i].log_prob);
        putc('}', out);
    }
    fputs("],\"words\":", out);
    oto_output_print_json_words(out, r->words, r->n_words);
    fputs("}\n", out);
}

const struct oto_output oto_output_json = {"json", ".json", true, false, NULL, write_json};
