/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/x86/int8_kernels.h"

void oto_dsp_int8_init_avxvnni(struct oto_dsp_int8 *dsp)
{
    set_table(dsp, "avxvnni");
}
