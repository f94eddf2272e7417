/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The adding problem (Hochreiter and Schmidhuber 1997, section 5.4): of 200 numbers in [0, 1) two
 * are marked, one in each half; after the last step the network is to say their sum. Always
 * answering 1 has a mean squared error of 1/6. An LSTM learns to carry the numbers over 200 steps;
 * a plain tanh network of the same width, with the same examples, updates and optimiser, does not
 * get away from 1/6, since its gradients vanish on the way.
 */
#include "unit.h"

#include <math.h>

#include "acoustic/lstm.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"

enum {
    STEPS = 200, /* T */
    WIDTH = 32,  /* H */
    INPUTS = 2,  /* number, mark */
    BATCH = 32,  /* B */
    ROWS = STEPS * BATCH,
    UPDATES = 3000,
    TEST_BATCHES = 16,
    PARAMS_MAX = 4 * WIDTH * (INPUTS + WIDTH + 1) + WIDTH + 1,
};

static const double baseline = 1.0 / 6, rate = 1e-2, clip = 1;

/* One batch, rows packed by time: row t*B + b. */
static void make_examples(uint64_t number, float *x, float *target)
{
    memset(x, 0, ROWS * INPUTS * sizeof *x);
    for (int b = 0; b < BATCH; b++) {
        uint64_t stream = number * BATCH + (uint64_t)b;
        for (int t = 0; t < STEPS; t++)
            x[(t * BATCH + b) * INPUTS] = (float)oto_rng_uniform(1, stream, (uint64_t)t);
        int first = (int)oto_rng_below(2, stream, 0, STEPS / 2);
        int second = STEPS / 2 + (int)oto_rng_below(2, stream, 1, STEPS / 2);
        float *a = x + (first * BATCH + b) * INPUTS, *c = x + (second * BATCH + b) * INPUTS;
        a[1] = c[1] = 1;
        target[b] = a[0] + c[0];
    }
}

static void uniform(float *p, size_t n, double bound, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(bound * (2 * oto_rng_uniform(3, stream, i) - 1));
}

/* Linear read-out of the last step: v [H + 1] with bias. Returns the mean squared error; dh [B, H].
 */
static double read_out(const float *v, const float *h, const float *target, float *dv, float *dh)
{
    double loss = 0;
    memset(dv, 0, (WIDTH + 1) * sizeof *dv);
    for (int b = 0; b < BATCH; b++, h += WIDTH, dh += WIDTH) {
        float y = v[WIDTH];
        for (int j = 0; j < WIDTH; j++)
            y += v[j] * h[j];
        float error = y - target[b], dy = 2 * error / BATCH;
        loss += (double)error * (double)error / BATCH;
        for (int j = 0; j < WIDTH; j++) {
            dv[j] += dy * h[j];
            dh[j] = dy * v[j];
        }
        dv[WIDTH] += dy;
    }
    return loss;
}

/* A network under test: parameters, the read-out last; loss and gradients of one batch. */
struct learner {
    size_t n_params;
    float params[PARAMS_MAX], grads[PARAMS_MAX], m[PARAMS_MAX], v[PARAMS_MAX];
    double (*run)(struct learner *l, const float *x, const float *target);
    /* LSTM */
    struct oto_dsp dsp;
    struct oto_lstm lstm;
    struct oto_sequences seqs;
    float *gates, *cells, *dcells, *scratch;
    double *dbias_sum;
    /* both: [T, B, H] */
    float *h, *dh;
};

static double run_lstm(struct learner *l, const float *x, const float *target)
{
    float *w = l->params, *r = w + 4 * WIDTH * INPUTS, *bias = r + 4 * WIDTH * WIDTH;
    float *dw = l->grads, *dr = dw + 4 * WIDTH * INPUTS, *dbias = dr + 4 * WIDTH * WIDTH;
    const struct oto_lstm_gradients grads = {dw, dr, dbias};
    size_t last = (STEPS - 1) * BATCH * WIDTH;
    oto_lstm_set(&l->lstm, &l->dsp, w, r, bias);
    oto_lstm_forward(&l->lstm, &l->dsp, true, l->gates, l->cells, l->h, WIDTH, x, &l->seqs, NULL);
    double loss = read_out(bias + 4 * WIDTH, l->h + last, target, dbias + 4 * WIDTH, l->dh + last);
    oto_lstm_backward_steps(&l->lstm, &l->dsp, l->gates, l->dcells, l->dh, WIDTH, l->cells,
                            &l->seqs, 0, BATCH);
    for (int part = 0; part < oto_lstm_weight_parts(&l->lstm, &l->dsp); part++)
        oto_lstm_backward_weights(&l->lstm, &l->dsp, &grads, l->scratch, l->dbias_sum, l->gates, x,
                                  l->h, WIDTH, &l->seqs, part);
    return loss;
}

