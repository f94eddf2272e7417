/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Processes that mpirun started, on any number of machines. MPI only moves bytes: sums are made
 * here, in the order of the tree, not by MPI_Allreduce, whose order is its own.
 */
#include <mpi.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "training/comm_private.h"

enum { SHARE_BYTES = 1 << 28 /* moved by one call: counts are int */ };

struct mpi {
    bool running, failed;
    float *in; /* [n_blocks, width] this process's slice of all blocks */
    float **rows;
    int *counts, *places; /* [4, size], see transpose() */
};

static oto_status check(const struct oto_comm *c, int code, const char *what, oto_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int n;
    if (code == MPI_SUCCESS)
        return OTO_OK;
    MPI_Error_string(code, text, &n);
    return oto_fail(err, OTO_ERR_IO, "process %d of %d: %s by MPI failed: %.120s", c->rank + 1,
                    c->size, what, text);
}

static oto_status mpi_start(struct oto_comm *c, oto_error *err)
{
    struct mpi *m = c->state = oto_calloc(1, sizeof *m);
    int level, code;
    MPI_Comm local;
    if (!m)
        return oto_fail_memory(err, "processes");
    code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    if (code != MPI_SUCCESS || level < MPI_THREAD_FUNNELED)
        return oto_fail(err, OTO_ERR_UNSUPPORTED,
                        "MPI cannot be started, or not beside threads (level %d)", level);
    m->running = true;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &c->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &c->size);
    if (c->size > OTO_COMM_MAX_PROCESSES)
        return oto_fail(err, OTO_ERR_CONFIG, "%d processes, expected at most %d", c->size,
                        OTO_COMM_MAX_PROCESSES);
    code =
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL, &local);
    if (code == MPI_SUCCESS) {
        MPI_Comm_size(local, &c->n_local);
        MPI_Comm_free(&local);
    }
    return check(c, code, "counting processes", err);
}

static oto_status mpi_reserve(struct oto_comm *c, oto_error *err)
{
    struct mpi *m = c->state;
    size_t begin, end, n_in;
    oto_comm_slice(c, 0, &begin, &end); /* the widest */
    if (c->n > INT32_MAX || !oto_mul_size(end, (size_t)c->n_blocks, &n_in))
        return oto_fail(err, OTO_ERR_CONFIG, "%zu parameters are too many for MPI", c->n);
    m->in = oto_calloc(n_in, sizeof *m->in);
    m->rows = oto_calloc((size_t)c->n_blocks, sizeof(float *));
    m->counts = oto_calloc(4 * (size_t)c->size, sizeof *m->counts);
    m->places = m->counts ? m->counts + 2 * c->size : NULL;
    c->total = oto_calloc(c->n, sizeof(float));
    bool good = m->in && m->rows && m->counts && c->total;
    for (int k = 0; k < oto_comm_n_own(c); k++) {
        c->own[k] = oto_calloc(c->n, sizeof(float));
        good = good && c->own[k];
    }
    if (!good)
        return oto_fail_memory(err, "gradients");
    for (int b = 0; b < c->n_blocks; b++)
        m->rows[b] = m->in + (size_t)b * end;
    return OTO_OK;
}

static oto_status mpi_gather(struct oto_comm *c, void *all, const void *mine, size_t n,
                             oto_error *err)
{
    int code = MPI_Allgather(mine, (int)n, MPI_BYTE, all, (int)n, MPI_BYTE, MPI_COMM_WORLD);
    return check(c, code, "a message", err);
}

static oto_status mpi_share(struct oto_comm *c, void *data, size_t n, oto_error *err)
{
    oto_status status = OTO_OK;
    for (size_t done = 0; done < n && status == OTO_OK; done += SHARE_BYTES) {
        int now = n - done < SHARE_BYTES ? (int)(n - done) : SHARE_BYTES;
        int code = MPI_Bcast((unsigned char *)data + done, now, MPI_BYTE, 0, MPI_COMM_WORLD);
        status = check(c, code, "a message", err);
    }
    return status;
}

/* Own block number k of every process: slice r of it goes to process r, into the row of the block.
 */
static int transpose(struct oto_comm *c, struct mpi *m, int k)
{
    int *to = m->counts, *from = m->counts + c->size;
    int *to_place = m->places, *from_place = m->places + c->size;
    bool own = k * c->size + c->rank < c->n_blocks;
    size_t begin, end, width, my_begin, my_end;
    oto_comm_slice(c, 0, &begin, &width);
    oto_comm_slice(c, c->rank, &my_begin, &my_end);
    for (int r = 0; r < c->size; r++) {
        oto_comm_slice(c, r, &begin, &end);
        to[r] = own ? (int)(end - begin) : 0;
        to_place[r] = (int)begin;
        from[r] = k * c->size + r < c->n_blocks ? (int)(my_end - my_begin) : 0;
        from_place[r] = r * (int)width; /* rows of this round lie side by side */
    }
    return MPI_Alltoallv(c->own[own ? k : 0], to, to_place, MPI_FLOAT,
                         m->in + (size_t)(k * c->size) * width, from, from_place, MPI_FLOAT,
                         MPI_COMM_WORLD);
}

static oto_status mpi_sum(struct oto_comm *c, struct oto_pool *pool, oto_error *err)
{
    struct mpi *m = c->state;
    size_t begin, end;
    (void)pool; /* a slice goes at the speed of memory */
    for (int k = 0; k * c->size < c->n_blocks; k++) {
        oto_status status = check(c, transpose(c, m, k), "sending gradients", err);
        if (status != OTO_OK)
            return status;
    }
    oto_comm_slice(c, c->rank, &begin, &end);
    oto_comm_sum_rows(c->total + begin, m->rows, c->n_blocks, end - begin);
    for (int r = 0; r < c->size; r++) {
        size_t first, last;
        oto_comm_slice(c, r, &first, &last);
        m->counts[r] = (int)(last - first);
        m->places[r] = (int)first;
    }
    int code = MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, c->total, m->counts, m->places,
                              MPI_FLOAT, MPI_COMM_WORLD);
    return check(c, code, "sending the sum of gradients", err);
}

static void mpi_fail(struct oto_comm *c, const oto_error *why)
{
    (void)why; /* said by this process */
    struct mpi *m = c->state;
    m->failed = true;
}

/* MPI_Finalize() waits for all. After a failure it is not called: that this process ends without it
 * is how mpirun notices, and ends the others. */
static void mpi_destroy(struct oto_comm *c)
{
    struct mpi *m = c->state;
    if (!m)
        return;
    if (m->running && !m->failed)
        MPI_Finalize();
    for (int k = 0; k < OTO_COMM_MAX_OWN; k++)
        oto_free(c->own[k]);
    oto_free(c->total);
    oto_free(m->in);
    oto_free(m->rows);
    oto_free(m->counts);
    oto_free(m);
}

const struct oto_comm_ops oto_comm_mpi = {
    .name = "MPI",
    .start = mpi_start,
    .reserve = mpi_reserve,
    .gather = mpi_gather,
    .share = mpi_share,
    .sum = mpi_sum,
    .fail = mpi_fail,
    .destroy = mpi_destroy,
};
