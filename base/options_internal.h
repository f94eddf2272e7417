/* SPDX-License-Identifier: BSD-2-Clause */
/** Shared by options.c, options_file.c and options_help.c only. */
#ifndef OTO_BASE_OPTIONS_INTERNAL_H
#define OTO_BASE_OPTIONS_INTERNAL_H

#include "base/options.h"

/** Longest option name a table may hold, with the terminator. */
#define OTO_OPTION_NAME_MAX 64

/**
 * Sets one field. shown is what the user wrote ("--beam", "OTOLITH_BEAM", "recipe.conf:3: beam")
 * and starts the message. dst is unchanged on failure.
 */
oto_status oto_option_assign(const struct oto_option *option, void *dst, const char *shown,
                             const char *value, oto_error *err) OTO_WARN_UNUSED;
/** Whether the first n bytes of name name the option; '_' and '-' are the same. */
bool oto_option_named(const struct oto_option *option, const char *name, size_t n);
/** First option of that name over all groups, its group in *group; NULL when unknown. */
const struct oto_option *oto_option_lookup(const struct oto_option_group *groups, const char *name,
                                           size_t n, const struct oto_option_group **group);
/** Whether a REAL option may be NaN for "not given": its default is "nan". */
bool oto_option_may_miss(const struct oto_option *option);
/** Whether min and max of the option limit anything: min < max. */
bool oto_option_has_range(const struct oto_option *option);
/** Shortest text that reads back as v, in any locale of the program: "16", "-0.5", "1e-08". */
void oto_option_format_real(double v, char *out, size_t capacity);

#endif
