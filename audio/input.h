/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Encoded bytes of a file, a pipe or memory, behind one interface for all decoders of this room.
 *
 * A pipe is kept from its start until oto_input_keep_no_more(), so that several readers may look at
 * its header in turn; after that it goes forward only and nothing is kept. Files and memory can be
 * read from anywhere at any time.
 */
#ifndef OTO_AUDIO_INPUT_H
#define OTO_AUDIO_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/** A header longer than this is refused on pipes: what is kept of a pipe never exceeds it. */
#define OTO_INPUT_MAX_HEAD ((size_t)1 << 20)

struct oto_input {
    char *name;      /* for messages: the path, or "standard input" */
    bool is_stdin;   /* opened as "-" */
    bool seekable;   /* regular file or memory */
    int64_t size;    /* bytes, -1 for pipes */
    int64_t offset;  /* of the next byte to be read */
    oto_error error; /* first failed read; status 0 while all is well */
    int fd;          /* -1 for memory */
    bool owns_fd;
    int64_t base; /* where byte 0 lies in fd, for a seekable standard input that was read before */
    const unsigned char *memory;
    unsigned char *head; /* pipes: what was read so far while keeping */
    size_t n_head, head_capacity;
    bool keeping;
};

/** "-" is standard input. Directories, terminals and empty files fail here, each with its own
 * message. */
oto_status oto_input_open(struct oto_input **out, const char *path, oto_error *err) OTO_WARN_UNUSED;
/** data is borrowed until close. */
oto_status oto_input_open_memory(struct oto_input **out, const void *data, size_t size,
                                 const char *name, oto_error *err) OTO_WARN_UNUSED;
/** NULL is a no-op. */
void oto_input_close(struct oto_input *input);
/**
 * Reads what is there, at least one byte unless capacity is 0; *n_read = 0 means the end. From a
 * pipe it may give less than asked for before the end, so that live streams are heard without
 * delay.
 */
oto_status oto_input_read(struct oto_input *input, void *data, size_t capacity, size_t *n_read,
                          oto_error *err) OTO_WARN_UNUSED;
/** Reads until data is full or the input ends. */
oto_status oto_input_read_full(struct oto_input *input, void *data, size_t capacity, size_t *n_read,
                               oto_error *err) OTO_WARN_UNUSED;
/** Moves to any offset (files, memory) or to one inside the kept head (pipes). False when it
 * cannot. */
bool oto_input_seek(struct oto_input *input, int64_t offset);
/** Skips forward, by reading where it must; *n_skipped is less than n only at the end. */
oto_status oto_input_skip(struct oto_input *input, uint64_t n, uint64_t *n_skipped,
                          oto_error *err) OTO_WARN_UNUSED;
/** First bytes, without moving; *n_read < n only when the input is shorter. */
oto_status oto_input_peek(struct oto_input *input, void *data, size_t n, size_t *n_read,
                          oto_error *err) OTO_WARN_UNUSED;
/** From here on a pipe is not kept. No effect on files and memory. */
void oto_input_keep_no_more(struct oto_input *input);
/**
 * Turns a pipe into a file: copies all of it, to its end, into an unlinked temporary file in
 * $TMPDIR (or /tmp) and starts again at its first byte. No effect on what is seekable already.
 * Memory use is constant.
 */
oto_status oto_input_spool(struct oto_input *input, oto_error *err) OTO_WARN_UNUSED;
/** An unlinked temporary file, open for reading and writing, closed on exec; -1 with errno set on
 * failure. */
int oto_input_temporary(void);

#endif
