/* SPDX-License-Identifier: BSD-2-Clause */
/* A bidirectional layer is its two directions side by side, forward and backward. */
#include "unit.h"

#include <math.h>

#include "acoustic/bilstm.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"

enum { INPUTS = 6, HIDDEN = 11 };

static float *random_numbers(size_t n, uint64_t stream)
{
    float *p = oto_calloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(2 * oto_rng_uniform(12, stream, i) - 1);
    return p;
}

struct fixture {
    struct oto_dsp dsp;
    struct oto_bilstm layer;
    struct oto_bilstm_state state;
    struct oto_bilstm_scratch scratch;
    struct oto_sequences seqs;
    float *x, *dh, *h, *dx;
};

static void set_up(struct fixture *f, const int *lengths, int n_utts)
{
    *f = (struct fixture){0};
    oto_dsp_init(&f->dsp, oto_cpu_flags());
    assert_int_equal(oto_sequences_set(&f->seqs, lengths, n_utts, NULL), OTO_OK);
    assert_int_equal(oto_bilstm_init(&f->layer, &f->dsp, INPUTS, HIDDEN, NULL), OTO_OK);
    for (int d = 0; d < 2; d++) {
        float *w = random_numbers(4 * HIDDEN * INPUTS, 10 + (uint64_t)d);
        float *r = random_numbers(4 * HIDDEN * HIDDEN, 20 + (uint64_t)d);
        float *bias = random_numbers(4 * HIDDEN, 30 + (uint64_t)d);
        oto_lstm_set(&f->layer.dir[d], &f->dsp, w, r, bias);
        oto_free(w);
        oto_free(r);
        oto_free(bias);
    }
    f->x = random_numbers(f->seqs.n_rows * INPUTS, 1);
    f->dh = random_numbers(f->seqs.n_rows * 2 * HIDDEN, 2);
    f->h = random_numbers(f->seqs.n_rows * 2 * HIDDEN, 3);
    f->dx = random_numbers(f->seqs.n_rows * INPUTS, 4);
    assert_true(oto_bilstm_state_reserve(&f->state, &f->layer, &f->seqs, true));
    assert_true(oto_bilstm_scratch_reserve(&f->scratch, &f->layer, &f->dsp, &f->seqs));
}

static void tear_down(struct fixture *f)
{
    oto_bilstm_scratch_clear(&f->scratch);
    oto_bilstm_state_clear(&f->state);
    oto_bilstm_clear(&f->layer);
    oto_sequences_clear(&f->seqs);
    oto_free(f->x);
    oto_free(f->dh);
    oto_free(f->h);
    oto_free(f->dx);
}

/* Both directions by the functions of one, in the same order: the same bits. */
static void is_two_directions(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, (int[]){20, 13, 13, 2}, 4);
    size_t n = f.seqs.n_rows;
    float *h = random_numbers(n * 2 * HIDDEN, 7), *dx = random_numbers(n * INPUTS, 8);
    float *dw[2], *dr[2], *dbias[2];
    struct oto_lstm_gradients grads[2];
    for (int d = 0; d < 2; d++) {
        dw[d] = random_numbers(4 * HIDDEN * INPUTS, 1);
        dr[d] = random_numbers(4 * HIDDEN * HIDDEN, 2);
        dbias[d] = random_numbers(4 * HIDDEN, 3);
        grads[d] = (struct oto_lstm_gradients){dw[d], dr[d], dbias[d]};
    }
    oto_bilstm_forward(&f.layer, &f.dsp, &f.state, true, f.h, f.x, &f.seqs, NULL);
    oto_bilstm_backward(&f.layer, &f.dsp, &f.state, &f.scratch, grads, f.dx, f.dh, f.h, f.x,
                        &f.seqs, NULL);

    for (int d = 0; d < 2; d++) {
        const struct oto_lstm *lstm = &f.layer.dir[d];
        size_t n_gates = (size_t)lstm->n_gates, n_cells = (size_t)lstm->n_cells;
        float *gates = random_numbers(n * n_gates, 1), *cells = random_numbers(n * n_cells, 2);
        size_t n_scratch;
        assert_true(oto_lstm_weight_scratch(lstm, &f.dsp, &n_scratch));
        float *dcells = random_numbers(4 * n_cells, 3), *scratch = random_numbers(n_scratch, 4);
        double *sums = oto_calloc(n_gates, sizeof *sums);
        float one_dw[4 * HIDDEN * INPUTS], one_dr[4 * HIDDEN * HIDDEN], one_dbias[4 * HIDDEN];
        oto_lstm_forward(lstm, &f.dsp, true, gates, cells, h + d * HIDDEN, 2 * HIDDEN, f.x, &f.seqs,
                         NULL);
        const struct oto_lstm_gradients one = {one_dw, one_dr, one_dbias};
        oto_lstm_backward_steps(lstm, &f.dsp, gates, dcells, f.dh + d * HIDDEN, 2 * HIDDEN, cells,
                                &f.seqs, 0, 4);
        for (int part = 0; part < oto_lstm_weight_parts(lstm, &f.dsp); part++)
            oto_lstm_backward_weights(lstm, &f.dsp, &one, scratch, sums, gates, f.x, h + d * HIDDEN,
                                      2 * HIDDEN, &f.seqs, part);
        oto_lstm_backward_inputs(lstm, dx, (float)d, gates, 0, n);
        assert_memory_equal(dw[d], one_dw, sizeof one_dw);
        assert_memory_equal(dr[d], one_dr, sizeof one_dr);
        assert_memory_equal(dbias[d], one_dbias, sizeof one_dbias);
        float *const owned[] = {gates, cells, dcells, scratch, dw[d], dr[d], dbias[d]};
        for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
            oto_free(owned[i]);
        oto_free(sums);
    }
    assert_memory_equal(f.h, h, n * 2 * HIDDEN * sizeof *h);
    assert_memory_equal(f.dx, dx, n * INPUTS * sizeof *dx);
    oto_free(h);
    oto_free(dx);
    tear_down(&f);
}

