/* SPDX-License-Identifier: BSD-2-Clause */
#define OTO_STATUS_IMPLEMENTATION
#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "otolith/otolith.h"

#ifndef OTO_VERSION
#define OTO_VERSION "0.0.0"
#endif

const char *oto_version(void)
{
    return OTO_VERSION;
}

const char *oto_status_text(oto_status status)
{
    switch (status) {
    case OTO_OK:
        return "success";
    case OTO_ERR_ARGUMENT:
        return "invalid argument";
    case OTO_ERR_MEMORY:
        return "out of memory";
    case OTO_ERR_NOT_FOUND:
        return "not found";
    case OTO_ERR_IO:
        return "input or output failed";
    case OTO_ERR_FORMAT:
        return "not in the expected format";
    case OTO_ERR_VERSION:
        return "unsupported format version";
    case OTO_ERR_CHECKSUM:
        return "checksum mismatch";
    case OTO_ERR_UNSUPPORTED:
        return "not supported by this build or machine";
    case OTO_ERR_DEVICE:
        return "audio device failed";
    case OTO_ERR_CONFIG:
        return "wrong option or configuration";
    case OTO_ERR_DATA:
        return "unusable input data";
    case OTO_ERR_INTERRUPTED:
        return "interrupted";
    }
    return "unknown status";
}

/*
 * Messages quote file names and untrusted data: what is no UTF-8 (also where a precision in the
 * format has cut a character) and control characters, which a terminal would obey, become question
 * marks.
 */
static void make_printable(char *message)
{
    char *out = message;
    for (const char *in = message; *in;) {
        size_t n;
        int32_t c = oto_utf8_next(in, &n);
        if (c < 0x20 || (c >= 0x7F && c < 0xA0)) {
            *out++ = '?';
        } else {
            memmove(out, in, n);
            out += n;
        }
        in += n;
    }
    *out = '\0';
}

/* Ends a message that did not fit in "...", in front of a character that would otherwise be cut. */
static void mark_cut(char *message, size_t capacity)
{
    size_t end = capacity - 4; /* three dots and the terminator */
    while (end > 0 && ((unsigned char)message[end] & 0xC0) == 0x80) {
        end--;
    }
    memcpy(message + end, "...", 4);
}

oto_status oto_failv(oto_error *err, oto_status status, const char *format, va_list args)
{
    if (!err) {
        return status;
    }
    /* Into a copy first: an argument may be the message that is being replaced. */
    char message[sizeof err->message];
    int n = vsnprintf(message, sizeof message, format, args);
    if (n < 0) {
        snprintf(message, sizeof message, "%s", oto_status_text(status));
    } else if ((size_t)n >= sizeof message) {
        mark_cut(message, sizeof message);
    }
    make_printable(message);
    memcpy(err->message, message, sizeof message);
    err->status = status;
    return status;
}

oto_status oto_fail(oto_error *err, oto_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    oto_failv(err, status, format, args);
    va_end(args);
    return status;
}

oto_status oto_fail_memory(oto_error *err, const char *what)
{
    return oto_fail(err, OTO_ERR_MEMORY, "out of memory (%s)", what);
}

oto_status oto_fail_errno(oto_error *err, const char *path, const char *what)
{
    int code = errno;
    oto_status status = OTO_ERR_IO;
    if (code == ENOENT) {
        status = OTO_ERR_NOT_FOUND;
    } else if (code == ENOMEM) {
        status = OTO_ERR_MEMORY;
    }
    char reason[96];
    if (strerror_r(code, reason, sizeof reason) != 0) {
        snprintf(reason, sizeof reason, "error %d", code);
    }
    return oto_fail(err, status, "%s: %s: %s", path, what, reason);
}
