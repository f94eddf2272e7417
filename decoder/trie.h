/* SPDX-License-Identifier: BSD-2-Clause */
/** Prefixes of a beam search as a tree of labels. Nodes are counted and reused, so memory follows
 * what is alive. */
#ifndef OTO_DECODER_TRIE_H
#define OTO_DECODER_TRIE_H

#include <stdbool.h>
#include <stdint.h>

enum { OTO_TRIE_ROOT = 0, OTO_TRIE_NONE = -1 };

struct oto_trie_node {
    int32_t parent, first_child, next, previous; /* siblings; a free node is linked by next */
    int32_t label, depth;                        /* 0 at the root until that moves */
    int32_t references;                          /* children and holders; 0: free */
    int32_t entry;                               /* the search's own: index in its beam, or -1 */
    int32_t frame;                               /* the search's own: where the label was emitted */
    double onset;                                /* the search's own: log-probability of that */
};

/** Nodes are addressed by index; the array moves when it grows. */
struct oto_trie {
    struct oto_trie_node *nodes;
    int32_t n, capacity, n_free, first_free;
};

/** Zero-initialise, then reset. Empties the tree but for the root. Needs capacity for one node. */
void oto_trie_reset(struct oto_trie *trie);
/** Room for n_more new nodes without allocation. False when memory is short; the tree is as before.
 */
bool oto_trie_reserve(struct oto_trie *trie, int32_t n_more);
void oto_trie_clear(struct oto_trie *trie);

/** The child of node by label, made where it does not exist (entry -1, onset -inf, no reference
 * yet). Room must be reserved. */
int32_t oto_trie_child(struct oto_trie *trie, int32_t node, int32_t label);
void oto_trie_hold(struct oto_trie *trie, int32_t node);
/** Gives one reference back; the node and then its ancestors are freed when nothing holds them. */
void oto_trie_release(struct oto_trie *trie, int32_t node);

/** The root takes the place of node, a descendant: nothing but node's own ancestors may be outside
 * of its subtree, and they are held by none. Whoever holds node holds the root now; depths stay. */
void oto_trie_move_root(struct oto_trie *trie, int32_t node);

/**
 * Compares two label sequences, each a node's and one label more unless that is 0: < 0, 0 or > 0,
 * shorter first among beginnings of one another. Cost: the depth.
 */
int oto_trie_compare(const struct oto_trie *trie, int32_t a, int32_t a_more, int32_t b,
                     int32_t b_more);

#endif
