/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The matrix products of one layer and direction on one thread.
 *
 *     bench_gemm [--shape=recurrent] [--rows=N] [--input=640] [--hidden=320] [--isa=auto]
 *                [--steps=50] [--reps=20]
 *
 * --shape: recurrent, one step of the fused kernel: recurrent product, gates and cells;
 *          recurrent-half, the same with its matrix in half precision; recurrent-backward, the same
 * step backwards; input, x W^T;   weights, dgates^T x;   inputs-gradient, dgates W.
 * --rows is the number of utterances of a step (default 1), or of frames of the other products
 * (default 2000). Times are of one step or one product; --steps are made in one repetition. gflops
 * counts the product alone.
 */
#include "bench.h"

static int n_rows, inputs = 640, hidden = 320, steps = 50, reps = 20;
static const char *shape = "recurrent", *isa = "auto";

/* Buffers of two steps: like in a network, the one written is not the one read. */
struct step {
    struct oto_dsp dsp;
    bool backward, half;
    uint16_t *packed_half;
    float *gates, *sums, *gates_next, *c, *c_prev, *h, *h_prev, *dh, *dc, *packed, *x, *w, *dw, *dx;
};

static oto_status step_create(struct step *s, oto_error *err)
{
    const size_t h = (size_t)hidden, u = (size_t)s->dsp.unit_block, hp = (h + u - 1) / u * u,
                 n = (size_t)n_rows;
    float *r = bench_numbers(4 * h * h, 0, 0.05);
    s->gates = bench_numbers(4 * n * hp, 1, 1);
    s->sums = bench_numbers(4 * n * hp, 2, 1);
    s->gates_next = bench_numbers(4 * n * hp, 3, 1e-3);
    s->c = bench_numbers(n * hp, 4, 1);
    s->c_prev = bench_numbers(n * hp, 5, 1);
    s->h = bench_numbers(n * h, 6, 1);
    s->h_prev = bench_numbers(n * h, 7, 1);
    s->dh = bench_numbers(n * h, 8, 1e-3);
    s->dc = bench_numbers(n * hp, 9, 1e-3);
    s->packed = bench_numbers(s->dsp.recurrent_size(hidden), 10, 1);
    const bool good = r && s->gates && s->sums && s->gates_next && s->c && s->c_prev && s->h &&
                      s->h_prev && s->dh && s->dc && s->packed;
    if (good && s->backward)
        s->dsp.pack_recurrent_backward(s->packed, r, hidden);
    else if (good)
        s->dsp.pack_recurrent_forward(s->packed, r, hidden);
    oto_free(r);
    if (good && s->half) {
        s->packed_half = oto_calloc(s->dsp.recurrent_size(hidden), sizeof *s->packed_half);
        if (s->packed_half == NULL)
            return oto_fail_memory(err, "step");
        oto_dsp_halve(s->packed_half, s->packed, s->dsp.recurrent_size(hidden));
    }
    return good ? OTO_OK : oto_fail_memory(err, "step");
}

static oto_status product_create(struct step *s, oto_error *err)
{
    const size_t n = (size_t)n_rows, d = (size_t)inputs, g = 4 * (size_t)hidden;
    s->x = bench_numbers(n * d, 12, 1);
    s->w = bench_numbers(g * d, 13, 1);
    s->gates = bench_numbers(n * g, 14, 1);
    s->dw = bench_numbers(g * d, 15, 1);
    s->dx = bench_numbers(n * d, 16, 1);
    return s->x && s->w && s->gates && s->dw && s->dx ? OTO_OK : oto_fail_memory(err, "product");
}

static void destroy(struct step *s)
{
    float *arrays[] = {s->gates, s->sums, s->gates_next, s->c, s->c_prev, s->h,  s->h_prev,
                       s->dh,    s->dc,   s->packed,     s->x, s->w,      s->dw, s->dx};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        oto_free(arrays[i]);
    oto_free(s->packed_half);
}

