/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What processes pay for a step of their own: a record of each to all, then the sum of gradients.
 * With --processes=1 under mpirun, among its processes.
 *
 *     bench_exchange [--processes=2] [--floats=6067869] [--reps=20]
 *
 * sent_mb is what each process sends in a sum: 2 (N-1)/N of all gradients.
 */
#include "bench.h"
#include "training/comm.h"

static int processes = 2, floats = 6067869, reps = 20;

struct exchange {
    struct oto_comm *comm;
    double sum_ms[BENCH_REPS_MAX], record_ms[BENCH_REPS_MAX];
    int number;
};

static oto_status run(void *arg, oto_error *err)
{
    struct exchange *e = arg;
    static char all[64 * OTO_COMM_MAX_PROCESSES];
    const float *total;
    const char mine[32] = {0};
    for (int k = 0; k < oto_comm_n_own(e->comm); k++)
        for (int i = 0; i < floats; i++)
            oto_comm_block(e->comm, k)[i] = 1;
    /* Twice: the first brings all processes to the same moment. */
    oto_status status = oto_comm_gather(e->comm, all, mine, sizeof mine, err);
    double start = bench_now(false);
    if (status == OTO_OK)
        status = oto_comm_gather(e->comm, all, mine, sizeof mine, err);
    double gathered = bench_now(false);
    if (status == OTO_OK)
        status = oto_comm_sum(e->comm, &total, NULL, err);
    if (e->number > 0) {
        e->record_ms[e->number - 1] = 1e3 * (gathered - start);
        e->sum_ms[e->number - 1] = 1e3 * (bench_now(false) - gathered);
    }
    e->number++;
    return status;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {.name = "processes", &processes, 1, 64},
        {.name = "floats", &floats, 1, 1 << 30},
        {.name = "reps", &reps, 1, BENCH_REPS_MAX},
    };
    static struct exchange e;
    static struct bench_times times;
    oto_error err = {0};
    bench_parse(argc, argv, options, sizeof options / sizeof *options);
    oto_status status = oto_comm_start(&e.comm, processes, &err);
    int n_parts = 1, size = oto_comm_size(e.comm) > 1 ? oto_comm_size(e.comm) : processes;
    while (n_parts < size)
        n_parts *= 2;
    if (status == OTO_OK)
        status = oto_comm_reserve(e.comm, (size_t)floats, n_parts, &err);
    if (status == OTO_OK)
        status = bench_repeat(&times, 1, reps, run, &e, &err);
    if (status == OTO_OK && oto_comm_rank(e.comm) == 0) {
        char text[64];
        printf("{\"bench\":\"exchange\",\"processes\":\"%s\",\"floats\":%d,\"record_ms\":%.3f,"
               "\"sum_ms\":%.2f,\"sent_mb\":%.1f",
               oto_comm_describe(e.comm, text), floats, bench_median(e.record_ms, reps),
               bench_median(e.sum_ms, reps), 2.0 * (size - 1) / size * 4e-6 * floats);
        bench_print_end(&times, 1, 1, 0);
    }
    if (status != OTO_OK)
        oto_comm_fail(e.comm, &err);
    oto_comm_destroy(e.comm);
    return bench_exit("bench_exchange", status, &err);
}
