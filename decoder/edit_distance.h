/* SPDX-License-Identifier: BSD-2-Clause */
/** Word and character error rates. Alignment costs are sclite's (substitution 4, insertion 3,
 * deletion 3), so totals agree with it. */
#ifndef OTO_DECODER_EDIT_DISTANCE_H
#define OTO_DECODER_EDIT_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct oto_errors {
    uint64_t n_ref, n_hyp, substitutions, insertions, deletions;
};

enum oto_edit_unit { OTO_EDIT_WORDS, OTO_EDIT_CHARACTERS };

/** Adds the errors of one pair to *sum. Words are split at white space; characters are code points,
 * white space runs count as one space. */
oto_status oto_edit_add(struct oto_errors *sum, const char *ref, const char *hyp,
                        enum oto_edit_unit unit, oto_error *err) OTO_WARN_UNUSED;
/** (S + I + D) / n_ref; 0 when both are empty, 1 per insertion relative to 1 when only ref is
 * empty. */
double oto_error_rate(const struct oto_errors *e);

#endif
