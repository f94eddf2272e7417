/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

static void write_character(FILE *out, const char *p, size_t n, int32_t code_point)
{
    switch (code_point) {
    case '"':
        fputs("\\\"", out);
        return;
    case '\\':
        fputs("\\\\", out);
        return;
    case '\n':
        fputs("\\n", out);
        return;
    case '\t':
        fputs("\\t", out);
        return;
    case '\r':
        fputs("\\r", out);
        return;
    default:
        break;
    }
    if (code_point < 0)
        fputs("\xEF\xBF\xBD", out);
    else if (code_point < 0x20 || code_point == 0x7F || code_point == 0x2028 ||
             code_point == 0x2029)
        fprintf(out, "\\u%04x",
                (unsigned)code_point); /* the last two end a line for some readers */
    else
        fwrite(p, 1, n, out);
}

void oto_json_characters(FILE *out, const char *text)
{
    while (*text != 0) {
        size_t n;
        int32_t code_point = oto_utf8_next(text, &n);
        write_character(out, text, n, code_point);
        text += n;
    }
}

void oto_json_text(FILE *out, const char *text)
{
    if (text == NULL) {
        fputs("null", out);
        return;
    }
    putc('"', out);
    oto_json_characters(out, text);
    putc('"', out);
}

static void write_number(FILE *out, double value, int digits)
{
    char text[40];
    if (!isfinite(value)) {
        fputs("null", out);
        return;
    }
    snprintf(text, sizeof text, "%.*g", digits, value);
    char *comma = strchr(text, ','); /* the program may have set a locale */
    if (comma != NULL)
        *comma = '.';
    fputs(text, out);
}

void oto_json_number(FILE *out, double value)
{
    write_number(out, value, 9);
}

void oto_json_exact(FILE *out, double value)
{
    char text[40];
    int digits = 9;
    for (; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (!(back < value) && !(back > value))
            break;
    }
    write_number(out, value, digits);
}

void oto_json_options(FILE *out, const struct oto_option *table, size_t n, const void *src)
{
    putc('{', out);
    for (size_t i = 0; i < n; i++) {
        char *value = oto_options_get(&table[i], src);
        bool bare = table[i].type == OTO_OPTION_BOOL || table[i].type == OTO_OPTION_INT ||
                    table[i].type == OTO_OPTION_U64 || table[i].type == OTO_OPTION_REAL;
        fprintf(out, "%s\"%s\":", i > 0 ? "," : "", table[i].name);
        if (value != NULL && bare && strstr(value, "inf") == NULL && strstr(value, "nan") == NULL)
            fputs(value, out);
        else
            oto_json_text(out, value);
        oto_free(value);
    }
    putc('}', out);
}
