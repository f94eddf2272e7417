/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/word_edges.h"

#include <math.h>
#include <stdbool.h>

#define SHARE 0.15F       /* of the way from the floor to the peak */
#define REACH_BACK_S 0.15 /* an edge moves outwards by this at most: labels come late, */
#define REACH_AHEAD_S 0.6 /* and end early */
#define LOOK_S 1.0        /* for the floor, where there is no neighbour */

void oto_word_levels(float *levels, const float *statics, size_t n, int dim,
                     const struct oto_frontend_options *options)
{
    for (size_t t = 0; t < n; t++) {
        const float *frame = statics + t * (size_t)dim;
        double sum = 0;
        if (options->kind == OTO_FEATURE_MFCC) {
            levels[t] = frame[0];
            continue;
        }
        for (int i = 0; i < dim; i++)
            sum += (double)frame[i];
        levels[t] = (float)(sum / dim);
    }
}

/* What the frames are: the middle of frame i is at start_s + middle_s + i shift_s. */
struct frames {
    const float *levels;
    long n;
    double start_s, middle_s, shift_s;
};

static long frame_at(const struct frames *f, double time_s)
{
    double i = round((time_s - f->start_s - f->middle_s) / f->shift_s);
    return i < 0 ? 0 : i > (double)(f->n - 1) ? f->n - 1 : (long)i;
}

/* First and last frame of a word's labels. */
static void find_labels(const struct frames *f, const oto_word *word, long *first, long *last)
{
    *first = frame_at(f, word->start_s + f->shift_s / 2);
    *last = frame_at(f, word->end_s - f->shift_s / 2);
    if (*last < *first)
        *last = *first;
}

static float least(const struct frames *f, long from, long to)
{
    float value = f->levels[from];
    for (long i = from + 1; i <= to; i++)
        value = fminf(value, f->levels[i]);
    return value;
}

static float most(const struct frames *f, long from, long to)
{
    float value = f->levels[from];
    for (long i = from + 1; i <= to; i++)
        value = fmaxf(value, f->levels[i]);
    return value;
}

/**
 * Moves an edge from frame at, outwards by step (1 or -1) towards limit and reach frames at most
 * while it is loud, or inwards as far as inner until it is.
 */
static long move(const struct frames *f, long at, int step, long limit, long reach, long inner,
                 float peak)
{
    float floor = step > 0 ? least(f, at, limit) : least(f, limit, at);
    float threshold = floor + SHARE * (peak - floor);
    if (f->levels[at] >= threshold) {
        for (; reach > 0 && at != limit && at + step != limit && f->levels[at + step] >= threshold;
             reach--)
            at += step;
        return at;
    }
    while (at != inner && f->levels[at] < threshold)
        at -= step;
    return at;
}

static bool has_duration(const oto_word *word)
{
    return word->end_s > word->start_s;
}

void oto_word_edges_refine(oto_word *words, size_t n, const float *levels, size_t n_levels,
                           double start_s, const struct oto_frontend_options *o)
{
    double shift_s = o->frame_shift_ms / 1000;
    const struct frames f = {levels, (long)n_levels, start_s,
                             (o->snip_edges ? o->frame_length_ms : o->frame_shift_ms) / 2000,
                             shift_s};
    long look = (long)(LOOK_S / shift_s), before = -1, first, last;
    if (n_levels == 0)
        return;
    for (size_t i = 0, next = 0; i < n; i++) {
        if (!has_duration(&words[i]))
            continue;
        find_labels(&f, &words[i], &first, &last);
        for (next = i + 1; next < n && !has_duration(&words[next]);)
            next++;
        long low = before >= 0 ? before : first - look / 2, high = last + look, unused;
        if (next < n)
            find_labels(&f, &words[next], &high, &unused);
        low = low < 0 ? 0 : low > first ? first : low;
        high = high >= f.n ? f.n - 1 : high < last ? last : high;
        before = last;
        float peak = most(&f, first, last);
        long start = move(&f, first, -1, low, (long)(REACH_BACK_S / shift_s), last, peak);
        long end = move(&f, last, 1, high, (long)(REACH_AHEAD_S / shift_s), start, peak);
        words[i].start_s = f.start_s + f.middle_s + ((double)start - 0.5) * shift_s;
        words[i].end_s = f.start_s + f.middle_s + ((double)end + 0.5) * shift_s;
    }
}
