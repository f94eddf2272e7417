/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * One LSTM step forward and backward in plain double precision, each value with a bound on what a
 * float kernel may be off. All arrays in PyTorch's order: gates [n, 4, H].
 *
 * u = 2^-24. Sums of n products: gamma_n of the sum of absolute values. Gate functions, see
 * acoustic/x86/exp2.h: sigma: rounding of t  |x| s(1-s) u <= 0.22 u; polynomial and its rounding
 * (0.2 + 3) u / 4; denominator u; quotient u/2; held below 1: u  ->  2.7 u = 1.6e-7 tanh:  rounding
 * of t  |2x| (1-y^2)/2 u <= 0.45 u; polynomial (0.2 + 2) u / 4; e = 2^t - 1 near -1: u; denominator
 *            u; quotient u/2  ->  3.6 u = 2.2e-7
 * The rest is the propagation of these through the products, first order, with one u for each
 * rounding.
 */
#ifndef OTO_TESTS_LSTM_ORACLE_H
#define OTO_TESTS_LSTM_ORACLE_H

#include <math.h>
#include <stddef.h>

#include "checkasm.h"

#define SIGMOID_ERROR (2.7 * U24)
#define TANH_ERROR (3.6 * U24)
/* Products may underflow to denormals or zero. */
#define TINY 1e-37

struct bounded {
    double value, bound;
};

static inline double oracle_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* start + x [n] . w [n] with steps between elements. */
static inline struct bounded oracle_dot(float start, const float *x, size_t x_step, const float *w,
                                        size_t w_step, size_t n)
{
    double sum = (double)start, size = fabs((double)start);
    for (size_t k = 0; k < n; k++) {
        const double product = (double)x[k * x_step] * (double)w[k * w_step];
        sum += product;
        size += fabs(product);
    }
    const struct bounded result = {sum, n ? gamma_of((double)n + 2) * size + TINY : 0};
    return result;
}

/** out: i, f, g, o, c, h of one unit from its four sums. A change of a moves sigma by at most a
 * quarter of it. */
static inline void oracle_cell(struct bounded out[6], const struct bounded a[4], double c_prev)
{
    for (int gate = 0; gate < 4; gate++) {
        const double x = a[gate].value;
        out[gate].value = gate == 2 ? tanh(x) : oracle_sigmoid(x);
        out[gate].bound = gate == 2 ? fmin(a[gate].bound, 2) + TANH_ERROR
                                    : fmin(a[gate].bound / 4, 1) + SIGMOID_ERROR;
    }
    const struct bounded i = out[0], f = out[1], g = out[2], o = out[3];
    const double kept = f.value * c_prev, added = i.value * g.value;
    out[4].value = kept + added;
    out[4].bound = fabs(c_prev) * f.bound + fabs(g.value) * i.bound + i.value * g.bound +
                   i.bound * g.bound + 2 * U24 * (fabs(kept) + fabs(added)) + TINY;
    const double y = tanh(out[4].value), y_bound = fmin(out[4].bound, 2) + TANH_ERROR;
    out[5].value = o.value * y;
    out[5].bound =
        fabs(y) * o.bound + o.value * y_bound + o.bound * y_bound + U24 * fabs(out[5].value) + TINY;
}

/** out: da_i, da_f, da_g, da_o, dc_prev of one unit. gates are the floats that the kernel gets,
 * taken as exact. */
static inline void oracle_cell_backward(struct bounded out[5], const double gates[4],
                                        struct bounded dh, double dc, double c, double c_prev)
{
    const double i = gates[0], f = gates[1], g = gates[2], o = gates[3], y = tanh(c),
                 slope = 1 - y * y;
    const double through = dh.value * o * slope, cell = dc + through;
    const double cell_bound = o * slope * dh.bound +
                              (fabs(dh.value) + dh.bound) * o * (2 * TANH_ERROR + 2 * U24) +
                              4 * U24 * (fabs(through) + fabs(dc)) + TINY;
    const double factor[5] = {g * i * (1 - i), c_prev * f * (1 - f), i * (1 - g * g),
                              y * o * (1 - o), f};
    for (int k = 0; k < 5; k++) {
        const double from = k == 3 ? dh.value : cell, from_bound = k == 3 ? dh.bound : cell_bound;
        out[k].value = from * factor[k];
        out[k].bound =
            fabs(factor[k]) * from_bound + 5 * U24 * (fabs(out[k].value) + from_bound) + TINY;
    }
    /* 1 - g^2 and 1 - x lose relative precision near 1 where the square is rounded first: u in
     * absolute terms. */
    out[2].bound += fabs(cell) * fabs(i) * 2 * U24;
    out[3].bound += (fabs(dh.value) + dh.bound) * o * (1 - o) * TANH_ERROR;
}

#endif
