/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/comm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "training/comm_private.h"

/* ---- alone
 * ---------------------------------------------------------------------------------------------- */

static oto_status single_reserve(struct oto_comm *c, oto_error *err)
{
    c->total = c->own[0] = oto_calloc(c->n, sizeof(float));
    return c->total ? OTO_OK : oto_fail_memory(err, "gradients");
}

static oto_status single_gather(struct oto_comm *c, void *all, const void *mine, size_t n,
                                oto_error *err)
{
    (void)c;
    (void)err;
    memcpy(all, mine, n);
    return OTO_OK;
}

static oto_status single_share(struct oto_comm *c, void *data, size_t n, oto_error *err)
{
    (void)c;
    (void)data;
    (void)n;
    (void)err;
    return OTO_OK;
}

static oto_status single_sum(struct oto_comm *c, struct oto_pool *pool, oto_error *err)
{
    (void)c;
    (void)pool;
    (void)err;
    return OTO_OK;
}

static void single_destroy(struct oto_comm *c)
{
    oto_free(c->total);
}

const struct oto_comm_ops oto_comm_single = {
    .name = "alone",
    .reserve = single_reserve,
    .gather = single_gather,
    .share = single_share,
    .sum = single_sum,
    .destroy = single_destroy,
};

/* ---- start and end
 * ----------------------------------------------------------------------------------------------
 */

/* Processes of the mpirun that started this one: what Open MPI, or MPICH and its kin, say in the
 * environment; 0 without. */
static int launched_by_mpirun(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = getenv(names[i]);
        if (text && atoi(text) > 0)
            return atoi(text);
    }
    return 0;
}

/* The variants, one a row: which it is depends on who started this process and what is asked for.
 */
static oto_status choose(const struct oto_comm_ops **ops, int n_processes, oto_error *err)
{
    int n_mpi = launched_by_mpirun();
    if (n_mpi > 1 && n_processes > 1)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--processes=%d under mpirun, which has started %d: give one of them",
                        n_processes, n_mpi);
    if (n_mpi > 1) {
#ifdef OTO_HAVE_MPI
        *ops = &oto_comm_mpi;
        return OTO_OK;
#else
        return oto_fail(err, OTO_ERR_UNSUPPORTED,
                        "started %d times by mpirun, but this build has no MPI; on one machine, "
                        "--processes=%d does the same",
                        n_mpi, n_mpi);
#endif
    }
    *ops = n_processes > 1 ? &oto_comm_shared : &oto_comm_single;
    return OTO_OK;
}

oto_status oto_comm_start(struct oto_comm **out, int n_processes, oto_error *err)
{
    *out = NULL;
    const struct oto_comm_ops *ops = NULL;
    oto_status status = choose(&ops, n_processes, err);
    if (status != OTO_OK)
        return status;
    struct oto_comm *c = oto_calloc(1, sizeof *c);
    if (!c)
        return oto_fail_memory(err, "processes");
    c->ops = ops;
    c->wanted = n_processes;
    c->size = c->n_local = 1;
    if (ops->start)
        status = ops->start(c, err);
    if (status != OTO_OK) {
        oto_comm_destroy(c);
        return status;
    }
    *out = c;
    return OTO_OK;
}

oto_status oto_comm_reserve(struct oto_comm *c, size_t n, int n_parts, oto_error *err)
{
    int size = c->ops == &oto_comm_shared ? c->wanted : c->size;
    if (size > n_parts)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "%d processes for batches of %d parts: give --parts=N, a power of two, at "
                        "least as many as processes",
                        size, n_parts);
    c->n = n;
    c->n_parts = n_parts;
    for (c->n_blocks = 1; c->n_blocks < size;)
        c->n_blocks *= 2;
    return c->ops->reserve(c, err);
}

void oto_comm_fail(struct oto_comm *c, const oto_error *why)
{
    if (c && c->ops->fail)
        c->ops->fail(c, why);
}

void oto_comm_destroy(struct oto_comm *c)
{
    if (!c)
        return;
    c->ops->destroy(c);
    oto_free(c);
}

/* ---- who and what
 * -----------------------------------------------------------------------------------------------
 */

int oto_comm_rank(const struct oto_comm *c)
{
    return c ? c->rank : 0;
}

int oto_comm_size(const struct oto_comm *c)
{
    return c ? c->size : 1;
}

int oto_comm_n_local(const struct oto_comm *c)
{
    return c ? c->n_local : 1;
}

char *oto_comm_describe(const struct oto_comm *c, char text[64])
{
    if (oto_comm_size(c) == 1)
        snprintf(text, 64, "one process");
    else
        snprintf(text, 64, "%d processes by %s", c->size, c->ops->name);
    return text;
}

