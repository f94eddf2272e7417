/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time of a training step: forward, CTC loss, backward, Adam. By default 4 x BLSTM-320, 120 inputs,
 * batch 16, 500 frames, 32 symbols, 80 labels.
 *
 *     bench_train_step [--batch=N] [--threads=N] [--frames=N] [--layers=N] [--hidden=N]
 *                      [--labels=N] [--dropout=PERCENT] [--reps=N] [--cpu-time=0|1]
 *                      [--isa=scalar|avx2|avx512|auto]
 */
#include <stdint.h>

#include "acoustic/gemm.h"
#include "acoustic/network.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "training/ctc_loss.h"
#include "training/optim.h"

enum { REPS_MAX = 200, BATCH_MAX = 256, LABELS_MAX = 1000, SYMBOLS = 32, INPUTS = 120 };
enum { FORWARD, CTC, BACKWARD, ADAM, STEP, N_PARTS };

static int batch = 16, threads = 1, frames = 500, layers = 4, hidden = 320, n_labels = 80,
           dropout_percent = 0, reps = 5, cpu_time = 0;

struct step {
    struct oto_network_shape shape;
    struct oto_network *net;
    struct oto_network_workspace *ws;
    struct oto_pool *pool;
    struct oto_sequences seqs;
    struct oto_dsp dsp;
    struct oto_adam adam;
    struct oto_ctc *ctc[BATCH_MAX];
    size_t n_params, n_rows, *rows; /* [batch, frames] */
    float *params, *dparams, *x, *log_probs, *dlogits;
    int labels[LABELS_MAX];
    double loss[BATCH_MAX];
    oto_status ctc_status[BATCH_MAX];
};

static oto_status set_up(struct step *s, const char *isa, oto_error *err)
{
    const struct oto_adam_options adam = {0.9, 0.999, 1e-8, 0, 0};
    int lengths[BATCH_MAX];
    unsigned flags;
    s->shape = (struct oto_network_shape){INPUTS, layers, hidden, 0, SYMBOLS};
    s->n_params = oto_network_n_parameters(&s->shape);
    s->n_rows = (size_t)batch * (size_t)frames;
    s->params = oto_calloc(s->n_params, sizeof *s->params);
    s->dparams = oto_calloc(s->n_params, sizeof *s->dparams);
    s->x = oto_calloc(s->n_rows * INPUTS, sizeof *s->x);
    s->log_probs = oto_calloc(s->n_rows * SYMBOLS, sizeof *s->log_probs);
    s->dlogits = oto_calloc(s->n_rows * SYMBOLS, sizeof *s->dlogits);
    s->rows = oto_calloc(s->n_rows, sizeof *s->rows);
    if (s->params == NULL || s->dparams == NULL || s->x == NULL || s->log_probs == NULL ||
        s->dlogits == NULL || s->rows == NULL)
        return OTO_ERR_MEMORY;
    for (int b = 0; b < batch; b++)
        lengths[b] = frames;
    for (int j = 0; j < n_labels; j++)
        s->labels[j] = 1 + (int)oto_rng_below(1, 3, (uint64_t)j, SYMBOLS - 1);
    oto_network_init_parameters(&s->shape, s->params, 1);
    for (size_t i = 0; i < s->n_rows * INPUTS; i++)
        s->x[i] = (float)(2 * oto_rng_uniform(1, 2, i) - 1);

    oto_status status = oto_cpu_parse(isa, &flags, err);
    if (status == OTO_OK)
        status = oto_pool_create(&s->pool, threads, err);
    if (status == OTO_OK)
        status = oto_sequences_set(&s->seqs, lengths, batch, err);
    for (int b = 0; b < batch && status == OTO_OK; b++) {
        for (int t = 0; t < frames; t++)
            s->rows[(size_t)b * (size_t)frames + (size_t)t] = oto_sequences_row(&s->seqs, t, b);
        status = oto_ctc_create(&s->ctc[b], err);
    }
    if (status != OTO_OK)
        return status;
    oto_dsp_init(&s->dsp, flags);
    status = oto_network_create(&s->net, &s->shape, &s->dsp, err);
    if (status == OTO_OK)
        status = oto_network_workspace_create(&s->ws, s->net, err);
    if (status == OTO_OK)
        status = oto_adam_init(&s->adam, s->n_params, s->params, &adam, err);
    return status;
}

static void tear_down(struct step *s)
{
    oto_adam_clear(&s->adam);
    oto_network_workspace_destroy(s->ws);
    oto_network_destroy(s->net);
    for (int b = 0; b < batch; b++)
        oto_ctc_destroy(s->ctc[b]);
    oto_sequences_clear(&s->seqs);
    oto_pool_destroy(s->pool);
    oto_free(s->rows);
    oto_free(s->dlogits);
    oto_free(s->log_probs);
    oto_free(s->x);
    oto_free(s->dparams);
    oto_free(s->params);
}

