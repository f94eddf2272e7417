/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/align.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

#define FLOOR (-1000.0)
#define FIRST_HISTORY 256 /* frames */
#define LEAST_HISTORY 64  /* however little memory is given */
#define PAD 2             /* places of probability 0 on either side of the scores */

struct oto_aligner {
    int n_symbols;
    struct oto_align_options options;

    int *labels;
    struct oto_span *spans; /* [n_labels]; end 0: not reached yet */
    size_t n_labels, labels_capacity;

    size_t width; /* states kept at most */
    size_t width_capacity;
    double *scores, *next; /* [PAD + width + PAD] of states lo.. at the last frame */
    int64_t lo, hi, best;  /* the band, and the likeliest in it; hi < lo before the first frame */

    /* The history: frames first .. first + n - 1. */
    size_t first, n, capacity, max_capacity, row_bytes;
    int64_t *lows;    /* [capacity] first state of the frame's band */
    uint8_t *steps;   /* [capacity, row_bytes] two bits a state: how far below its predecessor is */
    float *log_probs; /* [capacity, K] */
    int64_t *path;    /* [capacity] scratch */
};

void oto_align_options_init(struct oto_align_options *options)
{
    *options = (struct oto_align_options){
        .band = 4096, .memory = (size_t)16 << 20, .space = -1, .filler = (double)INFINITY};
}

oto_status oto_aligner_create(struct oto_aligner **out, int n_symbols,
                              const struct oto_align_options *options, oto_error *err)
{
    *out = NULL;
    if (n_symbols < 1 || (options->band > 0 && options->band < 3) || !(options->filler >= 0))
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "alignment: %d symbols, band %zu, filler %g; expected 1 or more, 0 or 3 "
                        "and more, 0 or more",
                        n_symbols, options->band, options->filler);
    struct oto_aligner *a = oto_calloc(1, sizeof *a);
    if (!a)
        return oto_fail_memory(err, "alignment");
    a->n_symbols = n_symbols;
    a->options = *options;
    a->hi = -1;
    *out = a;
    return OTO_OK;
}

void oto_aligner_destroy(struct oto_aligner *a)
{
    if (!a)
        return;
    oto_free(a->labels);
    oto_free(a->spans);
    oto_free(a->scores);
    oto_free(a->next);
    oto_free(a->lows);
    oto_free(a->steps);
    oto_free(a->log_probs);
    oto_free(a->path);
    oto_free(a);
}

/* ---- memory ------------------------------------------------------------------------------ */

static bool reserve_labels(struct oto_aligner *a, size_t n)
{
    if (n <= a->labels_capacity)
        return true;
    oto_free(a->labels);
    oto_free(a->spans);
    a->labels = oto_calloc(n, sizeof *a->labels);
    a->spans = oto_calloc(n, sizeof *a->spans);
    a->labels_capacity = a->labels && a->spans ? n : 0;
    return a->labels_capacity == n;
}

static bool reserve_states(struct oto_aligner *a, size_t width)
{
    a->width = width;
    a->row_bytes = (width + 3) / 4;
    if (width <= a->width_capacity)
        return true;
    oto_free(a->scores);
    oto_free(a->next);
    a->scores = oto_calloc(width + 2 * PAD, sizeof *a->scores);
    a->next = oto_calloc(width + 2 * PAD, sizeof *a->next);
    a->width_capacity = a->scores && a->next ? width : 0;
    return a->width_capacity == width;
}

static bool set_history(struct oto_aligner *a, size_t capacity)
{
    size_t n_steps, n_numbers, old = a->n;
    if (!oto_mul_size(capacity, a->row_bytes, &n_steps) ||
        !oto_mul_size(capacity, (size_t)a->n_symbols, &n_numbers))
        return false;
    int64_t *lows = oto_realloc(a->lows, old, capacity, sizeof *lows);
    a->lows = lows ? lows : a->lows;
    uint8_t *steps = oto_realloc(a->steps, old * a->row_bytes, n_steps, 1);
    a->steps = steps ? steps : a->steps;
    float *log_probs =
        oto_realloc(a->log_probs, old * (size_t)a->n_symbols, n_numbers, sizeof *log_probs);
    a->log_probs = log_probs ? log_probs : a->log_probs;
    int64_t *path = oto_realloc(a->path, old, capacity, sizeof *path);
    a->path = path ? path : a->path;
    if (!lows || !steps || !log_probs || !path)
        return false;
    a->capacity = capacity;
    return true;
}

