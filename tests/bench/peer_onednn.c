/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oneDNN's bidirectional LSTM, 4 layers of 320 after 120 inputs, 1000 frames: prints a line of JSON
 * as our benchmark programs do. compare.sh compiles it (oneDNN 2, Debian's libdnnl-dev) and calls
 * it with OMP_NUM_THREADS set.
 *
 *     peer_onednn [--batch=1] [--threads=N] [--reps=5]
 *
 * Weights go to the layout that the primitive asks for once, before the clock starts.
 */
#define _POSIX_C_SOURCE 200809L
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUTS = 120, HIDDEN = 320, LAYERS = 4, FRAMES = 1000, REPS_MAX = 100, N_ARGS = 5 };

struct layer {
    dnnl_primitive_t lstm;
    dnnl_exec_arg_t args[N_ARGS];
};

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return;
    fprintf(stderr, "oneDNN: %s: status %d\n", what, (int)status);
    exit(1);
}

static dnnl_memory_desc_t describe(int n_dims, const dnnl_dim_t *dims, dnnl_format_tag_t format)
{
    dnnl_memory_desc_t d;
    check(dnnl_memory_desc_init_by_tag(&d, n_dims, dims, dnnl_f32, format), "descriptor");
    return d;
}

/* Random numbers in [-range, range]. */
static dnnl_memory_t allocate(const dnnl_memory_desc_t *description, float range)
{
    dnnl_memory_t memory;
    void *data;
    check(dnnl_memory_create(&memory, description, engine, DNNL_MEMORY_ALLOCATE), "memory");
    check(dnnl_memory_get_data_handle(memory, &data), "data");
    const size_t n = dnnl_memory_desc_get_size(description) / sizeof(float);
    for (size_t i = 0; i < n; i++)
        ((float *)data)[i] = range * (2 * (float)rand() / (float)RAND_MAX - 1);
    return memory;
}

static dnnl_memory_t reorder(const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to)
{
    dnnl_memory_t plain = allocate(from, 0.055f), packed = allocate(to, 0);
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, packed}};
    check(dnnl_reorder_primitive_desc_create(&description, from, engine, to, engine, NULL),
          "reorder");
    check(dnnl_primitive_create(&primitive, description), "reorder");
    check(dnnl_primitive_execute(primitive, stream, 2, args), "reorder");
    check(dnnl_stream_wait(stream), "reorder");
    check(dnnl_primitive_destroy(primitive), "reorder");
    check(dnnl_primitive_desc_destroy(description), "reorder");
    check(dnnl_memory_destroy(plain), "memory");
    return packed;
}

/* x NULL: an input of its own. Returns the layer's output. */
static dnnl_memory_t make_layer(struct layer *layer, dnnl_memory_t x, int n_inputs, int batch)
{
    const dnnl_dim_t x_dims[] = {FRAMES, batch, n_inputs}, y_dims[] = {FRAMES, batch, 2 * HIDDEN},
                     w_dims[] = {1, 2, n_inputs, 4, HIDDEN}, r_dims[] = {1, 2, HIDDEN, 4, HIDDEN},
                     b_dims[] = {1, 2, 4, HIDDEN};
    const dnnl_memory_desc_t xd = describe(3, x_dims, dnnl_tnc), yd = describe(3, y_dims, dnnl_tnc),
                             bd = describe(4, b_dims, dnnl_ldgo),
                             w_any = describe(5, w_dims, dnnl_format_tag_any),
                             r_any = describe(5, r_dims, dnnl_format_tag_any),
                             w_plain = describe(5, w_dims, dnnl_ldigo),
                             r_plain = describe(5, r_dims, dnnl_ldigo);
    dnnl_memory_desc_t none;
    dnnl_rnn_desc_t rnn;
    dnnl_primitive_desc_t description;
    memset(&none, 0, sizeof none);
    check(dnnl_lstm_forward_desc_init(&rnn, dnnl_forward_inference, dnnl_bidirectional_concat, &xd,
                                      &none, &none, &w_any, &r_any, &bd, &yd, &none, &none, 0),
          "LSTM descriptor");
    check(dnnl_primitive_desc_create(&description, &rnn, NULL, engine, NULL), "LSTM");
    check(dnnl_primitive_create(&layer->lstm, description), "LSTM");
    dnnl_memory_t y = allocate(&yd, 0);
    const dnnl_exec_arg_t args[N_ARGS] = {
        {DNNL_ARG_SRC_LAYER, x ? x : allocate(&xd, 1)},
        {DNNL_ARG_WEIGHTS_LAYER,
         reorder(&w_plain, dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0))},
        {DNNL_ARG_WEIGHTS_ITER,
         reorder(&r_plain, dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 1))},
        {DNNL_ARG_BIAS, allocate(&bd, 0.055f)},
        {DNNL_ARG_DST_LAYER, y}};
    memcpy(layer->args, args, sizeof args);
    check(dnnl_primitive_desc_destroy(description), "LSTM");
    return y;
}

static double now_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int batch = 1, threads = 1, reps = 5;
    struct layer layers[LAYERS];
    double wall[REPS_MAX], cpu[REPS_MAX];
    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "--batch=%d", &batch) + sscanf(argv[i], "--threads=%d", &threads) +
                sscanf(argv[i], "--reps=%d", &reps) !=
            1) {
            fprintf(stderr, "%s: unknown option\n", argv[i]);
            return 64;
        }
    }
    if (batch < 1 || reps < 1 || reps > REPS_MAX)
        return 64;
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    dnnl_memory_t x = NULL;
    for (int l = 0; l < LAYERS; l++)
        x = make_layer(&layers[l], x, l == 0 ? INPUTS : 2 * HIDDEN, batch);
    for (int rep = -2; rep < reps; rep++) { /* two to warm up */
        const double wall_start = now_ms(CLOCK_MONOTONIC),
                     cpu_start = now_ms(CLOCK_PROCESS_CPUTIME_ID);
        for (int l = 0; l < LAYERS; l++)
            check(dnnl_primitive_execute(layers[l].lstm, stream, N_ARGS, layers[l].args), "LSTM");
        check(dnnl_stream_wait(stream), "LSTM");
        if (rep >= 0) {
            wall[rep] = now_ms(CLOCK_MONOTONIC) - wall_start;
            cpu[rep] = now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
        }
    }
    qsort(wall, (size_t)reps, sizeof *wall, compare);
    qsort(cpu, (size_t)reps, sizeof *cpu, compare);
    const dnnl_version_t *v = dnnl_version();
    printf(
        "{\"engine\":\"onednn\",\"version\":\"%d.%d.%d\",\"batch\":%d,\"threads\":%d,\"reps\":%d,"
        "\"median_ms\":%.2f,\"min_ms\":%.2f,\"max_ms\":%.2f,\"cpu_ms\":%.2f,\"min_cpu_ms\":%.2f}"
        "\n",
        v->major, v->minor, v->patch, batch, threads, reps, wall[reps / 2], wall[0], wall[reps - 1],
        cpu[reps / 2], cpu[0]);
    return 0;
}
