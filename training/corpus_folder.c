/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A folder of audio with a .txt of the same name beside each, at any depth. The speaker is the
 * folder that the audio is in, when it is not the corpus's own.
 */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "training/corpus_format.h"

static bool is_text(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".txt") == 0;
}

/* What comes with a corpus and is no transcript. */
static bool is_document(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return strncasecmp(name, "readme", 6) == 0 || strncasecmp(name, "licen", 5) == 0 ||
           strncasecmp(name, "copying", 7) == 0 || strncasecmp(name, "speakers", 8) == 0;
}

/* The name without its ending and with .txt, freed with oto_free(). */
static char *text_name(const char *path)
{
    ptrdiff_t n = oto_audio_ending(path);
    char *name = oto_calloc((size_t)n + 5, 1);
    if (name) {
        memcpy(name, path, (size_t)n);
        memcpy(name + n, ".txt", 4);
    }
    return name;
}

static bool probe(struct oto_corpus_source *source)
{
    if (!source->is_folder || oto_source_files(source, NULL) != OTO_OK)
        return false;
    for (size_t i = 0; i < source->files.n; i++) {
        if (oto_audio_ending(source->files.items[i]) <= 0)
            continue;
        char *text = text_name(source->files.items[i]);
        bool found = text && oto_paths_find(&source->files, text) >= 0;
        oto_free(text);
        if (found)
            return true;
    }
    return false;
}

/* All lines of a text file with blanks between, in out. */
static oto_status join_lines(struct oto_writer *out, struct oto_corpus_lines *lines, oto_error *err)
{
    while (oto_corpus_lines_next(lines)) {
        if (out->size > 0)
            oto_write_u8(out, ' ');
        const char *line = oto_trim(lines->text);
        oto_write_bytes(out, line, strlen(line));
    }
    oto_write_u8(out, 0);
    return out->failed ? oto_fail_memory(err, "a transcript") : OTO_OK;
}

static oto_status add_pair(struct oto_corpus_reader *r, const struct oto_corpus_source *source,
                           const char *audio, const char *text, oto_error *err)
{
    struct oto_corpus_lines lines = {0};
    struct oto_writer joined = {0};
    char *path = oto_join(source->path, text), *speaker = oto_strdup(audio);
    size_t n_bad_before = oto_corpus_n_bad(r);
    oto_status status = path && speaker ? OTO_OK : oto_fail_memory(err, source->path);
    if (status == OTO_OK) {
        char *slash = strrchr(speaker, '/');
        *(slash ? slash : speaker) = '\0';
        status = oto_corpus_lines_open(&lines, r, path, err);
    }
    if (status == OTO_OK)
        status = join_lines(&joined, &lines, err);
    if (status == OTO_OK && !lines.failed && oto_corpus_n_bad(r) == n_bad_before) {
        const struct oto_corpus_entry entry = {.at = {lines.at.file, 1},
                                               .path = audio,
                                               .folder = source->path,
                                               .speaker = speaker,
                                               .text = (const char *)joined.data};
        status = oto_corpus_add(r, &entry, err);
    }
    status = oto_corpus_lines_close(&lines, status, err);
    oto_writer_clear(&joined);
    oto_free(speaker);
    oto_free(path);
    return status;
}

static oto_status report_lonely(struct oto_corpus_reader *r, const struct oto_corpus_source *source,
                                const char *name, oto_error *err)
{
    char *path = oto_join(source->path, name);
    const struct oto_corpus_place at = {path ? oto_corpus_add_file(r, path) : -1, 0};
    oto_free(path);
    if (at.file < 0)
        return oto_fail_memory(err, source->path);
    if (is_text(name))
        oto_corpus_bad_line(r, at, OTO_FAULT_NO_AUDIO,
                            "no audio; expected a file of the same name ending in .wav, .flac, "
                            ".ogg, .opus, .mp3 or the like beside it; add it, or move the text "
                            "away");
    else
        oto_corpus_bad_line(r, at, OTO_FAULT_NO_TEXT,
                            "no transcript; expected a file of the same name ending in .txt "
                            "beside it; add it, or move the audio away");
    return OTO_OK;
}

static oto_status read_folder(struct oto_corpus_reader *r, struct oto_corpus_source *source,
                              oto_error *err)
{
    oto_status status = oto_source_files(source, err);
    const struct oto_paths *files = &source->files;
    bool *used = status == OTO_OK ? oto_calloc(files->n, sizeof *used) : NULL;
    if (status == OTO_OK && !used)
        status = oto_fail_memory(err, source->path);
    for (size_t i = 0; status == OTO_OK && i < files->n; i++) {
        if (oto_audio_ending(files->items[i]) <= 0)
            continue;
        char *text = text_name(files->items[i]);
        ptrdiff_t at = text ? oto_paths_find(files, text) : -1;
        if (!text)
            status = oto_fail_memory(err, source->path);
        else if (at < 0)
            status = report_lonely(r, source, files->items[i], err);
        else
            status = add_pair(r, source, files->items[i], text, err);
        if (at >= 0)
            used[at] = true;
        oto_free(text);
    }
    for (size_t i = 0; status == OTO_OK && i < files->n; i++)
        if (is_text(files->items[i]) && !used[i] && !is_document(files->items[i]))
            status = report_lonely(r, source, files->items[i], err);
    oto_free(used);
    return status;
}

const struct oto_corpus_format oto_corpus_format_folder = {
    .name = "folder", .probe = probe, .read = read_folder};
