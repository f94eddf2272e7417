/* SPDX-License-Identifier: BSD-2-Clause */
/** Which words were taken for which, over many utterances. */
#ifndef OTO_DECODER_CONFUSIONS_H
#define OTO_DECODER_CONFUSIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct oto_confusion {
    char *ref, *hyp; /* "" for an insertion, a deletion */
    uint64_t count;
};

/** Zero-initialise; release with oto_confusions_clear(). */
struct oto_confusions {
    struct oto_confusion *list;
    size_t n, capacity;
};

/** Adds the errors of one pair of texts, aligned as oto_edit_align() does. */
oto_status oto_confusions_add(struct oto_confusions *c, const char *ref, const char *hyp,
                              oto_error *err) OTO_WARN_UNUSED;
/** Joins equal ones; the most frequent come first, equal counts by their words. */
void oto_confusions_sort(struct oto_confusions *c);
void oto_confusions_clear(struct oto_confusions *c);

#endif
