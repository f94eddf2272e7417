/* SPDX-License-Identifier: BSD-2-Clause */
/** Between comm.c and its variants, comm_*.c. */
#ifndef OTO_TRAINING_COMM_PRIVATE_H
#define OTO_TRAINING_COMM_PRIVATE_H

#include "training/comm.h"

struct oto_comm_ops {
    const char *name;
    /** Fills size, rank, n_local; for rows whose processes are there from the start. NULL: alone
     * until reserve. */
    oto_status (*start)(struct oto_comm *c, oto_error *err);
    /** n, n_blocks and wanted are set; fills own and total. */
    oto_status (*reserve)(struct oto_comm *c, oto_error *err);
    oto_status (*gather)(struct oto_comm *c, void *all, const void *mine, size_t n, oto_error *err);
    oto_status (*share)(struct oto_comm *c, void *data, size_t n, oto_error *err);
    oto_status (*sum)(struct oto_comm *c, struct oto_pool *pool, oto_error *err);
    void (*fail)(struct oto_comm *c, const oto_error *why); /* NULL allowed */
    void (*destroy)(struct oto_comm *c);
};

struct oto_comm {
    const struct oto_comm_ops *ops;
    int wanted; /* processes to be made by reserve */
    int rank, size, n_local;
    size_t n;    /* floats of a sum */
    int n_parts; /* of a batch */
    int n_blocks;
    float *own[OTO_COMM_MAX_OWN]; /* [n] each */
    float *total;                 /* [n] */
    void *state;                  /* of the variant */
};

extern const struct oto_comm_ops oto_comm_single, oto_comm_shared;
#ifdef OTO_HAVE_MPI
extern const struct oto_comm_ops oto_comm_mpi;
#endif

/** The part [*begin, *end) of a sum's n floats that rank r adds up: multiples of 16. */
void oto_comm_slice(const struct oto_comm *c, int r, size_t *begin, size_t *end);
/**
 * Sums columns of n_blocks rows over the tree: out[i] = sum of rows[b][i], i < n. Rows are used up.
 * out may be rows[0].
 */
void oto_comm_sum_rows(float *out, float *const *rows, int n_blocks, size_t n);

#endif
