/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/consistency.h"

#include <math.h>

void oto_consistency_add(double *loss, oto_real *dlogits, const oto_real *log_probs,
                         const struct oto_view *view, double weight)
{
    if (!isfinite(*loss))
        return;
    size_t n = (size_t)view->n_symbols;
    double divergence = 0;
    for (int t = 0; t < view->n_frames; t++) {
        size_t row = view->rows[t] * n;
        const oto_real *own = log_probs + row, *other = log_probs + view->other[t] * n;
        for (size_t k = 0; k < n; k++) {
            double p = exp((double)own[k]), q = exp((double)other[k]);
            if (q > 0) /* 0 ln 0 = 0 */
                divergence += q * ((double)other[k] - (double)own[k]);
            if (dlogits)
                dlogits[row + k] += (oto_real)(weight * (p - q));
        }
    }
    *loss += weight * divergence;
}
