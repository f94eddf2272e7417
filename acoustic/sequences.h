/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * How a batch of utterances of unequal length lies in memory: packed by time, no padding.
 *
 * Utterances are sorted by falling length. At time t the first n_active[t] of them are still there;
 * row (t, b) of every [n_rows, ...] matrix stands at row_offset[t] + b. The forward direction goes
 * t = 0..T-1 and loses rows at the end; the backward direction goes t = T-1..0 and gains rows,
 * which start from zero state. No reversal, no copying.
 */
#ifndef OTO_ACOUSTIC_SEQUENCES_H
#define OTO_ACOUSTIC_SEQUENCES_H

#include <stddef.h>

#include "base/status.h"

struct oto_sequences {
    int n_utts;         /* B */
    int max_t;          /* T of the longest */
    size_t n_rows;      /* sum of lengths */
    int *lengths;       /* [n_utts] falling, each >= 1 */
    int *n_active;      /* [max_t + 1], the last is 0 */
    size_t *row_offset; /* [max_t + 1] */
    int cap_utts, cap_t;
};

/**
 * Zero-initialise first; may be called again (memory grows, never shrinks). Lengths must fall:
 * OTO_ERR_ARGUMENT else.
 */
oto_status oto_sequences_set(struct oto_sequences *s, const int *lengths, int n_utts,
                             oto_error *err) OTO_WARN_UNUSED;
void oto_sequences_clear(struct oto_sequences *s);
static inline size_t oto_sequences_row(const struct oto_sequences *s, int t, int b)
{
    return s->row_offset[t] + (size_t)b;
}

#endif
