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

void oto_search_clear(struct oto_search *search)
{
    oto_beam_destroy(search->beam);
    oto_vocabulary_release(search->vocabulary);
    *search = (struct oto_search){0};
}
