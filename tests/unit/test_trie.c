/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of prefixes: children, references, reuse of nodes, comparison. */
#include "unit.h"

#include "base/mem.h"
#include "base/rng.h"
#include "decoder/trie.h"

static struct oto_trie create(int32_t n)
{
    struct oto_trie trie = {0};
    assert_true(oto_trie_reserve(&trie, n + 1));
    oto_trie_reset(&trie);
    return trie;
}

/** The node of a text of digits, all of it held once. */
static int32_t hold_text(struct oto_trie *trie, const char *digits)
{
    int32_t node = OTO_TRIE_ROOT;
    for (; *digits; digits++)
        node = oto_trie_child(trie, node, *digits - '0');
    oto_trie_hold(trie, node);
    return node;
}

static void children_are_found_again(void **state)
{
    (void)state;
    struct oto_trie trie = create(20);
    int32_t a = hold_text(&trie, "12"), b = hold_text(&trie, "13"), c = hold_text(&trie, "12");
    assert_int_equal(a, c);
    assert_int_not_equal(a, b);
    assert_int_equal(trie.nodes[a].depth, 2);
    assert_int_equal(trie.nodes[a].label, 2);
    assert_int_equal(trie.nodes[a].parent, trie.nodes[b].parent);
    assert_int_equal(trie.n, 4); /* root, 1, 12, 13 */
    oto_trie_clear(&trie);
}

static void released_branches_are_reused(void **state)
{
    (void)state;
    struct oto_trie trie = create(20);
    int32_t longer = hold_text(&trie, "1234"), shorter = hold_text(&trie, "12");
    oto_trie_release(&trie, longer); /* frees 1234 and 123, not 12 */
    assert_int_equal(trie.n_free, 2);
    assert_int_equal(hold_text(&trie, "12"), shorter);
    oto_trie_release(&trie, shorter);
    assert_int_equal(trie.n_free, 2);
    oto_trie_release(&trie, shorter);
    assert_int_equal(trie.n_free, 4);
    assert_int_equal(trie.nodes[OTO_TRIE_ROOT].first_child, OTO_TRIE_NONE);
    hold_text(&trie, "5678");
    assert_int_equal(trie.n, 5);
    assert_int_equal(trie.n_free, 0);
    oto_trie_clear(&trie);
}

/** The middle one of three siblings goes, then the ends. */
static void siblings_stay_linked(void **state)
{
    (void)state;
    struct oto_trie trie = create(20);
    int32_t nodes[3] = {hold_text(&trie, "1"), hold_text(&trie, "2"), hold_text(&trie, "3")};
    oto_trie_release(&trie, nodes[1]);
    assert_int_equal(oto_trie_child(&trie, OTO_TRIE_ROOT, 1), nodes[0]);
    assert_int_equal(oto_trie_child(&trie, OTO_TRIE_ROOT, 3), nodes[2]);
    oto_trie_release(&trie, nodes[2]);
    assert_int_equal(oto_trie_child(&trie, OTO_TRIE_ROOT, 1), nodes[0]);
    oto_trie_release(&trie, nodes[0]);
    assert_int_equal(trie.nodes[OTO_TRIE_ROOT].first_child, OTO_TRIE_NONE);
    oto_trie_clear(&trie);
}

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void compares_like_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "1", "11", "12", "121", "2", "21", "211", "3"};
    enum { N = sizeof texts / sizeof *texts };
    struct oto_trie trie = create(40);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int expected = sign(strcmp(texts[i], texts[j]));
            int32_t a = hold_text(&trie, texts[i]), b = hold_text(&trie, texts[j]);
            assert_int_equal(sign(oto_trie_compare(&trie, a, 0, b, 0)), expected);
            /* the last label apart */
            size_t n = strlen(texts[i]), m = strlen(texts[j]);
            int32_t a_parent = n ? trie.nodes[a].parent : a,
                    b_parent = m ? trie.nodes[b].parent : b;
            int32_t a_more = n ? trie.nodes[a].label : 0, b_more = m ? trie.nodes[b].label : 0;
            assert_int_equal(sign(oto_trie_compare(&trie, a_parent, a_more, b_parent, b_more)),
                             expected);
            assert_int_equal(sign(oto_trie_compare(&trie, a_parent, a_more, b, 0)), expected);
        }
    oto_trie_clear(&trie);
}

/** A window of 50 leaves that wander for long: the number of nodes stays that of what is alive. */
static void memory_follows_what_is_alive(void **state)
{
    (void)state;
    enum { WIDTH = 50, STEPS = 100000, MAX_DEPTH = 30 };
    struct oto_trie trie = create(WIDTH * MAX_DEPTH);
    int32_t held[WIDTH] = {0}, capacity = trie.capacity;
    for (int i = 0; i < WIDTH; i++)
        oto_trie_hold(&trie, OTO_TRIE_ROOT);
    for (uint64_t step = 0; step < STEPS; step++) {
        int32_t *leaf = &held[step % WIDTH], from = *leaf;
        if (trie.nodes[from].depth == MAX_DEPTH)
            from = OTO_TRIE_ROOT;
        int32_t child = oto_trie_child(&trie, from, 1 + (int32_t)oto_rng_below(1, 0, step, 5));
        oto_trie_hold(&trie, child);
        oto_trie_release(&trie, *leaf);
        *leaf = child;
    }
    assert_int_equal(trie.capacity, capacity);
    for (int i = 0; i < WIDTH; i++)
        oto_trie_release(&trie, held[i]);
    assert_int_equal(trie.n - trie.n_free, 1);
    oto_trie_clear(&trie);
}

static void reserve_fails_cleanly(void **state)
{
    (void)state;
    struct oto_trie trie = create(3);
    int32_t node = hold_text(&trie, "12");
    oto_mem_fail_nth(1);
    assert_false(oto_trie_reserve(&trie, 1000));
    oto_mem_fail_nth(0);
    assert_false(oto_trie_reserve(&trie, INT32_MAX));
    assert_int_equal(trie.nodes[node].label, 2);
    assert_true(oto_trie_reserve(&trie, 1000));
    assert_int_equal(trie.nodes[node].label, 2);
    assert_int_equal(hold_text(&trie, "12"), node);
    oto_trie_clear(&trie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_are_found_again),
        cmocka_unit_test(released_branches_are_reused),
        cmocka_unit_test(siblings_stay_linked),
        cmocka_unit_test(compares_like_texts),
        cmocka_unit_test(memory_follows_what_is_alive),
        cmocka_unit_test(reserve_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
