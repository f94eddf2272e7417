/* SPDX-License-Identifier: BSD-2-Clause */
/* peak_memory FILE COMMAND...: runs the command, writes the peak of its resident memory in KiB to
 * the file, as the kernel has it when all is over, and ends with its exit code. */
#define _DEFAULT_SOURCE 1 /* wait4() */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: peak_memory FILE COMMAND...\n");
        return 64;
    }
    const pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int how = 0;
    struct rusage used;
    if (child < 0 || wait4(child, &how, 0, &used) != child) {
        perror("peak_memory");
        return 71;
    }
    FILE *f = fopen(argv[1], "w");
    const int n = f != NULL ? fprintf(f, "%ld\n", used.ru_maxrss) : -1;
    if (f == NULL || fclose(f) != 0 || n < 0) {
        perror(argv[1]);
        return 74;
    }
    return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}
