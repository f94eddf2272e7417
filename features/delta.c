/* SPDX-License-Identifier: BSD-2-Clause */
#include "features/delta.h"

#include <string.h>

#include "base/mem.h"

oto_status oto_delta_init(struct oto_delta *delta, int order, int window, oto_error *err)
{
    double norm = 0.0;

    *delta = (struct oto_delta){.order = order, .window = window};
    for (int j = 1; j <= window; j++)
        norm += 2.0 * j * j;
    for (int i = 0; i <= order; i++) {
        const int reach = i * window;
        delta->taps[i] = oto_calloc((size_t)(2 * reach + 1), sizeof(double));
        if (!delta->taps[i])
            return oto_fail_memory(err, "delta taps");
        if (i == 0) {
            delta->taps[0][0] = 1.0;
            continue;
        }
        /* Eq. 21: the regression slope of the taps before. */
        for (int j = -window; j <= window; j++)
            for (int k = 0; k < 2 * (reach - window) + 1; k++)
                delta->taps[i][j + window + k] += j / norm * delta->taps[i - 1][k];
    }
    return OTO_OK;
}

void oto_delta_clear(struct oto_delta *delta)
{
    for (int i = 0; i <= OTO_DELTA_MAX_ORDER; i++)
        oto_free(delta->taps[i]);
    *delta = (struct oto_delta){0};
}

static size_t clamp(size_t t, int j, size_t n)
{
    if (j < 0)
        return t < (size_t)-j ? 0 : t - (size_t)-j;
    return n - 1 - t < (size_t)j ? n - 1 : t + (size_t)j;
}

#define COLUMNS 16 /* summed together */

/* One order of one frame. */
static void derive(float *out, const float *in, size_t t, size_t n, int dim, const double *taps,
                   int reach)
{
    for (int d = 0; d < dim; d += COLUMNS) {
        const int width = dim - d < COLUMNS ? dim - d : COLUMNS;
        double sum[COLUMNS] = {0};
        for (int j = -reach; j <= reach; j++) {
            const float *row = in + clamp(t, j, n) * (size_t)dim + d;
            for (int k = 0; k < width; k++)
                sum[k] += taps[j + reach] * (double)row[k];
        }
        for (int k = 0; k < width; k++)
            out[d + k] = (float)sum[k];
    }
}

void oto_delta_apply(const struct oto_delta *delta, float *out, const float *in, size_t n, int dim)
{
    const size_t width = (size_t)dim * (size_t)(delta->order + 1);

    for (size_t t = 0; t < n; t++) {
        memcpy(out + t * width, in + t * (size_t)dim, (size_t)dim * sizeof *out);
        for (int i = 1; i <= delta->order; i++)
            derive(out + t * width + (size_t)i * (size_t)dim, in, t, n, dim, delta->taps[i],
                   i * delta->window);
    }
}
