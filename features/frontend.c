/* SPDX-License-Identifier: BSD-2-Clause */
#include "features/frontend.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/cmvn.h"
#include "features/delta.h"
#include "features/frontend_options.h"
#include "features/mfcc.h"
#include "features/stack.h"
#include "features/vad.h"

#define CHUNK 8192          /* samples taken into the buffer at a time */
#define FULL_SCALE 32768.0f /* features are defined on 16-bit samples */
#define MAX_SAMPLE                                                                                 \
    1e6f /* +120 dB; far beyond audio, far below what would overflow a power spectrum */

struct oto_frontend {
    struct oto_frontend_options options;
    struct oto_mfcc *mfcc;
    struct oto_delta delta;
    struct oto_cmvn_stats stats; /* count 0: none */
    int n_window, n_shift, dim;

    /* Samples. buffer holds the samples buffer_start .. buffer_start + n_buffer - 1 of the
     * utterance. */
    float *buffer; /* [n_window + 1 + CHUNK] */
    size_t n_buffer, capacity;
    uint64_t buffer_start, n_samples, next_frame;
    uint64_t dither_stream;
    bool finished;
    float *mirrored; /* [n_window] a window that reaches over an end */

    /* Frames. */
    float *statics; /* [cap_static, dim] */
    size_t n_static, cap_static;

    /* Workspace of apply. */
    float *normalised; /* [cap_block, dim]; only with deltas */
    float *block;      /* [cap_block, dim * (delta_order + 1)] */
    uint8_t *counts;   /* [cap_block] frames that CMVN is taken of; only with cmvn-margin */
    size_t cap_block;
    double *sums; /* [2 * dim] */
};

/* --- Frame positions (math.md, eq. 1) --- */

static int64_t first_sample(const struct oto_frontend *fe, uint64_t frame)
{
    const int64_t start = (int64_t)frame * fe->n_shift;
    return fe->options.snip_edges ? start : start + fe->n_shift / 2 - fe->n_window / 2;
}

/* Frames of a finished utterance. */
static uint64_t frames_total(const struct oto_frontend *fe, uint64_t n_samples)
{
    const uint64_t window = (uint64_t)fe->n_window, shift = (uint64_t)fe->n_shift;

    if (fe->options.snip_edges)
        return n_samples < window ? 0 : 1 + (n_samples - window) / shift;
    return (n_samples + shift / 2) / shift;
}

/* Frames whose last sample is there; whatever follows cannot change them. */
static uint64_t frames_ready(const struct oto_frontend *fe, uint64_t n_samples)
{
    const int64_t room = (int64_t)n_samples - first_sample(fe, 0) - fe->n_window;
    return room < 0 ? 0 : (uint64_t)room / (uint64_t)fe->n_shift + 1;
}

/* --- Life --- */

static oto_status create_parts(struct oto_frontend *fe, const struct oto_cmvn_stats *stats,
                               enum oto_fft_backend fft, oto_error *err)
{
    const struct oto_frontend_options *o = &fe->options;
    const bool uses_stats = o->cmvn == OTO_CMVN_GLOBAL || o->cmvn == OTO_CMVN_SLIDING;
    oto_status status = oto_mfcc_create(&fe->mfcc, o, fft, err);

    if (status)
        return status;
    fe->dim = oto_mfcc_dim(fe->mfcc);
    fe->n_window = oto_frontend_window_samples(o);
    fe->n_shift = oto_frontend_shift_samples(o);
    if (o->cmvn == OTO_CMVN_GLOBAL && (!stats || stats->count <= 0.0))
        return oto_fail(
            err, OTO_ERR_CONFIG,
            "cmvn is global, but there are no statistics of the training set; use cmvn=utterance "
            "or a model that carries them");
    if (uses_stats && stats && stats->count != 0.0) {
        status = oto_cmvn_stats_check(stats, fe->dim, err);
        if (!status)
            status = oto_cmvn_stats_copy(&fe->stats, stats, err);
        if (status)
            return status;
    }
    status = oto_delta_init(&fe->delta, o->delta_order, o->delta_window, err);
    if (status)
        return status;
    fe->capacity = (size_t)fe->n_window + 1 + CHUNK;
    fe->buffer = oto_calloc(fe->capacity, sizeof *fe->buffer);
    fe->mirrored = oto_calloc((size_t)fe->n_window, sizeof *fe->mirrored);
    fe->sums = oto_calloc(2 * (size_t)fe->dim, sizeof *fe->sums);
    fe->statics = oto_calloc(0, sizeof *fe->statics);
    if (!fe->buffer || !fe->mirrored || !fe->sums || !fe->statics)
        return oto_fail_memory(err, "front end");
    return OTO_OK;
}

