/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The float kernels (dsp.h) for any width of vectors. The flags that a file is compiled with say
 * which operations they are made of: those name the types reals, lanes and doubles, the width
 * unit_block, and how many rows or blocks of sums fit the registers.
 */
#ifndef OTO_ACOUSTIC_X86_FLOAT_KERNELS_H
#define OTO_ACOUSTIC_X86_FLOAT_KERNELS_H

#include "acoustic/dsp_c.h"
#include "acoustic/x86/outer.h"
#ifdef __AVX512F__
#include "acoustic/x86/float_zmm.h"
#else
#include "acoustic/x86/float_ymm.h"
#endif

enum {
    width = 2 * unit_block, /* columns of a packed panel */
    max_rows = MAX_ROWS,
    max_blocks = MAX_BLOCKS
};

#if defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Weights used by several rows are to be loaded once; the compiler would put the load into each
 * FMA, which doubles the time of two rows. */
INLINE void keep(reals *a, reals *b)
{
    __asm__("" : "+v"(*a), "+v"(*b));
}

/**
 * y [n_rows, W] += x [n_rows, K] w [K, W]. n_rows and n_split are constants at every call, so that
 * the sums are registers. An FMA takes 4 cycles and 2 start in each, so less than 8 sums would
 * wait: few rows take n_split columns k at a time, each into sums of its own. n_rows * n_split <=
 * max_rows.
 */
INLINE void multiply(float *y, size_t y_stride, const float *x, size_t x_stride, const void *w,
                     size_t n_k, const int n_rows, const int n_split, const int half)
{
    reals low[max_rows], high[max_rows];
    UNROLL
    for (int r = 0; r < n_rows * n_split; r++) {
        low[r] = r < n_rows ? load_reals(y + (size_t)r * y_stride) : no_reals();
        high[r] = r < n_rows ? load_reals(y + (size_t)r * y_stride + unit_block) : no_reals();
    }
    size_t k = 0, at = 0;
    for (; k + (size_t)n_split <= n_k; k += (size_t)n_split, at += (size_t)n_split * width) {
        UNROLL
        for (int s = 0; s < n_split; s++) {
            reals w_low = load_weights(w, at + (size_t)s * width, half),
                  w_high = load_weights(w, at + (size_t)s * width + unit_block, half);
            if (n_rows > 1)
                keep(&w_low, &w_high);
            UNROLL
            for (int r = 0; r < n_rows; r++) {
                const reals v = all_reals(x[(size_t)r * x_stride + k + (size_t)s]);
                low[s * n_rows + r] = multiply_add(v, w_low, low[s * n_rows + r]);
                high[s * n_rows + r] = multiply_add(v, w_high, high[s * n_rows + r]);
            }
        }
    }
    for (; n_split > 1 && k < n_k; k++, at += width) {
        UNROLL
        for (int r = 0; r < n_rows; r++) {
            const reals v = all_reals(x[(size_t)r * x_stride + k]);
            low[r] = multiply_add(v, load_weights(w, at, half), low[r]);
            high[r] = multiply_add(v, load_weights(w, at + unit_block, half), high[r]);
        }
    }
    UNROLL
    for (int r = 0; r < n_rows; r++) {
        UNROLL
        for (int s = 1; s < n_split; s++) {
            low[r] = add_reals(low[r], low[s * n_rows + r]);
            high[r] = add_reals(high[r], high[s * n_rows + r]);
        }
        store_reals(y + (size_t)r * y_stride, low[r]);
        store_reals(y + (size_t)r * y_stride + unit_block, high[r]);
    }
}

/* Any number of rows, in blocks as even as they can be: 13 rows are 7 and 6, as 12 and 1 would wait
 * for the 1. */
