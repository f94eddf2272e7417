/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/search.h"

#include <math.h>

#include "base/clock.h"

oto_status oto_search_init(struct oto_search *search, const struct oto_bundle *bundle,
                           const oto_recognizer_options *options, struct oto_vocabulary *shared,
                           oto_error *err)
{
    oto_status status = OTO_OK;
    *search = (struct oto_search){0};
    if (shared != NULL)
        search->vocabulary = oto_vocabulary_hold(shared);
    else
        status = oto_vocabulary_create(&search->vocabulary, bundle, options, err);
    if (status != OTO_OK)
        return status;
    const struct oto_language *language = search->vocabulary->language;
    if (options->beam == 1 && language == NULL)
        return OTO_OK;
    struct oto_beam_options beam_options = bundle->beam;
    beam_options.beam = options->beam;
    status = oto_beam_create(&search->beam, bundle->shape.n_outputs, &beam_options, err);
    if (status == OTO_OK && language != NULL)
        status = oto_beam_set_language(search->beam, language, err);
    return status;
}

oto_status oto_search_add_rescorer(struct oto_search *search, const struct oto_bundle *bundle,
                                   const oto_recognizer_options *options, oto_error *err)
{
    const struct oto_vocabulary *v = search->vocabulary;
    if (v->lstm == NULL)
        return OTO_OK;
    struct oto_rescore_options rescore = bundle->rescore;
    if (!isnan(options->rescore_weight))
        rescore.weight = options->rescore_weight;
    if (options->rescore_best != 0)
        rescore.best = options->rescore_best;
    if (!(rescore.weight >= 0 && rescore.weight <= 10))
        return oto_fail(err, OTO_ERR_ARGUMENT, "rescore_weight: found %g, expected 0 to 10",
                        rescore.weight);
    if (rescore.best < 0)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "rescore_best: found %d, expected 0 (the model's choice) or more",
                        rescore.best);
    if (search->beam == NULL || options->beam == 1)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "rescore: a beam of 1 has no other texts: widen the beam");
    const bool all = rescore.best == 0 || rescore.best > options->beam;
    const struct oto_rescore_setup setup = {.lstm = v->lstm,
                                            .lm = v->language != NULL ? v->language->lm : NULL,
                                            .alphabet = bundle->alphabet,
                                            .weights = v->weights,
                                            .weight = rescore.weight,
                                            .n_best = all ? options->beam : rescore.best};
    return oto_rescorer_create(&search->rescorer, &setup, err);
}

oto_status oto_search_rescore(struct oto_search *search, const struct oto_hypothesis **hyps,
                              int *n_hyps, oto_error *err)
{
    if (search->rescorer == NULL || search->skips_rescorer)
        return OTO_OK;
    const double start_s = oto_clock_wall_s();
    oto_status status = oto_rescorer_run(search->rescorer, hyps, n_hyps, err);
    search->rescore_s = oto_clock_wall_s() - start_s;
    return status;
}

void oto_search_clear(struct oto_search *search)
{
    oto_rescorer_destroy(search->rescorer);
    oto_beam_destroy(search->beam);
    oto_vocabulary_release(search->vocabulary);
    *search = (struct oto_search){0};
}
