/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Estimates n-gram models by modified Kneser-Ney smoothing (Chen and Goodman 1998, interpolated,
 * three discounts for each order).
 *
 *     p(w | h) = (a(h w) - D(a(h w))) / a(h) + gamma(h) p(w | h less its first word)
 *
 * a is the count in the highest order and for n-grams that begin with <s>; elsewhere the number of
 * different words seen before h w. a(h) is the sum over w, gamma(h) what discounting left. Below
 * the unigrams stands the uniform distribution over all words but <s>.
 */
#ifndef OTO_DECODER_NGRAM_BUILD_H
#define OTO_DECODER_NGRAM_BUILD_H

#include "decoder/ngram.h"

struct oto_ngram_build_options {
    int order;
    /** Words that are kept, the most frequent first, equals by their bytes; others count as <unk>.
     * 0: all. */
    uint32_t vocabulary;
    /** N-grams of order k seen no more than min[k-1] times are left out, their mass goes to the
     * back-off. min[0] = 0, never falling. */
    uint32_t prune[OTO_LM_MAX_ORDER];
    double entropy;     /* threshold of oto_ngram_prune(), 0: none; contexts weighed by counts */
    size_t memory;      /* bytes for counting; what exceeds them is sorted in files */
    const char *folder; /* of temporary files; borrowed */
};

/** What a build counted; arrays by order - 1. */
struct oto_ngram_build_report {
    uint64_t n_sentences, n_tokens, n_unknown; /* tokens without marks; unknown ones among them */
    uint32_t n_types;                          /* different words */
    double discounts[OTO_LM_MAX_ORDER][3];
    bool fallback[OTO_LM_MAX_ORDER]; /* too little text: 0.5, 1 and 1.5 instead of estimates */
    size_t n_counted[OTO_LM_MAX_ORDER], n_kept[OTO_LM_MAX_ORDER]; /* before entropy pruning */
};

struct oto_ngram_builder;
oto_status oto_ngram_builder_create(struct oto_ngram_builder **out,
                                    const struct oto_ngram_build_options *options,
                                    oto_error *err) OTO_WARN_UNUSED;
void oto_ngram_builder_destroy(struct oto_ngram_builder *b);
/** One sentence: words with white space between. "<s>" and "</s>" in it are taken for white space.
 */
oto_status oto_ngram_builder_add(struct oto_ngram_builder *b, const char *sentence,
                                 oto_error *err) OTO_WARN_UNUSED;
/** The model of all sentences; add nothing more. progress (may be NULL) is told what goes on.
 * OTO_ERR_DATA without a word. */
oto_status oto_ngram_builder_finish(struct oto_ngram_builder *b, struct oto_ngram **out,
                                    struct oto_ngram_build_report *report,
                                    void (*progress)(void *arg, const char *what), void *arg,
                                    oto_error *err) OTO_WARN_UNUSED;

/**
 * Leaves out n-grams that change the model little (Stolcke 1998): those whose removal raises the
 * perplexity by a factor below 1 + threshold, unless longer ones begin with them. Back-offs are
 * computed anew.
 * @param counts  [order - 1] counts of each n-gram by which contexts are weighed, for Kneser-Ney
 *                estimates, whose lower orders are no distribution of words; or NULL: by the model
 */
oto_status oto_ngram_prune(struct oto_ngram **out, const struct oto_ngram *m, double threshold,
                           uint32_t *const *counts, oto_error *err) OTO_WARN_UNUSED;

#endif
