/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that work together: messages reach all, sums have the same bits with any number of
 * processes, and nobody waits for one that is gone. */
#include "unit.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "training/comm.h"

enum { N = 5003, PARTS = 8, LONG = 50000 };

static float number(int part, size_t i)
{
    return (float)oto_rng_normal(7, (uint64_t)part, i);
}

/* The binary tree of parts, written down. */
static float expected_sum(size_t i)
{
    float x[PARTS];
    for (int k = 0; k < PARTS; k++)
        x[k] = number(k, i);
    return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

/* Fills own blocks as the trainer does: blocks of 8, 4, 2 or 1 parts. */
static void fill(struct oto_comm *c, int k)
{
    int n, first = oto_comm_own_parts(c, k, &n);
    float *block = oto_comm_block(c, k), x[PARTS];
    for (size_t i = 0; i < N; i++) {
        for (int p = 0; p < n; p++)
            x[p] = number(first + p, i);
        for (int step = 1; step < n; step *= 2)
            for (int p = 0; p < n; p += 2 * step)
                x[p] += x[p + step];
        block[i] = x[0];
    }
}

static bool sums(struct oto_comm *c)
{
    const float *total;
    bool good = true;
    for (int round = 0; round < 5; round++) {
        for (int k = 0; k < oto_comm_n_own(c); k++)
            fill(c, k);
        if (oto_comm_sum(c, &total, NULL, NULL) != OTO_OK)
            return false;
        for (size_t i = 0; i < N; i++)
            good = good && total[i] == expected_sum(i);
    }
    return good;
}

static bool messages(struct oto_comm *c)
{
    int size = oto_comm_size(c), rank = oto_comm_rank(c), all[PARTS] = {0};
    bool good = true;
    for (int round = 0; round < 100; round++) {
        const int mine = 1000 * round + rank;
        good = good && oto_comm_gather(c, all, &mine, sizeof mine, NULL) == OTO_OK;
        for (int r = 0; r < size; r++)
            good = good && all[r] == 1000 * round + r;
    }
    unsigned char *data = oto_calloc(LONG, 1);
    for (size_t i = 0; i < LONG && rank == 0; i++)
        data[i] = (unsigned char)(i * 7 % 251);
    good = good && oto_comm_share(c, data, LONG, NULL) == OTO_OK;
    for (size_t i = 0; i < LONG; i++)
        good = good && data[i] == i * 7 % 251;
    /* Messages of unequal length, the first one empty. */
    struct oto_writer in[PARTS] = {{0}};
    size_t n = (size_t)rank * (LONG / PARTS);
    good = good && oto_comm_collect(c, in, data, n, NULL) == OTO_OK;
    for (int r = 0; r < size && rank == 0; r++)
        good = good && in[r].size == (size_t)r * (LONG / PARTS) &&
               (r == 0 || memcmp(in[r].data, data, in[r].size) == 0);
    for (int r = 0; r < size; r++)
        oto_writer_clear(&in[r]);
    oto_free(data);
    return good;
}

static void work_together(void **state)
{
    (void)state;
    for (int size = 1; size <= PARTS; size++) {
        struct oto_comm *c;
        char text[64];
        assert_int_equal(oto_comm_start(&c, size, NULL), OTO_OK);
        assert_int_equal(oto_comm_size(c), 1);
        assert_int_equal(oto_comm_reserve(c, N, PARTS, NULL), OTO_OK);
        bool good[PARTS] = {false}, mine = sums(c);
        mine = messages(c) && mine;
        mine = oto_comm_size(c) == size && oto_comm_n_local(c) == size && mine;
        oto_status status = oto_comm_gather(c, good, &mine, sizeof mine, NULL);
        if (oto_comm_rank(c) > 0)
            oto_comm_destroy(c); /* ends here */
        assert_int_equal(status, OTO_OK);
        for (int r = 0; r < size; r++)
            if (!good[r])
                fail_msg("process %d of %d", r + 1, size);
        assert_contains(oto_comm_describe(c, text), "process");
        oto_comm_destroy(c);
    }
}

/* Parts are dealt out whole: each to one process. */
static void deals_out_all_parts(void **state)
{
    (void)state;
    oto_error err;
    struct oto_comm *c;
    assert_int_equal(oto_comm_start(&c, 5, NULL), OTO_OK);
    assert_int_equal(oto_comm_reserve(c, 16, 4, &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "5 processes for batches of 4 parts");
    oto_comm_destroy(c);

    assert_int_equal(oto_comm_start(&c, 5, NULL), OTO_OK);
    assert_int_equal(oto_comm_reserve(c, 16, 16, NULL), OTO_OK);
    char mine[16] = {0}, all[5][16];
    for (int k = 0; k < oto_comm_n_own(c); k++) {
        int n, first = oto_comm_own_parts(c, k, &n);
        for (int p = first; p < first + n; p++)
            mine[p]++;
    }
    oto_status status = oto_comm_gather(c, all, mine, sizeof mine, NULL);
    if (oto_comm_rank(c) > 0)
        oto_comm_destroy(c);
    assert_int_equal(status, OTO_OK);
    for (int p = 0; p < 16; p++) {
        int n = 0;
        for (int r = 0; r < 5; r++)
            n += all[r][p];
        assert_int_equal(n, 1);
    }
    static const char long_record[OTO_COMM_RECORD_BYTES + 1];
    assert_int_equal(oto_comm_gather(c, all, long_record, sizeof long_record, NULL),
                     OTO_ERR_ARGUMENT);
    oto_comm_destroy(c);
}

static void nobody_waits_for_ever(void **state)
{
    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        struct oto_comm *c;
        oto_error err = {0};
        int all[3], mine = 0;
        assert_int_equal(oto_comm_start(&c, 3, NULL), OTO_OK);
        assert_int_equal(oto_comm_reserve(c, N, 4, NULL), OTO_OK);
        if (oto_comm_rank(c) == 2) {
            const oto_error why = {OTO_ERR_DATA, "no such luck"};
            if (killed)
                raise(SIGKILL);
            oto_comm_fail(c, &why);
            oto_comm_destroy(c);
        }
        oto_status status = oto_comm_gather(c, all, &mine, sizeof mine, &err);
        if (oto_comm_rank(c) > 0)
            oto_comm_destroy(c);
        assert_int_equal(status, killed ? OTO_ERR_MEMORY : OTO_ERR_DATA);
        assert_contains(err.message, killed ? "process 3 of 3 was ended by signal 9"
                                            : "process 3 of 3: no such luck");
        oto_comm_destroy(c);
    }
}

/* What mpirun says in the environment counts, whoever says it. */
static void tells_what_cannot_be(void **state)
{
    (void)state;
    struct oto_comm *c;
    oto_error err;
    setenv("PMI_SIZE", "2", 1);
    assert_int_equal(oto_comm_start(&c, 2, &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "--processes=2 under mpirun");
    assert_null(c);
    unsetenv("PMI_SIZE");
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    for (size_t nth = 1; nth < 20; nth++) {
        struct oto_comm *c;
        oto_mem_fail_nth(nth);
        oto_status status = oto_comm_start(&c, 2, NULL);
        if (status == OTO_OK)
            status = oto_comm_reserve(c, N, 4, NULL);
        oto_mem_fail_nth(0);
        oto_comm_destroy(c); /* the second process ends here */
        if (status == OTO_OK) {
            assert_true(nth > 4);
            return;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
    fail_msg("never succeeds");
}

static void survives_lack_of_address_space(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* which reserves most of it */
#endif
    struct oto_comm *c;
    struct rlimit before, tight;
    oto_error err = {0};
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)1 << 30;
    assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
    assert_int_equal(oto_comm_start(&c, 2, NULL), OTO_OK);
    oto_status status = oto_comm_reserve(c, (size_t)1 << 29, 4, &err);
    oto_comm_destroy(c);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_int_equal(status, OTO_ERR_MEMORY);
    assert_contains(err.message, "shared by processes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_together),           cmocka_unit_test(deals_out_all_parts),
        cmocka_unit_test(nobody_waits_for_ever),   cmocka_unit_test(tells_what_cannot_be),
        cmocka_unit_test(survives_lack_of_memory), cmocka_unit_test(survives_lack_of_address_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