INLINE void multiply_rows_of(float *y, size_t y_stride, const float *x, size_t x_stride,
                             const void *w, size_t n_k, size_t n_rows, const int half)
{
#define ROWS(n, n_split)                                                                           \
    case n:                                                                                        \
        multiply(y, y_stride, x, x_stride, w, n_k, n, n_split, half);                              \
        break
    while (n_rows > 0) {
        const size_t n_blocks = (n_rows + max_rows - 1) / max_rows,
                     n = (n_rows + n_blocks - 1) / n_blocks;
        switch (n) {
            ROWS(1, 4);
            ROWS(2, 3);
            ROWS(3, 2);
            ROWS(4, 1);
            ROWS(5, 1);
            ROWS(6, 1);
#if MAX_ROWS > 6
            ROWS(7, 1);
            ROWS(8, 1);
            ROWS(9, 1);
            ROWS(10, 1);
            ROWS(11, 1);
            ROWS(12, 1);
#endif
        default:
            break;
        }
        y += n * y_stride;
        x += n * x_stride;
        n_rows -= n;
    }
#undef ROWS
}

static void multiply_rows(float *y, size_t y_stride, const float *x, size_t x_stride, const void *w,
                          size_t n_k, size_t n_rows)
{
    multiply_rows_of(y, y_stride, x, x_stride, w, n_k, n_rows, 0);
}

static void multiply_rows_half(float *y, size_t y_stride, const float *x, size_t x_stride,
                               const void *w, size_t n_k, size_t n_rows)
{
    multiply_rows_of(y, y_stride, x, x_stride, w, n_k, n_rows, 1);
}

/* sums [n_blocks, 4] += x[k] w[.., k, ..]; see multiply_blocks(). */
INLINE void add_column(reals *sums, const float *x, const void *w, size_t n_k, size_t k,
                       const size_t n_blocks, const int half)
{
    const reals v = all_reals(x[k]);
    UNROLL
    for (size_t q = 0; q < 4 * n_blocks; q++) {
        const size_t at = (q / 2 * n_k + k) * width + q % 2 * unit_block;
        sums[q] = multiply_add(v, load_weights(w, at, half), sums[q]);
    }
}

/**
 * One row and n_blocks blocks of units: y [n_blocks, 4U] += x [K] w [n_blocks, 2, K, W]. One row
 * waits for weights: the more panels it reads side by side, the more of them are on their way, and
 * a number of x, once loaded, serves them all. row_split columns k go to sums of their own, so the
 * sums are the same whatever the number of blocks.
 */
INLINE void multiply_blocks(float *y, const float *x, const void *w, size_t n_k,
                            const size_t n_blocks, const int half)
{
    reals sums[row_split][4 * max_blocks];
    UNROLL
    for (size_t i = 0; i < 4 * n_blocks * row_split; i++)
        sums[i % row_split][i / row_split] =
            i % row_split == 0 ? load_reals(y + i / row_split * unit_block) : no_reals();
    size_t k = 0;
    for (; k + row_split <= n_k; k += row_split) {
        UNROLL
        for (size_t s = 0; s < row_split; s++)
            add_column(sums[s], x, w, n_k, k + s, n_blocks, half);
    }
    for (; row_split > 1 && k < n_k; k++)
        add_column(sums[0], x, w, n_k, k, n_blocks, half);
    UNROLL
    for (size_t q = 0; q < 4 * n_blocks; q++) {
        UNROLL
        for (size_t s = 1; s < row_split; s++)
            sums[0][q] = add_reals(sums[0][q], sums[s][q]);
        store_reals(y + q * unit_block, sums[0][q]);
    }
}

/* a [4, U] of one block in place: gate functions and cell update. c_prev is NULL for zero state. */
INLINE void cell_forward(float *a, float *c, float *h, const float *c_prev, lanes units)
{
    const reals i = sigmoid(load_reals(a)), f = sigmoid(load_reals(a + unit_block));
    const reals g = tanh_ps(load_reals(a + 2 * unit_block)),
                o = sigmoid(load_reals(a + 3 * unit_block));
    const reals before = c_prev ? load_reals(c_prev) : no_reals();
    const reals cell = multiply_add(f, before, multiply_reals(i, g)); /* NaN in f comes out */
    store_reals(a, i);
    store_reals(a + unit_block, f);
    store_reals(a + 2 * unit_block, g);
    store_reals(a + 3 * unit_block, o);
    store_reals(c, cell);
    store_lanes(h, units, multiply_reals(o, tanh_ps(cell)));
}

