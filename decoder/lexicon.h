/* SPDX-License-Identifier: BSD-2-Clause */
/** The words a strict search may write, as a tree over the alphabet's labels that never changes
 * once it is made. */
#ifndef OTO_DECODER_LEXICON_H
#define OTO_DECODER_LEXICON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "decoder/alphabet.h"
#include "decoder/lm.h"
#include "decoder/word_list.h"

enum { OTO_LEXICON_ROOT = 0, OTO_LEXICON_NONE = -1 };

/** The children of a node stand side by side, sorted by label. */
struct oto_lexicon_node {
    int32_t label; /* that leads here; 0 at the root */
    int32_t first_child, n_children;
    int32_t word;    /* that ends here, or -1 */
    uint64_t labels; /* bit (label modulo 64) of each child: most labels lead nowhere */
};

struct oto_lexicon {
    struct oto_lexicon_node *nodes; /* [n_nodes], breadth first: a child comes after its parent */
    int32_t n_nodes, n_words;
    bool few_labels; /* all below 64 */
    int32_t space;   /* label between words; -1: a text is a single word */
    char *text;      /* the words, NUL-terminated, one after another in the order of the file */
    size_t *offsets; /* [n_words] into text */
};

/**
 * From a text file: UTF-8, one word a line. Lines that begin with '#' are comments; a byte order
 * mark, CR and white space around a word are dropped. Words are normalised as the alphabet's texts
 * are.
 *
 * Errors: OTO_ERR_DATA for a word that is empty, of several words, not of the alphabet or there
 * twice, and for a list without words. Every bad line, up to 20, is also told to the log with its
 * place; the message is that of the first. OTO_ERR_FORMAT: no text file.
 */
oto_status oto_lexicon_load(struct oto_lexicon **out, const char *path,
                            const struct oto_alphabet *alphabet, oto_error *err) OTO_WARN_UNUSED;
/** The same from memory; name takes the file's place in messages. */
oto_status oto_lexicon_parse(struct oto_lexicon **out, const void *text, size_t size,
                             const char *name, const struct oto_alphabet *alphabet,
                             oto_error *err) OTO_WARN_UNUSED;
/** The words of a language model that the alphabet can write. OTO_ERR_DATA when there are none. */
oto_status oto_lexicon_of_lm(struct oto_lexicon **out, const struct oto_lm *lm,
                             const struct oto_alphabet *alphabet, oto_error *err) OTO_WARN_UNUSED;
/**
 * The words of base, with their numbers, and behind them those of a sorted list that base lacks.
 * @param base    NULL: none
 * @param phrases  the space is a label like the others: a tree of phrases, not of words
 */
oto_status oto_lexicon_extend(struct oto_lexicon **out, const struct oto_lexicon *base,
                              const struct oto_word_list *list, bool phrases,
                              const struct oto_alphabet *alphabet, oto_error *err) OTO_WARN_UNUSED;
void oto_lexicon_destroy(struct oto_lexicon *lexicon);
/** A line for each word: what oto_lexicon_parse() reads back to the same. */
void oto_lexicon_write(const struct oto_lexicon *lexicon, struct oto_writer *w);

static inline const char *oto_lexicon_word(const struct oto_lexicon *lexicon, int32_t word)
{
    return lexicon->text + lexicon->offsets[word];
}

/** How many bits are set. */
static inline int32_t oto_lexicon_count(uint64_t bits)
{
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (int32_t)(bits * 0x0101010101010101u >> 56);
}

/** oto_lexicon_child() for any number of labels. */
int32_t oto_lexicon_search(const struct oto_lexicon *lexicon, int32_t node, int32_t label);

/** The node below by label, or OTO_LEXICON_NONE. */
static inline int32_t oto_lexicon_child(const struct oto_lexicon *lexicon, int32_t node,
                                        int32_t label)
{
    const struct oto_lexicon_node *parent = &lexicon->nodes[node];
    const uint64_t bit = (uint64_t)1 << (label & 63);
    if (!(parent->labels & bit))
        return OTO_LEXICON_NONE;
    if (lexicon->few_labels && label < 64)
        return parent->first_child + oto_lexicon_count(parent->labels & (bit - 1));
    return oto_lexicon_search(lexicon, node, label);
}

/** Where one label more leads in "word (space word)*": a node; the root behind a space; or
 * OTO_LEXICON_NONE. */
static inline int32_t oto_lexicon_step(const struct oto_lexicon *lexicon, int32_t node,
                                       int32_t label)
{
    if (label == lexicon->space)
        return lexicon->nodes[node].word >= 0 ? OTO_LEXICON_ROOT : OTO_LEXICON_NONE;
    return oto_lexicon_child(lexicon, node, label);
}

/** Whether a text may end here: nothing yet, a whole word, or the space behind one. */
static inline bool oto_lexicon_is_complete(const struct oto_lexicon *lexicon, int32_t node)
{
    return node == OTO_LEXICON_ROOT || lexicon->nodes[node].word >= 0;
}

#endif
