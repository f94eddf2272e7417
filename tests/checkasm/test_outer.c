/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Holds dsp->add_outer, for every CPU mask this machine can run, to double precision.
 *
 *     test_outer [--seed=N]
 *
 * The sum of n products from zero and then c: gamma_n of the sum of absolute products, and one
 * rounding of the result.
 */
#include <math.h>

#include "acoustic/dsp.h"
#include "checkasm.h"

#pragma weak oto_dsp_init_avx2 /* NULL in a build without SIMD kernels */

/* Of a float array in poisoned memory. */
static struct guarded draw(struct random *rng, size_t n_rows, size_t n_cols, size_t stride,
                           size_t misalign, float range)
{
    struct guarded g = guarded_create(n_rows, n_cols, stride, misalign);
    for (size_t r = 0; r < n_rows; r++)
        for (size_t j = 0; j < n_cols; j++)
            guarded_row(&g, r)[j] = random_float(rng, range);
    return g;
}

static void check_tile(const struct oto_dsp *dsp, struct random *rng, size_t n_k, size_t n_rows,
                       size_t n_cols, float range, struct worst *w)
{
    const size_t u = (size_t)dsp->unit_block, width = 3 * u;
    const size_t stride = n_cols + (size_t)random_below(rng, 20);
    /* a and b are scratch of the caller, aligned; what is beside their columns is not looked at. */
    struct guarded a = draw(rng, n_k, n_rows, u, 0, range), b = draw(rng, n_k, n_cols, width, 0, 1);
    struct guarded c = draw(rng, n_rows, n_cols, stride, (size_t)random_below(rng, 16), range * 10);
    struct guarded before = guarded_create(n_rows, n_cols, stride, 0);
    memcpy(before.at, c.at, (n_rows * stride - (stride - n_cols)) * sizeof *c.at);
    dsp->add_outer(c.at, stride, a.at, b.at, n_k, n_rows, n_cols);
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t j = 0; j < n_cols; j++) {
            double sum = 0, size = 0;
            for (size_t k = 0; k < n_k; k++) {
                const double product =
                    (double)guarded_row(&a, k)[r] * (double)guarded_row(&b, k)[j];
                sum += product;
                size += fabs(product);
            }
            const double want = (double)guarded_row(&before, r)[j] + sum;
            compare(w, "add_outer", guarded_row(&c, r)[j], want,
                    gamma_of((double)n_k + 1) * size + U24 * fabs(want) + 1e-37);
        }
    }
    require(w, "add_outer wrote outside its tile", guarded_intact(&c));
    guarded_destroy(&a);
    guarded_destroy(&b);
    guarded_destroy(&c);
    guarded_destroy(&before);
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
    bool ok = true;
    for (int m = 0; m < n_masks; m++) {
        struct oto_dsp dsp, scalar;
        struct worst w = {0};
        oto_dsp_init(&dsp, masks[m]);
        oto_dsp_init(&scalar, OTO_CPU_SCALAR);
        require(&w, "the table holds another variant",
                (dsp.add_outer == scalar.add_outer) == (masks[m] == OTO_CPU_SCALAR));
        const size_t u = (size_t)dsp.unit_block;
        for (size_t n_rows = 1; n_rows <= u; n_rows++)
            for (size_t n_cols = 1; n_cols <= 3 * u; n_cols++)
                check_tile(&dsp, &rng, 1 + (size_t)random_below(&rng, 67), n_rows, n_cols,
                           random_below(&rng, 4) ? 1.0f : 1e-38f, &w);
        check_tile(&dsp, &rng, 192, u, 3 * u, 1, &w); /* as training calls it */
        ok = report("add_outer", "c", masks[m], &w) && ok;
    }
    return !ok;
}
