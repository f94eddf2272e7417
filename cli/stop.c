/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/stop.h"

#include <signal.h>
#include <string.h>

#include "cli/common.h"

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

void oto_cli_catch_stop(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool oto_cli_is_stopped(void *arg)
{
    (void)arg;
    return stop_signal != 0;
}

int oto_cli_stopped_exit(void)
{
    return stop_signal == SIGTERM ? 128 + SIGTERM : OTO_EXIT_INTERRUPTED;
}
