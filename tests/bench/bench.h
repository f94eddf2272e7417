/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * What the benchmark programs share: options, clocks, repetition, the machine's peak, and the end
 * of the line of JSON that each prints last.
 *
 * Every line holds median_ms, min_ms and max_ms of the wall clock, cpu_ms (median processor time of
 * the process), gflops, peak_gflops, peak_fraction and rss_mb. One thread is judged by processor
 * time, which other work on the machine hardly moves; more threads by the wall clock.
 */
#ifndef OTO_TESTS_BENCH_H
#define OTO_TESTS_BENCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "acoustic/dsp.h"
#include "acoustic/gemm.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/status.h"

enum { BENCH_REPS_MAX = 1000 };

/** A number in [min, max], or, where choices is set, one of its names ("fp32|int8"). */
struct bench_option {
    const char *name; /* --name=VALUE */
    int *value;
    int min, max;
    const char **text;
    const char *choices;
};

#define BENCH_ISA(variable)                                                                        \
    {                                                                                              \
        "isa", NULL, 0, 0, variable, "auto|avx512|avxvnni|avx2|scalar"                             \
    }

static inline bool bench_is_choice(const char *choices, const char *name, size_t length)
{
    while (choices) {
        size_t n = strcspn(choices, "|");
        if (n == length && strncmp(choices, name, n) == 0)
            return true;
        choices = choices[n] ? choices + n + 1 : NULL;
    }
    return false;
}

static inline bool bench_set(const struct bench_option *option, const char *value)
{
    if (option->choices) {
        *option->text = value;
        return bench_is_choice(option->choices, value, strlen(value));
    }
    char *end;
    long number = strtol(value, &end, 10);
    if (end == value || *end || number < option->min || number > option->max)
        return false;
    *option->value = (int)number;
    return true;
}

/** Sets what the options point at; exits with status 64 on anything unknown or out of range. */
static inline void bench_parse(int argc, char **argv, const struct bench_option *options, size_t n)
{
    for (int i = 1; i < argc; i++) {
        bool good = false;
        for (size_t k = 0; k < n && !good; k++) {
            size_t length = strlen(options[k].name);
            good = strncmp(argv[i], "--", 2) == 0 &&
                   strncmp(argv[i] + 2, options[k].name, length) == 0 &&
                   argv[i][2 + length] == '=' && bench_set(&options[k], argv[i] + 3 + length);
        }
        if (good)
            continue;
        fprintf(stderr, "%s: unknown or out of range; options:", argv[i]);
        for (size_t k = 0; k < n; k++) {
            if (options[k].choices)
                fprintf(stderr, " --%s=%s", options[k].name, options[k].choices);
            else
                fprintf(stderr, " --%s=%d..%d", options[k].name, options[k].min, options[k].max);
        }
        fputc('\n', stderr);
        exit(64);
    }
}

/** Kernels of the instruction set called name; the matrix products follow through OTOLITH_ISA. */
static inline oto_status bench_kernels(struct oto_dsp *dsp, const char *name, oto_error *err)
{
    unsigned flags;
    setenv("OTOLITH_ISA", name, 1);
    oto_status status = oto_cpu_parse(name, &flags, err);
    if (status == OTO_OK)
        oto_dsp_init(dsp, flags);
    return status;
}

/** n numbers in [-range, range], or NULL. */
static inline float *bench_numbers(size_t n, uint64_t stream, double range)
{
    float *x = oto_calloc(n, sizeof *x);
    for (size_t i = 0; x && i < n; i++)
        x[i] = (float)(range * (2 * oto_rng_uniform(1, stream, i) - 1));
    return x;
}

