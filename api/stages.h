/* SPDX-License-Identifier: BSD-2-Clause */
/** What happens inside a recognizer: where its time goes, for `otolith bench`, and what the network
 * says, for `otolith lm tune` and live text. Not public. */
#ifndef OTO_API_STAGES_H
#define OTO_API_STAGES_H

#include "otolith/otolith.h"

struct oto_stage_time {
    double wall_s, cpu_s; /* cpu_s is that of the whole process */
};

enum oto_stage { OTO_STAGE_FEATURES, OTO_STAGE_NETWORK, OTO_STAGE_DECODER, OTO_N_STAGES };

/** From now on feed and finish add to times [OTO_N_STAGES] what each stage took; NULL ends it.
 * Borrowed. */
void oto_recognizer_time_stages(oto_recognizer *rec, struct oto_stage_time *times);

/** log_probs [n_frames, K] of a segment, before it is decoded. What is not OTO_OK ends the call. */
typedef oto_status oto_segment_callback(void *arg, const float *log_probs, size_t n_frames,
                                        oto_error *err);
/** From now on called with each segment; NULL ends it. */
void oto_recognizer_watch_segments(oto_recognizer *rec, oto_segment_callback *callback, void *arg);

/** Of a portion fed to function: not NULL, and every sample a finite number. */
oto_status oto_check_samples(const char *function, const float *samples, size_t n_samples,
                             oto_error *err) OTO_WARN_UNUSED;

#endif
