/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/dsp.h"

#include "acoustic/dsp_c.h"
#include "base/bytes.h"

/* The SIMD kernels are written for float; the double build computes with the C versions alone. */
void oto_dsp_init(struct oto_dsp *dsp, unsigned cpu_flags)
{
    oto_dsp_init_c(dsp);
#if defined OTO_HAVE_X86 && !defined OTO_REAL_DOUBLE
    if (cpu_flags & OTO_CPU_AVX2)
        oto_dsp_init_avx2(dsp);
    if (cpu_flags & OTO_CPU_AVX512)
        oto_dsp_init_avx512(dsp);
#else
    (void)cpu_flags;
#endif
}

bool oto_dsp_halve(uint16_t *half, const oto_real *packed, size_t n)
{
    bool same = true;
    for (size_t i = 0; i < n; i++) {
        half[i] = oto_float_to_half((float)packed[i]);
        same = same && (oto_real)oto_half_to_float(half[i]) == packed[i];
    }
    return same;
}
