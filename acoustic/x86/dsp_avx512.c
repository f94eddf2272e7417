/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

#include "acoustic/dsp_c.h"
#include "acoustic/x86/gates_avx512.h"
#include "acoustic/x86/outer.h"

enum {
    unit_block = 16,
    width = 2 * unit_block, /* columns of a packed panel */
    max_rows = 12           /* 12 rows of 2 sums, 2 weights and broadcasts: 32 registers */
};

#if defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 12")
#endif

/* Weights used by several rows are to be loaded once; the compiler would put the load into each
 * FMA, which doubles the time of two rows. */
INLINE void keep(__m512 *a, __m512 *b)
{
    __asm__("" : "+v"(*a), "+v"(*b));
}

/* One vector of weights from element `at` on: half precision is widened, which is exact. */
INLINE __m512 load_weights(const void *w, size_t at, const int half)
{
    return half ? _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)((const uint16_t *)w + at)))
                : _mm512_loadu_ps((const float *)w + at);
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
    __m512 low[max_rows], high[max_rows];
    UNROLL
    for (int r = 0; r < n_rows * n_split; r++) {
        low[r] = r < n_rows ? _mm512_loadu_ps(y + (size_t)r * y_stride) : _mm512_setzero_ps();
        high[r] = r < n_rows ? _mm512_loadu_ps(y + (size_t)r * y_stride + unit_block)
                             : _mm512_setzero_ps();
    }
    size_t k = 0, at = 0;
    for (; k + (size_t)n_split <= n_k; k += (size_t)n_split, at += (size_t)n_split * width) {
        UNROLL
        for (int s = 0; s < n_split; s++) {
            __m512 w_low = load_weights(w, at + (size_t)s * width, half),
                   w_high = load_weights(w, at + (size_t)s * width + unit_block, half);
            if (n_rows > 1)
                keep(&w_low, &w_high);
            UNROLL
            for (int r = 0; r < n_rows; r++) {
                const __m512 v = _mm512_set1_ps(x[(size_t)r * x_stride + k + (size_t)s]);
                low[s * n_rows + r] = _mm512_fmadd_ps(v, w_low, low[s * n_rows + r]);
                high[s * n_rows + r] = _mm512_fmadd_ps(v, w_high, high[s * n_rows + r]);
            }
        }
    }
    for (; n_split > 1 && k < n_k; k++, at += width) {
        UNROLL
        for (int r = 0; r < n_rows; r++) {
            const __m512 v = _mm512_set1_ps(x[(size_t)r * x_stride + k]);
            low[r] = _mm512_fmadd_ps(v, load_weights(w, at, half), low[r]);
            high[r] = _mm512_fmadd_ps(v, load_weights(w, at + unit_block, half), high[r]);
        }
    }
    UNROLL
    for (int r = 0; r < n_rows; r++) {
        UNROLL
        for (int s = 1; s < n_split; s++) {
            low[r] = _mm512_add_ps(low[r], low[s * n_rows + r]);
            high[r] = _mm512_add_ps(high[r], high[s * n_rows + r]);
        }
        _mm512_storeu_ps(y + (size_t)r * y_stride, low[r]);
        _mm512_storeu_ps(y + (size_t)r * y_stride + unit_block, high[r]);
    }
}

/* Any number of rows, in blocks as even as they can be: 13 rows are 7 and 6, as 12 and 1 would wait
 * for the 1. */
