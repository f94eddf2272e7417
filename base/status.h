/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef OTO_BASE_STATUS_H
#define OTO_BASE_STATUS_H

#include <stdarg.h>

#include "otolith/status.h"

/**
 * Fills *err (when not NULL) and returns status, so that a failing branch is one line:
 *     return oto_fail(err, OTO_ERR_FORMAT, "%s:%d: expected 5 fields, found %d", path, line, n);
 * Messages longer than the record end in "...". UTF-8 is never cut inside a character.
 */
oto_status oto_fail(oto_error *err, oto_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
oto_status oto_failv(oto_error *err, oto_status status, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/** "out of memory (WHAT)", status OTO_ERR_MEMORY. */
oto_status oto_fail_memory(oto_error *err, const char *what);

/** A failed system call: "PATH: WHAT: strerror(errno)", status OTO_ERR_NOT_FOUND for ENOENT, else
 * OTO_ERR_IO. */
oto_status oto_fail_errno(oto_error *err, const char *path, const char *what);

#endif
