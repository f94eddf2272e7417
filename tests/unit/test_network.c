/* SPDX-License-Identifier: BSD-2-Clause */
/* The network as a whole: threads, batches, reuse of a workspace, and every error. Values:
 * tests/golden, tests/grad. */
#include "network_fixture.h"

#include <math.h>

/* Rows of probabilities sum to one. */
static void gives_distributions(void **state)
{
    (void)state;
    struct fixture f;
    struct batch b;
    set_up(&f, plain);
    make_batch(&b, &f, (int[]){9, 2}, 2);
    assert_int_equal(forward(&f, &b, 0, NULL, NULL), OTO_OK);
    for (size_t n = 0; n < b.seqs.n_rows; n++) {
        double sum = 0;
        for (int j = 0; j < f.shape.n_outputs; j++)
            sum += exp((double)b.log_probs[n * (size_t)f.shape.n_outputs + (size_t)j]);
        assert_true(fabs(sum - 1) < 1e-6);
    }
    free_batch(&b);
    tear_down(&f);
}

/* Enough rows for several blocks of rows and several portions of gates. */
static void same_bits_on_any_threads(void **state)
{
    (void)state;
    static const int lengths[] = {310, 300, 290, 290, 200, 77, 1};
    const struct oto_network_dropout dropout = {0.2, 5, 6};
    const struct oto_network_shape shapes[] = {plain, projected, pyramid, paired};
    for (int s = 0; s < 4; s++) {
        struct fixture f;
        struct batch one, many;
        set_up(&f, shapes[s]);
        make_batch(&one, &f, lengths, 7);
        train(&f, &one, &dropout, NULL);
        for (int n_threads = 1; n_threads <= 3; n_threads++) {
            struct oto_pool *pool;
            assert_int_equal(oto_pool_create(&pool, n_threads, NULL), OTO_OK);
            make_batch(&many, &f, lengths, 7);
            oto_network_set_parameters(f.net, f.params, pool);
            train(&f, &many, &dropout, pool);
            same_batch(&one, &many, &f);
            free_batch(&many);
            oto_pool_destroy(pool);
        }
        free_batch(&one);
        tear_down(&f);
    }
}

/* Training and inference share the arithmetic; only what is kept differs. */
static void inference_equals_training(void **state)
{
    (void)state;
    static const int lengths[] = {700, 650, 3};
    const struct oto_network_shape shapes[] = {plain, projected, pyramid, paired};
    for (int s = 0; s < 4; s++) {
        struct fixture f;
        struct batch a, b;
        set_up(&f, shapes[s]);
        make_batch(&a, &f, lengths, 3);
        make_batch(&b, &f, lengths, 3);
        assert_int_equal(forward(&f, &a, 0, NULL, NULL), OTO_OK);
        size_t inference_bytes = oto_network_workspace_bytes(f.ws);
        assert_int_equal(forward(&f, &b, 1, &no_dropout, NULL), OTO_OK);
        assert_true(oto_network_workspace_bytes(f.ws) > 2 * inference_bytes);
        assert_memory_equal(a.log_probs, b.log_probs, a.n_y * sizeof *a.log_probs);
        free_batch(&a);
        free_batch(&b);
        tear_down(&f);
    }
}

/* An utterance's result does not depend on its neighbours in the batch. */
static void batch_equals_single(void **state)
{
    (void)state;
    static const int lengths[] = {40, 33, 33, 8, 1};
    const struct oto_network_shape shapes[] = {plain, projected, pyramid, paired};
    for (int s = 0; s < 4; s++) {
        struct fixture f;
        struct batch all;
        set_up(&f, shapes[s]);
        make_batch(&all, &f, lengths, 5);
        struct oto_sequences out = {0};
        int n_out[5];
        for (int b = 0; b < 5; b++)
            n_out[b] = (int)oto_network_n_frames(&f.shape, (size_t)lengths[b]);
        assert_int_equal(oto_sequences_set(&out, n_out, 5, NULL), OTO_OK);
        assert_int_equal(forward(&f, &all, 0, NULL, NULL), OTO_OK);
        assert_int_equal(oto_network_rows(f.ws, 2)->n_rows, out.n_rows);
        size_t d = (size_t)f.shape.n_inputs, k = (size_t)f.shape.n_outputs;
        for (int b = 0; b < 5; b++) {
            struct batch one;
            make_batch(&one, &f, &lengths[b], 1);
            for (int t = 0; t < lengths[b]; t++)
                memcpy(one.x + (size_t)t * d, all.x + oto_sequences_row(&all.seqs, t, b) * d,
                       d * sizeof *one.x);
            assert_int_equal(forward(&f, &one, 0, NULL, NULL), OTO_OK);
            for (int t = 0; t < n_out[b]; t++)
                for (size_t j = 0; j < k; j++) {
                    float got = one.log_probs[(size_t)t * k + j];
                    float expected = all.log_probs[oto_sequences_row(&out, t, b) * k + j];
                    if (!(fabsf(got - expected) <= 2e-6f))
                        fail_msg("utterance %d frame %d: %.8g, in the batch %.8g", b, t,
                                 (double)got, (double)expected);
                }
            free_batch(&one);
        }
        oto_sequences_clear(&out);
        free_batch(&all);
        tear_down(&f);
    }
}