static void ctc_task(void *arg, int b)
{
    struct step *s = arg;
    s->ctc_status[b] = oto_ctc_compute(s->ctc[b], &s->loss[b], s->dlogits, s->log_probs,
                                       s->rows + (size_t)b * (size_t)frames, frames, SYMBOLS,
                                       s->labels, n_labels, NULL);
}

static oto_status run_step(struct step *s, int number, double seconds[N_PARTS], oto_error *err)
{
    const struct oto_network_dropout dropout = {dropout_percent / 100.0, 1, (uint64_t)number};
    double at[N_PARTS];
    double start = bench_now(cpu_time);
    oto_network_set_parameters(s->net, s->params, s->pool);
    oto_status status =
        oto_network_forward(s->net, s->ws, s->log_probs, s->x, &s->seqs, 1, &dropout, s->pool, err);
    at[FORWARD] = bench_now(cpu_time);
    if (status == OTO_OK)
        oto_pool_run(s->pool, batch, ctc_task, s);
    for (int b = 0; b < batch && status == OTO_OK; b++)
        status = s->ctc_status[b];
    at[CTC] = bench_now(cpu_time);
    if (status == OTO_OK)
        status = oto_network_backward(s->net, s->ws, s->dparams, NULL, s->dlogits, s->x, &s->seqs,
                                      s->pool, err);
    at[BACKWARD] = bench_now(cpu_time);
    if (status == OTO_OK) {
        double norm = oto_adam_norm(&s->adam, s->dparams, s->pool);
        oto_adam_update(&s->adam, s->params, s->dparams, norm > 1 ? 1 / norm : 1, 1e-3, s->pool);
    }
    at[ADAM] = bench_now(cpu_time);
    seconds[STEP] = at[ADAM] - start;
    seconds[FORWARD] = at[FORWARD] - start;
    for (int i = CTC; i <= ADAM; i++)
        seconds[i] = at[i] - at[i - 1];
    return status;
}

static oto_status run(struct step *s, const char *isa, oto_error *err)
{
    double parts[N_PARTS][REPS_MAX], seconds[N_PARTS];
    oto_status status = set_up(s, isa, err);
    for (int r = -1; r < reps && status == OTO_OK; r++) { /* one to warm up */
        status = run_step(s, r + 1, seconds, err);
        for (int i = 0; i < N_PARTS && r >= 0; i++)
            parts[i][r] = 1e3 * seconds[i];
    }
    if (status != OTO_OK)
        return status;
    double ms[N_PARTS];
    for (int i = 0; i < N_PARTS; i++)
        ms[i] = bench_median(parts[i], reps);
    printf("{\"bench\":\"train_step\",\"engine\":\"otolith\",\"isa\":\"%s\",\"gemm\":\"%s\","
           "\"layers\":%d,\"hidden\":%d,\"batch\":%d,\"frames\":%d,\"labels\":%d,\"dropout\":%.2f,"
           "\"threads\":%d,\"clock\":\"%s\",\"ms\":%.1f,\"min_ms\":%.1f,\"max_ms\":%.1f,"
           "\"forward_ms\":%.1f,\"ctc_ms\":%.1f,\"backward_ms\":%.1f,\"adam_ms\":%.1f,"
           "\"workspace_mb\":%.1f,\"loss\":%.3f}\n",
           oto_cpu_name(s->dsp.cpu_flags), oto_gemm_name(), layers, hidden, batch, frames, n_labels,
           dropout_percent / 100.0, threads, cpu_time ? "cpu" : "wall", ms[STEP], parts[STEP][0],
           parts[STEP][reps - 1], ms[FORWARD], ms[CTC], ms[BACKWARD], ms[ADAM],
           (double)oto_network_workspace_bytes(s->ws) / 1e6, s->loss[0]);
    return OTO_OK;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {"batch", &batch, 1, BATCH_MAX},      {"threads", &threads, 1, 256},
        {"frames", &frames, 1, 100000},       {"layers", &layers, 1, 16},
        {"hidden", &hidden, 1, 4096},         {"labels", &n_labels, 1, LABELS_MAX},
        {"dropout", &dropout_percent, 0, 99}, {"reps", &reps, 1, REPS_MAX},
        {"cpu-time", &cpu_time, 0, 1},
    };
    const char *isa = "auto";
    static struct step step;
    bench_parse(argc, argv, options, sizeof options / sizeof *options, &isa);
    setenv("OTOLITH_ISA", isa, 1); /* the matrix products follow it */
    oto_error err = {0};
    oto_status status = run(&step, isa, &err);
    if (status != OTO_OK)
        fprintf(stderr, "bench_train_step: %s\n",
                err.message[0] ? err.message : oto_status_text(status));
    tear_down(&step);
    return status == OTO_OK ? 0 : 1;
}
