/* SPDX-License-Identifier: BSD-2-Clause */
#include "audio/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { COPY_BYTES = 65536 };

static oto_status input_create(struct oto_input **out, const char *name, oto_error *err)
{
    struct oto_input *input = oto_calloc(1, sizeof *input);
    char *copy = oto_strdup(name);
    if (input == NULL || copy == NULL) {
        oto_free(copy);
        oto_free(input);
        *out = NULL;
        return oto_fail_memory(err, "audio input");
    }
    input->name = copy;
    input->fd = -1;
    *out = input;
    return OTO_OK;
}

/* Decides by what kind of file fd is whether it can be sought, and refuses what can hold no audio.
 */
static oto_status input_classify(struct oto_input *input, oto_error *err)
{
    struct stat st;
    if (fstat(input->fd, &st) != 0) {
        return oto_fail_errno(err, input->name, "cannot be examined");
    }
    if (S_ISDIR(st.st_mode)) {
        return oto_fail(err, OTO_ERR_FORMAT, "%s: is a directory; an audio file was expected",
                        input->name);
    }
    if (isatty(input->fd)) {
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "%s: is a terminal; pipe audio into it or name a file", input->name);
    }
    input->size = -1;
    if (S_ISREG(st.st_mode)) {
        off_t here = input->is_stdin ? lseek(input->fd, 0, SEEK_CUR) : 0;
        if (here >= 0) {
            input->seekable = true;
            input->base = here;
            input->size = st.st_size > here ? st.st_size - here : 0;
        }
    }
    input->keeping = !input->seekable;
    if (input->size == 0) {
        return oto_fail(err, OTO_ERR_DATA, "%s: is empty (0 bytes)", input->name);
    }
    return OTO_OK;
}

oto_status oto_input_open(struct oto_input **out, const char *path, oto_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    oto_status status = input_create(out, is_stdin ? "standard input" : path, err);
    if (status != OTO_OK) {
        return status;
    }
    struct oto_input *input = *out;
    input->is_stdin = is_stdin;
    if (is_stdin) {
        input->fd = STDIN_FILENO;
    } else {
        do {
            input->fd = open(path, O_RDONLY | O_CLOEXEC);
        } while (input->fd < 0 && errno == EINTR);
        input->owns_fd = input->fd >= 0;
    }
    status =
        input->fd < 0 ? oto_fail_errno(err, path, "cannot be opened") : input_classify(input, err);
    if (status != OTO_OK) {
        oto_input_close(input);
        *out = NULL;
    }
    return status;
}

oto_status oto_input_open_memory(struct oto_input **out, const void *data, size_t size,
                                 const char *name, oto_error *err)
{
    oto_status status = input_create(out, name, err);
    if (status != OTO_OK) {
        return status;
    }
    if (size == 0 || data == NULL) {
        oto_input_close(*out);
        *out = NULL;
        return oto_fail(err, OTO_ERR_DATA, "%s: is empty (0 bytes)", name);
    }
    (*out)->memory = data;
    (*out)->size = (int64_t)size;
    (*out)->seekable = true;
    return OTO_OK;
}

void oto_input_close(struct oto_input *input)
{
    if (input == NULL) {
        return;
    }
    if (input->owns_fd) {
        close(input->fd);
    }
    oto_free(input->head);
    oto_free(input->name);
    oto_free(input);
}

/* Appends to the kept head of a pipe. */
static oto_status keep(struct oto_input *input, const void *data, size_t n, oto_error *err)
{
    if (n > OTO_INPUT_MAX_HEAD - input->n_head) {
        return oto_fail(err, OTO_ERR_FORMAT, "%s: the header is longer than %zu bytes", input->name,
                        OTO_INPUT_MAX_HEAD);
    }
    if (input->n_head + n > input->head_capacity) {
        size_t capacity = input->head_capacity < 4096 ? 4096 : 2 * input->head_capacity;
        while (capacity < input->n_head + n) {
            capacity *= 2;
        }
        void *head = oto_realloc(input->head, input->head_capacity, capacity, 1);
        if (head == NULL) {
            return oto_fail_memory(err, "header of a pipe");
        }
        input->head = head;
        input->head_capacity = capacity;
    }
    memcpy(input->head + input->n_head, data, n);
    input->n_head += n;
    return OTO_OK;
}

/* One successful read(2) or pread(2) of at least one byte, or the end. */
static oto_status read_fd(struct oto_input *input, void *data, size_t capacity, size_t *n_read,
                          oto_error *err)
{
    ssize_t n;
    do {
        n = input->seekable ? pread(input->fd, data, capacity, (off_t)(input->base + input->offset))
                            : read(input->fd, data, capacity);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return oto_fail_errno(err, input->name, "cannot be read");
    }
    *n_read = (size_t)n;
    return OTO_OK;
}

static oto_status read_some(struct oto_input *input, void *data, size_t capacity, size_t *n_read,
                            oto_error *err)
{
    if (input->memory != NULL) {
        int64_t left = input->size - input->offset;
        size_t n = left <= 0 ? 0 : (uint64_t)left < capacity ? (size_t)left : capacity;
        memcpy(data, input->memory + input->offset, n);
        *n_read = n;
        return OTO_OK;
    }
    if (!input->seekable && input->offset < (int64_t)input->n_head) {
        size_t n = input->n_head - (size_t)input->offset;
        n = n < capacity ? n : capacity;
        memcpy(data, input->head + input->offset, n);
        *n_read = n;
        return OTO_OK;
    }
    oto_status status = read_fd(input, data, capacity, n_read, err);
    if (status == OTO_OK && input->keeping && *n_read > 0) {
        status = keep(input, data, *n_read, err);
    }
    return status;
}

