/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/trie.h"

#include <math.h>
#include <stddef.h>

#include "base/mem.h"

void oto_trie_reset(struct oto_trie *trie)
{
    trie->n = 1;
    trie->n_free = 0;
    trie->first_free = OTO_TRIE_NONE;
    trie->nodes[OTO_TRIE_ROOT] = (struct oto_trie_node){.parent = OTO_TRIE_NONE,
                                                        .first_child = OTO_TRIE_NONE,
                                                        .next = OTO_TRIE_NONE,
                                                        .previous = OTO_TRIE_NONE,
                                                        .references = 1, /* never freed */
                                                        .entry = OTO_TRIE_NONE};
}

bool oto_trie_reserve(struct oto_trie *trie, int32_t n_more)
{
    if (n_more <= trie->n_free + (trie->capacity - trie->n))
        return true;
    if (n_more > INT32_MAX / 2 - trie->capacity)
        return false;
    int32_t capacity = trie->capacity + (n_more > trie->capacity ? n_more : trie->capacity);
    void *grown =
        oto_realloc(trie->nodes, (size_t)trie->capacity, (size_t)capacity, sizeof *trie->nodes);
    if (!grown)
        return false;
    trie->nodes = grown;
    trie->capacity = capacity;
    return true;
}

void oto_trie_clear(struct oto_trie *trie)
{
    oto_free(trie->nodes);
    *trie = (struct oto_trie){0};
}

int32_t oto_trie_child(struct oto_trie *trie, int32_t node, int32_t label)
{
    struct oto_trie_node *nodes = trie->nodes;
    for (int32_t child = nodes[node].first_child; child != OTO_TRIE_NONE; child = nodes[child].next)
        if (nodes[child].label == label)
            return child;
    int32_t fresh = trie->first_free;
    if (fresh != OTO_TRIE_NONE) {
        trie->first_free = nodes[fresh].next;
        trie->n_free--;
    } else {
        fresh = trie->n++;
    }
    int32_t sibling = nodes[node].first_child;
    nodes[fresh] = (struct oto_trie_node){.parent = node,
                                          .first_child = OTO_TRIE_NONE,
                                          .next = sibling,
                                          .previous = OTO_TRIE_NONE,
                                          .label = label,
                                          .depth = nodes[node].depth + 1,
                                          .entry = OTO_TRIE_NONE,
                                          .onset = -(double)INFINITY};
    if (sibling != OTO_TRIE_NONE)
        nodes[sibling].previous = fresh;
    nodes[node].first_child = fresh;
    nodes[node].references++;
    return fresh;
}

void oto_trie_hold(struct oto_trie *trie, int32_t node)
{
    trie->nodes[node].references++;
}

void oto_trie_release(struct oto_trie *trie, int32_t node)
{
    struct oto_trie_node *nodes = trie->nodes;
    while (node != OTO_TRIE_NONE && --nodes[node].references == 0) {
        struct oto_trie_node *dead = &nodes[node];
        int32_t parent = dead->parent;
        if (dead->previous != OTO_TRIE_NONE)
            nodes[dead->previous].next = dead->next;
        else
            nodes[parent].first_child = dead->next;
        if (dead->next != OTO_TRIE_NONE)
            nodes[dead->next].previous = dead->previous;
        dead->next = trie->first_free;
        trie->first_free = node;
        trie->n_free++;
        node = parent; /* it has lost a child */
    }
}

void oto_trie_move_root(struct oto_trie *trie, int32_t node)
{
    struct oto_trie_node *nodes = trie->nodes, moved = nodes[node];
    while (node != OTO_TRIE_ROOT) {
        int32_t parent = nodes[node].parent;
        nodes[node].references = 0;
        nodes[node].next = trie->first_free;
        trie->first_free = node;
        trie->n_free++;
        node = parent;
    }
    moved.parent = moved.next = moved.previous = OTO_TRIE_NONE;
    moved.references++; /* never freed */
    nodes[OTO_TRIE_ROOT] = moved;
    for (int32_t child = moved.first_child; child != OTO_TRIE_NONE; child = nodes[child].next)
        nodes[child].parent = OTO_TRIE_ROOT;
}

/** Takes the last label off a sequence. */
static int32_t shorten(const struct oto_trie *trie, int32_t *node, int32_t *more)
{
    int32_t label = *more;
    if (label == 0) {
        label = trie->nodes[*node].label;
        *node = trie->nodes[*node].parent;
    }
    *more = 0;
    return label;
}

int oto_trie_compare(const struct oto_trie *trie, int32_t a, int32_t a_more, int32_t b,
                     int32_t b_more)
{
    int32_t a_length = trie->nodes[a].depth + (a_more != 0),
            b_length = trie->nodes[b].depth + (b_more != 0);
    int order =
        (a_length > b_length) - (a_length < b_length); /* holds when one begins with the other */
    for (; a_length > b_length; a_length--)
        shorten(trie, &a, &a_more);
    for (; b_length > a_length; b_length--)
        shorten(trie, &b, &b_more);
    while (a != b || a_more != b_more) { /* the first difference is met last */
        int32_t a_label = shorten(trie, &a, &a_more), b_label = shorten(trie, &b, &b_more);
        if (a_label != b_label)
            order = a_label < b_label ? -1 : 1;
    }
    return order;
}
