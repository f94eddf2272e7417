/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef OTO_BASE_STATUS_H
#define OTO_BASE_STATUS_H

#include <stdarg.h>

#include "otolith/status.h"

/**
 * Fills *err (when not NULL) and returns status, so that a failing branch is one line:
 *     return oto_fail(err, OTO_ERR_FORMAT, "%s:%d: expected 5 fields, found %d", path, line, n);
 * Messages longer than the record end in "...". What is no UTF-8 and control characters, which may
 * come from untrusted data, become '?'; a character is never cut in the middle.
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

#if defined(__clang_analyzer__) && !defined(OTO_STATUS_IMPLEMENTATION)
/* Static analysis looks at one file at a time; told that these never return OTO_OK, it does not
 * follow paths on which an object was neither made nor the failure seen. */
#define oto_fail(err, status, ...) ((void)oto_fail(err, status, __VA_ARGS__), (status))
#define oto_fail_memory(err, what) ((void)oto_fail_memory(err, what), OTO_ERR_MEMORY)
#define oto_fail_errno(err, path, what) ((void)oto_fail_errno(err, path, what), OTO_ERR_IO)
#endif

#endif