oto_status oto_input_read(struct oto_input *input, void *data, size_t capacity, size_t *n_read,
                          oto_error *err)
{
    *n_read = 0;
    if (capacity == 0) {
        return OTO_OK;
    }
    oto_error why = {OTO_OK, ""};
    oto_status status = read_some(input, data, capacity, n_read, &why);
    if (status != OTO_OK) {
        *n_read = 0;
        if (input->error.status == OTO_OK) {
            input->error = why;
        }
        return oto_fail(err, status, "%s", why.message);
    }
    input->offset += (int64_t)*n_read;
    return OTO_OK;
}

oto_status oto_input_read_full(struct oto_input *input, void *data, size_t capacity, size_t *n_read,
                               oto_error *err)
{
    unsigned char *bytes = data;
    *n_read = 0;
    while (*n_read < capacity) {
        size_t n = 0;
        oto_status status = oto_input_read(input, bytes + *n_read, capacity - *n_read, &n, err);
        if (status != OTO_OK) {
            return status;
        }
        if (n == 0) {
            break;
        }
        *n_read += n;
    }
    return OTO_OK;
}

bool oto_input_seek(struct oto_input *input, int64_t offset)
{
    if (offset < 0) {
        return false;
    }
    if (input->seekable) {
        input->offset = offset < input->size ? offset : input->size;
        return true;
    }
    bool kept = input->offset <= (int64_t)input->n_head; /* nothing was read beyond the head */
    if (!kept || offset > (int64_t)input->n_head) {
        return false;
    }
    input->offset = offset;
    return true;
}

oto_status oto_input_skip(struct oto_input *input, uint64_t n, uint64_t *n_skipped, oto_error *err)
{
    *n_skipped = 0;
    if (input->seekable) {
        uint64_t left = (uint64_t)(input->size - input->offset);
        *n_skipped = n < left ? n : left;
        input->offset += (int64_t)*n_skipped;
        return OTO_OK;
    }
    unsigned char scratch[4096];
    while (*n_skipped < n) {
        uint64_t left = n - *n_skipped;
        size_t got = 0;
        oto_status status = oto_input_read(
            input, scratch, left < sizeof scratch ? (size_t)left : sizeof scratch, &got, err);
        if (status != OTO_OK) {
            return status;
        }
        if (got == 0) {
            break;
        }
        *n_skipped += got;
    }
    return OTO_OK;
}

oto_status oto_input_peek(struct oto_input *input, void *data, size_t n, size_t *n_read,
                          oto_error *err)
{
    oto_status status = oto_input_read_full(input, data, n, n_read, err);
    if (status == OTO_OK && !oto_input_seek(input, 0)) {
        return oto_fail(err, OTO_ERR_IO, "%s: its start is no longer there", input->name);
    }
    return status;
}

void oto_input_keep_no_more(struct oto_input *input)
{
    input->keeping = false;
}

int oto_input_temporary(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    if (folder == NULL || folder[0] != '/') {
        folder = "/tmp";
    }
    int n = snprintf(path, sizeof path, "%s/otolith-XXXXXX", folder);
    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkstemp(path);
    if (fd >= 0) {
        unlink(path);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return fd;
}

static oto_status write_all(const struct oto_input *input, int fd, const unsigned char *data,
                            size_t n, oto_error *err)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return oto_fail_errno(err, input->name,
                                  "cannot be copied into a temporary file (TMPDIR)");
        }
        data += done;
        n -= (size_t)done;
    }
    return OTO_OK;
}

oto_status oto_input_spool(struct oto_input *input, oto_error *err)
{
    if (input->seekable) {
        return OTO_OK;
    }
    if (!oto_input_seek(input, 0)) {
        return oto_fail(err, OTO_ERR_IO, "%s: its start is no longer there", input->name);
    }
    int fd = oto_input_temporary();
    if (fd < 0) {
        return oto_fail_errno(err, input->name, "no temporary file could be made (TMPDIR)");
    }
    unsigned char *block = oto_calloc(COPY_BYTES, 1);
    oto_status status = block != NULL ? OTO_OK : oto_fail_memory(err, "copy of a pipe");
    int64_t size = 0;
    input->keeping = false;
    while (status == OTO_OK) {
        size_t n = 0;
        status = oto_input_read(input, block, COPY_BYTES, &n, err);
        if (status != OTO_OK || n == 0) {
            break;
        }
        status = write_all(input, fd, block, n, err);
        size += (int64_t)n;
    }
    oto_free(block);
    if (status != OTO_OK) {
        close(fd);
        return status;
    }
    if (input->owns_fd) {
        close(input->fd);
    }
    input->fd = fd;
    input->owns_fd = true;
    input->seekable = true;
    input->base = 0;
    input->size = size;
    input->offset = 0;
    oto_free(input->head);
    input->head = NULL;
    input->n_head = input->head_capacity = 0;
    return OTO_OK;
}