/* Where the arrays of a forward step stand. */
struct forward {
    float *gates, *c, *h;
    const float *h_prev, *c_prev;
    const void *r; /* [Hp/U, 2, H, W], float or half */
    size_t h_stride, h_prev_stride, n_rows, n_prev, n_units, hp;
};

/* The products of all rows with n_blocks blocks of units from unit `first` on; one block unless
 * there is one row. Half a panel (20 or 40 kB for 320 units) stays in the first-level cache over
 * all rows. */
INLINE void forward_products(const struct forward *s, size_t first, size_t n_blocks, const int half)
{
    const size_t n_k = s->n_units, size = half ? sizeof(uint16_t) : sizeof(float);
    const char *r = (const char *)s->r + first * 4 * n_k * size;
    float *a = s->gates + 4 * first;
    if (s->n_prev > 1) {
        (half ? multiply_rows_half : multiply_rows)(a, 4 * s->hp, s->h_prev, s->h_prev_stride, r,
                                                    n_k, s->n_prev);
        (half ? multiply_rows_half : multiply_rows)(a + width, 4 * s->hp, s->h_prev,
                                                    s->h_prev_stride, r + n_k * width * size, n_k,
                                                    s->n_prev);
        return;
    }
    switch (n_blocks) {
    case 1:
        multiply_blocks(a, s->h_prev, r, n_k, 1, half);
        break;
#if MAX_BLOCKS > 2
    case 2:
        multiply_blocks(a, s->h_prev, r, n_k, 2, half);
        break;
#endif
    default:
        multiply_blocks(a, s->h_prev, r, n_k, max_blocks, half);
        break;
    }
}

static void forward_cells(const struct forward *s, size_t first)
{
    const lanes units = lanes_of(s->n_units - first);
    for (size_t b = 0; b < s->n_rows; b++) {
        const size_t at = b * s->hp + first;
        cell_forward(s->gates + 4 * at, s->c + at, s->h + b * s->h_stride + first,
                     b < s->n_prev ? s->c_prev + at : NULL, units);
    }
}

/* One row takes groups of blocks, as even as they can be. */
INLINE void step_forward(const struct forward *s, bool descending, const int half)
{
    const size_t n_blocks = s->hp / unit_block, most = s->n_prev > 1 ? 1 : max_blocks;
    const size_t n_groups = (n_blocks + most - 1) / most;
    for (size_t i = 0; i < n_groups; i++) {
        const size_t group = descending ? n_groups - 1 - i : i;
        const size_t begin = group * n_blocks / n_groups, end = (group + 1) * n_blocks / n_groups;
        if (s->n_prev > 0)
            forward_products(s, begin * unit_block, end - begin, half);
        for (size_t block = begin; block < end; block++)
            forward_cells(s, block * unit_block);
    }
}

static struct forward forward_of(float *gates, float *c, float *h, size_t h_stride,
                                 const float *h_prev, size_t h_prev_stride, const float *c_prev,
                                 int n_rows, int n_prev, const void *r, int n_hidden)
{
    return (struct forward){.gates = gates,
                            .c = c,
                            .h = h,
                            .h_prev = h_prev,
                            .c_prev = c_prev,
                            .r = r,
                            .h_stride = h_stride,
                            .h_prev_stride = h_prev_stride,
                            .n_rows = (size_t)n_rows,
                            .n_prev = (size_t)(n_prev < n_rows ? n_prev : n_rows),
                            .n_units = (size_t)n_hidden,
                            .hp = oto_dsp_padded(n_hidden, unit_block)};
}