/* h[t] = tanh(W x[t] + R h[t-1] + bias); W is held [2, H]. */
static void plain_forward(const float *w, const float *r, const float *bias, const float *x,
                          float *h)
{
    float rt[WIDTH * WIDTH]; /* transposed, so that the inner loop runs along rows */
    for (int j = 0; j < WIDTH; j++)
        for (int k = 0; k < WIDTH; k++)
            rt[k * WIDTH + j] = r[j * WIDTH + k];
    for (int t = 0; t < STEPS; t++)
        for (int b = 0; b < BATCH; b++, x += INPUTS, h += WIDTH) {
            float a[WIDTH];
            for (int j = 0; j < WIDTH; j++)
                a[j] = bias[j] + w[j] * x[0] + w[WIDTH + j] * x[1];
            for (int k = 0; k < WIDTH && t > 0; k++)
                for (int j = 0; j < WIDTH; j++)
                    a[j] += rt[k * WIDTH + j] * (h - BATCH * WIDTH)[k];
            for (int j = 0; j < WIDTH; j++)
                h[j] = tanhf(a[j]);
        }
}

static double run_plain(struct learner *l, const float *x, const float *target)
{
    float *w = l->params, *r = w + WIDTH * INPUTS, *bias = r + WIDTH * WIDTH;
    float *dw = l->grads, *dr = dw + WIDTH * INPUTS, *dbias = dr + WIDTH * WIDTH;
    size_t last = (STEPS - 1) * BATCH * WIDTH;
    plain_forward(w, r, bias, x, l->h);
    memset(l->grads, 0, l->n_params * sizeof *l->grads);
    double loss = read_out(bias + WIDTH, l->h + last, target, dbias + WIDTH, l->dh + last);
    for (int t = STEPS - 1; t >= 0; t--)
        for (int b = 0; b < BATCH; b++) {
            size_t row = (size_t)(t * BATCH + b);
            const float *h = l->h + row * WIDTH, *in = x + row * INPUTS;
            const float *h_prev = h - BATCH * WIDTH;
            float *dh_prev = l->dh + row * WIDTH - BATCH * WIDTH, da[WIDTH];
            for (int j = 0; j < WIDTH; j++) {
                da[j] = l->dh[row * WIDTH + (size_t)j] * (1 - h[j] * h[j]);
                dbias[j] += da[j];
                dw[j] += da[j] * in[0];
                dw[WIDTH + j] += da[j] * in[1];
            }
            if (t == 0)
                continue;
            memset(dh_prev, 0, WIDTH * sizeof *dh_prev); /* the loss is at the last step alone */
            for (int j = 0; j < WIDTH; j++)
                for (int k = 0; k < WIDTH; k++) {
                    dr[j * WIDTH + k] += da[j] * h_prev[k];
                    dh_prev[k] += da[j] * r[j * WIDTH + k];
                }
        }
    return loss;
}

static float *numbers(size_t n)
{
    float *p = oto_calloc(n, sizeof *p);
    assert_non_null(p);
    return p;
}

