/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sentences make which step. */
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "training/lstm_private.h"

/* Sentences that are sorted by length at a time: many times a batch, so that its sentences are
 * about equally long, and few enough that an epoch goes in no order. */
enum { WINDOW = 8192 };

static int n_rows(const struct oto_lstm_text *text, size_t sentence)
{
    return oto_lstm_text_sentence(text, sentence).n_words + 1;
}

oto_status oto_lstm_order_init(struct oto_lstm_order *order, const struct oto_lstm_text *text,
                               int max_words, oto_error *err)
{
    order->n_all = text->n_sentences;
    for (size_t i = 0; i < text->n_sentences; i++) {
        if (n_rows(text, i) > max_words + 1)
            continue;
        order->n++;
        order->n_words += (uint64_t)n_rows(text, i);
    }
    if (order->n == 0)
        return oto_fail(err, OTO_ERR_DATA, "no sentence of up to %d words to learn from",
                        max_words);
    order->sentences = oto_calloc(order->n, sizeof *order->sentences);
    order->scratch = oto_calloc(order->n, sizeof *order->scratch);
    return order->sentences != NULL && order->scratch != NULL ? OTO_OK
                                                              : oto_fail_memory(err, "order");
}

void oto_lstm_order_clear(struct oto_lstm_order *order)
{
    oto_free(order->sentences);
    oto_free(order->scratch);
    oto_free(order->first);
    oto_free(order->batches);
    *order = (struct oto_lstm_order){0};
}

/* By falling length, equals as they were: a counting sort. */
static void sort_window(const struct oto_lstm_text *text, size_t *sorted, const size_t *in,
                        size_t n, size_t *counts, int max_words)
{
    memset(counts, 0, ((size_t)max_words + 3) * sizeof *counts);
    for (size_t i = 0; i < n; i++) /* the longest go first: they count as 0 */
        counts[max_words + 2 - n_rows(text, in[i])]++;
    for (int k = 1; k <= max_words + 1; k++)
        counts[k] += counts[k - 1];
    for (size_t i = n; i-- > 0;)
        sorted[--counts[max_words + 2 - n_rows(text, in[i])]] = in[i];
}

static bool add_batch(struct oto_lstm_order *order, size_t first)
{
    if (order->n_batches + 1 >= order->cap_batches) {
        const size_t capacity = order->cap_batches == 0 ? 256 : 2 * order->cap_batches;
        size_t *list = oto_realloc(order->first, order->cap_batches, capacity, sizeof *list);
        if (list == NULL)
            return false;
        order->first = list;
        order->cap_batches = capacity;
    }
    order->first[order->n_batches++] = first;
    order->first[order->n_batches] = order->n;
    return true;
}

static bool cut(struct oto_lstm_order *order, const struct oto_lstm_text *text, int batch_words)
{
    size_t words = 0;
    order->n_batches = 0;
    for (size_t i = 0; i < order->n; i++) {
        const size_t rows = (size_t)n_rows(text, order->sentences[i]);
        /* A window begins with its longest sentences: not in one batch with the last one's. */
        if (i % WINDOW == 0 || words + rows > (size_t)batch_words) {
            if (!add_batch(order, i))
                return false;
            words = 0;
        }
        words += rows;
    }
    return true;
}

oto_status oto_lstm_order_make(struct oto_lstm_order *order, const struct oto_lstm_text *text,
                               const struct oto_lstm_train_options *o, uint64_t epoch,
                               oto_error *err)
{
    size_t *counts = oto_calloc((size_t)o->max_words + 3, sizeof *counts);
    size_t n = 0;
    if (counts == NULL)
        return oto_fail_memory(err, "order");
    for (size_t i = 0; i < order->n_all; i++)
        if (n_rows(text, i) <= o->max_words + 1)
            order->scratch[n++] = i;
    oto_rng_shuffle(o->seed, oto_rng_stream("lstm sentences") + epoch, order->scratch, order->n);
    for (size_t first = 0; first < order->n; first += WINDOW) {
        n = order->n - first < WINDOW ? order->n - first : WINDOW;
        sort_window(text, order->sentences + first, order->scratch + first, n, counts,
                    o->max_words);
    }
    oto_free(counts);
    bool good = cut(order, text, o->batch_words);
    oto_free(order->batches);
    order->batches = good ? oto_calloc(order->n_batches, sizeof *order->batches) : NULL;
    if (order->batches == NULL)
        return oto_fail_memory(err, "order");
    for (size_t i = 0; i < order->n_batches; i++)
        order->batches[i] = i;
    oto_rng_shuffle(o->seed, oto_rng_stream("lstm batches") + epoch, order->batches,
                    order->n_batches);
    return OTO_OK;
}