INLINE void multiply_rows_of(float *y, size_t y_stride, const float *x, size_t x_stride,
                             const void *w, size_t n_k, size_t n_rows, const int half)
{
    while (n_rows > 0) {
        const size_t n_blocks = (n_rows + max_rows - 1) / max_rows,
                     n = (n_rows + n_blocks - 1) / n_blocks;
        switch (n) {
        case 1:
            multiply(y, y_stride, x, x_stride, w, n_k, 1, 4, half);
            break;
        case 2:
            multiply(y, y_stride, x, x_stride, w, n_k, 2, 3, half);
            break;
        case 3:
            multiply(y, y_stride, x, x_stride, w, n_k, 3, 2, half);
            break;
        case 4:
            multiply(y, y_stride, x, x_stride, w, n_k, 4, 1, half);
            break;
        case 5:
            multiply(y, y_stride, x, x_stride, w, n_k, 5, 1, half);
            break;
        case 6:
            multiply(y, y_stride, x, x_stride, w, n_k, 6, 1, half);
            break;
        case 7:
            multiply(y, y_stride, x, x_stride, w, n_k, 7, 1, half);
            break;
        case 8:
            multiply(y, y_stride, x, x_stride, w, n_k, 8, 1, half);
            break;
        case 9:
            multiply(y, y_stride, x, x_stride, w, n_k, 9, 1, half);
            break;
        case 10:
            multiply(y, y_stride, x, x_stride, w, n_k, 10, 1, half);
            break;
        case 11:
            multiply(y, y_stride, x, x_stride, w, n_k, 11, 1, half);
            break;
        default:
            multiply(y, y_stride, x, x_stride, w, n_k, 12, 1, half);
            break;
        }
        y += n * y_stride;
        x += n * x_stride;
        n_rows -= n;
    }
}

static void multiply_rows(float *y, size_t y_stride, const float *x, size_t x_stride,
                          const float *w, size_t n_k, size_t n_rows)
{
    multiply_rows_of(y, y_stride, x, x_stride, w, n_k, n_rows, 0);
}

static void multiply_rows_half(float *y, size_t y_stride, const float *x, size_t x_stride,
                               const uint16_t *w, size_t n_k, size_t n_rows)
{
    multiply_rows_of(y, y_stride, x, x_stride, w, n_k, n_rows, 1);
}

/**
 * The same for one row and both panels of a block of units: y [4U] += x [K] w [2][K, W]. One row
 * waits for weights and for loads, so a number of x, once loaded, serves all four gates.
 */
INLINE void multiply_block(float *y, const float *x, const void *w, size_t n_k, const int half)
{
    enum { n_split = 4 }; /* 16 sums: enough for the FMAs in flight */
    __m512 sums[n_split][4];
    size_t k = 0;
    UNROLL
    for (size_t s = 0; s < n_split; s++) {
        UNROLL
        for (size_t q = 0; q < 4; q++)
            sums[s][q] = s == 0 ? _mm512_loadu_ps(y + q * unit_block) : _mm512_setzero_ps();
    }
    for (; k + n_split <= n_k; k += n_split) {
        UNROLL
        for (size_t s = 0; s < n_split; s++) {
            const __m512 v = _mm512_set1_ps(x[k + s]);
            UNROLL
            for (size_t q = 0; q < 4; q++) {
                const size_t at = (q / 2 * n_k + k + s) * width + q % 2 * unit_block;
                sums[s][q] = _mm512_fmadd_ps(v, load_weights(w, at, half), sums[s][q]);
            }
        }
    }
    for (; k < n_k; k++) {
        UNROLL
        for (size_t q = 0; q < 4; q++) {
            const size_t at = (q / 2 * n_k + k) * width + q % 2 * unit_block;
            sums[0][q] =
                _mm512_fmadd_ps(_mm512_set1_ps(x[k]), load_weights(w, at, half), sums[0][q]);
        }
    }
    UNROLL
    for (size_t q = 0; q < 4; q++) {
        UNROLL
        for (size_t s = 1; s < n_split; s++)
            sums[0][q] = _mm512_add_ps(sums[0][q], sums[s][q]);
        _mm512_storeu_ps(y + q * unit_block, sums[0][q]);
    }
}

