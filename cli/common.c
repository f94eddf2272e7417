/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/common.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cli/progress.h"
#include "otolith/otolith.h"

#define MAX_GROUPS 6

struct common_options {
    bool help, quiet, verbose;
};

#define FIELD(f) .offset = offsetof(struct common_options, f)
static const struct oto_option common_table[] = {
    {.name = "help",
     .short_name = 'h',
     .type = OTO_OPTION_BOOL,
     FIELD(help),
     .default_text = "false",
     .help = "Show this help and exit."},
    {.name = "quiet",
     .short_name = 'q',
     .type = OTO_OPTION_BOOL,
     FIELD(quiet),
     .default_text = "false",
     .help = "No notes, warnings and progress; results and errors only."},
    {.name = "verbose",
     .short_name = 'v',
     .type = OTO_OPTION_BOOL,
     FIELD(verbose),
     .default_text = "false",
     .help = "More notes about what happens."},
};
#define N_COMMON (sizeof common_table / sizeof common_table[0])

/* The program's own state, not the library's: one verb runs per process. */
static enum oto_verbosity verbosity = OTO_NORMAL;

enum oto_verbosity oto_cli_verbosity(void)
{
    return verbosity;
}

int oto_exit_code(const oto_error *err, const char *path)
{
    switch (err->status) {
    case OTO_OK:
        return OTO_EXIT_OK;
    case OTO_ERR_ARGUMENT:
        return OTO_EXIT_USAGE;
    case OTO_ERR_MEMORY:
        return OTO_EXIT_SYSTEM;
    case OTO_ERR_NOT_FOUND:
        return OTO_EXIT_NO_INPUT;
    case OTO_ERR_IO:
        if (path != NULL && access(path, F_OK) == 0 && access(path, R_OK) != 0)
            return OTO_EXIT_PERMISSION;
        return OTO_EXIT_IO;
    case OTO_ERR_FORMAT:
    case OTO_ERR_VERSION:
    case OTO_ERR_CHECKSUM:
    case OTO_ERR_DATA:
        return OTO_EXIT_DATA;
    case OTO_ERR_UNSUPPORTED:
    case OTO_ERR_DEVICE:
        return OTO_EXIT_UNAVAILABLE;
    case OTO_ERR_CONFIG:
        return OTO_EXIT_CONFIG;
    case OTO_ERR_INTERRUPTED:
        return OTO_EXIT_INTERRUPTED;
    }
    return OTO_EXIT_INTERNAL;
}

/* ---- messages ---------------------------------------------------------------------------- */

/* One write per line, so that lines of threads do not mix. */
static void print_line(const char *format, va_list args)
{
    char message[1100], line[1200];
    vsnprintf(message, sizeof message, format, args);
    snprintf(line, sizeof line, "otolith: %s\n", message);
    oto_progress_hide();
    fputs(line, stderr);
}

void oto_cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(format, args);
    va_end(args);
}

void oto_cli_note(const char *format, ...)
{
    if (verbosity == OTO_QUIET)
        return;
    va_list args;
    va_start(args, format);
    print_line(format, args);
    va_end(args);
}

int oto_cli_fail(const oto_error *err, const char *path)
{
    oto_cli_error("%s", err->message);
    return oto_exit_code(err, path);
}

void oto_cli_name_file(oto_error *err, const char *file)
{
    char message[sizeof err->message];
    memcpy(message, err->message, sizeof message);
    snprintf(err->message, sizeof err->message, "%.100s: %.140s", file, message);
}

int oto_cli_usage_error(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(format, args);
    va_end(args);
    fprintf(stderr, "See 'otolith help%s%s'.\n", verb[0] != 0 ? " " : "", verb);
    return OTO_EXIT_USAGE;
}

static void log_to_stderr(void *user_data, oto_log_level level, const char *message)
{
    (void)user_data;
    if (level == OTO_LOG_ERROR)
        oto_cli_error("%s", message);
    else
        oto_cli_note("%s%s", level == OTO_LOG_WARNING ? "warning: " : "", message);
}

bool oto_cli_flush(void)
{
    static bool told;
    bool good = fflush(stdout) == 0;
    int code = errno;
    good = good && ferror(stdout) == 0;
    if (!good && !told) {
        told = true;
        oto_cli_error("standard output: %s", code != 0 ? strerror(code) : "write failed");
    }
    return good;
}

/* ---- options ----------------------------------------------------------------------------- */

static void print_usage(const struct oto_cli_usage *usage, const struct oto_option_group *groups)
{
    printf("Usage:\n%s\n", usage->synopsis);
    printf("Examples:\n%s\n", usage->examples);
    oto_options_print_help(groups, stdout);
    if (usage->notes != NULL)
        printf("\n%s", usage->notes);
}

bool oto_cli_parse(const struct oto_cli_usage *usage, const struct oto_option_group *groups,
                   int argc, char **argv, const char **operands, int *n_operands, int *exit_code)
{
    struct common_options common = {0};
    struct oto_option_group all[MAX_GROUPS + 2] = {{0}};
    size_t n = 0;
    oto_error err = {0};
    while (n < MAX_GROUPS && groups[n].table != NULL) {
        all[n] = groups[n];
        n++;
    }
    if (oto_options_init(common_table, N_COMMON, &common, &err) != OTO_OK ||
        oto_options_read_environment(groups, &err) != OTO_OK) {
        *exit_code = oto_cli_fail(&err, NULL);
        return false;
    }
    all[n] = (struct oto_option_group){"General:", common_table, N_COMMON, &common};
    oto_status status = oto_options_parse(all, argc, argv, operands, n_operands, &err);
    if (status != OTO_OK) {
        *exit_code = status == OTO_ERR_CONFIG ? oto_cli_usage_error(usage->verb, "%s", err.message)
                                              : oto_cli_fail(&err, NULL);
        return false;
    }
    if (common.help) {
        print_usage(usage, all);
        *exit_code = OTO_EXIT_OK;
        return false;
    }
    verbosity = common.quiet ? OTO_QUIET : common.verbose ? OTO_VERBOSE : OTO_NORMAL;
    oto_log_set(log_to_stderr, NULL,
                common.quiet     ? OTO_LOG_ERROR
                : common.verbose ? OTO_LOG_DEBUG
                                 : OTO_LOG_WARNING);
    return true;
}