/* Gates are overwritten in place, so they are set again before each step: counted, as the input
 * products are read in a network, too. */
static oto_status run_steps(void *arg, oto_error *err)
{
    const struct step *s = arg;
    const size_t u = (size_t)s->dsp.unit_block, h = (size_t)hidden;
    const size_t n_gates = 4 * (size_t)n_rows * ((h + u - 1) / u * u);
    (void)err;
    for (int i = 0; i < steps; i++) {
        memcpy(s->gates, s->sums, n_gates * sizeof(float));
        if (s->backward)
            s->dsp.lstm_backward(s->gates, s->dc, s->dh, h, s->gates_next, n_rows, s->c, s->c_prev,
                                 n_rows, n_rows, s->packed, hidden, (i & 1) != 0);
        else if (s->half)
            s->dsp.lstm_forward_half(s->gates, s->c, s->h, h, s->h_prev, h, s->c_prev, n_rows,
                                     n_rows, s->packed_half, hidden, (i & 1) != 0);
        else
            s->dsp.lstm_forward(s->gates, s->c, s->h, h, s->h_prev, h, s->c_prev, n_rows, n_rows,
                                s->packed, hidden, (i & 1) != 0);
    }
    return OTO_OK;
}

static oto_status run_product(void *arg, oto_error *err)
{
    const struct step *s = arg;
    const size_t n = (size_t)n_rows, d = (size_t)inputs, g = 4 * (size_t)hidden;
    (void)err;
    for (int i = 0; i < steps; i++) {
        if (strcmp(shape, "input") == 0)
            oto_gemm(false, true, n, g, d, s->x, d, s->w, d, 0, s->gates, g);
        else if (strcmp(shape, "weights") == 0)
            oto_gemm(true, false, g, d, n, s->gates, g, s->x, d, 0, s->dw, d);
        else
            oto_gemm(false, false, n, d, g, s->gates, g, s->w, d, 0, s->dx, d);
    }
    return OTO_OK;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {.name = "shape",
         .text = &shape,
         .choices = "recurrent|recurrent-half|recurrent-backward|input|weights|inputs-gradient"},
        {.name = "rows", &n_rows, 1, 1000000},
        {.name = "input", &inputs, 1, 4096},
        {.name = "hidden", &hidden, 1, 4096},
        {.name = "steps", &steps, 1, 100000},
        {.name = "reps", &reps, 1, BENCH_REPS_MAX},
        BENCH_ISA(&isa),
    };
    static struct bench_times times;
    struct step s = {0};
    oto_error err = {0};
    bench_parse(argc, argv, options, sizeof options / sizeof *options);
    const bool recurrent = strncmp(shape, "recurrent", 9) == 0;
    s.half = strcmp(shape, "recurrent-half") == 0;
    s.backward = strcmp(shape, "recurrent-backward") == 0;
    if (n_rows == 0)
        n_rows = recurrent ? 1 : 2000;
    oto_status status = bench_kernels(&s.dsp, isa, &err);
    if (status == OTO_OK)
        status = recurrent ? step_create(&s, &err) : product_create(&s, &err);
    if (status == OTO_OK)
        status = bench_repeat(&times, 1, reps, recurrent ? run_steps : run_product, &s, &err);
    if (status == OTO_OK) {
        const double flop = 8.0 * n_rows * hidden * (recurrent ? hidden : inputs);
        printf("{\"bench\":\"gemm\",\"engine\":\"otolith\",\"shape\":\"%s\",\"isa\":\"%s\","
               "\"products\":\"%s\",\"rows\":%d,\"input\":%d,\"hidden\":%d,\"steps\":%d",
               shape, oto_cpu_name(s.dsp.cpu_flags), oto_gemm_name(), n_rows,
               recurrent ? hidden : inputs, hidden, steps);
        bench_print_end(&times, 1, steps, 1e-9 * flop * steps);
    }
    destroy(&s);
    return bench_exit("bench_gemm", status, &err);
}
