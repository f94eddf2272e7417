/* SPDX-License-Identifier: BSD-2-Clause */
/** The subcommands, one cli/cmd_NAME.c each. argv[0] is the verb; the result is an exit code of
 * cli/common.h. */
#ifndef OTO_CLI_COMMANDS_H
#define OTO_CLI_COMMANDS_H

#include <stddef.h>
#include <stdio.h>

struct oto_command {
    const char *name;
    const char *summary; /* one line, no full stop */
    int (*run)(int argc, char **argv);
};

/** In the order of `otolith help` (main.c). */
extern const struct oto_command oto_commands[];
extern const size_t oto_n_commands;

/** NULL when unknown. */
const struct oto_command *oto_command_find(const char *name);
/** The nearest known verb, NULL when none is near. */
const char *oto_command_suggest(const char *name);
/** What `otolith help` and `otolith --help` print (cmd_help.c). */
void oto_help_print(FILE *out);

int oto_cmd_transcribe(int argc, char **argv);
int oto_cmd_align(int argc, char **argv);
int oto_cmd_live(int argc, char **argv);
int oto_cmd_train(int argc, char **argv);
int oto_cmd_train_report(int argc, char **argv); /* part of train */
int oto_cmd_eval(int argc, char **argv);
int oto_cmd_features(int argc, char **argv);
int oto_cmd_model(int argc, char **argv);
int oto_cmd_data(int argc, char **argv);
int oto_cmd_bench(int argc, char **argv);
int oto_cmd_lm(int argc, char **argv);
int oto_cmd_devices(int argc, char **argv);
int oto_cmd_help(int argc, char **argv);

#endif
