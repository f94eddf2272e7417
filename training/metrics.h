/* SPDX-License-Identifier: BSD-2-Clause */
/** Reading metrics.jsonl of a training run back. */
#ifndef OTO_TRAINING_METRICS_H
#define OTO_TRAINING_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum oto_metric {
    OTO_METRIC_STEP,
    OTO_METRIC_EPOCH,
    OTO_METRIC_LOSS, /* per label */
    OTO_METRIC_GRAD_NORM,
    OTO_METRIC_LR,
    OTO_METRIC_SPEED, /* seconds of audio per second */
    OTO_METRIC_SKIPPED,
    OTO_METRIC_DEV_LOSS,
    OTO_METRIC_DEV_CER,
    OTO_METRIC_DEV_WER,
    OTO_METRIC_BEST_EPOCH,
    OTO_METRIC_SECONDS, /* of the whole training so far */
    OTO_N_METRICS
};

struct oto_metric_row {
    bool is_epoch;                /* the end of an epoch, else a step */
    double values[OTO_N_METRICS]; /* NAN where the line has none */
};

struct oto_metrics {
    struct oto_metric_row *rows; /* in the order of the file */
    size_t n, capacity;
};

/** Zero-initialise; release with oto_metrics_clear(), also after a failure. Lines of other kinds
 * are passed over. Errors: OTO_ERR_FORMAT with file and line; those of reading a file. */
oto_status oto_metrics_load(struct oto_metrics *m, const char *path,
                            oto_error *err) OTO_WARN_UNUSED;
void oto_metrics_clear(struct oto_metrics *m);

#endif
