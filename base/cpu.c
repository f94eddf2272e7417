/* SPDX-License-Identifier: BSD-2-Clause */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity: the processors this process may use, not those of the    \
                       machine */
#include <sched.h>
#endif

#include "base/cpu.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* Register state that the operating system saves (XCR0). Only valid where CPUID shows OSXSAVE. */
static unsigned saved_state(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    return low;
}

static unsigned machine_flags(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) {
        return OTO_CPU_SCALAR;
    }
    const unsigned base = bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C;
    if ((c & base) != base) {
        return OTO_CPU_SCALAR;
    }
    const unsigned state = saved_state();
    const unsigned state_ymm = 0x06; /* SSE and AVX halves */
    const unsigned state_zmm = 0xE6; /* and opmask, upper halves, upper 16 registers */
    if ((state & state_ymm) != state_ymm || !__get_cpuid_count(7, 0, &a, &b, &c, &d) ||
        !(b & bit_AVX2)) {
        return OTO_CPU_SCALAR;
    }
    /* Leaf 7: AVX512_VNNI is bit 11 of ECX, AVX_VNNI bit 4 of EAX in the next sub-leaf. */
    const bool wide_vnni = (c >> 11 & 1) != 0;
    const bool has_next = a >= 1;
    const unsigned features = b;
    unsigned flags = OTO_CPU_AVX2;
    if (has_next && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1) != 0) {
        flags |= OTO_CPU_AVX_VNNI;
    }
    const unsigned wide = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    if ((features & wide) == wide && (state & state_zmm) == state_zmm) {
        flags |= OTO_CPU_AVX512 | (wide_vnni ? OTO_CPU_AVX512_VNNI : 0);
    }
    return flags;
}
#else
static unsigned machine_flags(void)
{
    return OTO_CPU_SCALAR;
}
#endif

/* False for an unknown name. */
static bool flags_of_name(const char *name, unsigned machine, unsigned *flags)
{
    if (strcmp(name, "auto") == 0) {
        *flags = machine;
    } else if (strcmp(name, "scalar") == 0) {
        *flags = OTO_CPU_SCALAR;
    } else if (strcmp(name, "avx2") == 0) {
        *flags = OTO_CPU_AVX2;
    } else if (strcmp(name, "avxvnni") == 0) {
        *flags = OTO_CPU_AVX2 | OTO_CPU_AVX_VNNI;
    } else if (strcmp(name, "avx512") == 0) {
        *flags =
            OTO_CPU_AVX2 | OTO_CPU_AVX512 | (machine & (OTO_CPU_AVX_VNNI | OTO_CPU_AVX512_VNNI));
    } else {
        return false;
    }
    return true;
}

unsigned oto_cpu_flags(void)
{
    unsigned machine = machine_flags();
    unsigned wanted = machine;
    const char *name = getenv("OTOLITH_ISA");
    if (name && !flags_of_name(name, machine, &wanted)) {
        wanted = machine;
    }
    return wanted & machine;
}

oto_status oto_cpu_parse(const char *name, unsigned *flags, oto_error *err)
{
    unsigned machine = machine_flags();
    unsigned wanted;
    if (!flags_of_name(name, machine, &wanted)) {
        return oto_fail(err, OTO_ERR_CONFIG,
                        "unknown instruction set \"%s\"; expected scalar, avx2, avxvnni, avx512 or "
                        "auto",
                        name);
    }
    if (wanted & ~machine) {
        return oto_fail(err, OTO_ERR_UNSUPPORTED, "this machine has no %s; the best it has is %s",
                        name, oto_cpu_name(machine));
    }
    *flags = wanted;
    return OTO_OK;
}

const char *oto_cpu_name(unsigned flags)
{
    if (flags & OTO_CPU_AVX512) {
        return "avx512";
    }
    if (flags & OTO_CPU_AVX_VNNI) {
        return "avxvnni";
    }
    return flags & OTO_CPU_AVX2 ? "avx2" : "scalar";
}

int oto_cpu_count(void)
{
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) {
        return CPU_COUNT(&set);
    }
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}
