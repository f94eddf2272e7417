/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lines_codec.h"
#include "base/mem.h"

#define BLOCK ((size_t)65536)

struct oto_lines {
    char *name;
    int fd; /* -1: from memory */
    const unsigned char *memory;
    size_t memory_left;
    double size, n_read; /* bytes of the file; size < 0: not known */

    struct oto_codec codec;     /* decode NULL: plain text */
    unsigned char block[BLOCK]; /* as it comes from the file */
    size_t block_at, block_n;
    bool file_ended, ended; /* of the file; of the text */

    char *text; /* decoded, [capacity] */
    size_t capacity, at, n;
    size_t line;
};

/* ---- bytes ------------------------------------------------------------------------------- */

/* The next block of the file; none left sets file_ended. */
static oto_status fill_block(struct oto_lines *in, oto_error *err)
{
    ssize_t n;
    in->block_at = in->block_n = 0;
    if (in->fd < 0) {
        n = (ssize_t)(in->memory_left < BLOCK ? in->memory_left : BLOCK);
        memcpy(in->block, in->memory, (size_t)n);
        in->memory += n;
        in->memory_left -= (size_t)n;
    } else {
        do
            n = read(in->fd, in->block, BLOCK);
        while (n < 0 && errno == EINTR);
        if (n < 0)
            return oto_fail_errno(err, in->name, "cannot read");
    }
    in->block_n = (size_t)n;
    in->n_read += (double)n;
    in->file_ended = n == 0;
    return OTO_OK;
}

static oto_status start_codec(struct oto_lines *in, const char *what, bool known,
                              bool (*create)(struct oto_codec *), oto_error *err)
{
    if (!known)
        return oto_fail(err, OTO_ERR_UNSUPPORTED,
                        "%s: is compressed by %s, which this build cannot read; unpack it first",
                        in->name, what);
    if (!create(&in->codec))
        return oto_fail_memory(err, what);
    return OTO_OK;
}

/* By the first bytes, all of which the first block has unless a pipe dribbles. */
static oto_status detect(struct oto_lines *in, oto_error *err)
{
    oto_status status = fill_block(in, err);
    while (status == OTO_OK && !in->file_ended && in->block_n < 6 && in->fd >= 0) {
        ssize_t n = read(in->fd, in->block + in->block_n, BLOCK - in->block_n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oto_fail_errno(err, in->name, "cannot read");
        if (n == 0)
            break;
        in->block_n += (size_t)n;
        in->n_read += (double)n;
    }
    if (status != OTO_OK)
        return status;
#ifdef OTO_HAVE_LZMA
    const bool have_xz = true;
    bool (*const xz)(struct oto_codec *) = oto_codec_xz;
#else
    const bool have_xz = false;
    bool (*const xz)(struct oto_codec *) = NULL;
#endif
#ifdef OTO_HAVE_ZLIB
    const bool have_gzip = true;
    bool (*const gzip)(struct oto_codec *) = oto_codec_gzip;
#else
    const bool have_gzip = false;
    bool (*const gzip)(struct oto_codec *) = NULL;
#endif
    if (in->block_n >= 6 && memcmp(in->block, "\xFD\x37zXZ\0", 6) == 0)
        return start_codec(in, "xz", have_xz, xz, err);
    if (in->block_n >= 2 && memcmp(in->block, "\x1F\x8B", 2) == 0)
        return start_codec(in, "gzip", have_gzip, gzip, err);
    return OTO_OK;
}

/* Decodes into room behind the text until something came out or all has ended. */
static oto_status decode(struct oto_lines *in, oto_error *err)
{
    struct oto_codec_buffers b = {.out = (unsigned char *)in->text + in->n,
                                  .n_out = in->capacity - in->n};
    const size_t room = b.n_out;
    while (b.n_out == room && !in->ended) {
        if (in->block_at == in->block_n && !in->file_ended) {
            oto_status status = fill_block(in, err);
            if (status != OTO_OK)
                return status;
        }
        b.in = in->block + in->block_at;
        b.n_in = in->block_n - in->block_at;
        b.last = in->file_ended;
        const char *fault = in->codec.decode(in->codec.state, &b, &in->ended);
        in->block_at = in->block_n - b.n_in;
        if (fault != NULL)
            return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: %s", in->name, in->line + 1, fault);
    }
    in->n += room - b.n_out;
    return OTO_OK;
}

static oto_status copy_plain(struct oto_lines *in, oto_error *err)
{
    if (in->block_at == in->block_n) {
        oto_status status = fill_block(in, err);
        if (status != OTO_OK)
            return status;
    }
    size_t n = in->block_n - in->block_at;
    n = n < in->capacity - in->n ? n : in->capacity - in->n;
    memcpy(in->text + in->n, in->block + in->block_at, n);
    in->block_at += n;
    in->n += n;
    in->ended = in->file_ended;
    return OTO_OK;
}

/* More text behind what is there. */
static oto_status more(struct oto_lines *in, oto_error *err)
{
    if (in->at > 0) {
        memmove(in->text, in->text + in->at, in->n - in->at);
        in->n -= in->at;
        in->at = 0;
    }
    if (in->n == in->capacity) {
        if (in->capacity >= OTO_LINES_MAX)
            return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: line of more than %u bytes", in->name,
                            in->line + 1, OTO_LINES_MAX);
        char *text = oto_realloc(in->text, in->capacity, 2 * in->capacity + 1, 1);
        if (text == NULL)
            return oto_fail_memory(err, "text");
        in->text = text;
        in->capacity *= 2;
    }
    return in->codec.decode != NULL ? decode(in, err) : copy_plain(in, err);
}

