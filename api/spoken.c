/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/spoken.h"

#include <math.h>

#include "api/word_edges.h"
#include "base/mem.h"
#include "base/status.h"

void oto_spoken_reset(struct oto_spoken *spoken)
{
    for (size_t i = 0; i < spoken->n; i++)
        oto_free((char *)(uintptr_t)spoken->list[i].text);
    spoken->n = 0;
}

void oto_spoken_clear(struct oto_spoken *spoken)
{
    oto_spoken_reset(spoken);
    oto_free(spoken->list);
    oto_free(spoken->evidence);
    oto_aligner_destroy(spoken->aligner);
    *spoken = (struct oto_spoken){0};
}

/* Takes over the word's text, which may be NULL: out of memory. */
static oto_status add(struct oto_spoken *spoken, oto_word word, const struct oto_evidence *evidence,
                      oto_error *err)
{
    bool good = word.text != NULL;
    if (good && spoken->n == spoken->capacity) {
        size_t capacity = spoken->capacity > 0 ? 2 * spoken->capacity : 64;
        oto_word *list = oto_realloc(spoken->list, spoken->capacity, capacity, sizeof *list);
        spoken->list = list != NULL ? list : spoken->list;
        struct oto_evidence *all =
            oto_realloc(spoken->evidence, spoken->capacity, capacity, sizeof *all);
        spoken->evidence = all != NULL ? all : spoken->evidence;
        good = list != NULL && all != NULL;
        if (good)
            spoken->capacity = capacity;
    }
    if (!good) {
        oto_free((char *)(uintptr_t)word.text);
        return oto_fail_memory(err, "words");
    }
    spoken->evidence[spoken->n] = *evidence;
    spoken->list[spoken->n++] = word;
    return OTO_OK;
}

oto_status oto_spoken_add_unheard(struct oto_spoken *spoken, char *text, double time_s,
                                  oto_error *err)
{
    const struct oto_evidence none = {0};
    return add(spoken, (oto_word){.text = text, .start_s = time_s, .end_s = time_s}, &none, err);
}

oto_status oto_spoken_add_word(struct oto_spoken *spoken, const struct oto_bundle *bundle,
                               char *text, const struct oto_span *spans, size_t n, double start_s,
                               oto_error *err)
{
    const struct oto_frontend_options *f = &bundle->frontend;
    double shift_s = oto_bundle_stride(bundle) * f->frame_shift_ms / 1000;
    /* Where frames are not centred, the first one's middle is half a window behind its start. */
    double late_s = f->snip_edges ? (f->frame_length_ms - f->frame_shift_ms) / 2000 : 0;
    struct oto_evidence evidence;
    oto_evidence_collect(&evidence, spans, n, -1);
    const oto_word word = {.text = text,
                           .start_s = start_s + late_s + (double)spans[0].start * shift_s,
                           .end_s = start_s + late_s + (double)spans[n - 1].end * shift_s,
                           .confidence = evidence.posterior};
    return add(spoken, word, &evidence, err);
}

static oto_status align(struct oto_spoken *spoken, const struct oto_bundle *bundle,
                        const int *labels, int n_labels, const struct oto_segment *segment,
                        oto_error *err)
{
    oto_status status = OTO_OK;
    if (spoken->aligner == NULL) {
        struct oto_align_options options;
        oto_align_options_init(&options);
        status = oto_aligner_create(&spoken->aligner, bundle->shape.n_outputs, &options, err);
    }
    if (status == OTO_OK)
        status = oto_aligner_begin(spoken->aligner, labels, (size_t)n_labels, err);
    if (status == OTO_OK)
        status = oto_aligner_push(spoken->aligner, segment->log_probs, segment->n_frames, err);
    return status;
}

oto_status oto_spoken_add(struct oto_spoken *spoken, const struct oto_bundle *bundle,
                          const int *labels, int n_labels, const double *votes,
                          const struct oto_segment *segment, oto_error *err)
{
    /* Without a calibration, the posterior as it is. */
    static const struct oto_confidence plain = {.posterior = 1};
    const struct oto_confidence *map = bundle->is_calibrated ? &bundle->confidence : &plain;
    const struct oto_span *spans = NULL;
    size_t n = 0, n_before = spoken->n;
    const int space = bundle->alphabet->space;
    oto_status status = align(spoken, bundle, labels, n_labels, segment, err);
    if (status != OTO_OK)
        return status;
    oto_aligner_finish(spoken->aligner, &spans, &n, NULL);
    for (size_t i = 0, end; i < n && status == OTO_OK; i = end) {
        char *text = NULL;
        end = i + 1;
        if (labels[i] == space)
            continue;
        while (end < n && labels[end] != space)
            end++;
        status = oto_alphabet_decode(bundle->alphabet, labels + i, (int)(end - i), &text, err);
        if (status == OTO_OK)
            status = oto_spoken_add_word(spoken, bundle, text, spans + i, end - i, segment->start_s,
                                         err);
        if (status != OTO_OK)
            continue;
        size_t k = spoken->n - 1;
        if (votes != NULL)
            spoken->evidence[k].posterior = votes[k - n_before];
        spoken->list[k].confidence = oto_confidence(map, &spoken->evidence[k]);
    }
    if (status == OTO_OK)
        oto_word_edges_refine(spoken->list + n_before, spoken->n - n_before, segment->levels,
                              segment->n_levels, segment->start_s, &bundle->frontend);
    return status;
}

void oto_spoken_settle(struct oto_spoken *spoken, double seconds)
{
    for (size_t i = 0; i < spoken->n; i++) {
        oto_word *word = &spoken->list[i], *before = i > 0 ? word - 1 : NULL;
        word->start_s = fmin(fmax(word->start_s, 0), seconds);
        word->end_s = fmin(fmax(word->end_s, word->start_s), seconds);
        if (before == NULL || word->start_s >= before->end_s)
            continue;
        before->end_s = fmax((word->start_s + before->end_s) / 2, before->start_s);
        word->start_s = before->end_s;
        word->end_s = fmax(word->end_s, word->start_s);
    }
}
