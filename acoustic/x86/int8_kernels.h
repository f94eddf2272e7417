/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The int8 kernels (dsp_int8.h) for any width of vectors. The flags that a file is compiled with
 * say which operations they are made of: those name the types ints, reals and lanes, the width
 * unit_block, how many rows of sums fit the registers, and what stands for zero.
 */
#ifndef OTO_ACOUSTIC_X86_INT8_KERNELS_H
#define OTO_ACOUSTIC_X86_INT8_KERNELS_H

#include "acoustic/dsp_int8.h"
#ifdef __AVX512VNNI__
#include "acoustic/x86/int8_zmm.h"
#else
#include "acoustic/x86/int8_ymm.h"
#endif

#if defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 24")
#endif

enum { group = 16 * unit_block }; /* bytes of a panel for 4 columns: [4 gates][U][4] */

/* Where a matrix product reads: rows of codes and one panel of weights. */
struct product {
    const uint8_t *q;
    size_t q_stride, n_groups;
    const int8_t *panel;
    const int32_t *start; /* [4, U] */
};

/**
 * sums [n_rows, 4] = start + q [n_rows, K] panel. n_rows and n_split are constants at every call,
 * so that the sums are registers. n_split column groups go to sums of their own, where one row
 * alone would wait for each addition before the next. n_rows * n_split <= max_rows.
 */
INLINE void multiply(ints *sums, const struct product *p, const int n_rows, const int n_split)
{
    ints part[4 * max_rows];
    UNROLL
    for (int i = 0; i < 4 * n_rows * n_split; i++)
        part[i] = i < 4 * n_rows ? load_ints(p->start + i % 4 * unit_block) : no_ints();
    size_t k = 0;
    const int8_t *w = p->panel;
    for (; k + (size_t)n_split <= p->n_groups; k += (size_t)n_split) {
        UNROLL
        for (int s = 0; s < n_split; s++, w += group) {
            ints weights[4];
            UNROLL
            for (int gate = 0; gate < 4; gate++)
                weights[gate] = load_ints(w + gate * 4 * unit_block);
            if (n_rows > 1 && keep_weights)
                keep(weights);
            UNROLL
            for (int r = 0; r < n_rows; r++) {
                const struct codes x = spread(p->q + (size_t)r * p->q_stride + 4 * (k + (size_t)s));
                UNROLL
                for (int gate = 0; gate < 4; gate++) {
                    ints *sum = &part[(s * n_rows + r) * 4 + gate];
                    *sum = add_products(*sum, x, weights[gate]);
                }
            }
        }
    }
    for (; n_split > 1 && k < p->n_groups; k++, w += group) {
        UNROLL
        for (int r = 0; r < n_rows; r++) {
            const struct codes x = spread(p->q + (size_t)r * p->q_stride + 4 * k);
            UNROLL
            for (int gate = 0; gate < 4; gate++)
                part[r * 4 + gate] =
                    add_products(part[r * 4 + gate], x, load_ints(w + gate * 4 * unit_block));
        }
    }
    UNROLL
    for (int i = 0; i < 4 * n_rows; i++) {
        UNROLL
        for (int s = 1; s < n_split; s++)
            part[i] = add_ints(part[i], part[s * 4 * n_rows + i]);
        sums[i] = part[i];
    }
}

/* n rows, 1 <= n <= max_rows. */
INLINE void multiply_rows(ints *sums, const struct product *p, size_t n)
{
    switch (n) {
    case 1:
        multiply(sums, p, 1, max_rows < 4 ? max_rows : 4);
        break;
    case 2:
        multiply(sums, p, 2, max_rows / 2);
        break;
#if MAX_ROWS > 2
    case 3:
        multiply(sums, p, 3, 1);
        break;
#endif
#if MAX_ROWS > 3
    case 4:
        multiply(sums, p, 4, 1);
        break;
    case 5:
        multiply(sums, p, 5, 1);
        break;
    case 6:
        multiply(sums, p, 6, 1);
        break;
#endif
    default:
        break;
    }
}

/* Rows of the next block out of n: blocks as even as they can be, as 6 and 1 would wait for the 1.
 */
static size_t next_rows(size_t n)
{
    const size_t n_blocks = (n + max_rows - 1) / max_rows;
    return (n + n_blocks - 1) / n_blocks;
}

static void quantize_rows(uint8_t *q, size_t q_stride, float *scale, const float *x,
                          size_t x_stride, size_t n_rows, size_t n_cols)
{
    for (size_t n = 0; n < n_rows; n++, q += q_stride, x += x_stride) {
        ints most = no_ints();
        for (size_t k = 0; k < n_cols; k += unit_block)
            most = max_magnitude(most, load_lanes(x + k, lanes_of(n_cols - k)));
        const float max = largest(most);
        const bool none = max < 0x1p-100f; /* false for NaN */
        const float inverse = none ? 0 : 127 / max;
        scale[n] = none ? 0 : max / 127;
        for (size_t k = 0; k < n_cols; k += unit_block)
            store_codes(
                q + k, multiply_reals(load_lanes(x + k, lanes_of(n_cols - k)), all_reals(inverse)));
    }
}

