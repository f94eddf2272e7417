/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "training/weight_noise.h"

enum { N = 100003, FROZEN = 1001 };

static float *noise(double std, uint64_t seed, uint64_t step, int n_threads)
{
    struct oto_pool *pool;
    float *params = oto_calloc(N, sizeof *params), *noisy = oto_calloc(N, sizeof *noisy);
    assert_int_equal(oto_pool_create(&pool, n_threads, NULL), OTO_OK);
    for (int i = 0; i < N; i++)
        params[i] = (float)(i % 7) / 8;
    oto_weight_noise_apply(noisy, params, FROZEN, N, std, seed, step, pool);
    for (int i = 0; i < N; i++)
        noisy[i] -= params[i];
    oto_pool_destroy(pool);
    oto_free(params);
    return noisy;
}

/* Mean, deviation, skew and kurtosis within 5 deviations of what so many numbers scatter by; the
 * largest of 10^5 is near 4.4; neighbours are not correlated. */
static void is_normal(void **state)
{
    (void)state;
    float *g = noise(0.5, 1, 2, 1);
    double moments[5] = {0}, neighbours = 0, largest = 0, n = N - FROZEN;
    for (int i = 0; i < FROZEN; i++)
        assert_true(g[i] == 0);
    for (int i = FROZEN; i < N; i++) {
        double x = (double)g[i] / 0.5;
        for (int k = 1; k < 5; k++)
            moments[k] += pow(x, k) / n;
        neighbours += i > FROZEN ? x * (double)g[i - 1] / 0.5 / n : 0;
        largest = fmax(largest, fabs(x));
    }
    assert_true(fabs(moments[1]) < 5 / sqrt(n));
    assert_true(fabs(moments[2] - 1) < 5 * sqrt(2 / n));
    assert_true(fabs(moments[3]) < 5 * sqrt(15 / n));
    assert_true(fabs(moments[4] - 3) < 5 * sqrt(96 / n));
    assert_true(fabs(neighbours) < 5 / sqrt(n));
    assert_true(largest > 3.8 && largest < 6.7);
    oto_free(g);
}

static void follows_seed_and_step(void **state)
{
    (void)state;
    float *first = noise(0.1, 1, 2, 1), *threads = noise(0.1, 1, 2, 3), *seed = noise(0.1, 2, 2, 1),
          *step = noise(0.1, 1, 3, 1);
    int same_seed = 0, same_step = 0;
    assert_memory_equal(first, threads, N * sizeof *first);
    for (int i = FROZEN; i < N; i++) {
        same_seed += first[i] == seed[i];
        same_step += first[i] == step[i];
    }
    assert_true(same_seed < 50 && same_step < 50);
    oto_free(first);
    oto_free(threads);
    oto_free(seed);
    oto_free(step);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_normal),
        cmocka_unit_test(follows_seed_and_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
