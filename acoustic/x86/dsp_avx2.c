/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

#include "acoustic/dsp_c.h"
#include "acoustic/x86/gates_avx2.h"
#include "acoustic/x86/outer.h"

enum {
    unit_block = 8,
    width = 2 * unit_block, /* columns of a packed panel */
    max_rows = 6 /* 6 rows of 2 sums, 2 weights and a broadcast: 15 of the 16 registers */
};

#if defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* Weights used by several rows are to be loaded once; the compiler would put the load into each
 * FMA, which doubles the time of two rows. */
INLINE void keep(__m256 *a, __m256 *b)
{
    __asm__("" : "+v"(*a), "+v"(*b));
}

/* One vector of weights from element `at` on: half precision is widened, which is exact. */
INLINE __m256 load_weights(const void *w, size_t at, const int half)
{
    return half ? _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)((const uint16_t *)w + at)))
                : _mm256_loadu_ps((const float *)w + at);
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
    __m256 low[max_rows], high[max_rows];
    UNROLL
    for (int r = 0; r < n_rows * n_split; r++) {
        low[r] = r < n_rows ? _mm256_loadu_ps(y + (size_t)r * y_stride) : _mm256_setzero_ps();
        high[r] = r < n_rows ? _mm256_loadu_ps(y + (size_t)r * y_stride + unit_block)
                             : _mm256_setzero_ps();
    }
    size_t k = 0, at = 0;
    for (; k + (size_t)n_split <= n_k; k += (size_t)n_split, at += (size_t)n_split * width) {
        UNROLL
        for (int s = 0; s < n_split; s++) {
            __m256 w_low = load_weights(w, at + (size_t)s * width, half),
                   w_high = load_weights(w, at + (size_t)s * width + unit_block, half);
            if (n_rows > 1)
                keep(&w_low, &w_high);
            UNROLL
            for (int r = 0; r < n_rows; r++) {
                const __m256 v = _mm256_set1_ps(x[(size_t)r * x_stride + k + (size_t)s]);
                low[s * n_rows + r] = _mm256_fmadd_ps(v, w_low, low[s * n_rows + r]);
                high[s * n_rows + r] = _mm256_fmadd_ps(v, w_high, high[s * n_rows + r]);
            }
        }
    }
    for (; n_split > 1 && k < n_k; k++, at += width) {
        UNROLL
        for (int r = 0; r < n_rows; r++) {
            const __m256 v = _mm256_set1_ps(x[(size_t)r * x_stride + k]);
            low[r] = _mm256_fmadd_ps(v, load_weights(w, at, half), low[r]);
            high[r] = _mm256_fmadd_ps(v, load_weights(w, at + unit_block, half), high[r]);
        }
    }
    UNROLL
    for (int r = 0; r < n_rows; r++) {
        UNROLL
        for (int s = 1; s < n_split; s++) {
            low[r] = _mm256_add_ps(low[r], low[s * n_rows + r]);
            high[r] = _mm256_add_ps(high[r], high[s * n_rows + r]);
        }
        _mm256_storeu_ps(y + (size_t)r * y_stride, low[r]);
        _mm256_storeu_ps(y + (size_t)r * y_stride + unit_block, high[r]);
    }
}

/* Any number of rows, in blocks as even as they can be: 7 rows are 4 and 3, as 6 and 1 would wait
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
        default:
            multiply(y, y_stride, x, x_stride, w, n_k, 6, 1, half);
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
    enum { n_split = 2 }; /* 8 sums: enough for the FMAs in flight */
    __m256 sums[n_split][4];
    size_t k = 0;
    UNROLL
    for (size_t s = 0; s < n_split; s++) {
        UNROLL
        for (size_t q = 0; q < 4; q++)
            sums[s][q] = s == 0 ? _mm256_loadu_ps(y + q * unit_block) : _mm256_setzero_ps();
    }
    for (; k + n_split <= n_k; k += n_split) {
        UNROLL
        for (size_t s = 0; s < n_split; s++) {
            const __m256 v = _mm256_set1_ps(x[k + s]);
            UNROLL
            for (size_t q = 0; q < 4; q++) {
                const size_t at = (q / 2 * n_k + k + s) * width + q % 2 * unit_block;
                sums[s][q] = _mm256_fmadd_ps(v, load_weights(w, at, half), sums[s][q]);
            }
        }
    }
    for (; k < n_k; k++) {
        UNROLL
        for (size_t q = 0; q < 4; q++) {
            const size_t at = (q / 2 * n_k + k) * width + q % 2 * unit_block;
            sums[0][q] =
                _mm256_fmadd_ps(_mm256_set1_ps(x[k]), load_weights(w, at, half), sums[0][q]);
        }
    }
    UNROLL
    for (size_t q = 0; q < 4; q++) {
        UNROLL
        for (size_t s = 1; s < n_split; s++)
            sums[0][q] = _mm256_add_ps(sums[0][q], sums[s][q]);
        _mm256_storeu_ps(y + q * unit_block, sums[0][q]);
    }
}