static void input_product(float *gates, const uint8_t *q, size_t q_stride, const float *scale,
                          size_t n_rows, const struct oto_int8_matrix *w, const float *bias)
{
    const size_t row = 4 * oto_dsp_padded(w->n_units, unit_block);
    struct product p = {.q_stride = q_stride, .n_groups = ((size_t)w->n_cols + 3) / 4};
    for (size_t first = 0; first < row; first += 4 * unit_block) {
        p.panel = w->w + first * 4 * p.n_groups;
        p.start = w->start + first;
        for (size_t n = 0, block; n < n_rows; n += block) {
            ints sums[4 * max_rows];
            block = next_rows(n_rows - n);
            p.q = q + n * q_stride;
            multiply_rows(sums, &p, block);
            for (size_t r = 0; r < block; r++) {
                float *out = gates + (n + r) * row + first;
                for (size_t j = 0; j < 4; j++) {
                    const reals factor = multiply_reals(
                        all_reals(scale[n + r]), load_reals(w->scale + first + j * unit_block));
                    store_reals(out + j * unit_block,
                                multiply_add(factor, to_reals(sums[r * 4 + j]),
                                             load_reals(bias + first + j * unit_block)));
                }
            }
        }
    }
}

/* Arrays of one step; see lstm_step in dsp_int8.h. */
struct step {
    const float *gates;
    float *c, *h;
    uint8_t *q;
    const uint8_t *q_prev;
    size_t h_stride, hp, n_rows, n_prev;
};

/* Cells of row b in the block that starts at unit `first`; a are the sums with everything. */
INLINE void update_cell(const struct step *s, const reals a[4], reals before, size_t b,
                        size_t first, lanes units)
{
    const size_t at = b * s->hp + first;
    const reals i = sigmoid(a[0]), f = sigmoid(a[1]), g = tanh_ps(a[2]), o = sigmoid(a[3]);
    const reals cell = multiply_add(f, before, multiply_reals(i, g)); /* NaN in f comes out */
    const reals h = multiply_reals(o, tanh_ps(cell));
    store_reals(s->c + at, cell);
    store_lanes(s->h + b * s->h_stride + first, units, h);
    store_codes(s->q + at, multiply_reals(h, all_reals(127)));
}

INLINE void step_block(const struct step *s, const struct oto_int8_matrix *r, size_t first)
{
    const lanes units = lanes_of((size_t)r->n_units - first);
    struct product p = {.q_stride = s->hp, .n_groups = ((size_t)r->n_units + 3) / 4};
    p.panel = r->w + first * 16 * p.n_groups;
    p.start = r->start + 4 * first;
    for (size_t b = 0, block; b < s->n_prev; b += block) {
        ints sums[4 * max_rows];
        block = next_rows(s->n_prev - b);
        p.q = s->q_prev + b * s->hp;
        multiply_rows(sums, &p, block);
        for (size_t n = 0; n < block; n++) {
            const size_t at = (b + n) * s->hp + first;
            reals a[4];
            for (size_t j = 0; j < 4; j++)
                a[j] = multiply_add(load_reals(r->scale + 4 * first + j * unit_block),
                                    to_reals(sums[n * 4 + j]),
                                    load_reals(s->gates + 4 * at + j * unit_block));
            update_cell(s, a, load_reals(s->c + at), b + n, first, units);
        }
    }
    for (size_t b = s->n_prev; b < s->n_rows; b++) {
        reals a[4];
        for (size_t j = 0; j < 4; j++)
            a[j] = load_reals(s->gates + 4 * (b * s->hp + first) + j * unit_block);
        update_cell(s, a, all_reals(0), b, first, units);
    }
}

static void lstm_step(const float *gates, float *c, float *h, size_t h_stride, uint8_t *q,
                      const uint8_t *q_prev, int n_rows, int n_prev,
                      const struct oto_int8_matrix *r, bool descending)
{
    const struct step s = {.gates = gates,
                           .c = c,
                           .h = h,
                           .q = q,
                           .q_prev = q_prev,
                           .h_stride = h_stride,
                           .hp = oto_dsp_padded(r->n_units, unit_block),
                           .n_rows = (size_t)n_rows,
                           .n_prev = (size_t)n_prev};
    for (size_t i = 0; i < s.hp; i += unit_block)
        step_block(&s, r, descending ? s.hp - unit_block - i : i);
}

static void set_table(struct oto_dsp_int8 *dsp, const char *name)
{
    *dsp = (struct oto_dsp_int8){.name = name,
                                 .unit_block = unit_block,
                                 .zero = zero_code,
                                 .quantize_rows = quantize_rows,
                                 .input_product = input_product,
                                 .lstm_step = lstm_step};
}

#endif
