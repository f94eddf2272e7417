/* SPDX-License-Identifier: BSD-2-Clause */
/* The mean of several models' weights: against sums made here, other alphabets, what does not fit.
 */
#include "unit.h"

#include <string.h>

#include "models/average.h"
#include "tiny_model.h"

static struct tiny_model tiny[3];
static const char *const names[] = {"a.oto", "b.oto", "c.oto"};

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        oto_error err = {0};
        if (tiny_model_init(&tiny[i], (uint64_t)i + 1, &err) != OTO_OK)
            fail_msg("%s", err.message);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        tiny_model_clear(&tiny[i]);
    return 0;
}

static void test_mean(void **state)
{
    (void)state;
    struct oto_bundle *models[] = {&tiny[0].bundle, &tiny[1].bundle, &tiny[2].bundle};
    const double shares[] = {0.5, 0.2, 0.3};
    float *mean;
    assert_int_equal(oto_bundle_average(&mean, models, names, shares, 3, NULL), OTO_OK);
    for (size_t i = 0; i < oto_network_n_parameters(&models[0]->shape); i++) {
        double expected = 0;
        for (int k = 0; k < 3; k++)
            expected += shares[k] * (double)tiny[k].weights[i];
        assert_float_equal(mean[i], (float)expected, 1e-6);
    }
    oto_free(mean);
}

/* The second knows the symbols of the first in another order, and others. */
static void test_symbols(void **state)
{
    (void)state;
    enum { FIRST = 4 }; /* symbols of the first, with the blank */
    static const char *const few[FIRST - 1] = {"d", " ", "'"};
    static const int known[FIRST] = {0, 6, 1, 2}; /* the same of the second */
    struct oto_bundle a = tiny[0].bundle, *models[] = {&a, &tiny[1].bundle};
    a.alphabet = NULL;
    assert_int_equal(
        oto_alphabet_create(&a.alphabet, few, FIRST - 1, &tiny[0].bundle.alphabet->policy, NULL),
        OTO_OK);
    a.shape.n_outputs = FIRST;
    const double shares[] = {0, 1};
    float *mean;
    assert_int_equal(oto_bundle_average(&mean, models, names, shares, 2, NULL), OTO_OK);
    struct oto_tensor to, from;
    for (int k = 0; k < 2; k++) { /* output.weight, output.bias */
        oto_network_tensor(&a.shape, oto_network_n_tensors(&a.shape) - 2 + k, &to);
        oto_network_tensor(&models[1]->shape, oto_network_n_tensors(&a.shape) - 2 + k, &from);
        for (int row = 0; row < FIRST; row++)
            assert_memory_equal(mean + to.offset + (size_t)row * (size_t)to.n_cols,
                                tiny[1].weights + from.offset +
                                    (size_t)known[row] * (size_t)to.n_cols,
                                (size_t)to.n_cols * sizeof *mean);
    }
    oto_network_tensor(&a.shape, oto_network_n_tensors(&a.shape) - 2, &to);
    assert_memory_equal(mean, tiny[1].weights, to.offset * sizeof *mean);
    oto_free(mean);

    struct oto_bundle *back[] = {&tiny[1].bundle, &a};
    oto_error err = {0};
    assert_int_equal(oto_bundle_average(&mean, back, names, shares, 2, &err), OTO_ERR_CONFIG);
    assert_string_equal(err.message, "b.oto: has no symbol 'a', the first model has one");
    assert_null(mean);
    oto_alphabet_destroy(a.alphabet);
}

static void test_other_front_end(void **state)
{
    (void)state;
    struct oto_bundle b = tiny[1].bundle, *models[] = {&tiny[0].bundle, &b};
    const double shares[] = {0.5, 0.5};
    float *mean;
    oto_error err = {0};
    b.frontend.dither = 1;
    assert_int_equal(oto_bundle_average(&mean, models, names, shares, 2, &err), OTO_OK);
    oto_free(mean);
    b.frontend.n_mels = 11;
    assert_int_equal(oto_bundle_average(&mean, models, names, shares, 2, &err), OTO_ERR_CONFIG);
    assert_string_equal(err.message, "b.oto: made with --mels=11, the first model with 10");
    b.frontend.n_mels = 10;
    b.shape.reduce_after = 1;
    assert_int_equal(oto_bundle_average(&mean, models, names, shares, 2, &err), OTO_ERR_CONFIG);
    assert_null(mean);
}

/* The status with the n-th allocation failing. */
static oto_status average_with_failure(size_t n)
{
    struct oto_bundle *models[] = {&tiny[0].bundle, &tiny[1].bundle};
    const double shares[] = {0.5, 0.5};
    float *mean;
    (void)oto_mem_fail_nth(n);
    const oto_status status = oto_bundle_average(&mean, models, names, shares, 2, NULL);
    (void)oto_mem_fail_nth(0);
    if (status == OTO_OK)
        oto_free(mean);
    else
        assert_null(mean);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    assert_int_equal(average_with_failure(1), OTO_ERR_MEMORY); /* the weights */
    assert_int_equal(average_with_failure(2), OTO_OK);
    tiny[1].bundle.frontend.n_mels = 11;
    assert_int_equal(average_with_failure(1), OTO_ERR_MEMORY); /* the texts of what differs */
    assert_int_equal(average_with_failure(2), OTO_ERR_MEMORY);
    assert_int_equal(average_with_failure(3), OTO_ERR_CONFIG);
    tiny[1].bundle.frontend.n_mels = 10;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mean),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_other_front_end),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
