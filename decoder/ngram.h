/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A back-off model as plain arrays: what is read from ARPA, estimated, pruned and mixed, and from
 * which files are written. To ask a model, open it as decoder/lm.h has it.
 *
 * N-grams stand in a trie: level k (from 1) holds those of k words, sorted by their words; the
 * continuations of one n-gram are neighbours in the next level. Logarithms are to base 10.
 */
#ifndef OTO_DECODER_NGRAM_H
#define OTO_DECODER_NGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/lines.h"
#include "base/status.h"
#include "decoder/lm.h"
#include "decoder/ngram_words.h"

#define OTO_NGRAM_NONE UINT32_MAX
/** More n-grams of one order than this are refused. */
#define OTO_NGRAM_MAX ((size_t)0xFFFFFFF0u)

struct oto_ngram_level {
    size_t n;
    uint32_t *words;    /* [n] last word; level 1 has all words in order */
    float *log_p;       /* [n] */
    float *backoff;     /* [n]; NULL in the highest level */
    uint32_t *children; /* [n + 1] first continuation; NULL in the highest level */
};

struct oto_ngram {
    int order;
    struct oto_words words; /* "<unk>" is 0, the others sorted by their bytes */
    struct oto_ngram_level levels[OTO_LM_MAX_ORDER];
};

/** Empty, to be filled by oto_ngram_set_level() from level 1 on. */
struct oto_ngram *oto_ngram_create(void);
void oto_ngram_destroy(struct oto_ngram *m);

/** Records of n-grams in any order: k words and two values each, stride k + 2. */
struct oto_ngram_records {
    int k;
    size_t n, capacity;
    uint32_t *data;
};

/** Appends one; false when memory is short or there are too many. */
bool oto_ngram_record_add(struct oto_ngram_records *r, const uint32_t *words, uint32_t value_1,
                          uint32_t value_2);
/** By words. Sorted ones are left as they are. False when memory is short. */
bool oto_ngram_records_sort(struct oto_ngram_records *r, uint32_t n_words);
void oto_ngram_records_clear(struct oto_ngram_records *r);
/** Values of records hold floats by their bits. */
uint32_t oto_ngram_bits(float value);
float oto_ngram_float(uint32_t bits);

/**
 * Makes the levels from records [order] of orders 1 to order (values: log_p and backoff), which it
 * sorts. Beginnings of n-grams that are missing themselves are put in, with the probability that
 * backing off gives and a back-off of 0, which changes no score. OTO_ERR_FORMAT names an n-gram
 * that is there twice, after `name`.
 */
oto_status oto_ngram_set_levels(struct oto_ngram *m, struct oto_ngram_records *records, int order,
                                const char *name, oto_error *err) OTO_WARN_UNUSED;

/** Continuation of a node of a level (from 1) by a word, in the next level; OTO_NGRAM_NONE where
 * there is none. */
uint32_t oto_ngram_child(const struct oto_ngram *m, int level, uint32_t node, uint32_t word);
/** Node of n words in level n. */
uint32_t oto_ngram_find(const struct oto_ngram *m, const uint32_t *words, int n);
/** log10 p(words[n-1] | words[0 .. n-2]), 1 <= n <= order. */
double oto_ngram_log_p(const struct oto_ngram *m, const uint32_t *words, int n);

/** Calls visit for every n-gram of k words in their order, until it fails. words: [k], its own. */
oto_status oto_ngram_visit(const struct oto_ngram *m, int k,
                           oto_status (*visit)(void *arg, uint32_t node, const uint32_t *words,
                                               oto_error *err),
                           void *arg, oto_error *err) OTO_WARN_UNUSED;
/** Sets every back-off so that the probabilities of each context sum to 1. */
void oto_ngram_normalise(struct oto_ngram *m);

/** Reads ARPA; errors name file and line. A positive logarithm is refused, "<UNK>" taken for
 * "<unk>"; without either, unknown words get -100, as kenlm has it. */
oto_status oto_ngram_read_arpa(struct oto_ngram **out, struct oto_lines *in,
                               oto_error *err) OTO_WARN_UNUSED;
/** Where text goes: a file, standard output. */
struct oto_sink {
    oto_status (*write)(void *arg, const void *data, size_t n, oto_error *err);
    void *arg;
};
/** Sorted by order and words; what is read back has the same bits. */
oto_status oto_ngram_write_arpa(const struct oto_ngram *m, const struct oto_sink *sink,
                                oto_error *err) OTO_WARN_UNUSED;

/** The binary (docs/language_models.md) in memory; release with oto_writer_clear(). bits: 0 stores
 * floats, 8 indices into 256 values for each order, apart for probabilities and back-offs. */
oto_status oto_ngram_write_image(const struct oto_ngram *m, int bits, struct oto_writer *image,
                                 oto_error *err) OTO_WARN_UNUSED;
/** A model to be asked, with a copy of the arrays. */
oto_status oto_lm_from_ngram(struct oto_lm **out, const struct oto_ngram *m, const char *name,
                             oto_error *err) OTO_WARN_UNUSED;
/** The arrays of an open model, copied. */
oto_status oto_ngram_from_lm(struct oto_ngram **out, const struct oto_lm *lm,
                             oto_error *err) OTO_WARN_UNUSED;

#endif
