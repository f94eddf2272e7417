/* SPDX-License-Identifier: BSD-2-Clause */
/** A small network with random parameters, and batches through it. */
#ifndef OTO_TESTS_NETWORK_FIXTURE_H
#define OTO_TESTS_NETWORK_FIXTURE_H

#include "unit.h"

#include "acoustic/network.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"

/* A network with its own parameters, and one batch through it. */
struct fixture {
    struct oto_network_shape shape;
    struct oto_dsp dsp;
    struct oto_network *net;
    struct oto_network_workspace *ws;
    size_t n_params;
    float *params;
};

struct batch {
    struct oto_sequences seqs;
    size_t n_x, n_y;
    float *x, *dlogits, *log_probs, *dx, *dparams;
};

static const struct oto_network_shape plain = {6, 3, 21, 0, 5, 0}, projected = {6, 3, 18, 10, 5, 0};
/* Of every fourth, and of every second frame. */
static const struct oto_network_shape pyramid = {6, 3, 21, 0, 5, 3}, paired = {6, 3, 18, 10, 5, 2};
static const struct oto_network_dropout no_dropout = {0, 0, 0};

static inline float *random_numbers(size_t n, uint64_t stream, double scale)
{
    float *p = oto_calloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(scale * (2 * oto_rng_uniform(3, stream, i) - 1));
    return p;
}

static inline void set_up(struct fixture *f, struct oto_network_shape shape)
{
    *f = (struct fixture){.shape = shape};
    oto_dsp_init(&f->dsp, oto_cpu_flags());
    assert_int_equal(oto_network_create(&f->net, &shape, &f->dsp, NULL), OTO_OK);
    assert_int_equal(oto_network_workspace_create(&f->ws, f->net, NULL), OTO_OK);
    f->n_params = oto_network_n_parameters(&shape);
    f->params = random_numbers(f->n_params, 1, 0.5);
    oto_network_set_parameters(f->net, f->params, NULL);
}

static inline void tear_down(struct fixture *f)
{
    oto_network_workspace_destroy(f->ws);
    oto_network_destroy(f->net);
    oto_free(f->params);
}

static inline void make_batch(struct batch *b, const struct fixture *f, const int *lengths,
                              int n_utts)
{
    *b = (struct batch){0};
    assert_int_equal(oto_sequences_set(&b->seqs, lengths, n_utts, NULL), OTO_OK);
    b->n_x = b->seqs.n_rows * (size_t)f->shape.n_inputs;
    b->n_y = b->seqs.n_rows * (size_t)f->shape.n_outputs;
    b->x = random_numbers(b->n_x, 2, 2);
    b->dlogits = random_numbers(b->n_y, 3, 1);
    b->log_probs = random_numbers(b->n_y, 4, 1);
    b->dx = random_numbers(b->n_x, 5, 1);
    b->dparams = random_numbers(f->n_params, 6, 1);
}

static inline void free_batch(struct batch *b)
{
    oto_sequences_clear(&b->seqs);
    float *const owned[] = {b->x, b->dlogits, b->log_probs, b->dx, b->dparams};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        oto_free(owned[i]);
}

static inline oto_status forward(struct fixture *f, struct batch *b, int training,
                                 const struct oto_network_dropout *dropout, struct oto_pool *pool)
{
    return oto_network_forward(f->net, f->ws, b->log_probs, b->x, &b->seqs, training, dropout, pool,
                               NULL);
}

static inline void train(struct fixture *f, struct batch *b,
                         const struct oto_network_dropout *dropout, struct oto_pool *pool)
{
    assert_int_equal(forward(f, b, 1, dropout, pool), OTO_OK);
    assert_int_equal(oto_network_backward(f->net, f->ws, b->dparams, b->dx, b->dlogits, b->x,
                                          &b->seqs, pool, NULL),
                     OTO_OK);
}

static inline void same_batch(const struct batch *a, const struct batch *b, const struct fixture *f)
{
    assert_memory_equal(a->log_probs, b->log_probs, a->n_y * sizeof *a->log_probs);
    assert_memory_equal(a->dx, b->dx, a->n_x * sizeof *a->dx);
    assert_memory_equal(a->dparams, b->dparams, f->n_params * sizeof *a->dparams);
}

#endif