/* What a workspace did before does not show. */
static void workspace_is_reused(void **state)
{
    (void)state;
    static const int batches[][3] = {{9, 4, 1}, {60, 55, 2}, {5, 5, 5}, {1, 1, 1}, {61, 61, 60}};
    const struct oto_network_dropout dropout = {0.3, 1, 2};
    const struct oto_network_shape shapes[] = {plain, projected, pyramid, paired};
    for (int s = 0; s < 4; s++) {
        struct fixture f, fresh;
        set_up(&f, shapes[s]);
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
            struct batch a, b;
            set_up(&fresh, shapes[s]);
            make_batch(&a, &f, batches[i], 3);
            make_batch(&b, &fresh, batches[i], 3);
            /* Inference and passes without dropout in between use the same buffers otherwise. */
            assert_int_equal(forward(&f, &a, 0, NULL, NULL), OTO_OK);
            train(&f, &a, i % 2 ? &dropout : NULL, NULL);
            train(&fresh, &b, i % 2 ? &dropout : NULL, NULL);
            same_batch(&a, &b, &f);
            free_batch(&a);
            free_batch(&b);
            tear_down(&fresh);
        }
        size_t bytes = oto_network_workspace_bytes(f.ws);
        struct batch small;
        make_batch(&small, &f, (int[]){3}, 1);
        assert_int_equal(forward(&f, &small, 1, NULL, NULL), OTO_OK);
        assert_int_equal(oto_network_workspace_bytes(f.ws), bytes);
        oto_mem_fail_nth(0);
        train(&f, &small, NULL, NULL);
        assert_int_equal(oto_mem_fail_nth(0), 0); /* no allocation for a batch that fits */
        free_batch(&small);
        tear_down(&f);
    }
}

/* What math.md, section 3.5 says that training holds, with some scratch beside it. */
static void holds_the_documented_memory(void **state)
{
    (void)state;
    enum { FRAMES = 12000, H = 16 };
    static const struct oto_network_shape shapes[] = {{6, 2, H, 0, 5, 0}, {6, 2, H, 10, 5, 0}};
    static const size_t numbers[] = {2 * (8 * H + 2 * H + 2 * H) + 2 * H,
                                     2 * (8 * H + 2 * H + 2 * H) + 10 + 2 * H + 10};
    for (int s = 0; s < 2; s++) {
        struct fixture f;
        struct batch b;
        set_up(&f, shapes[s]);
        make_batch(&b, &f, (int[]){FRAMES}, 1);
        assert_int_equal(forward(&f, &b, 1, NULL, NULL), OTO_OK);
        size_t expected = FRAMES * numbers[s] * sizeof(float);
        size_t scratch = (size_t)1 << 20; /* panels of blocks of frames, by the layer's size */
        assert_in_range(oto_network_workspace_bytes(f.ws), expected, expected + scratch);
        free_batch(&b);
        tear_down(&f);
    }
}

static void dropout_follows_seed_and_stream(void **state)
{
    (void)state;
    const struct oto_network_dropout first = {0.4, 1, 1}, again = {0.4, 1, 1}, other = {0.4, 1, 2};
    struct fixture f;
    struct batch a, b;
    set_up(&f, plain);
    make_batch(&a, &f, (int[]){8, 3}, 2);
    make_batch(&b, &f, (int[]){8, 3}, 2);
    train(&f, &a, &first, NULL);
    train(&f, &b, &again, NULL);
    same_batch(&a, &b, &f);
    train(&f, &b, &other, NULL);
    assert_memory_not_equal(a.log_probs, b.log_probs, a.n_y * sizeof *a.log_probs);
    train(&f, &b, &no_dropout, NULL);
    train(&f, &a, NULL, NULL);
    same_batch(&a, &b, &f);
    free_batch(&a);
    free_batch(&b);
    tear_down(&f);
}

