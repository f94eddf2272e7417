/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the continuations of n-grams begin: counted from places that 64 of them share, and one by
 * one where that does not reach far enough. */
#include "unit.h"

#include <math.h>

#include "base/container.h"
#include "base/lines.h"
#include "decoder/lm.h"
#include "decoder/lm_format.h"
#include "decoder/ngram.h"

/* The word n, with 0 before its digits, so that words stand in the order of their numbers. */
static void name_of(char *out, size_t size, int n)
{
    snprintf(out, size, "w%06d", n);
}

/* log10 p of word b after word a. */
static double expected_of(int a, int b)
{
    return -1 - ((a * 7 + b * 3) % 100) / 64.0;
}

/* n words; each has up to three continuations, the word `wide` so many. Words and pairs in order.
 */
static int n_after(int word, int wide, int n_wide)
{
    return word == wide ? n_wide : word % 4;
}

static oto_status make(struct oto_lm **lm, int n, int wide, int n_wide)
{
    struct oto_writer text = {0};
    struct oto_ngram *m = NULL;
    struct oto_lines *in = NULL;
    oto_error err = {0};
    char line[80], a[16], b[16];
    int n_pairs = 0;
    for (int i = 0; i < n; i++)
        n_pairs += n_after(i, wide, n_wide);
    oto_write_bytes(&text, line,
                    (size_t)snprintf(line, sizeof line,
                                     "\\data\\\nngram 1=%d\nngram 2=%d\n\n\\1-grams:\n-6\t<unk>\n",
                                     n + 1, n_pairs));
    for (int i = 0; i < n; i++) {
        name_of(a, sizeof a, i);
        oto_write_bytes(&text, line, (size_t)snprintf(line, sizeof line, "-5\t%s\t-0.25\n", a));
    }
    oto_write_bytes(&text, "\n\\2-grams:\n", 11);
    for (int i = 0; i < n; i++) {
        name_of(a, sizeof a, i);
        for (int k = 0; k < n_after(i, wide, n_wide); k++) {
            name_of(b, sizeof b, k);
            oto_write_bytes(
                &text, line,
                (size_t)snprintf(line, sizeof line, "%.6f\t%s %s\n", expected_of(i, k), a, b));
        }
    }
    oto_write_bytes(&text, "\n\\end\\\n", 7);
    assert_false(text.failed);
    oto_status status = oto_lines_open_memory(&in, (const char *)text.data, text.size, "t", &err);
    if (status == OTO_OK)
        status = oto_ngram_read_arpa(&m, in, &err);
    if (status == OTO_OK)
        status = oto_lm_from_ngram(lm, m, "t", &err);
    if (status != OTO_OK)
        print_message("%s\n", err.message);
    oto_lines_close(in);
    oto_ngram_destroy(m);
    oto_writer_clear(&text);
    return status;
}

static bool has_section(const struct oto_lm *lm, const char *name)
{
    struct oto_container c;
    assert_int_equal(
        oto_container_open(&c, &oto_lm_kind, oto_lm_image(lm), oto_lm_size(lm), "t", NULL), OTO_OK);
    return oto_container_find(&c, name, NULL) != NULL;
}

static void check_scores(const struct oto_lm *lm, int n, int wide, int n_wide)
{
    char name[16];
    for (int i = 0; i < n; i += i < 300 || (i > wide - 70 && i < wide + 70) ? 1 : 97) {
        struct oto_lm_state empty, after;
        int order;
        name_of(name, sizeof name, i);
        oto_lm_start_empty(&empty);
        (void)oto_lm_score(lm, &after, &empty, oto_lm_find(lm, name, strlen(name)), &order);
        const int most = n_after(i, wide, n_wide);
        for (int k = 0; k <= most && k < n; k += k < 5 || k > most - 5 ? 1 : 997) {
            struct oto_lm_state next;
            name_of(name, sizeof name, k);
            const double p =
                oto_lm_score(lm, &next, &after, oto_lm_find(lm, name, strlen(name)), &order);
            const double expected = k < most ? expected_of(i, k) : -5.25;
            assert_int_equal(order, k < most ? 2 : 1);
            if (fabs(p - expected) > 1e-6)
                fail_msg("word %d after %d: %.9g, expected %.9g", k, i, p, expected);
        }
    }
}

