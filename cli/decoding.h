/* SPDX-License-Identifier: BSD-2-Clause */
/** Options of how text is searched for, the same for every subcommand that recognises. */
#ifndef OTO_CLI_DECODING_H
#define OTO_CLI_DECODING_H

#include <stddef.h>

#include "base/options.h"
#include "otolith/otolith.h"

struct oto_cli_decoding {
    int beam;
    char *grammar, *lexicon, *lm;
    double lm_weight, word_bonus, unknown_weight, prior_scale;
    char *words, *hot_words, *hot_word;
    double hot_word_boost;
    char *rescore;
    double rescore_weight;
    int rescore_best;
    double second_weight;
    /* what oto_cli_prepare_decoding() made of hot_word */
    oto_hot_word *phrases;
    size_t n_phrases;
    char *list;
};
extern const struct oto_option oto_cli_decoding_table[];
extern const size_t oto_cli_n_decoding;

/** After the command line was read, once. False with a message and *code for a hot word's boost
 * that is no number. */
bool oto_cli_prepare_decoding(struct oto_cli_decoding *d, int *code);
/** The model of that name or path, and where it is: path [capacity]. NULL with a message and *code.
 */
oto_model *oto_cli_open_model(const char *name, char *path, size_t capacity, int *code);
/** Fills the recognizer's fields; all is borrowed. */
void oto_cli_set_decoding(oto_recognizer_options *options, const struct oto_cli_decoding *d);
/** Frees the options' texts and the rest. */
void oto_cli_clear_decoding(struct oto_cli_decoding *d);
/** The file that err, from creating a recognizer, is about: for the exit code. */
const char *oto_cli_decoding_file(const struct oto_cli_decoding *d, const oto_error *err);

#endif
