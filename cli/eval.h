/* SPDX-License-Identifier: BSD-2-Clause */
/** What `otolith eval` finds out about a corpus, and how it is printed. */
#ifndef OTO_CLI_EVAL_H
#define OTO_CLI_EVAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "decoder/confidence.h"
#include "decoder/edit_distance.h"
#include "otolith/otolith.h"
#include "training/corpus.h"

/** One utterance. */
struct oto_eval_item {
    const struct oto_utterance *utterance;
    char *ref, *hyp; /* normalised by the model's text policy; owned (oto_free); hyp NULL after a
                        failure */
    struct oto_errors words, chars; /* of this utterance */
    int n_unknown;  /* characters of the reference that the model has no symbol for */
    double seconds; /* of audio */
    oto_error err;
    /* words of hyp: what speaks for each, its confidence, and whether it is right; [n_words] */
    struct oto_evidence *evidence;
    double *confidence;
    bool *right;
    size_t n_words;
};

enum oto_eval_by {
    OTO_EVAL_BY_NONE,
    OTO_EVAL_BY_SPEAKER,
    OTO_EVAL_BY_FOLDER,
    OTO_EVAL_BY_MANIFEST
};

/** Everything that is printed. */
struct oto_eval {
    const char *model, *model_path, *manifests;
    const struct oto_corpus *corpus;
    struct oto_eval_item *items; /* [n_items] in the order of the corpus */
    size_t n_items;
    size_t n_bad_lines;
    int jobs, beam;
    int latency_ms;   /* as live; 0: in full context */
    double passed_s;  /* on the clock, for all of it */
    int by;           /* enum oto_eval_by */
    int n_resamples;  /* of the interval; 0: none */
    int n_confusions; /* listed; 0: none */
    uint64_t seed;
    /* by oto_eval_calibrate() */
    bool has_calibration;
    struct oto_confidence calibration; /* fitted to all words */
    double calibrated_error; /* of each half of the utterances, when fitted to the other */
};

/**
 * Writes a report to a buffer or stream. Utterances that failed count nowhere but as failures.
 * Errors: OTO_ERR_MEMORY.
 */
oto_status oto_eval_write_text(FILE *out, const struct oto_eval *e, oto_error *err) OTO_WARN_UNUSED;
oto_status oto_eval_write_json(FILE *out, const struct oto_eval *e, oto_error *err) OTO_WARN_UNUSED;

/** eval_confidence.c: keeps the words of a result; OTO_ERR_MEMORY. */
oto_status oto_eval_add_words(struct oto_eval_item *item, const oto_result *result,
                              const struct oto_evidence *evidence, oto_error *err) OTO_WARN_UNUSED;
void oto_eval_clear_words(struct oto_eval_item *item);
/** Fits the confidence of words to those that were right. OTO_ERR_DATA: too few words. */
oto_status oto_eval_calibrate(struct oto_eval *e, oto_error *err) OTO_WARN_UNUSED;
/** Expected calibration error of the confidence as it is, over all words. */
oto_status oto_eval_confidence_error(double *error, size_t *n_words, const struct oto_eval *e,
                                     oto_error *err) OTO_WARN_UNUSED;

/** eval_errors.c: the n_confusions most frequent ones, as part of either report. */
oto_status oto_eval_write_confusions(FILE *out, const struct oto_eval *e,
                                     oto_error *err) OTO_WARN_UNUSED;
oto_status oto_eval_write_json_confusions(FILE *out, const struct oto_eval *e,
                                          oto_error *err) OTO_WARN_UNUSED;
/** All alignments in a file, written atomically. */
oto_status oto_eval_save_alignments(const struct oto_eval *e, const char *path,
                                    oto_error *err) OTO_WARN_UNUSED;

#endif
