/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/sequences.h"

#include <stdint.h>

#include "base/mem.h"
#include "base/status.h"

static oto_status grow(struct oto_sequences *s, int n_utts, int max_t, oto_error *err)
{
    if (n_utts > s->cap_utts) {
        int *lengths = oto_calloc((size_t)n_utts, sizeof *lengths);
        if (lengths == NULL)
            return oto_fail_memory(err, "lengths of a batch");
        oto_free(s->lengths);
        s->lengths = lengths;
        s->cap_utts = n_utts;
    }
    if (max_t > s->cap_t || s->n_active == NULL) {
        size_t n = (size_t)max_t + 1;
        int *n_active = oto_calloc(n, sizeof *n_active);
        size_t *row_offset = oto_calloc(n, sizeof *row_offset);
        if (n_active == NULL || row_offset == NULL) {
            oto_free(n_active);
            oto_free(row_offset);
            return oto_fail_memory(err, "row index of a batch");
        }
        oto_free(s->n_active);
        oto_free(s->row_offset);
        s->n_active = n_active;
        s->row_offset = row_offset;
        s->cap_t = max_t;
    }
    return OTO_OK;
}

oto_status oto_sequences_set(struct oto_sequences *s, const int *lengths, int n_utts,
                             oto_error *err)
{
    if (n_utts < 1)
        return oto_fail(err, OTO_ERR_ARGUMENT, "a batch has %d utterances, expected at least 1",
                        n_utts);
    for (int b = 0; b < n_utts; b++) {
        if (lengths[b] < 1 || lengths[b] == INT32_MAX)
            return oto_fail(err, OTO_ERR_ARGUMENT,
                            "utterance %d of a batch has %d frames, expected at least 1", b,
                            lengths[b]);
        if (b > 0 && lengths[b] > lengths[b - 1])
            return oto_fail(err, OTO_ERR_ARGUMENT,
                            "utterance %d of a batch has %d frames, more than the %d before it; "
                            "sort by falling length",
                            b, lengths[b], lengths[b - 1]);
    }
    oto_status status = grow(s, n_utts, lengths[0], err);
    if (status != OTO_OK)
        return status;

    s->n_utts = n_utts;
    s->max_t = lengths[0];
    s->n_rows = 0;
    int active = n_utts;
    for (int t = 0; t < s->max_t; t++) {
        while (lengths[active - 1] <= t)
            active--;
        s->n_active[t] = active;
        s->row_offset[t] = s->n_rows;
        s->n_rows += (size_t)active;
    }
    s->n_active[s->max_t] = 0;
    s->row_offset[s->max_t] = s->n_rows;
    for (int b = 0; b < n_utts; b++)
        s->lengths[b] = lengths[b];
    return OTO_OK;
}

void oto_sequences_clear(struct oto_sequences *s)
{
    oto_free(s->lengths);
    oto_free(s->n_active);
    oto_free(s->row_offset);
    *s = (struct oto_sequences){0};
}
