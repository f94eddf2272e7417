/* SPDX-License-Identifier: BSD-2-Clause */
/* Backward above frozen layers: the same bits for all others, an auxiliary output among them, and
 * nothing for the frozen ones. */
#include "unit.h"

#include "acoustic/network.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"

enum { n_utts = 3 };

static float *random_numbers(size_t n, uint64_t stream)
{
    float *p = oto_calloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(2 * oto_rng_uniform(3, stream, i) - 1);
    return p;
}

/* First parameter of the layers from n_frozen on. */
static size_t first_of(const struct oto_network_shape *shape, int n_frozen)
{
    struct oto_tensor tensor;
    char name[sizeof tensor.name];
    snprintf(name, sizeof name, "lstm.weight_ih_l%d", n_frozen);
    for (int k = 0; k < oto_network_n_tensors(shape); k++) {
        oto_network_tensor(shape, k, &tensor);
        if (strcmp(tensor.name, name) == 0 || strcmp(tensor.name, "output.weight") == 0)
            return tensor.offset;
    }
    fail();
    return 0;
}

static void check_shape(const struct oto_network_shape *shape)
{
    const struct oto_network_dropout dropout = {0.25, 1, 2};
    const size_t n = oto_network_n_parameters(shape);
    struct oto_sequences seqs = {0};
    struct oto_network *net;
    struct oto_network_workspace *ws;
    struct oto_dsp dsp;
    oto_error err = {0};
    oto_dsp_init(&dsp, oto_cpu_flags());
    assert_int_equal(oto_sequences_set(&seqs, (int[n_utts]){9, 7, 2}, n_utts, NULL), OTO_OK);
    assert_int_equal(oto_network_create(&net, shape, &dsp, NULL), OTO_OK);
    assert_int_equal(oto_network_workspace_create(&ws, net, NULL), OTO_OK);
    float *params = random_numbers(n, 1), *full = random_numbers(n, 2);
    float *frozen = random_numbers(n, 3), *before = random_numbers(n, 3);
    float *x = random_numbers(seqs.n_rows * (size_t)shape->n_inputs, 4), *dx = x;
    float *y = random_numbers(seqs.n_rows * (size_t)shape->n_outputs, 5), *dlogits = y;
    const size_t n_auxiliary = oto_network_auxiliary_size(shape);
    float *aux_params = random_numbers(n_auxiliary, 6), *aux_full = random_numbers(n_auxiliary, 7);
    float *aux_y = random_numbers(seqs.n_rows * (size_t)shape->n_outputs, 8);
    float *aux_frozen = random_numbers(n_auxiliary, 9);
    oto_network_set_parameters(net, params, NULL);
    for (int k = 0; k <= shape->n_layers; k++) {
        float *gradient = k == 0 ? full : frozen;
        const size_t first = first_of(shape, k);
        oto_network_freeze(net, k);
        oto_network_workspace_set_auxiliary(
            ws, &(struct oto_network_auxiliary){.layer = 1,
                                                .params = aux_params,
                                                .log_probs = aux_y,
                                                .dlogits = aux_y,
                                                .dparams = k == 0 ? aux_full : aux_frozen});
        memcpy(frozen, before, n * sizeof *before);
        assert_int_equal(oto_network_forward(net, ws, y, x, &seqs, 1, &dropout, NULL, NULL),
                         OTO_OK);
        if (k > 0) {
            assert_int_equal(
                oto_network_backward(net, ws, gradient, dx, dlogits, x, &seqs, NULL, &err),
                OTO_ERR_ARGUMENT);
            assert_contains(err.message, "frozen");
        }
        assert_int_equal(
            oto_network_backward(net, ws, gradient, NULL, dlogits, x, &seqs, NULL, NULL), OTO_OK);
        assert_memory_equal(gradient + first, full + first, (n - first) * sizeof *full);
        if (k > 0) {
            assert_memory_equal(gradient, before, first * sizeof *before);
            assert_memory_equal(aux_frozen, aux_full, n_auxiliary * sizeof *aux_full);
        }
    }
    float *const owned[] = {params, full,       frozen,   before,     x,
                            y,      aux_params, aux_full, aux_frozen, aux_y};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        oto_free(owned[i]);
    oto_network_workspace_destroy(ws);
    oto_network_destroy(net);
    oto_sequences_clear(&seqs);
}

static void stops_above_frozen_layers(void **state)
{
    (void)state;
    check_shape(&(struct oto_network_shape){6, 3, 21, 0, 5, 0});
    check_shape(&(struct oto_network_shape){6, 3, 18, 10, 5, 0});
    check_shape(&(struct oto_network_shape){6, 3, 18, 10, 5, 3});
    check_shape(&(struct oto_network_shape){6, 3, 21, 0, 5, 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_above_frozen_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
