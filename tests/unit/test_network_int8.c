/* SPDX-License-Identifier: BSD-2-Clause */
/* The network with 8-bit matrices beside the float one that it was made of. */
#include "unit.h"

#include <math.h>

#include "acoustic/quant.h"
#include "base/mem.h"
#include "base/rng.h"

enum { N_UTTS = 5 };
static const int lengths[N_UTTS] = {130, 121, 64, 7, 1};
static const struct oto_network_shape shape = {11, 3, 21, 0, 6, 0};
static const struct oto_network_shape projected = {11, 3, 21, 10, 6, 0};
static const struct oto_network_shape pyramid = {11, 3, 21, 10, 6, 3};

struct fixture {
    const struct oto_network_shape *shape;
    struct oto_dsp dsp;
    struct oto_dsp_int8 int8;
    struct oto_sequences seqs;
    struct oto_quantized *quantized;
    struct oto_network *net;
    struct oto_network_workspace *ws;
    float *params, *x;
    size_t n;
};

static struct fixture set_up(const struct oto_network_shape *s, unsigned flags)
{
    struct fixture f = {.shape = s};
    oto_dsp_init(&f.dsp, flags);
    oto_dsp_int8_init(&f.int8, flags);
    assert_int_equal(oto_sequences_set(&f.seqs, lengths, N_UTTS, NULL), OTO_OK);
    f.n = oto_network_n_parameters(s);
    f.params = oto_calloc(f.n, sizeof *f.params);
    f.x = oto_calloc(f.seqs.n_rows * (size_t)s->n_inputs, sizeof *f.x);
    oto_network_init_parameters(s, f.params, 7);
    for (size_t i = 0; i < f.seqs.n_rows * (size_t)s->n_inputs; i++)
        f.x[i] = (float)oto_rng_normal(3, 1, i);
    assert_int_equal(oto_quantized_create(&f.quantized, s, f.params, NULL), OTO_OK);
    assert_int_equal(oto_network_create_int8(&f.net, s, &f.dsp, &f.int8, NULL), OTO_OK);
    assert_int_equal(oto_network_workspace_create(&f.ws, f.net, NULL), OTO_OK);
    oto_network_set_int8(f.net, f.quantized->tensors, NULL);
    return f;
}

static void tear_down(struct fixture *f)
{
    oto_network_workspace_destroy(f->ws);
    oto_network_destroy(f->net);
    oto_quantized_destroy(f->quantized);
    oto_sequences_clear(&f->seqs);
    oto_free(f->params);
    oto_free(f->x);
}

static float *forward(const struct fixture *f, struct oto_pool *pool)
{
    float *y = oto_calloc(f->seqs.n_rows * (size_t)f->shape->n_outputs, sizeof *y);
    assert_int_equal(oto_network_forward(f->net, f->ws, y, f->x, &f->seqs, 0, NULL, pool, NULL),
                     OTO_OK);
    return y;
}

/* Root of the mean squared difference of probabilities, and the largest. */
static void difference(const struct fixture *f, const float *a, const float *b, double *rms,
                       double *most)
{
    size_t n = f->seqs.n_rows * (size_t)f->shape->n_outputs;
    *rms = *most = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs(exp((double)a[i]) - exp((double)b[i]));
        *rms += d * d / (double)n;
        *most = fmax(*most, d);
    }
    *rms = sqrt(*rms);
}

/*
 * An input or recurrent weight is off by at most 1/254 of the largest of its row and a state by
 * 1/254; over rows of 21 and 42 numbers of random sign these are errors of about 1e-3 in a gate,
 * which the gate functions shrink and three layers add up. Seen: 3.3e-4 in the mean square and
 * 1.4e-3 at most, of probabilities between 0.02 and 0.6. The bounds are three times that.
 */
static void it_follows_the_float_network(void **state)
{
    (void)state;
    const struct oto_network_shape *shapes[] = {&shape, &projected, &pyramid};
    const unsigned flags[] = {OTO_CPU_SCALAR, oto_cpu_flags()};
    for (int k = 0; k < 6; k++) {
        struct fixture f = set_up(shapes[k % 3], flags[k / 3]);
        struct oto_network *net;
        struct oto_network_workspace *ws;
        assert_int_equal(oto_network_create(&net, f.shape, &f.dsp, NULL), OTO_OK);
        assert_int_equal(oto_network_workspace_create(&ws, net, NULL), OTO_OK);
        oto_network_set_parameters(net, f.params, NULL);
        float *want = oto_calloc(f.seqs.n_rows * (size_t)f.shape->n_outputs, sizeof *want);
        assert_int_equal(oto_network_forward(net, ws, want, f.x, &f.seqs, 0, NULL, NULL, NULL),
                         OTO_OK);
        float *got = forward(&f, NULL);
        double rms, most;
        difference(&f, got, want, &rms, &most);
        print_message("%s: rms %.2g, most %.2g\n", f.int8.name, rms, most);
        assert_true(rms > 1e-5 && rms < 1e-3);
        assert_true(most < 5e-3);
        assert_true(oto_network_workspace_bytes(f.ws) > 1000);
        oto_free(got);
        oto_free(want);
        oto_network_workspace_destroy(ws);
        oto_network_destroy(net);
        tear_down(&f);
    }
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    struct fixture f = set_up(&projected, oto_cpu_flags());
    size_t n_bytes = f.seqs.n_rows * (size_t)projected.n_outputs * sizeof(float);
    float *alone = forward(&f, NULL);
    for (int n = 1; n <= 3; n++) {
        struct oto_pool *pool;
        assert_int_equal(oto_pool_create(&pool, n, NULL), OTO_OK);
        oto_network_set_int8(f.net, f.quantized->tensors, pool);
        float *y = forward(&f, pool);
        assert_memory_equal(y, alone, n_bytes);
        oto_free(y);
        oto_pool_destroy(pool);
    }
    oto_free(alone);
    tear_down(&f);
}

