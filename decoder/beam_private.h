/* SPDX-License-Identifier: BSD-2-Clause */
/** The state of a beam search. Private to decoder/beam*.c. */
#ifndef OTO_DECODER_BEAM_PRIVATE_H
#define OTO_DECODER_BEAM_PRIVATE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "decoder/beam.h"
#include "decoder/language.h"
#include "decoder/trie.h"

#define OTO_LOG_0 (-(double)INFINITY)

/** A prefix of the beam. Natural logs, with the language's score of the prefix in each. */
struct oto_beam_entry {
    double total, blank, label;
    int32_t node;
    int32_t first_child, next_child; /* entries that extend this one by a label, as a list */
};

/** A prefix that may come into the next beam. */
struct oto_beam_candidate {
    double total, blank, label;
    int32_t node, more; /* the sequence of node, extended by label more unless that is 0 */
    int32_t place;      /* in the language's lexicon or grammar; 0 without */
    double language;    /* score of the prefix by the language, which is in the others */
};

/** A candidate, or a symbol, with its score beside it. */
struct oto_rank {
    double score;
    int32_t item;
};

struct oto_beam {
    struct oto_beam_options options;
    int n_symbols;
    double log_skip;                     /* of options.blank_skip; +inf: off */
    const struct oto_language *language; /* NULL: any text, all alike */
    size_t n_frames;                     /* since reset */
    struct oto_trie trie;
    struct oto_context *contexts; /* [trie.capacity] of the trie's nodes; NULL without language */
    int32_t n_contexts;
    int32_t room;    /* candidates kept before those that share a place are thinned out */
    int32_t *shared; /* [grammar's states] chosen candidates at each place; NULL without grammar */
    int32_t n_entries;
    struct oto_beam_entry *entries;        /* [beam + 1] best first, the spare last */
    struct oto_beam_candidate *candidates; /* [beam + 1] */
    struct oto_beam_candidate spare;       /* the best that is complete; total +inf unless strict */
    double floor;                          /* what scores less cannot come in; -inf at first */
    struct oto_rank *ranks, *scratch;      /* [max(beam + 1, n_symbols)] */
    int32_t *order;                        /* [beam + 1] oto_beam_n_best() */
    int32_t n_labels;
    int32_t *symbols; /* [n_labels] looked at in the frame, likeliest first, without the blank */
    float *divided;   /* [n_symbols] of the frame, the priors of the language taken out */
    double *log_y;    /* [n_symbols] of the frame, OTO_LOG_0 where the symbol is not looked at */
    uint64_t *stamps,
        stamp; /* [n_symbols] which labels extend a prefix to one that is in the beam */
    /* oto_beam_n_best() */
    double *finals; /* [beam + 1] score of each entry if the text ends there, by entry */
    struct oto_hypothesis *hypotheses;
    int *texts; /* labels and frames of the hypotheses */
    size_t hypotheses_capacity, texts_capacity;
};

/** Makes *p hold n elements, of unspecified value. False when memory is short: as before. */
bool oto_beam_reserve(void **p, size_t *capacity, size_t n, size_t size);
/** Writes the labels and frames on the way from a node's ancestor (not with it) down to node; next
 * [2 * length]. */
void oto_beam_write_path(const struct oto_beam *beam, int32_t node, int32_t length, int *next,
                         struct oto_hypothesis *out);

static inline double oto_log_add(double a, double b)
{
    if (a < b) {
        double c = a;
        a = b;
        b = c;
    }
    if (b - a < -40.0 || b == OTO_LOG_0) /* e^-40 is below half a unit in the last place of 1 */
        return a;
    return a + log1p(exp(b - a));
}

/** Whether a text may end with this prefix. */
static inline bool oto_beam_is_complete(const struct oto_beam *beam, int32_t place)
{
    return !beam->language || oto_language_is_complete(beam->language, place);
}

#endif
