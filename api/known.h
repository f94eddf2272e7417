/* SPDX-License-Identifier: BSD-2-Clause */
/** A text that is known beforehand, and the times of its words in the input (forced alignment). */
#ifndef OTO_API_KNOWN_H
#define OTO_API_KNOWN_H

#include "api/spoken.h"

/** What white space separates in the text, as the user wrote it, and the labels it stands for. */
struct oto_known {
    char *text;    /* as it came */
    char **words;  /* [n] owned */
    size_t *first; /* [n + 1] first label of each; a word may have none */
    size_t n, capacity;
    int *labels; /* [n_labels] */
    size_t n_labels, labels_capacity;
    int n_unknown; /* characters that the model has no symbol for */
    struct oto_aligner *aligner;
    float *levels; /* [n_levels] of the input so far: 1.4 MB an hour */
    size_t n_levels, levels_capacity;
};

/**
 * @param known  zero-initialised; release with oto_known_clear(), also after a failure
 * @param gaps   whether other things may be heard between words
 * Errors: OTO_ERR_DATA for invalid UTF-8 and a text without a character that the model knows.
 */
oto_status oto_known_init(struct oto_known *known, const char *text,
                          const struct oto_bundle *bundle, bool gaps,
                          oto_error *err) OTO_WARN_UNUSED;
void oto_known_clear(struct oto_known *known);
/** Ready for the next input. */
oto_status oto_known_reset(struct oto_known *known, oto_error *err) OTO_WARN_UNUSED;
/** The next segment; all but the last are whole strides long. Grows by the levels alone. */
oto_status oto_known_push(struct oto_known *known, const struct oto_segment *segment,
                          oto_error *err) OTO_WARN_UNUSED;
/** Adds all words to those spoken; those that the path did not reach at the end, seconds. */
oto_status oto_known_finish(struct oto_known *known, struct oto_spoken *spoken, double *log_prob,
                            const struct oto_bundle *bundle, double seconds,
                            oto_error *err) OTO_WARN_UNUSED;

#endif
