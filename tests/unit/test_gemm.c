/* SPDX-License-Identifier: BSD-2-Clause */
/* oto_gemm (BLIS where it is built in) and oto_gemm_ref against sums in double; threads; the
 * environment. */
#include "unit.h"

#include <math.h>
#include <pthread.h>

#include "acoustic/gemm.h"
#include "base/cpu.h"
#include "base/rng.h"

typedef void product(bool, bool, size_t, size_t, size_t, const float *, size_t, const float *,
                     size_t, float, float *, size_t);

extern char **environ;

static float *numbers(size_t n, uint64_t stream)
{
    float *x = malloc((n ? n : 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(2 * oto_rng_uniform(7, stream, i) - 1);
    return x;
}

/**
 * One product with gaps between rows. Bound: gamma_(k+2) of the sum of absolute values, and a
 * rounding for beta * C (Higham 2002, section 3.5). Gaps and everything with beta = 0 hold NaN
 * before, which must stay and go, respectively.
 */
static void check(product *gemm, bool trans_a, bool trans_b, size_t m, size_t n, size_t k,
                  float beta, size_t gap)
{
    const size_t lda = (trans_a ? m : k) + gap, ldb = (trans_b ? k : n) + gap, ldc = n + gap;
    float *a = numbers((trans_a ? k : m) * lda, 1), *b = numbers((trans_b ? n : k) * ldb, 2);
    float *before = numbers(m * ldc, 3), *c = malloc(m * ldc * sizeof *c);
    assert_non_null(c);
    for (size_t i = 0; i < m * ldc; i++)
        c[i] = i % ldc >= n || beta == 0 ? NAN : before[i];
    gemm(trans_a, trans_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = beta == 0 ? 0 : (double)beta * (double)before[i * ldc + j],
                   size = fabs(sum);
            for (size_t p = 0; p < k; p++) {
                const double x = (double)(trans_a ? a[p * lda + i] : a[i * lda + p]) *
                                 (double)(trans_b ? b[j * ldb + p] : b[p * ldb + j]);
                sum += x;
                size += fabs(x);
            }
            const double bound = ((double)k + 3) / 16777216 * size * 1.01;
            if (!(fabs((double)c[i * ldc + j] - sum) <= bound))
                fail_msg("[%zu,%zu]x[%zu,%zu] trans %d %d beta %g: C[%zu,%zu] is %.9g, want %.9g "
                         "+- %.3g",
                         m, k, k, n, trans_a, trans_b, (double)beta, i, j, (double)c[i * ldc + j],
                         sum, bound);
        }
        for (size_t j = n; j < ldc; j++)
            assert_true(isnan(c[i * ldc + j]));
    }
    free(a);
    free(b);
    free(before);
    free(c);
}

static void check_shapes(product *gemm)
{
    static const size_t shapes[][3] = {{1, 1, 1},     {1, 1, 0},     {3, 5, 0},     {1, 257, 3},
                                       {257, 1, 70},  {7, 13, 65},   {33, 31, 129}, {64, 256, 64},
                                       {65, 300, 66}, {29, 640, 40}, {128, 29, 77}};
    static const float betas[] = {0, 1, -0.5f};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        for (int flags = 0; flags < 8; flags++) {
            for (size_t b = 0; b < 3; b++)
                check(gemm, flags & 1, flags & 2, shapes[s][0], shapes[s][1], shapes[s][2],
                      betas[b], flags & 4 ? 5 : 0);
        }
    }
}

static void products(void **state)
{
    (void)state;
    check_shapes(oto_gemm);
}

static void reference_products(void **state)
{
    (void)state;
    check_shapes(oto_gemm_ref);
}

static void empty_products_do_nothing(void **state)
{
    (void)state;
    float x = 3;
    oto_gemm(false, false, 0, 1, 1, &x, 1, &x, 1, 0, &x, 1);
    oto_gemm(false, false, 1, 0, 1, &x, 1, &x, 1, 0, &x, 1);
    oto_gemm_ref(false, false, 0, 1, 1, &x, 1, &x, 1, 0, &x, 1);
    assert_true(x == 3);
}

enum { side = 150, n_threads = 4, n_repeats = 10 };

struct job {
    const float *a, *b, *want;
    bool same;
};

static void *multiply_in_thread(void *arg)
{
    struct job *job = arg;
    float *c = malloc(side * side * sizeof *c);
    job->same = c != NULL;
    for (int i = 0; i < n_repeats && job->same; i++) {
        oto_gemm(false, true, side, side, side, job->a, side, job->b, side, 0, c, side);
        job->same = memcmp(c, job->want, side * side * sizeof *c) == 0;
    }
    free(c);
    return NULL;
}

/* Several threads at once give the bits of one. */
static void threads_agree(void **state)
{
    (void)state;
    float *a = numbers(side * side, 4), *b = numbers(side * side, 5),
          *want = numbers(side * side, 6);
    pthread_t threads[n_threads];
    struct job jobs[n_threads];
    oto_gemm(false, true, side, side, side, a, side, b, side, 0, want, side);
    for (int i = 0; i < n_threads; i++) {
        jobs[i] = (struct job){.a = a, .b = b, .want = want};
        assert_int_equal(pthread_create(&threads[i], NULL, multiply_in_thread, &jobs[i]), 0);
    }
    for (int i = 0; i < n_threads; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(jobs[i].same);
    }
    free(a);
    free(b);
    free(want);
}

/* First of all tests: the kernel set is chosen once. BLIS is told by the environment, which comes
 * back untouched. */
static void name_and_environment(void **state)
{
    (void)state;
    char **const before = environ;
    const bool chosen_by_user = getenv("BLIS_ARCH_TYPE") != NULL;
    const char *name = oto_gemm_name();
    assert_ptr_equal(environ, before);
    assert_true((getenv("BLIS_ARCH_TYPE") != NULL) == chosen_by_user);
    assert_ptr_equal(oto_gemm_name(), name);
#ifdef OTO_HAVE_BLIS
    assert_true(strncmp(name, "BLIS ", 5) == 0);
    if (!chosen_by_user && oto_cpu_flags() & OTO_CPU_AVX512)
        assert_contains(name, "(skx)");
    if (!chosen_by_user && getenv("OTOLITH_ISA") && strcmp(getenv("OTOLITH_ISA"), "scalar") == 0 &&
        oto_cpu_flags() == OTO_CPU_SCALAR)
        assert_null(strstr(name, "skx"));
#else
    assert_string_equal(name, "reference");
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_and_environment), cmocka_unit_test(products),
        cmocka_unit_test(reference_products),   cmocka_unit_test(empty_products_do_nothing),
        cmocka_unit_test(threads_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
