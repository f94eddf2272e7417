/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/decoding.h"

#include <string.h>

#define FIELD(f) .offset = offsetof(struct oto_cli_decoding, f)
/* clang-format off */
const struct oto_option oto_cli_decoding_table[] = {
    {.name = "beam", .short_name = 'b', .type = OTO_OPTION_INT, FIELD(beam), .default_text = "0", .min = 0, .max = 10000,
     .help = "Prefixes kept in the search; 1 is greedy unless words are scored, 0 the model's own choice."},
    {.name = "lexicon", .type = OTO_OPTION_TEXT, FIELD(lexicon), .default_text = "", .argument = "FILE",
     .help = "Word list, one a line: only these words are written; 'none' for any text. Else the model's, if it has one."},
    {.name = "lm", .type = OTO_OPTION_TEXT, FIELD(lm), .default_text = "", .argument = "FILE",
     .help = "Language model of words, ARPA or binary; words it does not know may be written unless --lexicon confines them. "
             "'none' for none. Else the model's, if it has one."},
    {.name = "lm-weight", .type = OTO_OPTION_REAL, FIELD(lm_weight), .default_text = "nan", .min = 0, .max = 100, .argument = "W",
     .help = "Weight of the language model's log-probabilities against the network's. Else the model's, or 0.5."},
    {.name = "word-bonus", .type = OTO_OPTION_REAL, FIELD(word_bonus), .default_text = "nan", .min = -100, .max = 100, .argument = "LOG",
     .help = "Added for each word, natural log: a language model alone prefers few words. Else the model's, or 1.5."},
    {.name = "unknown-weight", .type = OTO_OPTION_REAL, FIELD(unknown_weight), .default_text = "nan", .min = -1000, .max = 0,
     .argument = "LOG", .help = "Added for each character of a word the language model does not know, natural log. Else the model's, or -2."},
};
/* clang-format on */
const size_t oto_cli_n_decoding = sizeof oto_cli_decoding_table / sizeof *oto_cli_decoding_table;

void oto_cli_set_decoding(oto_recognizer_options *options, const struct oto_cli_decoding *d)
{
    options->beam = d->beam;
    options->lexicon = d->lexicon;
    options->lm = d->lm;
    options->lm_weight = d->lm_weight;
    options->word_bonus = d->word_bonus;
    options->unknown_weight = d->unknown_weight;
}

const char *oto_cli_decoding_file(const struct oto_cli_decoding *d, const oto_error *err)
{
    bool lexicon = d->lexicon[0] != 0 && strncmp(err->message, d->lexicon, strlen(d->lexicon)) == 0;
    return lexicon ? d->lexicon : d->lm;
}
