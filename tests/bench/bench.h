/* SPDX-License-Identifier: BSD-2-Clause */
/** What the benchmark programs share: options NAME=NUMBER, clocks, medians. They print one line of
 * JSON each. */
#ifndef OTO_TESTS_BENCH_H
#define OTO_TESTS_BENCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench_option {
    const char *name; /* --name=N */
    int *value;
    int min, max;
};

/** Seconds, of the wall or of this process's processor time. */
static inline double bench_now(bool cpu_time)
{
    struct timespec t;
    clock_gettime(cpu_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** Sorts. */
static inline double bench_median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, bench_compare);
    return v[n / 2];
}

/** Sets *isa from --isa=NAME and the numbers from --name=N; exits with status 64 on anything else.
 */
static inline void bench_parse(int argc, char **argv, const struct bench_option *options, size_t n,
                               const char **isa)
{
    for (int i = 1; i < argc; i++) {
        bool known = false;
        if (strncmp(argv[i], "--isa=", 6) == 0) {
            *isa = argv[i] + 6;
            continue;
        }
        for (size_t k = 0; k < n && !known; k++) {
            size_t length = strlen(options[k].name);
            if (strncmp(argv[i], "--", 2) != 0 ||
                strncmp(argv[i] + 2, options[k].name, length) != 0 || argv[i][2 + length] != '=')
                continue;
            char *end;
            long value = strtol(argv[i] + 3 + length, &end, 10);
            known = *end == '\0' && value >= options[k].min && value <= options[k].max;
            *options[k].value = (int)value;
        }
        if (known)
            continue;
        fprintf(stderr, "%s: unknown or out of range; options: --isa=scalar|avx2|avx512|auto",
                argv[i]);
        for (size_t k = 0; k < n; k++)
            fprintf(stderr, " --%s=%d..%d", options[k].name, options[k].min, options[k].max);
        fputc('\n', stderr);
        exit(64);
    }
}

#endif