/* a [4, U] of one block in place: gate functions and cell update. c_prev is NULL for zero state. */
INLINE void cell_forward(float *a, float *c, float *h, const float *c_prev, __mmask16 units)
{
    const __m512 i = sigmoid(_mm512_loadu_ps(a)), f = sigmoid(_mm512_loadu_ps(a + unit_block));
    const __m512 g = tanh_ps(_mm512_loadu_ps(a + 2 * unit_block)),
                 o = sigmoid(_mm512_loadu_ps(a + 3 * unit_block));
    const __m512 before = c_prev ? _mm512_loadu_ps(c_prev) : _mm512_setzero_ps();
    const __m512 cell = _mm512_fmadd_ps(f, before, _mm512_mul_ps(i, g)); /* NaN in f comes out */
    _mm512_storeu_ps(a, i);
    _mm512_storeu_ps(a + unit_block, f);
    _mm512_storeu_ps(a + 2 * unit_block, g);
    _mm512_storeu_ps(a + 3 * unit_block, o);
    _mm512_storeu_ps(c, cell);
    _mm512_mask_storeu_ps(h, units, _mm512_mul_ps(o, tanh_ps(cell)));
}

/* One half panel (80 kB for 640 rows of K would not, 40 kB for 320 does stay in the first-level
 * cache) over all rows. */
INLINE void lstm_forward(float *gates, float *c, float *h, size_t h_stride, const float *h_prev,
                         size_t h_prev_stride, const float *c_prev, int n_rows, int n_prev,
                         const void *r_packed, int n_hidden, const int half)
{
    const size_t n_units = (size_t)n_hidden, hp = oto_dsp_padded(n_hidden, unit_block),
                 row = 4 * hp;
    const size_t n_before = (size_t)(n_prev < n_rows ? n_prev : n_rows);
    for (size_t first = 0; first < n_units; first += unit_block) {
        float *a = gates + 4 * first;
        const __mmask16 units = mask_of(n_units - first);
        const float *r = (const float *)r_packed + first * 4 * n_units; /* [2, H, W] */
        const uint16_t *r_half = (const uint16_t *)r_packed + first * 4 * n_units;
        if (n_before == 1) {
            multiply_block(a, h_prev, half ? (const void *)r_half : r, n_units, half);
        } else if (half) {
            multiply_rows_half(a, row, h_prev, h_prev_stride, r_half, n_units, n_before);
            multiply_rows_half(a + width, row, h_prev, h_prev_stride, r_half + n_units * width,
                               n_units, n_before);
        } else {
            multiply_rows(a, row, h_prev, h_prev_stride, r, n_units, n_before);
            multiply_rows(a + width, row, h_prev, h_prev_stride, r + n_units * width, n_units,
                          n_before);
        }
        for (size_t b = 0; b < n_before; b++)
            cell_forward(a + b * row, c + b * hp + first, h + b * h_stride + first,
                         c_prev + b * hp + first, units);
        for (size_t b = n_before; b < (size_t)n_rows; b++)
            cell_forward(a + b * row, c + b * hp + first, h + b * h_stride + first, NULL, units);
    }
}

static void lstm_forward_avx512(float *gates, float *c, float *h, size_t h_stride,
                                const float *h_prev, size_t h_prev_stride, const float *c_prev,
                                int n_rows, int n_prev, const float *r_packed, int n_hidden)
{
    lstm_forward(gates, c, h, h_stride, h_prev, h_prev_stride, c_prev, n_rows, n_prev, r_packed,
                 n_hidden, 0);
}

static void lstm_forward_half_avx512(float *gates, float *c, float *h, size_t h_stride,
                                     const float *h_prev, size_t h_prev_stride, const float *c_prev,
                                     int n_rows, int n_prev, const uint16_t *r_half, int n_hidden)
{
    lstm_forward(gates, c, h, h_stride, h_prev, h_prev_stride, c_prev, n_rows, n_prev, r_half,
                 n_hidden, 1);
}

/* a [4, U]: i, f, g, o in, their gradients out; dc [U] in (NULL for zero) and out. Padding units
 * give zeros. */
