/* SPDX-License-Identifier: BSD-2-Clause */
/* Where model files are looked for. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/status.h"
#include "otolith/otolith.h"

#define DEFAULT_MODEL "english"

struct search {
    const char *name;
    bool has_suffix; /* ".oto" is not appended a second time */
    char *path;
    size_t capacity;
    bool too_long;   /* a file was there, but its path does not fit */
    char tried[200]; /* folders so far, for the message */
};

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

static void note_tried(struct search *s, const char *folder, size_t n)
{
    size_t used = strlen(s->tried);
    char text[sizeof s->tried];
    snprintf(text, sizeof text, "%.*s", (int)n, folder);
    if (strstr(s->tried, text) != NULL) /* the install prefix is often among the data folders */
        return;
    snprintf(s->tried + used, sizeof s->tried - used, "%s%s", used > 0 ? ", " : "", text);
}

/* Looks for NAME.oto and NAME in FOLDER/sub. */
static bool look_in(struct search *s, const char *folder, size_t n, const char *sub)
{
    static const char *const suffixes[] = {".oto", ""};
    if (n == 0 || folder[0] != '/') /* the XDG rule: relative folders are ignored */
        return false;
    char path[4096];
    for (int i = s->has_suffix ? 1 : 0; i < 2; i++) {
        int length =
            snprintf(path, sizeof path, "%.*s%s/%s%s", (int)n, folder, sub, s->name, suffixes[i]);
        if (length < 0 || (size_t)length >= sizeof path || !is_file(path))
            continue;
        s->too_long = (size_t)length >= s->capacity;
        if (!s->too_long)
            memcpy(s->path, path, (size_t)length + 1);
        return true;
    }
    note_tried(s, path, strlen(path) - strlen(s->name) - 1);
    return false;
}

/* Each folder of a colon-separated list. */
static bool look_in_list(struct search *s, const char *list, const char *sub)
{
    while (list != NULL && *list != 0) {
        size_t n = strcspn(list, ":");
        if (look_in(s, list, n, sub))
            return true;
        list += n + (list[n] == ':');
    }
    return false;
}

static bool look_everywhere(struct search *s)
{
    const char *own = getenv("OTOLITH_MODEL_PATH");
    const char *data_home = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    const char *data_dirs = getenv("XDG_DATA_DIRS");
    if (look_in_list(s, own, ""))
        return true;
    if (data_home != NULL && data_home[0] != 0) {
        if (look_in(s, data_home, strlen(data_home), "/otolith/models"))
            return true;
    } else if (home != NULL && look_in(s, home, strlen(home), "/.local/share/otolith/models")) {
        return true;
    }
    if (data_dirs == NULL || data_dirs[0] == 0)
        data_dirs = "/usr/local/share:/usr/share";
    if (look_in_list(s, data_dirs, "/otolith/models"))
        return true;
#ifdef OTO_MODEL_DIR_INSTALL
    if (look_in(s, OTO_MODEL_DIR_INSTALL, strlen(OTO_MODEL_DIR_INSTALL), ""))
        return true;
#endif
#ifdef OTO_MODEL_DIR_SOURCE
    if (look_in(s, OTO_MODEL_DIR_SOURCE, strlen(OTO_MODEL_DIR_SOURCE), ""))
        return true;
#endif
    return false;
}

oto_status oto_model_find(const char *name, char *path, size_t capacity, oto_error *err)
{
    if (path == NULL || capacity == 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_model_find: no room for the path");
    path[0] = 0;
    bool named = name != NULL && name[0] != 0;
    if (!named)
        name = DEFAULT_MODEL;
    if (named && (strchr(name, '/') != NULL || is_file(name))) {
        size_t n = strlen(name);
        if (n >= capacity)
            return oto_fail(err, OTO_ERR_ARGUMENT, "%s: the path is longer than %zu bytes", name,
                            capacity - 1);
        memcpy(path, name, n + 1);
        return OTO_OK;
    }
    size_t n = strlen(name);
    struct search s = {.name = name,
                       .has_suffix = n > 4 && strcmp(name + n - 4, ".oto") == 0,
                       .path = path,
                       .capacity = capacity};
    if (!look_everywhere(&s))
        return oto_fail(err, OTO_ERR_NOT_FOUND, "model '%.60s' not found; looked in %s", name,
                        s.tried);
    if (s.too_long)
        return oto_fail(err, OTO_ERR_ARGUMENT, "model '%.60s': its path is longer than %zu bytes",
                        name, capacity - 1);
    return OTO_OK;
}
