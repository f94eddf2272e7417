/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "otolith/otolith.h"

void oto_help_print(FILE *out)
{
    fprintf(out,
            "Otolith %s: speech to text, and the training of its models.\n\n"
            "Usage:\n"
            "  otolith SUBCOMMAND [options] [arguments]\n"
            "  otolith help SUBCOMMAND\n"
            "  otolith --version\n\n"
            "Examples:\n"
            "  otolith transcribe talk.wav\n"
            "  otolith transcribe --format=json *.flac > out.jsonl\n"
            "  otolith model info english\n\n"
            "Subcommands:\n",
            oto_version());
    for (size_t i = 0; i < oto_n_commands; i++)
        fprintf(out, "  %-12s%s\n", oto_commands[i].name, oto_commands[i].summary);
    fprintf(out,
            "\n"
            "Environment:\n"
            "  OTOLITH_MODEL_PATH  folders with models, colons between\n"
            "  OTOLITH_OPTION      default of --option for any option of a subcommand (upper case, "
            "_ for -)\n"
            "  OTOLITH_ISA         scalar, avx2, avxvnni, avx512 or auto: instructions that may be "
            "used\n"
            "  NO_COLOR            is honoured: there is no colour\n\n"
            "Exit codes:\n"
            "  0 success; 1 some inputs failed, the others are done; 64 usage; 65 unusable data or "
            "model;\n"
            "  66 input missing; 69 device or build part not there; 70 internal; 71 system; 73 "
            "cannot create\n"
            "  the output; 74 input or output failed; 77 no permission; 78 configuration; 130 "
            "interrupted\n");
}

static const struct oto_cli_usage usage = {
    .verb = "help",
    .synopsis = "  otolith help [SUBCOMMAND]\n",
    .examples = "  otolith help transcribe\n",
};

int oto_cmd_help(int argc, char **argv)
{
    const struct oto_option_group none[] = {{0}};
    int n = 0, code = OTO_EXIT_INTERNAL;
    const char **operands = calloc((size_t)argc, sizeof *operands);
    if (operands == NULL) {
        oto_cli_error("out of memory (arguments)");
        return OTO_EXIT_SYSTEM;
    }
    if (!oto_cli_parse(&usage, none, argc, argv, operands, &n, &code))
        goto done;
    if (n == 0) {
        oto_help_print(stdout);
        code = OTO_EXIT_OK;
        goto done;
    }
    if (n > 1) {
        code = oto_cli_usage_error("help", "one subcommand expected, found %d", n);
        goto done;
    }
    const struct oto_command *command = oto_command_find(operands[0]);
    if (command == NULL) {
        const char *near = oto_command_suggest(operands[0]);
        code = oto_cli_usage_error("", "unknown subcommand '%s'%s%s%s", operands[0],
                                   near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                                   near != NULL ? "'?" : "");
        goto done;
    }
    char name[32], help[] = "--help";
    snprintf(name, sizeof name, "%s", command->name);
    char *arguments[] = {name, help, NULL};
    code = command->run(2, arguments);
done:
    free(operands);
    return code;
}
