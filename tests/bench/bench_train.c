/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time of a training step: forward, CTC loss, backward, Adam. By default 4 x BLSTM-320, 120 inputs,
 * batch 16, 500 frames, 32 symbols, 80 labels.
 *
 *     bench_train [--batch=16] [--threads=1] [--frames=500] [--layers=4] [--hidden=320]
 *                 [--input=120] [--labels=80] [--dropout=PERCENT] [--isa=auto] [--precision=fp32]
 *                 [--reps=5]
 *
 * gflops counts three times the forward products of recurrent and dense layers. growth_mb is the
 * peak of the process's memory less what it had before the network was made. forward_ms and the
 * others are by the clock that counts: processor time for one thread, wall time for more.
 */
#include "acoustic/network.h"
#include "bench.h"
#include "training/ctc_loss.h"
#include "training/optim.h"

enum { BATCH_MAX = 256, LABELS_MAX = 1000, SYMBOLS = 32 };
enum { FORWARD, CTC, BACKWARD, ADAM, N_PARTS };

static int batch = 16, threads = 1, frames = 500, layers = 4, hidden = 320, inputs = 120,
           n_labels = 80, dropout_percent = 0, reps = 5;
static const char *isa = "auto", *precision = "fp32";

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
    int number;
    double parts_ms[N_PARTS][BENCH_REPS_MAX]; /* of steps 1, 2, ...: 0 warms up */
};

static oto_status set_up(struct step *s, oto_error *err)
{
    const struct oto_adam_options adam = {0.9, 0.999, 1e-8, 0, 0, 0};
    int lengths[BATCH_MAX];
    s->shape = (struct oto_network_shape){inputs, layers, hidden, 0, SYMBOLS, 0};
    s->n_params = oto_network_n_parameters(&s->shape);
    s->n_rows = (size_t)batch * (size_t)frames;
    s->params = oto_calloc(s->n_params, sizeof *s->params);
    s->dparams = oto_calloc(s->n_params, sizeof *s->dparams);
    s->x = bench_numbers(s->n_rows * (size_t)inputs, 2, 1);
    s->log_probs = oto_calloc(s->n_rows * SYMBOLS, sizeof *s->log_probs);
    s->dlogits = oto_calloc(s->n_rows * SYMBOLS, sizeof *s->dlogits);
    s->rows = oto_calloc(s->n_rows, sizeof *s->rows);
    if (s->params == NULL || s->dparams == NULL || s->x == NULL || s->log_probs == NULL ||
        s->dlogits == NULL || s->rows == NULL)
        return oto_fail_memory(err, "network and batch");
    for (int b = 0; b < batch; b++)
        lengths[b] = frames;
    for (int j = 0; j < n_labels; j++)
        s->labels[j] = 1 + (int)oto_rng_below(1, 3, (uint64_t)j, SYMBOLS - 1);
    oto_network_init_parameters(&s->shape, s->params, 1);

    oto_status status = bench_kernels(&s->dsp, isa, err);
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

static oto_status run_step(void *arg, oto_error *err)
{
    struct step *s = arg;
    const struct oto_network_dropout dropout = {dropout_percent / 100.0, 1, (uint64_t)s->number};
    const bool cpu_time = threads == 1;
    double at[N_PARTS + 1] = {bench_now(cpu_time)};
    oto_network_set_parameters(s->net, s->params, s->pool);
    oto_status status =
        oto_network_forward(s->net, s->ws, s->log_probs, s->x, &s->seqs, 1, &dropout, s->pool, err);
    at[FORWARD + 1] = bench_now(cpu_time);
    if (status == OTO_OK)
        oto_pool_run(s->pool, batch, ctc_task, s);
    for (int b = 0; b < batch && status == OTO_OK; b++)
        status = s->ctc_status[b];
    at[CTC + 1] = bench_now(cpu_time);
    if (status == OTO_OK)
        status = oto_network_backward(s->net, s->ws, s->dparams, NULL, s->dlogits, s->x, &s->seqs,
                                      s->pool, err);
    at[BACKWARD + 1] = bench_now(cpu_time);
    if (status == OTO_OK) {
        double norm = oto_adam_norm(&s->adam, s->dparams, s->pool);
        oto_adam_update(&s->adam, s->params, s->dparams, norm > 1 ? 1 / norm : 1, 1e-3, s->pool);
    }
    at[ADAM + 1] = bench_now(cpu_time);
    for (int i = 0; i < N_PARTS && s->number > 0; i++)
        s->parts_ms[i][s->number - 1] = 1e3 * (at[i + 1] - at[i]);
    s->number++;
    return status;
}

static void print(struct step *s, struct bench_times *times, double rss_before_mb)
{
    const double growth_mb = bench_rss_mb() - rss_before_mb, h = hidden;
    double flop = 4 * h * SYMBOLS;
    for (int l = 0; l < layers; l++)
        flop += 16 * h * ((l == 0 ? inputs : 2 * h) + h);
    printf("{\"bench\":\"train\",\"engine\":\"otolith\",\"isa\":\"%s\",\"precision\":\"%s\","
           "\"products\":\"%s\",\"batch\":%d,\"frames\":%d,\"layers\":%d,\"hidden\":%d,"
           "\"input\":%d,\"labels\":%d,\"dropout\":%.2f,\"forward_ms\":%.1f,\"ctc_ms\":%.1f,"
           "\"backward_ms\":%.1f,\"adam_ms\":%.1f,\"workspace_mb\":%.1f,\"growth_mb\":%.1f,"
           "\"loss\":%.3f",
           oto_cpu_name(s->dsp.cpu_flags), precision, oto_gemm_name(), batch, frames, layers,
           hidden, inputs, n_labels, dropout_percent / 100.0,
           bench_median(s->parts_ms[FORWARD], reps), bench_median(s->parts_ms[CTC], reps),
           bench_median(s->parts_ms[BACKWARD], reps), bench_median(s->parts_ms[ADAM], reps),
           (double)oto_network_workspace_bytes(s->ws) / 1e6, growth_mb, s->loss[0]);
    bench_print_end(times, threads, 1, 3e-9 * flop * (double)s->n_rows);
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {.name = "batch", &batch, 1, BATCH_MAX},
        {.name = "threads", &threads, 1, 256},
        {.name = "frames", &frames, 1, 100000},
        {.name = "layers", &layers, 1, 16},
        {.name = "hidden", &hidden, 1, 4096},
        {.name = "input", &inputs, 1, 4096},
        {.name = "labels", &n_labels, 1, LABELS_MAX},
        {.name = "dropout", &dropout_percent, 0, 99},
        {.name = "reps", &reps, 1, BENCH_REPS_MAX},
        {.name = "precision", .text = &precision, .choices = "fp32"},
        BENCH_ISA(&isa),
    };
    static struct step step;
    static struct bench_times times;
    oto_error err = {0};
    bench_parse(argc, argv, options, sizeof options / sizeof *options);
    const double rss_before_mb = bench_rss_mb();
    oto_status status = set_up(&step, &err);
    if (status == OTO_OK)
        status = bench_repeat(&times, 1, reps, run_step, &step, &err);
    if (status == OTO_OK)
        print(&step, &times, rss_before_mb);
    tear_down(&step);
    return bench_exit("bench_train", status, &err);
}
