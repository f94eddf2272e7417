/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/augment.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* A mask's width in 0..widest and its start, from the draws at counter and counter + 1. */
static size_t draw(const struct oto_mask *m, uint64_t counter, size_t widest, size_t length,
                   size_t *start)
{
    size_t width = (size_t)oto_rng_below(m->seed, m->stream, counter, widest + 1);
    *start = (size_t)oto_rng_below(m->seed, m->stream, counter + 1, length - width + 1);
    return width;
}

static size_t scaled(int widest, double scale, size_t limit)
{
    size_t n = (size_t)((double)widest * scale);
    return n < limit ? n : limit;
}

static void add_noise(const struct oto_mask *m, float *block, size_t n)
{
    /* A stream of its own, so that the masks fall alike with and without noise. */
    uint64_t stream = oto_rng_u64(m->seed, m->stream, UINT64_MAX);
    for (size_t i = 0; i < n; i++)
        block[i] += (float)(m->options.noise * oto_rng_normal(m->seed, stream, i));
}

void oto_mask_apply(void *arg, float *block, size_t n_static, int width)
{
    const struct oto_mask *m = arg;
    size_t w = (size_t)width, dim = (size_t)m->static_dim, start;
    uint64_t counter = 0;
    if (m->options.noise > 0)
        add_noise(m, block, n_static * w);
    size_t widest = scaled(m->options.time_mask_frames, m->options.scale, n_static / 5);
    for (int k = 0; k < m->options.time_masks; k++, counter += 2) {
        size_t n = draw(m, counter, widest, n_static, &start);
        memset(block + start * w, 0, n * w * sizeof *block);
    }
    widest = scaled(m->options.freq_mask_bins, m->options.scale, dim);
    for (int k = 0; k < m->options.freq_masks; k++, counter += 2) {
        size_t n = draw(m, counter, widest, dim, &start);
        for (size_t t = 0; t < n_static && n > 0; t++)
            for (size_t part = 0; part + dim <= w; part += dim)
                memset(block + t * w + part + start, 0, n * sizeof *block);
    }
}

void oto_tempo_apply(float *out, size_t n_out, const float *in, size_t n_in, int dim)
{
    size_t d = (size_t)dim;
    for (size_t t = 0; t < n_out; t++) {
        /* the middle of each output vector's share of the time, in input vectors */
        double place = ((double)t + 0.5) * (double)n_in / (double)n_out - 0.5;
        place = place < 0 ? 0 : place;
        size_t left = (size_t)place < n_in - 1 ? (size_t)place : n_in - 1;
        size_t right = left + 1 < n_in ? left + 1 : left;
        float share = (float)(place - (double)left);
        share = right == left ? 0 : share;
        for (size_t k = 0; k < d; k++)
            out[t * d + k] = in[left * d + k] + share * (in[right * d + k] - in[left * d + k]);
    }
}

oto_status oto_speeds_parse(double speeds[OTO_MAX_SPEEDS], int *n_speeds, const char *text,
                            oto_error *err)
{
    *n_speeds = 0;
    for (const char *p = text;; p++) {
        char *end;
        double value = strtod(p, &end);
        while (*end == ' ')
            end++;
        if (end == p || (*end && *end != ',') || !(value >= 0.5 && value <= 2))
            return oto_fail(err, OTO_ERR_CONFIG,
                            "speeds '%s': expected numbers from 0.5 to 2 separated by commas",
                            text);
        for (int s = 0; s < *n_speeds; s++)
            if (speeds[s] == value)
                return oto_fail(err, OTO_ERR_CONFIG, "speeds '%s': %g stands twice", text, value);
        if (*n_speeds == OTO_MAX_SPEEDS)
            return oto_fail(err, OTO_ERR_CONFIG, "speeds '%s': more than %d", text, OTO_MAX_SPEEDS);
        speeds[(*n_speeds)++] = value;
        p = end;
        if (!*p)
            return OTO_OK;
    }
}
