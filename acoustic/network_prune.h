/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A narrower network out of a trained one: whole units are left out, so that what remains is an
 * ordinary network (the intrinsic sparse structures of Wen et al., "Learning intrinsic sparse
 * structures within long short-term memory", ICLR 2018, chosen by magnitude).
 */
#ifndef OTO_ACOUSTIC_NETWORK_PRUNE_H
#define OTO_ACOUSTIC_NETWORK_PRUNE_H

#include "acoustic/network.h"

/**
 * Keeps, of each layer and direction, the n_hidden units whose outputs weigh most where they are
 * read: by the Euclidean norm of their columns in the direction's own recurrent matrix and in the
 * matrices above. They keep their order. Meant to be trained on.
 *
 * @param params    [oto_network_n_parameters(shape)] of shape
 * @param n_hidden  1 to shape->n_hidden
 * @param narrow    receives shape with n_hidden units
 * @param pruned    receives its parameters; the caller's (oto_free)
 * Errors: OTO_ERR_ARGUMENT, OTO_ERR_MEMORY; *pruned is NULL then.
 */
oto_status oto_network_prune(const struct oto_network_shape *shape, const float *params,
                             int n_hidden, struct oto_network_shape *narrow, float **pruned,
                             oto_error *err) OTO_WARN_UNUSED;

#endif
