/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A corpus made ready for the network: transcripts as labels, features in the cache, and for each
 * utterance and variant whether CTC has a path at all. What is left out is named in the log and
 * counted.
 */
#ifndef OTO_TRAINING_DATASET_H
#define OTO_TRAINING_DATASET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pool.h"
#include "decoder/alphabet.h"
#include "features/frontend.h"
#include "training/corpus.h"
#include "training/feature_cache.h"
#include "training/perturb.h"

enum oto_unknown_policy {
    OTO_UNKNOWN_ERROR, /* characters outside the alphabet stop the training */
    OTO_UNKNOWN_SKIP,  /* utterances with such characters are left out */
    OTO_UNKNOWN_DROP   /* the characters are left out */
};

struct oto_dataset_counts {
    size_t bad_lines, length, unknown, empty, audio, too_short; /* utterances left out, by reason */
};

struct oto_dataset {
    const char *name; /* "train" or "dev", borrowed, for messages */
    bool evaluation;  /* set after create: nothing is left out for its text or its length, errors
                         count in full */
    struct oto_corpus *corpus;
    int **labels;                      /* [n] */
    int *n_labels;                     /* [n] */
    int *repeats;                      /* [n] */
    const struct oto_perturb *perturb; /* NULL, or borrowed, set after create: then the cache holds
                                          log-mel energies, which are changed for each epoch */
    struct oto_feature_cache *cache;
    int n_variants;  /* of the cache: speeds, then changed copies */
    int *n_frames;   /* [n, n_variants] network frames; 0 = not usable */
    int *min_frames; /* [n] that CTC needs for the labels */
    int reduction;   /* network frames to one of its output: 1, unless set before
                        oto_dataset_features() */
    struct oto_dataset_counts counts;
    size_t n_used;     /* utterances usable at one speed or more */
    double used_hours; /* audio of those once, at their own speed when it is among the speeds */
    int max_messages;
};

/** Reads the manifests and leaves out utterances that the manifest says are shorter or longer (max
 * 0 = no limit). */
oto_status oto_dataset_create(struct oto_dataset **out, const char *name, const char *list,
                              const struct oto_corpus_options *options, double min_seconds,
                              double max_seconds, oto_error *err) OTO_WARN_UNUSED;
void oto_dataset_destroy(struct oto_dataset *ds);
/** Labels of all transcripts. Unknown characters are listed with their count and first lines; see
 * the policy. */
oto_status oto_dataset_encode(struct oto_dataset *ds, const struct oto_alphabet *alphabet,
                              int unknown_policy, oto_error *err) OTO_WARN_UNUSED;
/** Opens or fills the cache in folder, then finds what has too few frames for its labels in every
 * variant. */
oto_status oto_dataset_features(struct oto_dataset *ds, const char *folder,
                                const struct oto_feature_cache_options *options,
                                struct oto_pool *pool, oto_error *err) OTO_WARN_UNUSED;

#endif