oto_status oto_aligner_begin(struct oto_aligner *a, const int *labels, size_t n_labels,
                             oto_error *err)
{
    for (size_t i = 0; i < n_labels; i++)
        if (labels[i] < 1 || labels[i] >= a->n_symbols)
            return oto_fail(err, OTO_ERR_ARGUMENT, "alignment: label %zu is %d, expected 1 to %d",
                            i, labels[i], a->n_symbols - 1);
    size_t band = a->options.band, n_states = 2 * n_labels + 1;
    a->n = a->first = a->capacity = 0;
    a->lo = 0;
    a->hi = -1;
    a->n_labels = 0;
    if (!reserve_labels(a, n_labels) ||
        !reserve_states(a, band > 0 && band < n_states ? band : n_states))
        return oto_fail_memory(err, "alignment");
    a->max_capacity = SIZE_MAX;
    if (a->options.memory > 0) {
        size_t row =
            a->row_bytes + (size_t)a->n_symbols * sizeof *a->log_probs + 2 * sizeof *a->lows;
        a->max_capacity = a->options.memory / row;
        if (a->max_capacity < LEAST_HISTORY)
            a->max_capacity = LEAST_HISTORY;
    }
    if (!set_history(a, a->max_capacity < FIRST_HISTORY ? a->max_capacity : FIRST_HISTORY))
        return oto_fail_memory(err, "alignment");
    a->n_labels = n_labels;
    for (size_t i = 0; i < n_labels; i++) {
        a->labels[i] = labels[i];
        a->spans[i] = (struct oto_span){0};
    }
    return OTO_OK;
}

/* ---- history ----------------------------------------------------------------------------- */

/* The state at frame k - 1 of the history on the path that is in state at frame k. */
static int64_t predecessor(const struct oto_aligner *a, size_t k, int64_t state)
{
    size_t i = (size_t)(state - a->lows[k]);
    return state - (a->steps[k * a->row_bytes + i / 4] >> (i % 4 * 2) & 3);
}

/* The state at frame k of the history on the path that ends in state at its last frame. */
static int64_t ancestor(const struct oto_aligner *a, size_t k, int64_t state)
{
    for (size_t i = a->n - 1; i > k; i--)
        state = predecessor(a, i, state);
    return state;
}

/* Settles the first n frames of the history, which end in state, and forgets them. */
static void settle(struct oto_aligner *a, size_t n, int64_t state)
{
    size_t K = (size_t)a->n_symbols;
    for (size_t k = n; k-- > 0;) {
        a->path[k] = state;
        if (k > 0)
            state = predecessor(a, k, state);
    }
    for (size_t k = 0; k < n; k++) {
        if (a->path[k] % 2 == 0)
            continue;
        size_t i = (size_t)a->path[k] / 2;
        struct oto_span *span = &a->spans[i];
        if (span->end == 0)
            span->start = a->first + k;
        span->end = a->first + k + 1;
        span->log_prob += fmax((double)a->log_probs[k * K + (size_t)a->labels[i]], FLOOR);
    }
    a->first += n;
    a->n -= n;
    memmove(a->lows, a->lows + n, a->n * sizeof *a->lows);
    memmove(a->steps, a->steps + n * a->row_bytes, a->n * a->row_bytes);
    memmove(a->log_probs, a->log_probs + n * K, a->n * K * sizeof *a->log_probs);
}

/**
 * Settles what all paths share. Paths never cross: of two states, the lower one's path is never
 * above, as equal scores are resolved alike. So where the outer two meet, all do.
 */
static void settle_common(struct oto_aligner *a)
{
    int64_t low = a->lo, high = a->hi;
    for (size_t k = a->n; k-- > 0;) {
        if (low == high) {
            settle(a, k + 1, low);
            return;
        }
        if (k > 0) {
            low = predecessor(a, k, low);
            high = predecessor(a, k, high);
        }
    }
}

/* The first state of lo .. hi + 1 whose path is in at_least or above at frame k. */
static int64_t first_descendant(const struct oto_aligner *a, size_t k, int64_t at_least)
{
    int64_t lo = a->lo, hi = a->hi + 1;
    while (lo < hi) {
        int64_t middle = lo + (hi - lo) / 2;
        if (ancestor(a, k, middle) >= at_least)
            hi = middle;
        else
            lo = middle + 1;
    }
    return lo;
}

static void narrow(struct oto_aligner *a, int64_t lo, int64_t hi)
{
    double *scores = a->scores + PAD;
    size_t n = (size_t)(hi - lo + 1);
    memmove(scores, scores + (lo - a->lo), n * sizeof *scores);
    for (size_t i = n; i < n + PAD; i++)
        scores[i] = -(double)INFINITY;
    a->lo = lo;
    a->hi = hi;
}

/* Settles the older half of the likeliest path; keeps its descendants alone. */
static void settle_half(struct oto_aligner *a)
{
    size_t k = a->n / 2;
    int64_t state = ancestor(a, k, a->best);
    int64_t lo = first_descendant(a, k, state), hi = first_descendant(a, k, state + 1) - 1;
    narrow(a, lo, hi);
    settle(a, k + 1, state);
}

static bool make_room(struct oto_aligner *a)
{
    if (a->n < a->capacity)
        return true;
    settle_common(a);
    if (a->n <= a->capacity / 2)
        return true;
    if (a->capacity < a->max_capacity) {
        size_t capacity = a->capacity < a->max_capacity / 2 ? a->capacity * 2 : a->max_capacity;
        return set_history(a, capacity);
    }
    settle_half(a);
    return true;
}

