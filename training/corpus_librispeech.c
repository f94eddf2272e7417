/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Trees as LibriSpeech has them: SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt with lines "ID TEXT",
 * and the audio ID.flac (or another ending) beside it, at any depth.
 */
#include <string.h>

#include "base/mem.h"
#include "training/corpus_format.h"

static const char ending[] = ".trans.txt";

static bool is_transcript(const char *path)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcmp(path + n - m, ending) == 0;
}

static bool probe(struct oto_corpus_source *source)
{
    if (!source->is_folder || oto_source_files(source, NULL) != OTO_OK)
        return false;
    for (size_t i = 0; i < source->files.n; i++)
        if (is_transcript(source->files.items[i]))
            return true;
    return false;
}

/* Notes which of the listed files is the audio of a line. */
static void mark_used(const struct oto_corpus_source *source, bool *used, const char *audio)
{
    size_t n = strlen(source->path);
    const char *below = audio + n;
    while (*below == '/')
        below++;
    ptrdiff_t at = oto_paths_find(&source->files, below);
    if (at >= 0)
        used[at] = true;
}

static oto_status read_line(struct oto_corpus_reader *r, struct oto_corpus_lines *lines,
                            const struct oto_corpus_source *source, const char *folder, bool *used,
                            oto_error *err)
{
    char *text, *id = oto_split_word(lines->text, &text), speaker[64] = "";
    if (strchr(id, '/')) {
        oto_corpus_bad_line(r, lines->at, OTO_FAULT_ID,
                            "the id '%s' holds a slash; expected SPEAKER-CHAPTER-NUMBER; correct "
                            "it",
                            id);
        return OTO_OK;
    }
    size_t n = strcspn(id, "-");
    if (id[n] == '-' && n < sizeof speaker)
        memcpy(speaker, id, n);
    char *audio = oto_find_audio(folder, id);
    if (!audio)
        return oto_fail_memory(err, source->path);
    mark_used(source, used, audio);
    const struct oto_corpus_entry entry = {
        .at = lines->at, .id = id, .path = audio, .folder = "", .speaker = speaker, .text = text};
    oto_status status = oto_corpus_add(r, &entry, err);
    oto_free(audio);
    return status;
}

static oto_status read_transcript(struct oto_corpus_reader *r,
                                  const struct oto_corpus_source *source, const char *name,
                                  bool *used, oto_error *err)
{
    char *path = oto_join(source->path, name), *folder = path ? oto_strdup(path) : NULL;
    struct oto_corpus_lines lines = {0};
    if (!folder) {
        oto_free(path);
        return oto_fail_memory(err, source->path);
    }
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    oto_status status = oto_corpus_lines_open(&lines, r, path, err);
    while (status == OTO_OK && oto_corpus_lines_next(&lines))
        status = read_line(r, &lines, source, folder, used, err);
    status = oto_corpus_lines_close(&lines, status, err);
    oto_free(folder);
    oto_free(path);
    return status;
}

static oto_status report_unused(struct oto_corpus_reader *r, const struct oto_corpus_source *source,
                                const bool *used, oto_error *err)
{
    for (size_t i = 0; i < source->files.n; i++) {
        if (used[i] || oto_audio_ending(source->files.items[i]) < 0)
            continue;
        char *path = oto_join(source->path, source->files.items[i]);
        const struct oto_corpus_place at = {path ? oto_corpus_add_file(r, path) : -1, 0};
        oto_free(path);
        if (at.file < 0)
            return oto_fail_memory(err, source->path);
        oto_corpus_bad_line(r, at, OTO_FAULT_NO_TEXT,
                            "no transcript; expected a line with its name in the *.trans.txt "
                            "beside it; add one, or move the audio away");
    }
    return OTO_OK;
}

static oto_status read_librispeech(struct oto_corpus_reader *r, struct oto_corpus_source *source,
                                   oto_error *err)
{
    oto_status status = oto_source_files(source, err);
    if (status != OTO_OK)
        return status;
    bool *used = oto_calloc(source->files.n, sizeof *used);
    if (!used)
        return oto_fail_memory(err, source->path);
    for (size_t i = 0; i < source->files.n && status == OTO_OK; i++)
        if (is_transcript(source->files.items[i]))
            status = read_transcript(r, source, source->files.items[i], used, err);
    if (status == OTO_OK)
        status = report_unused(r, source, used, err);
    oto_free(used);
    return status;
}

const struct oto_corpus_format oto_corpus_format_librispeech = {
    .name = "librispeech", .probe = probe, .read = read_librispeech};