static void lstm_forward(float *gates, float *c, float *h, size_t h_stride, const float *h_prev,
                         size_t h_prev_stride, const float *c_prev, int n_rows, int n_prev,
                         const float *r_packed, int n_hidden, bool descending)
{
    const struct forward s = forward_of(gates, c, h, h_stride, h_prev, h_prev_stride, c_prev,
                                        n_rows, n_prev, r_packed, n_hidden);
    step_forward(&s, descending, 0);
}

static void lstm_forward_half(float *gates, float *c, float *h, size_t h_stride,
                              const float *h_prev, size_t h_prev_stride, const float *c_prev,
                              int n_rows, int n_prev, const uint16_t *r_half, int n_hidden,
                              bool descending)
{
    const struct forward s = forward_of(gates, c, h, h_stride, h_prev, h_prev_stride, c_prev,
                                        n_rows, n_prev, r_half, n_hidden);
    step_forward(&s, descending, 1);
}

/* a [4, U]: i, f, g, o in, their gradients out; dc [U] in (NULL for zero) and out. Padding units
 * give zeros. */
INLINE void cell_backward(float *a, float *dc_out, const float *dc, const float *dh_in,
                          const float *c, const float *c_prev, lanes units)
{
    const reals one = all_reals(1);
    const reals i = load_lanes(a, units), f = load_lanes(a + unit_block, units);
    const reals g = load_lanes(a + 2 * unit_block, units);
    const reals o = load_lanes(a + 3 * unit_block, units);
    const reals dh = load_lanes(dh_in, units), tanh_c = tanh_ps(load_lanes(c, units));
    const reals before = c_prev ? load_lanes(c_prev, units) : no_reals();
    const reals later = dc ? load_lanes(dc, units) : no_reals();
    const reals slope = subtract_product(tanh_c, tanh_c, one);
    const reals dcell = multiply_add(multiply_reals(dh, o), slope, later);
    const reals di = multiply_reals(multiply_reals(dcell, g), subtract_product(i, i, i));
    const reals df = multiply_reals(multiply_reals(dcell, before), subtract_product(f, f, f));
    const reals dg = multiply_reals(multiply_reals(dcell, i), subtract_product(g, g, one));
    const reals dout = multiply_reals(multiply_reals(dh, tanh_c), subtract_product(o, o, o));
    store_reals(a, di);
    store_reals(a + unit_block, df);
    store_reals(a + 2 * unit_block, dg);
    store_reals(a + 3 * unit_block, dout);
    store_reals(dc_out, multiply_reals(dcell, f));
}

/* Where the arrays of a backward step stand. */
struct backward {
    float *gates, *dc;
    const float *dh_out, *gates_next, *c, *c_prev, *r; /* r [ceil(Hp/W), 4*Hp, W] */
    size_t dh_stride, n_next, n_prev, hp, n_units;
};

/* n_rows <= max_rows rows from b on of the panel of units from `first` on; rows either all have a
 * next step or all have none. */
static void backward_rows(const struct backward *s, size_t first, size_t b, size_t n_rows)
{
    float dh[max_rows * width];
    const size_t n_here = s->n_units - first;
    const bool has_next = b < s->n_next;
    for (size_t r = 0; r < n_rows; r++) {
        const float *from = s->dh_out + (b + r) * s->dh_stride + first;
        for (size_t u = 0; u < width; u += unit_block)
            store_reals(dh + r * width + u,
                        u < n_here ? load_lanes(from + u, lanes_of(n_here - u)) : no_reals());
    }
    if (has_next)
        multiply_rows(dh, width, s->gates_next + b * 4 * s->hp, 4 * s->hp, s->r + first * 4 * s->hp,
                      4 * s->hp, n_rows);
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t u = 0; u < width && u < n_here; u += unit_block) {
            const size_t at = (b + r) * s->hp + first + u;
            cell_backward(s->gates + 4 * at, s->dc + at, has_next ? s->dc + at : NULL,
                          dh + r * width + u, s->c + at, b + r < s->n_prev ? s->c_prev + at : NULL,
                          lanes_of(n_here - u));
        }
    }
}

