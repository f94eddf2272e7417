/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * N-gram language models with back-off (Katz 1987), ready to be asked.
 *
 *     log10 p(w | h) = log10 p(h w)                             where h w is an n-gram of the model
 *                    = backoff(h) + log10 p(w | h less its first word)               elsewhere
 *
 * Texts are ARPA files, or our binary (docs/language_models.md), which is mapped and shared. An
 * open model never changes: any number of threads may ask it.
 */
#ifndef OTO_DECODER_LM_H
#define OTO_DECODER_LM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define OTO_LM_MAX_ORDER 6
/** The word that stands for all others. Every model has it. */
#define OTO_LM_UNKNOWN 0u

struct oto_lm;

/**
 * What the words so far mean for the next one. Copied by value; equal states (all bytes, by memcmp)
 * give every continuation the same score. Words that cannot matter any more are not in it.
 */
struct oto_lm_state {
    uint32_t n;                           /* contexts: of 1 .. n words */
    uint32_t nodes[OTO_LM_MAX_ORDER - 1]; /* their places in the model; 0 from n on */
};

/**
 * Opens an ARPA file (plain, or compressed where the build can read that), a binary, or the
 * language model of a model file, told apart by content. "-" is standard input, ARPA only. Errors
 * name the file and, in ARPA, the line: OTO_ERR_NOT_FOUND, OTO_ERR_IO, OTO_ERR_FORMAT,
 * OTO_ERR_VERSION, OTO_ERR_CHECKSUM, OTO_ERR_MEMORY, OTO_ERR_UNSUPPORTED (compression).
 */
oto_status oto_lm_open(struct oto_lm **out, const char *path, oto_error *err) OTO_WARN_UNUSED;
/** A binary in memory, which must stay there until oto_lm_close(). name is for messages. */
oto_status oto_lm_open_memory(struct oto_lm **out, const void *data, size_t size, const char *name,
                              oto_error *err) OTO_WARN_UNUSED;
void oto_lm_close(struct oto_lm *lm);

/** 1 (no context) to OTO_LM_MAX_ORDER. */
int oto_lm_order(const struct oto_lm *lm);
/** Words with the unknown one and the marks of sentence start and end; they are numbered from 0. */
uint32_t oto_lm_n_words(const struct oto_lm *lm);
/** N-grams of that order, 0 for an order that the model lacks. */
size_t oto_lm_n_ngrams(const struct oto_lm *lm, int order);
/** Bits of a stored value: 0 = float, 8 = quantised. */
int oto_lm_bits(const struct oto_lm *lm);
/** Bytes of the binary, which is mapped, or made in memory from ARPA. */
size_t oto_lm_size(const struct oto_lm *lm);
/** The binary itself, [oto_lm_size()], which oto_lm_open_memory() takes. */
const void *oto_lm_image(const struct oto_lm *lm);
/** Number of a word of n bytes in UTF-8, exactly as the model spells it; OTO_LM_UNKNOWN for what it
 * does not know. */
uint32_t oto_lm_find(const struct oto_lm *lm, const char *word, size_t n);
/** NUL-terminated, lives as long as the model; word < oto_lm_n_words(). */
const char *oto_lm_word(const struct oto_lm *lm, uint32_t word);
/** The word to score at the end of a sentence, "</s>". OTO_LM_UNKNOWN where the model has none. */
uint32_t oto_lm_end_of_sentence(const struct oto_lm *lm);

/** Nothing said before: in the middle of a text of unknown beginning. */
void oto_lm_start_empty(struct oto_lm_state *state);
/** After "<s>": where a sentence begins. */
void oto_lm_start(const struct oto_lm *lm, struct oto_lm_state *state);
/**
 * Logarithm to base 10 of the probability of a word after a state.
 *
 * @param next   receives the state after the word; may be state itself
 * @param word   < oto_lm_n_words()
 * @param order  receives the length of the n-gram that gave the probability, 1 for a unigram; may
 *               be NULL
 *
 * Errors: none.   Allocates: no.   Cost: O(order * log(successors)).
 */
double oto_lm_score(const struct oto_lm *lm, struct oto_lm_state *next,
                    const struct oto_lm_state *state, uint32_t word, int *order);

#endif
