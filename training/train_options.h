/* SPDX-License-Identifier: BSD-2-Clause */
/** Everything a recipe can say about a training run, besides the front end's and the decoder's own
 * options. */
#ifndef OTO_TRAINING_TRAIN_OPTIONS_H
#define OTO_TRAINING_TRAIN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"

enum oto_init_output { OTO_INIT_OUTPUT_MATCH, OTO_INIT_OUTPUT_NEW };
enum oto_chunk_cmvn { OTO_CHUNK_CMVN_SAME, OTO_CHUNK_CMVN_SLIDING };
enum oto_dev_decode { OTO_DEV_GREEDY, OTO_DEV_BEAM };

struct oto_train_options {
    /* data */
    char *train, *dev, *out, *cache, *init;
    int bad_lines, corpus_format;
    double min_seconds, max_seconds;
    bool cache_half;
    /* text */
    int letter_case, punctuation, unknown;
    char *alphabet, *symbols, *lexicon;
    /* network */
    int layers, hidden, proj;
    char *reduce_after; /* "1,2"; "" = none */
    double dropout;
    int init_output, freeze, auxiliary_layer;
    double auxiliary_weight;
    /* in chunks, as live */
    double chunk_share;
    char *chunk_ms, *context_ms;
    int chunk_cmvn;
    /* optimisation */
    int epochs;
    double batch_seconds, rate;
    int warmup_steps, schedule, patience, average_best;
    double beta1, beta2, eps, weight_decay, clip_norm, ema, label_smoothing, weight_noise,
        consistency;
    uint64_t seed;
    /* augmentation */
    int time_masks, freq_masks, freq_mask_bins;
    double time_mask_ms, mask_warmup, feature_noise, tempo;
    char *speeds, *perturb;
    int perturb_copies;
    int short_epochs;
    double short_seconds;
    /* running */
    bool resume, overwrite;
    int parts, processes, threads, loaders, keep, dev_decode, show, log_steps;
    double checkpoint_minutes;
    /* the model file */
    char *name, *licence, *data_note, *notes, *date;
    int weight_type;
};

extern const struct oto_option oto_train_option_table[];
extern const size_t oto_train_n_options;

/** Whether the option may differ between a checkpoint and the run that resumes it: it does not
 * change the weights. */
bool oto_train_option_is_free(const char *name);

#endif
