/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gradients of the network by central differences, in double: every parameter and every input of
 * small networks, utterances of unequal length, with and without projection, dropout and pairs of
 * frames.
 *
 *     L = sum_nk v[n,k] log p[n,k],   dL/dlogit[n,k] = v[n,k] - p[n,k] sum_j v[n,j]
 *     dL/dw = (8 (L(w+h) - L(w-h)) - (L(w+2h) - L(w-2h))) / 12h + O(h^4)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acoustic/network.h"
#include "base/mem.h"
#include "base/rng.h"

_Static_assert(sizeof(oto_real) == sizeof(double), "this test needs the build in double");

static const double step = 1e-3, tolerance = 1e-6;

struct fixture {
    struct oto_network_shape shape;
    struct oto_network_dropout dropout;
    struct oto_sequences seqs;
    struct oto_network *net;
    struct oto_network_workspace *ws;
    size_t n_params, n_x, n_y;
    oto_real *params, *x, *v, *log_probs, *dlogits, *dparams, *dx;
    size_t n_auxiliary; /* 0: without */
    int auxiliary_layer;
    oto_real *auxiliary, *auxiliary_v, *auxiliary_log_probs, *auxiliary_dlogits, *auxiliary_dparams;
};

static oto_real *random_numbers(size_t n, uint64_t stream, double scale)
{
    oto_real *p = oto_calloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = scale * (2 * oto_rng_uniform(7, stream, i) - 1);
    return p;
}

static void set_up(struct fixture *f, struct oto_network_shape shape, double dropout)
{
    static const int lengths[] = {6, 4, 4, 1};
    struct oto_dsp dsp;
    *f = (struct fixture){.shape = shape, .dropout = {dropout, 11, 5}};
    oto_dsp_init(&dsp, OTO_CPU_SCALAR);
    assert_int_equal(oto_sequences_set(&f->seqs, lengths, 4, NULL), OTO_OK);
    assert_int_equal(oto_network_create(&f->net, &shape, &dsp, NULL), OTO_OK);
    assert_int_equal(oto_network_workspace_create(&f->ws, f->net, NULL), OTO_OK);
    f->n_params = oto_network_n_parameters(&shape);
    f->n_x = f->seqs.n_rows * (size_t)shape.n_inputs;
    f->n_y = f->seqs.n_rows * (size_t)shape.n_outputs;
    f->params = random_numbers(f->n_params, 1, 0.7);
    f->x = random_numbers(f->n_x, 2, 1.5);
    f->v = random_numbers(f->n_y, 3, 1);
    f->log_probs = oto_calloc(f->n_y, sizeof *f->log_probs);
    f->dlogits = oto_calloc(f->n_y, sizeof *f->dlogits);
    f->dparams = oto_calloc(f->n_params, sizeof *f->dparams);
    f->dx = oto_calloc(f->n_x, sizeof *f->dx);
}

static void tear_down(struct fixture *f)
{
    oto_network_workspace_destroy(f->ws);
    oto_network_destroy(f->net);
    oto_sequences_clear(&f->seqs);
    oto_real *const owned[] = {f->params,
                               f->x,
                               f->v,
                               f->log_probs,
                               f->dlogits,
                               f->dparams,
                               f->dx,
                               f->auxiliary,
                               f->auxiliary_v,
                               f->auxiliary_log_probs,
                               f->auxiliary_dlogits,
                               f->auxiliary_dparams};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        oto_free(owned[i]);
}

/* Numbers of the log-probabilities that layer l leads to. */
static size_t n_out(const struct fixture *f, int l)
{
    return oto_network_rows(f->ws, l)->n_rows * (size_t)f->shape.n_outputs;
}

static double loss(struct fixture *f)
{
    double sum = 0;
    oto_network_set_parameters(f->net, f->params, NULL);
    assert_int_equal(oto_network_forward(f->net, f->ws, f->log_probs, f->x, &f->seqs, 1,
                                         &f->dropout, NULL, NULL),
                     OTO_OK);
    for (size_t i = 0; i < n_out(f, f->shape.n_layers - 1); i++)
        sum += f->v[i] * f->log_probs[i];
    for (size_t i = 0; f->n_auxiliary > 0 && i < n_out(f, f->auxiliary_layer); i++)
        sum += f->auxiliary_v[i] * f->auxiliary_log_probs[i];
    return sum;
}

