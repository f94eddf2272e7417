/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a beam search says while frames still come. Every node of its tree is an entry or an
 * ancestor of one, so that what all entries have in common is the way from the root to the first
 * node that is an entry or branches.
 */
#include "base/mem.h"
#include "decoder/beam_private.h"

/** The last node that all entries have in common. */
static int32_t last_common(const struct oto_beam *beam)
{
    const struct oto_trie_node *nodes = beam->trie.nodes;
    int32_t node = OTO_TRIE_ROOT;
    while (nodes[node].entry == OTO_TRIE_NONE &&
           nodes[nodes[node].first_child].next == OTO_TRIE_NONE)
        node = nodes[node].first_child; /* a node without an entry has a child */
    return node;
}

/** Room for a hypothesis. */
static oto_status reserve_text(struct oto_beam *beam, int32_t n_labels, oto_error *err)
{
    void *texts = beam->texts;
    bool ok = oto_beam_reserve(&texts, &beam->texts_capacity, 2 * (size_t)n_labels + 1,
                               sizeof *beam->texts);
    beam->texts = texts;
    return ok ? OTO_OK : oto_fail_memory(err, "hypothesis");
}

oto_status oto_beam_partial(struct oto_beam *beam, struct oto_hypothesis *best, int *n_stable,
                            oto_error *err)
{
    const struct oto_trie_node *nodes = beam->trie.nodes;
    const int32_t committed = nodes[OTO_TRIE_ROOT].depth, node = beam->entries[0].node;
    const int32_t length = nodes[node].depth - committed;
    oto_status status = reserve_text(beam, length, err);
    if (status != OTO_OK)
        return status;
    oto_beam_write_path(beam, node, length, beam->texts, best);
    best->log_prob = beam->entries[0].total;
    if (n_stable != NULL)
        *n_stable = nodes[last_common(beam)].depth - committed;
    return OTO_OK;
}

/** The ancestor of node that is depth labels long, or node. */
static int32_t ancestor(const struct oto_beam *beam, int32_t node, int32_t depth)
{
    const struct oto_trie_node *nodes = beam->trie.nodes;
    while (nodes[node].depth > depth)
        node = nodes[node].parent;
    return node;
}

/** Drops the entries that are not below node. One at least is. */
static void drop_others(struct oto_beam *beam, int32_t node)
{
    struct oto_trie_node *nodes = beam->trie.nodes;
    int32_t n = 0;
    for (int32_t i = 0; i < beam->n_entries; i++) {
        const struct oto_beam_entry e = beam->entries[i];
        if (ancestor(beam, e.node, nodes[node].depth) == node) {
            nodes[e.node].entry = n;
            beam->entries[n++] = e;
        } else {
            nodes[e.node].entry = OTO_TRIE_NONE;
            oto_trie_release(&beam->trie, e.node);
        }
    }
    beam->n_entries = n;
}

/** The node before which all is to be decided, when n_keep labels of the best text may stay open.
 */
static int32_t decided(const struct oto_beam *beam, int n_keep)
{
    int32_t best = 0; /* if strict there always is one that is complete */
    while (beam->language &&
           !oto_beam_is_complete(beam, beam->contexts[beam->entries[best].node].place))
        best++;
    const struct oto_trie_node *nodes = beam->trie.nodes;
    const int32_t node = beam->entries[best].node, depth = nodes[node].depth;
    return depth - nodes[OTO_TRIE_ROOT].depth > n_keep ? ancestor(beam, node, depth - n_keep)
                                                       : OTO_TRIE_ROOT;
}

oto_status oto_beam_commit(struct oto_beam *beam, int n_keep, struct oto_hypothesis *committed,
                           oto_error *err)
{
    const struct oto_trie_node *nodes = beam->trie.nodes;
    const int32_t before = nodes[OTO_TRIE_ROOT].depth;
    if (n_keep < 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "%d labels kept, expected 0 or more", n_keep);
    const int32_t node = decided(beam, n_keep);
    int32_t common = last_common(beam);
    /* What is dropped may make more common than this, up to the longest entry. */
    int32_t most = nodes[node].depth > nodes[common].depth ? beam->entries[0].node : common;
    for (int32_t i = 0; most != common && i < beam->n_entries; i++)
        if (nodes[beam->entries[i].node].depth > nodes[most].depth)
            most = beam->entries[i].node;
    oto_status status = reserve_text(beam, nodes[most].depth - before, err);
    if (status != OTO_OK)
        return status;
    if (most != common) {
        drop_others(beam, node);
        common = last_common(beam);
    }
    oto_beam_write_path(beam, common, nodes[common].depth - before, beam->texts, committed);
    if (common == OTO_TRIE_ROOT)
        return OTO_OK;
    if (beam->language)
        beam->contexts[OTO_TRIE_ROOT] = beam->contexts[common];
    oto_trie_move_root(&beam->trie, common);
    if (nodes[OTO_TRIE_ROOT].entry != OTO_TRIE_NONE)
        beam->entries[nodes[OTO_TRIE_ROOT].entry].node = OTO_TRIE_ROOT;
    return OTO_OK;
}
