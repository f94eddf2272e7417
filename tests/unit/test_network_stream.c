/* SPDX-License-Identifier: BSD-2-Clause */
/* The network over a stream of chunks beside the same written down directly in double precision. */
#include "unit.h"

#include <math.h>

#include "acoustic/network_stream.h"
#include "acoustic/quant.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"

enum { T = 41, WIDTH = 84 };
static const struct oto_network_shape plain = {6, 3, 21, 0, 5, 0}, projected = {6, 3, 18, 10, 5, 0},
                                      single = {6, 1, 21, 0, 5, 0}, pyramid = {6, 3, 21, 0, 5, 3},
                                      paired = {6, 3, 18, 10, 5, 2};
/* In frames of the output: a network that reduces them gets as many times as many. */
static const struct oto_network_chunks cuts[] = {{1, 0}, {1, 3},   {4, 0},  {4, 2},
                                                 {3, 7}, {13, 13}, {40, 1}, {T, 5}};
enum { N_CUTS = sizeof cuts / sizeof *cuts };

/* ---- the oracle: math.md, section 3.8, frame by frame ------------------------------------ */

static double sigma(double a)
{
    return 1 / (1 + exp(-a));
}

/* One step of a direction: h and c [H] in place. */
static void cell(const struct oto_network_shape *s, const float *w, const float *r,
                 const float *bias, const double *x, int n_in, double *h, double *c)
{
    double a[4 * 32], fresh[32];
    int n_hidden = s->n_hidden;
    for (int q = 0; q < 4 * n_hidden; q++) {
        a[q] = (double)bias[q];
        for (int k = 0; k < n_in; k++)
            a[q] += (double)w[q * n_in + k] * x[k];
        for (int k = 0; k < n_hidden; k++)
            a[q] += (double)r[q * n_hidden + k] * h[k];
    }
    for (int j = 0; j < n_hidden; j++) {
        c[j] = sigma(a[n_hidden + j]) * c[j] + sigma(a[j]) * tanh(a[2 * n_hidden + j]);
        fresh[j] = sigma(a[3 * n_hidden + j]) * tanh(c[j]);
    }
    memcpy(h, fresh, (size_t)n_hidden * sizeof *h);
}

static void dense(const float *weight, const float *bias, const double *x, int n_in, double *y,
                  int n_out)
{
    for (int k = 0; k < n_out; k++) {
        y[k] = (double)bias[k];
        for (int j = 0; j < n_in; j++)
            y[k] += (double)weight[k * n_in + j] * x[j];
    }
}

static const float *tensor(const struct oto_network_shape *s, const float *params, const char *name)
{
    struct oto_tensor t;
    for (int i = 0; i < oto_network_n_tensors(s); i++) {
        oto_network_tensor(s, i, &t);
        if (strcmp(t.name, name) == 0)
            return params + t.offset;
    }
    fail_msg("no tensor %s", name);
    return NULL;
}

static const float *of_layer(const struct oto_network_shape *s, const float *params,
                             const char *what, int l, const char *suffix)
{
    char name[48];
    snprintf(name, sizeof name, "%s_l%d%s", what, l, suffix);
    return tensor(s, params, name);
}

/* States of the forward direction of each layer at the end of the last chunk. */
struct states {
    double h[3][32], c[3][32];
};

/* Layer l over a window of n frames: y [n, WIDTH] from x [n, WIDTH]. */
static void window_layer(const struct oto_network_shape *s, const float *params, int l,
                         struct states *states, int n_chunk, int n, double (*x)[WIDTH],
                         double (*y)[WIDTH])
{
    int n_hidden = s->n_hidden;
    int n_in = l == 0 ? s->n_inputs : s->n_proj > 0 ? s->n_proj : 2 * n_hidden;
    if (l > 0 && s->reduce_after >> (l - 1) & 1)
        n_in *= 2;
    double h[32], c[32];
    memcpy(h, states->h[l], sizeof h);
    memcpy(c, states->c[l], sizeof c);
    for (int t = 0; t < n; t++) {
        cell(s, of_layer(s, params, "lstm.weight_ih", l, ""),
             of_layer(s, params, "lstm.weight_hh", l, ""), of_layer(s, params, "lstm.bias", l, ""),
             x[t], n_in, h, c);
        memcpy(y[t], h, (size_t)n_hidden * sizeof *h);
        if (t == n_chunk - 1) {
            memcpy(states->h[l], h, sizeof h);
            memcpy(states->c[l], c, sizeof c);
        }
    }
    memset(h, 0, sizeof h);
    memset(c, 0, sizeof c);
    for (int t = n - 1; t >= 0; t--) {
        cell(s, of_layer(s, params, "lstm.weight_ih", l, "_reverse"),
             of_layer(s, params, "lstm.weight_hh", l, "_reverse"),
             of_layer(s, params, "lstm.bias", l, "_reverse"), x[t], n_in, h, c);
        memcpy(y[t] + n_hidden, h, (size_t)n_hidden * sizeof *h);
    }
}

