/* SPDX-License-Identifier: BSD-2-Clause */
/** What training/lstm_*.c share. Nobody else includes it. */
#ifndef OTO_TRAINING_LSTM_PRIVATE_H
#define OTO_TRAINING_LSTM_PRIVATE_H

#include "acoustic/word_batch.h"
#include "base/pool.h"
#include "training/checkpoint.h"
#include "training/lstm_trainer.h"
#include "training/optim.h"

/** The batches of an epoch: sentences of about the same length beside each other. */
struct oto_lstm_order {
    size_t *
        sentences; /* [n] those that are used, in the order of batches, by falling length in each */
    size_t *scratch; /* [n] */
    size_t n, n_all; /* used; of the text */
    size_t *first;   /* [n_batches + 1] in sentences */
    size_t *batches; /* [n_batches] in the order in which they are learned from */
    size_t n_batches, cap_batches;
    uint64_t n_words; /* of an epoch, with the ends */
};

/** Counts. Zero-initialised; release with oto_lstm_order_clear(). OTO_ERR_DATA without sentences of
 * up to max_words. */
oto_status oto_lstm_order_init(struct oto_lstm_order *order, const struct oto_lstm_text *text,
                               int max_words, oto_error *err) OTO_WARN_UNUSED;
void oto_lstm_order_clear(struct oto_lstm_order *order);
/** The batches of an epoch, a function of the text, batch_words, seed and epoch. */
oto_status oto_lstm_order_make(struct oto_lstm_order *order, const struct oto_lstm_text *text,
                               const struct oto_lstm_train_options *o, uint64_t epoch,
                               oto_error *err) OTO_WARN_UNUSED;

/** A part of a step: its sentences, activations and gradient. */
struct oto_lstm_part {
    struct oto_word_sentence *sentences; /* [cap_sentences] */
    int n, cap_sentences;
    struct oto_word_batch batch;
    struct oto_word_workspace *workspace;
    double *log_probs; /* [cap_rows] */
    size_t cap_rows;
    float *grads; /* [n_params] */
    double loss;  /* nats, summed */
    oto_error err;
};

struct oto_lstm_trainer {
    const struct oto_lstm_train_setup *setup;
    const struct oto_lstm_train_options *o;
    char *folder; /* of checkpoints */
    struct oto_word_shape shape;
    struct oto_word_network *network;
    struct oto_pool *pool;
    size_t n_params;
    float *params;
    struct oto_adam adam;
    struct oto_lstm_part *parts; /* [o->parts] */
    struct oto_lstm_order order;
    uint64_t order_epoch; /* that order was made for; UINT64_MAX: none */
    struct oto_train_state state;
    char *recipe;
    uint64_t fingerprint;
    /* Of this run, since the last measurement. */
    double loss_sum;
    uint64_t loss_words;
    uint64_t run_words;
    double run_s;
    uint64_t measured_step; /* UINT64_MAX: none yet */
};

/** Share of the training that is done, 0 to 1. */
double oto_lstm_done(const struct oto_lstm_trainer *t);

/* lstm_state.c */

/** Folder, recipe and fingerprint. */
oto_status oto_lstm_identify(struct oto_lstm_trainer *t, oto_error *err) OTO_WARN_UNUSED;
/** Goes on from a checkpoint where that is asked for; refuses to write over one. */
oto_status oto_lstm_begin(struct oto_lstm_trainer *t, oto_error *err) OTO_WARN_UNUSED;
oto_status oto_lstm_checkpoint(struct oto_lstm_trainer *t, oto_error *err) OTO_WARN_UNUSED;
oto_status oto_lstm_save_model(const struct oto_lstm_trainer *t, oto_error *err) OTO_WARN_UNUSED;

#endif
