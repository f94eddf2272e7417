/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Text of an utterance while it is being spoken: the network over a stream, normalised by what is
 * known so far, and the search behind it.
 *
 * Mean and variance of a frame come from the frames of the utterance up to it, beside a prior that
 * stands for as many frames as sliding CMVN lends: the model's statistics at first, then what was
 * heard before (math.md, eq. 19, 20, with a window that never ends). With cmvn-margin only frames
 * near loud ones are heard so, by the levels up to then (features/vad.h). A model without
 * statistics has no prior for its first utterance, and waits for half a second of it.
 */
#ifndef OTO_API_FIRST_PASS_H
#define OTO_API_FIRST_PASS_H

#include "api/model.h"
#include "api/search.h"
#include "api/spoken.h"

struct oto_first_pass;

/**
 * @param recognizer   beam is not 0
 * @param vocabulary   held
 * @param latency_ms   look-ahead: chunk and right context together, at least three vectors
 * @param max_seconds  of an utterance
 * The model is borrowed. Errors: OTO_ERR_ARGUMENT, OTO_ERR_MEMORY, those of oto_search_init().
 */
oto_status oto_first_pass_create(struct oto_first_pass **out, const oto_model *model,
                                 const oto_recognizer_options *recognizer,
                                 struct oto_vocabulary *vocabulary, int latency_ms,
                                 double max_seconds, oto_error *err) OTO_WARN_UNUSED;
void oto_first_pass_destroy(struct oto_first_pass *pass);

/** Forgets the utterance; what its loudness and colour were stays as the prior of the next. */
void oto_first_pass_next(struct oto_first_pass *pass);
/** Forgets that, too. */
void oto_first_pass_reset(struct oto_first_pass *pass);
/** @param statics  [n_static, static_dim] the next frames of the utterance */
oto_status oto_first_pass_push(struct oto_first_pass *pass, const float *statics, size_t n_static,
                               oto_error *err) OTO_WARN_UNUSED;
/** The utterance has ended: what still waits is searched. */
oto_status oto_first_pass_finish(struct oto_first_pass *pass, oto_error *err) OTO_WARN_UNUSED;

/** Best text so far, and how many bytes of it stay whatever follows. Belongs to pass until its next
 * call. */
oto_status oto_first_pass_text(struct oto_first_pass *pass, const char **text, size_t *n_stable,
                               double *log_prob, oto_error *err) OTO_WARN_UNUSED;
/** Adds the words of the text to spoken, with times from the utterance's first frame on. After
 * oto_first_pass_finish() and oto_first_pass_text(). */
oto_status oto_first_pass_words(struct oto_first_pass *pass, struct oto_spoken *spoken,
                                oto_error *err) OTO_WARN_UNUSED;
/** How sure the network is that the utterance is speech (decoder/confidence.h). */
double oto_first_pass_speech(const struct oto_first_pass *pass);
/** Seconds of the utterance that the network has passed, and for how many of them, up to there, the
 * blank was the likeliest. */
void oto_first_pass_blank(const struct oto_first_pass *pass, double *passed_s, double *blank_s);

#endif
