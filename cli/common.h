/* SPDX-License-Identifier: BSD-2-Clause */
/** What the subcommands share: exit codes, option parsing with help, messages. */
#ifndef OTO_CLI_COMMON_H
#define OTO_CLI_COMMON_H

#include <stdbool.h>
#include <stdio.h>

#include "base/options.h"
#include "base/status.h"

/** As sysexits.h has them; 1 where a batch went on past failed inputs. */
enum oto_exit {
    OTO_EXIT_OK = 0,
    OTO_EXIT_SOME_FAILED = 1,
    OTO_EXIT_USAGE = 64,
    OTO_EXIT_DATA = 65,        /* damaged or unusable file, model or audio */
    OTO_EXIT_NO_INPUT = 66,    /* it does not exist */
    OTO_EXIT_UNAVAILABLE = 69, /* device, or a part this build lacks */
    OTO_EXIT_INTERNAL = 70,
    OTO_EXIT_SYSTEM = 71, /* out of memory, no threads */
    OTO_EXIT_CANNOT_CREATE = 73,
    OTO_EXIT_IO = 74, /* also a full disk behind standard output */
    OTO_EXIT_PERMISSION = 77,
    OTO_EXIT_CONFIG = 78, /* recipe, configuration file, environment */
    OTO_EXIT_INTERRUPTED = 130
};

/** The code for a failure. path (may be NULL) is the file it was about, to tell a missing
 * permission from other errors. */
int oto_exit_code(const oto_error *err, const char *path);

/** -q and -v, as the last successful oto_cli_parse() of this process found them. */
enum oto_verbosity { OTO_QUIET = -1, OTO_NORMAL = 0, OTO_VERBOSE = 1 };
enum oto_verbosity oto_cli_verbosity(void);

struct oto_cli_usage {
    const char *verb;
    const char *synopsis; /* lines "otolith VERB [options] FILE..." */
    const char *examples; /* lines "  otolith ...", shown before the options */
    const char *notes;    /* shown after the options, or NULL */
};

/**
 * Environment, then command line, into the groups (at most 6, their structs initialised by
 * oto_options_init()), with
 * --help, -q and -v added. Sends library messages to standard error from then on.
 * @return true to go on; false when *exit_code says how to end (help was printed, or a usage error)
 */
bool oto_cli_parse(const struct oto_cli_usage *usage, const struct oto_option_group *groups,
                   int argc, char **argv, const char **operands, int *n_operands, int *exit_code);

/** "otolith: MESSAGE" on standard error, whatever -q says. Clears a progress line first. */
void oto_cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** The same unless -q. */
void oto_cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** oto_cli_error() with the message, and its exit code. */
int oto_cli_fail(const oto_error *err, const char *path);
/** Puts FILE before a message of something that knows no file. */
void oto_cli_name_file(oto_error *err, const char *file);
/** A usage error: MESSAGE and where help is; OTO_EXIT_USAGE. */
int oto_cli_usage_error(const char *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Flushes standard output; false with a message once writing to it has failed (disk full). main()
 * makes that exit 74. */
bool oto_cli_flush(void);

#endif
