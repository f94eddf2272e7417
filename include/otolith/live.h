/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Text while somebody speaks: endless samples in, utterances out, and before an utterance has
 * ended the words that were heard of it so far.
 *
 *     oto_live_options_init(&options);
 *     options.utterance = print;                            // called from feed and finish
 *     oto_live_create(&live, model, &options, &err);
 *     while (samples come) {
 *         oto_live_feed(live, samples, n_samples, &err);    // any portion
 *         puts(oto_live_partial(live)->text);               // may still change
 *     }
 *     oto_live_finish(live, &err);                          // the utterance in work ends here
 *
 * The samples are cut into utterances at pauses. While one is spoken a first pass of the network
 * follows at a distance of latency_ms. When it has ended, a second pass hears the whole of it, with
 * what lies before and behind each sound, as oto_recognizer_feed() and oto_recognizer_finish()
 * would: that is the text which stays. Utterances without a word are not told, nor is what the
 * network, with one pass or two, does not take for speech when it has heard all of it.
 *
 * Utterances, texts and times do not depend on the portions in which samples are fed, nor on the
 * clock, unless second_pass_ms limits the second pass. Threads: as a recognizer.
 */
#ifndef OTOLITH_LIVE_H
#define OTOLITH_LIVE_H

#include <stddef.h>
#include <stdint.h>

#include "otolith/otolith.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct oto_live oto_live;

/** An utterance that has ended. Valid during the call that tells it. */
typedef struct oto_live_utterance {
    const oto_result *result; /* its times count from start_s */
    double start_s, end_s;    /* of its sound, since create or reset */
    int n_passes;             /* 1 where the second was left out */
    double speech;            /* how sure it is that this is speech, 0 to 1 */
} oto_live_utterance;

typedef struct oto_live_options {
    size_t struct_size; /* set by oto_live_options_init() */
    /** Sound behind a moment that the first pass waits for, 40 to 5000; less is sooner and makes
     * more errors. 400 */
    int latency_ms;
    int n_passes; /* 1: the first pass's text stays, and words as soon as they are settled; 2 */
    int second_pass_ms;     /* left out where it would take longer; 0: never. 0 */
    double max_utterance_s; /* longer ones are cut, 2 to 60; 20 */
    double silence_s;       /* a pause that ends an utterance, 0.2 to 10; 0.8 */
    /** Utterances with less speech than this are taken for noise and not told: 0 (told all the
     * same) to 1; 0.45 */
    double min_confidence;
    void (*utterance)(void *user_data, const oto_live_utterance *utterance);
    void *user_data;
} oto_live_options;
OTO_API void oto_live_options_init(oto_live_options *options);

/**
 * @param recognizer  how text is searched for; NULL: defaults. max_segment_s has no effect here.
 * @param options     NULL: defaults
 * The model is borrowed until oto_live_destroy(). Errors: OTO_ERR_ARGUMENT, OTO_ERR_MEMORY, those
 * of oto_recognizer_create().
 */
OTO_API oto_status oto_live_create(oto_live **out, const oto_model *model,
                                   const oto_recognizer_options *recognizer,
                                   const oto_live_options *options, oto_error *err) OTO_WARN_UNUSED;
OTO_API void oto_live_destroy(oto_live *live);
/** As oto_recognizer_feed(): mono samples at the model's rate; a portion with a sample that is no
 * finite number is refused as a whole. */
OTO_API oto_status oto_live_feed(oto_live *live, const float *samples, size_t n_samples,
                                 oto_error *err) OTO_WARN_UNUSED;

/** What is known of the utterance in work. */
typedef struct oto_live_partial_text {
    const char *text; /* "" while nobody speaks */
    size_t n_stable;  /* its first bytes that the first pass will not change: whole words */
    double start_s;   /* of the utterance's sound */
    double heard_s;   /* sound that text takes into account, since create or reset */
} oto_live_partial_text;
/** Valid until the next call on live. */
OTO_API const oto_live_partial_text *oto_live_partial(oto_live *live);

/** The input ends or is interrupted: the utterance in work ends. More may be fed. */
OTO_API oto_status oto_live_finish(oto_live *live, oto_error *err) OTO_WARN_UNUSED;
/** Forgets everything that was fed, also after a failure; memory is kept. */
OTO_API void oto_live_reset(oto_live *live);

#ifdef __cplusplus
}
#endif
#endif
