/* SPDX-License-Identifier: BSD-2-Clause */
/** log_softmax of every CPU mask this machine can run, against double precision. */
#include <math.h>

#include "acoustic/dsp.h"
#include "checkasm.h"
#include "lstm_oracle.h"

#pragma weak oto_dsp_init_avx2 /* NULL in a build without SIMD kernels */

/**
 * Bound of out_j = x_j - max - log(sum): rounding of the two differences, of log(sum) to float, and
 * of the exponentials, whose relative error is 4 u plus the polynomial's (exp2.h) plus 2 u |x_k -
 * max|, weighted by their part p_k of the sum.
 */
static void oracle_log_softmax(struct bounded *out, const float *x, int n)
{
    double max = (double)x[0], sum = 0, spread = 0;
    for (int j = 0; j < n; j++)
        max = fmax(max, (double)x[j]); /* passes NaN over, which then comes out of the sum */
    for (int j = 0; j < n; j++) {
        const double d = (double)x[j] - max, e = exp(d);
        sum += e;
        spread += e > 0 ? e * -d : 0;
    }
    const double log_sum = log(sum);
    for (int j = 0; j < n; j++) {
        const double d = (double)x[j] - max;
        out[j].value = isnan(sum) ? (double)NAN : d - log_sum;
        out[j].bound = U24 * (fabs(d) + fabs(out[j].value) + log_sum) + 4.3 * U24 +
                       2 * U24 * spread / sum + TINY;
    }
}

static void run_log_softmax(const struct oto_dsp *dsp, struct random *rng, int n_rows, int n_cols,
                            float range, bool special, struct worst *worst)
{
    const size_t n = (size_t)n_rows * (size_t)n_cols, off = (size_t)random_below(rng, 16);
    const bool in_place = random_below(rng, 2);
    struct guarded in = guarded_create(1, n, n, off), out = guarded_create(1, n, n, off + 1);
    struct bounded *want = allocate(n, sizeof *want);
    for (size_t i = 0; i < n; i++)
        in.at[i] = random_float(rng, range);
    if (special) {
        for (size_t i = 0; i < n; i++)
            in.at[i] = random_below(rng, 3) ? in.at[i] : -INFINITY;
        in.at[random_below(rng, (int)n)] = NAN;
        for (int row = 0; row < n_rows; row++) /* a row of nothing but -inf has no softmax */
            in.at[(size_t)row * (size_t)n_cols] = 0;
    }
    for (int row = 0; row < n_rows; row++)
        oracle_log_softmax(want + (size_t)row * (size_t)n_cols,
                           in.at + (size_t)row * (size_t)n_cols, n_cols);
    struct guarded *const buffers[] = {&in, &out};
    float *to = in_place ? in.at : out.at;
    dsp->log_softmax(to, in.at, n_rows, n_cols);
    for (size_t i = 0; i < n; i++)
        compare(worst, "log_softmax", to[i], want[i].value, want[i].bound);
    require(worst, "log_softmax wrote outside its output", all_intact(buffers, 2));
    destroy_all(buffers, 2);
    free(want);
}

static bool check_log_softmax(struct random *rng, const unsigned masks[], int n_masks)
{
    static const float ranges[] = {1, 30, 200, 1e6f, 1e-39f};
    bool ok = true;
    for (int m = 0; m < n_masks; m++) {
        struct worst worst = {0}, special = {0};
        struct oto_dsp dsp;
        oto_dsp_init(&dsp, masks[m]);
        for (int n_cols = 1; n_cols <= 67; n_cols++) {
            for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++)
                run_log_softmax(&dsp, rng, 1 + random_below(rng, 5), n_cols, ranges[r], false,
                                &worst);
            run_log_softmax(&dsp, rng, 4, n_cols, 10, true, &special);
        }
        for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++)
            run_log_softmax(&dsp, rng, 3, 5000, ranges[r], false, &worst);
        ok = report("log_softmax", "", masks[m], &worst) && ok;
        ok = report("log_softmax", "special", masks[m], &special) && ok;
    }
    return ok;
}

int main(int argc, char **argv)
{
    struct random rng = {1};
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--seed=", 7) != 0) {
            fprintf(stderr, "%s: unknown; the option is --seed=N\n", argv[i]);
            return 64;
        }
        rng.state = strtoull(argv[i] + 7, NULL, 10);
    }
    unsigned masks[3];
    const int n_masks = cpu_masks(masks, oto_dsp_init_avx2 != NULL);
    return !check_log_softmax(&rng, masks, n_masks);
}
