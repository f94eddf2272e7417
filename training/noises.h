/* SPDX-License-Identifier: BSD-2-Clause */
/** The recordings that perturb's noise adds to log-mel energies. */
#ifndef OTO_TRAINING_NOISES_H
#define OTO_TRAINING_NOISES_H

#include "training/feature_cache.h"
#include "training/perturb.h"
#include "training/recordings.h"

/** Zero-initialise; oto_noises_clear(). All is held in memory: 58 MB an hour with 40 filters. */
struct oto_noises {
    struct oto_recordings files;
    struct oto_noise *items; /* [files.n] */
};

/**
 * Log-mel energies of a folder's recordings, through a feature cache in cache_folder.
 * @param options  as for the corpus; speeds, copies and the kind of features are set aside
 * Errors: those of oto_recordings_open() and oto_feature_cache_open(). Clear also after failure.
 */
oto_status oto_noises_load(struct oto_noises *out, const char *folder, const char *cache_folder,
                           const struct oto_feature_cache_options *options, struct oto_pool *pool,
                           oto_error *err) OTO_WARN_UNUSED;
void oto_noises_clear(struct oto_noises *noises);

#endif
