/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomic_file.h"
#include "base/status.h"
#include "cli/common.h"
#include "cli/json.h"

/* In the order of OTO_OUTPUT_NAMES. */
static const struct oto_output *const outputs[OTO_N_OUTPUTS] = {
    &oto_output_text,  &oto_output_tsv, &oto_output_csv,      &oto_output_json,
    &oto_output_jsonl, &oto_output_srt, &oto_output_vtt,      &oto_output_lrc,
    &oto_output_ctm,   &oto_output_stm, &oto_output_textgrid, &oto_output_textgrid_short,
};

#define FIELD(f) .offset = offsetof(struct oto_cli_output, f)
/* clang-format off */
const struct oto_option oto_cli_output_table[] = {
    {.name = "output-dir", .short_name = 'o', .type = OTO_OPTION_TEXT, FIELD(folder), .default_text = "", .argument = "DIR",
     .help = "Writes NAME and the format's suffix into this folder for each file, instead of printing."},
    {.name = "max-chars", .type = OTO_OPTION_INT, FIELD(n_chars), .default_text = "42", .min = 1, .max = 10000,
     .help = "Characters on a line of a subtitle; a longer word has a line to itself."},
    {.name = "max-lines", .type = OTO_OPTION_INT, FIELD(n_lines), .default_text = "2", .min = 1, .max = 100,
     .help = "Lines of a subtitle."},
    {.name = "max-duration", .type = OTO_OPTION_REAL, FIELD(length_s), .default_text = "6", .min = 0.1, .max = 3600,
     .argument = "SECONDS", .help = "Length of a subtitle in seconds."},
};
/* clang-format on */
const size_t oto_cli_n_output = sizeof oto_cli_output_table / sizeof oto_cli_output_table[0];

/* ---- which ------------------------------------------------------------------------------- */

bool oto_cli_output_has(const struct oto_cli_output *o, const struct oto_output *output)
{
    for (int i = 0; i < o->n; i++) {
        if (o->list[i] == output)
            return true;
    }
    return false;
}

bool oto_cli_output_has_words(const struct oto_cli_output *o)
{
    for (int i = 0; i < o->n; i++) {
        if (o->list[i]->has_words)
            return true;
    }
    return false;
}

static const struct oto_output *find(const char *name, size_t n)
{
    for (int i = 0; i < OTO_N_OUTPUTS; i++) {
        if (strlen(outputs[i]->name) == n && strncmp(outputs[i]->name, name, n) == 0)
            return outputs[i];
    }
    return NULL;
}

static int choose_formats(struct oto_cli_output *o, const char *verb, const char *formats)
{
    o->n = 0;
    for (const char *at = formats;; at++) {
        size_t n = strcspn(at, ",");
        const struct oto_output *output = find(at, n);
        if (output == NULL)
            return oto_cli_usage_error(verb, "format '%.*s' is none of " OTO_OUTPUT_NAMES, (int)n,
                                       at);
        if (oto_cli_output_has(o, output))
            return oto_cli_usage_error(verb, "format '%s' is named twice", output->name);
        for (int i = 0; i < o->n; i++) {
            if (strcmp(o->list[i]->suffix, output->suffix) == 0)
                return oto_cli_usage_error(verb, "%s and %s would be written to the same file",
                                           o->list[i]->name, output->name);
        }
        o->list[o->n++] = output;
        at += n;
        if (*at == 0)
            return OTO_EXIT_OK;
    }
}

/* Two files of one name would be written over one another. */
static int check_names(const char *verb, const char *const *files, int n_files)
{
    for (int i = 1; i < n_files; i++) {
        size_t n, m;
        const char *name = oto_output_name(files[i], &n);
        for (int j = 0; j < i; j++) {
            const char *other = oto_output_name(files[j], &m);
            if (n == m && memcmp(name, other, n) == 0)
                return oto_cli_usage_error(verb,
                                           "results of %s and %s would be written to the same file",
                                           files[j], files[i]);
        }
    }
    return OTO_EXIT_OK;
}

