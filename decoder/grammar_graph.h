/* SPDX-License-Identifier: BSD-2-Clause */
/** A grammar's sentences as paths over labels, not yet deterministic. Private to
 * decoder/grammar*.c. */
#ifndef OTO_DECODER_GRAMMAR_GRAPH_H
#define OTO_DECODER_GRAMMAR_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "decoder/alphabet.h"
#include "decoder/grammar_syntax.h"

/** Weights are natural logs in units of 2^-20, as integers: sums are exact in any order, and equal
 * ones are equal. */
#define OTO_GRAMMAR_UNIT (1.0 / (1 << 20))

struct oto_grammar_edge {
    int32_t from, to;
    int32_t label; /* 0: none, it is passed without one */
    int64_t weight;
};

struct oto_grammar_graph {
    struct oto_grammar_edge *edges; /* [n_edges] */
    int32_t n_edges, n_states;
    size_t capacity;
    int32_t start, end;
    int32_t *first; /* [n_states + 1] of the edges from each state, once they are sorted */
};

/** Where the alphabet has no space, its n_symbols stands for one: what comes behind it cannot be
 * written. */
static inline int32_t oto_grammar_space(const struct oto_alphabet *alphabet)
{
    return alphabet->space > 0 ? alphabet->space : alphabet->n_symbols;
}

/**
 * Puts the rules into one another and spells the words. All edges are on ways from start to end,
 * sorted by state, no edge leads to the start, and of every state the best way to the end weighs 0.
 * Spaces stand between words, and may stand behind the last.
 *
 * @param best  receives the weight of the best sentence
 * *out is to be cleared in any case. Errors: oto_grammar_load().
 */
oto_status oto_grammar_expand(struct oto_grammar_graph *out, int64_t *best,
                              const struct oto_grammar_syntax *syntax,
                              const struct oto_alphabet *alphabet, oto_error *err) OTO_WARN_UNUSED;
void oto_grammar_graph_clear(struct oto_grammar_graph *graph);

#endif
