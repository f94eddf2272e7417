/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Processes on one machine: copies of this one made by fork(), which meet in memory that all of
 * them map. Whoever waits looks now and then whether the others are still there.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "training/comm_private.h"

enum {
    N_SPINS = 2000,          /* before the first sleep */
    FIRST_SLEEP_NS = 50000,  /* doubled up to the last */
    LAST_SLEEP_NS = 1000000, /* then the others are looked at each time */
    SUM_FLOATS = 4096,       /* summed at a time, so that they stay in the cache */
    PAGE = 4096
};

struct head { /* of the memory that all map */
    atomic_int n_arrived;
    atomic_uint n_barriers;
    atomic_int failed; /* 1 while the words are being written, 2 when they can be read */
    oto_error why;
};

struct shared {
    struct head *head;
    size_t n_bytes;
    unsigned char *records; /* [2, size, OTO_COMM_RECORD_BYTES]: used in turns, so that a gather
                               needs one barrier only */
    unsigned turn;
    float **blocks; /* [n_blocks] of all processes */
    float **rows;   /* [n_blocks] scratch */
    pid_t parent;
    pid_t *children; /* [size] on rank 0, by rank; 0: none, or has been waited for */
};

static void note_failure(struct shared *s, const oto_error *why, const char *prefix)
{
    int expected = 0;
    if (!atomic_compare_exchange_strong(&s->head->failed, &expected, 1))
        return; /* the first one counts */
    s->head->why.status = why->status;
    snprintf(s->head->why.message, sizeof s->head->why.message, "%s%.200s", prefix, why->message);
    atomic_store(&s->head->failed, 2);
}

static oto_status check_failure(const struct shared *s, oto_error *err)
{
    if (atomic_load(&s->head->failed) != 2)
        return OTO_OK;
    return oto_fail(err, s->head->why.status, "%s", s->head->why.message);
}

/*
 * A child that has ended while others wait for it was killed, or failed and said why. One that came
 * through the barrier `now` may have gone on to its end since, so the barrier is looked at once
 * more after the end was seen.
 */
