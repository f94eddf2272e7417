/* SPDX-License-Identifier: BSD-2-Clause */
/* The choice of int8 kernels, and the matrices that they read. */
#include "acoustic/dsp_int8.h"

#include <string.h>

#include "acoustic/dsp_c.h"
#include "base/mem.h"

void oto_dsp_int8_init(struct oto_dsp_int8 *dsp, unsigned cpu_flags)
{
    oto_dsp_int8_init_c(dsp);
#if defined OTO_HAVE_X86 && !defined OTO_REAL_DOUBLE
    if (cpu_flags & OTO_CPU_AVX2)
        oto_dsp_int8_init_avx2(dsp);
    if (cpu_flags & OTO_CPU_AVX_VNNI)
        oto_dsp_int8_init_avxvnni(dsp);
    if (cpu_flags & OTO_CPU_AVX512_VNNI)
        oto_dsp_int8_init_avx512vnni(dsp);
#else
    (void)cpu_flags;
#endif
}

static size_t padded_columns(const struct oto_int8_matrix *m)
{
    return ((size_t)m->n_cols + 3) / 4 * 4;
}

bool oto_int8_matrix_init(struct oto_int8_matrix *m, const struct oto_dsp_int8 *dsp, int n_units,
                          int n_cols)
{
    m->n_units = n_units;
    m->n_cols = n_cols;
    const size_t n_gates = 4 * oto_dsp_padded(n_units, dsp->unit_block);
    size_t n_w;
    if (oto_mul_size(n_gates, padded_columns(m), &n_w))
        m->w = oto_calloc(n_w, sizeof *m->w);
    m->start = oto_calloc(n_gates, sizeof *m->start);
    m->scale = oto_calloc(n_gates, sizeof *m->scale);
    if (m->w != NULL && m->start != NULL && m->scale != NULL)
        return true;
    oto_int8_matrix_clear(m);
    return false;
}

void oto_int8_matrix_clear(struct oto_int8_matrix *m)
{
    oto_free(m->w);
    oto_free(m->start);
    oto_free(m->scale);
    *m = (struct oto_int8_matrix){0};
}

void oto_int8_matrix_set(struct oto_int8_matrix *m, const struct oto_dsp_int8 *dsp,
                         const int8_t *codes, const float *scales, oto_real factor)
{
    const size_t n_units = (size_t)m->n_units, n_cols = (size_t)m->n_cols,
                 u = (size_t)dsp->unit_block, kp = padded_columns(m);
    for (size_t gate = 0; gate < 4; gate++) {
        for (size_t j = 0; j < n_units; j++, codes += n_cols) {
            int8_t *panel = m->w + j / u * u * 4 * kp + (gate * u + j % u) * 4;
            int32_t sum = 0;
            for (size_t k = 0; k < n_cols; k++) {
                panel[k / 4 * 16 * u + k % 4] = codes[k];
                sum += codes[k];
            }
            const size_t at = oto_dsp_blocked((int)gate, j, u);
            m->start[at] = -dsp->zero * sum;
            m->scale[at] = factor * (oto_real)scales[gate * n_units + j];
        }
    }
}