/* Gives the network a second output of layer l. */
static void add_auxiliary(struct fixture *f, int l)
{
    f->n_auxiliary = oto_network_auxiliary_size(&f->shape);
    f->auxiliary_layer = l;
    f->auxiliary = random_numbers(f->n_auxiliary, 4, 0.7);
    f->auxiliary_v = random_numbers(f->n_y, 5, 1);
    f->auxiliary_log_probs = oto_calloc(f->n_y, sizeof *f->auxiliary_log_probs);
    f->auxiliary_dlogits = oto_calloc(f->n_y, sizeof *f->auxiliary_dlogits);
    f->auxiliary_dparams = oto_calloc(f->n_auxiliary, sizeof *f->auxiliary_dparams);
    const struct oto_network_auxiliary a = {l, f->auxiliary, f->auxiliary_log_probs,
                                            f->auxiliary_dlogits, f->auxiliary_dparams};
    oto_network_workspace_set_auxiliary(f->ws, &a);
}

static void logit_gradients(oto_real *dlogits, const oto_real *v, const oto_real *log_probs,
                            size_t n_rows, size_t k)
{
    for (size_t n = 0; n < n_rows; n++) {
        double sum = 0;
        for (size_t j = 0; j < k; j++)
            sum += v[n * k + j];
        for (size_t j = n * k; j < (n + 1) * k; j++)
            dlogits[j] = v[j] - exp(log_probs[j]) * sum;
    }
}

