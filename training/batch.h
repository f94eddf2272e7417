/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Which utterances make up each batch of an epoch, and in which order: a pure function of (seed,
 * epoch). Utterances of like length go together, a batch holds as many as its frame budget allows,
 * the order of batches is shuffled.
 */
#ifndef OTO_TRAINING_BATCH_H
#define OTO_TRAINING_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct oto_plan_input {
    size_t n_utts;
    int n_variants;        /* speeds and changed copies, of which each epoch takes one by chance */
    const int *n_frames;   /* [n_utts, n_variants] network frames; 0 = that one is not usable */
    const int *repeats;    /* [n_utts] times per epoch; NULL = once */
    const int *min_frames; /* [n_utts] that the tempo leaves at least; NULL = 1 */
};

struct oto_plan_options {
    uint64_t seed;
    size_t max_frames; /* per batch; an utterance longer than this is a batch of its own */
    int short_epochs;  /* the first N epochs are easier ... */
    int short_frames;  /* ... by leaving out what is longer; 0: by going from short to long,
                          unshuffled */
    double tempo;      /* n_frames is changed by chance by up to this share */
    int sorted; /* for evaluation: all utterances, short to long, as they are: first speed, own
                   tempo */
};

struct oto_batch_item {
    uint32_t utt;
    uint16_t copy;  /* 0..repeat-1 */
    uint16_t speed; /* or changed copy: the index of the variant */
    uint16_t view;  /* 0; 1 is the same once more, with other masks and changes: see assemble.h */
    int n_frames;   /* after the change of tempo */
};

struct oto_batch_plan {
    struct oto_batch_item
        *items; /* batch k: items[starts[k] .. starts[k+1]), by falling n_frames */
    size_t n_items;
    size_t *starts; /* [n_batches + 1] */
    size_t n_batches;
    size_t cap_items; /* private: room for items and starts */
    void *keys;       /* private */
};

/** Zero-initialise *plan first; it may be made again for another epoch. OTO_ERR_DATA when the epoch
 * would be empty. */
oto_status oto_batch_plan_make(struct oto_batch_plan *plan, const struct oto_plan_input *input,
                               const struct oto_plan_options *options, int epoch,
                               oto_error *err) OTO_WARN_UNUSED;
void oto_batch_plan_clear(struct oto_batch_plan *plan);

/**
 * Part k of a batch that is cut into n_parts: items dealt out to and fro, so that parts are alike
 * in number and length. A function of the batch alone; parts may be empty.
 * @param out    [n / n_parts + 1]
 * @param items  [n] by falling n_frames; so is out
 * Returns how many were written.
 */
size_t oto_batch_part(struct oto_batch_item *out, const struct oto_batch_item *items, size_t n,
                      int n_parts, int k);

#endif
