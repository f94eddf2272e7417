/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A whole model of a few kilobytes with random weights, for tests that need a model but not what it
 * understands. Its output layer is scaled up so that it writes changing symbols instead of one.
 */
#ifndef OTO_TESTS_SUPPORT_TINY_MODEL_H
#define OTO_TESTS_SUPPORT_TINY_MODEL_H

#include <stdint.h>

#include "acoustic/network.h"
#include "base/mem.h"
#include "base/rng.h"
#include "models/bundle.h"

struct tiny_model {
    struct oto_bundle bundle; /* assembled by hand; weights is in here too */
    float *weights;
};

static inline void tiny_model_clear(struct tiny_model *m)
{
    oto_alphabet_destroy(m->bundle.alphabet);
    oto_cmvn_stats_clear(&m->bundle.cmvn);
    oto_card_clear(&m->bundle.card);
    oto_free(m->weights);
    *m = (struct tiny_model){0};
}

static inline oto_status tiny_model_fill(struct tiny_model *m, uint64_t seed, bool pairs,
                                         oto_error *err)
{
    static const char *const symbols[] = {" ", "'", "a", "b", "c", "d", "e", "\xC3\xA9"};
    static const struct oto_text_policy policy = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
    struct oto_bundle *b = &m->bundle;
    oto_status status =
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &b->frontend, err);
    if (status == OTO_OK)
        status = oto_options_init(oto_beam_option_table, oto_beam_n_options, &b->beam, err);
    if (status != OTO_OK)
        return status;
    b->frontend.n_mels = 10;
    b->frontend.n_ceps = 6;
    b->frontend.stack = b->frontend.stride = 2;
    b->beam.beam = 8;
    b->shape = (struct oto_network_shape){.n_inputs = 12,
                                          .n_layers = 2,
                                          .n_hidden = 5,
                                          .n_proj = 3,
                                          .n_outputs = 9,
                                          .reduce_after = pairs};
    status = oto_alphabet_create(&b->alphabet, symbols, 8, &policy, err);
    if (status == OTO_OK)
        status = oto_card_init(&b->card, err);
    if (status == OTO_OK)
        status = oto_card_set(&b->card.name, "tiny", err);
    if (status == OTO_OK)
        status = oto_card_set(&b->card.notes,
                              "random weights; \"understands\" nothing \xE2\x80\x94 at all", err);
    if (status == OTO_OK)
        status = oto_card_set(&b->card.recipe, "layers = 2\nhidden = 5\n", err);
    if (status == OTO_OK)
        status = oto_cmvn_stats_init(&b->cmvn, b->frontend.n_ceps, err);
    if (status != OTO_OK)
        return status;
    b->cmvn.count = 100;
    for (int i = 0; i < b->cmvn.dim; i++) {
        b->cmvn.sum[i] = 10.5 * i - 3;
        b->cmvn.sum_squares[i] = 1000 + i;
    }
    b->card.dev_wer = 0.97;
    size_t n = oto_network_n_parameters(&b->shape);
    m->weights = oto_calloc(n, sizeof *m->weights);
    if (m->weights == NULL)
        return OTO_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        m->weights[i] = (float)(1.5 * oto_rng_normal(seed, 0, i));
    b->weights = m->weights;
    return OTO_OK;
}

/** Release with tiny_model_clear(), also after a failure. */
static inline oto_status tiny_model_init(struct tiny_model *m, uint64_t seed, oto_error *err)
{
    *m = (struct tiny_model){0};
    return tiny_model_fill(m, seed, false, err);
}

/** The same with pairs of frames between its two layers. */
static inline oto_status tiny_model_init_pairs(struct tiny_model *m, uint64_t seed, oto_error *err)
{
    *m = (struct tiny_model){0};
    return tiny_model_fill(m, seed, true, err);
}

/** Sound that changes all the time: tones that wander, and quiet stretches. [n] samples at rate_hz.
 */
static inline void tiny_model_sound(float *samples, size_t n, int rate_hz, uint64_t seed)
{
    double phase = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t part = i / (size_t)(rate_hz / 8);
        double hz = 100 + 3000 * oto_rng_uniform(seed, 1, part);
        double amplitude = oto_rng_uniform(seed, 2, part) < 0.2 ? 0.001 : 0.3;
        phase += hz / rate_hz;
        phase -= (double)(int)phase;
        samples[i] = (float)(amplitude * (phase < 0.5 ? 1 : -1) * oto_rng_uniform(seed, 3, i));
    }
}

#endif
