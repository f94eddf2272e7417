/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CTC loss and gradient of a batch on one thread: random log-probabilities and labels.
 *
 *     bench_ctc [--batch=16] [--frames=500] [--symbols=32] [--labels=80] [--reps=21] [--cpu-time=1]
 *
 * compare_ctc.py runs it beside PyTorch.
 */
#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "training/ctc_loss.h"

enum { REPS_MAX = 1000 };

static int batch = 16, n_frames = 500, n_symbols = 32, n_labels = 80, reps = 21, cpu_time = 1;

/** Log-softmax of standard normal logits. */
static void fill(float *log_probs, int *labels)
{
    size_t n = (size_t)batch * (size_t)n_frames, K = (size_t)n_symbols;
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t k = 0; k < K; k++) {
            log_probs[i * K + k] = (float)oto_rng_normal(1, 0, i * K + k);
            sum += exp((double)log_probs[i * K + k]);
        }
        for (size_t k = 0; k < K; k++)
            log_probs[i * K + k] -= (float)log(sum);
    }
    for (size_t i = 0; i < (size_t)batch * (size_t)n_labels; i++)
        labels[i] = 1 + (int)oto_rng_below(1, 1, i, K - 1);
}

static oto_status measure(double *seconds, struct oto_ctc *ctc, float *gradient,
                          const float *log_probs, const int *labels, oto_error *err)
{
    size_t stride = (size_t)n_frames * (size_t)n_symbols;
    for (int rep = -1; rep < reps; rep++) { /* the first warms up */
        double start = bench_now(cpu_time), loss;
        for (int b = 0; b < batch; b++) {
            oto_status status =
                oto_ctc_compute(ctc, &loss, gradient ? gradient + (size_t)b * stride : NULL,
                                log_probs + (size_t)b * stride, NULL, n_frames, n_symbols,
                                labels + (size_t)b * (size_t)n_labels, n_labels, err);
            if (status != OTO_OK)
                return status;
        }
        if (rep >= 0)
            seconds[rep] = bench_now(cpu_time) - start;
    }
    return OTO_OK;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {"batch", &batch, 1, 4096},         {"frames", &n_frames, 1, 100000},
        {"symbols", &n_symbols, 2, 100000}, {"labels", &n_labels, 0, 100000},
        {"reps", &reps, 1, REPS_MAX},       {"cpu-time", &cpu_time, 0, 1}};
    const char *isa = "auto";
    static double loss_s[REPS_MAX], both_s[REPS_MAX];
    oto_error err = {0};
    bench_parse(argc, argv, options, sizeof options / sizeof options[0], &isa);
    size_t n = (size_t)batch * (size_t)n_frames * (size_t)n_symbols;
    float *log_probs = oto_calloc(n, sizeof *log_probs),
          *gradient = oto_calloc(n, sizeof *gradient);
    int *labels = oto_calloc((size_t)batch * (size_t)n_labels, sizeof *labels);
    struct oto_ctc *ctc = NULL;
    oto_status status = log_probs && gradient && labels ? oto_ctc_create(&ctc, &err)
                                                        : oto_fail_memory(&err, "batch");
    if (status == OTO_OK) {
        fill(log_probs, labels);
        status = measure(loss_s, ctc, NULL, log_probs, labels, &err);
    }
    if (status == OTO_OK)
        status = measure(both_s, ctc, gradient, log_probs, labels, &err);
    if (status == OTO_OK) {
        double loss_ms = 1e3 * bench_median(loss_s, reps),
               both_ms = 1e3 * bench_median(both_s, reps);
        printf(
            "{\"bench\":\"ctc\",\"engine\":\"otolith\",\"batch\":%d,\"frames\":%d,\"symbols\":%d,"
            "\"labels\":%d,\"clock\":\"%s\",\"loss_ms\":%.3f,\"ms\":%.3f,\"min_ms\":%.3f}\n",
            batch, n_frames, n_symbols, n_labels, cpu_time ? "cpu" : "wall", loss_ms, both_ms,
            1e3 * both_s[0]);
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    oto_ctc_destroy(ctc);
    oto_free(labels);
    oto_free(gradient);
    oto_free(log_probs);
    return status == OTO_OK ? 0 : 1;
}
