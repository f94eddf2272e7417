/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdatomic.h>
#include <time.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"

#define MAX_TASKS 300

struct tally {
    atomic_int n_runs[MAX_TASKS];
};

static void mark(void *arg, int k)
{
    atomic_fetch_add(&((struct tally *)arg)->n_runs[k], 1);
}

static void each_task_runs_once(void **state)
{
    (void)state;
    static const int thread_counts[] = {1, 2, 3, 8};
    for (size_t t = 0; t < 4; t++) {
        struct oto_pool *pool;
        assert_int_equal(oto_pool_create(&pool, thread_counts[t], NULL), OTO_OK);
        assert_int_equal(oto_pool_n_threads(pool), thread_counts[t]);
        for (int n = 0; n <= MAX_TASKS; n = n < 20 ? n + 1 : n * 2) {
            struct tally tally = {0};
            oto_pool_run(pool, n, mark, &tally);
            for (int k = 0; k < MAX_TASKS; k++) {
                assert_int_equal(tally.n_runs[k], k < n);
            }
        }
        oto_pool_destroy(pool);
    }
}

struct order {
    int next;
};

static void in_order(void *arg, int k)
{
    struct order *order = arg;
    if (order->next == k) {
        order->next++;
    }
}

static void without_pool_in_order(void **state)
{
    (void)state;
    struct order order = {0};
    oto_pool_run(NULL, 50, in_order, &order);
    assert_int_equal(order.next, 50);
    assert_int_equal(oto_pool_n_threads(NULL), 1);
    struct oto_pool *pool;
    assert_int_equal(oto_pool_create(&pool, 1, NULL), OTO_OK);
    order.next = 0;
    oto_pool_run(pool, 50, in_order, &order);
    assert_int_equal(order.next, 50);
    oto_pool_destroy(pool);
    oto_pool_destroy(NULL);
}

/* Many short runs with different task and argument: a thread that is late for one must not touch
 * the next. */
struct job {
    atomic_int sum;
    int factor;
};

static void add(void *arg, int k)
{
    struct job *job = arg;
    atomic_fetch_add(&job->sum, job->factor * (k + 1));
}

static void subtract(void *arg, int k)
{
    struct job *job = arg;
    atomic_fetch_sub(&job->sum, job->factor * (k + 1));
}

static void reuse_never_mixes_runs(void **state)
{
    (void)state;
    struct oto_pool *pool;
    assert_int_equal(oto_pool_create(&pool, 4, NULL), OTO_OK);
    for (int run = 0; run < 20000; run++) {
        struct job job = {.factor =
                              run % 7 + 1}; /* on the stack, so that a late thread would show */
        int n = run % 11;
        oto_pool_run(pool, n, run % 2 ? add : subtract, &job);
        int expected = job.factor * n * (n + 1) / 2;
        assert_int_equal(job.sum, run % 2 ? expected : -expected);
        atomic_store(&job.sum, -1);
    }
    oto_pool_destroy(pool);
}

/* Sleeping threads wake up, and so does a caller that waits for a slow task. */
static void slow(void *arg, int k)
{
    struct timespec pause = {.tv_nsec = k == 1 ? 30000000 : 1000};
    nanosleep(&pause, NULL);
    mark(arg, k);
}

static void sleepers_wake(void **state)
{
    (void)state;
    struct oto_pool *pool;
    assert_int_equal(oto_pool_create(&pool, 3, NULL), OTO_OK);
    struct timespec pause = {.tv_nsec = 20000000};
    for (int run = 0; run < 5; run++) {
        struct tally tally = {0};
        nanosleep(&pause, NULL); /* everybody sleeps by now */
        oto_pool_run(pool, 4, slow, &tally);
        for (int k = 0; k < 4; k++) {
            assert_int_equal(tally.n_runs[k], 1);
        }
    }
    nanosleep(&pause, NULL);
    oto_pool_destroy(pool); /* with everybody asleep */
}

/* Two tasks that wait for each other end only if two threads really work at the same time. */
struct meeting {
    atomic_int arrived;
    atomic_int met;
};

static void meet(void *arg, int k)
{
    struct meeting *meeting = arg;
    struct timespec pause = {.tv_nsec = 1000000};
    (void)k;
    atomic_fetch_add(&meeting->arrived, 1);
    for (int i = 0; i < 5000 && atomic_load(&meeting->arrived) < 2; i++) {
        nanosleep(&pause, NULL);
    }
    if (atomic_load(&meeting->arrived) == 2) {
        atomic_fetch_add(&meeting->met, 1);
    }
}

static void two_threads_work_at_once(void **state)
{
    (void)state;
    struct oto_pool *pool;
    struct meeting meeting = {0};
    assert_int_equal(oto_pool_create(&pool, 2, NULL), OTO_OK);
    oto_pool_run(pool, 2, meet, &meeting);
    oto_pool_destroy(pool);
    assert_int_equal(meeting.met, 2);
}

#define N_ROWS 64
#define ROW 97

static void sum_row(void *arg, int k)
{
    float *sums = arg;
    float sum = 0.0f;
    for (uint64_t i = 0; i < ROW; i++) {
        sum += (float)oto_rng_normal(1, (uint64_t)k, i);
    }
    sums[k] = sum;
}

static void same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    float alone[N_ROWS], shared[N_ROWS];
    oto_pool_run(NULL, N_ROWS, sum_row, alone);
    for (int n_threads = 1; n_threads <= 5; n_threads++) {
        struct oto_pool *pool;
        assert_int_equal(oto_pool_create(&pool, n_threads, NULL), OTO_OK);
        memset(shared, 0, sizeof shared);
        oto_pool_run(pool, N_ROWS, sum_row, shared);
        oto_pool_destroy(pool);
        assert_memory_equal(alone, shared, sizeof alone);
    }
}

static void wrong_counts_and_lack_of_memory_are_refused(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_pool *pool = (struct oto_pool *)&err;
    assert_int_equal(oto_pool_create(&pool, 0, &err), OTO_ERR_ARGUMENT);
    assert_null(pool);
    assert_contains(err.message, "found 0");
    assert_int_equal(oto_pool_create(&pool, 1 << 20, &err), OTO_ERR_ARGUMENT);
    for (size_t nth = 1; nth <= 2; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_pool_create(&pool, 2, &err), OTO_ERR_MEMORY);
        assert_null(pool);
    }
    assert_int_equal(oto_mem_fail_nth(0), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_task_runs_once),
        cmocka_unit_test(without_pool_in_order),
        cmocka_unit_test(reuse_never_mixes_runs),
        cmocka_unit_test(sleepers_wake),
        cmocka_unit_test(two_threads_work_at_once),
        cmocka_unit_test(same_bits_for_any_number_of_threads),
        cmocka_unit_test(wrong_counts_and_lack_of_memory_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
