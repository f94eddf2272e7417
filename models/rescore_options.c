/* SPDX-License-Identifier: BSD-2-Clause */
#include "models/rescore_options.h"

#define OPTION(field) .offset = offsetof(struct oto_rescore_options, field)
const struct oto_option oto_rescore_option_table[] = {
    {.name = "rescore-weight",
     .type = OTO_OPTION_REAL,
     OPTION(weight),
     .default_text = "0.5",
     .min = 0,
     .max = 10,
     .argument = "W",
     .help = "How much the second pass counts: 0 changes nothing, 1 puts it in the place of the "
             "language model of the first pass."},
    {.name = "rescore-best",
     .type = OTO_OPTION_INT,
     OPTION(best),
     .default_text = "0",
     .min = 0,
     .max = 10000,
     .argument = "N",
     .help = "Texts that the second pass looks at, the best of the first; 0 is all that the beam "
             "holds."},
    {.name = "second-weight",
     .type = OTO_OPTION_REAL,
     OPTION(second_weight),
     .default_text = "0.5",
     .min = 0,
     .max = 1,
     .argument = "W",
     .help = "Share of a second network in what is heard of these texts: 0 changes nothing, 1 puts "
             "it in the place of the first."},
};
const size_t oto_rescore_n_options =
    sizeof oto_rescore_option_table / sizeof *oto_rescore_option_table;
