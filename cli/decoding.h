/* SPDX-License-Identifier: BSD-2-Clause */
/** Options of how text is searched for, the same for every subcommand that recognises. */
#ifndef OTO_CLI_DECODING_H
#define OTO_CLI_DECODING_H

#include "base/options.h"
#include "otolith/otolith.h"

struct oto_cli_decoding {
    int beam;
    char *lexicon, *lm;
    double lm_weight, word_bonus, unknown_weight;
};
extern const struct oto_option oto_cli_decoding_table[];
extern const size_t oto_cli_n_decoding;

/** Fills the recognizer's fields; the texts are borrowed. */
void oto_cli_set_decoding(oto_recognizer_options *options, const struct oto_cli_decoding *d);
/** The file that err, from creating a recognizer, is about: for the exit code. */
const char *oto_cli_decoding_file(const struct oto_cli_decoding *d, const oto_error *err);

#endif
