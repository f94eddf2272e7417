/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef OTO_BASE_CPU_H
#define OTO_BASE_CPU_H

#include "base/status.h"

/** Instruction sets that kernels may use; each implies that the operating system saves their
 * registers. */
enum oto_cpu_flags {
    OTO_CPU_SCALAR = 0,
    OTO_CPU_AVX2 = 1,       /* AVX2 + FMA + F16C */
    OTO_CPU_AVX512 = 2,     /* AVX-512 F, BW, DQ, VL; implies OTO_CPU_AVX2 */
    OTO_CPU_AVX_VNNI = 4,   /* sums of four byte products in 256 bits; implies OTO_CPU_AVX2 */
    OTO_CPU_AVX512_VNNI = 8 /* the same in 512 bits; implies OTO_CPU_AVX512 */
};

/**
 * Flags of this machine, limited by the environment variable OTOLITH_ISA
 * (scalar|avx2|avxvnni|avx512|auto). avxvnni is AVX2 with its byte products; avx512 takes VNNI with
 * it where the machine has it. An unknown value of the variable is treated as auto. Thread-safe.
 */
unsigned oto_cpu_flags(void);
/** Parses the same names and limits them to what the machine has. Asking for what it lacks is
 * OTO_ERR_UNSUPPORTED. */
oto_status oto_cpu_parse(const char *name, unsigned *flags, oto_error *err);
/** "scalar", "avx2", "avxvnni" or "avx512". */
const char *oto_cpu_name(unsigned flags);
/** Processors this process may run on, at least 1. */
int oto_cpu_count(void);

#endif