/* Frames 2t and 2t + 1 of x [n, width] side by side, zeros beside the last of an odd number. */
static int pair(double (*x)[WIDTH], int n, int width)
{
    for (int t = 0; t < n; t += 2) {
        double row[WIDTH] = {0};
        memcpy(row, x[t], (size_t)width * sizeof *row);
        if (t + 1 < n)
            memcpy(row + width, x[t + 1], (size_t)width * sizeof *row);
        memcpy(x[t / 2], row, sizeof row);
    }
    return (n + 1) / 2;
}

static void oracle(const struct oto_network_shape *s, const float *params,
                   const struct oto_network_chunks *cut, const float *x, double *log_probs)
{
    static double in[T][WIDTH], out[T][WIDTH];
    struct states states = {0};
    for (int first = 0; first < T; first += cut->n_chunk) {
        int n_chunk = cut->n_chunk, factor = 1, n = n_chunk + cut->n_context;
        n = T - first < n ? T - first : n;
        for (int t = 0; t < n; t++)
            for (int j = 0; j < s->n_inputs; j++)
                in[t][j] = (double)x[(first + t) * s->n_inputs + j];
        for (int l = 0; l < s->n_layers; l++) {
            window_layer(s, params, l, &states, n_chunk, n, in, out);
            for (int t = 0; t < n; t++) {
                if (s->n_proj > 0 && l < s->n_layers - 1)
                    dense(of_layer(s, params, "proj.weight", l, ""),
                          of_layer(s, params, "proj.bias", l, ""), out[t], 2 * s->n_hidden, in[t],
                          s->n_proj);
                else
                    memcpy(in[t], out[t], sizeof in[t]);
            }
            if (s->reduce_after >> l & 1) {
                n = pair(in, n, s->n_proj > 0 ? s->n_proj : 2 * s->n_hidden);
                n_chunk /= 2;
                factor *= 2;
            }
        }
        for (int t = 0; t < n && t < n_chunk; t++) {
            double *y = log_probs + (first / factor + t) * s->n_outputs, sum = 0;
            dense(tensor(s, params, "output.weight"), tensor(s, params, "output.bias"), in[t],
                  2 * s->n_hidden, y, s->n_outputs);
            for (int k = 0; k < s->n_outputs; k++)
                sum += exp(y[k]);
            for (int k = 0; k < s->n_outputs; k++)
                y[k] -= log(sum);
        }
    }
}

/* ---- networks ---------------------------------------------------------------------------- */

enum kind { FLOAT, HALF, INT8, N_KINDS };

struct fixture {
    struct oto_network_shape shape;
    struct oto_network *net;
    float *params, *x;
};

static struct fixture set_up(struct oto_network_shape shape, enum kind kind)
{
    struct fixture f = {.shape = shape};
    struct oto_dsp dsp;
    struct oto_dsp_int8 int8;
    size_t n = oto_network_n_parameters(&shape), n_x = (size_t)(T * shape.n_inputs);
    oto_dsp_init(&dsp, oto_cpu_flags());
    oto_dsp_int8_init(&int8, oto_cpu_flags());
    f.params = oto_calloc(n, sizeof *f.params);
    f.x = oto_calloc(n_x, sizeof *f.x);
    for (size_t i = 0; i < n; i++) /* numbers that half precision holds */
        f.params[i] = (float)(floor(2048 * oto_rng_uniform(3, 1, i)) - 1024) / 2048;
    for (size_t i = 0; i < n_x; i++)
        f.x[i] = (float)oto_rng_normal(3, 2, i);
    if (kind == INT8) {
        struct oto_quantized *q;
        assert_int_equal(oto_quantized_create(&q, &shape, f.params, NULL), OTO_OK);
        assert_int_equal(oto_network_create_int8(&f.net, &shape, &dsp, &int8, NULL), OTO_OK);
        oto_network_set_int8(f.net, q->tensors, NULL);
        oto_quantized_destroy(q);
        return f;
    }
    assert_int_equal(oto_network_create(&f.net, &shape, &dsp, NULL), OTO_OK);
    if (kind == HALF)
        assert_int_equal(oto_network_forward_only(f.net, NULL), OTO_OK);
    oto_network_set_parameters(f.net, f.params, NULL);
    return f;
}

