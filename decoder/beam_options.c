/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/beam.h"

#define OPTION(field) .offset = offsetof(struct oto_beam_options, field)
const struct oto_option oto_beam_option_table[] = {
    {.name = "beam",
     .type = OTO_OPTION_INT,
     OPTION(beam),
     .default_text = "100",
     .min = 1,
     .max = 100000,
     .help = "Prefixes kept by the beam search; 1 is greedy decoding."},
    {.name = "beam-top-n",
     .type = OTO_OPTION_INT,
     OPTION(top_n),
     .default_text = "40",
     .min = 0,
     .max = 1e6,
     .help = "Symbols looked at per frame, the likeliest first; 0 is all."},
    {.name = "beam-min-log-prob",
     .type = OTO_OPTION_REAL,
     OPTION(min_log_prob),
     .default_text = "-10",
     .min = -1000,
     .max = 0,
     .argument = "LOG",
     .help = "Symbols of a frame below this natural log-probability are not looked at."},
    {.name = "beam-margin",
     .type = OTO_OPTION_REAL,
     OPTION(score_margin),
     .default_text = "20",
     .min = 0,
     .max = 10000,
     .argument = "LOG",
     .help = "Prefixes this far below the best, in natural log, are dropped; 0 is off."},
    {.name = "beam-blank-skip",
     .type = OTO_OPTION_REAL,
     OPTION(blank_skip),
     .default_text = "0",
     .min = 0,
     .max = 1,
     .argument = "P",
     .help = "Frames whose blank is at least so probable are passed over as blanks; 0 is off."},
};
const size_t oto_beam_n_options = sizeof oto_beam_option_table / sizeof *oto_beam_option_table;

oto_status oto_beam_options_check(const struct oto_beam_options *o, int n_symbols, oto_error *err)
{
    if (n_symbols < 1)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "beam search over %d symbols, expected at least the blank", n_symbols);
    if (o->beam < 1 || o->beam > 100000)
        return oto_fail(err, OTO_ERR_ARGUMENT, "beam of %d prefixes, expected 1 to 100000",
                        o->beam);
    if (o->top_n < 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "beam-top-n is %d, expected 0 or more", o->top_n);
    if (!(o->min_log_prob <= 0.0))
        return oto_fail(err, OTO_ERR_ARGUMENT, "beam-min-log-prob is %g, expected 0 or less",
                        o->min_log_prob);
    if (!(o->score_margin >= 0.0))
        return oto_fail(err, OTO_ERR_ARGUMENT, "beam-margin is %g, expected 0 or more",
                        o->score_margin);
    if (!(o->blank_skip >= 0.0 && o->blank_skip <= 1.0))
        return oto_fail(err, OTO_ERR_ARGUMENT, "beam-blank-skip is %g, expected 0 to 1",
                        o->blank_skip);
    return OTO_OK;
}