static void lstm_backward(float *gates, float *dc, const float *dh_out, size_t dh_stride,
                          const float *gates_next, int n_next, const float *c, const float *c_prev,
                          int n_prev, int n_rows, const float *r_packed_backward, int n_hidden,
                          bool descending)
{
    const struct backward s = {.gates = gates,
                               .dc = dc,
                               .dh_out = dh_out,
                               .gates_next = gates_next,
                               .c = c,
                               .c_prev = c_prev,
                               .r = r_packed_backward,
                               .dh_stride = dh_stride,
                               .n_next = (size_t)(n_next < n_rows ? n_next : n_rows),
                               .n_prev = (size_t)n_prev,
                               .hp = oto_dsp_padded(n_hidden, unit_block),
                               .n_units = (size_t)n_hidden};
    const size_t n_panels = (s.n_units + width - 1) / width;
    for (size_t i = 0; i < n_panels; i++) {
        const size_t first = (descending ? n_panels - 1 - i : i) * width;
        for (size_t b = 0; b < (size_t)n_rows;) {
            const size_t end = b < s.n_next ? s.n_next : (size_t)n_rows;
            const size_t n_blocks = (end - b + max_rows - 1) / max_rows,
                         n = (end - b + n_blocks - 1) / n_blocks;
            backward_rows(&s, first, b, n);
            b += n;
        }
    }
}

/* NaN in the row is passed over here and comes out of the sum. */
static float max_of(const float *in, int n_cols)
{
    reals most = all_reals(-INFINITY);
    for (int j = 0; j < n_cols; j += unit_block)
        most = larger_reals(load_lanes_or(in + j, lanes_of((size_t)(n_cols - j)), -INFINITY), most);
    return largest(most);
}

/* exp as in exp2.h, relative error below 1e-7 (1 + |x - max|), where the weight of an element falls
 * as exp(x - max). */
static double sum_exp(const float *in, float max, int n_cols)
{
    doubles sums = no_doubles();
    for (int j = 0; j < n_cols; j += unit_block) {
        const lanes cols = lanes_of((size_t)(n_cols - j));
        const reals x = subtract_reals(load_lanes_or(in + j, cols, max), all_reals(max));
        sums = add_lanes(sums, cols, exp2_of(multiply_reals(x, all_reals(LOG2_E))));
    }
    return sum_of(sums);
}

static void log_softmax(float *out, const float *in, int n_rows, int n_cols)
{
    for (int row = 0; row < n_rows; row++, in += n_cols, out += n_cols) {
        const float max = max_of(in, n_cols), log_sum = (float)log(sum_exp(in, max, n_cols));
        for (int j = 0; j < n_cols; j += unit_block) {
            const lanes cols = lanes_of((size_t)(n_cols - j));
            const reals x = subtract_reals(load_lanes(in + j, cols), all_reals(max));
            store_lanes(out + j, cols, subtract_reals(x, all_reals(log_sum)));
        }
    }
}

static size_t recurrent_size(int n_hidden)
{
    return oto_dsp_recurrent_size(n_hidden, unit_block);
}

static void pack_recurrent_forward(float *packed, const float *r, int n_hidden)
{
    oto_dsp_pack_forward(packed, r, n_hidden, unit_block);
}

static void pack_recurrent_backward(float *packed, const float *r, int n_hidden)
{
    oto_dsp_pack_backward(packed, r, n_hidden, unit_block);
}

static void set_table(struct oto_dsp *dsp)
{
    *dsp = (struct oto_dsp){.cpu_flags = CPU_FLAGS,
                            .unit_block = unit_block,
                            .recurrent_size = recurrent_size,
                            .pack_recurrent_forward = pack_recurrent_forward,
                            .pack_recurrent_backward = pack_recurrent_backward,
                            .lstm_forward = lstm_forward,
                            .lstm_forward_half = lstm_forward_half,
                            .half_rows = half_rows,
                            .lstm_backward = lstm_backward,
                            .add_outer = ADD_OUTER,
                            .log_softmax = log_softmax};
}

#endif
