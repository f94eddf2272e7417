/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/search.h"

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
    if (!(options->rescore_weight >= 0 && options->rescore_weight <= 10))
        return oto_fail(err, OTO_ERR_ARGUMENT, "rescore_weight: found %g, expected 0 to 10",
                        options->rescore_weight);
    if (options->rescore_best < 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "rescore_best: found %d, expected 0 (all) or more",
                        options->rescore_best);
    if (search->beam == NULL || options->beam == 1)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "rescore: a beam of 1 has no other texts: widen the beam");
    const bool all = options->rescore_best == 0 || options->rescore_best > options->beam;
    const struct oto_rescore_setup setup = {.lstm = v->lstm,
                                            .lm = v->language != NULL ? v->language->lm : NULL,
                                            .alphabet = bundle->alphabet,
                                            .weights = v->weights,
                                            .weight = options->rescore_weight,
                                            .n_best = all ? options->beam : options->rescore_best};
    return oto_rescorer_create(&search->rescorer, &setup, err);
}

void oto_search_clear(struct oto_search *search)
{
    oto_rescorer_destroy(search->rescorer);
    oto_beam_destroy(search->beam);
    oto_vocabulary_release(search->vocabulary);
    *search = (struct oto_search){0};
}
