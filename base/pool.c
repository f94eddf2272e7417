/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One 64-bit ticket holds the number of the run (high half) and the next task (low half). A thread
 * takes a task by compare-and-swap on it, so a thread that wakes late can never take a task of
 * another run, and a run ends as soon as its tasks have, without waiting for threads that slept
 * through it.
 *
 * Sleeping uses the usual pair "announce, then look again" with sequentially consistent operations:
 * either the sleeper sees the new ticket, or the publisher sees the sleeper and signals under the
 * lock.
 */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

/* About 50 microseconds of pauses: longer than a gap between two runs of one layer, shorter than a
 * time slice. */
#define N_SPINS 1000
#define MAX_THREADS 1024

typedef void task_fn(void *arg, int k);

struct oto_pool {
    _Atomic uint64_t ticket;
    _Atomic(task_fn *) task;
    _Atomic(void *) arg;
    atomic_int n_tasks;
    atomic_int n_done;
    atomic_bool quit;

    pthread_mutex_t lock;
    pthread_cond_t work_there, work_done;
    atomic_int n_sleeping;
    atomic_bool caller_sleeps;

    int n_threads; /* with the caller */
    int n_started;
    pthread_t *threads; /* [n_threads - 1] */
};

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static uint32_t run_of(uint64_t ticket)
{
    return (uint32_t)(ticket >> 32);
}

/* Takes and runs tasks of the given run until none is left to take. */
static void work(struct oto_pool *pool, uint32_t run)
{
    uint64_t ticket = atomic_load(&pool->ticket);
    while (run_of(ticket) == run) {
        /* These may already belong to the next run; then the ticket has been closed before, and the
         * exchange below fails. */
        task_fn *task = atomic_load(&pool->task);
        void *arg = atomic_load(&pool->arg);
        int n_tasks = atomic_load(&pool->n_tasks);
        uint32_t k = (uint32_t)ticket;
        if (k >= (uint32_t)n_tasks) {
            return;
        }
        if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket + 1)) {
            continue;
        }
        task(arg, (int)k);
        if (atomic_fetch_add(&pool->n_done, 1) + 1 == n_tasks &&
            atomic_load(&pool->caller_sleeps)) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->work_done);
            pthread_mutex_unlock(&pool->lock);
        }
        ticket = atomic_load(&pool->ticket);
    }
}

static bool news(struct oto_pool *pool, uint32_t last_run)
{
    return run_of(atomic_load(&pool->ticket)) != last_run || atomic_load(&pool->quit);
}

static void *worker(void *arg)
{
    struct oto_pool *pool = arg;
    uint32_t last_run = 0;
    while (!atomic_load(&pool->quit)) {
        for (int i = 0; i < N_SPINS && !news(pool, last_run); i++) {
            pause_briefly();
        }
        if (!news(pool, last_run)) {
            pthread_mutex_lock(&pool->lock);
            atomic_fetch_add(&pool->n_sleeping, 1);
            while (!news(pool, last_run)) {
                pthread_cond_wait(&pool->work_there, &pool->lock);
            }
            atomic_fetch_sub(&pool->n_sleeping, 1);
            pthread_mutex_unlock(&pool->lock);
        }
        last_run = run_of(atomic_load(&pool->ticket));
        work(pool, last_run);
    }
    return NULL;
}

static void wake_all(struct oto_pool *pool)
{
    if (atomic_load(&pool->n_sleeping) > 0) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_broadcast(&pool->work_there);
        pthread_mutex_unlock(&pool->lock);
    }
}

static void wait_done(struct oto_pool *pool, int n_tasks)
{
    for (int i = 0; i < N_SPINS; i++) {
        if (atomic_load(&pool->n_done) == n_tasks) {
            return;
        }
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->caller_sleeps, true);
    while (atomic_load(&pool->n_done) != n_tasks) {
        pthread_cond_wait(&pool->work_done, &pool->lock);
    }
    atomic_store(&pool->caller_sleeps, false);
    pthread_mutex_unlock(&pool->lock);
}

void oto_pool_run(struct oto_pool *pool, int n_tasks, void (*task)(void *arg, int k), void *arg)
{
    if (!pool || pool->n_started == 0 || n_tasks <= 1) {
        for (int k = 0; k < n_tasks; k++) {
            task(arg, k);
        }
        return;
    }
    uint32_t run = run_of(atomic_load(&pool->ticket)) + 1;
    /* Closed under its old number first: nobody may take a task while the fields below change. */
    atomic_store(&pool->ticket, (uint64_t)(run - 1) << 32 | UINT32_MAX);
    atomic_store(&pool->n_done, 0);
    atomic_store(&pool->task, task);
    atomic_store(&pool->arg, arg);
    atomic_store(&pool->n_tasks, n_tasks);
    atomic_store(&pool->ticket, (uint64_t)run << 32);
    wake_all(pool);
    work(pool, run);
    wait_done(pool, n_tasks);
}

int oto_pool_n_threads(const struct oto_pool *pool)
{
    return pool ? pool->n_threads : 1;
}

oto_status oto_pool_create(struct oto_pool **out, int n_threads, oto_error *err)
{
    *out = NULL;
    if (n_threads < 1 || n_threads > MAX_THREADS) {
        return oto_fail(err, OTO_ERR_ARGUMENT, "threads: expected 1 to %d, found %d", MAX_THREADS,
                        n_threads);
    }
    struct oto_pool *pool = oto_calloc(1, sizeof *pool);
    pthread_t *threads = oto_calloc((size_t)n_threads, sizeof *threads);
    if (!pool || !threads) {
        oto_free(threads);
        oto_free(pool);
        return oto_fail_memory(err, "thread pool");
    }
    pool->n_threads = n_threads;
    pool->threads = threads;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work_there, NULL);
    pthread_cond_init(&pool->work_done, NULL);
    for (; pool->n_started < n_threads - 1; pool->n_started++) {
        int code = pthread_create(&threads[pool->n_started], NULL, worker, pool);
        if (code != 0) {
            int n_started = pool->n_started;
            oto_pool_destroy(pool);
            return oto_fail(err, OTO_ERR_MEMORY, "could start only %d of %d threads", n_started + 1,
                            n_threads);
        }
    }
    *out = pool;
    return OTO_OK;
}

void oto_pool_destroy(struct oto_pool *pool)
{
    if (!pool) {
        return;
    }
    atomic_store(&pool->quit, true);
    wake_all(pool);
    for (int i = 0; i < pool->n_started; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    pthread_cond_destroy(&pool->work_done);
    pthread_cond_destroy(&pool->work_there);
    pthread_mutex_destroy(&pool->lock);
    oto_free(pool->threads);
    oto_free(pool);
}
