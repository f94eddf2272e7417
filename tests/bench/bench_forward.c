/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time of a forward pass (inference): by default 4 x BLSTM-320, 120 inputs, 1000 frames.
 *
 *     bench_forward [--batch=N] [--threads=N] [--frames=N] [--layers=N] [--hidden=N] [--inputs=N]
 *                   [--reps=N] [--cpu-time=0|1] [--isa=scalar|avx2|avx512|auto]
 */
#include <stdint.h>

#include "acoustic/gemm.h"
#include "acoustic/network.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"

enum { REPS_MAX = 1000, BATCH_MAX = 256, LABELS = 32 };

static int batch = 1, threads = 1, frames = 1000, layers = 4, hidden = 320, inputs = 120, reps = 5,
           cpu_time = 0;

static oto_status run(const char *isa, oto_error *err)
{
    struct oto_network_shape shape = {inputs, layers, hidden, 0, LABELS};
    struct oto_network *net = NULL;
    struct oto_network_workspace *ws = NULL;
    struct oto_pool *pool = NULL;
    struct oto_sequences seqs = {0};
    struct oto_dsp dsp;
    unsigned flags;
    int lengths[BATCH_MAX];
    double ms[REPS_MAX];
    size_t n_params = oto_network_n_parameters(&shape);
    size_t n_rows = (size_t)batch * (size_t)frames;
    float *params = oto_calloc(n_params, sizeof *params);
    float *x = oto_calloc(n_rows * (size_t)inputs, sizeof *x);
    float *log_probs = oto_calloc(n_rows * LABELS, sizeof *log_probs);
    for (int b = 0; b < batch; b++)
        lengths[b] = frames;

    oto_status status = oto_cpu_parse(isa, &flags, err);
    if (status == OTO_OK && (params == NULL || x == NULL || log_probs == NULL))
        status = OTO_ERR_MEMORY;
    if (status == OTO_OK)
        status = oto_pool_create(&pool, threads, err);
    if (status == OTO_OK)
        status = oto_sequences_set(&seqs, lengths, batch, err);
    if (status == OTO_OK) {
        oto_dsp_init(&dsp, flags);
        status = oto_network_create(&net, &shape, &dsp, err);
    }
    if (status == OTO_OK)
        status = oto_network_workspace_create(&ws, net, err);
    if (status != OTO_OK)
        goto done;

    oto_network_forward_only(net);
    oto_network_init_parameters(&shape, params, 1);
    oto_network_set_parameters(net, params, pool);
    for (size_t i = 0; i < n_rows * (size_t)inputs; i++)
        x[i] = (float)(2 * oto_rng_uniform(1, 2, i) - 1);
    for (int r = -2; r < reps && status == OTO_OK; r++) { /* two to warm up */
        double start = bench_now(cpu_time);
        status = oto_network_forward(net, ws, log_probs, x, &seqs, 0, NULL, pool, err);
        if (r >= 0)
            ms[r] = 1e3 * (bench_now(cpu_time) - start);
    }
    if (status == OTO_OK) {
        double median = bench_median(ms, reps), h = hidden, flop = 0;
        for (int l = 0; l < layers; l++)
            flop += 16 * h * ((l == 0 ? inputs : 2 * h) + h) * (double)n_rows;
        printf("{\"bench\":\"forward\",\"engine\":\"otolith\",\"isa\":\"%s\",\"gemm\":\"%s\","
               "\"layers\":%d,\"hidden\":%d,\"inputs\":%d,\"frames\":%d,\"batch\":%d,"
               "\"threads\":%d,\"clock\":\"%s\",\"ms\":%.2f,\"min_ms\":%.2f,\"max_ms\":%.2f,"
               "\"gflops\":%.1f,\"workspace_mb\":%.1f}\n",
               oto_cpu_name(dsp.cpu_flags), oto_gemm_name(), layers, hidden, inputs, frames, batch,
               threads, cpu_time ? "cpu" : "wall", median, ms[0], ms[reps - 1], flop / median / 1e6,
               (double)oto_network_workspace_bytes(ws) / 1e6);
    }
done:
    oto_network_workspace_destroy(ws);
    oto_network_destroy(net);
    oto_sequences_clear(&seqs);
    oto_pool_destroy(pool);
    oto_free(log_probs);
    oto_free(x);
    oto_free(params);
    return status;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {"batch", &batch, 1, BATCH_MAX}, {"threads", &threads, 1, 256},
        {"frames", &frames, 1, 100000},  {"layers", &layers, 1, 16},
        {"hidden", &hidden, 1, 4096},    {"inputs", &inputs, 1, 4096},
        {"reps", &reps, 1, REPS_MAX},    {"cpu-time", &cpu_time, 0, 1},
    };
    const char *isa = "auto";
    bench_parse(argc, argv, options, sizeof options / sizeof *options, &isa);
    setenv("OTOLITH_ISA", isa, 1); /* the matrix products follow it */
    oto_error err = {0};
    oto_status status = run(isa, &err);
    if (status != OTO_OK)
        fprintf(stderr, "bench_forward: %s\n",
                err.message[0] ? err.message : oto_status_text(status));
    return status == OTO_OK ? 0 : 1;
}
