/* SPDX-License-Identifier: BSD-2-Clause */
/* Beam search with a word 3-gram against pyctcdecode (make_beam_lm.py), and with its words as the
 * lexicon against flashlight-text (make_beam_flashlight.py), where the definitions agree: the best
 * texts, their order and their scores. */
#include "unit.h"

#include <math.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "decoder/beam.h"

enum { K29 = 29 };
static const char *const symbols[K29 - 1] = {" ", "a", "b", "c", "d", "e", "f", "g", "h", "i",
                                             "j", "k", "l", "m", "n", "o", "p", "q", "r", "s",
                                             "t", "u", "v", "w", "x", "y", "z", "'"};
static struct oto_alphabet *alphabet;
static struct oto_lm *lm;
static struct oto_lexicon *lexicon; /* the words of lm */

static int set_up(void **state)
{
    (void)state;
    static const struct oto_text_policy policy = {OTO_CASE_KEEP, OTO_PUNCTUATION_KEEP};
    oto_error err = {0};
    if (oto_alphabet_create(&alphabet, symbols, K29 - 1, &policy, &err) != OTO_OK ||
        oto_lm_open(&lm, OTO_TEST_DATA "/ngram_kn.arpa", &err) != OTO_OK ||
        oto_lexicon_of_lm(&lexicon, lm, alphabet, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    oto_lexicon_destroy(lexicon);
    oto_lm_close(lm);
    oto_alphabet_destroy(alphabet);
    return 0;
}

/** The beam's hypotheses are those that follow in r; *worst grows with the scores' differences. */
static void compare_hypotheses(struct oto_beam *beam, struct oto_reader *r, uint32_t number,
                               double *worst)
{
    const struct oto_hypothesis *hyps;
    int n_hyps, n = (int)oto_read_u32(r);
    assert_in_range(n, 1, 12);
    assert_int_equal(oto_beam_n_best(beam, n, &hyps, &n_hyps, NULL), OTO_OK);
    assert_int_equal(n_hyps, n);
    for (int i = 0; i < n; i++) {
        if (hyps[i].n_labels != (int)oto_read_u32(r))
            fail_msg("case %u: hypothesis %d has %d labels", number, i, hyps[i].n_labels);
        for (int j = 0; j < hyps[i].n_labels; j++)
            if (hyps[i].labels[j] != (int)oto_read_u32(r))
                fail_msg("case %u: hypothesis %d differs at label %d", number, i, j);
        *worst = fmax(*worst, fabs(hyps[i].log_prob - oto_read_f64(r)));
    }
}

static void compare_next(struct oto_reader *r, uint32_t number, double *worst)
{
    size_t T = oto_read_u32(r), K = oto_read_u32(r);
    const uint32_t kind = oto_read_u32(r);
    int width = (int)oto_read_u32(r);
    struct oto_language_options weights = {0};
    weights.lm_weight = oto_read_f64(r);
    weights.word_bonus = oto_read_f64(r);
    const struct oto_beam_options options = {width, 0, oto_read_f64(r), 0.0, 0.0};
    struct oto_language *language = NULL;
    struct oto_beam *beam;
    assert_false(r->failed);
    assert_int_equal(K, K29);
    float *log_probs = oto_calloc(T * K, sizeof *log_probs);
    assert_non_null(log_probs);
    for (size_t i = 0; i < T * K; i++)
        log_probs[i] = oto_read_f32(r);
    assert_int_equal(oto_beam_create(&beam, K29, &options, NULL), OTO_OK);
    if (kind > 0) {
        assert_int_equal(oto_language_create(&language, kind == 2 ? lexicon : NULL, lm, alphabet,
                                             &weights, NULL),
                         OTO_OK);
        assert_int_equal(oto_beam_set_language(beam, language, NULL), OTO_OK);
    }
    assert_int_equal(oto_beam_push(beam, log_probs, T, NULL), OTO_OK);
    compare_hypotheses(beam, r, number, worst);
    assert_false(r->failed);
    oto_beam_destroy(beam);
    oto_language_destroy(language);
    oto_free(log_probs);
}

static void compare_file(const char *path, uint32_t n_cases)
{
    struct oto_map map;
    struct oto_reader r;
    double worst = 0.0;
    assert_int_equal(oto_map_open(&map, path, NULL), OTO_OK);
    oto_reader_init(&r, map.data, map.size);
    uint32_t n = oto_read_u32(&r);
    assert_int_equal(n, n_cases);
    for (uint32_t i = 0; i < n; i++)
        compare_next(&r, i, &worst);
    assert_int_equal(r.offset, r.size);
    print_message("%u searches: worst difference of a score %.2g\n", n, worst);
    assert_true(worst < 2e-5);
    oto_map_close(&map);
}

static void equals_pyctcdecode(void **state)
{
    (void)state;
    compare_file(OTO_TEST_DATA "/beam_pyctcdecode.bin", 16);
}

static void equals_flashlight(void **state)
{
    (void)state;
    compare_file(OTO_TEST_DATA "/beam_flashlight.bin", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_pyctcdecode),
                                       cmocka_unit_test(equals_flashlight)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
