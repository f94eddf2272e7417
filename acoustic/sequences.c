/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/sequences.h"

#include <stdint.h>
#include <string.h>

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

/* Steps and rows of s->lengths. */
static void lay_out(struct oto_sequences *s, int n_utts)
{
    s->n_utts = n_utts;
    s->max_t = s->lengths[0];
    s->n_rows = 0;
    int active = n_utts;
    for (int t = 0; t < s->max_t; t++) {
        while (s->lengths[active - 1] <= t)
            active--;
        s->n_active[t] = active;
        s->row_offset[t] = s->n_rows;
        s->n_rows += (size_t)active;
    }
    s->n_active[s->max_t] = 0;
    s->row_offset[s->max_t] = s->n_rows;
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

    for (int b = 0; b < n_utts; b++)
        s->lengths[b] = lengths[b];
    lay_out(s, n_utts);
    return OTO_OK;
}

oto_status oto_sequences_halve(struct oto_sequences *s, const struct oto_sequences *whole,
                               oto_error *err)
{
    oto_status status = grow(s, whole->n_utts, whole->max_t / 2 + whole->max_t % 2, err);
    if (status != OTO_OK)
        return status;
    for (int b = 0; b < whole->n_utts; b++)
        s->lengths[b] = whole->lengths[b] / 2 + whole->lengths[b] % 2;
    lay_out(s, whole->n_utts);
    return OTO_OK;
}

oto_status oto_network_chunks_check(const struct oto_network_chunks *chunks, oto_error *err)
{
    if (chunks->n_chunk < 1 || chunks->n_chunk > OTO_CHUNK_FRAMES_MAX)
        return oto_fail(err, OTO_ERR_ARGUMENT, "chunks of %d frames, expected 1 to %d",
                        chunks->n_chunk, OTO_CHUNK_FRAMES_MAX);
    if (chunks->n_context < 0 || chunks->n_context > OTO_CHUNK_FRAMES_MAX)
        return oto_fail(err, OTO_ERR_ARGUMENT, "a right context of %d frames, expected 0 to %d",
                        chunks->n_context, OTO_CHUNK_FRAMES_MAX);
    return OTO_OK;
}

/* End of the window of the chunk that starts at frame `first`. */
static int window_end(const struct oto_network_chunks *chunks, int first, int max_t)
{
    int64_t end = (int64_t)first + chunks->n_chunk + chunks->n_context;
    return end < max_t ? (int)end : max_t;
}

static oto_status grow_windows(struct oto_sequences *s, int n_steps, oto_error *err)
{
    enum { ARRAYS = 5 };
    if (n_steps > s->cap_windows || s->frame == NULL) {
        size_t n;
        int *block =
            oto_mul_size(ARRAYS, (size_t)n_steps, &n) ? oto_calloc(n, sizeof *block) : NULL;
        if (block == NULL)
            return oto_fail_memory(err, "windows of a batch");
        oto_free(s->frame);
        s->frame = block;
        s->cap_windows = n_steps;
    }
    size_t n = (size_t)s->cap_windows;
    s->in_chunk = s->frame + n;
    s->before[0] = s->frame + 2 * n;
    s->before[1] = s->frame + 3 * n;
    s->branch = s->frame + 4 * n;
    return OTO_OK;
}

/* The steps of the window of frames first .. end - 1, from s->max_t on. *last: of the chunk before,
 * on return of this one; -1: none. */
static void add_window(struct oto_sequences *s, const struct oto_sequences *whole, int first,
                       int end, int n_chunk, int *last)
{
    int last_before = *last;
    for (int frame = first; frame < end; frame++, s->max_t++) {
        int step = s->max_t;
        s->frame[step] = frame;
        s->in_chunk[step] = frame - first < n_chunk;
        s->before[0][step] = frame == first ? last_before : step - 1;
        s->before[1][step] = frame == end - 1 ? -1 : step + 1;
        s->branch[step] = -1;
        s->n_active[step] = whole->n_active[frame];
        s->row_offset[step] = s->n_rows;
        s->n_rows += (size_t)whole->n_active[frame];
        if (s->in_chunk[step])
            *last = step;
        /* Without a context the chunk's first step is the neighbour that starts from it anyway. */
        if (frame == first && last_before >= 0 && last_before != step - 1)
            s->branch[last_before] = step;
    }
}

oto_status oto_sequences_set_windows(struct oto_sequences *s, const struct oto_sequences *whole,
                                     const struct oto_network_chunks *chunks, oto_error *err)
{
    oto_status status = oto_network_chunks_check(chunks, err);
    if (status != OTO_OK)
        return status;
    size_t n_steps = 0, n_rows = 0;
    for (int first = 0; first < whole->max_t; first += chunks->n_chunk) {
        int end = window_end(chunks, first, whole->max_t);
        n_steps += (size_t)(end - first);
        n_rows += whole->row_offset[end] - whole->row_offset[first];
        if (n_steps >= INT32_MAX || n_rows > INT32_MAX)
            return oto_fail(err, OTO_ERR_ARGUMENT,
                            "chunks of %d frames with a right context of %d: too many windows",
                            chunks->n_chunk, chunks->n_context);
    }
    status = grow(s, whole->n_utts, (int)n_steps, err);
    if (status == OTO_OK)
        status = grow_windows(s, (int)n_steps, err);
    if (status != OTO_OK)
        return status;
    s->n_utts = whole->n_utts;
    s->max_t = 0;
    s->n_rows = 0;
    memcpy(s->lengths, whole->lengths, (size_t)whole->n_utts * sizeof *s->lengths);
    for (int first = 0, last = -1; first < whole->max_t; first += chunks->n_chunk)
        add_window(s, whole, first, window_end(chunks, first, whole->max_t), chunks->n_chunk,
                   &last);
    s->n_active[s->max_t] = 0;
    s->row_offset[s->max_t] = s->n_rows;
    return OTO_OK;
}

void oto_sequences_clear(struct oto_sequences *s)
{
    oto_free(s->frame);
    oto_free(s->lengths);
    oto_free(s->n_active);
    oto_free(s->row_offset);
    *s = (struct oto_sequences){0};
}
