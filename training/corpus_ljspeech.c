/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * LJ Speech: metadata.csv with lines "ID|TEXT|TEXT SPELT OUT", no header and no quoting, and the
 * audio wavs/ID.wav. The third field is taken where it is there. Given as the folder or as the
 * file.
 */
#include <string.h>

#include "base/mem.h"
#include "training/corpus_format.h"

enum { MAX_FIELDS = 4 };

static bool has_bars(const char *line)
{
    const char *bar = strchr(line, '|');
    return bar && bar > line && !strchr(line, '\t');
}

static bool probe(struct oto_corpus_source *source)
{
    if (source->is_folder)
        return oto_source_has(source, "metadata.csv");
    const char *slash = strrchr(source->path, '/');
    if (strcmp(slash ? slash + 1 : source->path, "metadata.csv") != 0)
        return false;
    char *line = oto_source_first_line(source);
    bool found = line && has_bars(line);
    oto_free(line);
    return found;
}

static oto_status read_line(struct oto_corpus_reader *r, const struct oto_corpus_lines *lines,
                            const char *folder, oto_error *err)
{
    char *fields[MAX_FIELDS];
    int n = oto_split(lines->text, '|', fields, MAX_FIELDS);
    if (n < 2 || n > 3) {
        oto_corpus_bad_line(r, lines->at, OTO_FAULT_FIELDS,
                            "found %s, expected ID|TEXT or ID|TEXT|TEXT SPELT OUT; correct the "
                            "line, there is no quoting",
                            n < 2 ? "no field after the id" : "more than 3 fields");
        return OTO_OK;
    }
    const char *id = oto_trim(fields[0]);
    if (strchr(id, '/') || !*id) {
        oto_corpus_bad_line(r, lines->at, OTO_FAULT_ID,
                            "the id '%s' is no file name; expected that of a recording in wavs "
                            "without its ending; correct it",
                            id);
        return OTO_OK;
    }
    char *audio = oto_find_audio(folder, id);
    if (!audio)
        return oto_fail_memory(err, folder);
    const struct oto_corpus_entry entry = {.at = lines->at,
                                           .id = id,
                                           .path = audio,
                                           .folder = "",
                                           .speaker = "",
                                           .text = n == 3 && *oto_trim(fields[2]) ? fields[2]
                                                                                  : fields[1]};
    oto_status status = oto_corpus_add(r, &entry, err);
    oto_free(audio);
    return status;
}

static oto_status read_ljspeech(struct oto_corpus_reader *r, struct oto_corpus_source *source,
                                oto_error *err)
{
    const char *slash = strrchr(source->path, '/');
    char *root = source->is_folder ? oto_strdup(source->path)
                 : slash           ? oto_strndup(source->path, (size_t)(slash - source->path) + 1)
                                   : oto_strdup(".");
    char *file =
        source->is_folder && root ? oto_join(root, "metadata.csv") : oto_strdup(source->path);
    char *folder = root ? oto_join(root, "wavs") : NULL;
    struct oto_corpus_lines lines = {0};
    oto_status status = file && folder ? oto_corpus_lines_open(&lines, r, file, err)
                                       : oto_fail_memory(err, source->path);
    while (status == OTO_OK && oto_corpus_lines_next(&lines))
        status = read_line(r, &lines, folder, err);
    status = oto_corpus_lines_close(&lines, status, err);
    oto_free(folder);
    oto_free(file);
    oto_free(root);
    return status;
}

const struct oto_corpus_format oto_corpus_format_ljspeech = {
    .name = "ljspeech", .probe = probe, .read = read_ljspeech};
