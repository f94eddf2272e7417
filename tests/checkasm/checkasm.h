/* SPDX-License-Identifier: BSD-2-Clause */
/** What a kernel test needs: random numbers, buffers with poisoned margins, worst errors against a
 * bound, CPU masks. */
#ifndef OTO_TESTS_CHECKASM_H
#define OTO_TESTS_CHECKASM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"

/* Unit round-off of float. */
#define U24 (1.0 / 16777216)

/** gamma_n = n u / (1 - n u): bounds the relative error of a sum of n rounded products in any order
 * (Higham 2002, 3.1). */
static inline double gamma_of(double n)
{
    return n * U24 / (1 - n * U24);
}

struct random {
    uint64_t state;
};

/* splitmix64 */
static inline uint64_t random_next(struct random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/** Uniform on [-range, range]. */
static inline float random_float(struct random *r, float range)
{
    return (float)((double)(random_next(r) >> 11) / 4503599627370496.0 - 1) * range;
}

static inline int random_below(struct random *r, int n)
{
    return (int)(random_next(r) % (uint64_t)n);
}

/**
 * A matrix of n_rows x n_cols with a row stride, `misalign` floats off a 64-byte line. Margins and
 * the gaps between rows hold a NaN of one known pattern: a kernel that writes there is seen by
 * guarded_intact(), one that computes with what it reads there gives NaN.
 */
struct guarded {
    float *memory, *at;
    size_t n_rows, n_cols, stride, n_memory;
};

enum { guard_margin = 64 };

static inline float poison(void)
{
    const uint32_t bits = 0x7fc5a5a5u;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline bool is_poison(float x)
{
    const float p = poison();
    return memcmp(&x, &p, sizeof x) == 0;
}

static inline struct guarded guarded_create(size_t n_rows, size_t n_cols, size_t stride,
                                            size_t misalign)
{
    struct guarded g = {.n_rows = n_rows, .n_cols = n_cols, .stride = stride};
    g.n_memory = (n_rows * stride + 2 * guard_margin + misalign + 15) / 16 * 16;
    g.memory = aligned_alloc(64, g.n_memory * sizeof *g.memory);
    if (!g.memory) {
        fputs("checkasm: out of memory\n", stderr);
        exit(2);
    }
    for (size_t i = 0; i < g.n_memory; i++)
        g.memory[i] = poison();
    g.at = g.memory + guard_margin + misalign;
    return g;
}

static inline float *guarded_row(const struct guarded *g, size_t row)
{
    return g->at + row * g->stride;
}

/** True when nothing outside the matrix has changed. */
static inline bool guarded_intact(const struct guarded *g)
{
    const size_t first = (size_t)(g->at - g->memory);
    for (size_t i = 0; i < g->n_memory; i++) {
        const bool inside =
            i >= first && i < first + g->n_rows * g->stride && (i - first) % g->stride < g->n_cols;
        if (!inside && !is_poison(g->memory[i]))
            return false;
    }
    return true;
}

static inline void guarded_destroy(struct guarded *g)
{
    free(g->memory);
}

/** calloc() that ends the program where there is no memory. */
static inline void *allocate(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) {
        fputs("checkasm: out of memory\n", stderr);
        exit(2);
    }
    return p;
}

/** Whether the margins of all are. */
static inline bool all_intact(struct guarded *const buffers[], size_t n)
{
    bool intact = true;
    for (size_t i = 0; i < n; i++)
        intact = guarded_intact(buffers[i]) && intact;
    return intact;
}

static inline void destroy_all(struct guarded *const buffers[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        guarded_destroy(buffers[i]);
}

/** The worst of one kernel's output over all cases of one CPU mask. */
struct worst {
    double error, ratio; /* absolute, and as a part of the bound */
    long n_compared, n_failed;
};

/** Compares with the double version. NaN where NaN is expected, and nowhere else; the first
 * failures are printed. */
static inline void compare(struct worst *w, const char *what, float got, double want, double bound)
{
    const double error =
        want == (double)got ? 0 : (want > (double)got ? want - (double)got : (double)got - want);
    bool ok;
    w->n_compared++;
    if (want != want) {
        ok = got != got;
    } else {
        ok = error <= bound; /* false for NaN */
        if (error > w->error || error != error)
            w->error = error;
        if (bound > 0 && (error / bound > w->ratio || error != error))
            w->ratio = error / bound;
    }
    if (!ok && w->n_failed++ < 5)
        fprintf(stderr, "%s: got %.9g, want %.9g, error %.3g, bound %.3g\n", what, (double)got,
                want, error, bound);
}

static inline void require(struct worst *w, const char *what, bool ok)
{
    w->n_compared++;
    if (!ok && w->n_failed++ < 5)
        fprintf(stderr, "%s\n", what);
}

/** Prints a line and tells whether all was well. A comparison that never took place is a failure.
 */
static inline bool report(const char *kernel, const char *output, unsigned mask,
                          const struct worst *w)
{
    const bool ok = w->n_failed == 0 && w->n_compared > 0;
    printf("%-14s %-8s %-7s worst error %9.3g  %5.1f %% of its bound  %9ld values  %s\n", kernel,
           output, oto_cpu_name(mask), w->error, 100 * w->ratio, w->n_compared,
           ok ? "ok" : "FAILED");
    return ok;
}

/** The masks that this machine, limited by OTOLITH_ISA, can run with this build: 0, then each next
 * better. */
static inline int cpu_masks(unsigned masks[3], bool has_simd)
{
    const unsigned flags = has_simd ? oto_cpu_flags() : OTO_CPU_SCALAR,
                   all[3] = {OTO_CPU_SCALAR, OTO_CPU_AVX2, OTO_CPU_AVX2 | OTO_CPU_AVX512};
    int n = 0;
    for (int i = 0; i < 3; i++) {
        if ((all[i] & flags) == all[i])
            masks[n++] = all[i];
    }
    return n;
}

#endif
