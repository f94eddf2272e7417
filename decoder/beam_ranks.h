/* SPDX-License-Identifier: BSD-2-Clause */
/** Orders of a beam search: a sort that is quick where little has changed, and a heap with the
 * worst on top. Scores stand beside what they rank, so that comparing touches nothing else. Private
 * to decoder/beam.c. */
#ifndef OTO_DECODER_BEAM_RANKS_H
#define OTO_DECODER_BEAM_RANKS_H

#include "decoder/beam_private.h"

static inline bool oto_symbol_before(const struct oto_beam *beam, struct oto_rank a,
                                     struct oto_rank b)
{
    (void)beam;
    return a.score > b.score || (a.score == b.score && a.item < b.item);
}

/** Better score first, then by labels, so that no two candidates are equal. */
static inline bool oto_candidate_before(const struct oto_beam *beam, struct oto_rank a,
                                        struct oto_rank b)
{
    if (a.score != b.score)
        return a.score > b.score;
    const struct oto_beam_candidate *x = &beam->candidates[a.item], *y = &beam->candidates[b.item];
    return oto_trie_compare(&beam->trie, x->node, x->more, y->node, y->more) < 0;
}

/** Sorts the first n ranks by a strict total order; runs that are in order already cost one
 * comparison each. */
static inline void oto_rank_sort(struct oto_beam *beam, int32_t n,
                                 bool (*before)(const struct oto_beam *, struct oto_rank,
                                                struct oto_rank))
{
    enum { RUN = 8 };
    struct oto_rank *ranks = beam->ranks, *scratch = beam->scratch;
    for (int32_t start = 0; start < n; start += RUN)
        for (int32_t i = start + 1; i < start + RUN && i < n; i++) {
            const struct oto_rank x = ranks[i];
            int32_t j = i;
            for (; j > start && before(beam, x, ranks[j - 1]); j--)
                ranks[j] = ranks[j - 1];
            ranks[j] = x;
        }
    for (int32_t width = RUN; width < n; width *= 2)
        for (int32_t start = 0; start + width < n; start += 2 * width) {
            const int32_t middle = start + width, end = middle + width < n ? middle + width : n;
            if (!before(beam, ranks[middle], ranks[middle - 1]))
                continue;
            for (int32_t i = start; i < middle; i++)
                scratch[i] = ranks[i];
            for (int32_t i = start, j = middle, out = start; i < middle; out++)
                ranks[out] =
                    j < end && before(beam, ranks[j], scratch[i]) ? ranks[j++] : scratch[i++];
        }
}

/** Moves ranks[i] of a heap of n candidates, the worst on top, down to its place. */
static inline void oto_rank_sift_down(struct oto_beam *beam, int32_t i, int32_t n)
{
    struct oto_rank *ranks = beam->ranks;
    const struct oto_rank x = ranks[i];
    for (int32_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && oto_candidate_before(beam, ranks[child], ranks[child + 1]))
            child++;
        if (!oto_candidate_before(beam, x, ranks[child]))
            break;
        ranks[i] = ranks[child];
    }
    ranks[i] = x;
}

static inline void oto_rank_make_heap(struct oto_beam *beam, int32_t n)
{
    for (int32_t i = n / 2 - 1; i >= 0; i--)
        oto_rank_sift_down(beam, i, n);
}

#endif
