/* SPDX-License-Identifier: BSD-2-Clause */
/** Text as numbers of words, to train LSTM language models with: sentences, the vocabulary of the
 * most frequent words, and its classes. */
#ifndef OTO_TRAINING_LSTM_TEXT_H
#define OTO_TRAINING_LSTM_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "acoustic/word_batch.h"
#include "base/status.h"
#include "decoder/ngram_words.h"

/** Zero-initialise; release with oto_lstm_text_clear(). */
struct oto_lstm_text {
    int *words; /* [n_words] of all sentences, one after another */
    size_t n_words, cap_words;
    size_t *first; /* [n_sentences + 1] where a sentence begins */
    size_t n_sentences, cap_sentences;
    size_t n_unknown; /* of n_words */
};

/** Of words; 0 is "</s>", 1 "<unk>", the others follow by falling frequency, equals by bytes. */
struct oto_lstm_vocabulary {
    struct oto_words words;
    uint64_t n_unknown; /* different words left out */
    int *class_first;   /* [n_classes + 1] */
    int n_classes;
};

void oto_lstm_text_clear(struct oto_lstm_text *text);
void oto_lstm_vocabulary_clear(struct oto_lstm_vocabulary *v);

/**
 * One sentence, words with white space between; one without words is passed over. "<s>" and "</s>"
 * in it are taken for white space.
 *
 * @param words  numbers that its words have there; new words are added
 */
oto_status oto_lstm_text_add(struct oto_lstm_text *text, struct oto_words *words,
                             const char *sentence, oto_error *err) OTO_WARN_UNUSED;
/** The same with the words of a vocabulary alone, the others being unknown. */
oto_status oto_lstm_text_add_known(struct oto_lstm_text *text, const struct oto_words *words,
                                   const char *sentence, oto_error *err) OTO_WARN_UNUSED;

/**
 * Keeps the most frequent words and numbers those of the text anew. Classes are cut so that all
 * have about the same sum of the roots of their words' frequencies (Mikolov et al. 2011).
 *
 * @param words      as oto_lstm_text_add() made them from this text alone
 * @param n_words    of the vocabulary with the two marks, at most; at least 3
 * @param n_classes  at most; 0: the root of the words' number
 * OTO_ERR_DATA for a text without words; OTO_ERR_MEMORY.
 */
oto_status oto_lstm_vocabulary_make(struct oto_lstm_vocabulary *v, struct oto_lstm_text *text,
                                    const struct oto_words *words, int n_words, int n_classes,
                                    oto_error *err) OTO_WARN_UNUSED;

/** The vocabulary of a model: its words, the first two being the marks, and its classes; all
 * copied. OTO_ERR_MEMORY. */
oto_status oto_lstm_vocabulary_copy(struct oto_lstm_vocabulary *v, const struct oto_words *words,
                                    const int *class_first, int n_classes, uint64_t n_unknown,
                                    oto_error *err) OTO_WARN_UNUSED;

static inline struct oto_word_sentence oto_lstm_text_sentence(const struct oto_lstm_text *text,
                                                              size_t i)
{
    return (struct oto_word_sentence){text->words + text->first[i],
                                      (int)(text->first[i + 1] - text->first[i])};
}

#endif
