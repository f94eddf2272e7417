/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * One LSTM step forward and backward, and the products around it, on one core, as one line of JSON:
 * microseconds of processor time and GFLOP/s. --hidden is H, --isa limits the kernels; each time is
 * the least of --rounds runs over --steps steps.
 */
#include "bench.h"

#include "acoustic/dsp.h"
#include "acoustic/gemm.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"

static float *numbers(size_t n, uint64_t stream, double range)
{
    float *x = oto_calloc(n, sizeof *x);
    if (!x) {
        fputs("bench_kernels: out of memory\n", stderr);
        exit(71);
    }
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(range * (2 * oto_rng_uniform(1, stream, i) - 1));
    return x;
}

/* Buffers of two steps: like in a network, the one written is not the one read. */
struct step {
    int n_hidden, n_rows;
    const struct oto_dsp *dsp;
    float *gates, *sums, *gates_next, *c, *c_prev, *h, *h_prev, *dh, *dc, *forward, *backward;
};

static struct step step_create(const struct oto_dsp *dsp, int n_hidden, int n_rows)
{
    const size_t h = (size_t)n_hidden, u = (size_t)dsp->unit_block, hp = (h + u - 1) / u * u,
                 n = (size_t)n_rows;
    struct step s = {.n_hidden = n_hidden, .n_rows = n_rows, .dsp = dsp};
    float *r = numbers(4 * h * h, 0, 0.05);
    s.gates = numbers(4 * n * hp, 1, 1);
    s.sums = numbers(4 * n * hp, 2, 1);
    s.gates_next = numbers(4 * n * hp, 3, 1e-3);
    s.c = numbers(n * hp, 4, 1);
    s.c_prev = numbers(n * hp, 5, 1);
    s.h = numbers(n * h, 6, 1);
    s.h_prev = numbers(n * h, 7, 1);
    s.dh = numbers(n * h, 8, 1e-3);
    s.dc = numbers(n * hp, 9, 1e-3);
    s.forward = numbers(dsp->recurrent_size(n_hidden), 10, 1);
    s.backward = numbers(dsp->recurrent_size(n_hidden), 11, 1);
    dsp->pack_recurrent_forward(s.forward, r, n_hidden);
    dsp->pack_recurrent_backward(s.backward, r, n_hidden);
    oto_free(r);
    return s;
}

static void step_destroy(struct step *s)
{
    float *arrays[] = {s->gates,  s->sums, s->gates_next, s->c,       s->c_prev,  s->h,
                       s->h_prev, s->dh,   s->dc,         s->forward, s->backward};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        oto_free(arrays[i]);
}

/* Seconds of n_steps. Gates are overwritten in place, so they are set again before each: counted,
 * as the input products are read in a network, too. */
static double time_steps(const struct step *s, int n_steps, bool backward)
{
    const size_t u = (size_t)s->dsp->unit_block, h = (size_t)s->n_hidden;
    const size_t n_gates = 4 * (size_t)s->n_rows * ((h + u - 1) / u * u);
    const double start = bench_now(true);
    for (int i = 0; i < n_steps; i++) {
        memcpy(s->gates, s->sums, n_gates * sizeof(float));
        if (backward)
            s->dsp->lstm_backward(s->gates, s->dc, s->dh, h, s->gates_next, s->n_rows, s->c,
                                  s->c_prev, s->n_rows, s->n_rows, s->backward, s->n_hidden);
        else
            s->dsp->lstm_forward(s->gates, s->c, s->h, h, s->h_prev, h, s->c_prev, s->n_rows,
                                 s->n_rows, s->forward, s->n_hidden);
    }
    return bench_now(true) - start;
}

static void print_steps(const struct oto_dsp *dsp, int n_hidden, int n_steps, int n_rounds)
{
    static const int rows[] = {1, 4, 8, 16, 32, 40};
    printf("\"lstm_step\":[");
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        struct step s = step_create(dsp, n_hidden, rows[k]);
        const double flop = 8.0 * rows[k] * n_hidden * n_hidden;
        double best[2] = {1e9, 1e9};
        for (int i = 0; i < n_rounds; i++) {
            for (int b = 0; b < 2; b++) {
                const double t = time_steps(&s, n_steps, b == 1) / n_steps;
                best[b] = t < best[b] ? t : best[b];
            }
        }
        printf("%s{\"rows\":%d,\"forward_us\":%.2f,\"forward_gflops\":%.1f,\"backward_us\":%.2f,"
               "\"backward_gflops\":%.1f}",
               k ? "," : "", rows[k], 1e6 * best[0], 1e-9 * flop / best[0], 1e6 * best[1],
               1e-9 * flop / best[1]);
        step_destroy(&s);
    }
    printf("]");
}

/* The products of one layer and direction: x W^T, dgates^T x and dgates W for n rows of d inputs.
 */
static void print_products(int n_hidden, int n_rounds)
{
    static const size_t rows[] = {500, 2000, 8000}, inputs[] = {120, 640};
    const size_t g = 4 * (size_t)n_hidden;
    printf("\"gemm\":[");
    for (size_t k = 0; k < 6; k++) {
        const size_t n = rows[k / 2], d = inputs[k % 2];
        float *x = numbers(n * d, 12, 1), *w = numbers(g * d, 13, 1),
              *gates = numbers(n * g, 14, 1);
        float *dw = numbers(g * d, 15, 1), *dx = numbers(n * d, 16, 1);
        double best[3] = {1e9, 1e9, 1e9};
        for (int i = 0; i < 3 * n_rounds; i++) {
            const double start = bench_now(true);
            if (i % 3 == 0)
                oto_gemm(false, true, n, g, d, x, d, w, d, 0, gates, g);
            else if (i % 3 == 1)
                oto_gemm(true, false, g, d, n, gates, g, x, d, 0, dw, d);
            else
                oto_gemm(false, false, n, d, g, gates, g, w, d, 0, dx, d);
            const double t = bench_now(true) - start;
            best[i % 3] = t < best[i % 3] ? t : best[i % 3];
        }
        const double gflop = 2e-9 * (double)n * (double)g * (double)d;
        printf("%s{\"rows\":%zu,\"inputs\":%zu,\"input_gflops\":%.1f,\"dw_gflops\":%.1f,\"dx_"
               "gflops\":%.1f}",
               k ? "," : "", n, d, gflop / best[0], gflop / best[1], gflop / best[2]);
        oto_free(x);
        oto_free(w);
        oto_free(gates);
        oto_free(dw);
        oto_free(dx);
    }
    printf("]");
}

int main(int argc, char **argv)
{
    int n_hidden = 320, n_steps = 50, n_rounds = 20;
    const char *isa = "auto";
    const struct bench_option options[] = {{"hidden", &n_hidden, 1, 4096},
                                           {"steps", &n_steps, 1, 100000},
                                           {"rounds", &n_rounds, 1, 100000}};
    unsigned flags;
    oto_error err;
    bench_parse(argc, argv, options, sizeof options / sizeof *options, &isa);
    if (oto_cpu_parse(isa, &flags, &err) != OTO_OK) {
        fprintf(stderr, "--isa=%s: %s\n", isa, err.message);
        return 64;
    }
    struct oto_dsp dsp;
    oto_dsp_init(&dsp, flags);
    printf("{\"isa\":\"%s\",\"hidden\":%d,\"products\":\"%s\",", oto_cpu_name(dsp.cpu_flags),
           n_hidden, oto_gemm_name());
    print_steps(&dsp, n_hidden, n_steps, n_rounds);
    printf(",");
    print_products(n_hidden, n_rounds < 5 ? n_rounds : 5);
    printf("}\n");
    return 0;
}
