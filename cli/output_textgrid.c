/* SPDX-License-Identifier: BSD-2-Clause */
/* Praat's TextGrid, long and short: tiers of intervals with words and with their confidence, and
 * one of points with the words that were not heard, if there are any. */
#include <math.h>

#include "cli/output.h"

struct writer {
    FILE *out;
    bool is_short;
    const oto_result *result;
};

/* A value on a line, in the long form behind its name and indented. */
static void begin(const struct writer *w, int indent, const char *name)
{
    if (!w->is_short)
        fprintf(w->out, "%*s%s = ", indent, "", name);
}

static void print_end(const struct writer *w)
{
    fputs(w->is_short ? "\n" : " \n", w->out);
}

static void print_time(const struct writer *w, int indent, const char *name, double seconds)
{
    begin(w, indent, name);
    oto_output_print_seconds(w->out, seconds);
    print_end(w);
}

static void print_text(const struct writer *w, int indent, const char *name, const char *text)
{
    begin(w, indent, name);
    putc('"', w->out);
    for (; *text != 0; text++) {
        if (*text == '"')
            putc('"', w->out);
        putc(*text, w->out);
    }
    putc('"', w->out);
    print_end(w);
}

static void print_count(const struct writer *w, int indent, const char *name, int n)
{
    if (w->is_short)
        fprintf(w->out, "%d\n", n);
    else
        fprintf(w->out, "%*s%s = %d \n", indent, "", name, n);
}

/* What is printed of two times must not be the same. */
static bool is_interval(double start_s, double end_s)
{
    return llround(start_s * 1000) < llround(end_s * 1000);
}

static void print_interval(const struct writer *w, int *n, double start_s, double end_s,
                           const char *text)
{
    if (!is_interval(start_s, end_s))
        return;
    ++*n;
    if (w->out == NULL) /* counted alone */
        return;
    if (!w->is_short)
        fprintf(w->out, "        intervals [%d]:\n", *n);
    print_time(w, 12, "xmin", start_s);
    print_time(w, 12, "xmax", end_s);
    print_text(w, 12, "text", text);
}

/* All intervals, also those without a word; returns their number. */
static int print_intervals(const struct writer *w, bool confidence)
{
    double at_s = 0;
    int n = 0;
    for (int i = 0; i < w->result->n_words; i++) {
        const oto_word *word = &w->result->words[i];
        char number[32];
        if (!is_interval(word->start_s, word->end_s))
            continue;
        int thousandths = (int)lround(fmin(fmax(word->confidence, 0), 1) * 1000);
        snprintf(number, sizeof number, "%d.%03d", thousandths / 1000, thousandths % 1000);
        print_interval(w, &n, at_s, word->start_s, "");
        print_interval(w, &n, word->start_s, word->end_s, confidence ? number : word->text);
        at_s = word->end_s;
    }
    print_interval(w, &n, at_s, w->result->seconds, "");
    return n;
}

static void begin_tier(const struct writer *w, int k, const char *kind, const char *name)
{
    if (!w->is_short)
        fprintf(w->out, "    item [%d]:\n", k);
    print_text(w, 8, "class", kind);
    print_text(w, 8, "name", name);
    print_time(w, 8, "xmin", 0);
    print_time(w, 8, "xmax", w->result->seconds);
}

static void print_intervals_tier(const struct writer *w, int k, const char *name, bool confidence)
{
    const struct writer counter = {NULL, w->is_short, w->result};
    begin_tier(w, k, "IntervalTier", name);
    print_count(w, 8, "intervals: size", print_intervals(&counter, confidence));
    print_intervals(w, confidence);
}

static int count_unheard(const oto_result *result)
{
    int n = 0;
    for (int i = 0; i < result->n_words; i++)
        n += !is_interval(result->words[i].start_s, result->words[i].end_s);
    return n;
}

static void print_unheard_tier(const struct writer *w, int k)
{
    begin_tier(w, k, "TextTier", "unheard");
    print_count(w, 8, "points: size", count_unheard(w->result));
    for (int i = 0, n = 0; i < w->result->n_words; i++) {
        const oto_word *word = &w->result->words[i];
        if (is_interval(word->start_s, word->end_s))
            continue;
        if (!w->is_short)
            fprintf(w->out, "        points [%d]:\n", ++n);
        print_time(w, 12, "number", word->start_s);
        print_text(w, 12, "mark", word->text);
    }
}

static void write_grid(FILE *out, const oto_result *result, bool is_short)
{
    const struct writer w = {out, is_short, result};
    bool unheard = count_unheard(result) > 0;
    fputs("File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n", out);
    print_time(&w, 0, "xmin", 0);
    print_time(&w, 0, "xmax", result->seconds);
    fputs(is_short ? "<exists>\n" : "tiers? <exists> \n", out);
    print_count(&w, 0, "size", unheard ? 3 : 2);
    if (!is_short)
        fputs("item []: \n", out);
    print_intervals_tier(&w, 1, "words", false);
    print_intervals_tier(&w, 2, "confidence", true);
    if (unheard)
        print_unheard_tier(&w, 3);
}

static void write_long(FILE *out, const struct oto_transcript *t)
{
    write_grid(out, t->result, false);
}

static void write_short(FILE *out, const struct oto_transcript *t)
{
    write_grid(out, t->result, true);
}

const struct oto_output oto_output_textgrid = {"textgrid", ".TextGrid", true,
                                               true,       NULL,        write_long};
const struct oto_output oto_output_textgrid_short = {
    "textgrid-short", ".TextGrid", true, true, NULL, write_short};
