/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * One table describes a set of options; from it come the defaults, the command-line parser, --help,
 * config and recipe files, environment variables and the JSON in model files. A program may combine
 * several tables, each with its own struct.
 */
#ifndef OTO_BASE_OPTIONS_H
#define OTO_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

enum oto_option_type {
    OTO_OPTION_BOOL,   /* bool:    true|false|yes|no|on|off|1|0; on the command line --name and
                          --no-name too */
    OTO_OPTION_INT,    /* int:     decimal in [min, max] */
    OTO_OPTION_U64,    /* uint64_t, decimal (seeds) */
    OTO_OPTION_REAL,   /* double in [min, max] */
    OTO_OPTION_CHOICE, /* int:     index into choices */
    OTO_OPTION_TEXT    /* char *:  owned by the struct, never NULL after oto_options_init() */
};

struct oto_option {
    const char *name; /* lower case with hyphens; underscores are accepted for them everywhere */
    char short_name;  /* 0 for none */
    enum oto_option_type type;
    size_t offset;              /* of the field in the struct */
    const char *default_text;   /* parsed like a value given by the user; REAL: "nan" = no value */
    double min, max;            /* INT and REAL; both 0 = any value */
    const char *const *choices; /* CHOICE: NULL-terminated */
    const char *argument;       /* shown in help: "N", "FILE", "HZ"; NULL picks one by type */
    const char *help;           /* one sentence with unit, without the default */
    bool hidden;                /* not shown in --help */
};

/** A table bound to the struct it fills. A list of these ends with {0}. */
struct oto_option_group {
    const char *title; /* heading in --help */
    const struct oto_option *table;
    size_t n;
    void *dst;
};

/** Sets all defaults. OTO_ERR_MEMORY only. Call once on a zeroed struct; release with
 * oto_options_clear(). */
oto_status oto_options_init(const struct oto_option *table, size_t n, void *dst,
                            oto_error *err) OTO_WARN_UNUSED;
/** Frees the texts. */
void oto_options_clear(const struct oto_option *table, size_t n, void *dst);
/** Parses one value. The message names the option, what was found, what is allowed. OTO_ERR_CONFIG.
 * dst is unchanged on failure. */
oto_status oto_options_set(const struct oto_option *table, size_t n, void *dst, const char *name,
                           const char *value, oto_error *err) OTO_WARN_UNUSED;
/** Text of a value as oto_options_set() would read it back (shortest exact form); free with
 * oto_free(). */
char *oto_options_get(const struct oto_option *option, const void *dst);
/** Whether two structs have the same value; no value (NaN) is one. */
bool oto_options_equal(const struct oto_option *option, const void *a, const void *b);
const struct oto_option *oto_options_find(const struct oto_option *table, size_t n,
                                          const char *name);
/** The nearest known name by edit distance over all groups, NULL when none is near. */
const char *oto_options_suggest(const struct oto_option_group *groups, const char *name);

/**
 * Reads a file of `name = value` lines ('#' starts a comment at the start of a line or after white
 * space; values may be in double quotes). Unknown names and bad values fail with FILE:LINE and the
 * nearest name. A name given twice is an error.
 */
oto_status oto_options_read_file(const struct oto_option_group *groups, const char *path,
                                 oto_error *err) OTO_WARN_UNUSED;
/** OTOLITH_NAME=value for every option (upper case, underscores). Unset and empty variables are
 * skipped. */
oto_status oto_options_read_environment(const struct oto_option_group *groups,
                                        oto_error *err) OTO_WARN_UNUSED;

/**
 * Command line: --name=value, --name value, -n value, -nvalue, --flag, --no-flag; "--" ends
 * options, "-" is an operand. Options and operands may be mixed; switches may be strung together
 * (-qv). argv[0] is skipped. A value that itself starts with "--" needs the form with '='. Where
 * several groups know a name, the first has it. What came before a failure stays set.
 * @param operands  [argc] receives pointers into argv in order; *n_operands their number
 * An unknown option is OTO_ERR_CONFIG "unknown option --fromat; did you mean --format?".
 */
oto_status oto_options_parse(const struct oto_option_group *groups, int argc, char **argv,
                             const char **operands, int *n_operands,
                             oto_error *err) OTO_WARN_UNUSED;
/**
 * Whether the option was named on the command line (for precedence: flag, environment, file). A
 * short form is seen at the start of an argument, not inside strung switches.
 */
bool oto_options_in_argv(const struct oto_option *option, int argc, char **argv);
/** Grouped option list with arguments, defaults, ranges, wrapped at 100 columns. */
void oto_options_print_help(const struct oto_option_group *groups, FILE *out);
/** `name = value` lines of a whole group, readable by oto_options_read_file(). */
void oto_options_print(const struct oto_option_group *group, FILE *out);

#endif
