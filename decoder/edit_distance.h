/* SPDX-License-Identifier: BSD-2-Clause */
/** Word and character error rates. Words are aligned as sclite does, characters by the plain edit
 * distance, as jiwer does. */
#ifndef OTO_DECODER_EDIT_DISTANCE_H
#define OTO_DECODER_EDIT_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct oto_errors {
    uint64_t n_ref, n_hyp, substitutions, insertions, deletions;
};

/**
 * WORDS: split at white space; the alignment costs least at 4 a substitution, 3 an insertion, 3 a
 * deletion (sclite). CHARACTERS: code points, a run of white space is one space, none at the ends;
 * every error costs 1 (Levenshtein).
 */
enum oto_edit_unit { OTO_EDIT_WORDS, OTO_EDIT_CHARACTERS };

/**
 * Adds the errors of one pair to *sum. Of alignments that cost the same the one is counted that
 * sclite takes: read from the end, a match or substitution comes first, then an insertion, then a
 * deletion.
 *
 * @param sum      unchanged on failure
 *
 * Errors: OTO_ERR_DATA for invalid UTF-8, OTO_ERR_MEMORY.   Allocates: yes.   Cost: O(n_ref*n_hyp),
 * memory O(n_ref+n_hyp). Agrees with sclite (SCTK 2.4.10) on S, I and D of every pair
 * (tests/golden/test_sclite.c).
 */
oto_status oto_edit_add(struct oto_errors *sum, const char *ref, const char *hyp,
                        enum oto_edit_unit unit, oto_error *err) OTO_WARN_UNUSED;
enum oto_edit_op { OTO_EDIT_MATCH, OTO_EDIT_SUBSTITUTION, OTO_EDIT_INSERTION, OTO_EDIT_DELETION };

/** One place of an alignment: words inside the two texts, not terminated. */
struct oto_edit_pair {
    enum oto_edit_op op;
    const char *ref, *hyp; /* NULL for an insertion, a deletion */
    size_t ref_length, hyp_length;
};

/**
 * The words of two texts side by side, in the alignment that oto_edit_add() counts.
 *
 * @param pairs  [*n_pairs] in the order of the texts, which they point into; freed with oto_free()
 *
 * Errors: those of oto_edit_add(); OTO_ERR_MEMORY also beyond 2^31 pairs of words, which would
 * take as many bytes.
 */
oto_status oto_edit_align(struct oto_edit_pair **pairs, size_t *n_pairs, const char *ref,
                          const char *hyp, oto_error *err) OTO_WARN_UNUSED;
/** (S + I + D) / n_ref; 0 when both are empty, 1 per insertion relative to 1 when only ref is
 * empty. */
double oto_error_rate(const struct oto_errors *e);

#endif
