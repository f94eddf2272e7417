/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Text from a file or standard input, line by line, in bounded memory. Compression by gzip or xz is
 * seen by content and undone on the way, where the build has the library.
 */
#ifndef OTO_BASE_LINES_H
#define OTO_BASE_LINES_H

#include <stddef.h>

#include "base/status.h"

/** Longer lines are refused: a text that has one is no text. */
#define OTO_LINES_MAX (16u << 20)

struct oto_lines;

/** path "-" is standard input. OTO_ERR_NOT_FOUND, OTO_ERR_IO, OTO_ERR_MEMORY; OTO_ERR_UNSUPPORTED
 * for a compression that this build cannot read. */
oto_status oto_lines_open(struct oto_lines **out, const char *path, oto_error *err) OTO_WARN_UNUSED;
/** The same from memory, borrowed until close; name is for messages. */
oto_status oto_lines_open_memory(struct oto_lines **out, const void *data, size_t size,
                                 const char *name, oto_error *err) OTO_WARN_UNUSED;
/** NULL is a no-op. */
void oto_lines_close(struct oto_lines *in);
/**
 * Next line without its end (LF or CRLF), NUL-terminated, valid until the next call; may be written
 * to. *line is NULL at the end. A line may hold NUL bytes: *n is its length. OTO_ERR_FORMAT for a
 * line that is too long and for damaged compression, with FILE:LINE; OTO_ERR_IO.
 */
oto_status oto_lines_next(struct oto_lines *in, char **line, size_t *n,
                          oto_error *err) OTO_WARN_UNUSED;
/** Number of the line that was read last, from 1. */
size_t oto_lines_number(const struct oto_lines *in);
const char *oto_lines_name(const struct oto_lines *in);
/** Part of the file that was read, 0 to 1; negative where its size is not known. */
double oto_lines_progress(const struct oto_lines *in);

#endif
