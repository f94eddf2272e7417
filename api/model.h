/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef OTO_API_MODEL_H
#define OTO_API_MODEL_H

#include "acoustic/network.h"
#include "models/bundle.h"
#include "otolith/otolith.h"

/** A loaded model: the bundle, and its networks packed for this machine's kernels. */
struct oto_model {
    struct oto_bundle *bundle;
    struct oto_network *network;
    struct oto_network *second; /* of bundle->second; NULL: none */
    char *name;                 /* card name, else file name without folder and suffix */
};

#endif
