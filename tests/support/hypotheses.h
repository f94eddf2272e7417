/* SPDX-License-Identifier: BSD-2-Clause */
/** What two beam searches found. */
#ifndef OTO_TESTS_HYPOTHESES_H
#define OTO_TESTS_HYPOTHESES_H

#include "decoder/beam.h"
#include "unit.h"

/** n of each, to the bit. */
static inline void assert_same_hypotheses(const struct oto_hypothesis *a,
                                          const struct oto_hypothesis *b, int n)
{
    for (int j = 0; j < n; j++) {
        const size_t size = (size_t)a[j].n_labels * sizeof(int);
        assert_int_equal(a[j].n_labels, b[j].n_labels);
        assert_memory_equal(a[j].labels, b[j].labels, size);
        assert_memory_equal(a[j].frames, b[j].frames, size);
        assert_true(a[j].log_prob == b[j].log_prob);
    }
}

#endif