oto_status oto_frontend_create(struct oto_frontend **out,
                               const struct oto_frontend_options *options,
                               const struct oto_cmvn_stats *stats, enum oto_fft_backend fft,
                               oto_error *err)
{
    oto_status status = oto_frontend_options_check(options, err);
    struct oto_frontend *fe;

    *out = NULL;
    if (status)
        return status;
    fe = oto_calloc(1, sizeof *fe);
    if (!fe)
        return oto_fail_memory(err, "front end");
    fe->options = *options;
    status = create_parts(fe, stats, fft, err);
    if (status) {
        oto_frontend_destroy(fe);
        return status;
    }
    *out = fe;
    return OTO_OK;
}

void oto_frontend_destroy(struct oto_frontend *fe)
{
    if (!fe)
        return;
    oto_free(fe->sums);
    oto_free(fe->counts);
    oto_free(fe->block);
    oto_free(fe->normalised);
    oto_free(fe->statics);
    oto_free(fe->mirrored);
    oto_free(fe->buffer);
    oto_cmvn_stats_clear(&fe->stats);
    oto_delta_clear(&fe->delta);
    oto_mfcc_destroy(fe->mfcc);
    oto_free(fe);
}

/* --- Sizes --- */

static int block_width(const struct oto_frontend *fe)
{
    return fe->dim * (fe->options.delta_order + 1);
}

int oto_frontend_static_dim(const struct oto_frontend *fe)
{
    return fe->dim;
}

int oto_frontend_dim(const struct oto_frontend *fe)
{
    return block_width(fe) * fe->options.stack;
}

double oto_frontend_shift_s(const struct oto_frontend *fe)
{
    return (double)fe->n_shift * fe->options.stride / fe->options.rate_hz;
}

size_t oto_frontend_n_static(const struct oto_frontend *fe, size_t n_samples)
{
    return (size_t)frames_total(fe, n_samples);
}

size_t oto_frontend_n_frames(const struct oto_frontend *fe, size_t n_static)
{
    return oto_stack_n_frames(n_static, fe->options.stride);
}

/* --- Samples to static frames --- */

void oto_frontend_reset(struct oto_frontend *fe, uint64_t dither_stream)
{
    fe->n_buffer = 0;
    fe->buffer_start = fe->n_samples = fe->next_frame = 0;
    fe->n_static = 0;
    fe->dither_stream = dither_stream;
    fe->finished = false;
}

/* Makes room for all frames up to n_frames of the utterance before any sample is taken, so that
 * failing changes nothing. */
static oto_status reserve_statics(struct oto_frontend *fe, uint64_t n_frames, oto_error *err)
{
    const uint64_t n_new = n_frames > fe->next_frame ? n_frames - fe->next_frame : 0;
    size_t capacity = fe->cap_static ? fe->cap_static : 256;
    float *grown;

    if (n_new > SIZE_MAX / 4 / (uint64_t)fe->dim / sizeof *grown - fe->n_static)
        return oto_fail_memory(err, "feature frames");
    if (fe->n_static + n_new <= fe->cap_static)
        return OTO_OK;
    while (capacity < fe->n_static + n_new)
        capacity *= 2;
    grown = oto_realloc(fe->statics, fe->cap_static * (size_t)fe->dim, capacity * (size_t)fe->dim,
                        sizeof *grown);
    if (!grown)
        return oto_fail_memory(err, "feature frames");
    fe->statics = grown;
    fe->cap_static = capacity;
    return OTO_OK;
}

/* The window from sample `start`, with the utterance mirrored at both ends: -1 -> 0, -2 -> 1, n ->
 * n-1, n+1 -> n-2. */
