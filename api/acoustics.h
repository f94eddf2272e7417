/* SPDX-License-Identifier: BSD-2-Clause */
/** What one network hears: samples become static frames, these vectors, and these
 * log-probabilities. */
#ifndef OTO_API_ACOUSTICS_H
#define OTO_API_ACOUSTICS_H

#include "acoustic/network.h"
#include "acoustic/sequences.h"
#include "features/frontend.h"
#include "models/bundle.h"

struct oto_acoustics {
    const struct oto_bundle *bundle;   /* borrowed, as the network */
    const struct oto_network *network; /* packed for this machine, of the bundle's weights */
    struct oto_frontend *frontend;     /* samples go in here; its static frames wait in it */
    struct oto_network_workspace *workspace;
    struct oto_sequences sequences;
    size_t max_frames; /* vectors that the network reads at most */
    float *features;   /* [max_frames, D] */
    float *log_probs;  /* [max_frames, K], fewer rows where the network pairs frames */
};

/** @param most  static frames that are looked at together, at most
 * Zero-initialise first; release with oto_acoustics_clear(), also after a failure. Errors:
 * OTO_ERR_MEMORY, and those of the front end. */
oto_status oto_acoustics_init(struct oto_acoustics *a, const struct oto_bundle *bundle,
                              const struct oto_network *network, size_t most,
                              oto_error *err) OTO_WARN_UNUSED;
void oto_acoustics_clear(struct oto_acoustics *a);
/** Makes features of the first n_static frames that wait; n_static <= most. They go on waiting. */
oto_status oto_acoustics_features(struct oto_acoustics *a, size_t n_static,
                                  oto_error *err) OTO_WARN_UNUSED;
/** Makes log_probs of these features, *n_frames rows. @param pool  NULL for one thread */
oto_status oto_acoustics_forward(struct oto_acoustics *a, size_t *n_frames, size_t n_static,
                                 struct oto_pool *pool, oto_error *err) OTO_WARN_UNUSED;

#endif
