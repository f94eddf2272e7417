/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "training/chunking.h"

static void reads_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *chunk, *context;
        struct oto_chunking expected; /* at 30 ms a frame */
    } cases[] = {
        {"320..1280", "160..640", {0.5, 11, 43, 5, 21}}, {"300", "0", {0.5, 10, 10, 0, 0}},
        {"1..14", "0..14", {0.5, 1, 1, 0, 0}},           {"60.5..91", "45..45", {0.5, 2, 3, 2, 2}},
        {"0..60000", "7", {0.5, 1, 2000, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct oto_chunking c;
        oto_error err = {0};
        if (oto_chunking_parse(&c, 0.5, cases[i].chunk, cases[i].context, 30, &err) != OTO_OK)
            fail_msg("%s", err.message);
        assert_memory_equal(&c, &cases[i].expected, sizeof c);
    }
}

static void refuses_ranges(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "..",    "5..", "..5",     "9..8", "1..2..3",
                                      "-1", "5...6", "1e3", "0x10",    "inf",  "60001",
                                      " 5", "5 ..6", "nan", "1..60001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct oto_chunking c;
        oto_error err = {0};
        char expected[80];
        assert_int_equal(oto_chunking_parse(&c, 1, bad[i], "0", 10, &err), OTO_ERR_CONFIG);
        snprintf(expected, sizeof expected, "--chunk-ms=%s: expected milliseconds", bad[i]);
        assert_contains(err.message, expected);
        assert_int_equal(oto_chunking_parse(&c, 1, "10", bad[i], 10, &err), OTO_ERR_CONFIG);
        assert_contains(err.message, "--context-ms=");
    }
}

/* A function of seed and step, with the share asked for and all of the range. */
static void draws_evenly(void **state)
{
    (void)state;
    enum { STEPS = 20000 };
    const struct oto_chunking c = {0.3, 4, 7, 0, 2};
    int n = 0, chunks[8] = {0}, contexts[3] = {0}, same = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        struct oto_network_chunks a, b;
        bool drawn = oto_chunking_draw(&c, 9, step, &a);
        assert_int_equal(drawn, oto_chunking_draw(&c, 9, step, &b));
        same += drawn == oto_chunking_draw(&c, 10, step, &b);
        if (!drawn)
            continue;
        assert_in_range(a.n_chunk, 4, 7);
        assert_in_range(a.n_context, 0, 2);
        n++;
        chunks[a.n_chunk]++;
        contexts[a.n_context]++;
    }
    assert_in_range(n, 5700, 6300); /* 6000 +- 4.6 deviations of 65 */
    assert_in_range(same, 11200, 12000);
    for (int k = 4; k <= 7; k++)
        assert_in_range(chunks[k], n / 4 - 160, n / 4 + 160);
    for (int k = 0; k <= 2; k++)
        assert_in_range(contexts[k], n / 3 - 180, n / 3 + 180);
    const struct oto_chunking never = {0, 4, 7, 0, 2}, always = {1, 4, 7, 0, 2};
    struct oto_network_chunks a;
    for (uint64_t step = 0; step < 100; step++) {
        assert_false(oto_chunking_draw(&never, 9, step, &a));
        assert_true(oto_chunking_draw(&always, 9, step, &a));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_ranges),
        cmocka_unit_test(refuses_ranges),
        cmocka_unit_test(draws_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
