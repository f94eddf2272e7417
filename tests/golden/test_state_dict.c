/* SPDX-License-Identifier: BSD-2-Clause */
/* Weights that PyTorch saved give PyTorch's outputs (make_state_dict.py), to 1e-5, and come back
 * from our own export as the same numbers. */
#include <math.h>

#include "acoustic/network.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "models/safetensors.h"
#include "tests/support/unit.h"

static void import(struct oto_network_shape *shape, float **params, const char *path)
{
    struct oto_safetensors s;
    oto_error err = {0};
    if (oto_safetensors_open(&s, path, &err) != OTO_OK ||
        oto_safetensors_import(shape, params, &s, "", path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    oto_safetensors_close(&s);
}

static float *read_floats(struct oto_reader *r, size_t n)
{
    float *out = oto_calloc(n, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        out[i] = oto_read_f32(r);
    assert_false(r->failed);
    return out;
}

static void forward(const struct oto_network_shape *shape, const float *params, float *log_probs,
                    const float *x, int n_frames)
{
    struct oto_dsp dsp;
    struct oto_network *net;
    struct oto_network_workspace *ws;
    struct oto_sequences seqs = {0};
    oto_error err = {0};
    oto_dsp_init(&dsp, oto_cpu_flags());
    assert_int_equal(oto_network_create(&net, shape, &dsp, &err), OTO_OK);
    assert_int_equal(oto_network_workspace_create(&ws, net, &err), OTO_OK);
    assert_int_equal(oto_sequences_set(&seqs, &n_frames, 1, &err), OTO_OK);
    oto_network_set_parameters(net, params, NULL);
    assert_int_equal(oto_network_forward(net, ws, log_probs, x, &seqs, 0, NULL, NULL, &err),
                     OTO_OK);
    oto_sequences_clear(&seqs);
    oto_network_workspace_destroy(ws);
    oto_network_destroy(net);
}

static void gives_the_same_outputs(void **state)
{
    (void)state;
    struct oto_network_shape shape;
    struct oto_map map;
    struct oto_reader r;
    oto_error err = {0};
    float *params;
    import(&shape, &params, OTO_TEST_DATA "/state_dict.safetensors");
    assert_int_equal(shape.n_layers, 2);
    assert_int_equal(shape.n_proj, 0);
    assert_int_equal(oto_map_open(&map, OTO_TEST_DATA "/state_dict.bin", &err), OTO_OK);
    oto_reader_init(&r, map.data, map.size);
    int n_frames = (int)oto_read_u32(&r);
    size_t n_y = (size_t)n_frames * (size_t)shape.n_outputs;
    float *x = read_floats(&r, (size_t)n_frames * (size_t)shape.n_inputs);
    float *want = read_floats(&r, n_y), *got = oto_calloc(n_y, sizeof *got);
    assert_int_equal(r.offset, r.size);
    assert_non_null(got);
    forward(&shape, params, got, x, n_frames);
    double worst = 0;
    for (size_t i = 0; i < n_y; i++)
        worst = fmax(worst, fabs((double)got[i] - (double)want[i]));
    print_message("log_probs %.2g\n", worst);
    assert_true(worst <= 1e-5);
    oto_free(x);
    oto_free(want);
    oto_free(got);
    oto_free(params);
    oto_map_close(&map);
}

static void comes_back(void **state)
{
    (void)state;
    struct oto_network_shape a, b;
    char folder[64], path[96];
    oto_error err = {0};
    float *first, *second;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/out.safetensors", folder);
    import(&a, &first, OTO_TEST_DATA "/state_dict.safetensors");
    assert_int_equal(oto_safetensors_export(&a, first, path, &err), OTO_OK);
    import(&b, &second, path);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_equal(first, second, oto_network_n_parameters(&a) * sizeof *first);
    oto_free(first);
    oto_free(second);
    unit_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_the_same_outputs),
                                       cmocka_unit_test(comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