INLINE void cell_backward(float *a, float *dc_out, const float *dc, const float *dh_in,
                          const float *c, const float *c_prev, __mmask16 units)
{
    const __m512 one = _mm512_set1_ps(1);
    const __m512 i = _mm512_maskz_loadu_ps(units, a),
                 f = _mm512_maskz_loadu_ps(units, a + unit_block);
    const __m512 g = _mm512_maskz_loadu_ps(units, a + 2 * unit_block);
    const __m512 o = _mm512_maskz_loadu_ps(units, a + 3 * unit_block);
    const __m512 dh = _mm512_maskz_loadu_ps(units, dh_in),
                 tanh_c = tanh_ps(_mm512_maskz_loadu_ps(units, c));
    const __m512 before = c_prev ? _mm512_maskz_loadu_ps(units, c_prev) : _mm512_setzero_ps();
    const __m512 later = dc ? _mm512_maskz_loadu_ps(units, dc) : _mm512_setzero_ps();
    const __m512 slope = _mm512_fnmadd_ps(tanh_c, tanh_c, one);
    const __m512 dcell = _mm512_fmadd_ps(_mm512_mul_ps(dh, o), slope, later);
    const __m512 di = _mm512_mul_ps(_mm512_mul_ps(dcell, g), _mm512_fnmadd_ps(i, i, i));
    const __m512 df = _mm512_mul_ps(_mm512_mul_ps(dcell, before), _mm512_fnmadd_ps(f, f, f));
    const __m512 dg = _mm512_mul_ps(_mm512_mul_ps(dcell, i), _mm512_fnmadd_ps(g, g, one));
    const __m512 dout = _mm512_mul_ps(_mm512_mul_ps(dh, tanh_c), _mm512_fnmadd_ps(o, o, o));
    _mm512_storeu_ps(a, di);
    _mm512_storeu_ps(a + unit_block, df);
    _mm512_storeu_ps(a + 2 * unit_block, dg);
    _mm512_storeu_ps(a + 3 * unit_block, dout);
    _mm512_storeu_ps(dc_out, _mm512_mul_ps(dcell, f));
}

/* Where the arrays of a backward step stand for one panel of W units. */
struct backward {
    float *gates, *dc;
    const float *dh_out, *gates_next, *c, *c_prev, *panel;
    size_t dh_stride, n_next, n_prev, hp, first, n_units;
};

/* n_rows <= max_rows rows of one panel; rows either all have a next step or all have none. */
static void backward_rows(const struct backward *s, size_t b, size_t n_rows)
{
    float dh[max_rows * width];
    const size_t n_here = s->n_units - s->first;
    const int has_next = b < s->n_next;
    for (size_t r = 0; r < n_rows; r++) {
        const float *from = s->dh_out + (b + r) * s->dh_stride + s->first;
        for (size_t u = 0; u < width; u += unit_block)
            _mm512_storeu_ps(dh + r * width + u,
                             u < n_here ? _mm512_maskz_loadu_ps(mask_of(n_here - u), from + u)
                                        : _mm512_setzero_ps());
    }
    if (has_next)
        multiply_rows(dh, width, s->gates_next + b * 4 * s->hp, 4 * s->hp, s->panel, 4 * s->hp,
                      n_rows);
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t u = 0; u < width && u < n_here; u += unit_block) {
            const size_t at = (b + r) * s->hp + s->first + u;
            cell_backward(s->gates + 4 * at, s->dc + at, has_next ? s->dc + at : NULL,
                          dh + r * width + u, s->c + at, b + r < s->n_prev ? s->c_prev + at : NULL,
                          mask_of(n_here - u));
        }
    }
}

static void lstm_backward_avx512(float *gates, float *dc, const float *dh_out, size_t dh_stride,
                                 const float *gates_next, int n_next, const float *c,
                                 const float *c_prev, int n_prev, int n_rows,
                                 const float *r_packed_backward, int n_hidden)
{
    const size_t hp = oto_dsp_padded(n_hidden, unit_block);
    struct backward s = {.gates = gates,
                         .dc = dc,
                         .dh_out = dh_out,
                         .gates_next = gates_next,
                         .c = c,
                         .c_prev = c_prev,
                         .dh_stride = dh_stride,
                         .n_prev = (size_t)n_prev,
                         .hp = hp};
    s.n_next = (size_t)(n_next < n_rows ? n_next : n_rows);
    s.n_units = (size_t)n_hidden;
    for (; s.first < s.n_units; s.first += width) {
        s.panel = r_packed_backward + s.first * 4 * hp; /* [4*Hp, W] */
        for (size_t b = 0; b < (size_t)n_rows;) {
            const size_t end = b < s.n_next ? s.n_next : (size_t)n_rows;
            const size_t n_blocks = (end - b + max_rows - 1) / max_rows,
                         n = (end - b + n_blocks - 1) / n_blocks;
            backward_rows(&s, b, n);
            b += n;
        }
    }
}

