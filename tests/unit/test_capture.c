/* SPDX-License-Identifier: BSD-2-Clause */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <pthread.h>
#include <sched.h>

#include "audio/capture.h"
#include "base/mem.h"

static struct oto_capture *make(int n_channels, size_t n)
{
    struct oto_capture *c = NULL;
    oto_error err = {OTO_OK, ""};
    assert_int_equal(oto_capture_create(&c, n_channels, n, &err), OTO_OK);
    return c;
}

static void test_gap_between(void **state)
{
    (void)state;
    struct oto_capture *c = make(2, 4);
    const float frames[8] = {1, -1, 2, -2, 3, -3, 4, -4};
    float out[8];
    struct oto_capture_gap gap;
    oto_capture_write(c, frames, 3, false);
    oto_capture_write(c, frames, 2, false); /* lost as a whole: one would have had room */
    oto_capture_write(c, frames, 4, false); /* lost, too */
    assert_int_equal(oto_capture_n_lost(c), 6);
    assert_false(oto_capture_next_gap(c, &gap)); /* not there yet */
    assert_int_equal(oto_capture_read(c, out, 1), 1);
    assert_int_equal(oto_capture_read(c, out, 4), 2);
    assert_true(out[0] == 2 && out[3] == -3);
    oto_capture_write(c, frames, 2, false);
    assert_int_equal(oto_capture_read(c, out, 4), 0); /* the gap comes first */
    assert_true(oto_capture_next_gap(c, &gap));
    assert_int_equal(gap.position, 3);
    assert_int_equal(gap.n_lost, 6);
    assert_false(oto_capture_next_gap(c, &gap));
    oto_capture_write(c, frames, 1, true); /* the device's own gap */
    assert_int_equal(oto_capture_read(c, out, 4), 2);
    assert_true(oto_capture_next_gap(c, &gap));
    assert_true(gap.position == 5 && gap.n_lost == 0);
    assert_int_equal(oto_capture_read(c, out, 4), 1);
    assert_false(oto_capture_is_over(c));
    oto_capture_write(c, frames, 3, false);
    oto_capture_write(c, frames, 3, false);
    oto_capture_end(c);
    assert_false(oto_capture_is_over(c));
    assert_int_equal(oto_capture_read(c, out, 4), 3);
    assert_false(oto_capture_is_over(c)); /* what was lost last is told, too */
    assert_true(oto_capture_next_gap(c, &gap));
    assert_true(gap.position == 9 && gap.n_lost == 3);
    assert_true(oto_capture_is_over(c));
    oto_capture_destroy(c);
    oto_capture_destroy(NULL);
}

/* More gaps than are remembered: none of the loss is forgotten. */
static void test_many_gaps(void **state)
{
    (void)state;
    struct oto_capture *c = make(1, 256);
    const float frames[300] = {0};
    float out[256];
    uint64_t n_read = 0, n_told = 0;
    struct oto_capture_gap gap;
    for (int i = 0; i < 200; i++) {
        oto_capture_write(c, frames, 1, false);
        oto_capture_write(c, frames, 300, false); /* never fits */
    }
    while (oto_capture_read(c, out, 256) > 0 || oto_capture_next_gap(c, &gap)) {
    }
    oto_capture_destroy(c);
    c = make(1, 256);
    for (int i = 0; i < 200; i++) {
        oto_capture_write(c, frames, 1, false);
        oto_capture_write(c, frames, 300, false);
        size_t n = i % 5 == 0 ? oto_capture_read(c, out, 256) : 0;
        n_read += n;
        while (i % 5 == 0 && oto_capture_next_gap(c, &gap))
            n_told += gap.n_lost;
    }
    oto_capture_end(c);
    while (!oto_capture_is_over(c)) {
        n_read += oto_capture_read(c, out, 256);
        while (oto_capture_next_gap(c, &gap))
            n_told += gap.n_lost;
    }
    assert_int_equal(n_read + n_told, 200 * 301);
    assert_int_equal(n_told, oto_capture_n_lost(c));
    oto_capture_destroy(c);
}

enum { TOTAL = 400000 };

static void *write_all(void *arg)
{
    struct oto_capture *c = arg;
    float block[97];
    for (size_t at = 0; at < TOTAL;) {
        size_t n = 1 + at % 97;
        n = n < TOTAL - at ? n : TOTAL - at;
        for (size_t i = 0; i < n; i++)
            block[i] = (float)(at + i);
        oto_capture_write(c, block, n, false);
        at += n;
        if (at % 1000 < 97)
            sched_yield();
    }
    oto_capture_end(c);
    return NULL;
}

/* A reader that cannot keep up: each sample is read or lost, and those read are in their place. */
static void test_threads(void **state)
{
    (void)state;
    struct oto_capture *c = make(1, 256);
    pthread_t thread;
    float out[64];
    uint64_t next = 0, n_lost = 0, n_read = 0;
    struct oto_capture_gap gap;
    assert_int_equal(pthread_create(&thread, NULL, write_all, c), 0);
    while (!oto_capture_is_over(c)) {
        while (oto_capture_next_gap(c, &gap)) {
            assert_int_equal(gap.position, n_read);
            next += gap.n_lost;
            n_lost += gap.n_lost;
        }
        size_t n = oto_capture_read(c, out, 64);
        for (size_t i = 0; i < n; i++, next++) {
            if (out[i] != (float)next)
                fail_msg("sample %llu is %g", (unsigned long long)next, (double)out[i]);
        }
        n_read += n;
    }
    pthread_join(thread, NULL);
    while (oto_capture_next_gap(c, &gap))
        n_lost += gap.n_lost;
    print_message("%llu read, %llu lost\n", (unsigned long long)n_read, (unsigned long long)n_lost);
    assert_int_equal(n_read + n_lost, TOTAL);
    assert_int_equal(n_lost, oto_capture_n_lost(c));
    oto_capture_destroy(c);
}

static void test_errors(void **state)
{
    (void)state;
    struct oto_capture *c = NULL;
    oto_error err = {OTO_OK, ""};
    assert_int_equal(oto_capture_create(&c, 0, 10, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_capture_create(&c, 1, 0, &err), OTO_ERR_ARGUMENT);
    assert_null(c);
    (void)oto_mem_fail_nth(0);
    c = make(1, 10);
    size_t n = oto_mem_fail_nth(0);
    oto_capture_destroy(c);
    assert_true(n > 0);
    for (size_t nth = 1; nth <= n; nth++) {
        (void)oto_mem_fail_nth(nth);
        assert_int_equal(oto_capture_create(&c, 1, 10, &err), OTO_ERR_MEMORY);
        assert_null(c);
    }
    (void)oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gap_between),
        cmocka_unit_test(test_many_gaps),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
