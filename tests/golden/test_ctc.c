/* SPDX-License-Identifier: BSD-2-Clause */
/* CTC loss and gradient against PyTorch in float64 (make_ctc.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "training/ctc_loss.h"

static oto_real *read_floats(struct oto_reader *r, size_t n)
{
    oto_real *out = oto_calloc(n, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        out[i] = (oto_real)oto_read_f32(r);
    return out;
}

/** One problem; the worst differences so far are kept. */
static void compare_next(struct oto_ctc *ctc, struct oto_reader *r, double *worst_loss,
                         double *worst_gradient)
{
    int T = (int)oto_read_u32(r), K = (int)oto_read_u32(r), U = (int)oto_read_u32(r), labels[64];
    assert_in_range(U, 0, 64);
    for (int u = 0; u < U; u++)
        labels[u] = (int)oto_read_u32(r);
    size_t n = (size_t)T * (size_t)K;
    oto_real *log_probs = read_floats(r, n), *gradient = oto_calloc(n, sizeof *gradient);
    double expected = oto_read_f64(r), loss;
    oto_real *expected_gradient = read_floats(r, n);
    assert_false(r->failed);
    assert_int_equal(oto_ctc_compute(ctc, &loss, gradient, log_probs, NULL, T, K, labels, U, NULL),
                     OTO_OK);
    *worst_loss = fmax(*worst_loss, fabs(loss - expected) / fmax(1.0, fabs(expected)));
    for (size_t i = 0; i < n; i++)
        *worst_gradient =
            fmax(*worst_gradient, fabs((double)gradient[i] - (double)expected_gradient[i]));
    oto_free(log_probs);
    oto_free(gradient);
    oto_free(expected_gradient);
}

static void equals_pytorch(void **state)
{
    (void)state;
    struct oto_map map;
    struct oto_reader r;
    struct oto_ctc *ctc;
    double worst_loss = 0.0, worst_gradient = 0.0;
    assert_int_equal(oto_map_open(&map, OTO_TEST_DATA "/ctc_torch.bin", NULL), OTO_OK);
    assert_int_equal(oto_ctc_create(&ctc, NULL), OTO_OK);
    oto_reader_init(&r, map.data, map.size);
    uint32_t n = oto_read_u32(&r);
    assert_int_equal(n, 28);
    for (uint32_t i = 0; i < n; i++)
        compare_next(ctc, &r, &worst_loss, &worst_gradient);
    assert_int_equal(r.offset, r.size);
    print_message(
        "%u problems: relative difference of the loss %.2g, difference of gradients %.2g\n", n,
        worst_loss, worst_gradient);
    assert_true(worst_loss < 1e-12);
    assert_true(worst_gradient < 2e-7); /* two roundings to float of values up to 1 */
    oto_ctc_destroy(ctc);
    oto_map_close(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