/* Read back into the arrays that it was made of, and written again, it is the same file. */
static void check_again(const struct oto_lm *lm)
{
    struct oto_ngram *m = NULL;
    struct oto_writer image = {0};
    assert_int_equal(oto_ngram_from_lm(&m, lm, NULL), OTO_OK);
    assert_int_equal(oto_ngram_write_image(m, 0, &image, NULL), OTO_OK);
    assert_int_equal(image.size, oto_lm_size(lm));
    assert_memory_equal(image.data, oto_lm_image(lm), image.size);
    oto_writer_clear(&image);
    oto_ngram_destroy(m);
}

/* The word n is n-gram n + 1, behind <unk>. The last of a block may have any number of
 * continuations; those of the 62 before the last but one are 93, which leaves it 65442. */
static void near_and_far(void **state)
{
    (void)state;
    enum { N = 66000, BLOCK = 64 * 12 };
    static const struct {
        int wide, n_wide;
        bool is_near;
    } cases[] = {{BLOCK + 62, 66000, true},
                 {BLOCK + 61, 65442, true},
                 {BLOCK + 61, 65443, false},
                 {BLOCK, 66000, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct oto_lm *lm = NULL;
        assert_int_equal(make(&lm, N, cases[i].wide, cases[i].n_wide), OTO_OK);
        assert_true(has_section(lm, "near1") == cases[i].is_near);
        assert_true(has_section(lm, "next1") != cases[i].is_near);
        assert_int_equal(((const unsigned char *)oto_lm_image(lm))[10], cases[i].is_near);
        check_scores(lm, N, cases[i].wide, cases[i].n_wide);
        check_again(lm);
        oto_lm_close(lm);
    }
}

/* With one number changed, all checksums right. */
static void expect_bad(const struct oto_lm *lm, const char *name, size_t at, int change,
                       const char *message)
{
    struct oto_container c;
    struct oto_container_writer w;
    struct oto_lm *bad = NULL;
    oto_error err = {0};
    assert_int_equal(
        oto_container_open(&c, &oto_lm_kind, oto_lm_image(lm), oto_lm_size(lm), "t", &err), OTO_OK);
    oto_container_begin(&w, c.n_sections);
    for (int k = 0; k < c.n_sections; k++) {
        const struct oto_section *s = &c.sections[k];
        unsigned char *copy = malloc(s->size);
        assert_non_null(copy);
        memcpy(copy, c.data + s->offset, s->size);
        const bool is_it = strcmp(s->name, name) == 0;
        if (is_it && change != 0)
            copy[at] = (unsigned char)(copy[at] + change);
        oto_container_section(&w, s->name, s->flags, copy, s->size - (is_it && change == 0));
        free(copy);
    }
    oto_container_finish(&w, &oto_lm_kind);
    assert_int_equal(oto_lm_open_memory(&bad, w.out.data, w.out.size, "bad", &err), OTO_ERR_FORMAT);
    assert_null(bad);
    assert_contains(err.message, message);
    oto_writer_clear(&w.out);
}

static void faults(void **state)
{
    (void)state;
    struct oto_lm *lm = NULL;
    assert_int_equal(make(&lm, 300, 7, 40), OTO_OK);
    expect_bad(lm, "near1", 0, 0, "section 'near1': ");
    expect_bad(lm, "place1", 0, 0, "section 'place1': ");
    expect_bad(lm, "near1", 2 * 64, 1, "section 'near1': entry 64: 0 at the beginning of a block");
    expect_bad(lm, "near1", 2 * 70, 100, "section 'near1': entry 71: rising numbers");
    expect_bad(lm, "place1", 0, 1, "section 'near1': entry 0: rising numbers from 0");
    expect_bad(lm, "place1", 4 * 2 + 3, 255, "section 'near1': entry 192: rising numbers");
    expect_bad(lm, "place1", 4 * 4, 1, "section 'near1': entry 301: rising numbers");
    oto_lm_close(lm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(near_and_far), cmocka_unit_test(faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