static void lists_tensors(void **state)
{
    (void)state;
    static const char *const names[] = {
        "lstm.weight_ih_l0",
        "lstm.weight_hh_l0",
        "lstm.bias_l0",
        "lstm.weight_ih_l0_reverse",
        "lstm.weight_hh_l0_reverse",
        "lstm.bias_l0_reverse",
        "proj.weight_l0",
        "proj.bias_l0",
    };
    struct oto_tensor t;
    size_t next = 0;
    assert_int_equal(oto_network_n_tensors(&projected), 3 * 6 + 2 * 2 + 2);
    for (int i = 0; i < oto_network_n_tensors(&projected); i++) {
        oto_network_tensor(&projected, i, &t);
        assert_int_equal(t.offset, next);
        next += (size_t)t.n_rows * (size_t)t.n_cols;
        if ((size_t)i < sizeof names / sizeof *names)
            assert_string_equal(t.name, names[i]);
    }
    assert_string_equal(t.name, "output.bias");
    assert_int_equal(t.n_rows, 5);
    assert_int_equal(oto_network_n_parameters(&projected), next);
    oto_network_tensor(&projected, 8, &t);
    assert_string_equal(t.name, "lstm.weight_ih_l1");
    assert_int_equal(t.n_rows, 4 * 18);
    assert_int_equal(t.n_cols, 10);
}

/* T frames are ceil(T / 2) of the next level, and the layer above is twice as wide. */
static void pyramids_have_fewer_and_wider_frames(void **state)
{
    (void)state;
    struct oto_tensor t;
    static const size_t frames[][2] = {{1, 1}, {4, 1}, {5, 2}, {8, 2}, {9, 3}, {12, 3}, {13, 4}};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        assert_int_equal(oto_network_n_frames(&pyramid, frames[i][0]), frames[i][1]);
        assert_int_equal(oto_network_n_frames(&plain, frames[i][0]), frames[i][0]);
    }
    assert_int_equal(oto_network_reduction(&pyramid, 0), 1);
    assert_int_equal(oto_network_reduction(&pyramid, 1), 2);
    assert_int_equal(oto_network_reduction(&pyramid, 2), 4);
    assert_int_equal(oto_network_reduction(&paired, 1), 1);
    assert_int_equal(oto_network_n_tensors(&paired), oto_network_n_tensors(&projected));
    oto_network_tensor(&paired, 16, &t);
    assert_string_equal(t.name, "lstm.weight_ih_l2");
    assert_int_equal(t.n_cols, 20);
    oto_network_tensor(&pyramid, 6, &t);
    assert_string_equal(t.name, "lstm.weight_ih_l1");
    assert_int_equal(t.n_cols, 84);
}

static void reads_reductions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int n_layers;
        unsigned layers;
    } good[] = {
        {"", 1, 0}, {"1", 2, 1}, {"1,2", 3, 3}, {"2,4", 5, 10}, {"12,13,14,15", 16, 0x7800}};
    static const struct {
        const char *text;
        int n_layers;
    } bad[] = {{"1", 1},    {"2", 2},    {"0", 3},   {"2,1", 3},       {"1,1", 3},  {"1,", 3},
               {",1", 3},   {"1 ,2", 3}, {"-1", 3},  {"1;2", 3},       {"x", 3},    {"001", 3},
               {"1,2x", 9}, {"+1", 3},   {"16", 16}, {"1,2,3,4,5", 9}, {"9999", 16}};
    oto_error err = {0};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        unsigned layers = 99;
        char text[16];
        assert_int_equal(
            oto_network_parse_reductions(&layers, good[i].text, good[i].n_layers, NULL), OTO_OK);
        assert_int_equal(layers, good[i].layers);
        oto_network_print_reductions(text, layers);
        assert_string_equal(text, good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unsigned layers = 99;
        if (oto_network_parse_reductions(&layers, bad[i].text, bad[i].n_layers, &err) !=
            OTO_ERR_CONFIG)
            fail_msg("\"%s\" was taken", bad[i].text);
        assert_contains(err.message, bad[i].text);
        assert_int_equal(layers, 99);
    }
}

