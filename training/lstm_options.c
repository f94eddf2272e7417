/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of lstm_trainer.h. */
#include "training/lstm_trainer.h"

#include "training/schedule.h"

static const char *const schedule_names[] = {"constant", "linear", "cosine", NULL};
_Static_assert(OTO_SCHEDULE_CONSTANT == 0 && OTO_SCHEDULE_LINEAR == 1 && OTO_SCHEDULE_COSINE == 2,
               "schedule_names are in the order of enum oto_schedule_kind");
static const char *const weight_names[] = {"f32", "i8", NULL}; /* enum oto_lstm_weights */

#define FIELD(f) .offset = offsetof(struct oto_lstm_train_options, f)
/* clang-format off */
const struct oto_option oto_lstm_train_option_table[] = {
    {.name = "output", .short_name = 'o', .type = OTO_OPTION_TEXT, FIELD(output), .default_text = "", .argument = "FILE",
     .help = "The model, NAME.otolstm."},
    {.name = "init", .type = OTO_OPTION_TEXT, FIELD(init), .default_text = "", .argument = "FILE",
     .help = "Model to go on from, NAME.otolstm or that of a model file: network, words and weights are its own, words of the text that it does not know "
             "are unknown; none starts from random weights."},
    {.name = "layers", .type = OTO_OPTION_INT, FIELD(layers), .default_text = "1", .min = 1, .max = OTO_WORD_LAYERS_MAX,
     .help = "LSTM layers."},
    {.name = "hidden", .type = OTO_OPTION_INT, FIELD(hidden), .default_text = "320", .min = 1, .max = OTO_WORD_WIDTH_MAX,
     .help = "Units of a layer."},
    {.name = "embedding", .type = OTO_OPTION_INT, FIELD(embedding), .default_text = "160", .min = 1, .max = OTO_WORD_WIDTH_MAX,
     .help = "Numbers that stand for a word, at the input and the output alike."},
    {.name = "vocabulary", .type = OTO_OPTION_INT, FIELD(vocabulary), .default_text = "20000", .min = 3, .max = OTO_WORD_WORDS_MAX,
     .help = "Words at most, the most frequent, with </s> and <unk>; the others become <unk>."},
    {.name = "classes", .type = OTO_OPTION_INT, FIELD(classes), .default_text = "0", .min = 0, .max = OTO_WORD_WORDS_MAX,
     .help = "Classes of words at most; 0 is the root of the vocabulary."},
    {.name = "max-words", .type = OTO_OPTION_INT, FIELD(max_words), .default_text = "100", .min = 1, .max = 100000,
     .help = "Longer sentences are left out of the training."},
    {.name = "dropout", .type = OTO_OPTION_REAL, FIELD(dropout), .default_text = "0", .min = 0, .max = 0.9,
     .help = "Share of a layer's outputs set to zero on the way up."},
    {.name = "epochs", .type = OTO_OPTION_REAL, FIELD(epochs), .default_text = "1", .min = 0.0001, .max = 1e6,
     .help = "Passes over the text; may be a fraction."},
    {.name = "minutes", .type = OTO_OPTION_REAL, FIELD(minutes), .default_text = "0", .min = 0, .max = 1e6,
     .help = "Ends sooner when so much time was used, with the learning rate falling accordingly: then the result depends on the machine's speed. "
             "0 is no limit."},
    {.name = "batch-words", .type = OTO_OPTION_INT, FIELD(batch_words), .default_text = "2000", .min = 1, .max = 1000000,
     .help = "Words of a step, ends of sentences included."},
    {.name = "parts", .type = OTO_OPTION_INT, FIELD(parts), .default_text = "2", .min = 1, .max = 64,
     .help = "Parts of a step that threads can compute side by side; their gradients are summed."},
    {.name = "lr", .type = OTO_OPTION_REAL, FIELD(rate), .default_text = "0.002", .min = 0, .max = 10, .argument = "RATE",
     .help = "Highest learning rate."},
    {.name = "warmup-steps", .type = OTO_OPTION_INT, FIELD(warmup_steps), .default_text = "100", .min = 0, .max = 1e9,
     .help = "Steps over which the learning rate grows from zero."},
    {.name = "schedule", .type = OTO_OPTION_CHOICE, FIELD(schedule), .default_text = "linear", .choices = schedule_names,
     .help = "Learning rate after the warm-up: unchanged, or falling to zero at the end."},
    {.name = "beta1", .type = OTO_OPTION_REAL, FIELD(beta1), .default_text = "0.9", .min = 0, .max = 0.9999999,
     .help = "Adam: decay of the first moment."},
    {.name = "beta2", .type = OTO_OPTION_REAL, FIELD(beta2), .default_text = "0.999", .min = 0, .max = 0.9999999,
     .help = "Adam: decay of the second moment."},
    {.name = "eps", .type = OTO_OPTION_REAL, FIELD(eps), .default_text = "1e-08", .min = 1e-30, .max = 1,
     .help = "Adam: added to the root of the second moment."},
    {.name = "weight-decay", .type = OTO_OPTION_REAL, FIELD(weight_decay), .default_text = "0", .min = 0, .max = 10,
     .help = "Decoupled weight decay per step, times the learning rate."},
    {.name = "clip-norm", .type = OTO_OPTION_REAL, FIELD(clip_norm), .default_text = "1", .min = 0, .max = 1e9,
     .help = "Longest gradient; longer ones are shortened to it. 0 is off."},
    {.name = "seed", .type = OTO_OPTION_U64, FIELD(seed), .default_text = "1",
     .help = "Seed of the first weights, the order and dropout."},
    {.name = "dev-steps", .type = OTO_OPTION_INT, FIELD(dev_steps), .default_text = "500", .min = 1, .max = 1e9,
     .help = "Steps between two measurements of the dev text; the model of the best is kept."},
    {.name = "weights", .type = OTO_OPTION_CHOICE, FIELD(weights), .default_text = "i8", .choices = weight_names,
     .help = "Numbers of the file: 32-bit floats, or 8 bits with a scale for each row."},
    {.name = "threads", .short_name = 't', .type = OTO_OPTION_INT, FIELD(threads), .default_text = "0", .min = 0, .max = 256,
     .help = "Threads; 0 is one for each processor. The result does not depend on it."},
    {.name = "checkpoints", .type = OTO_OPTION_TEXT, FIELD(checkpoints), .default_text = "", .argument = "FOLDER",
     .help = "Where checkpoints go; none is the output's name with .train behind it."},
    {.name = "checkpoint-minutes", .type = OTO_OPTION_REAL, FIELD(checkpoint_minutes), .default_text = "5", .min = 0, .max = 1e5, .argument = "MIN",
     .help = "Time between checkpoints; 0 is after every step."},
    {.name = "resume", .type = OTO_OPTION_BOOL, FIELD(resume), .default_text = "false",
     .help = "Go on from the checkpoint as if it had never stopped."},
    {.name = "overwrite", .type = OTO_OPTION_BOOL, FIELD(overwrite), .default_text = "false",
     .help = "Start anew although there is a checkpoint."},
};
/* clang-format on */
const size_t oto_lstm_train_n_options =
    sizeof oto_lstm_train_option_table / sizeof *oto_lstm_train_option_table;