/* The reverse direction of an utterance is the forward direction of the utterance backwards. */
static void reverse_is_forward_backwards(void **state)
{
    (void)state;
    enum { T = 17 };
    struct fixture f;
    set_up(&f, (int[]){T}, 1);
    float *w = random_numbers(4 * HIDDEN * INPUTS, 10),
          *r = random_numbers(4 * HIDDEN * HIDDEN, 20);
    float *bias = random_numbers(4 * HIDDEN, 30), turned[T * INPUTS], h[T * 2 * HIDDEN];
    oto_lstm_set(&f.layer.dir[1], &f.dsp, w, r, bias); /* the forward direction's weights */
    for (int t = 0; t < T; t++)
        memcpy(turned + t * INPUTS, f.x + (T - 1 - t) * INPUTS, INPUTS * sizeof *turned);
    oto_bilstm_forward(&f.layer, &f.dsp, &f.state, true, f.h, f.x, &f.seqs, NULL);
    oto_bilstm_forward(&f.layer, &f.dsp, &f.state, true, h, turned, &f.seqs, NULL);
    for (int t = 0; t < T; t++) {
        const float *there = f.h + t * 2 * HIDDEN, *back = h + (T - 1 - t) * 2 * HIDDEN;
        for (int j = 0; j < HIDDEN; j++) {
            assert_true(fabsf(there[j] - back[HIDDEN + j]) <= 1e-6f);
            assert_true(fabsf(there[HIDDEN + j] - back[j]) <= 1e-6f);
        }
    }
    oto_free(w);
    oto_free(r);
    oto_free(bias);
    tear_down(&f);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct fixture f;
    oto_error err;
    set_up(&f, (int[]){3, 2}, 2);
    for (size_t nth = 1; nth <= 8; nth++) {
        struct oto_bilstm layer = {0};
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_bilstm_init(&layer, &f.dsp, INPUTS, HIDDEN, &err), OTO_ERR_MEMORY);
        oto_mem_fail_nth(0);
        assert_null(layer.dir[0].w);
    }
    for (size_t nth = 1; nth <= 4; nth++) {
        struct oto_bilstm_state states = {0};
        oto_mem_fail_nth(nth);
        assert_false(oto_bilstm_state_reserve(&states, &f.layer, &f.seqs, true));
        oto_mem_fail_nth(0);
        assert_true(oto_bilstm_state_reserve(&states, &f.layer, &f.seqs, true));
        oto_bilstm_state_clear(&states);
    }
    for (size_t nth = 1; nth <= 6; nth++) {
        struct oto_bilstm_scratch scratch = {0};
        oto_mem_fail_nth(nth);
        assert_false(oto_bilstm_scratch_reserve(&scratch, &f.layer, &f.dsp, &f.seqs));
        oto_mem_fail_nth(0);
        assert_true(oto_bilstm_scratch_reserve(&scratch, &f.layer, &f.dsp, &f.seqs));
        oto_bilstm_scratch_clear(&scratch);
    }
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_two_directions),
        cmocka_unit_test(reverse_is_forward_backwards),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