static const float *mirror(struct oto_frontend *fe, int64_t start)
{
    const int64_t n = (int64_t)fe->n_samples;

    for (int i = 0; i < fe->n_window; i++) {
        int64_t at = start + i;
        while (at < 0 || at >= n)
            at = at < 0 ? -at - 1 : 2 * n - 1 - at;
        assert(at >= (int64_t)fe->buffer_start);
        fe->mirrored[i] = fe->buffer[at - (int64_t)fe->buffer_start];
    }
    return fe->mirrored;
}

/* Computes the frames up to n_frames of the utterance. Their memory is reserved. */
static void make_frames(struct oto_frontend *fe, uint64_t n_frames)
{
    for (; fe->next_frame < n_frames; fe->next_frame++) {
        const int64_t start = first_sample(fe, fe->next_frame);
        const bool inside = start >= 0 && start + fe->n_window <= (int64_t)fe->n_samples;
        const float *x =
            inside ? fe->buffer + (start - (int64_t)fe->buffer_start) : mirror(fe, start);

        oto_mfcc_compute(fe->mfcc, fe->statics + fe->n_static * (size_t)fe->dim, x);
        fe->n_static++;
    }
}

/*
 * Forgets the samples before the next frame, less one: where the window is odd and the edges are
 * mirrored, the last frame reads one sample before its own beginning (math.md, eq. 1).
 */
static void discard_samples(struct oto_frontend *fe)
{
    const int64_t keep = first_sample(fe, fe->next_frame) - 1 - (int64_t)fe->buffer_start;
    size_t n;

    if (keep <= 0)
        return;
    n = (uint64_t)keep < fe->n_buffer ? (size_t)keep : fe->n_buffer;
    memmove(fe->buffer, fe->buffer + n, (fe->n_buffer - n) * sizeof *fe->buffer);
    fe->n_buffer -= n;
    fe->buffer_start += n;
}

/* Position of the first sample that is no audio, or n. */
static size_t find_bad(const float *samples, size_t n)
{
    int bad = 0;

    for (size_t i = 0; i < n; i++)
        bad |= !(fabsf(samples[i]) <= MAX_SAMPLE);
    for (size_t i = 0; bad && i < n; i++)
        if (!(fabsf(samples[i]) <= MAX_SAMPLE))
            return i;
    return n;
}

oto_status oto_frontend_push(struct oto_frontend *fe, const float *samples, size_t n_samples,
                             oto_error *err)
{
    const size_t bad = find_bad(samples, n_samples);
    oto_status status;

    if (fe->finished)
        return oto_fail(
            err, OTO_ERR_ARGUMENT,
            "samples pushed after the utterance was finished; reset the front end first");
    if (bad < n_samples)
        return oto_fail(err, OTO_ERR_DATA, "sample %llu is %g: expected a number within +-%g",
                        (unsigned long long)(fe->n_samples + bad), (double)samples[bad],
                        (double)MAX_SAMPLE);
    if (n_samples > INT64_MAX / 4 - fe->n_samples)
        return oto_fail(err, OTO_ERR_ARGUMENT, "utterance of more than 2^61 samples");
    status = reserve_statics(fe, frames_ready(fe, fe->n_samples + n_samples), err);
    if (status)
        return status;
    while (n_samples > 0) {
        const size_t room = fe->capacity - fe->n_buffer;
        const size_t n = n_samples < room ? n_samples : room;
        float *to = fe->buffer + fe->n_buffer;

        for (size_t i = 0; i < n; i++)
            to[i] = samples[i] * FULL_SCALE;
        for (size_t i = 0; i < n && fe->options.dither > 0.0; i++)
            to[i] +=
                (float)(fe->options.dither * oto_rng_normal(fe->options.dither_seed,
                                                            fe->dither_stream, fe->n_samples + i));
        fe->n_buffer += n;
        fe->n_samples += n;
        samples += n;
        n_samples -= n;
        make_frames(fe, frames_ready(fe, fe->n_samples));
        discard_samples(fe);
    }
    return OTO_OK;
}

