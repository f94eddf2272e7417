/* SPDX-License-Identifier: BSD-2-Clause */
/* The dense layer and dropout against sums in double. */
#include "unit.h"

#include <math.h>

#include "acoustic/buffer.h"
#include "acoustic/dropout.h"
#include "acoustic/linear.h"
#include "base/mem.h"
#include "base/rng.h"

/* Rows: one block, and several with a short last one. */
static const size_t row_counts[] = {1, 7, 256, 257, 2500};

static float *random_numbers(size_t n, uint64_t stream)
{
    float *p = oto_calloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(2 * oto_rng_uniform(3, stream, i) - 1);
    return p;
}

static void blocks_cover_rows(void **state)
{
    (void)state;
    for (size_t n = 1; n < 5000; n += 37) {
        size_t next = 0;
        int n_blocks = oto_row_blocks(n);
        assert_in_range(n_blocks, 1, 8);
        for (int k = 0; k < n_blocks; k++) {
            struct oto_row_block block = oto_row_block(n, k);
            assert_int_equal(block.first, next);
            assert_true(block.n > 0);
            next += block.n;
        }
        assert_int_equal(next, n);
    }
}

static void buffer_grows_and_refuses(void **state)
{
    (void)state;
    struct oto_buffer buffer = {0};
    assert_true(oto_buffer_reserve(&buffer, 3, 5));
    oto_real *p = buffer.p;
    assert_true(oto_buffer_reserve(&buffer, 2, 7));
    assert_ptr_equal(buffer.p, p);
    assert_int_equal(buffer.n, 15);
    assert_false(oto_buffer_reserve(&buffer, SIZE_MAX / 2, 3));
    assert_null(buffer.p);
    assert_int_equal(buffer.n, 0);
    assert_true(oto_buffer_reserve(&buffer, 4, 4));
    oto_buffer_clear(&buffer);
}

static void near(double got, double expected, double scale)
{
    if (!(fabs(got - expected) <= 1e-6 * scale))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static void matches_sums(void **state)
{
    (void)state;
    enum { IN = 13, OUT = 5 };
    for (size_t c = 0; c < sizeof row_counts / sizeof *row_counts; c++) {
        size_t n = row_counts[c];
        float *w = random_numbers((size_t)IN * OUT, 1), *b = random_numbers(OUT, 2);
        float *x = random_numbers(n * IN, 3), *dy = random_numbers(n * OUT, 4);
        float *y = random_numbers(n * OUT, 5), *dx = random_numbers(n * IN, 6);
        float *dw = random_numbers((size_t)IN * OUT, 7), *db = random_numbers(OUT, 8);
        struct oto_linear layer = {IN, OUT, w, b};
        oto_linear_forward(&layer, y, x, n, NULL);
        oto_linear_backward(&layer, dw, db, dx, dy, x, n, NULL);
        for (size_t r = 0; r < n; r++)
            for (size_t j = 0; j < OUT; j++) {
                double sum = (double)b[j];
                for (size_t i = 0; i < IN; i++)
                    sum += (double)x[r * IN + i] * (double)w[j * IN + i];
                near(y[r * OUT + j], sum, IN);
            }
        for (size_t j = 0; j < OUT; j++) {
            double sum = 0;
            for (size_t r = 0; r < n; r++)
                sum += (double)dy[r * OUT + j];
            near(db[j], sum, 1 + fabs(sum));
            for (size_t i = 0; i < IN; i++) {
                sum = 0;
                for (size_t r = 0; r < n; r++)
                    sum += (double)dy[r * OUT + j] * (double)x[r * IN + i];
                near(dw[j * IN + i], sum, sqrt((double)n) * 4);
            }
        }
        for (size_t r = 0; r < n; r++)
            for (size_t i = 0; i < IN; i++) {
                double sum = 0;
                for (size_t j = 0; j < OUT; j++)
                    sum += (double)dy[r * OUT + j] * (double)w[j * IN + i];
                near(dx[r * IN + i], sum, OUT);
            }
        float *const owned[] = {w, b, x, dy, y, dx, dw, db};
        for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
            oto_free(owned[i]);
    }
}

static void dropout_keeps_mean_and_position(void **state)
{
    (void)state;
    enum { ROWS = 400, COLS = 101 };
    const struct oto_dropout dropout = {0.25, 9, 4}, other_stream = {0.25, 9, 5};
    static float x[ROWS * COLS], whole[ROWS * COLS], part[ROWS * COLS], other[ROWS * COLS];
    for (size_t i = 0; i < ROWS * COLS; i++)
        x[i] = 1;
    oto_dropout_apply(whole, x, 0, ROWS, COLS, 2, &dropout);
    size_t n_zero = 0;
    for (size_t i = 0; i < ROWS * COLS; i++) {
        n_zero += whole[i] == 0;
        assert_true(whole[i] == 0 || whole[i] == (float)(4.0 / 3.0));
    }
    /* Five standard deviations of a binomial. */
    double n = ROWS * COLS;
    assert_true(fabs((double)n_zero - 0.25 * n) < 5 * sqrt(0.25 * 0.75 * n));

    oto_dropout_apply(part, x, 0, 150, COLS, 2, &dropout);
    oto_dropout_apply(part + 150 * COLS, x, 150, ROWS - 150, COLS, 2, &dropout);
    assert_memory_equal(part, whole, sizeof whole);
    oto_dropout_apply(other, x, 0, ROWS, COLS, 3, &dropout);
    assert_memory_not_equal(other, whole, sizeof whole);
    oto_dropout_apply(other, x, 0, ROWS, COLS, 2, &other_stream);
    assert_memory_not_equal(other, whole, sizeof whole);
}

static void dropout_hides_what_is_not_finite(void **state)
{
    (void)state;
    const struct oto_dropout dropout = {0.5, 1, 1};
    float x[64], y[64];
    for (size_t i = 0; i < 64; i++)
        x[i] = INFINITY;
    oto_dropout_apply(y, x, 0, 1, 64, 0, &dropout);
    for (size_t i = 0; i < 64; i++)
        assert_true(y[i] == 0 || isinf(y[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_cover_rows),
        cmocka_unit_test(buffer_grows_and_refuses),
        cmocka_unit_test(matches_sums),
        cmocka_unit_test(dropout_keeps_mean_and_position),
        cmocka_unit_test(dropout_hides_what_is_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
