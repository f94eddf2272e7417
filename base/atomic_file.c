/* SPDX-License-Identifier: BSD-2-Clause */
#define _XOPEN_SOURCE 700 /* realpath */

#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define BUFFER_BYTES 65536
#define MAX_NAME_TRIES 100

struct oto_atomic_file {
    char *path;      /* where the file ends up; symbolic links are resolved */
    char *temporary; /* NULL until it exists */
    int fd;          /* -1 when closed */
    bool failed;     /* a write failed, so commit must not replace the former file */
    size_t n_buffered;
    unsigned char buffer[BUFFER_BYTES];
};

static void release(struct oto_atomic_file *f)
{
    if (f->fd >= 0) {
        close(f->fd);
    }
    if (f->temporary) {
        unlink(f->temporary);
    }
    oto_free(f->temporary);
    oto_free(f->path);
    oto_free(f);
}

void oto_atomic_abort(struct oto_atomic_file *f)
{
    if (f) {
        release(f);
    }
}

/*
 * Sets f->path, and *mode when the file exists. A link is followed, so that its target is replaced
 * and not the link; devices, FIFOs and folders are refused, because a rename would put a file in
 * their place.
 */
static oto_status resolve(struct oto_atomic_file *f, const char *path, mode_t *mode, bool *exists,
                          oto_error *err)
{
    struct stat info;
    char *real = NULL;
    *exists = false;
    if (path[0] == '\0') {
        return oto_fail(err, OTO_ERR_ARGUMENT, "the path of a file to write is empty");
    }
    if (lstat(path, &info) == 0) {
        real = realpath(path, NULL);
        if (!real || stat(real, &info) != 0) {
            oto_status status = oto_fail_errno(err, path, "cannot resolve the link");
            free(real);
            return status;
        }
        if (!S_ISREG(info.st_mode)) {
            free(real);
            return oto_fail(err, OTO_ERR_IO, "%s: %s, expected a regular file or none", path,
                            S_ISDIR(info.st_mode) ? "is a folder" : "is a special file");
        }
        *mode = info.st_mode & 07777;
        *exists = true;
    }
    f->path = oto_strdup(real ? real : path);
    free(real);
    return f->path ? OTO_OK : oto_fail_memory(err, "path of a file to write");
}

/* Creates the temporary; its name is unique among processes by PID and inside this one by a
 * counter. */
static oto_status create_temporary(struct oto_atomic_file *f, oto_error *err)
{
    static atomic_uint counter;
    size_t capacity = strlen(f->path) + 48;
    char *name = oto_calloc(capacity, 1);
    if (!name) {
        return oto_fail_memory(err, "path of a temporary file");
    }
    for (int i = 0; i < MAX_NAME_TRIES && f->fd < 0; i++) {
        snprintf(name, capacity, "%s.tmp-%ld-%u", f->path, (long)getpid(),
                 atomic_fetch_add(&counter, 1));
        f->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd < 0 && errno != EEXIST) { /* EEXIST: left by a killed process that had our PID */
            break;
        }
    }
    if (f->fd < 0) {
        oto_status status = oto_fail_errno(err, name, "cannot create");
        oto_free(name);
        return status;
    }
    f->temporary = name;
    return OTO_OK;
}

oto_status oto_atomic_open(struct oto_atomic_file **out, const char *path, oto_error *err)
{
    *out = NULL;
    struct oto_atomic_file *f = oto_calloc(1, sizeof *f);
    if (!f) {
        return oto_fail_memory(err, "file to write");
    }
    f->fd = -1;
    mode_t mode = 0;
    bool exists = false;
    oto_status status = resolve(f, path, &mode, &exists, err);
    if (status == OTO_OK) {
        status = create_temporary(f, err);
    }
    if (status == OTO_OK && exists && fchmod(f->fd, mode) != 0) {
        status = oto_fail_errno(err, f->temporary, "cannot set permissions");
    }
    if (status != OTO_OK) {
        release(f);
        return status;
    }
    *out = f;
    return OTO_OK;
}

static oto_status write_all(struct oto_atomic_file *f, const unsigned char *p, size_t n,
                            oto_error *err)
{
    while (n > 0) {
        ssize_t written = write(f->fd, p, n);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            f->failed = true;
            return oto_fail_errno(err, f->temporary, "cannot write");
        }
        p += written;
        n -= (size_t)written;
    }
    return OTO_OK;
}

static oto_status flush(struct oto_atomic_file *f, oto_error *err)
{
    size_t n = f->n_buffered;
    f->n_buffered = 0;
    return write_all(f, f->buffer, n, err);
}

oto_status oto_atomic_write(struct oto_atomic_file *f, const void *data, size_t n, oto_error *err)
{
    if (f->failed) {
        return oto_fail(err, OTO_ERR_IO, "%s: an earlier write failed", f->temporary);
    }
    if (n > BUFFER_BYTES - f->n_buffered) {
        oto_status status = flush(f, err);
        if (status != OTO_OK) {
            return status;
        }
    }
    if (n >= BUFFER_BYTES) {
        return write_all(f, data, n, err);
    }
    if (n > 0) {
        memcpy(f->buffer + f->n_buffered, data, n);
        f->n_buffered += n;
    }
    return OTO_OK;
}

/* Makes the rename itself last through a power loss. */
static oto_status sync_folder(const char *path, oto_error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        slash ? oto_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : oto_strdup(".");
    if (!folder) {
        return oto_fail_memory(err, "path of a folder");
    }
    oto_status status = OTO_OK;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        /* A folder that can be written but not read cannot be synced; the file itself is safe. */
        status = errno == EACCES ? OTO_OK : oto_fail_errno(err, folder, "cannot open to sync");
    } else if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP) {
        status = oto_fail_errno(err, folder,
                                "cannot sync"); /* EINVAL: no such thing on this file system */
    }
    if (fd >= 0) {
        close(fd);
    }
    oto_free(folder);
    return status;
}

oto_status oto_atomic_commit(struct oto_atomic_file *f, oto_error *err)
{
    oto_status status;
    if (f->failed) {
        status = oto_fail(err, OTO_ERR_IO, "%s: an earlier write failed", f->temporary);
        goto out;
    }
    status = flush(f, err);
    if (status != OTO_OK) {
        goto out;
    }
    if (fsync(f->fd) != 0) {
        status = oto_fail_errno(err, f->temporary, "cannot sync");
        goto out;
    }
    int fd = f->fd;
    f->fd = -1;
    if (close(fd) != 0) {
        status = oto_fail_errno(err, f->temporary, "cannot close");
        goto out;
    }
    if (rename(f->temporary, f->path) != 0) {
        status = oto_fail_errno(err, f->path, "cannot rename the temporary file to it");
        goto out;
    }
    oto_free(f->temporary);
    f->temporary = NULL;
    status = sync_folder(f->path, err);
out:
    release(f);
    return status;
}

oto_status oto_atomic_save(const char *path, const void *data, size_t n, oto_error *err)
{
    struct oto_atomic_file *f;
    oto_status status = oto_atomic_open(&f, path, err);
    if (status != OTO_OK) {
        return status;
    }
    status = oto_atomic_write(f, data, n, err);
    if (status != OTO_OK) {
        oto_atomic_abort(f);
        return status;
    }
    return oto_atomic_commit(f, err);
}
