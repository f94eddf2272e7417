/* SPDX-License-Identifier: BSD-2-Clause */
/** What trainer.c and train_*.c share. */
#ifndef OTO_TRAINING_TRAINER_PRIVATE_H
#define OTO_TRAINING_TRAINER_PRIVATE_H

#include "acoustic/network.h"
#include "base/bytes.h"
#include "decoder/alphabet.h"
#include "decoder/edit_distance.h"
#include "training/augment.h"
#include "training/best_n.h"
#include "training/checkpoint.h"
#include "training/chunking.h"
#include "training/comm.h"
#include "training/ctc_loss.h"
#include "training/dataset.h"
#include "training/loader.h"
#include "training/noises.h"
#include "training/optim.h"
#include "training/schedule.h"
#include "training/trainer.h"
#include "training/weight_noise.h"

enum {
    OTO_CTC_TASKS = 16, /* a fixed split of a batch's utterances, whatever the number of threads */
    OTO_MAX_PART_LEVELS = 12 /* of the tree of a batch's parts, see --parts */
};

struct oto_ctc_slot {
    struct oto_ctc *ctc;
    size_t *rows; /* [2 cap_rows] of one utterance, and of its other view, in packed matrices */
    size_t cap_rows;
    oto_error error;
};

/** What an output of the network gives and gets back, of one batch. */
struct oto_outputs {
    float *log_probs, *dlogits; /* [cap_rows, K] */
    double *losses;             /* [cap_utts] */
};

struct oto_trainer {
    const struct oto_train_setup *setup;
    const struct oto_train_options *o;
    struct oto_report *report;
    struct oto_pool *pool;
    struct oto_alphabet *alphabet;
    struct oto_lexicon *lexicon;     /* NULL without */
    struct oto_dataset *train, *dev; /* dev NULL without */
    double speeds[OTO_MAX_SPEEDS];
    int n_speeds;
    struct oto_perturb perturb;
    struct oto_wave *wave;    /* NULL without changes of samples */
    struct oto_noises noises; /* of perturb */
    struct oto_cmvn_stats stats;
    struct oto_loader *loader;
    double shift_s; /* of network frames */
    int n_inputs;
    struct oto_network_shape shape; /* from the options on: n_layers, reduce_after */
    struct oto_network *net;
    struct oto_network_workspace *ws;
    size_t n_network; /* parameters of the network that is saved */
    size_t n;         /* with those of an auxiliary output behind them */
    float *params;
    float *noisy;       /* [n] the step's weights under weight noise; else NULL */
    const float *grads; /* sum over all processes: the last step's */
    struct oto_comm *comm;
    bool stop; /* somebody was asked to: all know */
    struct oto_adam adam;
    struct oto_schedule schedule;
    struct oto_chunking chunking;
    uint64_t n_steps;               /* of the whole training */
    struct oto_batch_plan plan;     /* of this epoch */
    struct oto_batch_plan dev_plan; /* same for all epochs */
    const struct oto_batch *batch;  /* what the loader gave last */
    double waited_s;                /* for data in this step, whoever waited longest */
    struct {
        double data_s, exchange_s; /* waiting for data; for other processes and their gradients */
        double step_s;             /* of all steps; in this epoch since the program was started */
    } shares;
    float *log_probs, *dlogits; /* [cap_rows, K] */
    size_t cap_rows;
    double *losses; /* [cap_utts] of one batch */
    size_t cap_utts;
    struct oto_outputs auxiliary; /* with --auxiliary-layer; else NULLs */
    struct oto_ctc_slot slots[OTO_CTC_TASKS];
    float *part_sums[OTO_MAX_PART_LEVELS + 1]; /* [n] of the tree of parts; 0 is borrowed */
    double *block_losses;
    void *records;          /* of train_parts.c */
    struct oto_best_n best; /* of rank 0 */
    struct oto_train_state state;
    char *recipe;
    uint64_t fingerprint;
};

struct oto_dev_result {
    double loss, cer, wer;   /* loss per label, over utterances that have a path */
    struct oto_writer texts; /* best-dev.tsv: id, said, heard of each; oto_writer_clear() */
};

/* train_setup.c */
oto_status oto_trainer_prepare(struct oto_trainer *t, oto_error *err) OTO_WARN_UNUSED;
/* train_join.c */
/** Leaves files and terminal to rank 0. */
oto_status oto_trainer_fall_silent(struct oto_trainer *t, oto_error *err) OTO_WARN_UNUSED;
/** Returns when all processes have come here. */
oto_status oto_trainer_wait_for_all(struct oto_trainer *t, oto_error *err) OTO_WARN_UNUSED;
/**
 * Makes the other processes, and threads and what works on them in each. All of them return; those
 * that are made do not from oto_trainer_clear().
 */
