/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Processes that train one model together: copies of this program on one machine (fork and shared
 * memory), or those that mpirun started. All of them keep the same weights; each computes the
 * gradients of its parts of every batch, and the sum comes to all.
 *
 * A batch has a fixed number of parts, a power of two, whatever the number of processes. Gradients
 * are summed over the binary tree of the parts: first 0 and 1, 2 and 3, ..., then those sums, and
 * so on. Parts 0 .. n-1 are dealt out in blocks, as many as the next power of two of the number of
 * processes; block b belongs to process b % size. A block is a subtree, so every process sums its
 * own blocks alone, and the sum over blocks is the rest of the same tree: the same bits with any
 * number of processes.
 */
#ifndef OTO_TRAINING_COMM_H
#define OTO_TRAINING_COMM_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/pool.h"
#include "base/status.h"

enum {
    OTO_COMM_RECORD_BYTES = 16384, /* most that one gather takes from each process */
    OTO_COMM_MAX_OWN = 2, /* blocks of one process: fewer than twice as many as processes */
    OTO_COMM_MAX_PROCESSES = 4096
};

struct oto_comm;

/**
 * Finds out who works together: the processes of mpirun when it started this one, else n_processes
 * on this machine, of which the others are made by oto_comm_reserve(). Until then this one is alone
 * and rank 0; under mpirun, ranks are known at once.
 * Errors: OTO_ERR_CONFIG for both at a time, OTO_ERR_UNSUPPORTED under mpirun when this build has
 * no MPI.
 */
oto_status oto_comm_start(struct oto_comm **out, int n_processes, oto_error *err) OTO_WARN_UNUSED;

/**
 * Room for sums of n floats over n_parts parts; on one machine, the other processes are made here.
 * They return from this call, too: no thread may run when it is called, and whatever was opened
 * before is open in all of them.
 * Errors: OTO_ERR_CONFIG for more processes than parts, OTO_ERR_MEMORY, OTO_ERR_IO when no process
 * can be made.
 */
oto_status oto_comm_reserve(struct oto_comm *c, size_t n, int n_parts,
                            oto_error *err) OTO_WARN_UNUSED;

/**
 * Tells the others that this process cannot go on: they fail at their next call. NULL allowed.
 * Rank 0 ends those that it made.
 */
void oto_comm_fail(struct oto_comm *c, const oto_error *why);
/** Waits for processes made by this one. A process that was made does not return from it, it ends.
 * NULL is a no-op. */
void oto_comm_destroy(struct oto_comm *c);

/* All these take NULL for a process that is alone. */
int oto_comm_rank(const struct oto_comm *c);
int oto_comm_size(const struct oto_comm *c);
/** Processes on this machine, which share its processors. */
int oto_comm_n_local(const struct oto_comm *c);
/** "one process", "4 processes by shared memory" or "4 processes by MPI"; into text. */
char *oto_comm_describe(const struct oto_comm *c, char text[64]);
/** Blocks of this process, fewer than OTO_COMM_MAX_OWN + 1, and the first part of block k of them
 * and the number of its parts. */
int oto_comm_n_own(const struct oto_comm *c);
int oto_comm_own_parts(const struct oto_comm *c, int k, int *n_parts);
/** Where the sum over own block k goes, [n]. */
float *oto_comm_block(struct oto_comm *c, int k);

/*
 * The following are called by all processes in the same order. They fail with the words of the
 * process that failed first, or name one that was ended; nobody waits for it for ever.
 */

/** n bytes of each in rank order, [size, n], to all. n is at most OTO_COMM_RECORD_BYTES. */
oto_status oto_comm_gather(struct oto_comm *c, void *all, const void *mine, size_t n,
                           oto_error *err) OTO_WARN_UNUSED;
/** Rank 0's n bytes to all, in place. */
oto_status oto_comm_share(struct oto_comm *c, void *data, size_t n, oto_error *err) OTO_WARN_UNUSED;
/**
 * Any number of bytes of each to rank 0.
 * @param all  [size] zero-initialised; filled on rank 0, untouched elsewhere
 */
oto_status oto_comm_collect(struct oto_comm *c, struct oto_writer *all, const void *mine, size_t n,
                            oto_error *err) OTO_WARN_UNUSED;
/**
 * The sum over all blocks, which must all have been filled; blocks are used up.
 * @param total  receives where the sum stands, [n], good until the next sum
 */
oto_status oto_comm_sum(struct oto_comm *c, const float **total, struct oto_pool *pool,
                        oto_error *err) OTO_WARN_UNUSED;

/** a += b over the pool, element by element. */
void oto_comm_add(float *a, const float *b, size_t n, struct oto_pool *pool);

#endif
