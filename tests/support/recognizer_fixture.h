/* SPDX-License-Identifier: BSD-2-Clause */
/** A model of random weights, a sound, and recognisers that are fed in portions; the including test
 * defines N_LONG, the samples of the sound, before. */
#ifndef OTO_TESTS_RECOGNIZER_FIXTURE_H
#define OTO_TESTS_RECOGNIZER_FIXTURE_H

#include "base/rng.h"
#include "otolith/otolith.h"
#include "tiny_model.h"
#include "unit.h"

static oto_model *model;
static float *sound; /* [N_LONG] */

static int set_up(void **state)
{
    (void)state;
    oto_error err = {0};
    struct tiny_model tiny;
    char folder[64], path[128];
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/tiny.oto", folder);
    if (tiny_model_init(&tiny, 3, &err) != OTO_OK ||
        oto_bundle_save(&tiny.bundle, path, &err) != OTO_OK ||
        oto_model_load(&model, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    tiny_model_clear(&tiny);
    unit_remove_folder(folder);
    sound = malloc(N_LONG * sizeof *sound);
    assert_non_null(sound);
    tiny_model_sound(sound, N_LONG, 16000, 5);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(sound);
    oto_model_destroy(model);
    return 0;
}

static oto_recognizer *make(int beam, int n_best, double max_segment_s)
{
    oto_error err = {0};
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.beam = beam;
    options.n_best = n_best;
    options.max_segment_s = max_segment_s;
    if (oto_recognizer_create(&rec, model, &options, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return rec;
}

/* Portions of the size given; 0 = random ones. */
static const oto_result *run(oto_recognizer *rec, const float *samples, size_t n, size_t portion)
{
    oto_error err = {0};
    const oto_result *result = NULL;
    oto_recognizer_reset(rec);
    for (size_t at = 0, k = 0; at < n; k++) {
        size_t m = portion > 0 ? portion : (size_t)oto_rng_below(11, 0, k, 5000);
        m = m < n - at ? m : n - at;
        if (oto_recognizer_feed(rec, samples + at, m, &err) != OTO_OK)
            fail_msg("%s", err.message);
        at += m;
    }
    if (oto_recognizer_finish(rec, &result, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return result;
}

#endif
