/* SPDX-License-Identifier: BSD-2-Clause */
/** CTC decoding: greedy and prefix beam search (Hannun, Maas, Jurafsky, Ng 2014), incremental. */
#ifndef OTO_DECODER_BEAM_H
#define OTO_DECODER_BEAM_H

#include <stddef.h>

#include "base/options.h"
#include "base/status.h"
#include "decoder/language.h"

struct oto_beam_options {
    int beam;            /* prefixes kept */
    int top_n;           /* symbols looked at per frame, 0 = all */
    double min_log_prob; /* symbols below this are not looked at (the frame's best always is) */
    double score_margin; /* prefixes this far below the best are dropped; 0 = off */
    double blank_skip;   /* frames whose blank has this probability are blanks alone; 0 = off */
};
extern const struct oto_option oto_beam_option_table[];
extern const size_t oto_beam_n_options;
/** OTO_ERR_ARGUMENT for what the table would refuse. */
oto_status oto_beam_options_check(const struct oto_beam_options *options, int n_symbols,
                                  oto_error *err) OTO_WARN_UNUSED;

struct oto_hypothesis {
    const int *labels; /* [n_labels] in 1..K-1 */
    const int *frames; /* [n_labels] frame at which each label's path first emitted it */
    int n_labels;
    double log_prob; /* natural log, total over the alignments kept, with the language's score */
};

struct oto_beam;
oto_status oto_beam_create(struct oto_beam **out, int n_symbols,
                           const struct oto_beam_options *options, oto_error *err) OTO_WARN_UNUSED;
void oto_beam_destroy(struct oto_beam *beam);
void oto_beam_reset(struct oto_beam *beam);
/**
 * From now on texts are scored, or confined to words, as the language has it; NULL: all alike.
 * Resets. The language is borrowed, and its alphabet is that of the log-probabilities. Where it is
 * strict, the blank is always looked at, with a log-probability of -1000 at least, and the
 * likeliest text of whole words is kept beside the beam where the beam has none: there is always
 * one to give. OTO_ERR_MEMORY: all is as before.
 */
oto_status oto_beam_set_language(struct oto_beam *beam, const struct oto_language *language,
                                 oto_error *err) OTO_WARN_UNUSED;
/** @param log_probs [n_frames, n_symbols], column 0 the blank. Frames in any portions give the same
 * result. -inf is allowed, NaN is OTO_ERR_DATA. */
oto_status oto_beam_push(struct oto_beam *beam, const float *log_probs, size_t n_frames,
                         oto_error *err) OTO_WARN_UNUSED;
/**
 * The likeliest beginning of the text as it stands, for showing it while frames still come: what
 * was committed is not in it, and with a strict language it may end inside a word.
 * @param best      log_prob with the look-ahead. Owned by beam until its next call but reset
 * @param n_stable  its first labels that all prefixes kept have in common: no frame to come can
 *                  change them. NULL: not asked for
 * OTO_ERR_MEMORY: all is as before.
 */
oto_status oto_beam_partial(struct oto_beam *beam, struct oto_hypothesis *best, int *n_stable,
                            oto_error *err) OTO_WARN_UNUSED;
/**
 * Takes what is stable out of the search, whose memory then follows what is not: for input without
 * end. Later hypotheses begin behind it; those of n_best() are joined to what was committed before.
 * @param n_keep     labels of the likeliest text (if strict, of whole words) that may stay
 *                   undecided: prefixes that differ from it before its last n_keep labels are
 *                   dropped. INT_MAX: nothing is, and nothing but memory changes
 * @param committed  the labels taken out, from none on. log_prob is 0: scores stay with the search.
 *                   Owned by beam until its next call but reset
 * OTO_ERR_ARGUMENT: n_keep is negative. OTO_ERR_MEMORY: all is as before.
 */
oto_status oto_beam_commit(struct oto_beam *beam, int n_keep, struct oto_hypothesis *committed,
                           oto_error *err) OTO_WARN_UNUSED;
/** n best so far, best first; *n_hyps in 1..n. With a language as if the text ended here: without a
 * space at the end; if strict those of whole words. Owned by beam until the next push, n_best or
 * reset. Ties by label order. */
oto_status oto_beam_n_best(struct oto_beam *beam, int n, const struct oto_hypothesis **hyps,
                           int *n_hyps, oto_error *err) OTO_WARN_UNUSED;

/**
 * Best path: argmax per frame, repeats merged, blanks removed.
 * @param labels [n_frames] out   @param frames [n_frames] out or NULL   @param log_prob of that
 * single path, or NULL
 * @return number of labels
 */
int oto_greedy(int *labels, int *frames, double *log_prob, const float *log_probs, size_t n_frames,
               int n_symbols);

#endif
