/* SPDX-License-Identifier: BSD-2-Clause */
/* otolith data convert and split */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/common.h"
#include "cli/data.h"
#include "training/corpus_split.h"
#include "training/corpus_write.h"

static const char *const set_names[OTO_SPLIT_SETS] = {"train", "dev", "test"};

/* The exit code of an output that could not be written. */
static int fail_output(const oto_error *err)
{
    int code = oto_cli_fail(err, NULL);
    return err->status == OTO_ERR_NOT_FOUND || err->status == OTO_ERR_IO ? OTO_EXIT_CANNOT_CREATE
                                                                         : code;
}

int oto_data_convert(const struct oto_data_options *o, const char **names, int n)
{
    const char *out = names[n - 1];
    int format = o->to > 0 ? o->to - 1 : oto_corpus_format_of_path(out);
    struct oto_corpus *corpus = NULL;
    oto_error err = {0};
    if (!oto_corpus_formats[format]->write)
        return oto_cli_usage_error("data",
                                   "%s is read, not written; write tsv, csv, jsonl or kaldi",
                                   oto_corpus_formats[format]->name);
    int code = oto_data_load(&corpus, o, names, n - 1, NULL, NULL);
    if (code == OTO_EXIT_OK)
        code = oto_data_measure(corpus, o);
    if (code == OTO_EXIT_OK &&
        oto_corpus_save(corpus, NULL, corpus->n, out, format, o->paths, &err) != OTO_OK)
        code = fail_output(&err);
    if (code == OTO_EXIT_OK)
        oto_cli_note("%s: %zu utterances as %s", out, corpus->n, oto_corpus_formats[format]->name);
    oto_corpus_destroy(corpus);
    return code;
}

/* ---- split ----------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* names [n] is scratch. */
static size_t count_speakers(const struct oto_corpus *corpus, const size_t *chosen, size_t n,
                             const char **names)
{
    size_t n_speakers = 0;
    for (size_t i = 0; i < n; i++)
        names[i] = corpus->utts[chosen[i]].speaker;
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++)
        n_speakers += *names[i] && (i == 0 || strcmp(names[i - 1], names[i]) != 0);
    return n_speakers;
}

static char *set_path(const char *folder, int set, const struct oto_corpus_format *format)
{
    char name[32];
    snprintf(name, sizeof name, "%s%s%s", set_names[set], format->is_folder ? "" : ".",
             format->is_folder ? "" : format->name);
    return oto_join(folder, name);
}

/* Writes one set and prints its row; the sets are in the order of the corpus. */
static oto_status write_set(const struct oto_corpus *corpus, const int *set, int k, size_t *chosen,
                            const char **names, const char *folder, int format, int paths,
                            oto_error *err)
{
    double seconds = 0;
    size_t n = 0;
    for (size_t i = 0; i < corpus->n; i++)
        if (set[i] == k) {
            chosen[n++] = i;
            seconds += corpus->utts[i].seconds;
        }
    if (n == 0)
        return OTO_OK;
    char *path = set_path(folder, k, oto_corpus_formats[format]);
    if (!path)
        return oto_fail_memory(err, folder);
    oto_status status = oto_corpus_save(corpus, chosen, n, path, format, paths, err);
    if (status == OTO_OK)
        printf("%s\tutterances %zu\tspeakers %zu\thours %.3f\n", path, n,
               count_speakers(corpus, chosen, n, names), seconds / 3600);
    oto_free(path);
    return status;
}

static int split_into(const struct oto_data_options *o, const struct oto_corpus *corpus,
                      const struct oto_split_options *options, const char *folder, int format)
{
    oto_error err = {0};
    int *set = oto_calloc(corpus->n, sizeof *set);
    size_t *chosen = oto_calloc(corpus->n, sizeof *chosen);
    const char **speakers = oto_calloc(corpus->n, sizeof *speakers);
    oto_status status = set && chosen && speakers ? OTO_OK : oto_fail_memory(&err, "sets");
    bool split = false;
    if (status == OTO_OK)
        status = oto_corpus_split(set, corpus, options, &err);
    split = status == OTO_OK;
    if (split && mkdir(folder, 0777) != 0 && errno != EEXIST)
        status = oto_fail_errno(&err, folder, "cannot make the folder");
    for (int k = 0; k < OTO_SPLIT_SETS && status == OTO_OK; k++)
        status = write_set(corpus, set, k, chosen, speakers, folder, format, o->paths, &err);
    int code = status == OTO_OK ? OTO_EXIT_OK
               : split          ? fail_output(&err)
                                : oto_cli_fail(&err, NULL);
    oto_free(speakers);
    oto_free(chosen);
    oto_free(set);
    return code;
}

int oto_data_split(const struct oto_data_options *o, const char **names, int n)
{
    struct oto_split_options options = {.by = o->by, .seed = o->seed};
    struct oto_corpus *corpus = NULL;
    oto_error err = {0};
    int format = o->to > 0 ? o->to - 1 : 0; /* the first is tsv */
    if (oto_split_parse(options.shares, o->shares, &err) != OTO_OK)
        return oto_cli_usage_error("data", "--%s", err.message);
    if (!oto_corpus_formats[format]->write)
        return oto_cli_usage_error("data",
                                   "%s is read, not written; write tsv, csv, jsonl or kaldi",
                                   oto_corpus_formats[format]->name);
    int code = oto_data_load(&corpus, o, names, n - 1, NULL, NULL);
    if (code == OTO_EXIT_OK)
        code = oto_data_measure(corpus, o);
    if (code == OTO_EXIT_OK)
        code = split_into(o, corpus, &options, names[n - 1], format);
    oto_corpus_destroy(corpus);
    return code;
}
