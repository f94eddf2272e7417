/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CTC prefix beam search on one thread, processor time an utterance.
 *
 *     bench_beam [DATA.f32] [--utterances=20] [--frames=500] [--symbols=29] [--beam=100]
 * [--top-n=40]
 *                [--min-log-prob=-10] [--margin=20] [--reps=5] [--labels=0]
 *
 * DATA holds log-probabilities [utterances, frames, symbols]; without it peaky ones are made up: a
 * blank of 0.97 but on every sixth frame, where a label or two stand out. --min-log-prob=-10000 is
 * no threshold. --labels=1 prints the best labels too, one line of JSON for each utterance.
 * compare_beam.py runs it beside pyctcdecode.
 */
#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "decoder/beam.h"

enum { REPS_MAX = 1000 };

static int n_utterances = 20, n_frames = 500, n_symbols = 29, width = 100, top_n = 40,
           min_log_prob = -10, margin = 20, reps = 5, print_labels;

static void make_up(float *out)
{
    size_t n = (size_t)n_utterances * (size_t)n_frames, K = (size_t)n_symbols;
    for (size_t t = 0; t < n; t++) {
        float *x = out + t * K;
        double sum = 0.0;
        for (size_t k = 0; k < K; k++)
            x[k] = (float)oto_rng_normal(1, 0, t * K + k);
        if (t % 6 == 3) {
            x[1 + oto_rng_below(1, 1, t, K - 1)] += 5.0f + 1.8f * (float)oto_rng_normal(1, 2, t);
            x[1 + oto_rng_below(1, 3, t, K - 1)] += 3.5f + 1.5f * (float)oto_rng_normal(1, 4, t);
        } else {
            x[0] += 7.5f;
        }
        for (size_t k = 0; k < K; k++)
            sum += exp((double)x[k]);
        for (size_t k = 0; k < K; k++)
            x[k] -= (float)log(sum);
    }
}

static bool read_data(float *out, size_t n, const char *path)
{
    FILE *f = fopen(path, "rb");
    bool good = f && fread(out, sizeof *out, n, f) == n && getc(f) == EOF;
    if (f)
        fclose(f);
    if (!good)
        fprintf(stderr, "%s: expected %zu floats\n", path, n);
    return good;
}

static oto_status measure(double *seconds, struct oto_beam *beam, const float *data, oto_error *err)
{
    size_t stride = (size_t)n_frames * (size_t)n_symbols;
    oto_status status = OTO_OK;
    for (int rep = -1; rep < reps && status == OTO_OK; rep++) { /* the first warms up */
        double start = bench_now(true);
        for (int i = 0; i < n_utterances && status == OTO_OK; i++) {
            oto_beam_reset(beam);
            status = oto_beam_push(beam, data + (size_t)i * stride, (size_t)n_frames, err);
        }
        if (rep >= 0)
            seconds[rep] = (bench_now(true) - start) / n_utterances;
    }
    return status;
}

static oto_status print_best(struct oto_beam *beam, const float *data, oto_error *err)
{
    size_t stride = (size_t)n_frames * (size_t)n_symbols;
    oto_status status = OTO_OK;
    for (int i = 0; print_labels && i < n_utterances && status == OTO_OK; i++) {
        const struct oto_hypothesis *hyps;
        int n;
        oto_beam_reset(beam);
        status = oto_beam_push(beam, data + (size_t)i * stride, (size_t)n_frames, err);
        if (status == OTO_OK)
            status = oto_beam_n_best(beam, 1, &hyps, &n, err);
        if (status != OTO_OK)
            return status;
        printf("{\"log_prob\":%.9g,\"labels\":[", hyps[0].log_prob);
        for (int j = 0; j < hyps[0].n_labels; j++)
            printf("%s%d", j ? "," : "", hyps[0].labels[j]);
        printf("]}\n");
    }
    return status;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {{"utterances", &n_utterances, 1, 100000},
                                           {"frames", &n_frames, 1, 100000},
                                           {"symbols", &n_symbols, 2, 100000},
                                           {"beam", &width, 1, 100000},
                                           {"top-n", &top_n, 0, 100000},
                                           {"min-log-prob", &min_log_prob, -10000, 0},
                                           {"margin", &margin, 0, 10000},
                                           {"reps", &reps, 1, REPS_MAX},
                                           {"labels", &print_labels, 0, 1}};
    const char *isa = "auto", *path = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
    static double seconds[REPS_MAX];
    oto_error err = {0};
    bench_parse(argc - (path != NULL), argv + (path != NULL), options,
                sizeof options / sizeof options[0], &isa);
    const struct oto_beam_options beam_options = {
        width, top_n, min_log_prob == -10000 ? -(double)INFINITY : min_log_prob, margin};
    size_t n = (size_t)n_utterances * (size_t)n_frames * (size_t)n_symbols;
    float *data = oto_calloc(n, sizeof *data);
    struct oto_beam *beam = NULL;
    int code = 1;
    if (!data || oto_beam_create(&beam, n_symbols, &beam_options, &err) != OTO_OK ||
        (path && !read_data(data, n, path)))
        goto out;
    if (!path)
        make_up(data);
    if (measure(seconds, beam, data, &err) != OTO_OK)
        goto out;
    double median_ms = 1e3 * bench_median(seconds, reps); /* sorts */
    printf("{\"bench\":\"beam\",\"engine\":\"otolith\",\"frames\":%d,\"symbols\":%d,\"beam\":%d,"
           "\"top_n\":%d,\"min_log_prob\":%d,"
           "\"margin\":%d,\"ms\":%.3f,\"min_ms\":%.3f}\n",
           n_frames, n_symbols, width, top_n, min_log_prob, margin, median_ms, 1e3 * seconds[0]);
    code = print_best(beam, data, &err) == OTO_OK ? 0 : 1;
out:
    if (code && err.status)
        fprintf(stderr, "%s\n", err.message);
    oto_beam_destroy(beam);
    oto_free(data);
    return code;
}
