/* SPDX-License-Identifier: BSD-2-Clause */
/** Beam searches with a language, as the tests of lexicon and language model run them. */
#ifndef OTO_TESTS_BEAM_WORDS_H
#define OTO_TESTS_BEAM_WORDS_H

#include "decoder/beam.h"
#include "hypotheses.h"
#include "unit.h"

static inline struct oto_beam *create(int K, const struct oto_beam_options *o,
                                      const struct oto_language *language)
{
    struct oto_beam *beam = NULL;
    assert_int_equal(oto_beam_create(&beam, K, o, NULL), OTO_OK);
    assert_int_equal(oto_beam_set_language(beam, language, NULL), OTO_OK);
    return beam;
}

static inline int decode(struct oto_beam *beam, const float *log_probs, int n_frames, int n,
                         const struct oto_hypothesis **hyps)
{
    oto_error err = {0};
    int n_hyps = 0;
    if (oto_beam_push(beam, log_probs, (size_t)n_frames, &err) != OTO_OK ||
        oto_beam_n_best(beam, n, hyps, &n_hyps, &err) != OTO_OK)
        fail_msg("%s", err.message);
    assert_in_range(n_hyps, 1, n);
    return n_hyps;
}

#endif
