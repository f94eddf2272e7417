/* SPDX-License-Identifier: BSD-2-Clause */
/** Looks at everything in a corpus before a training run does: each recording is decoded, each
 * transcript encoded. */
#ifndef OTO_TRAINING_CORPUS_CHECK_H
#define OTO_TRAINING_CORPUS_CHECK_H

#include "base/pool.h"
#include "decoder/alphabet.h"
#include "features/frontend.h"
#include "training/corpus.h"

struct oto_check_options {
    const struct oto_alphabet *alphabet;         /* that transcripts are to be written in */
    const struct oto_frontend_options *frontend; /* whose frames CTC has to do with */
    int reduction;      /* of those to one that CTC sees: 1, more where the network pairs frames */
    double tolerance_s; /* by which lengths may differ from what the manifest says */
    double max_clipped; /* share of clipped samples that is no fault */
    double silence_db;  /* a recording whose loudest 20 ms are below that (dB of full scale) is
                           silent */
    void (*fault)(void *arg, const struct oto_corpus_fault *fault); /* in order; caller's thread */
    void (*progress)(void *arg, size_t n_done, size_t n, double audio_s); /* NULL allowed */
    void *arg;
};

/** @param audio_s  receives the length of all that could be decoded */
oto_status oto_corpus_check(const struct oto_corpus *corpus,
                            const struct oto_check_options *options, struct oto_pool *pool,
                            double *audio_s, oto_error *err) OTO_WARN_UNUSED;

#endif
