/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time of a forward pass (inference) on random weights and inputs, with a dense layer of 32 labels
 * and log-softmax on top: by default 4 x BLSTM-320, 120 inputs, 1000 frames.
 *
 *     bench_blstm [--batch=1] [--threads=1] [--frames=1000] [--layers=4] [--hidden=320]
 *                 [--input=120] [--isa=auto] [--precision=fp32|int8]
 *                 [--weights=fp32] [--reps=5]
 *
 * --weights=fp16 rounds the weights to half precision first, as model files hold them by default;
 * arithmetic is what --precision says in either case.
 *
 * gflops counts the products of the recurrent layers alone: 16 H (D + H) a frame and layer.
 */
#include "acoustic/network.h"
#include "acoustic/quant.h"
#include "base/bytes.h"
#include "bench.h"

enum { BATCH_MAX = 256, LABELS = 32 };

static int batch = 1, threads = 1, frames = 1000, layers = 4, hidden = 320, inputs = 120, reps = 5;
static const char *isa = "auto", *precision = "fp32", *weights = "fp32";

struct forward {
    struct oto_network *net;
    struct oto_network_workspace *ws;
    struct oto_pool *pool;
    struct oto_sequences seqs;
    struct oto_dsp dsp;
    struct oto_dsp_int8 int8;
    struct oto_quantized *quantized; /* NULL: float */
    float *params, *x, *log_probs;
};

static oto_status make_float(struct forward *f, const struct oto_network_shape *shape,
                             oto_error *err)
{
    oto_status status = oto_network_create(&f->net, shape, &f->dsp, err);
    if (status == OTO_OK)
        status = oto_network_forward_only(f->net, err);
    if (status == OTO_OK)
        oto_network_set_parameters(f->net, f->params, f->pool);
    return status;
}

static oto_status make_int8(struct forward *f, const struct oto_network_shape *shape,
                            oto_error *err)
{
    oto_dsp_int8_init(&f->int8, oto_cpu_flags());
    oto_status status = oto_quantized_create(&f->quantized, shape, f->params, err);
    if (status == OTO_OK)
        status = oto_network_create_int8(&f->net, shape, &f->dsp, &f->int8, err);
    if (status == OTO_OK)
        oto_network_set_int8(f->net, f->quantized->tensors, f->pool);
    return status;
}

static oto_status set_up(struct forward *f, oto_error *err)
{
    const struct oto_network_shape shape = {inputs, layers, hidden, 0, LABELS, 0};
    const size_t n_rows = (size_t)batch * (size_t)frames;
    const size_t n_params = oto_network_n_parameters(&shape);
    int lengths[BATCH_MAX];
    for (int b = 0; b < batch; b++)
        lengths[b] = frames;
    f->params = oto_calloc(n_params, sizeof *f->params);
    f->x = bench_numbers(n_rows * (size_t)inputs, 2, 1);
    f->log_probs = oto_calloc(n_rows * LABELS, sizeof *f->log_probs);
    if (f->params == NULL || f->x == NULL || f->log_probs == NULL)
        return oto_fail_memory(err, "network and inputs");
    oto_status status = bench_kernels(&f->dsp, isa, err);
    if (status == OTO_OK)
        status = oto_pool_create(&f->pool, threads, err);
    if (status == OTO_OK)
        status = oto_sequences_set(&f->seqs, lengths, batch, err);
    if (status != OTO_OK)
        return status;
    oto_network_init_parameters(&shape, f->params, 1);
    if (strcmp(weights, "fp16") == 0)
        for (size_t i = 0; i < n_params; i++)
            f->params[i] = oto_half_to_float(oto_float_to_half(f->params[i]));
    status =
        strcmp(precision, "int8") == 0 ? make_int8(f, &shape, err) : make_float(f, &shape, err);
    if (status == OTO_OK)
        status = oto_network_workspace_create(&f->ws, f->net, err);
    return status;
}

static void tear_down(struct forward *f)
{
    oto_network_workspace_destroy(f->ws);
    oto_network_destroy(f->net);
    oto_sequences_clear(&f->seqs);
    oto_pool_destroy(f->pool);
    oto_quantized_destroy(f->quantized);
    oto_free(f->log_probs);
    oto_free(f->x);
    oto_free(f->params);
}

static oto_status run(void *arg, oto_error *err)
{
    struct forward *f = arg;
    return oto_network_forward(f->net, f->ws, f->log_probs, f->x, &f->seqs, 0, NULL, f->pool, err);
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
        {.name = "reps", &reps, 1, BENCH_REPS_MAX},
        {.name = "precision", .text = &precision, .choices = "fp32|int8"},
        {.name = "weights", .text = &weights, .choices = "fp32|fp16"},
        BENCH_ISA(&isa),
    };
    static struct bench_times times;
    struct forward f = {0};
    oto_error err = {0};
    bench_parse(argc, argv, options, sizeof options / sizeof *options);
    oto_status status = set_up(&f, &err);
    if (status == OTO_OK)
        status = bench_repeat(&times, 2, reps, run, &f, &err);
    if (status == OTO_OK) {
        const double h = hidden, n_rows = (double)batch * frames;
        double flop = 0;
        for (int l = 0; l < layers; l++)
            flop += 16 * h * ((l == 0 ? inputs : 2 * h) + h) * n_rows;
        printf("{\"bench\":\"blstm\",\"engine\":\"otolith\",\"isa\":\"%s\",\"precision\":\"%s\","
               "\"weights\":\"%s\","
               "\"products\":\"%s\",\"batch\":%d,\"frames\":%d,\"layers\":%d,\"hidden\":%d,"
               "\"input\":%d,\"workspace_mb\":%.1f",
               f.quantized != NULL ? f.int8.name : oto_cpu_name(f.dsp.cpu_flags), precision,
               weights, oto_gemm_name(), batch, frames, layers, hidden, inputs,
               (double)oto_network_workspace_bytes(f.ws) / 1e6);
        bench_print_end(&times, threads, 1, 1e-9 * flop);
    }
    tear_down(&f);
    return bench_exit("bench_blstm", status, &err);
}
