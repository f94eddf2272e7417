/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * How sure a recognised word is: the probability that it is right, from what speaks for it.
 *
 *     p = 1 / (1 + exp(-(bias + w1 logit(posterior) + w2 mean + w3 least + w4 ln(labels))))
 *
 * The weights are fitted to words of which it is known whether they were right (logistic
 * regression), and travel in the model file.
 */
#ifndef OTO_DECODER_CONFIDENCE_H
#define OTO_DECODER_CONFIDENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/options.h"
#include "decoder/align.h"
#include "decoder/beam.h"

struct oto_evidence {
    double posterior; /* share of the n-best list's probability whose texts have the word here */
    double mean_log_prob;  /* of its labels in the frames that emit them, a frame: <= 0 */
    double least_log_prob; /* of that label for which it is least */
    int n_labels;
};

struct oto_confidence {
    double bias, posterior, mean, least, length; /* w1 to w4 by name */
};
/** Defaults: the posterior as it is. */
extern const struct oto_option oto_confidence_option_table[];
extern const size_t oto_confidence_n_options;

/** 0 to 1. Posteriors count from 0.001 to 0.999, log-probabilities from -20. */
double oto_confidence(const struct oto_confidence *c, const struct oto_evidence *evidence);
/** Of a word whose labels emit in spans [n], n >= 1; the posterior as given, or where it is
 * negative, exp(mean_log_prob). */
void oto_evidence_collect(struct oto_evidence *evidence, const struct oto_span *spans, size_t n,
                          double posterior);

/**
 * Posterior of each word of the best hypothesis: its words beside those of the others, by least
 * edit distance, each other one weighted with its share of the probability.
 *
 * @param votes  [words of hyps[0]] out; as many as white space, the symbol space, separates. NULL
 *               where there are none. Freed with oto_free()
 * Errors: OTO_ERR_MEMORY.   Cost: a few operations a label and hypothesis, and where both differ
 * the product of the words in between.
 */
oto_status oto_votes_count(double **votes, const struct oto_hypothesis *hyps, int n_hyps, int space,
                           oto_error *err) OTO_WARN_UNUSED;

/**
 * How sure the network is that it hears speech, 0 to 1, from the likeliest symbol of each frame:
 *
 *     c = exp(mean of ln p over the frames that write a letter + 0.2 sum of ln p / letters)
 *
 * Speech has clear letters and clear blanks between them. In noise the letters are guesses, and
 * there are many doubtful blanks for each. No language model has a part in it: such a model makes
 * words of anything. 0 where nothing is written.
 *
 * @param log_probs  [n_frames, n_symbols], column 0 the blank
 */
double oto_speech_confidence(const float *log_probs, size_t n_frames, int n_symbols);

/** The weights that make the words most likely, with a slight pull towards 0.
 * OTO_ERR_DATA where fewer than 20 are right, or wrong. */
oto_status oto_confidence_fit(struct oto_confidence *c, const struct oto_evidence *evidence,
                              const bool *right, size_t n, oto_error *err) OTO_WARN_UNUSED;
/** Expected calibration error: in each tenth of the scale, how far the mean confidence is from the
 * share of right words; the mean over all words. 0 for none. */
double oto_calibration_error(const double *confidence, const bool *right, size_t n);

#endif
