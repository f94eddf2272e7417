/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of subcommands and the way to them. */
#include <string.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "otolith/otolith.h"

const struct oto_command oto_commands[] = {
    {"transcribe", "speech in audio files to text", oto_cmd_transcribe},
    {"live", "speech from a microphone to text, while it is spoken", oto_cmd_live},
    {"align", "when each word of a known text was said", oto_cmd_align},
    {"train", "recordings with transcripts to a model", oto_cmd_train},
    {"eval", "error rates of a model on a corpus", oto_cmd_eval},
    {"features", "what the network reads of audio files", oto_cmd_features},
    {"model", "show, verify and convert model files", oto_cmd_model},
    {"data", "check, count, split and convert corpora", oto_cmd_data},
    {"bench", "what a model costs: time of each stage, latency, memory", oto_cmd_bench},
    {"lm", "build, ask, convert, prune and mix language models", oto_cmd_lm},
    {"devices", "list the microphones", oto_cmd_devices},
    {"help", "help on a subcommand", oto_cmd_help},
};
const size_t oto_n_commands = sizeof oto_commands / sizeof oto_commands[0];

const struct oto_command *oto_command_find(const char *name)
{
    for (size_t i = 0; i < oto_n_commands; i++) {
        if (strcmp(oto_commands[i].name, name) == 0)
            return &oto_commands[i];
    }
    return NULL;
}

const char *oto_command_suggest(const char *name)
{
    struct oto_option names[sizeof oto_commands / sizeof oto_commands[0]] = {{0}};
    for (size_t i = 0; i < oto_n_commands; i++)
        names[i].name = oto_commands[i].name;
    const struct oto_option_group groups[] = {{NULL, names, oto_n_commands, NULL}, {0}};
    return oto_options_suggest(groups, name);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        oto_help_print(stderr);
        return OTO_EXIT_USAGE;
    }
    const char *verb = argv[1];
    if (strcmp(verb, "--version") == 0 || strcmp(verb, "-V") == 0) {
        printf("otolith %s\n", oto_version());
        return OTO_EXIT_OK;
    }
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0) {
        oto_help_print(stdout);
        return OTO_EXIT_OK;
    }
    const struct oto_command *command = oto_command_find(verb);
    if (command != NULL)
        return command->run(argc - 1, argv + 1);
    const char *near = oto_command_suggest(verb);
    return oto_cli_usage_error(
        "", "unknown %s '%s'%s%s%s", verb[0] == '-' ? "option" : "subcommand", verb,
        near != NULL ? "; did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
}

int main(int argc, char **argv)
{
    int code = run(argc, argv);
    return oto_cli_flush() ? code : OTO_EXIT_IO;
}