static void gradients(struct fixture *f)
{
    size_t k = (size_t)f->shape.n_outputs;
    (void)loss(f);
    logit_gradients(f->dlogits, f->v, f->log_probs, n_out(f, f->shape.n_layers - 1) / k, k);
    if (f->n_auxiliary > 0)
        logit_gradients(f->auxiliary_dlogits, f->auxiliary_v, f->auxiliary_log_probs,
                        n_out(f, f->auxiliary_layer) / k, k);
    assert_int_equal(oto_network_backward(f->net, f->ws, f->dparams, f->dx, f->dlogits, f->x,
                                          &f->seqs, NULL, NULL),
                     OTO_OK);
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

/* Worst difference relative to the gradient; gradients under 1e-5 count as 1e-5. */
static double worst(struct fixture *f, double *w, const double *dw, size_t n)
{
    double error = 0;
    size_t n_zero = 0;
    for (size_t i = 0; i < n; i++) {
        double scale = fmax(fabs(dw[i]), 1e-5), e = fabs(difference(f, w + i) - dw[i]) / scale;
        n_zero += dw[i] == 0;
        if (!(e <= error))
            error = e;
    }
    assert_true(n_zero < n);
    return error;
}

/* auxiliary: the layer of a second output; -1: none. */
static void check_all(struct oto_network_shape shape, double dropout,
                      const struct oto_network_chunks *chunks, int auxiliary)
{
    struct fixture f;
    set_up(&f, shape, dropout);
    if (auxiliary >= 0)
        add_auxiliary(&f, auxiliary);
    oto_network_workspace_set_chunks(f.ws, chunks);
    gradients(&f);
    for (int i = 0; i < oto_network_n_tensors(&shape); i++) {
        struct oto_tensor t;
        oto_network_tensor(&shape, i, &t);
        double error = worst(&f, f.params + t.offset, f.dparams + t.offset,
                             (size_t)t.n_rows * (size_t)t.n_cols);
        if (!(error <= tolerance))
            fail_msg("%s: relative error %.3g, allowed %.3g", t.name, error, tolerance);
        print_message("%-32s %.1e\n", t.name, error);
    }
    double error = worst(&f, f.x, f.dx, f.n_x);
    if (!(error <= tolerance))
        fail_msg("x: relative error %.3g, allowed %.3g", error, tolerance);
    print_message("%-32s %.1e\n", "x", error);
    if (f.n_auxiliary > 0) {
        error = worst(&f, f.auxiliary, f.auxiliary_dparams, f.n_auxiliary);
        if (!(error <= tolerance))
            fail_msg("auxiliary output: relative error %.3g, allowed %.3g", error, tolerance);
        print_message("%-32s %.1e\n", "auxiliary output", error);
    }
    tear_down(&f);
}

static void check(struct oto_network_shape shape, double dropout)
{
    check_all(shape, dropout, NULL, -1);
}

static void one_layer(void **state)
{
    (void)state;
    check((struct oto_network_shape){3, 1, 5, 0, 4, 0}, 0);
}

static void three_layers(void **state)
{
    (void)state;
    check((struct oto_network_shape){2, 3, 3, 0, 3, 0}, 0);
}

static void dropout(void **state)
{
    (void)state;
    check((struct oto_network_shape){3, 2, 5, 0, 3, 0}, 0.3);
}

static void projection_and_dropout(void **state)
{
    (void)state;
    check((struct oto_network_shape){3, 3, 4, 5, 3, 0}, 0.25);
}

/* More units than one block of the kernels. */
static void several_blocks(void **state)
{
    (void)state;
    check((struct oto_network_shape){2, 1, 9, 0, 3, 0}, 0);
}

/* Windows that overlap by less and by more than a chunk, that do not, and one that holds all. */
static void chunks(void **state)
{
    (void)state;
    static const struct oto_network_chunks cuts[] = {{2, 1}, {1, 2}, {2, 3},
                                                     {3, 0}, {1, 9}, {6, 2}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        check_all((struct oto_network_shape){2, 1, 4, 0, 3, 0}, 0, &cuts[i], -1);
        check_all((struct oto_network_shape){2, 3, 3, 2, 3, 0}, 0.25, &cuts[i], -1);
    }
}

static void auxiliary_output(void **state)
{
    (void)state;
    static const struct oto_network_chunks cut = {2, 1};
    check_all((struct oto_network_shape){2, 3, 3, 2, 3, 0}, 0.25, NULL, 1);
    check_all((struct oto_network_shape){2, 2, 4, 0, 3, 0}, 0, NULL, 0);
    check_all((struct oto_network_shape){2, 2, 3, 0, 3, 0}, 0, NULL, 1);
    check_all((struct oto_network_shape){2, 3, 3, 2, 3, 0}, 0.25, &cut, 0);
}

/* Pairs after the first layer, the second, both; of h, of a projection, with dropout, in chunks,
 * with an output below, between and above. */
static void pairs(void **state)
{
    (void)state;
    static const struct oto_network_chunks cuts[] = {{2, 2}, {4, 0}, {2, 4}}, four = {4, 4};
    check((struct oto_network_shape){2, 2, 4, 0, 3, 1}, 0);
    check((struct oto_network_shape){2, 3, 3, 0, 3, 3}, 0);
    check((struct oto_network_shape){2, 3, 3, 0, 3, 2}, 0.25);
    check((struct oto_network_shape){2, 3, 3, 2, 3, 3}, 0.25);
    check((struct oto_network_shape){2, 3, 3, 2, 3, 2}, 0);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        check_all((struct oto_network_shape){2, 3, 3, 2, 3, 1}, 0.25, &cuts[i], (int)i);
    check_all((struct oto_network_shape){2, 3, 3, 0, 3, 3}, 0, &four, 1);
    for (int l = 0; l < 3; l++)
        check_all((struct oto_network_shape){2, 3, 3, 0, 3, 2}, 0, NULL, l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_layer),        cmocka_unit_test(three_layers),
        cmocka_unit_test(dropout),          cmocka_unit_test(projection_and_dropout),
        cmocka_unit_test(several_blocks),   cmocka_unit_test(chunks),
        cmocka_unit_test(auxiliary_output), cmocka_unit_test(pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