static void look_after_children(struct oto_comm *c, struct shared *s, unsigned now)
{
    for (int r = 1; r < c->size; r++) {
        siginfo_t end = {0};
        int how = 0;
        if (s->children[r] == 0 ||
            waitid(P_PID, (id_t)s->children[r], &end, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            end.si_pid != s->children[r])
            continue;
        if (atomic_load(&s->head->n_barriers) != now)
            return;
        (void)waitpid(s->children[r], &how, 0); /* has ended: does not wait */
        s->children[r] = 0;
        oto_error why;
        if (WIFSIGNALED(how))
            oto_fail(&why, OTO_ERR_MEMORY, "process %d of %d was ended by signal %d%s", r + 1,
                     c->size, WTERMSIG(how),
                     WTERMSIG(how) == SIGKILL ? ", by hand or for lack of memory" : "");
        else
            oto_fail(&why, OTO_ERR_IO, "process %d of %d ended with code %d", r + 1, c->size,
                     WEXITSTATUS(how));
        note_failure(s, &why, "");
    }
}

/* While waiting at the barrier `now`. */
static oto_status look_around(struct oto_comm *c, struct shared *s, unsigned now, oto_error *err)
{
    if (c->rank == 0) {
        look_after_children(c, s, now);
    } else if (getppid() != s->parent) {
        const oto_error gone = {OTO_ERR_INTERRUPTED, "the process that started the others is gone"};
        note_failure(s, &gone, "");
    }
    return check_failure(s, err);
}

static oto_status barrier(struct oto_comm *c, struct shared *s, oto_error *err)
{
    struct head *head = s->head;
    oto_status status = check_failure(s, err);
    if (status != OTO_OK)
        return status;
    unsigned now = atomic_load(&head->n_barriers);
    if (atomic_fetch_add(&head->n_arrived, 1) + 1 == c->size) {
        atomic_store(&head->n_arrived, 0);
        atomic_store(&head->n_barriers, now + 1);
        return OTO_OK;
    }
    for (int i = 0; i < N_SPINS; i++)
        if (atomic_load(&head->n_barriers) != now)
            return OTO_OK;
    for (long ns = FIRST_SLEEP_NS; atomic_load(&head->n_barriers) == now;) {
        const struct timespec sleep = {0, ns};
        nanosleep(&sleep, NULL);
        ns = ns < LAST_SLEEP_NS / 2 ? 2 * ns : LAST_SLEEP_NS;
        if (ns < LAST_SLEEP_NS || atomic_load(&head->n_barriers) != now)
            continue;
        status = look_around(c, s, now, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

/* ---- start and end
 * ---------------------------------------------------------------------------------------------- */

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* Blocks of gradients and their sum behind head and records, each from a page of its own. */
static oto_status map_memory(struct oto_comm *c, struct shared *s, oto_error *err)
{
    size_t head_bytes = round_up(sizeof *s->head, PAGE);
    size_t record_bytes = 2 * (size_t)c->wanted * OTO_COMM_RECORD_BYTES, sum_bytes = 0, bytes = 0;
    if (!oto_mul_size(round_up(c->n, PAGE), sizeof(float), &sum_bytes) ||
        !oto_mul_size(sum_bytes, (size_t)c->n_blocks + 1, &bytes))
        return oto_fail_memory(err, "gradients shared by processes");
    s->n_bytes = head_bytes + record_bytes + bytes;
    unsigned char *memory =
        mmap(NULL, s->n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        s->n_bytes = 0;
        return oto_fail_memory(err, "gradients shared by processes");
    }
    s->head = (void *)memory;
    s->records = memory + head_bytes;
    unsigned char *floats = s->records + record_bytes;
    for (int b = 0; b < c->n_blocks; b++)
        s->blocks[b] = (void *)(floats + (size_t)b * sum_bytes);
    c->total = (void *)(floats + (size_t)c->n_blocks * sum_bytes);
    return OTO_OK;
}

static oto_status make_children(struct oto_comm *c, struct shared *s, oto_error *err)
{
    s->parent = getpid();
    fflush(NULL); /* else what waits in a buffer would be written by every child, too */
    for (int r = 1; r < c->wanted; r++) {
        pid_t pid = fork();
        if (pid < 0)
            return oto_fail(err, OTO_ERR_IO, "cannot start process %d of %d: %s", r + 1, c->wanted,
                            strerror(errno));
        if (pid == 0) {
            c->rank = r;
            return OTO_OK;
        }
        s->children[r] = pid;
        c->size = r + 1; /* those that are there, should the next one fail */
    }
    return OTO_OK;
}

static oto_status shared_reserve(struct oto_comm *c, oto_error *err)
{
    struct shared *s = c->state = oto_calloc(1, sizeof *s);
    if (!s)
        return oto_fail_memory(err, "processes");
    s->blocks = oto_calloc((size_t)c->n_blocks, sizeof *s->blocks);
    s->rows = oto_calloc((size_t)c->n_blocks, sizeof *s->rows);
    s->children = oto_calloc((size_t)c->wanted, sizeof *s->children);
    if (!s->blocks || !s->rows || !s->children)
        return oto_fail_memory(err, "processes");
    oto_status status = map_memory(c, s, err);
    if (status == OTO_OK)
        status = make_children(c, s, err);
    if (status != OTO_OK) {
        if (s->head)
            note_failure(s, err, "");
        return status;
    }
    c->size = c->n_local = c->wanted;
    for (int k = 0; k < oto_comm_n_own(c); k++)
        c->own[k] = s->blocks[c->rank + k * c->size];
    return OTO_OK;
}

static void shared_fail(struct oto_comm *c, const oto_error *why)
{
    struct shared *s = c->state;
    char prefix[48];
    if (!s || !s->head)
        return;
    snprintf(prefix, sizeof prefix, "process %d of %d: ", c->rank + 1, c->size);
    note_failure(s, why, prefix);
}

static void shared_destroy(struct oto_comm *c)
{
    struct shared *s = c->state;
    if (c->rank > 0)
        _exit(s->head && atomic_load(&s->head->failed) ? 1 : 0);
    if (!s)
        return;
    for (int r = 1; r < c->size; r++) {
        if (s->children[r] == 0)
            continue;
        /* After a failure there is nothing that they could still do: rank 0 alone writes files. */
        if (atomic_load(&s->head->failed))
            kill(s->children[r], SIGKILL);
        while (waitpid(s->children[r], NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (s->head)
        munmap(s->head, s->n_bytes);
    oto_free(s->children);
    oto_free(s->blocks);
    oto_free(s->rows);
    oto_free(s);
}

/* ---- messages and sums
 * ------------------------------------------------------------------------------------------- */

/* The next turn writes elsewhere; and before the one after it writes here again, it has gone
 * through a barrier that this process comes to only when it has read all. */
static oto_status shared_gather(struct oto_comm *c, void *all, const void *mine, size_t n,
                                oto_error *err)
{
    struct shared *s = c->state;
    if (c->size == 1)
        return oto_comm_single.gather(c, all, mine, n, err);
    unsigned char *records =
        s->records + (size_t)(s->turn++ % 2) * (size_t)c->size * OTO_COMM_RECORD_BYTES;
    memcpy(records + (size_t)c->rank * OTO_COMM_RECORD_BYTES, mine, n);
    oto_status status = barrier(c, s, err);
    if (status != OTO_OK)
        return status;
    for (int r = 0; r < c->size; r++)
        memcpy((unsigned char *)all + (size_t)r * n, records + (size_t)r * OTO_COMM_RECORD_BYTES,
               n);
    return OTO_OK;
}

static oto_status shared_share(struct oto_comm *c, void *data, size_t n, oto_error *err)
{
    struct shared *s = c->state;
    for (size_t done = 0; done < n && c->size > 1;) {
        size_t now = n - done < OTO_COMM_RECORD_BYTES ? n - done : (size_t)OTO_COMM_RECORD_BYTES;
        unsigned char *record =
            s->records + (size_t)(s->turn++ % 2) * (size_t)c->size * OTO_COMM_RECORD_BYTES;
        if (c->rank == 0)
            memcpy(record, (unsigned char *)data + done, now);
        oto_status status = barrier(c, s, err);
        if (status != OTO_OK)
            return status;
        if (c->rank > 0)
            memcpy((unsigned char *)data + done, record, now);
        done += now;
    }
    return OTO_OK;
}

/* Each process sums its slice over all blocks. The sum of the step before may still be read until
 * the first barrier, blocks are written again only after the second. */
static oto_status shared_sum(struct oto_comm *c, struct oto_pool *pool, oto_error *err)
{
    struct shared *s = c->state;
    size_t begin, end;
    (void)pool; /* a slice goes at the speed of memory */
    oto_status status = barrier(c, s, err);
    if (status != OTO_OK)
        return status;
    oto_comm_slice(c, c->rank, &begin, &end);
    for (size_t i = begin; i < end; i += SUM_FLOATS) {
        for (int b = 0; b < c->n_blocks; b++)
            s->rows[b] = s->blocks[b] + i;
        oto_comm_sum_rows(c->total + i, s->rows, c->n_blocks,
                          end - i < SUM_FLOATS ? end - i : SUM_FLOATS);
    }
    return barrier(c, s, err);
}

const struct oto_comm_ops oto_comm_shared = {
    .name = "shared memory",
    .reserve = shared_reserve,
    .gather = shared_gather,
    .share = shared_share,
    .sum = shared_sum,
    .fail = shared_fail,
    .destroy = shared_destroy,
};