static void initialises_by_name(void **state)
{
    (void)state;
    size_t n = oto_network_n_parameters(&projected);
    float *a = random_numbers(n, 1, 1), *b = random_numbers(n, 2, 1);
    oto_network_init_parameters(&projected, a, 42);
    oto_network_init_parameters(&projected, b, 42);
    assert_memory_equal(a, b, n * sizeof *a);
    oto_network_init_parameters(&projected, b, 43);
    assert_memory_not_equal(a, b, n * sizeof *a);
    for (int i = 0; i < oto_network_n_tensors(&projected); i++) {
        struct oto_tensor t;
        oto_network_tensor(&projected, i, &t);
        double h = projected.n_hidden, largest = 0, bound = 0;
        for (int j = 0; j < t.n_rows; j++)
            for (int k = 0; k < t.n_cols; k++)
                largest = fmax(largest, fabs((double)a[t.offset + (size_t)(j * t.n_cols + k)]));
        if (strncmp(t.name, "lstm.bias", 9) == 0) {
            for (int j = 0; j < t.n_rows; j++)
                assert_true(a[t.offset + (size_t)j] == (j / projected.n_hidden == 1 ? 1.0f : 0.0f));
            bound = 1;
        } else if (strstr(t.name, "weight_hh")) {
            bound = 1 / sqrt(h);
        } else if (strstr(t.name, "weight")) {
            bound = sqrt(6 / (t.n_cols + (strstr(t.name, "_ih") ? h : t.n_rows)));
        }
        assert_true(largest <= bound + 1e-7);
        assert_true(largest >= 0.9 * bound);
    }
    oto_free(a);
    oto_free(b);
}

static void refuses_shapes(void **state)
{
    (void)state;
    static const struct {
        struct oto_network_shape shape;
        const char *message;
    } cases[] = {
        {{0, 1, 8, 0, 4, 0}, "n_inputs is 0, expected 1 to"},
        {{1 << 20, 1, 8, 0, 4, 0}, "n_inputs is 1048576"},
        {{5, 0, 8, 0, 4, 0}, "n_layers is 0, expected 1 to 16"},
        {{5, 17, 8, 0, 4, 0}, "n_layers is 17"},
        {{5, 1, 0, 0, 4, 0}, "n_hidden is 0, expected 1 to 4096"},
        {{5, 1, 4097, 0, 4, 0}, "n_hidden is 4097"},
        {{5, 1, 8, -1, 4, 0}, "n_proj is -1, expected 0 to"},
        {{5, 1, 8, 5000, 4, 0}, "n_proj is 5000"},
        {{5, 1, 8, 0, 1, 0}, "n_outputs is 1, expected 2 to"},
        {{5, 1, 8, 0, 70000, 0}, "n_outputs is 70000"},
        {{5, 1, 8, 0, 4, 1}, "after layer 1, expected layers below the last of 1"},
        {{5, 3, 8, 0, 4, 6}, "after layer 3, expected layers below the last of 3"},
        {{5, 9, 8, 0, 4, 31}, "paired after 5 layers, expected 4 at most"},
    };
    struct oto_dsp dsp;
    oto_dsp_init(&dsp, OTO_CPU_SCALAR);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oto_error err = {0};
        struct oto_network *net = (void *)&err;
        assert_int_equal(oto_network_shape_check(&cases[i].shape, &err), OTO_ERR_ARGUMENT);
        assert_contains(err.message, cases[i].message);
        assert_int_equal(oto_network_create(&net, &cases[i].shape, &dsp, NULL), OTO_ERR_ARGUMENT);
        assert_null(net);
    }
    assert_int_equal(oto_network_shape_check(&plain, NULL), OTO_OK);
}

