/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/priors.h"

#include <math.h>

void oto_priors_add(double *sums, const float *log_probs, size_t n_frames, int n_symbols)
{
    for (size_t t = 0; t < n_frames; t++, log_probs += n_symbols)
        for (int k = 0; k < n_symbols; k++)
            sums[k] += exp((double)log_probs[k]);
}

void oto_priors_finish(double *sums, size_t n_frames, int n_symbols)
{
    for (int k = 0; k < n_symbols; k++) {
        const double mean = sums[k] / (double)n_frames;
        sums[k] = log(fmin(fmax(mean, OTO_LEAST_PRIOR), 1)); /* rounding may make it more than 1 */
    }
}

oto_status oto_priors_check(const double *log_priors, int n_symbols, oto_error *err)
{
    const double least = log(OTO_LEAST_PRIOR);
    for (int k = 0; k < n_symbols; k++)
        if (!(log_priors[k] <= 0 && log_priors[k] >= least))
            return oto_fail(err, OTO_ERR_DATA,
                            "prior of symbol %d: found %g, expected a natural log from %.17g to 0",
                            k, log_priors[k], least);
    return OTO_OK;
}

void oto_priors_divide(float *out, const float *log_probs, const double *log_priors, double scale,
                       int n_symbols)
{
    double most = -(double)INFINITY, sum = 0;
    for (int k = 0; k < n_symbols; k++)
        most = fmax(most, (double)log_probs[k] - scale * log_priors[k]);
    for (int k = 0; k < n_symbols; k++)
        sum += exp((double)log_probs[k] - scale * log_priors[k] - most);
    const double log_sum = most + log(sum);
    for (int k = 0; k < n_symbols; k++)
        out[k] = (float)((double)log_probs[k] - scale * log_priors[k] - log_sum);
}
