/* SPDX-License-Identifier: BSD-2-Clause */
/** Writing JSON to a stream, for results and metrics. Independent of the locale. */
#ifndef OTO_CLI_JSON_H
#define OTO_CLI_JSON_H

#include <stdio.h>

#include "base/options.h"

/** A text in quotes. Bytes that are no valid UTF-8 (file names may hold any) become U+FFFD. NULL is
 * null. */
void oto_json_text(FILE *out, const char *text);
/** The same without quotes: a part of a text. */
void oto_json_characters(FILE *out, const char *text);
/** The shortest form with at most 9 significant digits; null for what JSON has no number for (NaN,
 * infinity). */
void oto_json_number(FILE *out, double value);
/** The same with as many digits as it takes to read back the same number, at most 17. */
void oto_json_exact(FILE *out, double value);
/** A whole option table as an object {"name": value, ...}, on one line. */
void oto_json_options(FILE *out, const struct oto_option *table, size_t n, const void *src);

#endif
