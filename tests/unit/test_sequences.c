/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "acoustic/sequences.h"
#include "base/mem.h"

static void packs_by_time(void **state)
{
    (void)state;
    static const int lengths[] = {5, 3, 3, 1}, n_active[] = {4, 3, 3, 1, 1, 0};
    static const size_t offsets[] = {0, 4, 7, 10, 11, 12};
    struct oto_sequences s = {0};
    assert_int_equal(oto_sequences_set(&s, lengths, 4, NULL), OTO_OK);
    assert_int_equal(s.n_utts, 4);
    assert_int_equal(s.max_t, 5);
    assert_int_equal(s.n_rows, 12);
    assert_memory_equal(s.lengths, lengths, sizeof lengths);
    assert_memory_equal(s.n_active, n_active, sizeof n_active);
    assert_memory_equal(s.row_offset, offsets, sizeof offsets);
    assert_int_equal(oto_sequences_row(&s, 2, 1), 8);
    oto_sequences_clear(&s);
    assert_null(s.lengths);
    oto_sequences_clear(&s);
}

/* Every row belongs to one frame of one utterance, whatever was packed before. */
static void covers_rows_after_reuse(void **state)
{
    (void)state;
    static const int batches[][3] = {{7, 7, 2}, {30, 1, 1}, {4, 3, 2}, {31, 30, 29}};
    struct oto_sequences s = {0};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        unsigned char seen[93] = {0};
        assert_int_equal(oto_sequences_set(&s, batches[i], 3, NULL), OTO_OK);
        for (int b = 0; b < 3; b++)
            for (int t = 0; t < s.lengths[b]; t++) {
                assert_true(b < s.n_active[t]);
                assert_true(oto_sequences_row(&s, t, b) < s.n_rows);
                assert_int_equal(seen[oto_sequences_row(&s, t, b)]++, 0);
            }
        for (size_t n = 0; n < s.n_rows; n++)
            assert_int_equal(seen[n], 1);
    }
    oto_sequences_clear(&s);
}

static void refuses_bad_lengths(void **state)
{
    (void)state;
    struct oto_sequences s = {0};
    oto_error err = {0};
    assert_int_equal(oto_sequences_set(&s, (int[]){1}, 0, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "0 utterances");
    assert_int_equal(oto_sequences_set(&s, (int[]){3, 0}, 2, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "utterance 1 of a batch has 0 frames");
    assert_int_equal(oto_sequences_set(&s, (int[]){3, 2, 4}, 3, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "utterance 2 of a batch has 4 frames, more than the 2");
    assert_int_equal(oto_sequences_set(&s, (int[]){INT32_MAX}, 1, &err), OTO_ERR_ARGUMENT);
    oto_sequences_clear(&s);
}

/* A failed growth leaves the batch that was there. */
static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct oto_sequences s = {0};
    assert_int_equal(oto_sequences_set(&s, (int[]){2, 1}, 2, NULL), OTO_OK);
    for (size_t nth = 1; nth <= 3; nth++) {
        oto_error err = {0};
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_sequences_set(&s, (int[]){9, 9, 1}, 3, &err), OTO_ERR_MEMORY);
        oto_mem_fail_nth(0);
        assert_contains(err.message, "out of memory");
        assert_int_equal(s.n_rows, 3);
        assert_int_equal(s.n_active[1], 1);
        oto_sequences_clear(&s);
        assert_int_equal(oto_sequences_set(&s, (int[]){2, 1}, 2, NULL), OTO_OK);
    }
    assert_int_equal(oto_sequences_set(&s, (int[]){9, 9, 1}, 3, NULL), OTO_OK);
    assert_int_equal(s.n_rows, 19);
    oto_sequences_clear(&s);
}

/* Every frame of every window has one row; what starts from what is as the windows say. */
static void makes_windows(void **state)
{
    (void)state;
    static const int lengths[] = {11, 7, 7, 2};
    static const struct oto_network_chunks cuts[] = {{3, 2}, {1, 0},  {1, 4}, {4, 9},
                                                     {4, 0}, {20, 3}, {11, 1}};
    struct oto_sequences whole = {0}, s = {0};
    assert_int_equal(oto_sequences_set(&whole, lengths, 4, NULL), OTO_OK);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        int c = cuts[i].n_chunk, r = cuts[i].n_context, step = 0, last = -1;
        size_t row = 0;
        assert_int_equal(oto_sequences_set_windows(&s, &whole, &cuts[i], NULL), OTO_OK);
        for (int first = 0; first < 11; first += c) {
            int end = first + c + r < 11 ? first + c + r : 11, before = last;
            for (int t = first; t < end; t++, step++) {
                bool branches = t == first + c - 1 && t + 1 < end;
                assert_int_equal(s.frame[step], t);
                assert_int_equal(s.in_chunk[step], t < first + c);
                assert_int_equal(s.n_active[step], whole.n_active[t]);
                assert_int_equal(s.row_offset[step], row);
                assert_int_equal(oto_sequences_before(&s, step, false),
                                 t == first ? before : step - 1);
                assert_int_equal(oto_sequences_before(&s, step, true),
                                 t == end - 1 ? -1 : step + 1);
                assert_int_equal(oto_sequences_after(&s, step, true), t == first ? -1 : step - 1);
                /* Without a context the next chunk is the neighbour. */
                assert_int_equal(oto_sequences_after(&s, step, false),
                                 t + 1 < end || (r == 0 && t < 10) ? step + 1 : -1);
                assert_int_equal(oto_sequences_branch(&s, step, false),
                                 branches ? step + end - t : -1);
                assert_int_equal(oto_sequences_branch(&s, step, true), -1);
                row += (size_t)s.n_active[step];
                if (t < first + c)
                    last = step;
            }
        }
        assert_int_equal(s.max_t, step);
        assert_int_equal(s.n_rows, row);
        assert_int_equal(s.n_active[step], 0);
        assert_int_equal(s.n_utts, 4);
        assert_memory_equal(s.lengths, lengths, sizeof lengths);
    }
    oto_sequences_clear(&s);
    oto_sequences_clear(&whole);
}

static void refuses_windows(void **state)
{
    (void)state;
    struct oto_sequences whole = {0}, s = {0};
    oto_error err = {0};
    assert_int_equal(oto_sequences_set(&whole, (int[]){1 << 20}, 1, NULL), OTO_OK);
    assert_int_equal(
        oto_sequences_set_windows(&s, &whole, &(struct oto_network_chunks){0, 1}, &err),
        OTO_ERR_ARGUMENT);
    assert_contains(err.message, "chunks of 0 frames, expected 1 to");
    assert_int_equal(
        oto_sequences_set_windows(&s, &whole, &(struct oto_network_chunks){1, -1}, &err),
        OTO_ERR_ARGUMENT);
    assert_contains(err.message, "a right context of -1 frames");
    assert_int_equal(
        oto_sequences_set_windows(&s, &whole, &(struct oto_network_chunks){1, 1 << 20}, &err),
        OTO_ERR_ARGUMENT);
    assert_contains(err.message, "too many windows");
    for (size_t nth = 1; nth <= 4; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(
            oto_sequences_set_windows(&s, &whole, &(struct oto_network_chunks){64, 64}, &err),
            OTO_ERR_MEMORY);
        oto_mem_fail_nth(0);
        oto_sequences_clear(&s);
    }
    oto_sequences_clear(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packs_by_time),       cmocka_unit_test(covers_rows_after_reuse),
        cmocka_unit_test(refuses_bad_lengths), cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(makes_windows),       cmocka_unit_test(refuses_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
