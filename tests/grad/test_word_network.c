/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gradients of the word network by central differences, in double: every parameter of small
 * networks, sentences of unequal length, with and without dropout, classes of one and of many
 * words.
 *
 *     L = -s sum_n ln p(w_n),   dL/dw = (8 (L(w+h) - L(w-h)) - (L(w+2h) - L(w-2h))) / 12h + O(h^4)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acoustic/word_batch.h"
#include "base/mem.h"
#include "base/rng.h"

_Static_assert(sizeof(oto_real) == sizeof(double), "this test needs the build in double");

static const double step = 1e-3, tolerance = 1e-6, scale = 0.25;
static const int class_first[] = {0, 1, 2, 6, 7, 11};

struct fixture {
    struct oto_word_shape shape;
    struct oto_dropout dropout;
    struct oto_word_batch batch;
    struct oto_word_network *net;
    struct oto_word_workspace *ws;
    size_t n;
    oto_real *params, *dparams;
    double log_probs[32];
};

static void set_up(struct fixture *f, int n_embed, int n_hidden, int n_layers, double dropout)
{
    static const int words[] = {3, 10, 2, 2, 6, 8, 9, 1, 5, 5, 7, 4};
    static const struct oto_word_sentence sentences[] = {
        {words, 5}, {words + 5, 3}, {words + 8, 3}, {words + 11, 1}, {words, 0}};
    struct oto_dsp dsp;
    *f =
        (struct fixture){.shape = {11, 5, n_embed, n_hidden, n_layers}, .dropout = {dropout, 3, 9}};
    oto_dsp_init(&dsp, OTO_CPU_SCALAR);
    assert_int_equal(oto_word_batch_set(&f->batch, sentences, 5, NULL), OTO_OK);
    assert_int_equal(oto_word_network_create(&f->net, &f->shape, class_first, &dsp, NULL), OTO_OK);
    assert_int_equal(oto_word_workspace_create(&f->ws, f->net, NULL), OTO_OK);
    f->n = oto_word_n_parameters(&f->shape);
    f->params = oto_calloc(f->n, sizeof *f->params);
    f->dparams = oto_calloc(f->n, sizeof *f->dparams);
    for (size_t i = 0; i < f->n; i++) {
        f->params[i] = 1.4 * oto_rng_uniform(7, 1, i) - 0.7;
        f->dparams[i] = 1e9; /* to be overwritten */
    }
}

static void tear_down(struct fixture *f)
{
    oto_word_workspace_destroy(f->ws);
    oto_word_network_destroy(f->net);
    oto_word_batch_clear(&f->batch);
    oto_free(f->params);
    oto_free(f->dparams);
}

static double loss(struct fixture *f)
{
    double sum = 0;
    oto_word_network_set_parameters(f->net, f->params);
    assert_int_equal(oto_word_network_forward(f->net, f->ws, f->log_probs, &f->batch.rows, true,
                                              f->dropout.rate > 0 ? &f->dropout : NULL, NULL),
                     OTO_OK);
    for (size_t i = 0; i < f->batch.seqs.n_rows; i++)
        sum -= scale * f->log_probs[i];
    return sum;
}

static double difference(struct fixture *f, double *w)
{
    double was = *w, l[4];
    for (int i = 0; i < 4; i++) {
        *w = was + step * (i < 2 ? i - 2 : i - 1);
        l[i] = loss(f);
    }
    *w = was;
    return (8 * (l[2] - l[1]) - (l[3] - l[0])) / (12 * step);
}

static void check(int n_embed, int n_hidden, int n_layers, double dropout)
{
    struct fixture f;
    set_up(&f, n_embed, n_hidden, n_layers, dropout);
    (void)loss(&f);
    assert_int_equal(oto_word_network_backward(f.net, f.ws, f.dparams, scale, &f.batch.rows, NULL),
                     OTO_OK);
    for (int i = 0; i < oto_word_n_tensors(&f.shape); i++) {
        struct oto_tensor t;
        double error = 0;
        size_t n_zero = 0;
        oto_word_tensor(&f.shape, i, &t);
        const size_t n = (size_t)t.n_rows * (size_t)t.n_cols;
        for (size_t k = t.offset; k < t.offset + n; k++) {
            const double d = f.dparams[k];
            const double e = fabs(difference(&f, f.params + k) - d) / fmax(fabs(d), 1e-5);
            n_zero += d == 0;
            if (!(e <= error))
                error = e;
        }
        assert_true(n_zero < n);
        if (!(error <= tolerance))
            fail_msg("%s: relative error %.3g, allowed %.3g", t.name, error, tolerance);
        print_message("%-32s %.1e\n", t.name, error);
    }
    tear_down(&f);
}

static void one_layer(void **state)
{
    (void)state;
    check(3, 5, 1, 0);
}

static void three_layers(void **state)
{
    (void)state;
    check(4, 3, 3, 0);
}

static void dropout(void **state)
{
    (void)state;
    check(3, 4, 2, 0.3);
}

/* More units than one block of the kernels. */
static void several_blocks(void **state)
{
    (void)state;
    check(2, 9, 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_layer),
        cmocka_unit_test(three_layers),
        cmocka_unit_test(dropout),
        cmocka_unit_test(several_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