int oto_comm_n_own(const struct oto_comm *c)
{
    return c->n_blocks > c->size + c->rank ? 2 : 1;
}

int oto_comm_own_parts(const struct oto_comm *c, int k, int *n_parts)
{
    *n_parts = c->n_parts / c->n_blocks;
    return (c->rank + k * c->size) * *n_parts;
}

float *oto_comm_block(struct oto_comm *c, int k)
{
    return c->own[k];
}

/* ---- all together
 * -----------------------------------------------------------------------------------------------
 */

oto_status oto_comm_gather(struct oto_comm *c, void *all, const void *mine, size_t n,
                           oto_error *err)
{
    if (n > OTO_COMM_RECORD_BYTES)
        return oto_fail(err, OTO_ERR_ARGUMENT, "a record of %zu bytes, expected at most %d", n,
                        OTO_COMM_RECORD_BYTES);
    return (c ? c->ops : &oto_comm_single)->gather(c, all, mine, n, err);
}

oto_status oto_comm_share(struct oto_comm *c, void *data, size_t n, oto_error *err)
{
    return c ? c->ops->share(c, data, n, err) : OTO_OK;
}

oto_status oto_comm_sum(struct oto_comm *c, const float **total, struct oto_pool *pool,
                        oto_error *err)
{
    *total = c->total;
    return c->ops->sum(c, pool, err);
}

struct piece {       /* of a long message */
    uint64_t n_left; /* this piece included */
    unsigned char data[OTO_COMM_RECORD_BYTES - sizeof(uint64_t)];
};

oto_status oto_comm_collect(struct oto_comm *c, struct oto_writer *all, const void *mine, size_t n,
                            oto_error *err)
{
    size_t size = (size_t)oto_comm_size(c), done = 0;
    if (size == 1) {
        oto_write_bytes(all, mine, n);
        return all->failed ? oto_fail_memory(err, "messages of processes") : OTO_OK;
    }
    struct piece *out = oto_calloc(1, sizeof *out), *in = oto_calloc(size, sizeof *in);
    oto_status status = out && in ? OTO_OK : oto_fail_memory(err, "messages of processes");
    for (bool more = true; more && status == OTO_OK;) {
        size_t left = n - done, now = left < sizeof out->data ? left : sizeof out->data;
        out->n_left = left;
        if (now > 0)
            memcpy(out->data, (const unsigned char *)mine + done, now);
        done += now;
        status = oto_comm_gather(c, in, out, sizeof *out, err);
        more = false;
        for (size_t r = 0; status == OTO_OK && r < size; r++) {
            size_t n_in = in[r].n_left < sizeof in->data ? (size_t)in[r].n_left : sizeof in->data;
            more = more || in[r].n_left > n_in;
            if (c->rank == 0)
                oto_write_bytes(&all[r], in[r].data, n_in);
        }
    }
    for (size_t r = 0; status == OTO_OK && c->rank == 0 && r < size; r++)
        if (all[r].failed)
            status = oto_fail_memory(err, "messages of processes");
    oto_free(out);
    oto_free(in);
    return status;
}

/* ---- sums
 * -------------------------------------------------------------------------------------------------------
 */

void oto_comm_slice(const struct oto_comm *c, int r, size_t *begin, size_t *end)
{
    size_t size = (size_t)c->size, width = ((c->n + size - 1) / size + 15) / 16 * 16;
    *begin = width * (size_t)r < c->n ? width * (size_t)r : c->n;
    *end = *begin + width < c->n ? *begin + width : c->n;
}

void oto_comm_sum_rows(float *out, float *const *rows, int n_blocks, size_t n)
{
    for (int step = 1; step < n_blocks; step *= 2)
        for (int b = 0; b + step < n_blocks; b += 2 * step) {
            float *restrict a = rows[b];
            const float *restrict other = rows[b + step];
            for (size_t i = 0; i < n; i++)
                a[i] += other[i];
        }
    if (out != rows[0])
        memcpy(out, rows[0], n * sizeof *out);
}

enum { ADD_FLOATS = 65536 /* of one task */ };

struct add_job {
    float *a;
    const float *b;
    size_t n;
};

static void add_task(void *arg, int k)
{
    const struct add_job *job = arg;
    size_t begin = (size_t)k * ADD_FLOATS;
    size_t end = begin + ADD_FLOATS < job->n ? begin + ADD_FLOATS : job->n;
    float *restrict a = job->a;
    const float *restrict b = job->b;
    for (size_t i = begin; i < end; i++)
        a[i] += b[i];
}

void oto_comm_add(float *a, const float *b, size_t n, struct oto_pool *pool)
{
    struct add_job job = {a, b, n};
    oto_pool_run(pool, (int)((n + ADD_FLOATS - 1) / ADD_FLOATS), add_task, &job);
}
