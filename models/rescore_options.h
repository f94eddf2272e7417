/* SPDX-License-Identifier: BSD-2-Clause */
/** What a second pass counts for: an LSTM language model (api/rescore.h), a second network
 * (api/second_network.h). */
#ifndef OTO_MODELS_RESCORE_OPTIONS_H
#define OTO_MODELS_RESCORE_OPTIONS_H

#include <stddef.h>

#include "base/options.h"

struct oto_rescore_options {
    double weight; /* 0: changes nothing; 1: it takes the place of the search's language model */
    int best;      /* texts looked at, the best of the search; 0: all that the beam holds */
    double second_weight; /* share of the second network in what is heard; 0: changes nothing */
};

/** rescore-weight, rescore-best, second-weight. */
extern const struct oto_option oto_rescore_option_table[];
extern const size_t oto_rescore_n_options;

#endif