/** Seconds, of the wall or of this process's processor time. */
static inline double bench_now(bool cpu_time)
{
    return cpu_time ? oto_clock_cpu_s() : oto_clock_wall_s();
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

struct bench_times {
    int n;
    double wall_s[BENCH_REPS_MAX], cpu_s[BENCH_REPS_MAX];
};

/** Does the work n_warm times unmeasured and then reps times (at most BENCH_REPS_MAX). */
static inline oto_status bench_repeat(struct bench_times *times, int n_warm, int reps,
                                      oto_status (*work)(void *arg, oto_error *err), void *arg,
                                      oto_error *err)
{
    oto_status status = OTO_OK;
    for (int i = -n_warm; i < reps && status == OTO_OK; i++) {
        const double wall = bench_now(false), cpu = bench_now(true);
        status = work(arg, err);
        if (i >= 0) {
            times->cpu_s[i] = bench_now(true) - cpu;
            times->wall_s[i] = bench_now(false) - wall;
        }
    }
    times->n = reps;
    return status;
}

enum { BENCH_PEAK_SIZE = 768, BENCH_PEAK_REPS = 5, BENCH_PEAK_TASKS = 64 };

struct bench_square {
    float *a, *b, *c;
    size_t stride; /* of C between tasks */
};

static inline void bench_multiply(void *arg, int task)
{
    const struct bench_square *s = arg;
    const size_t n = BENCH_PEAK_SIZE;
    oto_gemm(false, false, n, n, n, s->a, n, s->b, n, 0, s->c + (size_t)task * s->stride, n);
}

/**
 * GFLOP/s of single-precision products of 768 x 768 matrices, one a thread, best of five: what the
 * machine gives to this many threads with the kernels now chosen. 0 when memory runs out.
 */
static inline double bench_peak_gflops(int n_threads)
{
    const size_t n = BENCH_PEAK_SIZE;
    const int n_tasks = n_threads < BENCH_PEAK_TASKS ? n_threads : BENCH_PEAK_TASKS;
    const double gflop = 2e-9 * (double)n * (double)n * (double)n * n_tasks;
    struct bench_square s = {bench_numbers(n * n, 90, 1), bench_numbers(n * n, 91, 1),
                             oto_calloc(n * n * (size_t)n_tasks, sizeof(float)), n * n};
    struct oto_pool *pool = NULL;
    double best = 0;
    if (s.a && s.b && s.c && oto_pool_create(&pool, n_tasks, NULL) == OTO_OK) {
        for (int i = 0; i < BENCH_PEAK_REPS; i++) {
            const double start = bench_now(n_threads == 1);
            oto_pool_run(pool, n_tasks, bench_multiply, &s);
            const double rate = gflop / (bench_now(n_threads == 1) - start);
            best = rate > best ? rate : best;
        }
    }
    oto_pool_destroy(pool);
    oto_free(s.a);
    oto_free(s.b);
    oto_free(s.c);
    return best;
}

/** Megabytes (1e6) that this process had in memory at most so far. */
static inline double bench_rss_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024e-6;
}

/**
 * Ends the line of JSON that the program has begun with its sizes. Times are divided by per (steps
 * in one repetition), gflop is the work of all of them. Sorts the times. Work whose operations say
 * nothing (a search) passes 0, and no rates are printed.
 */
static inline void bench_print_end(struct bench_times *times, int n_threads, int per, double gflop)
{
    const double to_ms = 1e3 / per, rss_mb = bench_rss_mb();
    const double wall = bench_median(times->wall_s, times->n),
                 cpu = bench_median(times->cpu_s, times->n);
    printf(",\"threads\":%d,\"reps\":%d,\"median_ms\":%.5g,\"min_ms\":%.5g,\"max_ms\":%.5g,"
           "\"cpu_ms\":%.5g,\"min_cpu_ms\":%.5g,\"rss_mb\":%.1f",
           n_threads, times->n, to_ms * wall, to_ms * times->wall_s[0],
           to_ms * times->wall_s[times->n - 1], to_ms * cpu, to_ms * times->cpu_s[0], rss_mb);
    if (gflop > 0) {
        const double rate = gflop / (n_threads == 1 ? cpu : wall),
                     peak = bench_peak_gflops(n_threads);
        printf(",\"gflops\":%.4g,\"peak_gflops\":%.4g,\"peak_fraction\":%.3f", rate, peak,
               peak > 0 ? rate / peak : 0.0);
    }
    printf("}\n");
}

/** The program's exit status; says on stderr what went wrong. */
static inline int bench_exit(const char *program, oto_status status, const oto_error *err)
{
    if (status == OTO_OK)
        return 0;
    fprintf(stderr, "%s: %s\n", program, err->message[0] ? err->message : oto_status_text(status));
    return 1;
}

#endif