static void refuses_calls(void **state)
{
    (void)state;
    struct fixture f, other;
    struct batch b, shorter;
    struct oto_sequences empty = {0};
    oto_error err = {0};
    set_up(&f, plain);
    set_up(&other, plain);
    make_batch(&b, &f, (int[]){4, 2}, 2);
    make_batch(&shorter, &f, (int[]){4, 1}, 2);

    assert_int_equal(
        oto_network_forward(f.net, other.ws, b.log_probs, b.x, &b.seqs, 0, NULL, NULL, &err),
        OTO_ERR_ARGUMENT);
    assert_contains(err.message, "another network");
    assert_int_equal(
        oto_network_forward(f.net, f.ws, b.log_probs, b.x, &empty, 0, NULL, NULL, &err),
        OTO_ERR_ARGUMENT);
    assert_contains(err.message, "empty");
    static const double rates[] = {-0.1, 1, 2, NAN};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        const struct oto_network_dropout dropout = {rates[i], 0, 0};
        assert_int_equal(
            oto_network_forward(f.net, f.ws, b.log_probs, b.x, &b.seqs, 1, &dropout, NULL, &err),
            OTO_ERR_ARGUMENT);
        assert_contains(err.message, "dropout rate");
    }
    /* Backward: before any forward, after inference, with another batch, twice, other network. */
    for (int i = 0; i < 5; i++) {
        const struct batch *with = i == 2 ? &shorter : &b;
        struct oto_network_workspace *ws = i == 4 ? other.ws : f.ws;
        if (i > 0)
            assert_int_equal(forward(&f, &b, i != 1, NULL, NULL), OTO_OK);
        if (i == 3)
            assert_int_equal(oto_network_backward(f.net, f.ws, b.dparams, NULL, b.dlogits, b.x,
                                                  &b.seqs, NULL, NULL),
                             OTO_OK);
        assert_int_equal(oto_network_backward(f.net, ws, b.dparams, NULL, b.dlogits, b.x,
                                              &with->seqs, NULL, &err),
                         OTO_ERR_ARGUMENT);
        assert_contains(err.message, i == 2   ? "forward had 2 of 6"
                                     : i == 4 ? "another network"
                                              : "needs a training forward");
    }
    assert_int_equal(oto_network_forward_only(f.net, &err), OTO_OK);
    assert_int_equal(
        oto_network_forward(f.net, f.ws, b.log_probs, b.x, &b.seqs, 1, NULL, NULL, &err),
        OTO_ERR_ARGUMENT);
    assert_contains(err.message, "inference alone");
    oto_network_set_parameters(f.net, f.params, NULL);
    assert_int_equal(forward(&f, &b, 0, NULL, NULL), OTO_OK);
    free_batch(&b);
    free_batch(&shorter);
    tear_down(&f);
    tear_down(&other);
    oto_network_destroy(NULL);
    oto_network_workspace_destroy(NULL);
}

/* Every allocation fails once; nothing leaks (sanitizers), and the next try works. */
static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct fixture f;
    struct batch b;
    struct oto_network *net = NULL;
    oto_error err;
    set_up(&f, projected);
    make_batch(&b, &f, (int[]){4, 2}, 2);

    int failures = 0;
    for (size_t nth = 1; net == NULL; nth++) {
        oto_mem_fail_nth(nth);
        oto_status status = oto_network_create(&net, &projected, &f.dsp, &err);
        oto_mem_fail_nth(0);
        assert_int_equal(status, net ? OTO_OK : OTO_ERR_MEMORY);
        failures += net == NULL;
    }
    assert_true(failures >= 3 * 2 * 4 + 2);
    oto_network_destroy(net);

    struct oto_network_workspace *ws;
    oto_mem_fail_nth(1);
    assert_int_equal(oto_network_workspace_create(&ws, f.net, &err), OTO_ERR_MEMORY);
    oto_mem_fail_nth(0);
    assert_null(ws);

    for (int training = 0; training < 2; training++) {
        const struct oto_network_dropout dropout = {0.1, 1, 1};
        oto_status status = OTO_ERR_MEMORY;
        failures = 0;
        for (size_t nth = 1; status != OTO_OK; nth++) {
            oto_network_workspace_destroy(f.ws);
            assert_int_equal(oto_network_workspace_create(&f.ws, f.net, NULL), OTO_OK);
            oto_mem_fail_nth(nth);
            status = forward(&f, &b, training, &dropout, NULL);
            oto_mem_fail_nth(0);
            if (status != OTO_OK) {
                assert_int_equal(status, OTO_ERR_MEMORY);
                failures++;
                /* The same workspace recovers. */
                assert_int_equal(forward(&f, &b, training, &dropout, NULL), OTO_OK);
            }
        }
        assert_true(failures >= (training ? 20 : 6));
    }
    free_batch(&b);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_distributions),
        cmocka_unit_test(same_bits_on_any_threads),
        cmocka_unit_test(inference_equals_training),
        cmocka_unit_test(batch_equals_single),
        cmocka_unit_test(workspace_is_reused),
        cmocka_unit_test(holds_the_documented_memory),
        cmocka_unit_test(dropout_follows_seed_and_stream),
        cmocka_unit_test(lists_tensors),
        cmocka_unit_test(pyramids_have_fewer_and_wider_frames),
        cmocka_unit_test(reads_reductions),
        cmocka_unit_test(initialises_by_name),
        cmocka_unit_test(refuses_shapes),
        cmocka_unit_test(refuses_calls),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
