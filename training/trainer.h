/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Training of an acoustic model: corpus -> features -> batches -> network -> CTC -> Adam, measured
 * on the dev set after each epoch. OUT receives best.oto, last.oto, metrics.jsonl, checkpoint*.bin
 * and (unless told otherwise) the features.
 *
 * The loss of a step is the sum of its utterances' CTC losses divided by their number of labels.
 * The same recipe and corpora give the same bytes on any number of threads, stopped and resumed any
 * number of times.
 */
#ifndef OTO_TRAINING_TRAINER_H
#define OTO_TRAINING_TRAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "decoder/beam.h"
#include "features/frontend.h"
#include "training/report.h"
#include "training/train_options.h"

struct oto_train_setup {
    const struct oto_train_options *options;
    const struct oto_frontend_options *frontend;
    const struct oto_beam_options *beam;
    bool (*stop)(
        void *arg); /* asked after every step; true writes a checkpoint and ends. NULL allowed */
    void *stop_arg;
    struct oto_report_sink sink;
};

struct oto_train_result {
    uint64_t n_steps, n_skipped;
    uint64_t best_epoch;               /* from 1; 0 without a dev set */
    double dev_loss, dev_cer, dev_wer; /* of the best epoch; NAN without */
    int rank; /* under mpirun, of this process: only the first, 0, has anything to tell */
};

/**
 * Runs to the last epoch. OTO_ERR_INTERRUPTED when stop said so, with a checkpoint to resume from.
 * OTO_ERR_CONFIG: options that contradict each other, an --out that already holds a run, a recipe
 * or corpus that is not the checkpoint's. Others as of corpora, files and memory.
 */
oto_status oto_train(const struct oto_train_setup *setup, struct oto_train_result *result,
                     oto_error *err) OTO_WARN_UNUSED;

#endif
