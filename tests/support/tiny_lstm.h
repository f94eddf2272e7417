/* SPDX-License-Identifier: BSD-2-Clause */
/** A small LSTM language model with random weights. */
#ifndef OTO_TESTS_TINY_LSTM_H
#define OTO_TESTS_TINY_LSTM_H

#include "unit.h"

#include "base/mem.h"
#include "base/rng.h"
#include "models/lstm_lm.h"

static const char *const tiny_lstm_words[] = {"</s>", "<unk>", "the", "cat", "sat",
                                              "on",   "mat",   "zoë", "dog"};
static const int tiny_lstm_classes[] = {0, 1, 3, 9};
enum { TINY_LSTM_WORDS = 9, TINY_LSTM_UNKNOWN = 5 };

/** With another last word than "dog", and so many words that are unknown. */
static inline struct oto_lstm_lm *tiny_lstm_with(double scale, const char *last, uint64_t n_unknown)
{
    struct oto_lstm_parts parts = {.shape = {TINY_LSTM_WORDS, 3, 6, 10, 2},
                                   .class_first = tiny_lstm_classes,
                                   .n_unknown = n_unknown};
    struct oto_words words = {0};
    struct oto_lstm_lm *lm = NULL;
    for (size_t i = 0; i < TINY_LSTM_WORDS; i++) {
        uint32_t number;
        const char *word = i == TINY_LSTM_WORDS - 1 ? last : tiny_lstm_words[i];
        assert_true(oto_words_add(&words, word, strlen(word), &number));
    }
    const size_t n = oto_word_n_parameters(&parts.shape);
    float *params = oto_calloc(n, sizeof *params);
    assert_non_null(params);
    for (size_t i = 0; i < n; i++)
        params[i] = (float)(scale * (2 * oto_rng_uniform(5, 1, i) - 1));
    parts.words = &words;
    parts.params = params;
    assert_int_equal(oto_lstm_lm_create(&lm, &parts, NULL), OTO_OK);
    oto_words_clear(&words);
    oto_free(params);
    return lm;
}

static inline struct oto_lstm_lm *tiny_lstm(double scale)
{
    return tiny_lstm_with(scale, tiny_lstm_words[TINY_LSTM_WORDS - 1], TINY_LSTM_UNKNOWN);
}

#endif
