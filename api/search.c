/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/search.h"

#include <math.h>

#include "base/mem.h"

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
    if (status != OTO_OK || language == NULL || language->grammar == NULL)
        return status;
    search->n_symbols = bundle->shape.n_outputs;
    search->n_texts = options->beam + 1;
    search->texts = oto_calloc((size_t)search->n_texts + 1, sizeof *search->texts);
    return search->texts != NULL ? OTO_OK : oto_fail_memory(err, "beam search");
}

oto_status oto_search_rescore_options(struct oto_rescore_options *out,
                                      const struct oto_bundle *bundle,
                                      const oto_recognizer_options *options, oto_error *err)
{
    *out = bundle->rescore;
    if (!isnan(options->rescore_weight))
        out->weight = options->rescore_weight;
    if (!isnan(options->second_weight))
        out->second_weight = options->second_weight;
    if (options->rescore_best != 0)
        out->best = options->rescore_best;
    if (!(out->weight >= 0 && out->weight <= 10))
        return oto_fail(err, OTO_ERR_ARGUMENT, "rescore_weight: found %g, expected 0 to 10",
                        out->weight);
    if (!(out->second_weight >= 0 && out->second_weight <= 1))
        return oto_fail(err, OTO_ERR_ARGUMENT, "second_weight: found %g, expected 0 to 1",
                        out->second_weight);
    if (out->best < 0)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "rescore_best: found %d, expected 0 (the model's choice) or more",
                        out->best);
    if (out->best == 0 || out->best > options->beam)
        out->best = options->beam;
    return OTO_OK;
}

oto_status oto_search_add_rescorer(struct oto_search *search, const struct oto_bundle *bundle,
                                   const oto_recognizer_options *options, oto_error *err)
{
    const struct oto_vocabulary *v = search->vocabulary;
    struct oto_rescore_options rescore;
    if (v->lstm == NULL)
        return OTO_OK;
    oto_status status = oto_search_rescore_options(&rescore, bundle, options, err);
    if (status != OTO_OK)
        return status;
    if (search->beam == NULL || options->beam == 1)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "rescore: a beam of 1 has no other texts: widen the beam");
    const struct oto_rescore_setup setup = {.lstm = v->lstm,
                                            .lm = v->language != NULL ? v->language->lm : NULL,
                                            .alphabet = bundle->alphabet,
                                            .weights = v->weights,
                                            .weight = rescore.weight,
                                            .n_best = rescore.best};
    return oto_rescorer_create(&search->rescorer, &setup, err);
}

/* ---- sentences of a grammar --------------------------------------------------------------- */

static bool is_anything_heard(const float *log_probs, size_t n_frames, int n_symbols, int space)
{
    for (size_t t = 0; t < n_frames; t++, log_probs += n_symbols) {
        int best = 0;
        for (int k = 1; k < n_symbols; k++)
            best = log_probs[k] > log_probs[best] ? k : best;
        if (best != 0 && best != space)
            return true;
    }
    return false;
}

/* The best sentence that the beam has, or the best there is. Without labels where nothing fits.
 * *rank: the number of texts before it. */
static oto_status find_sentence(struct oto_search *search, struct oto_hypothesis *sentence,
                                int *rank, const struct oto_hypothesis *hyps, int n_hyps,
                                const float *log_probs, size_t n_frames, oto_error *err)
{
    int i = 0;
    while (i < n_hyps && hyps[i].n_labels == 0)
        i++;
    *rank = i;
    if (i < n_hyps) {
        *sentence = hyps[i];
        return OTO_OK;
    }
    oto_status status = OTO_OK;
    if (search->sentences == NULL)
        status = oto_sentence_search_create(
            &search->sentences, search->vocabulary->language->grammar, search->n_symbols, err);
    if (status != OTO_OK)
        return status;
    return oto_sentence_search_run(search->sentences, sentence, log_probs, n_frames, err);
}

/* Puts it before the texts that stood before it. */
static int put_first(struct oto_hypothesis *texts, const struct oto_hypothesis *sentence, int rank,
                     const struct oto_hypothesis *hyps, int n_hyps)
{
    int n = 0;
    texts[n++] = *sentence;
    for (int i = 0; i < n_hyps; i++) {
        if (i != rank)
            texts[n++] = hyps[i];
    }
    return n;
}

oto_status oto_search_n_best(struct oto_search *search, int n, const struct oto_hypothesis **hyps,
                             int *n_hyps, const float *log_probs, size_t n_frames, oto_error *err)
{
    if (search->texts == NULL)
        return oto_beam_n_best(search->beam, n, hyps, n_hyps, err);
    const struct oto_grammar *grammar = search->vocabulary->language->grammar;
    oto_status status = oto_beam_n_best(search->beam, search->n_texts, hyps, n_hyps, err);
    if (status == OTO_OK && (*hyps)[0].n_labels == 0 &&
        !isfinite(grammar->states[OTO_GRAMMAR_START].end) &&
        is_anything_heard(log_probs, n_frames, search->n_symbols, grammar->space)) {
        struct oto_hypothesis sentence;
        int rank;
        status = find_sentence(search, &sentence, &rank, *hyps, *n_hyps, log_probs, n_frames, err);
        if (status == OTO_OK && sentence.n_labels > 0) {
            *n_hyps = put_first(search->texts, &sentence, rank, *hyps, *n_hyps);
            *hyps = search->texts;
        }
    }
    if (*n_hyps > n)
        *n_hyps = n;
    return status;
}

void oto_search_clear(struct oto_search *search)
{
    oto_free(search->texts);
    oto_sentence_search_destroy(search->sentences);
    oto_rescorer_destroy(search->rescorer);
    oto_beam_destroy(search->beam);
    oto_vocabulary_release(search->vocabulary);
    *search = (struct oto_search){0};
}
