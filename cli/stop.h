/* SPDX-License-Identifier: BSD-2-Clause */
/** Ctrl-C and SIGTERM for work that ends with a checkpoint. */
#ifndef OTO_CLI_STOP_H
#define OTO_CLI_STOP_H

#include <stdbool.h>

/** The first signal asks for a checkpoint; the handler is then gone, so a second one ends the
 * program at once. */
void oto_cli_catch_stop(void);
/** Whether one came; arg is not used, the shape is that of a trainer's stop function. */
bool oto_cli_is_stopped(void *arg);
/** Exit status of work that was stopped: 143 for SIGTERM, else 130. */
int oto_cli_stopped_exit(void);

#endif
