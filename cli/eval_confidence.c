/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the confidence of words is the share of them that are right, and what would make it so.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/eval.h"

oto_status oto_eval_add_words(struct oto_eval_item *item, const oto_result *result,
                              const struct oto_evidence *evidence, oto_error *err)
{
    struct oto_edit_pair *pairs = NULL;
    size_t n_pairs = 0, n = 0, n_words = (size_t)result->n_words;
    if (n_words == 0)
        return OTO_OK;
    item->evidence = oto_calloc(n_words, sizeof *item->evidence);
    item->confidence = oto_calloc(n_words, sizeof *item->confidence);
    item->right = oto_calloc(n_words, sizeof *item->right);
    if (!item->evidence || !item->confidence || !item->right)
        return oto_fail_memory(err, "words");
    oto_status status = oto_edit_align(&pairs, &n_pairs, item->ref, item->hyp, err);
    for (size_t i = 0; i < n_pairs && n < n_words; i++) {
        if (pairs[i].op == OTO_EDIT_DELETION)
            continue;
        item->evidence[n] = evidence[n];
        item->confidence[n] = result->words[n].confidence;
        item->right[n++] = pairs[i].op == OTO_EDIT_MATCH;
    }
    item->n_words = n;
    oto_free(pairs);
    return status;
}

void oto_eval_clear_words(struct oto_eval_item *item)
{
    oto_free(item->evidence);
    oto_free(item->confidence);
    oto_free(item->right);
}

/* Words of all utterances. */
struct pool {
    struct oto_evidence *evidence;
    double *confidence;
    bool *right;
    size_t n;
};

static void clear(struct pool *p)
{
    oto_free(p->evidence);
    oto_free(p->confidence);
    oto_free(p->right);
}

/* Those of every second utterance, from 0 or 1 on; half < 0: all. */
static oto_status collect(struct pool *p, const struct oto_eval *e, int half, oto_error *err)
{
    size_t n = 1;
    for (size_t i = 0; i < e->n_items; i++)
        n += e->items[i].n_words;
    *p = (struct pool){oto_calloc(n, sizeof *p->evidence), oto_calloc(n, sizeof *p->confidence),
                       oto_calloc(n, sizeof *p->right), 0};
    if (!p->evidence || !p->confidence || !p->right) {
        clear(p);
        return oto_fail_memory(err, "words");
    }
    for (size_t i = 0; i < e->n_items; i++) {
        const struct oto_eval_item *item = &e->items[i];
        for (size_t k = 0; k < item->n_words && (half < 0 || (int)(i % 2) == half); k++, p->n++) {
            p->evidence[p->n] = item->evidence[k];
            p->confidence[p->n] = item->confidence[k];
            p->right[p->n] = item->right[k];
        }
    }
    return OTO_OK;
}

/* Fits on one half, and gives the other's words the confidence that follows. */
static oto_status judge(struct pool *other, const struct pool *half, oto_error *err)
{
    struct oto_confidence c;
    oto_status status = oto_confidence_fit(&c, half->evidence, half->right, half->n, err);
    for (size_t k = 0; k < other->n && status == OTO_OK; k++)
        other->confidence[k] = oto_confidence(&c, &other->evidence[k]);
    return status;
}

oto_status oto_eval_calibrate(struct oto_eval *e, oto_error *err)
{
    struct pool halves[2] = {{0}}, all = {0};
    oto_status status = collect(&halves[0], e, 0, err);
    if (status == OTO_OK)
        status = collect(&halves[1], e, 1, err);
    if (status == OTO_OK)
        status = collect(&all, e, -1, err);
    if (status == OTO_OK)
        status = oto_confidence_fit(&e->calibration, all.evidence, all.right, all.n, err);
    for (int h = 0; h < 2 && status == OTO_OK; h++)
        status = judge(&halves[h], &halves[1 - h], err);
    if (status == OTO_OK) {
        for (size_t k = 0; k < halves[0].n; k++) {
            all.confidence[k] = halves[0].confidence[k];
            all.right[k] = halves[0].right[k];
        }
        for (size_t k = 0; k < halves[1].n; k++) {
            all.confidence[halves[0].n + k] = halves[1].confidence[k];
            all.right[halves[0].n + k] = halves[1].right[k];
        }
        e->calibrated_error = oto_calibration_error(all.confidence, all.right, all.n);
        e->has_calibration = true;
    }
    clear(&halves[0]);
    clear(&halves[1]);
    clear(&all);
    return status;
}

oto_status oto_eval_confidence_error(double *error, size_t *n_words, const struct oto_eval *e,
                                     oto_error *err)
{
    struct pool all;
    oto_status status = collect(&all, e, -1, err);
    if (status != OTO_OK)
        return status;
    *error = oto_calibration_error(all.confidence, all.right, all.n);
    *n_words = all.n;
    clear(&all);
    return OTO_OK;
}
