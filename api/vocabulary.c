/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/vocabulary.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

static bool is_named(const char *path)
{
    return path != NULL && path[0] != 0;
}

/* A number that is not given is the model's. */
static oto_status choose_weights(struct oto_language_options *weights,
                                 const struct oto_bundle *bundle, const oto_recognizer_options *o,
                                 oto_error *err)
{
    *weights = bundle->language;
    if (!isnan(o->lm_weight))
        weights->lm_weight = o->lm_weight;
    if (!isnan(o->word_bonus))
        weights->word_bonus = o->word_bonus;
    if (!isnan(o->unknown_weight))
        weights->unknown_weight = o->unknown_weight;
    return oto_language_options_check(weights, err);
}

static oto_status fill(struct oto_vocabulary *v, const struct oto_bundle *bundle,
                       const oto_recognizer_options *options, oto_error *err)
{
    struct oto_language_options weights;
    const struct oto_lexicon *lexicon = bundle->lexicon;
    const struct oto_lm *lm = bundle->lm;
    oto_status status = choose_weights(&weights, bundle, options, err);
    if (status == OTO_OK && is_named(options->lexicon)) {
        if (strcmp(options->lexicon, "none") != 0)
            status = oto_lexicon_load(&v->lexicon, options->lexicon, bundle->alphabet, err);
        lexicon = v->lexicon;
    }
    if (status == OTO_OK && is_named(options->lm)) {
        if (strcmp(options->lm, "none") != 0)
            status = oto_lm_open(&v->lm, options->lm, err);
        lm = v->lm;
    }
    if (status != OTO_OK || (lexicon == NULL && lm == NULL))
        return status;
    return oto_language_create(&v->language, lexicon, lm, bundle->alphabet, &weights, err);
}

oto_status oto_vocabulary_create(struct oto_vocabulary **out, const struct oto_bundle *bundle,
                                 const oto_recognizer_options *options, oto_error *err)
{
    *out = NULL;
    struct oto_vocabulary *v = oto_calloc(1, sizeof *v);
    if (v == NULL)
        return oto_fail_memory(err, "vocabulary");
    atomic_init(&v->references, 1);
    oto_status status = fill(v, bundle, options, err);
    if (status == OTO_OK)
        *out = v;
    else
        oto_vocabulary_release(v);
    return status;
}

struct oto_vocabulary *oto_vocabulary_hold(struct oto_vocabulary *v)
{
    atomic_fetch_add(&v->references, 1);
    return v;
}

void oto_vocabulary_release(struct oto_vocabulary *v)
{
    if (v == NULL || atomic_fetch_sub(&v->references, 1) > 1)
        return;
    oto_language_destroy(v->language);
    oto_lm_close(v->lm);
    oto_lexicon_destroy(v->lexicon);
    oto_free(v);
}
