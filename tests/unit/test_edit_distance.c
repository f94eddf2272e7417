/* SPDX-License-Identifier: BSD-2-Clause */
/* Word and character errors: hand-made cases, jiwer's figures, a plain recursive definition, bad
 * input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "decoder/edit_distance.h"

static struct oto_errors compare(const char *ref, const char *hyp, enum oto_edit_unit unit)
{
    struct oto_errors e = {0, 0, 0, 0, 0};
    assert_int_equal(oto_edit_add(&e, ref, hyp, unit, NULL), OTO_OK);
    return e;
}

static void expect(const char *ref, const char *hyp, enum oto_edit_unit unit, uint64_t n_ref,
                   uint64_t S, uint64_t I, uint64_t D)
{
    struct oto_errors e = compare(ref, hyp, unit);
    if (e.n_ref != n_ref || e.substitutions != S || e.insertions != I || e.deletions != D)
        fail_msg("\"%s\" \"%s\": N %d S %d I %d D %d", ref, hyp, (int)e.n_ref, (int)e.substitutions,
                 (int)e.insertions, (int)e.deletions);
    assert_int_equal(e.n_ref - e.deletions + e.insertions, e.n_hyp);
}

static void words(void **state)
{
    (void)state;
    expect("", "", OTO_EDIT_WORDS, 0, 0, 0, 0);
    expect("a b c", "a b c", OTO_EDIT_WORDS, 3, 0, 0, 0);
    expect("a b c", " a\tb\u3000c ", OTO_EDIT_WORDS, 3, 0, 0, 0);
    expect("a b c", "", OTO_EDIT_WORDS, 3, 0, 0, 3);
    expect("", "a b", OTO_EDIT_WORDS, 0, 0, 2, 0);
    expect("a b c", "a x c d", OTO_EDIT_WORDS, 3, 1, 1, 0);
    expect("a b c", "b c", OTO_EDIT_WORDS, 3, 0, 0, 1);
    expect("a bc", "ab c", OTO_EDIT_WORDS, 2, 2, 0, 0);
    expect("a B", "a b", OTO_EDIT_WORDS, 2, 1, 0, 0); /* case is the caller's business */
    expect("x y a b", "a b x y", OTO_EDIT_WORDS, 4, 0, 2, 2);
    /* three substitutions cost 12, two deletions and two insertions as well: the last pair is
     * substituted */
    expect("p q a", "a r s", OTO_EDIT_WORDS, 3, 3, 0, 0);
}

static void characters(void **state)
{
    (void)state;
    expect("kitten", "sitting", OTO_EDIT_CHARACTERS, 6, 2, 1, 0);
    expect("a  b ", "a b", OTO_EDIT_CHARACTERS, 3, 0, 0, 0);
    expect("ab", "a b", OTO_EDIT_CHARACTERS, 2, 0, 1, 0);
    expect("\u4F60\u597D", "\u4F60\u4EEC\u597D", OTO_EDIT_CHARACTERS, 2, 0, 1, 0);
    expect("na\u00EFve", "naive", OTO_EDIT_CHARACTERS, 5, 1, 0, 0);
}

static void adds_up(void **state)
{
    (void)state;
    struct oto_errors e = {0, 0, 0, 0, 0};
    assert_true(oto_error_rate(&e) == 0.0);
    assert_int_equal(oto_edit_add(&e, "", "a", OTO_EDIT_WORDS, NULL), OTO_OK);
    assert_true(oto_error_rate(&e) == 1.0);
    assert_int_equal(oto_edit_add(&e, "a b c d", "a x c", OTO_EDIT_WORDS, NULL), OTO_OK);
    assert_int_equal(e.n_ref, 4);
    assert_int_equal(e.n_hyp, 4);
    assert_true(oto_error_rate(&e) == 0.75);
}

static void invalid_utf8(void **state)
{
    (void)state;
    struct oto_errors e = {1, 2, 3, 4, 5};
    oto_error err;
    assert_int_equal(oto_edit_add(&e, "a\xff", "b", OTO_EDIT_WORDS, &err), OTO_ERR_DATA);
    assert_non_null(strstr(err.message, "reference: invalid UTF-8 at byte 1"));
    assert_int_equal(oto_edit_add(&e, "a", "\xc3", OTO_EDIT_CHARACTERS, &err), OTO_ERR_DATA);
    assert_non_null(strstr(err.message, "hypothesis: invalid UTF-8 at byte 0"));
    assert_true(e.n_ref == 1 && e.n_hyp == 2 && e.substitutions == 3 && e.insertions == 4 &&
                e.deletions == 5);
}

/** Lowest cost by the recursive definition. */
static int lowest_cost(const char *ref, const char *hyp, int substitution, int gap)
{
    if (!*ref)
        return gap * (int)strlen(hyp);
    if (!*hyp)
        return gap * (int)strlen(ref);
    int best = lowest_cost(ref + 1, hyp + 1, substitution, gap) + (*ref == *hyp ? 0 : substitution);
    int deletion = lowest_cost(ref + 1, hyp, substitution, gap) + gap;
    int insertion = lowest_cost(ref, hyp + 1, substitution, gap) + gap;
    best = deletion < best ? deletion : best;
    return insertion < best ? insertion : best;
}

static void spread(char *out, const char *letters)
{
    for (; *letters; letters++) {
        *out++ = *letters;
        *out++ = ' ';
    }
    *out = '\0';
}

