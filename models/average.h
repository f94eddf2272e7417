/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The mean of several networks' weights. Networks that went on from the same start are often better
 * together than any of them; the mean of one before and after it learnt few voices keeps more of
 * what it knew of others (Wortsman et al. 2022, "Model soups: averaging weights of multiple
 * fine-tuned models", and "Robust fine-tuning of zero-shot models", CVPR).
 */
#ifndef OTO_MODELS_AVERAGE_H
#define OTO_MODELS_AVERAGE_H

#include "models/bundle.h"

/**
 * sum_i shares[i] weights[i], for the alphabet of the first: of the others the output's rows of the
 * same symbols.
 *
 * @param mean     receives [oto_network_n_parameters(&models[0]->shape)]; the caller's (oto_free)
 * @param models   [n], with float weights (oto_bundle_dequantize())
 * @param names    [n] for messages
 * @param shares   [n]
 * Errors: OTO_ERR_CONFIG naming the model and what differs from the first (front end but dither,
 * sizes, a symbol that it lacks), OTO_ERR_MEMORY; *mean is NULL then.
 */
oto_status oto_bundle_average(float **mean, struct oto_bundle *const *models,
                              const char *const *names, const double *shares, int n,
                              oto_error *err) OTO_WARN_UNUSED;

#endif
