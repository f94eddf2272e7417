/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The sentences of a command task, as a regular grammar that a strict search keeps to. Files are in
 * a subset of JSGF 1.0 (docs/decoding.md, "Grammar"). The rules are put into one another, spelt in
 * the model's symbols, and made a deterministic automaton over labels, spaces included (Rabin and
 * Scott 1959; with weights Mohri 1997). A sentence is worth the sum of the natural logs of the
 * weights of its alternatives, by the derivation that is worth most; weights are moved towards the
 * start, so that a beginning of one letter or more is worth what the best sentence with it is.
 *
 * Read-only once made; may be shared.
 */
#ifndef OTO_DECODER_GRAMMAR_H
#define OTO_DECODER_GRAMMAR_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "decoder/alphabet.h"

enum {
    OTO_GRAMMAR_START = 0, /* no arc leads there */
    OTO_GRAMMAR_NONE = -1,
    OTO_GRAMMAR_MAX_BYTES = 1 << 24, /* of a file */
    OTO_GRAMMAR_MAX_NESTING = 200,   /* brackets in one another, and rules in one another */
    OTO_GRAMMAR_MAX_ARCS = 1 << 20,  /* words and alternatives with all rules put in, and letters */
    OTO_GRAMMAR_MAX_STATES = 1 << 19, /* of the automaton */
};

/** Those of a state stand side by side, sorted by label. */
struct oto_grammar_arc {
    int32_t label, to;
    double weight; /* <= 0 */
};

struct oto_grammar_state {
    int32_t first_arc, n_arcs;
    double end; /* <= 0, of a sentence that ends here; -inf where none does */
};

struct oto_grammar {
    struct oto_grammar_state *states; /* [n_states] */
    struct oto_grammar_arc *arcs;     /* [n_arcs] */
    int32_t n_states, n_arcs;
    int32_t space; /* label between words; -1: a text is a single word */
    char *name;    /* as the file has it */
    char *text;    /* the file, [text_size] and a NUL */
    size_t text_size;
};

/**
 * From a file. Errors name it, line and column, what was found and what was expected.
 *
 * OTO_ERR_FORMAT: not UTF-8, or not of this form. OTO_ERR_UNSUPPORTED: import, recursion, another
 * encoding. OTO_ERR_DATA: a rule that is missing or there twice, a word outside the alphabet, no
 * sentence at all, or larger than the limits above; a small file can describe a vast automaton,
 * which ends with this error within some seconds and 200 MB.
 */
oto_status oto_grammar_load(struct oto_grammar **out, const char *path,
                            const struct oto_alphabet *alphabet, oto_error *err) OTO_WARN_UNUSED;
/** The same from memory; name takes the file's place in messages. */
oto_status oto_grammar_parse(struct oto_grammar **out, const void *text, size_t size,
                             const char *name, const struct oto_alphabet *alphabet,
                             oto_error *err) OTO_WARN_UNUSED;
void oto_grammar_destroy(struct oto_grammar *grammar);

/** The arc of a state by label, or NULL. */
const struct oto_grammar_arc *oto_grammar_find(const struct oto_grammar *grammar, int32_t state,
                                               int32_t label);

/** Whether a text may end here: nothing yet, a sentence, or the space behind one. */
static inline bool oto_grammar_is_complete(const struct oto_grammar *grammar, int32_t state)
{
    return state == OTO_GRAMMAR_START || isfinite(grammar->states[state].end);
}

#endif