static size_t n_out(const struct fixture *f)
{
    return oto_network_n_frames(&f->shape, T);
}

/* A cut of the network's own frames. */
static struct oto_network_chunks scaled(const struct fixture *f, struct oto_network_chunks cut)
{
    const int factor = oto_network_reduction(&f->shape, f->shape.n_layers - 1);
    return (struct oto_network_chunks){factor * cut.n_chunk, factor * cut.n_context};
}

static void tear_down(struct fixture *f)
{
    oto_network_destroy(f->net);
    oto_free(f->params);
    oto_free(f->x);
}

struct collected {
    float *log_probs; /* [T, K] */
    size_t n_frames;
    int n_outputs, n_calls, fail_at;
};

static oto_status collect(void *arg, const float *log_probs, size_t n_frames, oto_error *err)
{
    struct collected *c = arg;
    if (c->n_calls++ == c->fail_at)
        return oto_fail(err, OTO_ERR_DATA, "the sink is full");
    assert_in_range(n_frames, 1, T - c->n_frames);
    memcpy(c->log_probs + c->n_frames * (size_t)c->n_outputs, log_probs,
           n_frames * (size_t)c->n_outputs * sizeof *log_probs);
    c->n_frames += n_frames;
    return OTO_OK;
}

/* All frames in portions of so many; returns [T, K]. */
static float *run(struct oto_network_stream *s, const struct fixture *f, size_t portion,
                  struct oto_pool *pool)
{
    struct collected c = {.n_outputs = f->shape.n_outputs, .fail_at = -1};
    c.log_probs = oto_calloc((size_t)(T * f->shape.n_outputs), sizeof *c.log_probs);
    for (size_t at = 0; at < T; at += portion)
        assert_int_equal(oto_network_stream_push(s, f->x + at * (size_t)f->shape.n_inputs,
                                                 T - at < portion ? T - at : portion, collect, &c,
                                                 pool, NULL),
                         OTO_OK);
    assert_int_equal(oto_network_stream_finish(s, collect, &c, pool, NULL), OTO_OK);
    assert_int_equal(c.n_frames, n_out(f));
    return c.log_probs;
}

static float *full_context(const struct fixture *f)
{
    struct oto_network_workspace *ws;
    struct oto_sequences seqs = {0};
    float *y = oto_calloc((size_t)(T * f->shape.n_outputs), sizeof *y);
    assert_int_equal(oto_sequences_set(&seqs, &(int){T}, 1, NULL), OTO_OK);
    assert_int_equal(oto_network_workspace_create(&ws, f->net, NULL), OTO_OK);
    assert_int_equal(oto_network_forward(f->net, ws, y, f->x, &seqs, 0, NULL, NULL, NULL), OTO_OK);
    oto_network_workspace_destroy(ws);
    oto_sequences_clear(&seqs);
    return y;
}

/* ---- tests ------------------------------------------------------------------------------- */

/* Float and half precision: rounding alone. 8 bits: test_network_int8.c says what to expect. */
static void equals_the_oracle(void **state)
{
    (void)state;
    static const double allowed[N_KINDS] = {3e-6, 3e-6, 0.02};
    const struct oto_network_shape shapes[] = {plain, projected, pyramid, paired};
    for (int i = 0; i < 4 * N_KINDS * N_CUTS; i++) {
        enum kind kind = (enum kind)(i % N_KINDS);
        struct fixture f = set_up(shapes[i / N_KINDS / N_CUTS], kind);
        const struct oto_network_chunks cut = scaled(&f, cuts[i / N_KINDS % N_CUTS]);
        struct oto_network_stream *s;
        double want[T * 5], worst = 0;
        oracle(&f.shape, f.params, &cut, f.x, want);
        assert_int_equal(oto_network_stream_create(&s, f.net, &cut, NULL), OTO_OK);
        float *got = run(s, &f, T, NULL);
        for (size_t k = 0; k < n_out(&f) * 5; k++)
            if (!(fabs((double)got[k] - want[k]) <= worst))
                worst = fabs((double)got[k] - want[k]);
        if (i / N_KINDS % N_CUTS == 3)
            print_message("kind %d: off by %.2g\n", kind, worst);
        if (!(worst <= allowed[kind]))
            fail_msg("kind %d, %d + %d frames: off by %g, allowed %g", kind, cut.n_chunk,
                     cut.n_context, worst, allowed[kind]);
        oto_free(got);
        oto_network_stream_destroy(s);
        tear_down(&f);
    }
}

