/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"

int32_t oto_utf8_next(const char *s, size_t *n_bytes)
{
    utf8proc_int32_t code_point;
    *n_bytes = 1;
    if (*s == '\0') {
        *n_bytes = 0;
        return 0;
    }
    /* A negative length means "ends in NUL", and NUL is no continuation byte: nothing past it is
     * read. */
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, -1, &code_point);
    if (n <= 0) {
        return -1;
    }
    *n_bytes = (size_t)n;
    return code_point;
}

ptrdiff_t oto_utf8_invalid_at(const char *s)
{
    const char *p = s;
    while (*p) {
        size_t n;
        if (oto_utf8_next(p, &n) < 0) {
            return p - s;
        }
        p += n;
    }
    return -1;
}

size_t oto_utf8_encode(int32_t code_point, char out[4])
{
    if (!utf8proc_codepoint_valid(code_point)) {
        return 0;
    }
    return (size_t)utf8proc_encode_char(code_point, (utf8proc_uint8_t *)out);
}

size_t oto_utf8_length(const char *s)
{
    size_t length = 0;
    while (*s) {
        size_t n;
        oto_utf8_next(s, &n);
        s += n;
        length++;
    }
    return length;
}

static utf8proc_int32_t change_case(utf8proc_int32_t code_point, void *data)
{
    switch (*(const enum oto_text_case *)data) {
    case OTO_CASE_LOWER:
        return utf8proc_tolower(code_point);
    case OTO_CASE_UPPER:
        return utf8proc_toupper(code_point);
    case OTO_CASE_KEEP:
        break;
    }
    return code_point;
}

oto_status oto_utf8_nfc(char **out, const char *s, enum oto_text_case letter_case, oto_error *err)
{
    *out = NULL;
    ptrdiff_t bad = oto_utf8_invalid_at(s);
    if (bad >= 0) {
        return oto_fail(err, OTO_ERR_DATA, "invalid UTF-8 at byte %td (0x%02x)", bad,
                        (unsigned)(unsigned char)s[bad]);
    }
    if (strncmp(s, "\xEF\xBB\xBF", 3) == 0) {
        s += 3;
    }
    utf8proc_uint8_t *mapped = NULL;
    utf8proc_ssize_t n = utf8proc_map_custom((const utf8proc_uint8_t *)s, 0, &mapped,
                                             UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE,
                                             change_case, &letter_case);
    if (n < 0) {
        if (n == UTF8PROC_ERROR_NOMEM) {
            return oto_fail_memory(err, "normalised text");
        }
        return oto_fail(err, OTO_ERR_DATA, "cannot normalise text: %s", utf8proc_errmsg(n));
    }
    *out = oto_strndup((const char *)mapped, (size_t)n);
    free(mapped);
    return *out ? OTO_OK : oto_fail_memory(err, "normalised text");
}

bool oto_utf8_is_space(int32_t code_point)
{
    if ((code_point >= 0x09 && code_point <= 0x0D) || code_point == 0x85) {
        return true; /* of category Cc, but White_Space */
    }
    utf8proc_category_t category = utf8proc_category(code_point);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

bool oto_utf8_is_punctuation(int32_t code_point)
{
    utf8proc_category_t category = utf8proc_category(code_point);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_SO;
}

int oto_utf8_width(int32_t code_point)
{
    return utf8proc_charwidth(code_point);
}
