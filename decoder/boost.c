/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/boost.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

int32_t oto_boost_follow(const struct oto_boost *b, int32_t state, int32_t label)
{
    while (state != OTO_BOOST_OFF) {
        int32_t child = oto_lexicon_child(b->tree, state, label);
        if (child != OTO_LEXICON_NONE)
            return child;
        state = b->fail[state];
    }
    return label == b->tree->space ? OTO_BOOST_START : OTO_BOOST_OFF;
}

/** Parents, depths, and what each node's own phrases are worth there. */
static void fill_nodes(struct oto_boost *b, const struct oto_word_list *phrases)
{
    const struct oto_lexicon *tree = b->tree;
    for (int32_t i = 0; i < tree->n_nodes; i++) {
        const struct oto_lexicon_node *node = &tree->nodes[i];
        for (int32_t k = 0; k < node->n_children; k++) {
            b->parents[node->first_child + k] = i;
            b->depths[node->first_child + k] = b->depths[i] + 1;
        }
        if (node->word < 0)
            continue;
        b->reward[i] = b->values[node->word] = phrases->items[node->word].value;
        for (int32_t up = i; up != OTO_BOOST_START; up = b->parents[up])
            b->pending[up] = fmax(b->pending[up], b->reward[i] * b->depths[up] / b->depths[i]);
    }
}

/** Failures from the top, and what ends of a node are worth with it. */
static void link_nodes(struct oto_boost *b)
{
    const struct oto_lexicon *tree = b->tree;
    for (int32_t i = 0; i < tree->n_nodes; i++) {
        const struct oto_lexicon_node *node = &tree->nodes[i];
        b->labels[i] = node->labels;
        if (b->fail[i] != OTO_BOOST_OFF) /* which stands before */
            b->labels[i] |= b->labels[b->fail[i]];
        for (int32_t c = node->first_child; c < node->first_child + node->n_children; c++) {
            int32_t fail = oto_boost_next(b, b->fail[i], tree->nodes[c].label);
            b->fail[c] = fail;
            b->pending[c] = fmax(b->pending[c], oto_boost_pending(b, fail));
            b->reward[c] += oto_boost_reward(b, fail);
        }
    }
    for (int32_t i = 0; i < tree->n_nodes; i++)
        b->behind[i] = b->pending[oto_boost_next(b, i, tree->space)];
}

oto_status oto_boost_create(struct oto_boost **out, const struct oto_word_list *phrases,
                            const struct oto_alphabet *alphabet, oto_error *err)
{
    *out = NULL;
    struct oto_boost *b = oto_calloc(1, sizeof *b);
    if (!b)
        return oto_fail_memory(err, "hot words");
    oto_status status = oto_lexicon_extend(&b->tree, NULL, phrases, true, alphabet, err);
    if (status == OTO_OK) {
        const size_t n = (size_t)b->tree->n_nodes;
        b->values = oto_calloc(phrases->n, sizeof *b->values);
        b->parents = oto_calloc(n, sizeof *b->parents);
        b->depths = oto_calloc(n, sizeof *b->depths);
        b->fail = oto_calloc(n, sizeof *b->fail);
        b->pending = oto_calloc(n, sizeof *b->pending);
        b->behind = oto_calloc(n, sizeof *b->behind);
        b->reward = oto_calloc(n, sizeof *b->reward);
        b->labels = oto_calloc(n, sizeof *b->labels);
        if (!b->values || !b->parents || !b->depths || !b->fail || !b->pending || !b->behind ||
            !b->reward || !b->labels)
            status = oto_fail_memory(err, "hot words");
    }
    if (status != OTO_OK) {
        oto_boost_destroy(b);
        return status;
    }
    b->fail[OTO_BOOST_START] = OTO_BOOST_OFF;
    fill_nodes(b, phrases);
    link_nodes(b);
    *out = b;
    return OTO_OK;
}

void oto_boost_destroy(struct oto_boost *b)
{
    if (!b)
        return;
    oto_lexicon_destroy(b->tree);
    oto_free(b->fail);
    oto_free(b->pending);
    oto_free(b->behind);
    oto_free(b->reward);
    oto_free(b->labels);
    oto_free(b->values);
    oto_free(b->parents);
    oto_free(b->depths);
    oto_free(b);
}
