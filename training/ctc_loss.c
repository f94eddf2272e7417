/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/ctc_loss.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

/*
 * Path probabilities span thousands of decades, so each one is kept as m * 2^e: m a double near 1,
 * e a whole number in a double. That is log space with the whole part of log2 apart: products add
 * exponents, and a sum of terms costs one power of two each instead of an exponential and a
 * logarithm. No term is lost that a 53-bit sum could hold, and nothing underflows, whatever the
 * inputs. The lattice has 2U+1 states; blanks B[0..U] and labels L[0..U-1] stand in separate arrays
 * so that the loops run over neighbours (math.md, section 4):
 *
 *     alpha:  B'[u] = (B[u] + L[u-1]) y_blank     L'[u] = (L[u] + B[u] + skip[u] L[u-1]) y_u
 *     beta:   B'[u] = (B[u] + L[u]) y_blank       L'[u] = (L[u] + B[u+1] + skip[u+1] L[u+1]) y_u
 */
#define EMPTY (-1e290) /* exponent of 0; sums of it over any number of frames stay finite */
#define LN_2 0.693147180559945309417
#define LOG2_E 1.44269504088896340736
#define PAD 1          /* cells before index 0 of a row */
#define RENORMALISE 32 /* frames; m grows at most 6-fold a frame, so it stays below 2^84 */

/** Numbers m[i] * 2^e[i]. */
struct cells {
    double *m, *e;
};

/** One frame of the lattice: B[u] and L[u] at index u; L[-1] and L[U] are there too, always 0. */
struct row {
    struct cells blank, label;
};

struct oto_ctc {
    double *alpha;        /* rows [T] */
    double *rows;         /* rows [2]; then the next three live behind them, in [4, stride] */
    struct cells label_y; /* y of each label at one frame */
    double *skip;    /* [U + 1] 0 where label u may follow label u-1 without a blank, else EMPTY */
    double *product; /* [U + 1] */
    double *y;       /* [T, 2, K]: exp(log_probs), m and e */
    double *occupancy;                        /* [K] */
    size_t n_alpha, n_rows, n_y, n_occupancy; /* allocated */
    double least;                             /* of factor() */
};

/** What one call works on. */
struct problem {
    const oto_real *log_probs;
    const size_t *rows;
    int T, K, U;
    const int *labels;
    size_t stride;
};

int oto_ctc_min_frames(const int *labels, int n_labels)
{
    int n = n_labels;
    for (int u = 1; u < n_labels; u++)
        n += labels[u] == labels[u - 1];
    return n;
}

oto_status oto_ctc_create(struct oto_ctc **out, oto_error *err)
{
    *out = oto_calloc(1, sizeof **out);
    if (!*out)
        return oto_fail_memory(err, "CTC scratch");
    (*out)->least = -1023.0;
    return OTO_OK;
}

void oto_ctc_destroy(struct oto_ctc *ctc)
{
    if (!ctc)
        return;
    oto_free(ctc->alpha);
    oto_free(ctc->rows);
    oto_free(ctc->y);
    oto_free(ctc->occupancy);
    oto_free(ctc);
}

/** Makes *p hold at least n doubles, of unspecified value; on failure it is as before. */
static bool reserve(double **p, size_t *capacity, size_t n)
{
    if (n <= *capacity)
        return true;
    double *fresh = oto_calloc(n, sizeof *fresh);
    if (!fresh)
        return false;
    oto_free(*p);
    *p = fresh;
    *capacity = n;
    return true;
}

static oto_status reserve_all(struct oto_ctc *ctc, const struct problem *q, oto_error *err)
{
    size_t alpha, y;
    if (!oto_mul_size(4 * q->stride, (size_t)q->T, &alpha) ||
        !oto_mul_size(2 * (size_t)q->K, (size_t)q->T, &y) ||
        !reserve(&ctc->alpha, &ctc->n_alpha, alpha) || !reserve(&ctc->y, &ctc->n_y, y) ||
        !reserve(&ctc->rows, &ctc->n_rows, 12 * q->stride) ||
        !reserve(&ctc->occupancy, &ctc->n_occupancy, (size_t)q->K))
        return oto_fail_memory(err, "CTC lattice");
    double *p = ctc->rows + 8 * q->stride;
    ctc->label_y = (struct cells){p, p + q->stride};
    ctc->skip = p + 2 * q->stride;
    ctc->product = p + 3 * q->stride;
    return OTO_OK;
}

static struct cells offset_by(struct cells c, ptrdiff_t n)
{
    return (struct cells){c.m + n, c.e + n};
}

/** The index-th row in a block of them. */
static struct row row_at(double *block, int index, size_t stride)
{
    double *p = block + (size_t)index * 4 * stride + PAD;
    return (struct row){{p, p + stride}, {p + 2 * stride, p + 3 * stride}};
}

