/* SPDX-License-Identifier: BSD-2-Clause */
/* A beam search asked while frames still come, and one whose memory is bounded by committing. */
#include "unit.h"

#include <limits.h>
#include <math.h>

#include "base/mem.h"
#include "beam_words.h"
#include "ctc_brute.h"
#include "ctc_text.h"
#include "decoder/beam_private.h"
#include "toy_lm.h"

enum { K = 5, SPACE = 1, MAX_T = 400 };
static struct oto_alphabet *alphabet; /* space a b c */
static struct oto_lm *lm;
static struct oto_lexicon *lexicon;
static struct oto_language *languages[4]; /* none, open, strict and scored, strict alone */

static int set_up(void **state)
{
    (void)state;
    static const char *const symbols[] = {" ", "a", "b", "c"};
    static const struct oto_text_policy policy = {OTO_CASE_KEEP, OTO_PUNCTUATION_KEEP};
    static const struct oto_language_options options = {0.7, 0.4, -0.5, 0.0};
    char folder[64], path[128];
    oto_error err = {0};
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/toy.arpa", folder);
    unit_write_file(path, toy_arpa, sizeof toy_arpa - 1);
    if (oto_alphabet_create(&alphabet, symbols, 4, &policy, &err) != OTO_OK ||
        oto_lm_open(&lm, path, &err) != OTO_OK ||
        oto_lexicon_parse(&lexicon, "a\nba\nbcab\n", 10, "words", alphabet, &err) != OTO_OK ||
        oto_language_create(&languages[1], NULL, lm, alphabet, &options, &err) != OTO_OK ||
        oto_language_create(&languages[2], lexicon, lm, alphabet, &options, &err) != OTO_OK ||
        oto_language_create(&languages[3], lexicon, NULL, alphabet, NULL, &err) != OTO_OK)
        fail_msg("%s", err.message);
    unit_remove_folder(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        oto_language_destroy(languages[i]);
    oto_lexicon_destroy(lexicon);
    oto_lm_close(lm);
    oto_alphabet_destroy(alphabet);
    return 0;
}

/** Labels and frames that were committed. */
struct done {
    int labels[MAX_T], frames[MAX_T], n;
};

static void take(struct done *done, const struct oto_hypothesis *h)
{
    assert_in_range(done->n + h->n_labels, 0, MAX_T);
    memcpy(done->labels + done->n, h->labels, (size_t)h->n_labels * sizeof(int));
    memcpy(done->frames + done->n, h->frames, (size_t)h->n_labels * sizeof(int));
    done->n += h->n_labels;
}

static void commit(struct done *done, struct oto_beam *beam, int n_keep)
{
    struct oto_hypothesis h;
    oto_error err = {0};
    if (oto_beam_commit(beam, n_keep, &h, &err) != OTO_OK)
        fail_msg("%s", err.message);
    assert_true(h.log_prob == 0.0);
    take(done, &h);
}

/** The labels begin with the first n of done and h. */
static void check_begins(const struct oto_hypothesis *all, const struct done *done,
                         const struct oto_hypothesis *h, int n)
{
    assert_in_range(done->n + n, 0, all->n_labels);
    assert_memory_equal(all->labels, done->labels, (size_t)done->n * sizeof(int));
    assert_memory_equal(all->labels + done->n, h->labels, (size_t)n * sizeof(int));
}

/** A search that commits finds what one finds that does not; what was called stable is in it. */
static void commits_change_nothing(void **state)
{
    (void)state;
    enum { T = 300 };
    static float log_probs[T * K];
    static const struct oto_beam_options o = {20, 0, -INFINITY, 25.0, 0.0};
    int n_committed = 0;
    for (uint64_t round = 0; round < 40; round++) {
        const struct oto_language *language = languages[round % 4];
        struct oto_beam *whole = create(K, &o, language), *parts = create(K, &o, language);
        const struct oto_hypothesis *a, *b;
        struct done done = {.n = 0};
        ctc_random_log_probs(log_probs, T, K, 3.0 + (double)(round % 3), 0.0, round);
        int n = decode(whole, log_probs, T, 8, &a);
        for (int t = 0, i = 0; t < T; i++) {
            struct oto_hypothesis partial;
            int m = (int)oto_rng_below(round, 0, (uint64_t)i, 30), n_stable = -1;
            m = m < T - t ? m : T - t;
            assert_int_equal(oto_beam_push(parts, log_probs + t * K, (size_t)m, NULL), OTO_OK);
            t += m;
            assert_int_equal(oto_beam_partial(parts, &partial, &n_stable, NULL), OTO_OK);
            assert_in_range(n_stable, 0, partial.n_labels);
            assert_true(partial.log_prob == parts->entries[0].total);
            for (int j = 0; j < n && t < T; j++)
                check_begins(&a[j], &done, &partial, n_stable);
            if (i % 3 > 0)
                commit(&done, parts, INT_MAX);
        }
        n_committed += done.n;
        assert_int_equal(decode(parts, NULL, 0, 8, &b), n);
        for (int j = 0; j < n; j++) {
            check_begins(&a[j], &done, &b[j], b[j].n_labels);
            assert_int_equal(a[j].n_labels, done.n + b[j].n_labels);
            assert_memory_equal(a[j].frames, done.frames, (size_t)done.n * sizeof(int));
            assert_memory_equal(a[j].frames + done.n, b[j].frames,
                                (size_t)b[j].n_labels * sizeof(int));
            assert_true(a[j].log_prob == b[j].log_prob);
        }
        oto_beam_destroy(whole);
        oto_beam_destroy(parts);
    }
    assert_true(n_committed > 1000);
}

/** However long the input and however unsure: memory does not grow, and the text stays one of the
 * lexicon where that is strict, never worth more than it is. */
static void memory_is_bounded(void **state)
{
    (void)state;
    enum { T = 200, ROUNDS = 100 };
    static float log_probs[T * K];
    static const struct oto_beam_options o = {30, 0, -INFINITY, 0.0, 0.0};
    for (int i = 0; i < 12; i++) {
        const struct oto_language *language = languages[i % 4];
        struct oto_beam *beam = create(K, &o, language);
        const int n_keep = i / 4 * 7;
        int32_t place = OTO_LEXICON_ROOT;
        for (int round = 0; round < ROUNDS; round++) {
            ctc_random_log_probs(log_probs, T, K, i < 4 ? 0.0 : 2.0, 0.0,
                                 (uint64_t)(i * ROUNDS + round)); /* 0: all texts are alike */
            for (int t = 0; t < T; t += 10) {
                struct done done = {.n = 0};
                struct oto_hypothesis partial;
                assert_int_equal(oto_beam_push(beam, log_probs + t * K, 10, NULL), OTO_OK);
                commit(&done, beam, n_keep);
                for (int j = 0; language && language->strict && j < done.n; j++) {
                    place = oto_lexicon_step(lexicon, place, done.labels[j]);
                    assert_int_not_equal(place, OTO_LEXICON_NONE);
                }
                assert_int_equal(oto_beam_partial(beam, &partial, NULL, NULL), OTO_OK);
                assert_in_range(partial.n_labels, 0, n_keep + 10);
            }
        }
        /* 31 entries of n_keep labels, 10 frames and what one may be longer by, and doubling */
        assert_in_range(beam->trie.capacity, 1, 2 * 31 * (n_keep + 10 + 10));
        const struct oto_hypothesis *hyps;
        int n = 0;
        assert_int_equal(oto_beam_n_best(beam, 30, &hyps, &n, NULL), OTO_OK);
        for (int j = 0; j < n; j++) {
            int32_t end = place;
            for (int l = 0; language && language->strict && l < hyps[j].n_labels; l++) {
                end = oto_lexicon_step(lexicon, end, hyps[j].labels[l]);
                assert_int_not_equal(end, OTO_LEXICON_NONE);
            }
            assert_true(!language || !language->strict || oto_lexicon_is_complete(lexicon, end));
        }
        oto_beam_destroy(beam);
    }
}

/** What is decided early is one of the likely texts, and no score is above the exact one. */
static void early_decisions(void **state)
{
    (void)state;
    enum { T = 60 };
    static float log_probs[T * K];
    static const struct oto_beam_options o = {50, 0, -INFINITY, 0.0, 0.0};
    int n_same = 0, n_rounds = 60;
    for (int round = 0; round < n_rounds; round++) {
        struct oto_beam *whole = create(K, &o, NULL), *parts = create(K, &o, NULL);
        const struct oto_hypothesis *a, *b;
        struct done done = {.n = 0};
        ctc_random_log_probs(log_probs, T, K, 3.0, 0.0, (uint64_t)round);
        decode(whole, log_probs, T, 1, &a);
        for (int t = 0; t < T; t++) {
            assert_int_equal(oto_beam_push(parts, log_probs + t * K, 1, NULL), OTO_OK);
            commit(&done, parts, 3);
        }
        decode(parts, NULL, 0, 1, &b);
        take(&done, &b[0]);
        double exact = ctc_text_log_prob(log_probs, T, K, done.labels, done.n, -1);
        assert_true(b[0].log_prob <= exact + 1e-9);
        n_same += done.n == a[0].n_labels &&
                  memcmp(done.labels, a[0].labels, (size_t)done.n * sizeof(int)) == 0;
        oto_beam_destroy(whole);
        oto_beam_destroy(parts);
    }
    assert_in_range(n_same, n_rounds / 2, n_rounds);
}

/** A reset forgets what was committed. */
static void reset_begins_anew(void **state)
{
    (void)state;
    enum { T = 80 };
    static float log_probs[T * K];
    static const struct oto_beam_options o = {20, 0, -INFINITY, 0.0, 0.0};
    for (int i = 0; i < 4; i++) {
        struct oto_beam *fresh = create(K, &o, languages[i]), *used = create(K, &o, languages[i]);
        const struct oto_hypothesis *a, *b;
        struct done done = {.n = 0};
        ctc_random_log_probs(log_probs, T, K, 4.0, 0.0, 5);
        decode(used, log_probs, T, 1, &b);
        commit(&done, used, 0);
        assert_true(done.n > 0);
        oto_beam_reset(used);
        decode(fresh, log_probs, T, 1, &a);
        decode(used, log_probs, T, 1, &b);
        assert_int_equal(a[0].n_labels, b[0].n_labels);
        assert_memory_equal(a[0].labels, b[0].labels, (size_t)a[0].n_labels * sizeof(int));
        assert_true(a[0].log_prob == b[0].log_prob);
        oto_beam_destroy(fresh);
        oto_beam_destroy(used);
    }
}

static void errors(void **state)
{
    (void)state;
    enum { T = 30 };
    static float log_probs[T * K];
    static const struct oto_beam_options o = {20, 0, -INFINITY, 0.0, 0.0};
    struct oto_beam *beam = create(K, &o, languages[1]);
    struct oto_hypothesis h, again;
    oto_error err = {0};
    int n_stable = -1;
    assert_int_equal(oto_beam_partial(beam, &h, &n_stable, &err), OTO_OK); /* no frame yet */
    assert_int_equal(h.n_labels, 0);
    assert_int_equal(n_stable, 0);
    assert_int_equal(oto_beam_commit(beam, 0, &h, &err), OTO_OK);
    assert_int_equal(h.n_labels, 0);
    ctc_random_log_probs(log_probs, T, K, 4.0, 0.0, 3);
    assert_int_equal(oto_beam_push(beam, log_probs, T, NULL), OTO_OK);
    assert_int_equal(oto_beam_commit(beam, -1, &h, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "-1 labels kept, expected 0 or more");
    oto_beam_destroy(beam);
    beam = create(K, &o, languages[1]); /* whose buffers are small */
    assert_int_equal(oto_beam_push(beam, log_probs, T, NULL), OTO_OK);
    oto_mem_fail_nth(1);
    assert_int_equal(oto_beam_partial(beam, &h, NULL, &err), OTO_ERR_MEMORY);
    oto_mem_fail_nth(1);
    assert_int_equal(oto_beam_commit(beam, 2, &h, &err), OTO_ERR_MEMORY);
    oto_mem_fail_nth(0);
    assert_int_equal(oto_beam_partial(beam, &h, NULL, &err), OTO_OK);
    assert_true(h.n_labels > 2);
    const int n = h.n_labels;
    assert_int_equal(oto_beam_commit(beam, 2, &h, &err), OTO_OK);
    assert_true(h.n_labels >= n - 2);
    assert_int_equal(oto_beam_commit(beam, 2, &again, &err), OTO_OK);
    assert_int_equal(again.n_labels, 0);
    oto_beam_destroy(beam);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_change_nothing),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(early_decisions),
        cmocka_unit_test(reset_begins_anew),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
