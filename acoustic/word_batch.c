/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/word_batch.h"

#include "base/mem.h"

static bool reserve_utts(struct oto_word_batch *batch, int n)
{
    if (n <= batch->cap_utts)
        return true;
    oto_free(batch->lengths);
    batch->lengths = oto_calloc((size_t)n, sizeof *batch->lengths);
    batch->cap_utts = batch->lengths != NULL ? n : 0;
    return batch->lengths != NULL;
}

static bool reserve_rows(struct oto_word_batch *batch, size_t n)
{
    if (n <= batch->cap_rows)
        return true;
    oto_free(batch->inputs);
    oto_free(batch->targets);
    batch->inputs = oto_calloc(n, sizeof *batch->inputs);
    batch->targets = oto_calloc(n, sizeof *batch->targets);
    const bool good = batch->inputs != NULL && batch->targets != NULL;
    batch->cap_rows = good ? n : 0;
    return good;
}

oto_status oto_word_batch_set(struct oto_word_batch *batch,
                              const struct oto_word_sentence *sentences, int n, oto_error *err)
{
    if (!reserve_utts(batch, n))
        return oto_fail_memory(err, "batch of sentences");
    for (int b = 0; b < n; b++)
        batch->lengths[b] = sentences[b].n_words + 1;
    oto_status status = oto_sequences_set(&batch->seqs, batch->lengths, n, err);
    if (status != OTO_OK)
        return status;
    if (!reserve_rows(batch, batch->seqs.n_rows))
        return oto_fail_memory(err, "batch of sentences");
    for (int b = 0; b < n; b++) {
        int before = 0;
        for (int t = 0; t <= sentences[b].n_words; t++) {
            const size_t row = oto_sequences_row(&batch->seqs, t, b);
            batch->inputs[row] = before;
            before = t < sentences[b].n_words ? sentences[b].words[t] : 0;
            batch->targets[row] = before;
        }
    }
    batch->rows = (struct oto_word_rows){&batch->seqs, batch->inputs, batch->targets};
    return OTO_OK;
}

void oto_word_batch_clear(struct oto_word_batch *batch)
{
    oto_sequences_clear(&batch->seqs);
    oto_free(batch->inputs);
    oto_free(batch->targets);
    oto_free(batch->lengths);
    *batch = (struct oto_word_batch){0};
}