static void set_cell(struct cells c, ptrdiff_t i, double m, double e)
{
    c.m[i] = m;
    c.e[i] = e;
}

static const oto_real *frame_of(const struct problem *q, int t)
{
    return q->log_probs + (q->rows ? q->rows[t] : (size_t)t) * (size_t)q->K;
}

/** exp(log_probs) at frame t, index k. */
static struct cells emission_of(struct oto_ctc *ctc, const struct problem *q, int t)
{
    double *y = ctc->y + (size_t)t * 2 * (size_t)q->K;
    return (struct cells){y, y + q->K};
}

static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

/** 2^d for a whole d in [-1023, 1023], where 2^-1023 is 0: the biased exponent falls out of the low
 * bits of d + 2^52. */
static inline double pow2_whole(double d)
{
    double x = d + (0x1p52 + 1023.0);
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits <<= 52;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/**
 * Factor that brings a term with exponent e to the common exponent top; 0 where it is too small to
 * count. least is -1023, in a variable: as a constant it makes gcc branch around the power, and
 * then the loops are not vectorised.
 */
static inline double factor(double e, double top, double least)
{
    return pow2_whole(larger(e - top, least));
}

/**
 * 2^f for f in [0, 1]: Taylor series of exp(z), z = (f - 1/2) ln 2, to z^13, times sqrt(2). The
 * remainder is below (ln2/2)^14/14! = 4.3e-18 relative; with rounding 4.4e-16 was measured
 * (tests/unit/test_ctc_loss.c allows 1e-15).
 */
static inline double exp2_fraction(double f)
{
    double z = (f - 0.5) * LN_2;
    double p = 1.0 / 6227020800.0;
    p = p * z + 1.0 / 479001600.0;
    p = p * z + 1.0 / 39916800.0;
    p = p * z + 1.0 / 3628800.0;
    p = p * z + 1.0 / 362880.0;
    p = p * z + 1.0 / 40320.0;
    p = p * z + 1.0 / 5040.0;
    p = p * z + 1.0 / 720.0;
    p = p * z + 1.0 / 120.0;
    p = p * z + 1.0 / 24.0;
    p = p * z + 1.0 / 6.0;
    p = p * z + 0.5;
    p = p * z + 1.0;
    p = p * z + 1.0;
    return p * 1.41421356237309504880;
}

/** exp(log_probs) of all frames as m * 2^e. False at the first NaN or +inf, its place in *bad_t,
 * *bad_k. */
static bool emissions(struct oto_ctc *ctc, const struct problem *q, int *bad_t, int *bad_k)
{
    for (int t = 0; t < q->T; t++) {
        const oto_real *x = frame_of(q, t);
        struct cells y = emission_of(ctc, q, t);
        for (int k = 0; k < q->K; k++) {
            if (!(x[k] < (oto_real)INFINITY)) {
                *bad_t = t;
                *bad_k = k;
                return false;
            }
            y.m[k] = larger((double)x[k] * LOG2_E, EMPTY);
            y.e[k] = floor(y.m[k]);
        }
        for (int k = 0; k < q->K; k++)
            y.m[k] = exp2_fraction(y.m[k] - y.e[k]);
    }
    return true;
}

static void gather_labels(struct oto_ctc *ctc, const struct problem *q, int t)
{
    struct cells y = emission_of(ctc, q, t);
    for (int u = 0; u < q->U; u++)
        set_cell(ctc->label_y, u, y.m[q->labels[u]], y.e[q->labels[u]]);
}

static void find_skips(struct oto_ctc *ctc, const struct problem *q)
{
    ctc->skip[0] = ctc->skip[q->U] = EMPTY;
    for (int u = 1; u < q->U; u++)
        ctc->skip[u] = q->labels[u] != q->labels[u - 1] ? 0.0 : EMPTY;
}

/** out[i] = a[i] + b[i] for i in [0, n). */
static void sum2(struct cells out, struct cells a, struct cells b, int n, double least)
{
    double *restrict m = out.m, *restrict e = out.e;
    for (int i = 0; i < n; i++) {
        double top = larger(a.e[i], b.e[i]);
        m[i] = a.m[i] * factor(a.e[i], top, least) + b.m[i] * factor(b.e[i], top, least);
        e[i] = top;
    }
}

/** out[i] = a[i] + b[i] + 2^skip[i] c[i] for i in [0, n). */
static void sum3(struct cells out, struct cells a, struct cells b, struct cells c,
                 const double *skip, int n, double least)
{
    double *restrict m = out.m, *restrict e = out.e;
    for (int i = 0; i < n; i++) /* its own loop: with the next it would not be vectorised */
        e[i] = larger(larger(a.e[i], b.e[i]), c.e[i] + skip[i]);
    for (int i = 0; i < n; i++)
        m[i] = a.m[i] * factor(a.e[i], e[i], least) + b.m[i] * factor(b.e[i], e[i], least) +
               c.m[i] * factor(c.e[i] + skip[i], e[i], least);
}

static void multiply(struct cells out, struct cells a, struct cells b, int n)
{
    double *restrict m = out.m, *restrict e = out.e;
    for (int i = 0; i < n; i++) {
        m[i] = a.m[i] * b.m[i];
        e[i] = a.e[i] + b.e[i];
    }
}

static void multiply_by(struct cells out, struct cells a, double b_m, double b_e, int n)
{
    double *restrict m = out.m, *restrict e = out.e;
    for (int i = 0; i < n; i++) {
        m[i] = a.m[i] * b_m;
        e[i] = a.e[i] + b_e;
    }
}

static void renormalise(struct cells c, int n)
{
    for (int i = 0; i < n; i++) {
        int shift;
        c.m[i] = frexp(c.m[i], &shift) * 2.0; /* [1, 2), or 0 */
        c.e[i] = c.m[i] > 0.0 ? c.e[i] + (shift - 1) : EMPTY;
    }
}

/** out = sum * y at frame t, with the 0 on both sides of the labels. */
static void emit(struct oto_ctc *ctc, const struct problem *q, struct row out, struct row sum,
                 int t)
{
    struct cells y = emission_of(ctc, q, t);
    gather_labels(ctc, q, t);
    multiply_by(out.blank, sum.blank, y.m[0], y.e[0], q->U + 1);
    multiply(out.label, sum.label, ctc->label_y, q->U);
    set_cell(out.label, -1, 0.0, EMPTY);
    set_cell(out.label, q->U, 0.0, EMPTY);
    if (t % RENORMALISE == 0) {
        renormalise(out.blank, q->U + 1);
        renormalise(out.label, q->U);
    }
}

/** A row of 0 but for one blank and one label (left out where u is not in [0, U)), which are 1. */
static void start(const struct problem *q, struct row r, int blank, int label)
{
    for (int u = 0; u <= q->U; u++) {
        set_cell(r.blank, u, u == blank ? 1.0 : 0.0, u == blank ? 0.0 : EMPTY);
        set_cell(r.label, u, 0.0, EMPTY);
    }
    if (q->U > 0)
        set_cell(r.label, label, 1.0, 0.0);
}

/** alpha of every frame (math.md, eq. 42 and 43): paths start with the first blank or the first
 * label. */
static void forward(struct oto_ctc *ctc, const struct problem *q)
{
    struct row sum = row_at(ctc->rows, 0, q->stride);
    start(q, sum, 0, 0);
    for (int t = 0; t < q->T; t++) {
        struct row alpha = row_at(ctc->alpha, t, q->stride);
        emit(ctc, q, alpha, sum, t);
        sum2(sum.blank, alpha.blank, offset_by(alpha.label, -1), q->U + 1, ctc->least);
        sum3(sum.label, alpha.label, alpha.blank, offset_by(alpha.label, -1), ctc->skip, q->U,
             ctc->least);
    }
}

/** p(labels | x) (eq. 44): paths end in the last blank or the last label. */
static void total(const struct oto_ctc *ctc, const struct problem *q, double *m, double *e)
{
    struct row last = row_at(ctc->alpha, q->T - 1, q->stride);
    sum2((struct cells){m, e}, offset_by(last.blank, q->U), offset_by(last.label, q->U - 1), 1,
         ctc->least);
}

/**
 * Occupancy of every symbol at a frame (eq. 46): alpha * beta / p summed over the states
 * of the symbol. beta is without the emission of the frame, which alpha holds, so there is nothing
 * to divide out.
 */
static void occupy(struct oto_ctc *ctc, const struct problem *q, struct row alpha, struct row beta,
                   double p_m, double p_e)
{
    double *restrict product = ctc->product;
    memset(ctc->occupancy, 0, (size_t)q->K * sizeof *ctc->occupancy);
    for (int u = 0; u <= q->U; u++)
        product[u] = alpha.blank.m[u] * beta.blank.m[u] *
                     factor(alpha.blank.e[u] + beta.blank.e[u], p_e, ctc->least);
    for (int u = 0; u <= q->U; u++)
        ctc->occupancy[0] += product[u];
    for (int u = 0; u < q->U; u++)
        product[u] = alpha.label.m[u] * beta.label.m[u] *
                     factor(alpha.label.e[u] + beta.label.e[u], p_e, ctc->least);
    for (int u = 0; u < q->U; u++)
        ctc->occupancy[q->labels[u]] += product[u];
    for (int k = 0; k < q->K; k++)
        ctc->occupancy[k] /= p_m;
}

/** dlogits of frame t (eq. 47): softmax - occupancy. */
static void gradient(struct oto_ctc *ctc, const struct problem *q, oto_real *dlogits, int t)
{
    struct cells y = emission_of(ctc, q, t);
    oto_real *restrict out = dlogits + (frame_of(q, t) - q->log_probs);
    for (int k = 0; k < q->K; k++)
        out[k] = (oto_real)(y.m[k] * factor(y.e[k], 0.0, ctc->least) - ctc->occupancy[k]);
}

/** beta row by row (eq. 45), each used at once for the gradient of its frame. */
static void backward(struct oto_ctc *ctc, const struct problem *q, oto_real *dlogits, double p_m,
                     double p_e)
{
    struct row sum = row_at(ctc->rows, 0, q->stride);  /* beta of t without the emission of t */
    struct row beta = row_at(ctc->rows, 1, q->stride); /* with it */
    start(q, sum, q->U, q->U - 1);
    for (int t = q->T - 1; t >= 0; t--) {
        occupy(ctc, q, row_at(ctc->alpha, t, q->stride), sum, p_m, p_e);
        gradient(ctc, q, dlogits, t);
        emit(ctc, q, beta, sum, t);
        sum2(sum.blank, beta.blank, beta.label, q->U + 1, ctc->least);
        sum3(sum.label, beta.label, offset_by(beta.blank, 1), offset_by(beta.label, 1),
             ctc->skip + 1, q->U, ctc->least);
    }
}

static void clear_gradient(const struct problem *q, oto_real *dlogits)
{
    for (int t = 0; dlogits && t < q->T; t++) {
        oto_real *out = dlogits + (frame_of(q, t) - q->log_probs);
        for (int k = 0; k < q->K; k++)
            out[k] = (oto_real)0;
    }
}

static oto_status check(const struct problem *q, oto_error *err)
{
    if (q->T < 0 || q->K < 1 || q->U < 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "CTC: %d frames, %d symbols, %d labels", q->T, q->K,
                        q->U);
    for (int u = 0; u < q->U; u++)
        if (q->labels[u] < 1 || q->labels[u] >= q->K)
            return oto_fail(err, OTO_ERR_ARGUMENT, "CTC: label %d is %d, expected 1 to %d", u,
                            q->labels[u], q->K - 1);
    return OTO_OK;
}

oto_status oto_ctc_compute(struct oto_ctc *ctc, double *loss, oto_real *dlogits,
                           const oto_real *log_probs, const size_t *rows, int n_frames,
                           int n_symbols, const int *labels, int n_labels, oto_error *err)
{
    struct problem q = {log_probs, rows, n_frames, n_symbols, n_labels, labels, 0};
    oto_status status = check(&q, err);
    if (status)
        return status;
    q.stride =
        ((size_t)n_labels + 1 + 2 * PAD + 7) & ~(size_t)7; /* rows stay aligned to 64 bytes */
    *loss = (double)INFINITY;
    clear_gradient(&q, dlogits);
    if (n_frames == 0) {
        *loss = n_labels ? *loss : 0.0;
        return OTO_OK;
    }
    if (oto_ctc_min_frames(labels, n_labels) > n_frames)
        return OTO_OK;
    status = reserve_all(ctc, &q, err);
    if (status)
        return status;
    int t, k;
    if (!emissions(ctc, &q, &t, &k))
        return oto_fail(err, OTO_ERR_DATA, "CTC: log-probability of frame %d, symbol %d is %g", t,
                        k, (double)frame_of(&q, t)[k]);
    find_skips(ctc, &q);
    forward(ctc, &q);
    double p_m, p_e;
    total(ctc, &q, &p_m, &p_e);
    if (!(p_m > 0.0) || p_e < EMPTY / 2.0)
        return OTO_OK; /* every path meets a probability of 0 */
    *loss = -(log(p_m) + p_e * LN_2);
    if (dlogits)
        backward(ctc, &q, dlogits, p_m, p_e);
    return OTO_OK;
}

void oto_ctc_smooth(double *loss, oto_real *dlogits, const oto_real *log_probs, const size_t *rows,
                    int n_frames, int n_symbols, double share)
{
    if (!isfinite(*loss))
        return;
    const double uniform = 1.0 / n_symbols;
    double divergence = 0;
    for (int t = 0; t < n_frames; t++) {
        size_t row = (rows ? rows[t] : (size_t)t) * (size_t)n_symbols;
        double sum = 0;
        for (int k = 0; k < n_symbols; k++) {
            double log_p = (double)log_probs[row + (size_t)k];
            sum += log_p;
            if (dlogits)
                dlogits[row + (size_t)k] =
                    (oto_real)((1 - share) * (double)dlogits[row + (size_t)k] +
                               share * (exp(log_p) - uniform));
        }
        divergence -= log((double)n_symbols) + uniform * sum;
    }
    *loss = (1 - share) * *loss + share * divergence;
}
