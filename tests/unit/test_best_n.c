/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "training/best_n.h"

enum { N = 40000 };

static void offer(struct oto_best_n *best, uint64_t epoch, double cer, double wer, double loss)
{
    static float weights[N];
    for (int i = 0; i < N; i++)
        weights[i] = (float)epoch + (float)(i % 5);
    oto_best_n_offer(best, &(struct oto_best_entry){epoch, cer, wer, loss}, weights);
}

/* Epochs kept, as bits, each with its own weights. */
static unsigned kept(const struct oto_best_n *best)
{
    unsigned bits = 0;
    for (int i = 0; i < best->n; i++) {
        uint64_t epoch = best->entries[i].epoch;
        assert_true(best->weights[(size_t)i * N + 3] == (float)epoch + 3);
        bits |= 1u << epoch;
    }
    return bits;
}

static void keeps_the_best(void **state)
{
    (void)state;
    struct oto_best_n best;
    assert_int_equal(oto_best_n_init(&best, 3, N, NULL), OTO_OK);
    offer(&best, 1, 0.9, 1, 3);
    offer(&best, 2, 0.5, 1, 2);
    assert_int_equal(kept(&best), 1 << 1 | 1 << 2);
    offer(&best, 3, 0.4, 1, 9);
    offer(&best, 4, 0.5, 0.9, 9); /* better than 1, whose place it takes */
    assert_int_equal(kept(&best), 1 << 2 | 1 << 3 | 1 << 4);
    offer(&best, 5, 0.5, 1, 2); /* as epoch 2, which was first */
    assert_int_equal(kept(&best), 1 << 2 | 1 << 3 | 1 << 4);
    offer(&best, 6, 0.5, 1, 1.9); /* a lower loss than epoch 2 */
    assert_int_equal(kept(&best), 1 << 3 | 1 << 4 | 1 << 6);
    offer(&best, 7, 0.6, 0, 0);
    assert_int_equal(kept(&best), 1 << 3 | 1 << 4 | 1 << 6);
    oto_best_n_clear(&best);
    oto_best_n_clear(&best);
}

static void averages(void **state)
{
    (void)state;
    struct oto_best_n best;
    static float one[N], three[N];
    assert_int_equal(oto_best_n_init(&best, 4, N, NULL), OTO_OK);
    offer(&best, 1, 0.1, 0, 0);
    oto_best_n_mean(&best, one, NULL);
    for (int i = 0; i < N; i++)
        assert_true(one[i] == 1 + (float)(i % 5));
    offer(&best, 2, 0.1, 0, 0);
    offer(&best, 6, 0.1, 0, 0);
    for (int n_threads = 1; n_threads < 4; n_threads++) {
        struct oto_pool *pool;
        assert_int_equal(oto_pool_create(&pool, n_threads, NULL), OTO_OK);
        oto_best_n_mean(&best, three, pool);
        for (int i = 0; i < N; i++)
            assert_true(three[i] == 3 + (float)(i % 5));
        oto_pool_destroy(pool);
    }
    oto_best_n_clear(&best);
}

static void keeps_nothing(void **state)
{
    (void)state;
    struct oto_best_n best;
    oto_error err = {0};
    assert_int_equal(oto_best_n_init(&best, 0, N, NULL), OTO_OK);
    offer(&best, 1, 0.1, 0, 0);
    assert_int_equal(best.n, 0);
    oto_best_n_clear(&best);
    oto_mem_fail_nth(1);
    assert_int_equal(oto_best_n_init(&best, 2, N, &err), OTO_ERR_MEMORY);
    oto_mem_fail_nth(0);
    assert_contains(err.message, "best epochs");
    oto_best_n_clear(&best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_best),
        cmocka_unit_test(averages),
        cmocka_unit_test(keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
