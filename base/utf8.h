/* SPDX-License-Identifier: BSD-2-Clause */
/** Unicode text by utf8proc: the only file that sees it. Strings are NUL-terminated UTF-8; results
 * are freed with oto_free(). */
#ifndef OTO_BASE_UTF8_H
#define OTO_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum oto_text_case { OTO_CASE_KEEP, OTO_CASE_LOWER, OTO_CASE_UPPER };

/** Next code point at s and its length in *n_bytes; -1 with *n_bytes = 1 for an invalid sequence; 0
 * at the end of the string. */
int32_t oto_utf8_next(const char *s, size_t *n_bytes);
/** Offset of the first invalid byte, or -1 when all of it is valid. */
ptrdiff_t oto_utf8_invalid_at(const char *s);
/** Encodes; returns bytes written (1 to 4), 0 for what is no scalar value. out[4] is not
 * terminated. */
size_t oto_utf8_encode(int32_t code_point, char out[4]);
/** Number of code points. */
size_t oto_utf8_length(const char *s);
/** NFC; OTO_ERR_DATA with the byte offset for invalid UTF-8. A leading byte order mark is dropped.
 */
oto_status oto_utf8_nfc(char **out, const char *s, enum oto_text_case letter_case,
                        oto_error *err) OTO_WARN_UNUSED;
bool oto_utf8_is_space(int32_t code_point);
/** Unicode general categories P* and S*. */
bool oto_utf8_is_punctuation(int32_t code_point);
/** Columns on a terminal (0, 1 or 2). */
int oto_utf8_width(int32_t code_point);

#endif