/* Cut differently, on one to three threads, a second time, after a reset: the same bits. Nothing is
 * allocated. */
static void portions_do_not_matter(void **state)
{
    (void)state;
    static const size_t portions[] = {1, 2, 7, 16, T};
    const struct oto_network_shape shapes[] = {plain, projected, pyramid, paired};
    for (int i = 0; i < 2 * N_KINDS * N_CUTS; i++) {
        struct fixture f = set_up(shapes[i % 4], (enum kind)(i % N_KINDS));
        const struct oto_network_chunks cut = scaled(&f, cuts[i / N_KINDS % N_CUTS]);
        struct oto_network_stream *s;
        size_t n_bytes = n_out(&f) * (size_t)f.shape.n_outputs * sizeof(float);
        assert_int_equal(oto_network_stream_create(&s, f.net, &cut, NULL), OTO_OK);
        size_t held = oto_network_stream_bytes(s);
        float *want = run(s, &f, T, NULL);
        for (size_t k = 0; k < sizeof portions / sizeof *portions; k++) {
            struct oto_pool *pool;
            struct collected dropped = {.fail_at = 0};
            assert_int_equal(oto_pool_create(&pool, 1 + (int)k % 3, NULL), OTO_OK);
            if (k == 3) { /* broken off within an utterance */
                oto_status status =
                    oto_network_stream_push(s, f.x, T - 2, collect, &dropped, pool, NULL);
                assert_true(status == OTO_OK || status == OTO_ERR_DATA);
                oto_network_stream_reset(s);
            }
            float *got = run(s, &f, portions[k], pool);
            assert_memory_equal(got, want, n_bytes);
            oto_free(got);
            oto_pool_destroy(pool);
        }
        assert_int_equal(oto_network_stream_bytes(s), held);
        oto_free(want);
        oto_network_stream_destroy(s);
        tear_down(&f);
    }
}

static oto_status ignore(void *arg, const float *log_probs, size_t n_frames, oto_error *err)
{
    (void)log_probs;
    (void)err;
    *(size_t *)arg += n_frames;
    return OTO_OK;
}

static void pushing_allocates_nothing(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2 * N_KINDS; kind++) {
        struct fixture f =
            set_up(kind < N_KINDS ? projected : pyramid, (enum kind)(kind % N_KINDS));
        const struct oto_network_chunks cut = scaled(&f, cuts[4]);
        struct oto_network_stream *s;
        size_t n = 0;
        assert_int_equal(oto_network_stream_create(&s, f.net, &cut, NULL), OTO_OK);
        oto_mem_fail_nth(0);
        for (int i = 0; i < 5; i++)
            assert_int_equal(oto_network_stream_push(s, f.x, T, ignore, &n, NULL, NULL), OTO_OK);
        assert_int_equal(oto_network_stream_finish(s, ignore, &n, NULL, NULL), OTO_OK);
        assert_int_equal(oto_mem_fail_nth(0), 0);
        assert_int_equal(n, oto_network_n_frames(&f.shape, 5 * T));
        oto_network_stream_destroy(s);
        tear_down(&f);
    }
}

/* A chunk as long as the utterance is the network itself, bit for bit. */
static void one_chunk_is_the_network(void **state)
{
    (void)state;
    const struct oto_network_shape shapes[] = {plain, projected, single, pyramid, paired};
    for (int i = 0; i < 5 * N_KINDS; i++) {
        struct fixture f = set_up(shapes[i / N_KINDS], (enum kind)(i % N_KINDS));
        struct oto_network_stream *s;
        float *want = full_context(&f);
        for (int longer = 0; longer < 10; longer += 9) {
            const struct oto_network_chunks cut =
                scaled(&f, (struct oto_network_chunks){T + longer, 3});
            assert_int_equal(oto_network_stream_create(&s, f.net, &cut, NULL), OTO_OK);
            float *got = run(s, &f, 5, NULL);
            assert_memory_equal(got, want, n_out(&f) * (size_t)f.shape.n_outputs * sizeof *got);
            oto_free(got);
            oto_network_stream_destroy(s);
        }
        oto_free(want);
        tear_down(&f);
    }
}

/* Integer products do not depend on how many rows they are made of, so an output that reads the
 * forward direction of one layer alone is the same for any chunks: the state is carried exactly. */