/* ---- one frame --------------------------------------------------------------------------- */

static bool may_skip(const struct oto_aligner *a, int64_t state)
{
    return state % 2 == 1 && state > 1 && a->labels[state / 2] != a->labels[state / 2 - 1];
}

/* Whether the blank of an even state lies between words or at either end. */
static bool is_gap(const struct oto_aligner *a, int64_t state)
{
    size_t i = (size_t)state / 2;
    return i == 0 || i == a->n_labels || a->labels[i - 1] == a->options.space ||
           a->labels[i] == a->options.space;
}

/* The band of the next frame: all that can be reached, or width states around the likeliest. */
static void choose_band(const struct oto_aligner *a, int64_t *lo, int64_t *hi)
{
    int64_t last = 2 * (int64_t)a->n_labels, width = (int64_t)a->width;
    *lo = a->lo;
    *hi = a->hi;
    if (*hi < *lo) { /* the first frame */
        *hi = last < 1 ? last : 1;
        return;
    }
    if (*hi < last)
        *hi += *hi + 2 <= last && may_skip(a, *hi + 2) ? 2 : 1;
    if (*hi - *lo < width)
        return;
    if (*lo < a->best - width / 2)
        *lo = a->best - width / 2;
    if (*lo > *hi - width + 1)
        *lo = *hi - width + 1;
    *hi = *lo + width - 1;
}

static double blank_score(const struct oto_aligner *a, int64_t state, double blank, double filler)
{
    return filler > blank && is_gap(a, state) ? filler : blank;
}

static void step(struct oto_aligner *a, const float *log_probs)
{
    int64_t lo, hi;
    bool is_first = a->hi < a->lo;
    choose_band(a, &lo, &hi);
    uint8_t *steps = a->steps + a->n * a->row_bytes;
    memset(steps, 0, a->row_bytes);
    double most = FLOOR, best = -(double)INFINITY;
    for (int k = 0; k < a->n_symbols; k++)
        most = fmax(most, (double)log_probs[k]);
    double blank = fmax((double)log_probs[0], FLOOR), filler = most - a->options.filler;
    const double *from = a->scores + PAD + (lo - a->lo); /* of state lo at the frame before */
    for (int64_t s = lo; s <= hi; s++, from++) {
        double score = is_first ? 0 : from[0];
        unsigned back = 0;
        if (!is_first && from[-1] > score) {
            score = from[-1];
            back = 1;
        }
        if (!is_first && from[-2] > score && may_skip(a, s)) {
            score = from[-2];
            back = 2;
        }
        score += s % 2 == 0 ? blank_score(a, s, blank, filler)
                            : fmax((double)log_probs[a->labels[s / 2]], FLOOR);
        size_t i = (size_t)(s - lo);
        steps[i / 4] |= (uint8_t)(back << (i % 4 * 2));
        a->next[PAD + i] = score;
        if (score > best) {
            best = score;
            a->best = s;
        }
    }
    for (size_t i = 0, n = (size_t)(hi - lo + 1); i < PAD; i++)
        a->next[i] = a->next[PAD + n + i] = -(double)INFINITY;
    a->lows[a->n] = lo;
    memcpy(a->log_probs + a->n * (size_t)a->n_symbols, log_probs,
           (size_t)a->n_symbols * sizeof *log_probs);
    a->n++;
    a->lo = lo;
    a->hi = hi;
    double *scores = a->scores;
    a->scores = a->next;
    a->next = scores;
}

oto_status oto_aligner_push(struct oto_aligner *a, const float *log_probs, size_t n_frames,
                            oto_error *err)
{
    for (size_t i = 0, n = n_frames * (size_t)a->n_symbols; i < n; i++)
        if (!(log_probs[i] < (float)INFINITY))
            return oto_fail(err, OTO_ERR_DATA, "frame %zu: log-probability of symbol %zu is %g",
                            a->first + a->n + i / (size_t)a->n_symbols, i % (size_t)a->n_symbols,
                            (double)log_probs[i]);
    for (size_t t = 0; t < n_frames; t++) {
        if (!make_room(a))
            return oto_fail_memory(err, "alignment");
        step(a, log_probs + t * (size_t)a->n_symbols);
    }
    return OTO_OK;
}

void oto_aligner_finish(struct oto_aligner *a, const struct oto_span **spans, size_t *n_spans,
                        double *log_prob)
{
    int64_t last = 2 * (int64_t)a->n_labels, state = a->best;
    *spans = a->spans;
    *n_spans = 0;
    if (log_prob)
        *log_prob = 0;
    if (a->hi < a->lo)
        return;
    const double *scores = a->scores + PAD - a->lo;
    if (a->hi >= last - 1 && last > 0)
        state = a->hi == last && scores[last] >= scores[last - 1] ? last : last - 1;
    if (log_prob)
        *log_prob = scores[state];
    settle(a, a->n, state);
    *n_spans = (size_t)(state + 1) / 2;
}
