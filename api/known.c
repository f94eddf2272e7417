/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/known.h"

#include <math.h>
#include <string.h>

#include "api/word_edges.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/utf8.h"

/* A frame of something else than the text costs a factor of e beside the likeliest symbol: less
 * than most wrong letters, more than a hesitant right one. */
#define GAP_PRICE 1.0

void oto_known_clear(struct oto_known *known)
{
    for (size_t i = 0; i < known->n; i++)
        oto_free(known->words[i]);
    oto_free(known->words);
    oto_free(known->text);
    oto_free(known->first);
    oto_free(known->labels);
    oto_free(known->levels);
    oto_aligner_destroy(known->aligner);
    *known = (struct oto_known){0};
}

/* ---- the text ---------------------------------------------------------------------------- */

/* Makes room for one word more, and n_labels labels. */
static bool reserve(struct oto_known *known, size_t n_labels)
{
    if (known->n + 2 > known->capacity) {
        size_t old = known->capacity, capacity = old > 0 ? 2 * old : 64;
        char **words = oto_realloc(known->words, old, capacity, sizeof *words);
        known->words = words != NULL ? words : known->words;
        size_t *first = oto_realloc(known->first, old, capacity, sizeof *first);
        known->first = first != NULL ? first : known->first;
        if (words == NULL || first == NULL)
            return false;
        known->capacity = capacity;
    }
    if (known->n_labels + n_labels > known->labels_capacity) {
        size_t capacity = 2 * (known->n_labels + n_labels) + 64;
        int *labels = oto_realloc(known->labels, known->labels_capacity, capacity, sizeof *labels);
        if (labels == NULL)
            return false;
        known->labels = labels;
        known->labels_capacity = capacity;
    }
    return true;
}

/* Takes over word. */
static oto_status add_word(struct oto_known *known, char *word, const struct oto_alphabet *alphabet,
                           oto_error *err)
{
    int *labels = NULL, n_labels = 0, n_unknown = 0;
    oto_status status =
        oto_alphabet_encode(alphabet, word, &labels, &n_labels, &n_unknown, NULL, NULL, err);
    if (status == OTO_OK && !reserve(known, (size_t)n_labels + 1))
        status = oto_fail_memory(err, "text");
    if (status != OTO_OK) {
        oto_free(labels);
        oto_free(word);
        return status;
    }
    if (n_labels > 0 && known->n_labels > 0 && alphabet->space > 0)
        known->labels[known->n_labels++] = alphabet->space;
    known->words[known->n] = word;
    known->first[known->n] = known->n_labels;
    if (n_labels > 0)
        memcpy(known->labels + known->n_labels, labels, (size_t)n_labels * sizeof *labels);
    known->n_labels += (size_t)n_labels;
    known->n_unknown += n_unknown;
    known->first[++known->n] = known->n_labels;
    oto_free(labels);
    return OTO_OK;
}

static oto_status split(struct oto_known *known, const char *text,
                        const struct oto_alphabet *alphabet, oto_error *err)
{
    const char *start = NULL, *at = text;
    for (;;) {
        size_t n = 0;
        int32_t c = oto_utf8_next(at, &n);
        if (c < 0)
            return oto_fail(err, OTO_ERR_DATA, "text: byte %zu is not valid UTF-8",
                            (size_t)(at - text));
        bool between = c == 0 || oto_utf8_is_space(c) || c == 0xFEFF;
        if (between && start != NULL) {
            char *word = oto_strndup(start, (size_t)(at - start));
            if (word == NULL)
                return oto_fail_memory(err, "text");
            oto_status status = add_word(known, word, alphabet, err);
            if (status != OTO_OK)
                return status;
            start = NULL;
        }
        if (!between && start == NULL)
            start = at;
        if (c == 0)
            return OTO_OK;
        at += n;
    }
}

oto_status oto_known_init(struct oto_known *known, const char *text,
                          const struct oto_bundle *bundle, bool gaps, oto_error *err)
{
    struct oto_align_options options;
    oto_align_options_init(&options);
    options.space = bundle->alphabet->space;
    options.filler = gaps ? GAP_PRICE : (double)INFINITY;
    oto_status status = split(known, text, bundle->alphabet, err);
    known->text = oto_strdup(text);
    if (status == OTO_OK && known->text == NULL)
        status = oto_fail_memory(err, "text");
    if (status == OTO_OK && known->n_labels == 0)
        status = oto_fail(err, OTO_ERR_DATA,
                          "text: no character that the model knows, in %zu words", known->n);
    if (status == OTO_OK)
        status = oto_aligner_create(&known->aligner, bundle->shape.n_outputs, &options, err);
    return status;
}

/* ---- its times --------------------------------------------------------------------------- */

oto_status oto_known_reset(struct oto_known *known, oto_error *err)
{
    known->n_levels = 0;
    return oto_aligner_begin(known->aligner, known->labels, known->n_labels, err);
}

oto_status oto_known_push(struct oto_known *known, const struct oto_segment *segment,
                          oto_error *err)
{
    size_t n = known->n_levels + segment->n_levels;
    if (n > known->levels_capacity) {
        float *levels = oto_realloc(known->levels, known->n_levels, 2 * n, sizeof *levels);
        if (levels == NULL)
            return oto_fail_memory(err, "levels");
        known->levels = levels;
        known->levels_capacity = 2 * n;
    }
    memcpy(known->levels + known->n_levels, segment->levels,
           segment->n_levels * sizeof *known->levels);
    known->n_levels = n;
    return oto_aligner_push(known->aligner, segment->log_probs, segment->n_frames, err);
}

oto_status oto_known_finish(struct oto_known *known, struct oto_spoken *spoken, double *log_prob,
                            const struct oto_bundle *bundle, double seconds, oto_error *err)
{
    const struct oto_span *spans = NULL;
    size_t n_spans = 0;
    double time_s = 0;
    oto_status status = OTO_OK;
    oto_aligner_finish(known->aligner, &spans, &n_spans, log_prob);
    for (size_t i = 0; i < known->n && status == OTO_OK; i++) {
        size_t first = known->first[i], end = known->first[i + 1];
        if (end > first && known->labels[end - 1] == bundle->alphabet->space)
            end--; /* the one before the next word */
        char *text = oto_strdup(known->words[i]);
        if (end > first && end <= n_spans) {
            status = oto_spoken_add_word(spoken, bundle, text, spans + first, end - first, 0, err);
            if (status == OTO_OK)
                time_s = spoken->list[spoken->n - 1].end_s;
        } else {
            status = oto_spoken_add_unheard(spoken, text, end > n_spans ? seconds : time_s, err);
        }
    }
    if (status == OTO_OK)
        oto_word_edges_refine(spoken->list, spoken->n, known->levels, known->n_levels, 0,
                              &bundle->frontend);
    return status;
}
