/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A fixed set of threads for work whose partition does not depend on the number of threads: the
 * caller cuts the work into n_tasks pieces by the data alone, so that the same input gives the same
 * bits on any number of threads.
 */
#ifndef OTO_BASE_POOL_H
#define OTO_BASE_POOL_H

#include "base/status.h"

struct oto_pool;

/** n_threads >= 1 counts the caller, so 1 starts none. */
oto_status oto_pool_create(struct oto_pool **out, int n_threads, oto_error *err) OTO_WARN_UNUSED;
void oto_pool_destroy(struct oto_pool *pool);
/** 1 for NULL. */
int oto_pool_n_threads(const struct oto_pool *pool);
/**
 * Runs task(arg, k) once for each k in [0, n_tasks) and returns when all have ended. The calling
 * thread takes part. pool NULL runs them here in order. Tasks are handed out in order of k. Not
 * re-entrant: a task must not call it on the same pool, and one thread at a time may use a pool.
 * Waiting threads spin briefly, then sleep.
 */
void oto_pool_run(struct oto_pool *pool, int n_tasks, void (*task)(void *arg, int k), void *arg);

#endif
