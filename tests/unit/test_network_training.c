/* SPDX-License-Identifier: BSD-2-Clause */
/* What training passes can do beside test_network.c: chunks, and a second output. */
#include "network_fixture.h"

#include <math.h>

#include "acoustic/network_stream.h"

/* ---- training in chunks ------------------------------------------------------------------ */

struct taken {
    float *log_probs;
    size_t n;
};

static oto_status take(void *arg, const float *log_probs, size_t n_frames, oto_error *err)
{
    struct taken *taken = arg;
    (void)err;
    memcpy(taken->log_probs + taken->n, log_probs, 5 * n_frames * sizeof *log_probs);
    taken->n += 5 * n_frames;
    return OTO_OK;
}

/* A training pass in chunks gives what the stream gives for each utterance. */
static void chunked_batch_equals_streams(void **state)
{
    (void)state;
    static const int lengths[] = {40, 33, 33, 8, 1};
    static const struct oto_network_chunks cuts[] = {{4, 2}, {3, 8}, {7, 0}, {50, 5}};
    const struct oto_network_shape shapes[] = {plain, projected, pyramid, paired};
    for (int i = 0; i < 16; i++) {
        struct fixture f;
        struct batch all;
        struct oto_network_stream *stream;
        float x[40 * 6], log_probs[40 * 5];
        set_up(&f, shapes[i & 3]);
        make_batch(&all, &f, lengths, 5);
        const int factor = oto_network_reduction(&f.shape, 2);
        const struct oto_network_chunks cut = {factor * cuts[i / 4].n_chunk,
                                               factor * cuts[i / 4].n_context};
        oto_network_workspace_set_chunks(f.ws, &cut);
        assert_int_equal(forward(&f, &all, 1, NULL, NULL), OTO_OK);
        assert_int_equal(oto_network_stream_create(&stream, f.net, &cut, NULL), OTO_OK);
        const struct oto_sequences *out = oto_network_rows(f.ws, 2);
        for (int b = 0; b < 5; b++) {
            struct taken taken = {log_probs, 0};
            for (int t = 0; t < lengths[b]; t++)
                memcpy(x + 6 * t, all.x + 6 * oto_sequences_row(&all.seqs, t, b), 6 * sizeof *x);
            assert_int_equal(
                oto_network_stream_push(stream, x, (size_t)lengths[b], take, &taken, NULL, NULL),
                OTO_OK);
            assert_int_equal(oto_network_stream_finish(stream, take, &taken, NULL, NULL), OTO_OK);
            assert_int_equal(taken.n, 5 * out->lengths[b]);
            for (int t = 0; t < out->lengths[b]; t++)
                for (int k = 0; k < 5; k++)
                    assert_true(fabsf(all.log_probs[5 * oto_sequences_row(out, t, b) + (size_t)k] -
                                      log_probs[5 * t + k]) <= 2e-6f);
        }
        oto_network_stream_destroy(stream);
        free_batch(&all);
        tear_down(&f);
    }
}

/* On any threads, in a used workspace, with passes of whole utterances in between. */
static void check_same_bits(const struct oto_network_shape *shape)
{
    static const int lengths[] = {310, 300, 290, 290, 200, 77, 1};
    static const struct oto_network_chunks cut = {20, 12}, whole = {312, 4};
    const struct oto_network_dropout dropout = {0.2, 5, 6};
    struct fixture f;
    struct batch one, many;
    set_up(&f, *shape);
    make_batch(&one, &f, lengths, 7);
    make_batch(&many, &f, lengths, 7);
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        struct oto_pool *pool;
        assert_int_equal(oto_pool_create(&pool, n_threads, NULL), OTO_OK);
        oto_network_workspace_set_chunks(f.ws, &cut);
        train(&f, n_threads == 1 ? &one : &many, &dropout, pool);
        if (n_threads > 1)
            same_batch(&one, &many, &f);
        oto_network_workspace_set_chunks(f.ws, NULL);
        train(&f, &many, &dropout, pool);
        assert_memory_not_equal(one.log_probs, many.log_probs, one.n_y * sizeof *one.log_probs);
        oto_pool_destroy(pool);
    }
    /* One window is the utterance itself. */
    train(&f, &one, NULL, NULL);
    oto_network_workspace_set_chunks(f.ws, &whole);
    oto_mem_fail_nth(0);
    train(&f, &many, NULL, NULL);
    assert_int_equal(oto_mem_fail_nth(0), 0);
    same_batch(&one, &many, &f);
    free_batch(&one);
    free_batch(&many);
    tear_down(&f);
}

static void chunks_same_bits(void **state)
{
    (void)state;
    check_same_bits(&projected);
    check_same_bits(&pyramid);
    check_same_bits(&paired);
}

