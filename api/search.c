/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/search.h"

#include <math.h>
#include <string.h>

static bool is_named(const char *path)
{
    return path != NULL && path[0] != 0;
}

static oto_status check_weights(const oto_recognizer_options *o, oto_error *err)
{
    if (!(o->lm_weight >= 0 && o->lm_weight <= 100))
        return oto_fail(err, OTO_ERR_ARGUMENT, "lm_weight: found %g, expected 0 to 100",
                        o->lm_weight);
    if (!(fabs(o->word_bonus) <= 100))
        return oto_fail(err, OTO_ERR_ARGUMENT, "word_bonus: found %g, expected -100 to 100",
                        o->word_bonus);
    if (!(o->unknown_weight >= -1000 && o->unknown_weight <= 0))
        return oto_fail(err, OTO_ERR_ARGUMENT, "unknown_weight: found %g, expected -1000 to 0",
                        o->unknown_weight);
    return OTO_OK;
}

oto_status oto_search_init(struct oto_search *search, const struct oto_bundle *bundle,
                           const oto_recognizer_options *options, oto_error *err)
{
    *search = (struct oto_search){0};
    const struct oto_lexicon *lexicon = bundle->lexicon;
    oto_status status = check_weights(options, err);
    if (status == OTO_OK && is_named(options->lexicon)) {
        lexicon = NULL;
        if (strcmp(options->lexicon, "none") != 0)
            status = oto_lexicon_load(&search->lexicon, options->lexicon, bundle->alphabet, err);
        lexicon = search->lexicon;
    }
    if (status == OTO_OK && is_named(options->lm))
        status = oto_lm_open(&search->lm, options->lm, err);
    bool any = lexicon != NULL || search->lm != NULL;
    if (status != OTO_OK || (options->beam == 1 && !any))
        return status;
    struct oto_beam_options beam_options = bundle->beam;
    beam_options.beam = options->beam;
    status = oto_beam_create(&search->beam, bundle->shape.n_outputs, &beam_options, err);
    if (status != OTO_OK || !any)
        return status;
    const struct oto_language_options weights = {options->lm_weight, options->word_bonus,
                                                 options->unknown_weight};
    status = oto_language_create(&search->language, lexicon, search->lm, bundle->alphabet, &weights,
                                 err);
    if (status == OTO_OK)
        status = oto_beam_set_language(search->beam, search->language, err);
    return status;
}

void oto_search_clear(struct oto_search *search)
{
    oto_beam_destroy(search->beam);
    oto_language_destroy(search->language);
    oto_lm_close(search->lm);
    oto_lexicon_destroy(search->lexicon);
    *search = (struct oto_search){0};
}
