/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/confidence.h"

#include <math.h>

#define LEAST_POSTERIOR 0.001
#define LEAST_LOG_PROB (-20.0)
#define SPEECH_PATH 0.2 /* weight of the whole path */

#define FIELD(f) .offset = offsetof(struct oto_confidence, f)
const struct oto_option oto_confidence_option_table[] = {
    {.name = "bias",
     .type = OTO_OPTION_REAL,
     FIELD(bias),
     .default_text = "0",
     .min = -1000,
     .max = 1000,
     .help = "Added to the sum."},
    {.name = "posterior",
     .type = OTO_OPTION_REAL,
     FIELD(posterior),
     .default_text = "1",
     .min = -1000,
     .max = 1000,
     .help = "Weight of the logit of the posterior among the n-best texts."},
    {.name = "mean",
     .type = OTO_OPTION_REAL,
     FIELD(mean),
     .default_text = "0",
     .min = -1000,
     .max = 1000,
     .help = "Weight of the labels' mean log-probability."},
    {.name = "least",
     .type = OTO_OPTION_REAL,
     FIELD(least),
     .default_text = "0",
     .min = -1000,
     .max = 1000,
     .help = "Weight of the least sure label's log-probability."},
    {.name = "length",
     .type = OTO_OPTION_REAL,
     FIELD(length),
     .default_text = "0",
     .min = -1000,
     .max = 1000,
     .help = "Weight of the logarithm of the number of labels."},
};
const size_t oto_confidence_n_options =
    sizeof oto_confidence_option_table / sizeof *oto_confidence_option_table;

enum { N = 5 };

static void make_inputs(double x[N], const struct oto_evidence *e)
{
    double p = fmin(fmax(e->posterior, LEAST_POSTERIOR), 1 - LEAST_POSTERIOR);
    x[0] = 1;
    x[1] = log(p / (1 - p));
    x[2] = fmax(e->mean_log_prob, LEAST_LOG_PROB);
    x[3] = fmax(e->least_log_prob, LEAST_LOG_PROB);
    x[4] = log((double)e->n_labels);
}

static double logistic(const double w[N], const double x[N])
{
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += w[i] * x[i];
    return 1 / (1 + exp(-sum));
}

double oto_confidence(const struct oto_confidence *c, const struct oto_evidence *evidence)
{
    const double w[N] = {c->bias, c->posterior, c->mean, c->least, c->length};
    double x[N];
    make_inputs(x, evidence);
    return logistic(w, x);
}

void oto_evidence_collect(struct oto_evidence *evidence, const struct oto_span *spans, size_t n,
                          double posterior)
{
    double sum = 0, least = 0;
    size_t n_frames = 0;
    for (size_t i = 0; i < n; i++) {
        size_t length = spans[i].end - spans[i].start;
        sum += spans[i].log_prob;
        n_frames += length;
        least = fmin(least, spans[i].log_prob / (double)length);
    }
    double mean = sum / (double)n_frames;
    *evidence = (struct oto_evidence){posterior >= 0 ? posterior : exp(mean), mean, least, (int)n};
}

double oto_speech_confidence(const float *log_probs, size_t n_frames, int n_symbols)
{
    double all = 0, written = 0;
    size_t n_written = 0, n_letters = 0;
    int before = 0;
    for (size_t t = 0; t < n_frames; t++) {
        const float *y = log_probs + t * (size_t)n_symbols;
        int best = 0;
        for (int k = 1; k < n_symbols; k++)
            best = y[k] > y[best] ? k : best;
        all += (double)y[best];
        if (best != 0) {
            written += (double)y[best];
            n_written++;
            n_letters += best != before;
        }
        before = best;
    }
    if (n_written == 0)
        return 0;
    return exp(written / (double)n_written + SPEECH_PATH * all / (double)n_letters);
}

/* ---- calibration ------------------------------------------------------------------------- */

/* Solves a x = b, a [N, N] symmetric and positive definite; a and b are used up, b becomes x. */
static void solve(double a[N][N], double b[N])
{
    for (int i = 0; i < N; i++) {
        for (int k = i + 1; k < N; k++) {
            double f = a[k][i] / a[i][i];
            for (int j = i; j < N; j++)
                a[k][j] -= f * a[i][j];
            b[k] -= f * b[i];
        }
    }
    for (int i = N - 1; i >= 0; i--) {
        for (int j = i + 1; j < N; j++)
            b[i] -= a[i][j] * b[j];
        b[i] /= a[i][i];
    }
}

/* One step of Newton's method towards the likeliest weights. */
static void improve(double w[N], const struct oto_evidence *evidence, const bool *right, size_t n)
{
    double hessian[N][N] = {{0}}, step[N], x[N];
    for (int i = 0; i < N; i++) {
        hessian[i][i] = 1; /* as if there were a little knowledge that each weight is near 0 */
        step[i] = -w[i];
    }
    for (size_t k = 0; k < n; k++) {
        make_inputs(x, &evidence[k]);
        double p = logistic(w, x);
        for (int i = 0; i < N; i++) {
            step[i] += (right[k] - p) * x[i];
            for (int j = 0; j < N; j++)
                hessian[i][j] += p * (1 - p) * x[i] * x[j];
        }
    }
    solve(hessian, step);
    for (int i = 0; i < N; i++)
        w[i] += fmin(fmax(step[i], -2), 2); /* far from the top Newton's steps may be too long */
}

oto_status oto_confidence_fit(struct oto_confidence *c, const struct oto_evidence *evidence,
                              const bool *right, size_t n, oto_error *err)
{
    size_t n_right = 0;
    double w[N] = {0};
    for (size_t k = 0; k < n; k++)
        n_right += right[k];
    if (n_right < 20 || n - n_right < 20)
        return oto_fail(err, OTO_ERR_DATA,
                        "calibration: %zu words are right and %zu wrong, expected 20 of both",
                        n_right, n - n_right);
    for (int i = 0; i < 50; i++)
        improve(w, evidence, right, n);
    *c = (struct oto_confidence){w[0], w[1], w[2], w[3], w[4]};
    return OTO_OK;
}

double oto_calibration_error(const double *confidence, const bool *right, size_t n)
{
    double sums[10] = {0}, error = 0;
    for (size_t k = 0; k < n; k++) {
        int bin = (int)(confidence[k] * 10);
        sums[bin < 0 ? 0 : bin > 9 ? 9 : bin] += confidence[k] - right[k];
    }
    for (int i = 0; i < 10; i++)
        error += fabs(sums[i]);
    return n > 0 ? error / (double)n : 0;
}
