/* SPDX-License-Identifier: BSD-2-Clause */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "training/corpus_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/atomic_file.h"
#include "base/mem.h"

/* ---- paths ----------------------------------------------------------------------------------- */

/* The absolute form of a path: of its folder by the file system where it is there, else by the
 * letters alone. Freed with oto_free(). */
static char *absolute(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? oto_strndup(path, (size_t)(slash - path) + 1) : oto_strdup(".");
    char *real = folder ? realpath(folder, NULL) : NULL;
    char *out = NULL;
    if (real) {
        out = oto_join(real, slash ? slash + 1 : path);
    } else if (folder && path[0] == '/') {
        out = oto_strdup(path);
    } else if (folder) { /* no such folder: beside what is here */
        char *here = realpath(".", NULL);
        out = here ? oto_join(here, path) : oto_strdup(path);
        free(here);
    }
    free(real);
    oto_free(folder);
    return out;
}

/* path as seen from folder, both absolute. */
static char *relative(const char *folder, const char *path)
{
    size_t common = 0, i = 0;
    while (folder[i] && folder[i] == path[i]) {
        if (folder[i] == '/')
            common = i + 1;
        i++;
    }
    if (!folder[i] && path[i] == '/')
        return oto_strdup(path + i + 1);
    size_t n_up = folder[common] ? 1 : 0;
    for (const char *p = folder + common; *p; p++)
        n_up += *p == '/';
    size_t n_rest = strlen(path + common);
    char *out = oto_calloc(3 * n_up + n_rest + 1, 1);
    for (size_t k = 0; out && k < n_up; k++)
        memcpy(out + 3 * k, "../", 3);
    if (out)
        memcpy(out + 3 * n_up, path + common, n_rest);
    return out;
}

static bool is_below(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    return strncmp(folder, path, n) == 0 && (path[n] == '/' || (n > 0 && folder[n - 1] == '/'));
}

char *oto_target_path(const struct oto_corpus_target *t, const char *audio)
{
    char *full = absolute(audio);
    if (!full || t->paths == OTO_PATHS_ABSOLUTE ||
        (t->paths == OTO_PATHS_AUTO && !is_below(t->folder, full)))
        return full;
    char *out = relative(t->folder, full);
    oto_free(full);
    return out;
}

/* ---- texts ----------------------------------------------------------------------------------- */

const struct oto_utterance *oto_target_utterance(const struct oto_corpus_target *t, size_t i)
{
    return &t->corpus->utts[t->chosen ? t->chosen[i] : i];
}

void oto_write_text(struct oto_writer *w, const char *text)
{
    oto_write_bytes(w, text, strlen(text));
}

void oto_write_line_text(struct oto_writer *w, const char *text)
{
    for (; *text; text++)
        oto_write_u8(w, (uint8_t)(*text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text));
}

void oto_write_number(struct oto_writer *w, double value)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (!(back < value) && !(back > value))
            break;
    }
    oto_write_text(w, text);
}

oto_status oto_write_save(struct oto_writer *w, const char *path, oto_error *err)
{
    oto_status status =
        w->failed ? oto_fail_memory(err, path) : oto_atomic_save(path, w->data, w->size, err);
    oto_writer_clear(w);
    return status;
}

/* ---- all ------------------------------------------------------------------------------------- */

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcmp(path + n - m, ending) == 0;
}

int oto_corpus_format_of_path(const char *path)
{
    static const struct {
        const char *ending;
        const struct oto_corpus_format *format;
    } endings[] = {{".tsv", &oto_corpus_format_tsv},
                   {".csv", &oto_corpus_format_csv},
                   {".jsonl", &oto_corpus_format_jsonl},
                   {".json", &oto_corpus_format_jsonl}};
    const struct oto_corpus_format *format = &oto_corpus_format_kaldi;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_in(path, endings[i].ending))
            format = endings[i].format;
    for (int f = 0; f < oto_n_corpus_formats; f++)
        if (oto_corpus_formats[f] == format)
            return f;
    return -1;
}

oto_status oto_corpus_save(const struct oto_corpus *corpus, const size_t *chosen, size_t n,
                           const char *path, int format, int paths, oto_error *err)
{
    const struct oto_corpus_format *f = oto_corpus_formats[format];
    if (!f->write)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "%s: the format %s is read, not written; write tsv, csv, jsonl or kaldi",
                        path, f->name);
    if (f->is_folder && mkdir(path, 0777) != 0 && errno != EEXIST)
        return oto_fail_errno(err, path, "cannot make the folder");
    /* A folder's name with something behind it, so that the folder itself is made absolute. */
    char *inside = f->is_folder ? oto_join(path, "x") : oto_strdup(path);
    char *folder = inside ? absolute(inside) : NULL;
    oto_free(inside);
    if (!folder)
        return oto_fail_memory(err, path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *(slash == folder ? slash + 1 : slash) = '\0';
    const struct oto_corpus_target target = {corpus, chosen, n, path, folder, paths};
    oto_status status = f->write(&target, err);
    oto_free(folder);
    return status;
}