/* ---- public ------------------------------------------------------------------------------ */

static oto_status create(struct oto_lines **out, const char *name, oto_error *err)
{
    struct oto_lines *in = oto_calloc(1, sizeof *in);
    if (in == NULL)
        return oto_fail_memory(err, "text");
    in->fd = -1;
    in->size = -1;
    in->capacity = 2 * BLOCK;
    in->name = oto_strdup(name);
    in->text = oto_calloc(in->capacity + 1, 1); /* and a terminator */
    if (in->name == NULL || in->text == NULL) {
        oto_lines_close(in);
        return oto_fail_memory(err, "text");
    }
    *out = in;
    return OTO_OK;
}

oto_status oto_lines_open(struct oto_lines **out, const char *path, oto_error *err)
{
    struct oto_lines *in = NULL;
    struct stat info;
    const bool standard = strcmp(path, "-") == 0;
    *out = NULL;
    oto_status status = create(&in, standard ? "standard input" : path, err);
    if (status != OTO_OK)
        return status;
    in->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0)
        status = oto_fail_errno(err, path, "cannot open");
    else if (fstat(in->fd, &info) != 0)
        status = oto_fail_errno(err, in->name, "cannot stat");
    else if (S_ISREG(info.st_mode))
        in->size = (double)info.st_size;
    if (status == OTO_OK)
        status = detect(in, err);
    if (status != OTO_OK) {
        oto_lines_close(in);
        return status;
    }
    *out = in;
    return OTO_OK;
}

oto_status oto_lines_open_memory(struct oto_lines **out, const void *data, size_t size,
                                 const char *name, oto_error *err)
{
    struct oto_lines *in = NULL;
    *out = NULL;
    oto_status status = create(&in, name, err);
    if (status != OTO_OK)
        return status;
    in->memory = data;
    in->memory_left = size;
    in->size = (double)size;
    status = detect(in, err);
    if (status != OTO_OK) {
        oto_lines_close(in);
        return status;
    }
    *out = in;
    return OTO_OK;
}

void oto_lines_close(struct oto_lines *in)
{
    if (in == NULL)
        return;
    if (in->codec.destroy != NULL)
        in->codec.destroy(in->codec.state);
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    oto_free(in->text);
    oto_free(in->name);
    oto_free(in);
}

oto_status oto_lines_next(struct oto_lines *in, char **line, size_t *n, oto_error *err)
{
    size_t seen = 0; /* bytes of the line that hold no line feed */
    *line = NULL;
    *n = 0;
    for (;;) {
        char *start = in->text + in->at;
        char *feed = memchr(start + seen, '\n', in->n - in->at - seen);
        size_t length = in->n - in->at;
        if (feed == NULL && !in->ended) {
            seen = length;
            oto_status status = more(in, err);
            if (status != OTO_OK)
                return status;
            continue;
        }
        if (feed == NULL && length == 0)
            return OTO_OK;
        if (feed != NULL)
            length = (size_t)(feed - start);
        in->at += length + (feed != NULL);
        in->line++;
        if (length > 0 && start[length - 1] == '\r')
            length--;
        start[length] = '\0';
        *line = start;
        *n = length;
        return OTO_OK;
    }
}

size_t oto_lines_number(const struct oto_lines *in)
{
    return in->line;
}

const char *oto_lines_name(const struct oto_lines *in)
{
    return in->name;
}

double oto_lines_progress(const struct oto_lines *in)
{
    return in->size > 0 ? (in->n_read < in->size ? in->n_read / in->size : 1) : -1;
}