/* Scales are those of one frame, and integer sums are exact: company changes nothing. */
static void a_batch_is_its_utterances(void **state)
{
    (void)state;
    struct fixture f = set_up(&shape, oto_cpu_flags());
    float *all = forward(&f, NULL);
    size_t n_in = (size_t)shape.n_inputs, n_out = (size_t)shape.n_outputs;
    for (int b = 0; b < N_UTTS; b++) {
        struct oto_sequences one = {0};
        assert_int_equal(oto_sequences_set(&one, &lengths[b], 1, NULL), OTO_OK);
        float *x = oto_calloc(one.n_rows * n_in, sizeof *x);
        float *y = oto_calloc(one.n_rows * n_out, sizeof *y);
        for (int t = 0; t < lengths[b]; t++)
            memcpy(x + (size_t)t * n_in, f.x + oto_sequences_row(&f.seqs, t, b) * n_in,
                   n_in * sizeof *x);
        assert_int_equal(oto_network_forward(f.net, f.ws, y, x, &one, 0, NULL, NULL, NULL), OTO_OK);
        for (int t = 0; t < lengths[b]; t++)
            for (size_t k = 0; k < n_out; k++)
                assert_true(fabsf(y[(size_t)t * n_out + k] -
                                  all[oto_sequences_row(&f.seqs, t, b) * n_out + k]) < 1e-4f);
        oto_free(x);
        oto_free(y);
        oto_sequences_clear(&one);
    }
    oto_free(all);
    tear_down(&f);
}

static void it_does_not_train(void **state)
{
    (void)state;
    struct fixture f = set_up(&shape, oto_cpu_flags());
    float y[8] = {0};
    oto_error err = {0};
    assert_int_equal(oto_network_forward(f.net, f.ws, y, f.x, &f.seqs, 1, NULL, NULL, &err),
                     OTO_ERR_ARGUMENT);
    assert_contains(err.message, "for inference alone");
    tear_down(&f);
}

static void rows_are_quantised(void **state)
{
    (void)state;
    const float w[3][4] = {{1, -2, 0.5f, 0}, {0, 0, 0, 0}, {1e-42f, -3e-42f, 0, 1e-42f}};
    int8_t codes[3][4];
    float scales[3];
    oto_quantize_rows(codes[0], scales, w[0], 3, 4);
    const int8_t want[3][4] = {{64, -127, 32, 0}, {0}, {42, -127, 0, 42}};
    assert_memory_equal(codes, want, sizeof want);
    assert_true(scales[0] == 2.0f / 127 && scales[1] == 0);
    float random[2][301], random_scales[2];
    int8_t random_codes[2][301];
    for (size_t k = 0; k < 602; k++)
        random[k / 301][k % 301] = (float)oto_rng_normal(5, 1, k);
    oto_quantize_rows(random_codes[0], random_scales, random[0], 2, 301);
    for (int r = 0; r < 2; r++) {
        for (size_t k = 0; k < 301; k++)
            assert_true(fabsf(random[r][k] - random_scales[r] * (float)random_codes[r][k]) <=
                        0.5001f * random_scales[r]);
    }
}

/* The whole life: quantise, create, forward; each allocation failing in turn. */
static oto_status live(const struct fixture *f)
{
    struct oto_quantized *q = NULL;
    struct oto_network *net = NULL;
    struct oto_network_workspace *ws = NULL;
    float y[130 * 6 * N_UTTS];
    oto_status status = oto_quantized_create(&q, &projected, f->params, NULL);
    if (status == OTO_OK)
        status = oto_network_create_int8(&net, &projected, &f->dsp, &f->int8, NULL);
    if (status == OTO_OK)
        status = oto_network_workspace_create(&ws, net, NULL);
    if (status == OTO_OK) {
        oto_network_set_int8(net, q->tensors, NULL);
        status = oto_network_forward(net, ws, y, f->x, &f->seqs, 0, NULL, NULL, NULL);
    }
    oto_network_workspace_destroy(ws);
    oto_network_destroy(net);
    oto_quantized_destroy(q);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct fixture f = set_up(&projected, OTO_CPU_SCALAR);
    oto_mem_fail_nth(0);
    assert_int_equal(live(&f), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    assert_true(n > 20);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(live(&f), OTO_ERR_MEMORY);
    }
    oto_mem_fail_nth(0);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_follows_the_float_network),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(a_batch_is_its_utterances),
        cmocka_unit_test(it_does_not_train),
        cmocka_unit_test(rows_are_quantised),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