static struct learner *make_learner(bool plain)
{
    struct learner *l = oto_calloc(1, sizeof *l);
    assert_non_null(l);
    int lengths[BATCH];
    int gates = plain ? 1 : 4;
    float *r = l->params + gates * WIDTH * INPUTS, *bias = r + gates * WIDTH * WIDTH;
    l->run = plain ? run_plain : run_lstm;
    l->n_params = (size_t)(gates * WIDTH * (INPUTS + WIDTH + 1) + WIDTH + 1);
    uniform(l->params, (size_t)(gates * WIDTH * (INPUTS + WIDTH)), 1 / sqrt(WIDTH), 1);
    uniform(bias + gates * WIDTH, WIDTH, 1 / sqrt(WIDTH), 2);
    l->h = numbers(ROWS * WIDTH);
    l->dh = numbers(ROWS * WIDTH);
    if (plain)
        return l;
    for (int j = 0; j < WIDTH; j++)
        bias[WIDTH + j] = 3; /* forget gates start open */
    for (int b = 0; b < BATCH; b++)
        lengths[b] = STEPS;
    oto_dsp_init(&l->dsp, oto_cpu_flags());
    assert_int_equal(oto_sequences_set(&l->seqs, lengths, BATCH, NULL), OTO_OK);
    assert_int_equal(oto_lstm_init(&l->lstm, &l->dsp, INPUTS, WIDTH, false, NULL), OTO_OK);
    size_t n_gates = (size_t)l->lstm.n_gates, n_cells = (size_t)l->lstm.n_cells, n_scratch;
    assert_true(oto_lstm_weight_scratch(&l->lstm, &l->dsp, &n_scratch));
    l->gates = numbers(ROWS * n_gates);
    l->cells = numbers(ROWS * n_cells);
    l->dcells = numbers(BATCH * n_cells);
    l->scratch = numbers(n_scratch);
    l->dbias_sum = oto_calloc(n_gates, sizeof *l->dbias_sum);
    return l;
}

static void free_learner(struct learner *l)
{
    float *const owned[] = {l->gates, l->cells, l->dcells, l->scratch, l->h, l->dh};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        oto_free(owned[i]);
    oto_free(l->dbias_sum);
    oto_sequences_clear(&l->seqs);
    oto_lstm_clear(&l->lstm);
    oto_free(l);
}

/* Adam with the norm of the gradient clipped. */
static void update(struct learner *l, int t)
{
    double norm = 0;
    for (size_t i = 0; i < l->n_params; i++)
        norm += (double)l->grads[i] * (double)l->grads[i];
    norm = sqrt(norm);
    double scale = norm > clip ? clip / norm : 1;
    double rate_t = rate * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t));
    if (t > UPDATES / 2) /* down to zero at the end */
        rate_t *= 2.0 * (UPDATES - t + 1) / UPDATES;
    for (size_t i = 0; i < l->n_params; i++) {
        double g = scale * (double)l->grads[i];
        l->m[i] = (float)(0.9 * (double)l->m[i] + 0.1 * g);
        l->v[i] = (float)(0.999 * (double)l->v[i] + 0.001 * g * g);
        l->params[i] -= (float)(rate_t * (double)l->m[i] / (sqrt((double)l->v[i]) + 1e-8));
    }
}

/* Trains, then measures on examples never seen. */
static double learn(bool plain)
{
    struct learner *l = make_learner(plain);
    float *x = numbers(ROWS * INPUTS), target[BATCH];
    double recent = 0, test = 0;
    for (int t = 1; t <= UPDATES; t++) {
        make_examples((uint64_t)t, x, target);
        recent += l->run(l, x, target) / 250;
        update(l, t);
        if (t % 250 == 0) {
            print_message("%s: %4d updates, mean squared error %.4f\n", plain ? "plain" : "LSTM", t,
                          recent);
            recent = 0;
        }
    }
    for (int i = 0; i < TEST_BATCHES; i++) {
        make_examples(1000000 + (uint64_t)i, x, target);
        test += l->run(l, x, target) / TEST_BATCHES;
    }
    print_message("%s: test %.4f, always answering 1: %.4f\n", plain ? "plain" : "LSTM", test,
                  baseline);
    oto_free(x);
    free_learner(l);
    return test;
}

static void lstm_learns(void **state)
{
    (void)state;
    assert_true(learn(false) < 0.02);
}

static void plain_network_does_not(void **state)
{
    (void)state;
    assert_true(learn(true) > 0.1);
}

int main(void)
{
#if defined __SANITIZE_ADDRESS__
    puts("skipped: thousands of updates take too long under the sanitizers");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lstm_learns),
        cmocka_unit_test(plain_network_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