/* a [4, U] of one block in place: gate functions and cell update. c_prev is NULL for zero state. */
INLINE void cell_forward(float *a, float *c, float *h, const float *c_prev, __m256i units)
{
    const __m256 i = sigmoid(_mm256_loadu_ps(a)), f = sigmoid(_mm256_loadu_ps(a + unit_block));
    const __m256 g = tanh_ps(_mm256_loadu_ps(a + 2 * unit_block)),
                 o = sigmoid(_mm256_loadu_ps(a + 3 * unit_block));
    const __m256 before = c_prev ? _mm256_loadu_ps(c_prev) : _mm256_setzero_ps();
    const __m256 cell = _mm256_fmadd_ps(f, before, _mm256_mul_ps(i, g)); /* NaN in f comes out */
    _mm256_storeu_ps(a, i);
    _mm256_storeu_ps(a + unit_block, f);
    _mm256_storeu_ps(a + 2 * unit_block, g);
    _mm256_storeu_ps(a + 3 * unit_block, o);
    _mm256_storeu_ps(c, cell);
    _mm256_maskstore_ps(h, units, _mm256_mul_ps(o, tanh_ps(cell)));
}

/* One half panel (20 kB for 320 units: it stays in the first-level cache) over all rows, then the
 * cells. */
INLINE void lstm_forward(float *gates, float *c, float *h, size_t h_stride, const float *h_prev,
                         size_t h_prev_stride, const float *c_prev, int n_rows, int n_prev,
                         const void *r_packed, int n_hidden, const int half)
{
    const size_t n_units = (size_t)n_hidden, hp = oto_dsp_padded(n_hidden, unit_block),
                 row = 4 * hp;
    const size_t n_before = (size_t)(n_prev < n_rows ? n_prev : n_rows);
    for (size_t first = 0; first < n_units; first += unit_block) {
        float *a = gates + 4 * first;
        const __m256i units = mask_of(n_units - first);
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

static void lstm_forward_avx2(float *gates, float *c, float *h, size_t h_stride,
                              const float *h_prev, size_t h_prev_stride, const float *c_prev,
                              int n_rows, int n_prev, const float *r_packed, int n_hidden)
{
    lstm_forward(gates, c, h, h_stride, h_prev, h_prev_stride, c_prev, n_rows, n_prev, r_packed,
                 n_hidden, 0);
}

static void lstm_forward_half_avx2(float *gates, float *c, float *h, size_t h_stride,
                                   const float *h_prev, size_t h_prev_stride, const float *c_prev,
                                   int n_rows, int n_prev, const uint16_t *r_half, int n_hidden)
{
    lstm_forward(gates, c, h, h_stride, h_prev, h_prev_stride, c_prev, n_rows, n_prev, r_half,
                 n_hidden, 1);
}

/* a [4, U]: i, f, g, o in, their gradients out; dc [U] in (NULL for zero) and out. Padding units
 * give zeros. */
INLINE void cell_backward(float *a, float *dc_out, const float *dc, const float *dh_in,
                          const float *c, const float *c_prev, __m256i units)
{
    const __m256 one = _mm256_set1_ps(1);
    const __m256 i = _mm256_maskload_ps(a, units), f = _mm256_maskload_ps(a + unit_block, units);
    const __m256 g = _mm256_maskload_ps(a + 2 * unit_block, units);
    const __m256 o = _mm256_maskload_ps(a + 3 * unit_block, units);
    const __m256 dh = _mm256_maskload_ps(dh_in, units),
                 tanh_c = tanh_ps(_mm256_maskload_ps(c, units));
    const __m256 before = c_prev ? _mm256_maskload_ps(c_prev, units) : _mm256_setzero_ps();
    const __m256 later = dc ? _mm256_maskload_ps(dc, units) : _mm256_setzero_ps();
    const __m256 slope = _mm256_fnmadd_ps(tanh_c, tanh_c, one);
    const __m256 dcell = _mm256_fmadd_ps(_mm256_mul_ps(dh, o), slope, later);
    const __m256 di = _mm256_mul_ps(_mm256_mul_ps(dcell, g), _mm256_fnmadd_ps(i, i, i));
    const __m256 df = _mm256_mul_ps(_mm256_mul_ps(dcell, before), _mm256_fnmadd_ps(f, f, f));
    const __m256 dg = _mm256_mul_ps(_mm256_mul_ps(dcell, i), _mm256_fnmadd_ps(g, g, one));
    const __m256 dout = _mm256_mul_ps(_mm256_mul_ps(dh, tanh_c), _mm256_fnmadd_ps(o, o, o));
    _mm256_storeu_ps(a, di);
    _mm256_storeu_ps(a + unit_block, df);
    _mm256_storeu_ps(a + 2 * unit_block, dg);
    _mm256_storeu_ps(a + 3 * unit_block, dout);
    _mm256_storeu_ps(dc_out, _mm256_mul_ps(dcell, f));
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
            _mm256_storeu_ps(dh + r * width + u,
                             u < n_here ? _mm256_maskload_ps(from + u, mask_of(n_here - u))
                                        : _mm256_setzero_ps());
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

static void lstm_backward_avx2(float *gates, float *dc, const float *dh_out, size_t dh_stride,
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

/* Columns j.. of a row; lanes past its end hold other. */
INLINE __m256 load_cols(const float *in, int j, int n_cols, float other)
{
    const __m256i mask = mask_of((size_t)(n_cols - j));
    return _mm256_blendv_ps(_mm256_set1_ps(other), _mm256_maskload_ps(in + j, mask),
                            _mm256_castsi256_ps(mask));
}

/* MAXPS gives its second operand where one is NaN, so NaN in the row is passed over here and comes
 * out of the sum. */
static float max_of(const float *in, int n_cols)
{
    float lanes[unit_block];
    __m256 most = _mm256_set1_ps(-INFINITY);
    for (int j = 0; j < n_cols; j += unit_block)
        most = _mm256_max_ps(load_cols(in, j, n_cols, -INFINITY), most);
    _mm256_storeu_ps(lanes, most);
    for (int j = 1; j < unit_block; j++)
        lanes[0] = lanes[j] > lanes[0] ? lanes[j] : lanes[0];
    return lanes[0];
}

/* exp as in exp2.h, relative error below 1e-7 (1 + |x - max|), where the weight of an element falls
 * as exp(x - max). Elements below max - 87 count as 2^-126 each: nothing beside the 1 of the
 * largest. */
static double sum_exp(const float *in, float max, int n_cols)
{
    const __m256 lowest = _mm256_set1_ps(-126);
    __m256d sum = _mm256_setzero_pd();
    for (int j = 0; j < n_cols; j += unit_block) {
        const __m256 x = _mm256_sub_ps(load_cols(in, j, n_cols, max), _mm256_set1_ps(max));
        __m256 n;
        const __m256 q =
            exp2_minus_one(_mm256_max_ps(lowest, _mm256_mul_ps(x, _mm256_set1_ps(LOG2_E))), &n);
        const __m256 scale = exp2_whole(n),
                     mask = _mm256_castsi256_ps(mask_of((size_t)(n_cols - j)));
        const __m256 e = _mm256_and_ps(mask, _mm256_fmadd_ps(scale, q, scale));
        sum = _mm256_add_pd(sum, _mm256_cvtps_pd(_mm256_castps256_ps128(e)));
        sum = _mm256_add_pd(sum, _mm256_cvtps_pd(_mm256_extractf128_ps(e, 1)));
    }
    double lanes[4];
    _mm256_storeu_pd(lanes, sum);
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

static void log_softmax_avx2(float *out, const float *in, int n_rows, int n_cols)
{
    for (int row = 0; row < n_rows; row++, in += n_cols, out += n_cols) {
        const float max = max_of(in, n_cols), log_sum = (float)log(sum_exp(in, max, n_cols));
        for (int j = 0; j < n_cols; j += unit_block) {
            const __m256 x = _mm256_sub_ps(load_cols(in, j, n_cols, max), _mm256_set1_ps(max));
            _mm256_maskstore_ps(out + j, mask_of((size_t)(n_cols - j)),
                                _mm256_sub_ps(x, _mm256_set1_ps(log_sum)));
        }
    }
}

static size_t recurrent_size_avx2(int n_hidden)
{
    return oto_dsp_recurrent_size(n_hidden, unit_block);
}

static void pack_recurrent_forward_avx2(float *packed, const float *r, int n_hidden)
{
    oto_dsp_pack_forward(packed, r, n_hidden, unit_block);
}

static void pack_recurrent_backward_avx2(float *packed, const float *r, int n_hidden)
{
    oto_dsp_pack_backward(packed, r, n_hidden, unit_block);
}

void oto_dsp_init_avx2(struct oto_dsp *dsp)
{
    dsp->cpu_flags = OTO_CPU_AVX2;
    dsp->unit_block = unit_block;
    dsp->recurrent_size = recurrent_size_avx2;
    dsp->pack_recurrent_forward = pack_recurrent_forward_avx2;
    dsp->pack_recurrent_backward = pack_recurrent_backward_avx2;
    dsp->lstm_forward = lstm_forward_avx2;
    dsp->lstm_forward_half = lstm_forward_half_avx2;
    dsp->half_rows = 2; /* more would wait for the widening */
    dsp->lstm_backward = lstm_backward_avx2;
    dsp->add_outer = oto_add_outer_avx2;
    dsp->log_softmax = log_softmax_avx2;
}
