/* SPDX-License-Identifier: BSD-2-Clause */
/** A recording recognised as it would be live: by the first pass alone, with a given look-ahead
 * (api/first_pass.h), each one as if nothing had been heard before. */
#ifndef OTO_CLI_BATCH_LIVE_H
#define OTO_CLI_BATCH_LIVE_H

#include <stddef.h>

#include "base/status.h"
#include "otolith/otolith.h"

enum { OTO_BATCH_LIVE_MAX_S = 600 }; /* of a recording */

struct oto_batch_live;

/** @param recognizer  of this model and these options: what it has read is shared; borrowed */
oto_status oto_batch_live_create(struct oto_batch_live **out, const oto_model *model,
                                 oto_recognizer *recognizer, const oto_recognizer_options *options,
                                 int latency_ms, oto_error *err) OTO_WARN_UNUSED;
void oto_batch_live_destroy(struct oto_batch_live *live);
/** Before each recording. */
void oto_batch_live_reset(struct oto_batch_live *live);
oto_status oto_batch_live_feed(struct oto_batch_live *live, const float *samples, size_t n_samples,
                               oto_error *err) OTO_WARN_UNUSED;
/** *result belongs to live, until its next use. */
oto_status oto_batch_live_finish(struct oto_batch_live *live, const oto_result **result,
                                 oto_error *err) OTO_WARN_UNUSED;

#endif
