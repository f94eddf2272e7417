/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/second_network.h"

#include <math.h>
#include <string.h>

#include "api/model.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "decoder/priors.h"
#include "decoder/text_scores.h"

struct oto_second_network {
    struct oto_acoustics acoustics;
    struct oto_text_scorer *scorer;
    const double *first_priors; /* NULL: the search takes probabilities as they are */
    double prior_scale, weight;
    int n_symbols;               /* of both */
    float *first;                /* [first's max_frames, K] what its search saw; with priors only */
    int n_best;                  /* texts looked at, at most */
    double *scores[2];           /* [n_best] of the first, of the second */
    struct oto_hypothesis *hyps; /* [n_best] */
};

static bool has_part(const oto_model *model, const struct oto_search *search,
                     const oto_recognizer_options *options, double weight)
{
    const bool searches = search->beam != NULL && options->beam > 1;
    return model->second != NULL && searches && search->texts == NULL && weight > 0;
}

static oto_status create_parts(struct oto_second_network *s, const oto_model *model,
                               const struct oto_acoustics *first, size_t most, oto_error *err)
{
    size_t n_first;
    oto_status status =
        oto_acoustics_init(&s->acoustics, model->bundle->second, model->second, most, err);
    if (status == OTO_OK)
        status = oto_text_scorer_create(&s->scorer, err);
    if (status != OTO_OK)
        return status;
    s->hyps = oto_calloc((size_t)s->n_best, sizeof *s->hyps);
    for (int i = 0; i < 2; i++)
        s->scores[i] = oto_calloc((size_t)s->n_best, sizeof **s->scores);
    if (s->first_priors != NULL && oto_mul_size(first->max_frames, (size_t)s->n_symbols, &n_first))
        s->first = oto_calloc(n_first, sizeof *s->first);
    return s->hyps != NULL && s->scores[0] != NULL && s->scores[1] != NULL &&
                   (s->first_priors == NULL || s->first != NULL)
               ? OTO_OK
               : oto_fail_memory(err, "second network");
}

oto_status oto_second_network_create(struct oto_second_network **out, const oto_model *model,
                                     const struct oto_search *search,
                                     const oto_recognizer_options *options,
                                     const struct oto_acoustics *first, size_t most, oto_error *err)
{
    struct oto_rescore_options rescore;
    *out = NULL;
    oto_status status = oto_search_rescore_options(&rescore, model->bundle, options, err);
    if (status == OTO_OK && model->second == NULL && options->second_weight > 0)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "second_weight: found %g, but the model has no second network (otolith "
                        "model set --second puts one in); expected 0",
                        options->second_weight);
    if (status != OTO_OK || !has_part(model, search, options, rescore.second_weight))
        return status;
    struct oto_second_network *s = oto_calloc(1, sizeof *s);
    if (s == NULL)
        return oto_fail_memory(err, "second network");
    const struct oto_language *language = search->vocabulary->language;
    s->first_priors = language != NULL ? language->log_priors : NULL;
    s->prior_scale = s->first_priors != NULL ? language->options.prior_scale : 0;
    s->weight = rescore.second_weight;
    s->n_symbols = model->bundle->shape.n_outputs;
    s->n_best = rescore.best;
    status = create_parts(s, model, first, most, err);
    if (status == OTO_OK)
        *out = s;
    else
        oto_second_network_destroy(s);
    return status;
}

oto_status oto_second_network_push(struct oto_second_network *s, const float *samples, size_t n,
                                   oto_error *err)
{
    return s != NULL ? oto_frontend_push(s->acoustics.frontend, samples, n, err) : OTO_OK;
}

oto_status oto_second_network_finish(struct oto_second_network *s, oto_error *err)
{
    return s != NULL ? oto_frontend_finish(s->acoustics.frontend, err) : OTO_OK;
}

void oto_second_network_drop(struct oto_second_network *s, size_t n_static)
{
    if (s != NULL)
        oto_frontend_drop(s->acoustics.frontend, n_static);
}

void oto_second_network_reset(struct oto_second_network *s)
{
    if (s != NULL)
        oto_frontend_reset(s->acoustics.frontend, 0);
}

void oto_second_network_destroy(struct oto_second_network *s)
{
    if (s == NULL)
        return;
    oto_free(s->hyps);
    oto_free(s->scores[0]);
    oto_free(s->scores[1]);
    oto_free(s->first);
    oto_text_scorer_destroy(s->scorer);
    oto_acoustics_clear(&s->acoustics);
    oto_free(s);
}

static void divide(const struct oto_second_network *s, float *out, const float *log_probs,
                   size_t n_frames, const double *priors)
{
    for (size_t t = 0; t < n_frames; t++)
        oto_priors_divide(out + t * (size_t)s->n_symbols, log_probs + t * (size_t)s->n_symbols,
                          priors, s->prior_scale, s->n_symbols);
}

/* What the two networks say of the first n texts. */
static oto_status score(struct oto_second_network *s, int n, const struct oto_segment *segment,
                        struct oto_pool *pool, oto_error *err)
{
    struct oto_acoustics *a = &s->acoustics;
    const float *first = segment->log_probs;
    size_t n_frames = 0;
    oto_status status = oto_acoustics_features(a, segment->n_levels, err);
    if (status == OTO_OK)
        status = oto_acoustics_forward(a, &n_frames, segment->n_levels, pool, err);
    if (status == OTO_OK && s->first_priors != NULL) {
        divide(s, s->first, segment->log_probs, segment->n_frames, s->first_priors);
        divide(s, a->log_probs, a->log_probs, n_frames, a->bundle->log_priors);
        first = s->first;
    }
    if (status == OTO_OK)
        status = oto_text_scorer_run(s->scorer, s->scores[0], s->hyps, n, first, segment->n_frames,
                                     s->n_symbols, err);
    if (status == OTO_OK)
        status = oto_text_scorer_run(s->scorer, s->scores[1], s->hyps, n, a->log_probs, n_frames,
                                     s->n_symbols, err);
    return status;
}

oto_status oto_second_network_run(struct oto_second_network *s, const struct oto_hypothesis **hyps,
                                  int *n_hyps, const struct oto_segment *segment,
                                  struct oto_pool *pool, oto_error *err)
{
    const int n = *n_hyps < s->n_best ? *n_hyps : s->n_best;
    memcpy(s->hyps, *hyps, (size_t)n * sizeof *s->hyps);
    oto_status status = score(s, n, segment, pool, err);
    if (status != OTO_OK)
        return status;
    for (int k = 0; k < n; k++)
        s->hyps[k].log_prob +=
            s->weight * fmax(s->scores[1][k] - s->scores[0][k], -(double)OTO_SECOND_MOST);
    oto_rescore_sort(s->hyps, n);
    *hyps = s->hyps;
    *n_hyps = n;
    return OTO_OK;
}
