/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of a beam search as it stands. */
#include "base/mem.h"
#include "decoder/beam_private.h"

bool oto_beam_reserve(void **p, size_t *capacity, size_t n, size_t size)
{
    if (n <= *capacity)
        return true;
    if (n < *capacity * 2)
        n = *capacity * 2;
    void *fresh = oto_calloc(n, size);
    if (!fresh)
        return false;
    oto_free(*p);
    *p = fresh;
    *capacity = n;
    return true;
}

void oto_beam_write_path(const struct oto_beam *beam, int32_t node, int32_t length, int *next,
                         struct oto_hypothesis *out)
{
    const struct oto_trie_node *nodes = beam->trie.nodes;
    *out = (struct oto_hypothesis){.labels = next, .frames = next + length, .n_labels = length};
    for (int32_t j = length - 1; j >= 0; j--, node = nodes[node].parent) {
        next[j] = nodes[node].label;
        next[length + j] = nodes[node].frame;
    }
}

/** Whether the entry's text is that of its parent in the beam with a space behind. */
static bool is_same_text(const struct oto_beam *beam, int32_t i, int32_t *parent)
{
    int32_t node = beam->entries[i].node, above = beam->trie.nodes[node].parent;
    if (!beam->language || above == OTO_TRIE_NONE || beam->contexts[node].n_letters > 0)
        return false;
    *parent = beam->trie.nodes[above].entry;
    return *parent != OTO_TRIE_NONE;
}

/** Scores of all entries if the texts end there; those with a space at the end that are the same
 * text as another are added to that, and get OTO_LOG_0. */
static void compute_finals(struct oto_beam *beam)
{
    for (int32_t i = 0; i < beam->n_entries; i++) {
        const struct oto_beam_entry *e = &beam->entries[i];
        beam->finals[i] = e->total;
        if (!beam->language)
            continue;
        struct oto_context *c = &beam->contexts[e->node];
        beam->finals[i] = OTO_LOG_0;
        if (oto_context_is_complete(beam->language, c))
            beam->finals[i] = e->total - c->score + oto_context_finish(beam->language, c);
    }
    for (int32_t i = 0, parent; i < beam->n_entries; i++) {
        if (!is_same_text(beam, i, &parent))
            continue;
        beam->finals[parent] = oto_log_add(beam->finals[parent], beam->finals[i]);
        beam->finals[i] = OTO_LOG_0;
    }
}

/** Puts the n best entries that are complete into order; returns how many there are. */
static int32_t choose_entries(struct oto_beam *beam, int32_t n)
{
    int32_t n_found = 0;
    for (int32_t i = 0; i < beam->n_entries; i++) {
        int32_t j = n_found;
        if (beam->finals[i] == OTO_LOG_0)
            continue;
        for (; j > 0; j--) {
            int32_t k = beam->order[j - 1];
            bool before = beam->finals[i] > beam->finals[k] ||
                          (beam->finals[i] == beam->finals[k] &&
                           oto_trie_compare(&beam->trie, beam->entries[i].node, 0,
                                            beam->entries[k].node, 0) < 0);
            if (!before)
                break;
            if (j < n)
                beam->order[j] = k;
        }
        if (j < n)
            beam->order[j] = i;
        n_found += n_found < n;
    }
    return n_found;
}

/** Labels without a space at the end, where there is a language. */
static int32_t last_node(const struct oto_beam *beam, int32_t node)
{
    bool space = beam->language && node != OTO_TRIE_ROOT && beam->contexts[node].n_letters == 0;
    return space ? beam->trie.nodes[node].parent : node;
}

oto_status oto_beam_n_best(struct oto_beam *beam, int n, const struct oto_hypothesis **hyps,
                           int *n_hyps, oto_error *err)
{
    const struct oto_trie_node *nodes = beam->trie.nodes;
    size_t n_labels = 0;
    if (n < 1)
        return oto_fail(err, OTO_ERR_ARGUMENT, "%d best hypotheses, expected 1 or more", n);
    compute_finals(beam);
    int32_t n_found = choose_entries(beam, n);
    const int32_t committed = nodes[OTO_TRIE_ROOT].depth;
    for (int32_t i = 0; i < n_found; i++)
        n_labels +=
            (size_t)(nodes[last_node(beam, beam->entries[beam->order[i]].node)].depth - committed);
    void *texts = beam->texts, *hypotheses = beam->hypotheses;
    bool ok =
        oto_beam_reserve(&texts, &beam->texts_capacity, 2 * n_labels + 1, sizeof *beam->texts);
    ok = oto_beam_reserve(&hypotheses, &beam->hypotheses_capacity, (size_t)n_found,
                          sizeof *beam->hypotheses) &&
         ok;
    beam->texts = texts;
    beam->hypotheses = hypotheses;
    if (!ok)
        return oto_fail_memory(err, "hypotheses");
    int *next = beam->texts;
    for (int32_t i = 0; i < n_found; i++) {
        int32_t node = last_node(beam, beam->entries[beam->order[i]].node);
        int32_t length = nodes[node].depth - committed;
        oto_beam_write_path(beam, node, length, next, &beam->hypotheses[i]);
        beam->hypotheses[i].log_prob = beam->finals[beam->order[i]];
        next += 2 * length;
    }
    *hyps = beam->hypotheses;
    *n_hyps = n_found;
    return OTO_OK;
}
