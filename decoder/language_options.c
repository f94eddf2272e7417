/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/language.h"

#define OPTION(field) .offset = offsetof(struct oto_language_options, field)
const struct oto_option oto_language_option_table[] = {
    {.name = "lm-weight",
     .type = OTO_OPTION_REAL,
     OPTION(lm_weight),
     .default_text = "0.5",
     .min = 0,
     .max = 100,
     .argument = "W",
     .help = "Weight of the language model's log-probabilities against the network's."},
    {.name = "word-bonus",
     .type = OTO_OPTION_REAL,
     OPTION(word_bonus),
     .default_text = "1.5",
     .min = -100,
     .max = 100,
     .argument = "LOG",
     .help = "Added for each word, natural log: a language model alone prefers few words."},
    {.name = "unknown-weight",
     .type = OTO_OPTION_REAL,
     OPTION(unknown_weight),
     .default_text = "-2",
     .min = -1000,
     .max = 0,
     .argument = "LOG",
     .help = "Added for each character of a word the language model does not know, natural log."},
    {.name = "prior-scale",
     .type = OTO_OPTION_REAL,
     OPTION(prior_scale),
     .default_text = "0",
     .min = 0,
     .max = 2,
     .argument = "X",
     .help = "How much of what the network writes on average, whatever is said, is taken out "
             "before the language model comes in: 0 is nothing, 1 all."},
};
const size_t oto_language_n_options =
    sizeof oto_language_option_table / sizeof *oto_language_option_table;

oto_status oto_language_options_check(const struct oto_language_options *options, oto_error *err)
{
    for (size_t i = 0; i < oto_language_n_options; i++) {
        const struct oto_option *o = &oto_language_option_table[i];
        double v = *(const double *)((const char *)options + o->offset);
        if (!(v >= o->min && v <= o->max))
            return oto_fail(err, OTO_ERR_ARGUMENT, "%s: found %g, expected %g to %g", o->name, v,
                            o->min, o->max);
    }
    return OTO_OK;
}