int oto_cli_output_choose(struct oto_cli_output *o, const char *verb, const char *formats,
                          const char *const *files, int n_files)
{
    int code = choose_formats(o, verb, formats);
    if (code != OTO_EXIT_OK)
        return code;
    if (o->folder[0] != 0) {
        code = check_names(verb, files, n_files);
        if (code != OTO_EXIT_OK || mkdir(o->folder, 0777) == 0 || errno == EEXIST)
            return code;
        oto_cli_error("%s: %s", o->folder, strerror(errno));
        return OTO_EXIT_CANNOT_CREATE;
    }
    if (o->n > 1)
        return oto_cli_usage_error(verb, "several formats need --output-dir=DIR");
    if (o->list[0]->is_document && n_files > 1)
        return oto_cli_usage_error(
            verb, "--format=%s of several files needs --output-dir=DIR, for a file each",
            o->list[0]->name);
    return OTO_EXIT_OK;
}

/* ---- where to ---------------------------------------------------------------------------- */

static oto_status write_text(const struct oto_output *output, const struct oto_transcript *t,
                             bool has_header, char **text, size_t *size, oto_error *err)
{
    FILE *out = open_memstream(text, size);
    if (out == NULL)
        return oto_fail_memory(err, "result");
    if (has_header && output->header != NULL)
        fputs(output->header, out);
    output->write(out, t);
    bool good = ferror(out) == 0;
    good = fclose(out) == 0 && good;
    return good ? OTO_OK : oto_fail_memory(err, "result");
}

static oto_status save(const struct oto_cli_output *o, const struct oto_output *output,
                       const struct oto_transcript *t, oto_error *err)
{
    char path[4096], *text = NULL;
    size_t n, size = 0;
    const char *name = oto_output_name(t->file, &n);
    int length = snprintf(path, sizeof path, "%s/%.*s%s", o->folder, (int)n, name, output->suffix);
    if (length < 0 || (size_t)length >= sizeof path)
        return oto_fail(err, OTO_ERR_ARGUMENT, "%.100s: the path in %.100s is too long", t->file,
                        o->folder);
    oto_status status = write_text(output, t, true, &text, &size, err);
    if (status == OTO_OK)
        status = oto_atomic_save(path, text, size, err);
    free(text);
    return status;
}

oto_status oto_cli_output_write(const struct oto_cli_output *o, struct oto_transcript *t,
                                char **text, size_t *size, oto_error *err)
{
    t->limits = (struct oto_cue_limits){o->n_chars, o->n_lines, o->length_s};
    if (o->folder[0] == 0)
        return write_text(o->list[0], t, false, text, size, err);
    t->n_files = 1;
    oto_status status = OTO_OK;
    for (int i = 0; i < o->n && status == OTO_OK; i++)
        status = save(o, o->list[i], t, err);
    return status;
}

/* ---- for the formats --------------------------------------------------------------------- */

const char *oto_output_name(const char *file, size_t *n)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file;
    if (strcmp(name, "-") == 0)
        name = "stdin";
    const char *dot = strrchr(name, '.');
    *n = dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);
    return name;
}

void oto_output_print_name(FILE *out, const char *file, char space)
{
    size_t n;
    const char *name = oto_output_name(file, &n);
    for (size_t i = 0; i < n; i++)
        putc(strchr(" \t\n\r\v\f", name[i]) != NULL ? space : name[i], out);
}

void oto_output_print_seconds(FILE *out, double seconds)
{
    long long ms = llround(seconds * 1000);
    fprintf(out, "%lld.%03lld", ms / 1000, ms % 1000);
}

void oto_output_print_clock(FILE *out, double seconds, char comma)
{
    long long ms = llround(seconds * 1000);
    fprintf(out, "%02lld:%02lld:%02lld%c%03lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
            comma, ms % 1000);
}

void oto_output_print_confidence(FILE *out, double confidence)
{
    oto_output_print_seconds(out, fmin(fmax(confidence, 0), 1));
}

void oto_output_print_json_words(FILE *out, const oto_word *words, int n)
{
    putc('[', out);
    for (int i = 0; i < n; i++) {
        fputs(i > 0 ? ",{\"word\":" : "{\"word\":", out);
        oto_json_text(out, words[i].text);
        fputs(",\"start\":", out);
        oto_output_print_seconds(out, words[i].start_s);
        fputs(",\"end\":", out);
        oto_output_print_seconds(out, words[i].end_s);
        fputs(",\"confidence\":", out);
        oto_output_print_confidence(out, words[i].confidence);
        putc('}', out);
    }
    putc(']', out);
}
