/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/gemm.h"

#include <blis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"

extern char **environ;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char name[64];

/**
 * The kernel set that BLIS is to use, or -1 to leave it to BLIS. BLIS 0.9 knows AVX-512 processors
 * by their brand string and gives those it has never heard of (all Xeons since Ice Lake under most
 * hypervisors) its AVX2 set, 1.5 times slower. OTOLITH_ISA is to limit the products as it does our
 * own kernels.
 */
static int wanted_kernels(void)
{
    const unsigned flags = oto_cpu_flags();
    unsigned machine = flags;
    if (oto_cpu_parse("auto", &machine, NULL))
        machine = flags;
    if (flags & OTO_CPU_AVX512) {
#ifdef BLIS_CONFIG_SKX
        return BLIS_ARCH_SKX;
#endif
    } else if (flags != machine && flags & OTO_CPU_AVX2) {
#ifdef BLIS_CONFIG_HASWELL
        return BLIS_ARCH_HASWELL;
#endif
    } else if (flags != machine) {
#ifdef BLIS_CONFIG_GENERIC
        return BLIS_ARCH_GENERIC;
#endif
    }
    return -1;
}

/**
 * BLIS takes the choice from the environment alone, and only while it initialises. setenv() may
 * free the array that another thread's getenv() is reading, so a second array with our entry in
 * front is put in place for that moment; it is static because a reader may still hold it. Too large
 * an environment leaves the choice to BLIS.
 */
static void init_blis(void)
{
    static char entry[40];
    static char *with_entry[4096];
    char **const before = environ;
    size_t n = 0;
    while (before && before[n])
        n++;
    const int kernels = getenv("BLIS_ARCH_TYPE") ? -1 : wanted_kernels();
    if (kernels >= 0 && n + 2 <= sizeof with_entry / sizeof *with_entry) {
        snprintf(entry, sizeof entry, "BLIS_ARCH_TYPE=%d", kernels);
        with_entry[0] = entry;
        if (n)
            memcpy(with_entry + 1, before, n * sizeof *with_entry);
        with_entry[n + 1] = NULL;
        environ = with_entry;
        bli_init();
        environ = before;
    } else {
        bli_init();
    }
    snprintf(name, sizeof name, "BLIS %s (%s)", bli_info_get_version_str(),
             bli_arch_string(bli_arch_query_id()));
}

void oto_gemm(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, const float *a, size_t lda,
              const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    pthread_once(&once, init_blis);
    rntm_t one_thread = BLIS_RNTM_INITIALIZER;
    bli_rntm_set_num_threads(1, &one_thread);
    float alpha = 1;
    const inc_t a_row = trans_a ? 1 : (inc_t)lda, a_col = trans_a ? (inc_t)lda : 1;
    const inc_t b_row = trans_b ? 1 : (inc_t)ldb, b_col = trans_b ? (inc_t)ldb : 1;
    /* BLIS's prototypes have no const; A and B are only read. */
    bli_sgemm_ex(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, (dim_t)m, (dim_t)n, (dim_t)k, &alpha,
                 (float *)a, a_row, a_col, (float *)b, b_row, b_col, &beta, c, (inc_t)ldc, 1, NULL,
                 &one_thread);
}

const char *oto_gemm_name(void)
{
    pthread_once(&once, init_blis);
    return name;
}
