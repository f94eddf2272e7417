/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The whole state of a training run in one file, so that a run that goes on from it ends with the
 * same bits as one that was never stopped. Everything random is a function of seed, epoch and step,
 * so no generator is saved.
 *
 * FOLDER/checkpoint.bin is the newest, checkpoint-1.bin the one before, and so on. Layout,
 * little-endian: "OTOCKPT" 0 | u32 version | u32 n_sections | u64 XXH3 of the section table | table
 * | sections, 64-aligned table entry: char name[16] | u64 offset | u64 size | u64 XXH3
 */
#ifndef OTO_TRAINING_CHECKPOINT_H
#define OTO_TRAINING_CHECKPOINT_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "training/best_n.h"

/** 3: with the weights of the best epochs. Files of version 2, without them, are read. */
enum { OTO_CHECKPOINT_VERSION = 3 };

/** Where a run stands. All of it is saved. */
struct oto_train_state {
    uint64_t step;      /* batches done, skipped ones included */
    uint64_t epoch;     /* being worked on, from 0 */
    uint64_t position;  /* next batch in it; n_batches: only its measurement is left */
    uint64_t n_skipped; /* steps whose loss or gradient was not finite */
    uint64_t updates;   /* Adam's t */
    double loss_sum;    /* of this epoch so far, over labels, and their number */
    uint64_t loss_labels;
    double audio_s; /* gone through in this epoch, and the time it took */
    double wall_s;
    double total_wall_s;                  /* of the whole training */
    double best_cer, best_wer, best_loss; /* of the best epoch so far; NAN before */
    uint64_t best_epoch;                  /* from 1; 0 before */
    uint64_t n_halvings;                  /* of the learning rate, by a schedule that watches */
    double lowest_loss, last_loss;        /* of the dev set so far; NAN before */
    uint64_t metrics_bytes; /* length of metrics.jsonl, which is cut to it on resume */
};

struct oto_checkpoint {
    struct oto_train_state state;
    const char *recipe;   /* options that shape the weights, as `name = value` lines */
    uint64_t fingerprint; /* of corpora and alphabet */
    size_t n;             /* parameters */
    const float *params, *m, *v;
    const float *ema; /* NULL without */
    int n_best;       /* epochs of best_n.h */
    struct oto_best_entry best[OTO_BEST_N_MAX];
    const float *best_weights; /* [n_best, n] */
    struct oto_map map;        /* what the pointers refer to after load */
    char *recipe_copy;
};

/** Moves older ones up by one place (keep in all), then writes checkpoint.bin atomically. */
oto_status oto_checkpoint_save(const struct oto_checkpoint *c, const char *folder, int keep,
                               oto_error *err) OTO_WARN_UNUSED;
/**
 * The newest that verifies. Damaged ones are named in the log. OTO_ERR_NOT_FOUND when there is none
 * at all, else the error of the newest. Release with oto_checkpoint_close().
 */
oto_status oto_checkpoint_load(struct oto_checkpoint *c, const char *folder,
                               oto_error *err) OTO_WARN_UNUSED;
/** One file. The message of a refusal names file, section and offset. */
oto_status oto_checkpoint_read(struct oto_checkpoint *c, const char *path,
                               oto_error *err) OTO_WARN_UNUSED;
void oto_checkpoint_close(struct oto_checkpoint *c);
/** Deletes all checkpoints of the folder, for a run that starts anew in it. */
void oto_checkpoint_remove(const char *folder);
/** Whether the folder holds a checkpoint, good or bad. */
int oto_checkpoint_exists(const char *folder);

#endif
