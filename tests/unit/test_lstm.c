/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One LSTM direction against equations 24 to 27 written out in double, frame by frame and without
 * packing; and the ways in which a batch is walked. Gradients: tests/grad, tests/golden.
 */
#include "unit.h"

#include <math.h>

#include "acoustic/lstm.h"
#include "base/bytes.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"

enum { INPUTS = 5, HIDDEN_MAX = 40, MARGIN = 3 };

struct weights {
    int n_hidden;
    float *w, *r, *bias;
};

static float *random_numbers(size_t n, uint64_t stream, double scale)
{
    float *p = oto_calloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(scale * (2 * oto_rng_uniform(8, stream, i) - 1));
    return p;
}

static struct weights make_weights(int n_hidden)
{
    size_t h = (size_t)n_hidden;
    return (struct weights){n_hidden, random_numbers(4 * h * INPUTS, 1, 0.8),
                            random_numbers(4 * h * h, 2, 0.5), random_numbers(4 * h, 3, 0.5)};
}

static void free_weights(struct weights *k)
{
    oto_free(k->w);
    oto_free(k->r);
    oto_free(k->bias);
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* One step of one utterance; h and c are replaced. */
static void oracle_step(const struct weights *k, const float *x, double *h, double *c)
{
    double a[4 * HIDDEN_MAX];
    int n = k->n_hidden;
    for (int q = 0; q < 4 * n; q++) {
        a[q] = (double)k->bias[q];
        for (int d = 0; d < INPUTS; d++)
            a[q] += (double)k->w[q * INPUTS + d] * (double)x[d];
        for (int j = 0; j < n; j++)
            a[q] += (double)k->r[q * n + j] * h[j];
    }
    for (int j = 0; j < n; j++) {
        c[j] = logistic(a[n + j]) * c[j] + logistic(a[j]) * tanh(a[2 * n + j]);
        h[j] = logistic(a[3 * n + j]) * tanh(c[j]);
    }
}

/* Every utterance of the batch against the oracle; margins beside the H columns stay untouched. */
static void compare(const struct weights *k, bool reverse, const float *h, const float *x,
                    const struct oto_sequences *seqs)
{
    size_t stride = (size_t)k->n_hidden + MARGIN;
    for (int b = 0; b < seqs->n_utts; b++) {
        double state_h[HIDDEN_MAX] = {0}, state_c[HIDDEN_MAX] = {0};
        for (int i = 0; i < seqs->lengths[b]; i++) {
            int t = reverse ? seqs->lengths[b] - 1 - i : i;
            size_t row = oto_sequences_row(seqs, t, b);
            oracle_step(k, x + row * INPUTS, state_h, state_c);
            for (int j = 0; j < k->n_hidden; j++)
                if (!(fabs((double)h[row * stride + (size_t)j] - state_h[j]) <= 3e-6))
                    fail_msg("utterance %d frame %d unit %d: %.8g, expected %.8g", b, t, j,
                             (double)h[row * stride + (size_t)j], state_h[j]);
            for (size_t j = (size_t)k->n_hidden; j < stride; j++)
                assert_true(h[row * stride + j] == 77);
        }
    }
}

/* half: on recurrent weights that half precision holds exactly, of which inference makes use. */
static void run(int n_hidden, bool reverse, const int *lengths, int n_utts, unsigned flags,
                bool half)
{
    struct weights k = make_weights(n_hidden);
    for (int i = 0; half && i < 4 * n_hidden * n_hidden; i++)
        k.r[i] = oto_half_to_float(oto_float_to_half(k.r[i]));
    struct oto_sequences seqs = {0};
    struct oto_lstm lstm = {0};
    struct oto_dsp dsp;
    oto_dsp_init(&dsp, flags);
    assert_int_equal(oto_sequences_set(&seqs, lengths, n_utts, NULL), OTO_OK);
    assert_int_equal(oto_lstm_init(&lstm, &dsp, INPUTS, n_hidden, reverse, NULL), OTO_OK);
    oto_lstm_set(&lstm, &dsp, k.w, k.r, k.bias);
    size_t n_gates = (size_t)lstm.n_gates, n_cells = (size_t)lstm.n_cells;
    size_t stride = (size_t)n_hidden + MARGIN, n_h = seqs.n_rows * stride;
    float *x = random_numbers(seqs.n_rows * INPUTS, 4, 1.5);
    float *gates = random_numbers(seqs.n_rows * n_gates, 5, 1);
    float *cells = random_numbers(seqs.n_rows * n_cells, 6, 1);
    float *portion = random_numbers(oto_lstm_portion_rows(&seqs) * n_gates, 5, 1);
    float *pair = random_numbers(2 * (size_t)n_utts * n_cells, 6, 1);
    float *kept = oto_calloc(n_h, sizeof *kept), *h = oto_calloc(n_h, sizeof *h);
    for (size_t i = 0; i < n_h; i++)
        kept[i] = h[i] = 77;

    oto_lstm_forward(&lstm, &dsp, true, gates, cells, kept, stride, x, &seqs, NULL);
    compare(&k, reverse, kept, x, &seqs);
    assert_int_equal(oto_lstm_for_inference(&lstm, &dsp, NULL), OTO_OK);
    oto_lstm_set(&lstm, &dsp, k.w, k.r, k.bias);
    assert_true(lstm.half == (half && dsp.half_rows > 0));
    oto_lstm_forward(&lstm, &dsp, false, portion, pair, h, stride, x, &seqs, NULL);
    assert_memory_equal(h, kept, n_h * sizeof *h);

    float *const owned[] = {x, gates, cells, portion, pair, kept, h};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        oto_free(owned[i]);
    oto_lstm_clear(&lstm);
    oto_sequences_clear(&seqs);
    free_weights(&k);
}

static void run_all(int n_hidden, const int *lengths, int n_utts)
{
    static const char *const sets[] = {"scalar", "avx2", "avx512"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        unsigned flags;
        if (oto_cpu_parse(sets[i], &flags, NULL) != OTO_OK)
            continue;
        for (int k = 0; k < 4; k++)
            run(n_hidden, k & 1, lengths, n_utts, flags, k & 2);
    }
}

static void equals_equations(void **state)
{
    (void)state;
    static const int lengths[] = {12, 12, 9, 4, 4, 1};
    static const int widths[] = {1, 7, 8, 9, 16, 20, 33, 40};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        run_all(widths[i], lengths, 6);
    run_all(20, (int[]){1}, 1);
}

/* Batches of several portions: long; wide, with more utterances than a portion has rows; both. */
static void walks_portions(void **state)
{
    (void)state;
    enum { WIDE = 1100 };
    int wide[WIDE];
    for (int b = 0; b < WIDE; b++)
        wide[b] = b < 30 ? 5 : b < 1050 ? 3 : 1;
    run_all(8, (int[]){2500}, 1);
    run_all(8, (int[]){900, 700, 700, 20}, 4);
    run_all(8, wide, WIDE);
}

static void saturates_without_nan(void **state)
{
    (void)state;
    struct oto_sequences seqs = {0};
    struct oto_lstm lstm = {0};
    struct oto_dsp dsp;
    oto_dsp_init(&dsp, oto_cpu_flags());
    struct weights k = make_weights(9);
    float x[4 * INPUTS], gates[4 * 64], cells[4 * 16], h[4 * 9];
    assert_int_equal(oto_sequences_set(&seqs, (int[]){4}, 1, NULL), OTO_OK);
    assert_int_equal(oto_lstm_init(&lstm, &dsp, INPUTS, 9, false, NULL), OTO_OK);
    assert_true(lstm.n_gates <= 64);
    oto_lstm_set(&lstm, &dsp, k.w, k.r, k.bias);
    for (size_t i = 0; i < 4 * INPUTS; i++)
        x[i] = i % 2 ? 1e30f : -1e30f;
    oto_lstm_forward(&lstm, &dsp, true, gates, cells, h, 9, x, &seqs, NULL);
    for (size_t i = 0; i < 4 * 9; i++)
        assert_true(fabsf(h[i]) <= 1);
    oto_lstm_clear(&lstm);
    oto_sequences_clear(&seqs);
    free_weights(&k);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct oto_dsp dsp;
    oto_error err;
    oto_dsp_init(&dsp, oto_cpu_flags());
    for (size_t nth = 1; nth <= 4; nth++) {
        struct oto_lstm lstm = {0};
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_lstm_init(&lstm, &dsp, INPUTS, 9, false, &err), OTO_ERR_MEMORY);
        oto_mem_fail_nth(0);
        assert_contains(err.message, "weights of an LSTM layer");
        assert_null(lstm.w);
        assert_null(lstm.r_backward);
    }
    struct oto_lstm lstm = {0};
    assert_int_equal(oto_lstm_init(&lstm, &dsp, INPUTS, 9, false, &err), OTO_OK);
    if (dsp.half_rows > 0) {
        oto_mem_fail_nth(1);
        assert_int_equal(oto_lstm_for_inference(&lstm, &dsp, &err), OTO_ERR_MEMORY);
        oto_mem_fail_nth(0);
        assert_contains(err.message, "half precision");
        assert_non_null(lstm.r_backward);
    }
    assert_int_equal(oto_lstm_for_inference(&lstm, &dsp, &err), OTO_OK);
    assert_null(lstm.r_backward);
    oto_lstm_clear(&lstm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_equations),
        cmocka_unit_test(walks_portions),
        cmocka_unit_test(saturates_without_nan),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