static __m512 load_cols(const float *in, int j, int n_cols, float other)
{
    return _mm512_mask_loadu_ps(_mm512_set1_ps(other), mask_of((size_t)(n_cols - j)), in + j);
}

/* exp as in exp2.h, relative error below 1e-7 (1 + |x - max|), where the weight of an element falls
 * as exp(x - max). */
static double sum_exp(const float *in, float max, int n_cols)
{
    const __m512 lowest = _mm512_set1_ps(-200), one = _mm512_set1_ps(1);
    __m512d sum = _mm512_setzero_pd();
    for (int j = 0; j < n_cols; j += unit_block) {
        const __m512 x = _mm512_sub_ps(load_cols(in, j, n_cols, max), _mm512_set1_ps(max));
        __m512 n;
        const __m512 q =
            exp2_minus_one(_mm512_max_ps(lowest, _mm512_mul_ps(x, _mm512_set1_ps(LOG2_E))), &n);
        const __m512 e = _mm512_maskz_mov_ps(mask_of((size_t)(n_cols - j)),
                                             _mm512_scalef_ps(_mm512_add_ps(one, q), n));
        sum = _mm512_add_pd(sum, _mm512_cvtps_pd(_mm512_castps512_ps256(e)));
        sum = _mm512_add_pd(sum, _mm512_cvtps_pd(_mm512_extractf32x8_ps(e, 1)));
    }
    return _mm512_reduce_add_pd(sum);
}

static void log_softmax_avx512(float *out, const float *in, int n_rows, int n_cols)
{
    for (int row = 0; row < n_rows; row++, in += n_cols, out += n_cols) {
        __m512 most = _mm512_set1_ps(-INFINITY);
        for (int j = 0; j < n_cols; j += unit_block) /* NaN in the first operand gives the second */
            most = _mm512_max_ps(load_cols(in, j, n_cols, -INFINITY), most);
        const float max = _mm512_reduce_max_ps(most),
                    log_sum = (float)log(sum_exp(in, max, n_cols));
        for (int j = 0; j < n_cols; j += unit_block) {
            const __m512 x = _mm512_sub_ps(load_cols(in, j, n_cols, max), _mm512_set1_ps(max));
            _mm512_mask_storeu_ps(out + j, mask_of((size_t)(n_cols - j)),
                                  _mm512_sub_ps(x, _mm512_set1_ps(log_sum)));
        }
    }
}

static size_t recurrent_size_avx512(int n_hidden)
{
    return oto_dsp_recurrent_size(n_hidden, unit_block);
}

static void pack_recurrent_forward_avx512(float *packed, const float *r, int n_hidden)
{
    oto_dsp_pack_forward(packed, r, n_hidden, unit_block);
}

static void pack_recurrent_backward_avx512(float *packed, const float *r, int n_hidden)
{
    oto_dsp_pack_backward(packed, r, n_hidden, unit_block);
}

void oto_dsp_init_avx512(struct oto_dsp *dsp)
{
    dsp->cpu_flags = OTO_CPU_AVX2 | OTO_CPU_AVX512;
    dsp->unit_block = unit_block;
    dsp->recurrent_size = recurrent_size_avx512;
    dsp->pack_recurrent_forward = pack_recurrent_forward_avx512;
    dsp->pack_recurrent_backward = pack_recurrent_backward_avx512;
    dsp->lstm_forward = lstm_forward_avx512;
    dsp->lstm_forward_half = lstm_forward_half_avx512;
    dsp->half_rows = 4; /* more would wait for the widening */
    dsp->lstm_backward = lstm_backward_avx512;
    dsp->add_outer = oto_add_outer_avx512;
    dsp->log_softmax = log_softmax_avx512;
}
