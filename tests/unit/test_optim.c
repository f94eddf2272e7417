/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "training/optim.h"

enum { N = 40000, STEPS = 60 }; /* three blocks, the last not full */

static float gradient(int step, size_t i)
{
    /* Sizes from 1e-6 to 1e2 over the parameters, signs that change. */
    double size = pow(10, -6 + 8.0 * (double)(i % 97) / 96);
    return (float)(size * oto_rng_normal(5, (uint64_t)step, i));
}

/* The formulas of the paper in double, in the order in which they are printed there. */
static void reference_step(double *w, double *m, double *v, double *ema, int t, double rate,
                           double scale, const struct oto_adam_options *o)
{
    double d = (1.0 + t) / (10.0 + t) < o->ema ? (1.0 + t) / (10.0 + t) : o->ema;
    for (size_t i = 0; i < N; i++) {
        double g = scale * (double)gradient(t, i);
        m[i] = o->beta1 * m[i] + (1 - o->beta1) * g;
        v[i] = o->beta2 * v[i] + (1 - o->beta2) * g * g;
        double mh = m[i] / (1 - pow(o->beta1, t)), vh = v[i] / (1 - pow(o->beta2, t));
        w[i] = w[i] - rate * (mh / (sqrt(vh) + o->eps) + o->weight_decay * w[i]);
        ema[i] = d * ema[i] + (1 - d) * w[i];
    }
}

static void run(struct oto_adam *adam, float *w, struct oto_pool *pool,
                const struct oto_adam_options *o)
{
    float *g = oto_calloc(N, sizeof *g);
    for (size_t i = 0; i < N; i++)
        w[i] = (float)oto_rng_normal(6, 0, i);
    assert_int_equal(oto_adam_init(adam, N, w, o, NULL), OTO_OK);
    for (int t = 1; t <= STEPS; t++) {
        for (size_t i = 0; i < N; i++)
            g[i] = gradient(t, i);
        oto_adam_update(adam, w, g, 0.5, 1e-3 * t, pool);
    }
    oto_free(g);
}

/*
 * Bound: each step's update is at most about rate*(1 + decay*|w|) and is computed with some ten
 * roundings of 2^-24, and the weight itself is rounded once a step: STEPS * (10 * rate + |w|) *
 * 2^-24 < 60 * (0.6 + 4) * 6e-8 = 1.7e-5.
 */
static void equals_the_formulas_in_double(void **state)
{
    (void)state;
    const struct oto_adam_options o = {0.9, 0.999, 1e-8, 0.01, 0.99, 0};
    struct oto_adam adam = {0};
    float *w = oto_calloc(N, sizeof *w);
    double *ref = oto_calloc(4 * (size_t)N, sizeof *ref);
    run(&adam, w, NULL, &o);
    for (size_t i = 0; i < N; i++)
        ref[i] = ref[3 * N + i] = (double)(float)oto_rng_normal(6, 0, i);
    for (int t = 1; t <= STEPS; t++)
        reference_step(ref, ref + N, ref + 2 * N, ref + 3 * N, t, 1e-3 * t, 0.5, &o);
    double worst = 0, worst_ema = 0;
    for (size_t i = 0; i < N; i++) {
        worst = fmax(worst, fabs((double)w[i] - ref[i]));
        worst_ema = fmax(worst_ema, fabs((double)adam.ema[i] - ref[3 * N + i]));
    }
    print_message("largest difference from double: weights %.2g, average %.2g\n", worst, worst_ema);
    assert_true(worst < 1.7e-5);
    assert_true(worst_ema < 1.7e-5);
    assert_int_equal(adam.t, STEPS);
    oto_adam_clear(&adam);
    oto_free(ref);
    oto_free(w);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    const struct oto_adam_options o = {0.9, 0.98, 1e-9, 0, 0.9, 0};
    struct oto_adam a = {0}, b = {0};
    struct oto_pool *pool;
    float *w = oto_calloc(N, sizeof *w), *u = oto_calloc(N, sizeof *u);
    assert_int_equal(oto_pool_create(&pool, 3, NULL), OTO_OK);
    run(&a, w, NULL, &o);
    run(&b, u, pool, &o);
    assert_memory_equal(w, u, N * sizeof *w);
    assert_memory_equal(a.ema, b.ema, N * sizeof *w);
    assert_memory_equal(a.v, b.v, N * sizeof *w);
    assert_true(oto_adam_norm(&a, w, NULL) == oto_adam_norm(&a, w, pool));
    oto_pool_destroy(pool);
    oto_adam_clear(&a);
    oto_adam_clear(&b);
    oto_free(u);
    oto_free(w);
}

