/* SPDX-License-Identifier: BSD-2-Clause */
/** Files and folders as format readers look at them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "training/corpus_reader.h"

enum { MAX_DEPTH = 8 /* of folders in folders: links may go in circles */ };

static const char *const endings[] = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif",
                                      ".au",  ".caf",  ".w64", ".rf64", ".sph", ".oga"};

char *oto_join(const char *folder, const char *name)
{
    size_t n = strlen(folder), capacity = n + strlen(name) + 2;
    char *path = oto_calloc(capacity, 1);
    if (path)
        snprintf(path, capacity, "%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name);
    return path;
}

ptrdiff_t oto_audio_ending(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return dot - path;
    return -1;
}

char *oto_find_audio(const char *folder, const char *stem)
{
    struct stat st;
    size_t capacity = strlen(stem) + 8;
    char *name = oto_calloc(capacity, 1), *path = NULL;
    for (size_t i = 0; name && i < sizeof endings / sizeof *endings; i++) {
        snprintf(name, capacity, "%s%s", stem, endings[i]);
        path = oto_join(folder, name);
        if (!path || (stat(path, &st) == 0 && S_ISREG(st.st_mode)))
            break;
        oto_free(path);
        path = NULL;
        if (i + 1 == sizeof endings / sizeof *endings) {
            snprintf(name, capacity, "%s%s", stem, endings[0]);
            path = oto_join(folder, name);
        }
    }
    oto_free(name);
    return path;
}

bool oto_source_has(const struct oto_corpus_source *source, const char *name)
{
    struct stat st;
    char *path = source->is_folder ? oto_join(source->path, name) : NULL;
    bool has = path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
    oto_free(path);
    return has;
}

char *oto_source_first_line(const struct oto_corpus_source *source)
{
    const char *p = source->head;
    size_t n = source->n_head;
    if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
        p += 3;
        n -= 3;
    }
    const char *newline = n > 0 ? memchr(p, '\n', n) : NULL;
    n = newline ? (size_t)(newline - p) : n;
    if (n > 0 && p[n - 1] == '\r')
        n--;
    return oto_strndup(n > 0 ? p : "", n);
}

/* ---- all files of a folder ------------------------------------------------------------------- */

void oto_paths_clear(struct oto_paths *paths)
{
    for (size_t i = 0; i < paths->n; i++)
        oto_free(paths->items[i]);
    oto_free(paths->items);
    memset(paths, 0, sizeof *paths);
}

static oto_status paths_add(struct oto_paths *paths, char *item, oto_error *err)
{
    if (paths->n == paths->capacity) {
        size_t capacity = paths->capacity ? 2 * paths->capacity : 256;
        char **items = oto_realloc(paths->items, paths->capacity, capacity, sizeof *items);
        if (!items) {
            oto_free(item);
            return oto_fail_memory(err, "names of files");
        }
        paths->items = items;
        paths->capacity = capacity;
    }
    paths->items[paths->n++] = item;
    return OTO_OK;
}

static oto_status list_folder(struct oto_paths *paths, const char *root, const char *below,
                              int depth, oto_error *err);

static oto_status list_entry(struct oto_paths *paths, const char *root, const char *below,
                             const char *name, int depth, oto_error *err)
{
    struct stat st;
    char *relative = *below ? oto_join(below, name) : oto_strdup(name);
    char *full = relative ? oto_join(root, relative) : NULL;
    oto_status status = full ? OTO_OK : oto_fail_memory(err, root);
    bool there = full && stat(full, &st) == 0; /* a link to nowhere is no file */
    oto_free(full);
    if (there && S_ISREG(st.st_mode))
        return paths_add(paths, relative, err);
    if (there && S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
        status = list_folder(paths, root, relative, depth + 1, err);
    oto_free(relative);
    return status;
}

static oto_status list_folder(struct oto_paths *paths, const char *root, const char *below,
                              int depth, oto_error *err)
{
    char *path = *below ? oto_join(root, below) : oto_strdup(root);
    DIR *dir = path ? opendir(path) : NULL;
    oto_status status = OTO_OK;
    if (!path)
        status = oto_fail_memory(err, root);
    else if (!dir)
        status = oto_fail_errno(err, path, "cannot be listed");
    for (struct dirent *e; status == OTO_OK && (e = readdir(dir));)
        if (e->d_name[0] != '.')
            status = list_entry(paths, root, below, e->d_name, depth, err);
    if (dir)
        closedir(dir);
    oto_free(path);
    return status;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

oto_status oto_source_files(struct oto_corpus_source *source, oto_error *err)
{
    if (source->listed)
        return OTO_OK;
    oto_status status = list_folder(&source->files, source->path, "", 0, err);
    if (status != OTO_OK) {
        oto_paths_clear(&source->files);
        return status;
    }
    if (source->files.n > 0)
        qsort(source->files.items, source->files.n, sizeof *source->files.items, compare);
    source->listed = true;
    return OTO_OK;
}

ptrdiff_t oto_paths_find(const struct oto_paths *paths, const char *path)
{
    char **at =
        paths->n > 0 ? bsearch(&path, paths->items, paths->n, sizeof *paths->items, compare) : NULL;
    return at ? at - paths->items : -1;
}
