/* SPDX-License-Identifier: BSD-2-Clause */
/** Where a recognizer's time goes, for `otolith bench`. Not public. */
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

#endif
