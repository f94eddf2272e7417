/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/mem.h"
#include "base/rng.h"
#include "training/batch.h"

enum { N = 400, SPEEDS = 3 };

static int n_frames[N * SPEEDS], repeats[N];
static const struct oto_plan_input input = {N, SPEEDS, n_frames, repeats, NULL};

/* Lengths from 1 to 300 frames; every 50th utterance usable at no speed, every 7th at one alone. */
static int make_input(void **state)
{
    (void)state;
    for (int u = 0; u < N; u++) {
        int length = 1 + (int)oto_rng_below(1, 1, (uint64_t)u, 300);
        repeats[u] = 1 + u % 3;
        for (int s = 0; s < SPEEDS; s++)
            n_frames[u * SPEEDS + s] = u % 50 == 0 || (u % 7 == 0 && s != 1) ? 0 : length + s;
    }
    return 0;
}

static const struct oto_plan_options plain = {.seed = 3, .max_frames = 1000};

static void holds_each_utterance_once(void **state)
{
    (void)state;
    struct oto_batch_plan plan = {0};
    for (int epoch = 0; epoch < 3; epoch++) {
        static int seen[N][3];
        memset(seen, 0, sizeof seen);
        assert_int_equal(oto_batch_plan_make(&plan, &input, &plain, epoch, NULL), OTO_OK);
        assert_int_equal(plan.starts[0], 0);
        assert_int_equal(plan.starts[plan.n_batches], plan.n_items);
        for (size_t i = 0; i < plan.n_items; i++) {
            const struct oto_batch_item *item = &plan.items[i];
            assert_true(item->n_frames > 0);
            assert_int_equal(item->n_frames, n_frames[item->utt * SPEEDS + item->speed]);
            seen[item->utt][item->copy]++;
        }
        for (int u = 0; u < N; u++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(seen[u][c], u % 50 != 0 && c < repeats[u]);
    }
    oto_batch_plan_clear(&plan);
}

static void keeps_the_budget_and_the_order(void **state)
{
    (void)state;
    struct oto_batch_plan plan = {0};
    size_t total = 0;
    assert_int_equal(oto_batch_plan_make(&plan, &input, &plain, 0, NULL), OTO_OK);
    for (size_t k = 0; k < plan.n_batches; k++) {
        size_t frames = 0;
        assert_true(plan.starts[k] < plan.starts[k + 1]);
        for (size_t i = plan.starts[k]; i < plan.starts[k + 1]; i++) {
            frames += (size_t)plan.items[i].n_frames;
            assert_true(i == plan.starts[k] ||
                        plan.items[i].n_frames <= plan.items[i - 1].n_frames);
        }
        assert_true(frames <= 1000);
        /* bucketed: the longest is at most a few steps of 5 % above the shortest, unless they are
         * tiny */
        if (plan.items[plan.starts[k]].n_frames > 60)
            assert_true(plan.items[plan.starts[k + 1] - 1].n_frames * 2 >
                        plan.items[plan.starts[k]].n_frames);
        total += frames;
    }
    assert_true(plan.n_batches < total / 1000 * 5 / 4 + 2); /* batches are well filled */
    oto_batch_plan_clear(&plan);
}

static void gives_long_ones_a_batch_of_their_own(void **state)
{
    (void)state;
    struct oto_plan_options o = plain;
    struct oto_batch_plan plan = {0};
    o.max_frames = 1;
    assert_int_equal(oto_batch_plan_make(&plan, &input, &o, 0, NULL), OTO_OK);
    assert_int_equal(plan.n_batches, plan.n_items);
    oto_batch_plan_clear(&plan);
}

static bool same(const struct oto_batch_plan *a, const struct oto_batch_plan *b)
{
    return a->n_items == b->n_items && a->n_batches == b->n_batches &&
           memcmp(a->items, b->items, a->n_items * sizeof *a->items) == 0 &&
           memcmp(a->starts, b->starts, (a->n_batches + 1) * sizeof *a->starts) == 0;
}

static void is_a_function_of_seed_and_epoch(void **state)
{
    (void)state;
    struct oto_plan_options o = plain;
    struct oto_batch_plan a = {0}, b = {0};
    assert_int_equal(oto_batch_plan_make(&a, &input, &o, 5, NULL), OTO_OK);
    for (int epoch = 0; epoch < 5; epoch++) { /* what was made before leaves no trace */
        assert_int_equal(oto_batch_plan_make(&b, &input, &o, epoch, NULL), OTO_OK);
        assert_false(same(&a, &b));
    }
    assert_int_equal(oto_batch_plan_make(&b, &input, &o, 5, NULL), OTO_OK);
    assert_true(same(&a, &b));
    o.seed++;
    assert_int_equal(oto_batch_plan_make(&b, &input, &o, 5, NULL), OTO_OK);
    assert_false(same(&a, &b));
    oto_batch_plan_clear(&a);
    oto_batch_plan_clear(&b);
}

static void draws_all_speeds(void **state)
{
    (void)state;
    struct oto_batch_plan plan = {0};
    int count[SPEEDS] = {0};
    assert_int_equal(oto_batch_plan_make(&plan, &input, &plain, 0, NULL), OTO_OK);
    for (size_t i = 0; i < plan.n_items; i++) {
        if (plan.items[i].utt % 7 == 0)
            assert_int_equal(plan.items[i].speed, 1); /* the only one it is usable at */
        else
            count[plan.items[i].speed]++;
    }
    for (int s = 0; s < SPEEDS; s++)
        assert_true(count[s] > (count[0] + count[1] + count[2]) / 4);
    oto_batch_plan_clear(&plan);
}

static void tempo_keeps_within_its_share(void **state)
{
    (void)state;
    static int least[N];
    struct oto_plan_input in = input;
    struct oto_plan_options o = plain;
    struct oto_batch_plan plan = {0};
    int n_shorter = 0, n_longer = 0;
    for (int u = 0; u < N; u++)
        least[u] = u % 3 == 0 ? n_frames[u * SPEEDS + 1] : 1; /* no room to become shorter */
    in.min_frames = least;
    o.tempo = 0.2;
    assert_int_equal(oto_batch_plan_make(&plan, &in, &o, 0, NULL), OTO_OK);
    for (size_t i = 0; i < plan.n_items; i++) {
        const struct oto_batch_item *item = &plan.items[i];
        int own = n_frames[item->utt * SPEEDS + item->speed];
        assert_true(item->n_frames >= least[item->utt]);
        assert_true(item->n_frames >= own * 0.8 - 1 && item->n_frames <= own * 1.2 + 1);
        n_shorter += item->n_frames < own;
        n_longer += item->n_frames > own;
    }
    assert_true(n_shorter > 150 && n_longer > 250);
    o.sorted = 1; /* an evaluation hears everything as it is */
    assert_int_equal(oto_batch_plan_make(&plan, &in, &o, 0, NULL), OTO_OK);
    for (size_t i = 0; i < plan.n_items; i++)
        assert_int_equal(plan.items[i].n_frames,
                         n_frames[plan.items[i].utt * SPEEDS + plan.items[i].speed]);
    oto_batch_plan_clear(&plan);
}

static void starts_easy(void **state)
{
    (void)state;
    struct oto_plan_options o = plain;
    struct oto_batch_plan plan = {0};
    o.short_epochs = 2;
    o.short_frames = 100;
    for (int epoch = 0; epoch < 3; epoch++) {
        int longest = 0;
        assert_int_equal(oto_batch_plan_make(&plan, &input, &o, epoch, NULL), OTO_OK);
        for (size_t i = 0; i < plan.n_items; i++)
            longest = plan.items[i].n_frames > longest ? plan.items[i].n_frames : longest;
        assert_true(epoch < 2 ? longest <= 100 && longest > 80 : longest > 250);
    }
    o.sorted = 1; /* an evaluation leaves nothing out */
    size_t n_all = plan.n_items;
    assert_int_equal(oto_batch_plan_make(&plan, &input, &o, 0, NULL), OTO_OK);
    assert_int_equal(plan.n_items, n_all);
    o.sorted = 0;
    o.short_frames = 0; /* from short to long */
    assert_int_equal(oto_batch_plan_make(&plan, &input, &o, 1, NULL), OTO_OK);
    for (size_t k = 1; k < plan.n_batches; k++)
        assert_true(plan.items[plan.starts[k]].n_frames >= plan.items[plan.starts[k - 1]].n_frames);
    assert_int_equal(plan.items[plan.n_items - 1].n_frames <=
                         plan.items[plan.starts[plan.n_batches - 1]].n_frames,
                     1);
    o.short_frames = 100;
    o.short_epochs = 1;
    for (int i = 0; i < N * SPEEDS; i++)
        n_frames[i] += 500;
    oto_error err = {0};
    assert_int_equal(oto_batch_plan_make(&plan, &input, &o, 0, &err), OTO_ERR_DATA);
    assert_contains(err.message, "--short-seconds");
    oto_batch_plan_clear(&plan);
    make_input(NULL);
}

static void refuses_an_empty_epoch(void **state)
{
    (void)state;
    static const int none[4] = {0};
    const struct oto_plan_input empty = {4, 1, none, NULL, NULL};
    struct oto_batch_plan plan = {0};
    oto_error err = {0};
    assert_int_equal(oto_batch_plan_make(&plan, &empty, &plain, 0, &err), OTO_ERR_DATA);
    assert_contains(err.message, "no usable utterance");
    oto_batch_plan_clear(&plan);
}

/* Parts of a batch hold each item once, in falling length, and are alike in number and frames. */
static void cuts_batches_into_parts(void **state)
{
    (void)state;
    enum { MOST = 50, LONGEST = 1000 };
    struct oto_batch_item items[MOST], part[MOST + 1];
    for (size_t n = 1; n <= MOST; n++)
        for (int n_parts = 1; n_parts <= 16; n_parts *= 2) {
            int seen[MOST] = {0}, least = INT32_MAX, most = 0;
            for (size_t i = 0; i < n; i++)
                items[i] =
                    (struct oto_batch_item){.utt = (uint32_t)i, .n_frames = LONGEST - (int)i};
            for (int k = 0; k < n_parts; k++) {
                size_t n_part = oto_batch_part(part, items, n, n_parts, k);
                int frames = 0;
                assert_true(n_part == n / (size_t)n_parts || n_part == n / (size_t)n_parts + 1);
                for (size_t i = 0; i < n_part; i++) {
                    assert_true(i == 0 || part[i].n_frames < part[i - 1].n_frames);
                    seen[part[i].utt]++;
                    frames += part[i].n_frames;
                }
                least = frames < least ? frames : least;
                most = frames > most ? frames : most;
            }
            for (size_t i = 0; i < n; i++)
                assert_int_equal(seen[i], 1);
            assert_true(most - least <= LONGEST);
        }
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    for (size_t nth = 1; nth <= 3; nth++) {
        struct oto_batch_plan plan = {0};
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_batch_plan_make(&plan, &input, &plain, 0, NULL), OTO_ERR_MEMORY);
        oto_mem_fail_nth(0);
        assert_int_equal(oto_batch_plan_make(&plan, &input, &plain, 0, NULL), OTO_OK);
        oto_batch_plan_clear(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_each_utterance_once),
        cmocka_unit_test(keeps_the_budget_and_the_order),
        cmocka_unit_test(gives_long_ones_a_batch_of_their_own),
        cmocka_unit_test(is_a_function_of_seed_and_epoch),
        cmocka_unit_test(draws_all_speeds),
        cmocka_unit_test(tempo_keeps_within_its_share),
        cmocka_unit_test(starts_easy),
        cmocka_unit_test(refuses_an_empty_epoch),
        cmocka_unit_test(cuts_batches_into_parts),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make_input, NULL);
}
