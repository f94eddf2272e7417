/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/x86/float_kernels.h"

void oto_dsp_init_avx512(struct oto_dsp *dsp)
{
    set_table(dsp);
}