oto_status oto_frontend_finish(struct oto_frontend *fe, oto_error *err)
{
    const uint64_t n_frames = frames_total(fe, fe->n_samples);
    oto_status status = reserve_statics(fe, n_frames, err);

    if (status)
        return status;
    make_frames(fe, n_frames);
    fe->finished = true;
    return OTO_OK;
}

const float *oto_frontend_static(const struct oto_frontend *fe, size_t *n_static)
{
    *n_static = fe->n_static;
    return fe->statics;
}

void oto_frontend_of_log_mels(struct oto_frontend *fe, float *statics, const float *log_mels,
                              size_t n)
{
    for (size_t t = 0; t < n; t++)
        oto_mfcc_of_log_mels(fe->mfcc, statics + t * (size_t)fe->dim,
                             log_mels + t * (size_t)fe->options.n_mels);
}

void oto_frontend_drop(struct oto_frontend *fe, size_t n_static)
{
    const size_t dim = (size_t)fe->dim;
    const size_t n = n_static < fe->n_static ? n_static : fe->n_static;

    memmove(fe->statics, fe->statics + n * dim, (fe->n_static - n) * dim * sizeof *fe->statics);
    fe->n_static -= n;
}

/* --- Static frames to output vectors --- */

static oto_status reserve_block(struct oto_frontend *fe, size_t n_static, oto_error *err)
{
    size_t n_block, n_normalised;
    float *block = NULL, *normalised = NULL;
    uint8_t *counts = NULL;

    if (n_static <= fe->cap_block)
        return OTO_OK;
    if (!oto_mul_size(n_static, (size_t)block_width(fe), &n_block))
        return oto_fail_memory(err, "feature block");
    n_normalised = fe->options.delta_order > 0 ? n_static * (size_t)fe->dim : 0;
    block = oto_calloc(n_block, sizeof *block);
    normalised = oto_calloc(n_normalised, sizeof *normalised);
    counts = oto_calloc(fe->options.cmvn_margin_ms > 0 ? n_static : 0, sizeof *counts);
    if (!block || !normalised || !counts) {
        oto_free(counts);
        oto_free(normalised);
        oto_free(block);
        return oto_fail_memory(err, "feature block");
    }
    oto_free(fe->block);
    oto_free(fe->normalised);
    oto_free(fe->counts);
    fe->block = block;
    fe->normalised = normalised;
    fe->counts = counts;
    fe->cap_block = n_static;
    return OTO_OK;
}

static void normalise(struct oto_frontend *fe, float *out, const float *in, size_t n)
{
    const bool variance = fe->options.cmvn_variance, gated = fe->options.cmvn_margin_ms > 0;

    switch ((enum oto_cmvn_kind)fe->options.cmvn) {
    case OTO_CMVN_NONE:
        memcpy(out, in, n * (size_t)fe->dim * sizeof *out);
        break;
    case OTO_CMVN_UTTERANCE:
        if (gated)
            oto_vad_mark(fe->counts, &fe->options, in, n, fe->dim);
        oto_cmvn_utterance(out, in, n, fe->dim, variance, gated ? fe->counts : NULL, fe->sums);
        break;
    case OTO_CMVN_GLOBAL:
        oto_cmvn_global(out, in, n, fe->dim, variance, &fe->stats, fe->sums);
        break;
    case OTO_CMVN_SLIDING:
        oto_cmvn_sliding(out, in, n, fe->dim, variance, fe->options.cmvn_window, &fe->stats,
                         fe->sums);
        break;
    }
}

oto_status oto_frontend_apply(struct oto_frontend *fe, float *out, const float *statics,
                              size_t n_static,
                              void (*masks)(void *arg, float *block, size_t n_static, int width),
                              void *arg, oto_error *err)
{
    oto_status status = reserve_block(fe, n_static, err);

    if (status || n_static == 0)
        return status;
    if (fe->options.delta_order > 0) {
        normalise(fe, fe->normalised, statics, n_static);
        oto_delta_apply(&fe->delta, fe->block, fe->normalised, n_static, fe->dim);
    } else {
        normalise(fe, fe->block, statics, n_static);
    }
    if (masks)
        masks(arg, fe->block, n_static, block_width(fe));
    oto_stack_apply(out, fe->block, n_static, block_width(fe), fe->options.stack,
                    fe->options.stride);
    return OTO_OK;
}
