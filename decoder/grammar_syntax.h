/* SPDX-License-Identifier: BSD-2-Clause */
/** A grammar as its file says it: rules made of nodes. Private to decoder/grammar*.c. */
#ifndef OTO_DECODER_GRAMMAR_SYNTAX_H
#define OTO_DECODER_GRAMMAR_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

enum oto_grammar_kind {
    OTO_GRAMMAR_NOTHING, /* <NULL> */
    OTO_GRAMMAR_NEVER,   /* <VOID> */
    OTO_GRAMMAR_TOKEN,
    OTO_GRAMMAR_RULE,     /* a reference */
    OTO_GRAMMAR_SEQUENCE, /* of its children */
    OTO_GRAMMAR_CHOICE,   /* of its children */
    OTO_GRAMMAR_OPTIONAL, /* its child or nothing */
    OTO_GRAMMAR_STAR,     /* its child any number of times */
    OTO_GRAMMAR_PLUS,     /* once or more */
};

struct oto_grammar_node {
    enum oto_grammar_kind kind;
    int32_t line, column;
    int32_t first, next; /* child, and the sibling behind; -1: none */
    int32_t value;       /* TOKEN, RULE: its text, as an offset; RULE, once resolved: the rule */
    double weight;       /* of a choice's child; 0 where none was given */
};

struct oto_grammar_rule {
    int32_t name;     /* offset of its text */
    const char *text; /* which is this, once all is read */
    int32_t body;     /* a node */
    int32_t line, column;
    bool is_public;
};

struct oto_grammar_syntax {
    const char *file; /* for messages */
    struct oto_grammar_node *nodes;
    struct oto_grammar_rule *rules; /* sorted by name */
    int32_t n_nodes, n_rules;
    size_t nodes_capacity, rules_capacity;
    int32_t name;            /* of the grammar, an offset */
    struct oto_writer texts; /* NUL-terminated, one after another */
};

static inline const char *oto_grammar_text(const struct oto_grammar_syntax *s, int32_t offset)
{
    return (const char *)s->texts.data + offset;
}

/** Reads NUL-terminated text. *out is to be cleared in any case. Errors: oto_grammar_load(). */
oto_status oto_grammar_read(struct oto_grammar_syntax *out, const char *text, const char *file,
                            oto_error *err) OTO_WARN_UNUSED;
void oto_grammar_syntax_clear(struct oto_grammar_syntax *syntax);

#endif
