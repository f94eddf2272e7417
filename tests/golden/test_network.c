/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network in float against PyTorch's nn.LSTM in float64 (make_network.py): log-probabilities,
 * the gradients of all parameters and of the input, with every instruction set of this machine.
 * Tolerance 1e-5 of the largest number of each tensor, and at least 1e-5.
 */
#include "acoustic/network.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "golden_floats.h"

enum { SEED_PARAMS = 1, SEED_X = 2, SEED_DLOGITS = 3, UTTS_MAX = 8 };

/* The hash of make_network.py. */
static float *uniform(size_t n, uint32_t seed, float scale)
{
    float *out = oto_calloc(n, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        out[i] = golden_uniform(i, seed) * scale;
    return out;
}

struct golden {
    struct oto_network_shape shape;
    struct oto_sequences seqs;
    size_t n_params, n_out;          /* n_out: frames of log_probs */
    float *log_probs, *dparams, *dx; /* expected */
};

static void load(struct golden *g, const char *name)
{
    struct oto_map map;
    struct oto_reader r = golden_open(&map, name);
    oto_error err = {0};
    g->shape.n_inputs = (int)oto_read_u32(&r);
    g->shape.n_layers = (int)oto_read_u32(&r);
    g->shape.n_hidden = (int)oto_read_u32(&r);
    g->shape.n_proj = (int)oto_read_u32(&r);
    g->shape.n_outputs = (int)oto_read_u32(&r);
    g->shape.reduce_after = oto_read_u32(&r);
    int n_utts = (int)oto_read_u32(&r), lengths[UTTS_MAX];
    assert_in_range(n_utts, 1, UTTS_MAX);
    for (int b = 0; b < n_utts; b++)
        lengths[b] = (int)oto_read_u32(&r);
    assert_int_equal(oto_sequences_set(&g->seqs, lengths, n_utts, &err), OTO_OK);
    assert_int_equal(oto_network_shape_check(&g->shape, &err), OTO_OK);
    g->n_params = oto_network_n_parameters(&g->shape);
    for (int b = 0; b < n_utts; b++)
        g->n_out += oto_network_n_frames(&g->shape, (size_t)lengths[b]);
    g->log_probs = golden_read(&r, g->n_out * (size_t)g->shape.n_outputs);
    g->dparams = golden_read(&r, g->n_params);
    g->dx = golden_read(&r, g->seqs.n_rows * (size_t)g->shape.n_inputs);
    assert_false(r.failed);
    assert_int_equal(r.offset, r.size);
    oto_map_close(&map);
}

static void unload(struct golden *g)
{
    oto_sequences_clear(&g->seqs);
    oto_free(g->log_probs);
    oto_free(g->dparams);
    oto_free(g->dx);
}

/* Largest difference relative to max(1, largest number of ref). */
static double worst(const float *got, const float *ref, size_t n)
{
    double scale = 1, difference = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - (double)ref[i]);
        scale = fmax(scale, fabs((double)ref[i]));
        if (!(d <= difference)) /* a NaN stays */
            difference = d;
    }
    return difference / scale;
}

static void compare(const char *what, unsigned flags, const float *got, const float *ref, size_t n)
{
    double error = worst(got, ref, n);
    if (!(error <= 1e-5))
        fail_msg("%s (%s): error %.3g, allowed 1e-5", what, oto_cpu_name(flags), error);
}

static void run(const struct golden *g, unsigned flags)
{
    struct oto_dsp dsp;
    struct oto_network *net;
    struct oto_network_workspace *ws;
    oto_error err;
    size_t n = g->seqs.n_rows, n_x = n * (size_t)g->shape.n_inputs;
    size_t n_y = g->n_out * (size_t)g->shape.n_outputs;
    float *params = uniform(g->n_params, SEED_PARAMS, 0.4f), *x = uniform(n_x, SEED_X, 2.0f);
    float *dlogits = uniform(n_y, SEED_DLOGITS, 1.0f);
    float *log_probs = oto_calloc(n_y, sizeof *log_probs), *dx = oto_calloc(n_x, sizeof *dx);
    float *dparams = oto_calloc(g->n_params, sizeof *dparams);

    oto_dsp_init(&dsp, flags);
    assert_int_equal(oto_network_create(&net, &g->shape, &dsp, &err), OTO_OK);
    assert_int_equal(oto_network_workspace_create(&ws, net, &err), OTO_OK);
    oto_network_set_parameters(net, params, NULL);
    assert_int_equal(oto_network_forward(net, ws, log_probs, x, &g->seqs, 1, NULL, NULL, &err),
                     OTO_OK);
    assert_int_equal(oto_network_backward(net, ws, dparams, dx, dlogits, x, &g->seqs, NULL, &err),
                     OTO_OK);

    compare("log_probs", flags, log_probs, g->log_probs, n_y);
    compare("dx", flags, dx, g->dx, n_x);
    for (int i = 0; i < oto_network_n_tensors(&g->shape); i++) {
        struct oto_tensor t;
        oto_network_tensor(&g->shape, i, &t);
        compare(t.name, flags, dparams + t.offset, g->dparams + t.offset,
                (size_t)t.n_rows * (size_t)t.n_cols);
    }
    print_message("%s: log_probs %.2g dparams %.2g dx %.2g\n", oto_cpu_name(flags),
                  worst(log_probs, g->log_probs, n_y), worst(dparams, g->dparams, g->n_params),
                  worst(dx, g->dx, n_x));

    oto_network_workspace_destroy(ws);
    oto_network_destroy(net);
    oto_free(params);
    oto_free(x);
    oto_free(dlogits);
    oto_free(log_probs);
    oto_free(dx);
    oto_free(dparams);
}

static void check(const char *name)
{
    static const char *const sets[] = {"scalar", "avx2", "avx512"};
    struct golden g = {0};
    load(&g, name);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        unsigned flags;
        if (oto_cpu_parse(sets[i], &flags, NULL) == OTO_OK)
            run(&g, flags);
    }
    unload(&g);
}

static void one_layer(void **state)
{
    (void)state;
    check("network_1");
}

static void three_layers(void **state)
{
    (void)state;
    check("network_3");
}

static void projection(void **state)
{
    (void)state;
    check("network_proj");
}

static void pyramids(void **state)
{
    (void)state;
    check("network_pyramid");
    check("network_pyramid_proj");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_layer),
        cmocka_unit_test(three_layers),
        cmocka_unit_test(projection),
        cmocka_unit_test(pyramids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
