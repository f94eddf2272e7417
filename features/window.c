/* SPDX-License-Identifier: BSD-2-Clause */
#include "features/window.h"

#include <assert.h>
#include <math.h>

#define LANES                                                                                      \
    8 /* independent partial sums: a fixed order that compilers can put into vector registers */

static const double pi = 3.14159265358979323846;

void oto_window_fill(float *w, int n, enum oto_window_kind kind, double blackman_coeff)
{
    const double a = 2.0 * pi / (n - 1);

    assert(n >= 2);
    for (int i = 0; i < n; i++) {
        double v = 1.0;
        switch (kind) { /* eq. 5 */
        case OTO_WINDOW_POVEY:
            v = pow(0.5 - 0.5 * cos(a * i), 0.85);
            break;
        case OTO_WINDOW_HAMMING:
            v = 0.54 - 0.46 * cos(a * i);
            break;
        case OTO_WINDOW_HANNING:
            v = 0.5 - 0.5 * cos(a * i);
            break;
        case OTO_WINDOW_BLACKMAN:
            v = blackman_coeff - 0.5 * cos(a * i) + (0.5 - blackman_coeff) * cos(2.0 * a * i);
            break;
        case OTO_WINDOW_RECTANGULAR:
            break;
        }
        w[i] = (float)v;
    }
}

static double lanes_total(const double lane[LANES])
{
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

static double mean(const float *x, int n)
{
    double lane[LANES] = {0};
    int i = 0;

    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += (double)x[i + j];
    for (int j = 0; i < n; i++, j++)
        lane[j] += (double)x[i];
    return lanes_total(lane) / n;
}

double oto_window_energy(const float *x, int n)
{
    double lane[LANES] = {0};
    int i = 0;

    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += (double)x[i + j] * (double)x[i + j];
    for (int j = 0; i < n; i++, j++)
        lane[j] += (double)x[i] * (double)x[i];
    return lanes_total(lane);
}

void oto_window_process(float *out, float *scratch, const float *x, const float *w, int n,
                        const struct oto_window_options *options, double *raw_energy)
{
    const float p = (float)options->preemphasis;

    if (options->remove_dc) { /* eq. 2 */
        const float m = (float)mean(x, n);
        for (int i = 0; i < n; i++)
            scratch[i] = x[i] - m;
        x = scratch;
    }
    if (raw_energy)
        *raw_energy = oto_window_energy(x, n); /* eq. 3 */
    out[0] = w[0] * (x[0] - p * x[0]); /* eq. 4: the first sample stands for its predecessor */
    for (int i = 1; i < n; i++)
        out[i] = w[i] * (x[i] - p * x[i - 1]);
}
