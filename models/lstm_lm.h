/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * LSTM language models of words: a vocabulary, its classes and a word network in one file, and the
 * probability of sentences. A model never changes once it is made, and may be shared by threads; a
 * scorer belongs to one.
 *
 * A word outside the vocabulary has p(<unk>) / U, U being the different words of the training text
 * that it left out: the probabilities of all words of that text add up to 1.
 */
#ifndef OTO_MODELS_LSTM_LM_H
#define OTO_MODELS_LSTM_LM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acoustic/word_batch.h"
#include "base/bytes.h"
#include "base/status.h"
#include "decoder/ngram_words.h"

enum { OTO_LSTM_END = 0, OTO_LSTM_UNKNOWN = 1 }; /* "</s>" and "<unk>" */

/** How the numbers of a file are stored: floats, or matrices as 8-bit rows (quant.h). */
enum oto_lstm_weights { OTO_LSTM_F32, OTO_LSTM_I8 };

struct oto_lstm_lm {
    struct oto_word_shape shape;
    struct oto_words words; /* [n_words]; the first two are "</s>" and "<unk>" */
    int *class_first;       /* [n_classes + 1] */
    uint64_t n_unknown;     /* U, at least 1 */
    float *params;          /* [oto_word_n_parameters()] owned */
    enum oto_lstm_weights stored;
    const void *image; /* [file_size] the file that it was read from; NULL where it was not */
    size_t file_size;  /* 0 for one that was not read from a file */
    struct oto_word_network *network;
    struct oto_map map; /* private */
};

/** What a model is made of; all copied. */
struct oto_lstm_parts {
    struct oto_word_shape shape;
    const struct oto_words *words;
    const int *class_first;
    uint64_t n_unknown;
    const float *params;
};
oto_status oto_lstm_lm_create(struct oto_lstm_lm **out, const struct oto_lstm_parts *parts,
                              oto_error *err) OTO_WARN_UNUSED;
void oto_lstm_lm_destroy(struct oto_lstm_lm *lm);

/**
 * One of a file of its own, or that of a model file. Verifies everything before it is used.
 * Messages name file, section and place: OTO_ERR_NOT_FOUND, OTO_ERR_IO, OTO_ERR_FORMAT,
 * OTO_ERR_VERSION, OTO_ERR_CHECKSUM, OTO_ERR_MEMORY.
 */
oto_status oto_lstm_lm_load(struct oto_lstm_lm **out, const char *path,
                            oto_error *err) OTO_WARN_UNUSED;
/** data stands in the model as its image, and must stay there as long. */
oto_status oto_lstm_lm_parse(struct oto_lstm_lm **out, const void *data, size_t size,
                             const char *name, oto_error *err) OTO_WARN_UNUSED;
/** Written atomically. OTO_ERR_DATA for a weight that is not finite. Same model, same bytes. */
oto_status oto_lstm_lm_save(const struct oto_lstm_lm *lm, const char *path,
                            enum oto_lstm_weights weights, oto_error *err) OTO_WARN_UNUSED;
/** Whether the file begins as one of these; false where it cannot be read. */
bool oto_lstm_lm_is_file(const char *path);

/** Number of a word of n bytes; OTO_LSTM_UNKNOWN for what it does not know, marks included. */
int oto_lstm_lm_find(const struct oto_lstm_lm *lm, const char *word, size_t n);

struct oto_lstm_scorer;
/** The model is borrowed. */
oto_status oto_lstm_scorer_create(struct oto_lstm_scorer **out, const struct oto_lstm_lm *lm,
                                  oto_error *err) OTO_WARN_UNUSED;
void oto_lstm_scorer_destroy(struct oto_lstm_scorer *scorer);
/**
 * @param log_probs  [n] pointers to [n_words + 1] each: natural log of each word's probability, and
 *                   of the end's
 * @param sentences  [n] in any order
 * What other sentences there are changes nothing but rounding.
 */
oto_status oto_lstm_scorer_run(struct oto_lstm_scorer *scorer, double *const *log_probs,
                               const struct oto_word_sentence *sentences, int n,
                               oto_error *err) OTO_WARN_UNUSED;

#endif
