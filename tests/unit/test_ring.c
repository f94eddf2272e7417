/* SPDX-License-Identifier: BSD-2-Clause */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "audio/ring.h"
#include "base/mem.h"

static struct oto_ring *make(size_t element_bytes, size_t n)
{
    struct oto_ring *ring = NULL;
    oto_error err = {OTO_OK, ""};
    assert_int_equal(oto_ring_create(&ring, element_bytes, n, &err), OTO_OK);
    return ring;
}

static void test_capacity_is_next_power_of_two(void **state)
{
    static const size_t asked[] = {1, 2, 3, 4, 5, 63, 64, 65, 1000};
    static const size_t got[] = {1, 2, 4, 4, 8, 64, 64, 128, 1024};
    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct oto_ring *ring = make(4, asked[i]);
        assert_int_equal(oto_ring_capacity(ring), got[i]);
        assert_int_equal(oto_ring_writable(ring), got[i]);
        assert_int_equal(oto_ring_readable(ring), 0);
        oto_ring_destroy(ring);
    }
    oto_ring_destroy(NULL);
}

static void test_full_and_empty(void **state)
{
    (void)state;
    struct oto_ring *ring = make(sizeof(int), 4);
    int in[6] = {1, 2, 3, 4, 5, 6}, out[6] = {0};
    assert_int_equal(oto_ring_write(ring, in, 6), 4); /* all of the capacity is usable, no more */
    assert_int_equal(oto_ring_write(ring, in, 1), 0);
    assert_int_equal(oto_ring_peek(ring, out, 2), 2);
    assert_int_equal(oto_ring_readable(ring), 4);
    assert_int_equal(oto_ring_read(ring, out, 6), 4);
    assert_memory_equal(in, out, 4 * sizeof(int));
    assert_int_equal(oto_ring_read(ring, out, 6), 0);
    oto_ring_destroy(ring);
}

/* Every mixture of portions keeps the order across the wrap, for an element size that divides
 * nothing. */
static void test_wrap(void **state)
{
    (void)state;
    struct oto_ring *ring = make(3, 8);
    unsigned char next_in = 0, next_out = 0, block[3 * 8];
    for (size_t round = 0; round < 2000; round++) {
        size_t n_in = round % 7 + 1, n_out = round % 5 + 1;
        n_in = n_in < oto_ring_writable(ring) ? n_in : oto_ring_writable(ring);
        for (size_t i = 0; i < 3 * n_in; i++) {
            block[i] = next_in++;
        }
        assert_int_equal(oto_ring_write(ring, block, n_in), n_in);
        n_out = oto_ring_read(ring, block, n_out);
        for (size_t i = 0; i < 3 * n_out; i++) {
            assert_int_equal(block[i], next_out++);
        }
    }
    assert_int_not_equal(next_out, 0);
    oto_ring_destroy(ring);
}

enum { N_THREADED = 500000 };

static void *write_numbers(void *arg)
{
    struct oto_ring *ring = arg;
    uint32_t block[97], next = 0;
    while (next < N_THREADED) {
        size_t n = next % 97 + 1;
        n = n < N_THREADED - next ? n : N_THREADED - next;
        for (size_t i = 0; i < n; i++) {
            block[i] = next + (uint32_t)i;
        }
        size_t written = oto_ring_write(ring, block, n);
        next += (uint32_t)written;
        if (written == 0) {
            sched_yield();
        }
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    (void)state;
    struct oto_ring *ring = make(sizeof(uint32_t), 1024);
    pthread_t writer;
    uint32_t block[61], expected = 0;
    bool in_order = true;
    assert_int_equal(pthread_create(&writer, NULL, write_numbers, ring), 0);
    while (expected < N_THREADED) {
        size_t n = oto_ring_read(ring, block, expected % 61 + 1);
        for (size_t i = 0; i < n; i++) {
            in_order = in_order && block[i] == expected;
            expected++;
        }
        if (n == 0) {
            sched_yield();
        }
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_true(in_order);
    assert_int_equal(oto_ring_readable(ring), 0);
    oto_ring_destroy(ring);
}

/* Two rings in one piece of memory, as a writing and a reading process have them. */
static void test_in_memory(void **state)
{
    (void)state;
    struct oto_ring *in = NULL, *out = NULL;
    int numbers[6] = {1, 2, 3, 4, 5, 6}, got[8] = {0};
    assert_int_equal(oto_ring_bytes(sizeof(int), 5), 2 * 64 + 64);
    assert_int_equal(oto_ring_bytes(sizeof(int), 17), 2 * 64 + 128);
    assert_true(oto_ring_bytes(0, 5) == SIZE_MAX && oto_ring_bytes(4, 0) == SIZE_MAX &&
                oto_ring_bytes(SIZE_MAX / 8, 64) == SIZE_MAX);
    size_t *memory = oto_calloc(1, oto_ring_bytes(sizeof(int), 5));
    assert_int_equal(oto_ring_create_in(&in, memory, sizeof(int), 5, NULL), OTO_OK);
    assert_int_equal(oto_ring_write(in, numbers, 3), 3);
    assert_int_equal(oto_ring_create_in(&out, memory, sizeof(int), 5, NULL), OTO_OK);
    assert_int_equal(oto_ring_write(in, numbers + 3, 3), 3);
    assert_int_equal(oto_ring_read(out, got, 8), 6);
    assert_memory_equal(got, numbers, sizeof numbers);
    assert_int_equal(oto_ring_writable(in), 8);
    oto_ring_destroy(in);
    /* A writer gone mad: never more than there can be. */
    memory[0] = SIZE_MAX / 2;
    assert_int_equal(oto_ring_readable(out), 8);
    assert_int_equal(oto_ring_read(out, got, 8), 8);
    memory[0] = 0;
    memory[8] = 7;
    assert_int_equal(oto_ring_readable(out), 8);
    assert_int_equal(oto_ring_writable(out), 0);
    oto_ring_destroy(out);
    oto_free(memory);
}

static void test_errors(void **state)
{
    struct oto_ring *ring = NULL;
    oto_error err = {OTO_OK, ""};
    (void)state;
    assert_int_equal(oto_ring_create(&ring, 0, 8, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "0 bytes");
    assert_int_equal(oto_ring_create(&ring, 4, 0, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "0 elements");
    assert_int_equal(oto_ring_create(&ring, SIZE_MAX / 8, 64, &err), OTO_ERR_MEMORY);
    assert_null(ring);
    for (size_t nth = 1; nth <= 2; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_ring_create(&ring, 4, 8, &err), OTO_ERR_MEMORY);
        assert_null(ring);
    }
    oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capacity_is_next_power_of_two),
        cmocka_unit_test(test_full_and_empty),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_in_memory),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