oto_status oto_trainer_join(struct oto_trainer *t, oto_error *err) OTO_WARN_UNUSED;
void oto_trainer_clear(struct oto_trainer *t);
/** Frames of the network's input to one of its output. */
int oto_trainer_reduction(const struct oto_trainer *t);
/** FOLDER/NAME, freed with oto_free(); NULL without memory. */
char *oto_trainer_path(const char *folder, const char *name);
/** The plan of an epoch's batches. */
oto_status oto_trainer_plan(struct oto_trainer *t, struct oto_batch_plan *plan, int epoch,
                            oto_error *err) OTO_WARN_UNUSED;

/* train_parts.c */
/** Starts to load the rest of this epoch's batches, or what this process needs of them. */
void oto_trainer_load_epoch(struct oto_trainer *t);
/** Room for gradients, after oto_comm_reserve(). */
oto_status oto_trainer_reserve_parts(struct oto_trainer *t, oto_error *err) OTO_WARN_UNUSED;
/**
 * Of the batch at the state's position: its loss, and t->grads, the gradients times scale. Where
 * the loss is not finite there are no gradients. Also finds out whether anybody was asked to stop.
 */
oto_status oto_trainer_gradients(struct oto_trainer *t, double scale, double *loss,
                                 oto_error *err) OTO_WARN_UNUSED;

/* trainer.c */
bool oto_trainer_is_asked_to_stop(const struct oto_trainer *t);

/* train_init.c */
/** t->params from the model of --init, or at random. OTO_ERR_CONFIG when the model does not fit. */
oto_status oto_trainer_init_weights(struct oto_trainer *t, oto_error *err) OTO_WARN_UNUSED;

/** Parameters of the layers that --freeze keeps as they are: the first of the flat array. */
size_t oto_trainer_n_frozen(const struct oto_trainer *t);

/* init_features.c */
struct oto_bundle;

/** Whether weights that read vectors of `theirs` can be had for those of `ours`, which may have
 * fewer cepstra, log energies in the place of as many cepstra, or derivatives where there were
 * none. */
bool oto_features_carry_over(const struct oto_frontend_options *ours,
                             const struct oto_frontend_options *theirs);
/** Input weights of the first layer for this run's features out of those of the model: cepstra that
 * are not read any more are left out, derivatives begin with 0, energies take the place of cepstra
 * by math.md, eq. 23a. OTO_ERR_CONFIG for that without statistics in the model; OTO_ERR_MEMORY. */
oto_status oto_trainer_carry_over(struct oto_trainer *t, const struct oto_bundle *b,
                                  oto_error *err) OTO_WARN_UNUSED;

/* train_step.c */
/** Room for a batch's outputs. */
oto_status oto_trainer_reserve(struct oto_trainer *t, const struct oto_batch *batch,
                               oto_error *err) OTO_WARN_UNUSED;
/**
 * CTC of every utterance of t->batch over the pool: t->losses, and t->dlogits times scale unless
 * scale is 0. A loss is +inf without a path and NaN when the log-probabilities are not finite.
 */
oto_status oto_trainer_ctc(struct oto_trainer *t, const struct oto_dataset *ds, double scale,
                           oto_error *err) OTO_WARN_UNUSED;
/** The same of the auxiliary output, always with gradients. */
oto_status oto_trainer_ctc_auxiliary(struct oto_trainer *t, double scale,
                                     oto_error *err) OTO_WARN_UNUSED;
/** One batch of t->plan, by all processes together: forward, CTC, backward, Adam; the state moves
 * on by one step. */
oto_status oto_trainer_step(struct oto_trainer *t, oto_error *err) OTO_WARN_UNUSED;

/** Share of the steps' time. */
double oto_trainer_share(const struct oto_trainer *t, double seconds);
/** Shares of the time spent waiting, into the line of metrics that is being written. */
void oto_trainer_report_shares(struct oto_trainer *t);

/* train_eval.c */
/** The weights that are measured and saved: the moving average where there is one. */
const float *oto_trainer_weights(const struct oto_trainer *t);
oto_status oto_trainer_evaluate(struct oto_trainer *t, const float *weights,
                                struct oto_dev_result *result, oto_error *err) OTO_WARN_UNUSED;

/* train_save.c */
oto_status oto_trainer_describe(struct oto_trainer *t,
                                oto_error *err) OTO_WARN_UNUSED; /* recipe and fingerprint */
oto_status oto_trainer_save_model(struct oto_trainer *t, const char *file, const float *weights,
                                  const struct oto_dev_result *dev, oto_error *err) OTO_WARN_UNUSED;
oto_status oto_trainer_save_checkpoint(struct oto_trainer *t, oto_error *err) OTO_WARN_UNUSED;
/** Takes over the newest good checkpoint of --out. */
oto_status oto_trainer_resume(struct oto_trainer *t, oto_error *err) OTO_WARN_UNUSED;

#endif
