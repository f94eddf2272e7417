/* SPDX-License-Identifier: BSD-2-Clause */
/** What is in a corpus, counted. */
#ifndef OTO_TRAINING_CORPUS_STATS_H
#define OTO_TRAINING_CORPUS_STATS_H

#include <stdint.h>

#include "decoder/alphabet.h"
#include "training/corpus.h"

struct oto_stats_speaker {
    const char *name; /* "" for all utterances without; borrowed from the corpus */
    size_t n;
    double seconds;
};

struct oto_stats_character {
    int32_t code_point;
    size_t count;
};

enum { OTO_STATS_BINS = 24 };

struct oto_stats {
    size_t n, n_unknown_length;
    double seconds, shortest_s, longest_s, median_s; /* over those of known length */
    struct oto_stats_speaker *speakers;              /* [n_speakers] by falling length */
    size_t n_speakers;                               /* named ones and, last, those without */
    struct oto_stats_character *characters;          /* [n_characters] by falling count */
    size_t n_characters, n_character_tokens, n_words, n_different_words;
    double bin_s;                /* width of a bin of the histogram */
    size_t bins[OTO_STATS_BINS]; /* [n_bins] utterances of k*bin_s to (k+1)*bin_s */
    int n_bins;
};

/** @param policy  by which transcripts are normalised before characters and words are counted
 * Names in it are the corpus's: keep that as long. */
oto_status oto_stats_compute(struct oto_stats *out, const struct oto_corpus *corpus,
                             const struct oto_text_policy *policy, oto_error *err) OTO_WARN_UNUSED;
void oto_stats_clear(struct oto_stats *stats);

#endif