static void measures_the_norm(void **state)
{
    (void)state;
    const struct oto_adam_options o = {0.9, 0.999, 1e-8, 0, 0, 0};
    struct oto_adam adam = {0};
    float *g = oto_calloc(N, sizeof *g);
    assert_int_equal(oto_adam_init(&adam, N, g, &o, NULL), OTO_OK);
    assert_null(adam.ema);
    assert_true(oto_adam_norm(&adam, g, NULL) == 0);
    g[0] = 3;
    g[N - 1] = -4;
    assert_true(oto_adam_norm(&adam, g, NULL) == 5);
    g[17000] = 1e30f; /* its square is beyond float */
    assert_true(fabs(oto_adam_norm(&adam, g, NULL) / 1e30 - 1) < 1e-6);
    g[17000] = NAN;
    assert_true(isnan(oto_adam_norm(&adam, g, NULL)));
    oto_adam_clear(&adam);
    oto_free(g);
}

/* The first update is rate*sign(g) whatever the size of g: that is what the bias corrections are
 * for. */
static void starts_at_full_length(void **state)
{
    (void)state;
    const struct oto_adam_options o = {0.9, 0.999, 1e-12, 0, 0, 0};
    struct oto_adam adam = {0};
    float w[3] = {0, 0, 0}, g[3] = {1e-3f, -50, 0};
    assert_int_equal(oto_adam_init(&adam, 3, w, &o, NULL), OTO_OK);
    oto_adam_update(&adam, w, g, 1, 0.01, NULL);
    assert_true(fabs((double)w[0] + 0.01) < 1e-8);
    assert_true(fabs((double)w[1] - 0.01) < 1e-8);
    assert_true(w[2] == 0);
    oto_adam_clear(&adam);
}

static void leaves_frozen_parameters_alone(void **state)
{
    (void)state;
    const struct oto_adam_options o = {.beta1 = 0.9,
                                       .beta2 = 0.999,
                                       .eps = 1e-8,
                                       .weight_decay = 0.1,
                                       .ema = 0.9,
                                       .n_frozen = 20001};
    struct oto_adam adam = {0};
    float *w = oto_calloc(N, sizeof *w), *g = oto_calloc(N, sizeof *g);
    run(&adam, w, NULL, &o);
    for (size_t i = 0; i < N; i++) {
        float first = (float)oto_rng_normal(6, 0, i);
        assert_true((w[i] == first) == (i < o.n_frozen));
        assert_true((adam.ema[i] == first) == (i < o.n_frozen));
    }
    g[20000] = 5;
    assert_true(oto_adam_norm(&adam, g, NULL) == 0);
    g[20001] = 5;
    assert_true(oto_adam_norm(&adam, g, NULL) == 5);
    oto_adam_clear(&adam);
    oto_free(g);
    oto_free(w);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    const struct oto_adam_options o = {0.9, 0.999, 1e-8, 0, 0.9, 0};
    const float w[4] = {0};
    for (size_t nth = 1; nth <= 4; nth++) {
        struct oto_adam adam = {0};
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_adam_init(&adam, 4, w, &o, NULL), OTO_ERR_MEMORY);
        oto_mem_fail_nth(0);
        assert_null(adam.m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_formulas_in_double),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(measures_the_norm),
        cmocka_unit_test(starts_at_full_length),
        cmocka_unit_test(leaves_frozen_parameters_alone),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