static void states_are_carried_exactly(void **state)
{
    (void)state;
    for (int i = 0; i < N_CUTS; i++) {
        struct fixture f = set_up(single, INT8);
        oto_network_destroy(f.net);
        float *weight = f.params + (tensor(&single, f.params, "output.weight") - f.params);
        for (int k = 0; k < single.n_outputs; k++)
            for (int j = single.n_hidden; j < 2 * single.n_hidden; j++)
                weight[k * 2 * single.n_hidden + j] = 0;
        struct oto_dsp dsp;
        struct oto_dsp_int8 int8;
        struct oto_quantized *q;
        struct oto_network_stream *s;
        oto_dsp_init(&dsp, OTO_CPU_SCALAR);
        oto_dsp_int8_init(&int8, oto_cpu_flags());
        assert_int_equal(oto_quantized_create(&q, &single, f.params, NULL), OTO_OK);
        assert_int_equal(oto_network_create_int8(&f.net, &single, &dsp, &int8, NULL), OTO_OK);
        oto_network_set_int8(f.net, q->tensors, NULL);
        oto_quantized_destroy(q);
        float *want = full_context(&f);
        assert_int_equal(oto_network_stream_create(&s, f.net, &cuts[i], NULL), OTO_OK);
        float *got = run(s, &f, 3, NULL);
        for (int k = 0; k < T * single.n_outputs; k++)
            assert_true(fabsf(got[k] - want[k]) <= 1e-6f); /* the dense layer's rounding */
        oto_free(got);
        oto_free(want);
        oto_network_stream_destroy(s);
        tear_down(&f);
    }
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        struct oto_network_chunks cut;
        const char *message;
    } cases[] = {
        {{0, 3}, "chunks of 0 frames, expected 1 to 1048576"},
        {{OTO_CHUNK_FRAMES_MAX + 1, 3}, "chunks of 1048577 frames"},
        {{3, -1}, "a right context of -1 frames, expected 0 to 1048576"},
        {{3, OTO_CHUNK_FRAMES_MAX + 1}, "a right context of 1048577 frames"},
    };
    struct fixture f = set_up(plain, FLOAT);
    struct oto_network_stream *s;
    oto_error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s = (void *)&err;
        assert_int_equal(oto_network_stream_create(&s, f.net, &cases[i].cut, &err),
                         OTO_ERR_ARGUMENT);
        assert_contains(err.message, cases[i].message);
        assert_null(s);
    }
    struct fixture four = set_up(pyramid, FLOAT);
    for (int i = 0; i < 2; i++) {
        const struct oto_network_chunks cut = {i == 0 ? 6 : 8, i == 0 ? 4 : 5};
        assert_int_equal(oto_network_stream_create(&s, four.net, &cut, &err), OTO_ERR_ARGUMENT);
        assert_contains(err.message, "expected multiples of 4");
    }
    tear_down(&four);
    /* What the sink says is passed on, from push and from finish. */
    float room[T * 5];
    for (int fail_at = 0; fail_at < 11; fail_at += 10) {
        struct collected c = {.log_probs = room, .n_outputs = 5, .fail_at = fail_at};
        assert_int_equal(oto_network_stream_create(&s, f.net, &cuts[3], NULL), OTO_OK);
        oto_status status = oto_network_stream_push(s, f.x, T, collect, &c, NULL, &err);
        assert_int_equal(status, fail_at == 0 ? OTO_ERR_DATA : OTO_OK);
        if (fail_at > 0)
            assert_int_equal(oto_network_stream_finish(s, collect, &c, NULL, &err), OTO_ERR_DATA);
        assert_contains(err.message, "the sink is full");
        oto_network_stream_destroy(s);
    }
    oto_network_stream_destroy(NULL);
    tear_down(&f);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2 * N_KINDS; kind++) {
        struct fixture f =
            set_up(kind < N_KINDS ? projected : pyramid, (enum kind)(kind % N_KINDS));
        const struct oto_network_chunks cut = scaled(&f, cuts[3]);
        struct oto_network_stream *s = NULL;
        oto_error err;
        size_t nth = 1;
        for (; s == NULL; nth++) {
            oto_mem_fail_nth(nth);
            oto_status status = oto_network_stream_create(&s, f.net, &cut, &err);
            oto_mem_fail_nth(0);
            assert_int_equal(status, s != NULL ? OTO_OK : OTO_ERR_MEMORY);
        }
        assert_true(nth > 10);
        oto_network_stream_destroy(s);
        tear_down(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_oracle),          cmocka_unit_test(portions_do_not_matter),
        cmocka_unit_test(pushing_allocates_nothing),  cmocka_unit_test(one_chunk_is_the_network),
        cmocka_unit_test(states_are_carried_exactly), cmocka_unit_test(refuses),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
