/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Training of an LSTM language model: sentences -> batches by length -> word network -> Adam. The
 * loss of a step is the mean of -ln p over its words and ends of sentences. Back-propagation goes
 * through whole sentences, each of which starts from zero state, as it does when one is scored.
 *
 * The same text and options give the same bytes on any number of threads, stopped and resumed any
 * number of times; not with a limit of minutes, by which the learning rate then goes.
 */
#ifndef OTO_TRAINING_LSTM_TRAINER_H
#define OTO_TRAINING_LSTM_TRAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"
#include "base/status.h"
#include "training/lstm_text.h"

struct oto_lstm_train_options {
    char *output, *checkpoints, *init; /* init was read by who fills the setup */
    int layers, hidden, embedding, vocabulary, classes, max_words;
    double dropout, epochs, minutes, checkpoint_minutes;
    int batch_words, parts, schedule, warmup_steps, dev_steps, weights, threads;
    double rate, beta1, beta2, eps, weight_decay, clip_norm;
    uint64_t seed;
    bool resume, overwrite;
};
extern const struct oto_option oto_lstm_train_option_table[];
extern const size_t oto_lstm_train_n_options;

/** Told after each step; of the dev text only where it was just measured. */
struct oto_lstm_train_event {
    uint64_t step;
    double done;        /* 0 to 1: share of the training */
    double loss;        /* nats a word, of the steps since the last event with dev, or so far */
    double rate;        /* learning rate */
    double words_per_s; /* of this run */
    bool measured;      /* the next ones are there */
    double perplexity;  /* of the dev text, unknown words with their own price */
    double known_perplexity; /* without them */
    bool best;               /* so far; the model was written */
};

struct oto_lstm_train_setup {
    const struct oto_lstm_train_options *options;
    const struct oto_lstm_vocabulary *vocabulary;
    const float *params; /* [oto_word_n_parameters()] to start from; NULL: random ones */
    const struct oto_lstm_text *train;
    const struct oto_lstm_text *dev; /* NULL: none, and the model is that of the end */
    bool (*stop)(void *arg);         /* true: writes a checkpoint and ends; may be NULL */
    void (*tell)(void *arg, const struct oto_lstm_train_event *event); /* may be NULL */
    void *arg;
};

struct oto_lstm_train_result {
    uint64_t n_steps, n_skipped; /* skipped: loss or gradient not finite */
    size_t n_too_long;           /* sentences above max_words */
    size_t n_parameters;
    double perplexity; /* of the best model; NAN without a dev text */
    bool stopped;
};

/**
 * Writes options->output, whenever the dev text says that it is better than before, and checkpoints
 * in the folder options->checkpoints, OUTPUT.train where that is "".
 * Errors: OTO_ERR_CONFIG for a checkpoint of other options or another text, or one that neither
 * resume nor overwrite speak of; OTO_ERR_DATA for too little text; files; memory.
 */
oto_status oto_lstm_train(const struct oto_lstm_train_setup *setup,
                          struct oto_lstm_train_result *result, oto_error *err) OTO_WARN_UNUSED;

#endif