/* A layer that is not there, and every allocation that the second output adds. */
static void refuses_auxiliary_outputs(void **state)
{
    (void)state;
    struct fixture f;
    struct batch b;
    oto_error err = {0};
    set_up(&f, plain);
    make_batch(&b, &f, (int[]){9, 2}, 2);
    float *params = random_numbers(oto_network_auxiliary_size(&plain), 8, 1);
    float *log_probs = random_numbers(b.n_y, 9, 1);
    struct oto_network_auxiliary a = {3, params, log_probs, b.dlogits, b.dparams};
    assert_int_equal(oto_network_auxiliary_size(&plain), 5 * 43);
    for (int layer = -1; layer <= 3; layer += 4) {
        a.layer = layer;
        oto_network_workspace_set_auxiliary(f.ws, &a);
        assert_int_equal(
            oto_network_forward(f.net, f.ws, b.log_probs, b.x, &b.seqs, 1, NULL, NULL, &err),
            OTO_ERR_ARGUMENT);
        assert_contains(err.message, layer < 0 ? "layer -1, expected 0 to 2" : "layer 3");
    }
    a.layer = 1;
    size_t nth = 1, failures = 0;
    for (oto_status status = OTO_ERR_MEMORY; status != OTO_OK; nth++) {
        oto_network_workspace_set_auxiliary(f.ws, &a);
        oto_mem_fail_nth(nth);
        status = oto_network_forward(f.net, f.ws, b.log_probs, b.x, &b.seqs, 1, NULL, NULL, &err);
        oto_mem_fail_nth(0);
        failures += status == OTO_ERR_MEMORY;
        oto_network_workspace_destroy(f.ws);
        assert_int_equal(oto_network_workspace_create(&f.ws, f.net, NULL), OTO_OK);
    }
    assert_true(failures > 10);
    /* Inference has none. */
    oto_network_workspace_set_auxiliary(f.ws, &a);
    memset(log_probs, 0, b.n_y * sizeof *log_probs);
    assert_int_equal(forward(&f, &b, 0, NULL, NULL), OTO_OK);
    assert_true(log_probs[0] == 0);
    assert_int_equal(forward(&f, &b, 1, NULL, NULL), OTO_OK);
    assert_true(log_probs[0] < 0);
    oto_free(params);
    oto_free(log_probs);
    free_batch(&b);
    tear_down(&f);
}

/* Chunks out of range, chunks that would part a pair, and every allocation of a first pass. */
static void check_chunks(const struct oto_network_shape *shape)
{
    struct fixture f;
    struct batch b;
    oto_error err = {0};
    const int factor = oto_network_reduction(shape, shape->n_layers - 1);
    set_up(&f, *shape);
    make_batch(&b, &f, (int[]){9, 2}, 2);
    oto_network_workspace_set_chunks(f.ws, &(struct oto_network_chunks){0, 2});
    assert_int_equal(
        oto_network_forward(f.net, f.ws, b.log_probs, b.x, &b.seqs, 1, NULL, NULL, &err),
        OTO_ERR_ARGUMENT);
    assert_contains(err.message, "chunks of 0 frames");
    assert_int_equal(forward(&f, &b, 0, NULL, NULL), OTO_OK); /* inference sees the whole */
    for (int odd = 0; odd < 2 && factor > 1; odd++) {
        const struct oto_network_chunks cut = {3 * factor + odd, 3 * factor + 1 - odd};
        oto_network_workspace_set_chunks(f.ws, &cut);
        assert_int_equal(
            oto_network_forward(f.net, f.ws, b.log_probs, b.x, &b.seqs, 1, NULL, NULL, &err),
            OTO_ERR_ARGUMENT);
        assert_contains(err.message, "expected multiples of");
    }
    size_t nth = 1;
    for (oto_status status = OTO_ERR_MEMORY; status != OTO_OK; nth++) {
        struct oto_network_workspace *ws;
        assert_int_equal(oto_network_workspace_create(&ws, f.net, NULL), OTO_OK);
        oto_network_workspace_set_chunks(ws, &(struct oto_network_chunks){3 * factor, 2 * factor});
        oto_mem_fail_nth(nth);
        status = oto_network_forward(f.net, ws, b.log_probs, b.x, &b.seqs, 1, NULL, NULL, &err);
        oto_mem_fail_nth(0);
        assert_true(status == OTO_OK || status == OTO_ERR_MEMORY);
        oto_network_workspace_destroy(ws);
    }
    assert_true(nth > 20);
    free_batch(&b);
    tear_down(&f);
}

static void refuses_chunks(void **state)
{
    (void)state;
    check_chunks(&plain);
    check_chunks(&pyramid);
    check_chunks(&paired);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunked_batch_equals_streams),
        cmocka_unit_test(chunks_same_bits),
        cmocka_unit_test(refuses_auxiliary_outputs),
        cmocka_unit_test(refuses_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