static void costs_least(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 2000; i++) {
        char ref[8] = "", hyp[8] = "", ref_words[16], hyp_words[16];
        for (uint64_t j = 0, n = oto_rng_below(i, 0, 0, 7); j < n; j++)
            ref[j] = (char)('a' + oto_rng_below(i, 1, j, 3));
        for (uint64_t j = 0, n = oto_rng_below(i, 0, 1, 7); j < n; j++)
            hyp[j] = (char)('a' + oto_rng_below(i, 2, j, 3));
        spread(ref_words, ref);
        spread(hyp_words, hyp);
        struct oto_errors c = compare(ref, hyp, OTO_EDIT_CHARACTERS),
                          w = compare(ref_words, hyp_words, OTO_EDIT_WORDS);
        assert_int_equal(c.substitutions + c.insertions + c.deletions, lowest_cost(ref, hyp, 1, 1));
        assert_int_equal(4 * w.substitutions + 3 * (w.insertions + w.deletions),
                         lowest_cost(ref, hyp, 4, 3));
        assert_int_equal(w.n_ref, strlen(ref));
        assert_int_equal(c.n_hyp, strlen(hyp));
    }
}

/** Random texts of few letters: the pairs give back both texts, in order, and the counts. */
static void aligns_as_it_counts(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 2000; i++) {
        char ref[8] = "", hyp[8] = "", ref_words[16], hyp_words[16], r[8] = "", h[8] = "";
        for (uint64_t j = 0, n = oto_rng_below(i, 0, 0, 7); j < n; j++)
            ref[j] = (char)('a' + oto_rng_below(i, 1, j, 3));
        for (uint64_t j = 0, n = oto_rng_below(i, 0, 1, 7); j < n; j++)
            hyp[j] = (char)('a' + oto_rng_below(i, 2, j, 3));
        spread(ref_words, ref);
        spread(hyp_words, hyp);
        struct oto_errors e = compare(ref_words, hyp_words, OTO_EDIT_WORDS);
        struct oto_edit_pair *pairs;
        size_t n, counts[4] = {0};
        assert_int_equal(oto_edit_align(&pairs, &n, ref_words, hyp_words, NULL), OTO_OK);
        for (size_t k = 0; k < n; k++) {
            const struct oto_edit_pair *p = &pairs[k];
            counts[p->op]++;
            assert_int_equal(p->ref == NULL, p->op == OTO_EDIT_INSERTION);
            assert_int_equal(p->hyp == NULL, p->op == OTO_EDIT_DELETION);
            strncat(r, p->ref ? p->ref : "", p->ref_length);
            strncat(h, p->hyp ? p->hyp : "", p->hyp_length);
            if (p->ref && p->hyp)
                assert_int_equal(*p->ref == *p->hyp, p->op == OTO_EDIT_MATCH);
        }
        assert_string_equal(r, ref);
        assert_string_equal(h, hyp);
        assert_int_equal(counts[OTO_EDIT_SUBSTITUTION], e.substitutions);
        assert_int_equal(counts[OTO_EDIT_INSERTION], e.insertions);
        assert_int_equal(counts[OTO_EDIT_DELETION], e.deletions);
        oto_free(pairs);
    }
}

/** Lines of tests/data/edit_jiwer.tsv: reference, hypothesis, characters, character errors (made by
 * make_edit.py). */
static void equals_jiwer(void **state)
{
    (void)state;
    FILE *f = fopen(OTO_TEST_DATA "/edit_jiwer.tsv", "rb");
    assert_non_null(f);
    char line[1024];
    int n_lines = 0;
    while (fgets(line, sizeof line, f)) {
        char *hyp = strchr(line, '\t'), *n = hyp ? strchr(hyp + 1, '\t') : NULL,
             *errors = n ? strchr(n + 1, '\t') : NULL;
        assert_non_null(errors);
        *hyp++ = *n++ = *errors++ = '\0';
        struct oto_errors e = compare(line, hyp, OTO_EDIT_CHARACTERS);
        assert_int_equal(e.n_ref, strtoul(n, NULL, 10));
        assert_int_equal(e.substitutions + e.insertions + e.deletions, strtoul(errors, NULL, 10));
        n_lines++;
    }
    fclose(f);
    assert_int_equal(n_lines, 200);
}

static void failing_memory(void **state)
{
    (void)state;
    for (int unit = OTO_EDIT_WORDS; unit <= OTO_EDIT_CHARACTERS; unit++)
        for (size_t nth = 1;; nth++) {
            struct oto_errors e = {0, 0, 0, 0, 0};
            oto_mem_fail_nth(nth);
            oto_status status = oto_edit_add(&e, "a b c", "a d", (enum oto_edit_unit)unit, NULL);
            oto_mem_fail_nth(0);
            assert_int_equal(status, status ? OTO_ERR_MEMORY : OTO_OK);
            assert_true(status ? e.n_ref == 0 : e.n_ref > 0);
            if (!status) {
                assert_int_equal(nth, unit == OTO_EDIT_WORDS ? 4 : 3);
                break;
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(characters),
        cmocka_unit_test(adds_up),
        cmocka_unit_test(invalid_utf8),
        cmocka_unit_test(costs_least),
        cmocka_unit_test(equals_jiwer),
        cmocka_unit_test(aligns_as_it_counts),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
