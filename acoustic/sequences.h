/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * How a batch of utterances of unequal length lies in memory: packed by time, no padding.
 *
 * Utterances are sorted by falling length. At time t the first n_active[t] of them are still there;
 * row (t, b) of every [n_rows, ...] matrix stands at row_offset[t] + b. The forward direction goes
 * t = 0..T-1 and loses rows at the end; the backward direction goes t = T-1..0 and gains rows,
 * which start from zero state. No reversal, no copying.
 *
 * A batch may also be packed by window (math.md, section 3.8): then a step is a frame of a window,
 * windows follow one another, and frames of right contexts have a row in each of their windows.
 * Row (step, b) stands at row_offset[step] + b all the same. Both directions go through the steps
 * in order, the reverse one from the last, but a step need not start from the one before it:
 * oto_sequences_before().
 */
#ifndef OTO_ACOUSTIC_SEQUENCES_H
#define OTO_ACOUSTIC_SEQUENCES_H

#include <stddef.h>

#include <stdbool.h>

#include "base/status.h"

struct oto_sequences {
    int n_utts;         /* B */
    int max_t;          /* steps: T of the longest; more in windows */
    size_t n_rows;      /* sum of lengths; more in windows */
    int *lengths;       /* [n_utts] falling, each >= 1 */
    int *n_active;      /* [max_t + 1], the last is 0 */
    size_t *row_offset; /* [max_t + 1] */
    int cap_utts, cap_t;
    /* Of windows; NULL where a step is a frame. [max_t] each */
    int *frame;     /* of a step */
    int *in_chunk;  /* whether that is one of the window's chunk, not of its right context */
    int *before[2]; /* oto_sequences_before() of the forward, the reverse direction */
    int *branch;    /* oto_sequences_branch() */
    int cap_windows;
};

/** Frames of a chunk and of its right context. */
struct oto_network_chunks {
    int n_chunk;   /* C, 1 .. OTO_CHUNK_FRAMES_MAX */
    int n_context; /* R, 0 .. OTO_CHUNK_FRAMES_MAX */
};
enum { OTO_CHUNK_FRAMES_MAX = 1 << 20 };
/** OTO_ERR_ARGUMENT when out of range. */
oto_status oto_network_chunks_check(const struct oto_network_chunks *chunks,
                                    oto_error *err) OTO_WARN_UNUSED;

/**
 * Zero-initialise first; may be called again (memory grows, never shrinks). Lengths must fall:
 * OTO_ERR_ARGUMENT else.
 */
oto_status oto_sequences_set(struct oto_sequences *s, const int *lengths, int n_utts,
                             oto_error *err) OTO_WARN_UNUSED;
/** The frames that pairs of neighbours make: ceil(T / 2) of T. As oto_sequences_set(); whole is of
 * frames, not of windows. */
oto_status oto_sequences_halve(struct oto_sequences *s, const struct oto_sequences *whole,
                               oto_error *err) OTO_WARN_UNUSED;
/**
 * The windows of a batch: for each chunk the frames that it and its right context have. *s as for
 * oto_sequences_set(), and not used for anything else. OTO_ERR_ARGUMENT for chunks out of range or
 * more rows than an int counts.
 */
oto_status oto_sequences_set_windows(struct oto_sequences *s, const struct oto_sequences *whole,
                                     const struct oto_network_chunks *chunks,
                                     oto_error *err) OTO_WARN_UNUSED;
void oto_sequences_clear(struct oto_sequences *s);

/** The step whose state step t starts from in a direction; -1: from zero state. */
static inline int oto_sequences_before(const struct oto_sequences *s, int t, bool reverse)
{
    if (s->frame != NULL)
        return s->before[reverse][t];
    return reverse ? (t + 1 < s->max_t ? t + 1 : -1) : t - 1;
}

/** The neighbouring step that starts from t; -1: none. */
static inline int oto_sequences_after(const struct oto_sequences *s, int t, bool reverse)
{
    int next = reverse ? t - 1 : t + 1;
    return next >= 0 && next < s->max_t && oto_sequences_before(s, next, reverse) == t ? next : -1;
}

/**
 * A second step of the forward direction that starts from t, where one frame of right context
 * follows t in its window and the next chunk begins with the same frame; -1: none.
 */
static inline int oto_sequences_branch(const struct oto_sequences *s, int t, bool reverse)
{
    return s->frame != NULL && !reverse ? s->branch[t] : -1;
}
static inline size_t oto_sequences_row(const struct oto_sequences *s, int t, int b)
{
    return s->row_offset[t] + (size_t)b;
}

#endif
