/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CTC loss and gradient of a batch on one thread: random log-probabilities and labels.
 *
 *     bench_ctc [--batch=16] [--frames=500] [--symbols=32] [--labels=80] [--gradient=1] [--reps=21]
 *
 * gflops counts nominal operations: 10 a cell of the lattice [frames, 2 labels + 1] and pass (two
 * with the gradient), and 2 a frame and symbol.
 */
#include <math.h>

#include "bench.h"
#include "training/ctc_loss.h"

static int batch = 16, n_frames = 500, n_symbols = 32, n_labels = 80, with_gradient = 1, reps = 21;

struct data {
    struct oto_ctc *ctc;
    float *log_probs, *gradient;
    int *labels;
};

/** Log-softmax of standard normal logits. */
static void fill(struct data *d)
{
    size_t n = (size_t)batch * (size_t)n_frames, K = (size_t)n_symbols;
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t k = 0; k < K; k++) {
            d->log_probs[i * K + k] = (float)oto_rng_normal(1, 0, i * K + k);
            sum += exp((double)d->log_probs[i * K + k]);
        }
        for (size_t k = 0; k < K; k++)
            d->log_probs[i * K + k] -= (float)log(sum);
    }
    for (size_t i = 0; i < (size_t)batch * (size_t)n_labels; i++)
        d->labels[i] = 1 + (int)oto_rng_below(1, 1, i, K - 1);
}

static oto_status run(void *arg, oto_error *err)
{
    struct data *d = arg;
    const size_t stride = (size_t)n_frames * (size_t)n_symbols;
    oto_status status = OTO_OK;
    double loss;
    for (size_t b = 0; b < (size_t)batch && status == OTO_OK; b++)
        status = oto_ctc_compute(d->ctc, &loss, with_gradient ? d->gradient + b * stride : NULL,
                                 d->log_probs + b * stride, NULL, n_frames, n_symbols,
                                 d->labels + b * (size_t)n_labels, n_labels, err);
    return status;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {.name = "batch", &batch, 1, 4096},         {.name = "frames", &n_frames, 1, 100000},
        {.name = "symbols", &n_symbols, 2, 100000}, {.name = "labels", &n_labels, 0, 100000},
        {.name = "gradient", &with_gradient, 0, 1}, {.name = "reps", &reps, 1, BENCH_REPS_MAX},
    };
    static struct bench_times times;
    oto_error err = {0};
    bench_parse(argc, argv, options, sizeof options / sizeof *options);
    const size_t n = (size_t)batch * (size_t)n_frames * (size_t)n_symbols;
    struct data d = {NULL, oto_calloc(n, sizeof(float)), oto_calloc(n, sizeof(float)),
                     oto_calloc((size_t)batch * (size_t)n_labels, sizeof(int))};
    oto_status status = d.log_probs && d.gradient && d.labels ? oto_ctc_create(&d.ctc, &err)
                                                              : oto_fail_memory(&err, "batch");
    if (status == OTO_OK) {
        fill(&d);
        status = bench_repeat(&times, 1, reps, run, &d, &err);
    }
    if (status == OTO_OK) {
        const double cells = 10.0 * (1 + with_gradient) * (2.0 * n_labels + 1) + 2.0 * n_symbols;
        printf("{\"bench\":\"ctc\",\"engine\":\"otolith\",\"batch\":%d,\"frames\":%d,"
               "\"symbols\":%d,\"labels\":%d,\"gradient\":%d",
               batch, n_frames, n_symbols, n_labels, with_gradient);
        bench_print_end(&times, 1, 1, 1e-9 * cells * batch * n_frames);
    }
    oto_ctc_destroy(d.ctc);
    oto_free(d.labels);
    oto_free(d.gradient);
    oto_free(d.log_probs);
    return bench_exit("bench_ctc", status, &err);
}
