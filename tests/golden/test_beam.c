/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefix beam search against plain Python (make_beam.py): every hypothesis, its order and its
 * score. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "decoder/beam.h"

static void compare_next(struct oto_reader *r, uint32_t number, double *worst)
{
    size_t T = oto_read_u32(r), K = oto_read_u32(r);
    int width = (int)oto_read_u32(r), top_n = (int)oto_read_u32(r);
    double min_log_prob = oto_read_f64(r), margin = oto_read_f64(r);
    float *log_probs = oto_calloc(T * K, sizeof *log_probs);
    assert_non_null(log_probs);
    for (size_t i = 0; i < T * K; i++)
        log_probs[i] = oto_read_f32(r);
    const struct oto_beam_options options = {width, top_n, min_log_prob, margin, 0.0};
    struct oto_beam *beam;
    const struct oto_hypothesis *hyps;
    int n_hyps;
    assert_int_equal(oto_beam_create(&beam, (int)K, &options, NULL), OTO_OK);
    assert_int_equal(oto_beam_push(beam, log_probs, T, NULL), OTO_OK);
    assert_int_equal(oto_beam_n_best(beam, width, &hyps, &n_hyps, NULL), OTO_OK);
    assert_int_equal(n_hyps, oto_read_u32(r));
    for (int i = 0; i < n_hyps; i++) {
        assert_int_equal(hyps[i].n_labels, oto_read_u32(r));
        for (int j = 0; j < hyps[i].n_labels; j++)
            if (hyps[i].labels[j] != (int)oto_read_u32(r))
                fail_msg("case %u: hypothesis %d differs at label %d", number, i, j);
        *worst = fmax(*worst, fabs(hyps[i].log_prob - oto_read_f64(r)));
    }
    assert_false(r->failed);
    oto_beam_destroy(beam);
    oto_free(log_probs);
}

static void equals_python(void **state)
{
    (void)state;
    struct oto_map map;
    struct oto_reader r;
    double worst = 0.0;
    assert_int_equal(oto_map_open(&map, OTO_TEST_DATA "/beam_python.bin", NULL), OTO_OK);
    oto_reader_init(&r, map.data, map.size);
    uint32_t n = oto_read_u32(&r);
    assert_int_equal(n, 8);
    for (uint32_t i = 0; i < n; i++)
        compare_next(&r, i, &worst);
    assert_int_equal(r.offset, r.size);
    print_message("%u searches: worst difference of a score %.2g\n", n, worst);
    assert_true(worst < 1e-9);
    oto_map_close(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_python)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
