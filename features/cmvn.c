/* SPDX-License-Identifier: BSD-2-Clause */
#include "features/cmvn.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

oto_status oto_cmvn_stats_init(struct oto_cmvn_stats *stats, int dim, oto_error *err)
{
    *stats = (struct oto_cmvn_stats){0};
    if (dim < 1)
        return oto_fail(err, OTO_ERR_ARGUMENT, "CMVN statistics of %d columns: expected at least 1",
                        dim);
    stats->dim = dim;
    stats->sum = oto_calloc((size_t)dim, sizeof *stats->sum);
    stats->sum_squares = oto_calloc((size_t)dim, sizeof *stats->sum_squares);
    if (!stats->sum || !stats->sum_squares) {
        oto_cmvn_stats_clear(stats);
        return oto_fail_memory(err, "CMVN statistics");
    }
    return OTO_OK;
}

void oto_cmvn_stats_clear(struct oto_cmvn_stats *stats)
{
    oto_free(stats->sum);
    oto_free(stats->sum_squares);
    *stats = (struct oto_cmvn_stats){0};
}

void oto_cmvn_stats_add(struct oto_cmvn_stats *stats, const float *statics, size_t n_static)
{
    for (size_t t = 0; t < n_static; t++) {
        const float *x = statics + t * (size_t)stats->dim;
        for (int d = 0; d < stats->dim; d++) {
            stats->sum[d] += (double)x[d];
            stats->sum_squares[d] += (double)x[d] * (double)x[d];
        }
    }
    stats->count += (double)n_static;
}

oto_status oto_cmvn_stats_check(const struct oto_cmvn_stats *stats, int dim, oto_error *err)
{
    if (!(stats->count >= 1.0) || isinf(stats->count))
        return oto_fail(err, OTO_ERR_DATA, "CMVN statistics count %g vectors: expected at least 1",
                        stats->count);
    if (stats->dim != dim)
        return oto_fail(err, OTO_ERR_DATA, "CMVN statistics have %d columns, the features have %d",
                        stats->dim, dim);
    for (int d = 0; d < dim; d++) {
        const double mean = stats->sum[d] / stats->count,
                     square = stats->sum_squares[d] / stats->count;
        /* Rounding may leave the difference slightly below zero for a constant column. */
        if (!isfinite(mean) || !isfinite(square) || square - mean * mean < -1e-6 * (1.0 + square))
            return oto_fail(
                err, OTO_ERR_DATA,
                "CMVN statistics column %d: mean %g and mean square %g are not those of any data",
                d, mean, square);
    }
    return OTO_OK;
}

oto_status oto_cmvn_stats_copy(struct oto_cmvn_stats *out, const struct oto_cmvn_stats *in,
                               oto_error *err)
{
    oto_status status = oto_cmvn_stats_init(out, in->dim, err);

    if (status)
        return status;
    out->count = in->count;
    memcpy(out->sum, in->sum, (size_t)in->dim * sizeof *in->sum);
    memcpy(out->sum_squares, in->sum_squares, (size_t)in->dim * sizeof *in->sum_squares);
    return OTO_OK;
}

static double inverse_deviation(double variance)
{
    return 1.0 / sqrt(fmax(variance, OTO_CMVN_FLOOR));
}

static void normalise(float *out, const float *in, int dim, const double *mean, const double *scale)
{
    for (int d = 0; d < dim; d++)
        out[d] = (float)(((double)in[d] - mean[d]) * scale[d]);
}

void oto_cmvn_utterance(float *out, const float *in, size_t n, int dim, bool variance,
                        const uint8_t *counts, double *scratch)
{
    const size_t width = (size_t)dim;
    double *mean = scratch, *scale = scratch + dim;
    size_t n_counting = 0;

    for (int d = 0; d < 2 * dim; d++)
        scratch[d] = 0.0;
    for (size_t t = 0; t < n; t++) { /* eq. 16 */
        if (counts && !counts[t])
            continue;
        n_counting++;
        for (size_t d = 0; d < width; d++)
            mean[d] += (double)in[t * width + d];
    }
    for (size_t d = 0; d < width; d++)
        mean[d] /= (double)n_counting;
    for (size_t t = 0; t < n && variance;
         t++) { /* eq. 17; a second pass, so that nothing cancels */
        if (counts && !counts[t])
            continue;
        for (size_t d = 0; d < width; d++) {
            const double x = (double)in[t * width + d] - mean[d];
            scale[d] += x * x;
        }
    }
    for (size_t d = 0; d < width; d++)
        scale[d] = variance ? inverse_deviation(scale[d] / (double)n_counting) : 1.0;
    for (size_t t = 0; t < n; t++)
        normalise(out + t * width, in + t * width, dim, mean, scale);
}

/* Mean and scale from sums (eq. 18). */
static void from_sums(double *mean, double *scale, double count, double sum, double sum_squares,
                      bool variance)
{
    *mean = sum / count;
    *scale = variance ? inverse_deviation(sum_squares / count - *mean * *mean) : 1.0;
}

void oto_cmvn_global(float *out, const float *in, size_t n, int dim, bool variance,
                     const struct oto_cmvn_stats *stats, double *scratch)
{
    for (int d = 0; d < dim; d++)
        from_sums(scratch + d, scratch + dim + d, stats->count, stats->sum[d],
                  stats->sum_squares[d], variance);
    for (size_t t = 0; t < n; t++)
        normalise(out + t * (size_t)dim, in + t * (size_t)dim, dim, scratch, scratch + dim);
}

/* Running sums of a window: sign +1 as a vector enters, -1 as it leaves. */
static void slide(double *sum, double *sum_squares, const float *x, int dim, double sign)
{
    for (int d = 0; d < dim; d++) {
        sum[d] += sign * (double)x[d];
        sum_squares[d] += sign * (double)x[d] * (double)x[d];
    }
}

void oto_cmvn_sliding(float *out, const float *in, size_t n, int dim, bool variance, int window,
                      const struct oto_cmvn_stats *prior, double *scratch)
{
    const bool has_prior = prior && prior->count > 0.0;
    const size_t width = (size_t)dim, reach = (size_t)window;
    double *sum = scratch, *sum_squares = scratch + dim;
    size_t begin = 0, end = 0; /* of the sums */

    memset(scratch, 0, 2 * width * sizeof *scratch);
    for (size_t t = 0; t < n; t++) {
        const size_t first =
            has_prior ? (t + 1 > reach ? t + 1 - reach : 0) : (t > reach ? t - reach : 0);
        const size_t ahead =
            has_prior || t + 1 >= OTO_CMVN_MIN_WINDOW ? t + 1 : OTO_CMVN_MIN_WINDOW;
        const size_t last = ahead < n ? ahead : n;

        for (; end < last; end++)
            slide(sum, sum_squares, in + end * width, dim, 1.0);
        for (; begin < first; begin++)
            slide(sum, sum_squares, in + begin * width, dim, -1.0);
        const double count = (double)(end - begin);
        const double room = fmin((double)window - count, OTO_CMVN_PRIOR_FRAMES);
        const double borrowed = has_prior && room > 0.0 ? room : 0.0;
        const double weight = has_prior ? borrowed / prior->count : 0.0;
        for (size_t d = 0; d < width; d++) { /* eq. 19, 20 */
            double mean, scale, total = sum[d], squares = sum_squares[d];
            if (has_prior) {
                total += weight * prior->sum[d];
                squares += weight * prior->sum_squares[d];
            }
            from_sums(&mean, &scale, count + borrowed, total, squares, variance);
            out[t * width + d] = (float)(((double)in[t * width + d] - mean) * scale);
        }
    }
}
