/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/confusions.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decoder/edit_distance.h"

static bool grow(struct oto_confusions *c)
{
    if (c->n < c->capacity)
        return true;
    size_t capacity = c->capacity > 0 ? 2 * c->capacity : 64;
    struct oto_confusion *list = oto_calloc(capacity, sizeof *list);
    if (!list)
        return false;
    if (c->n > 0)
        memcpy(list, c->list, c->n * sizeof *list);
    oto_free(c->list);
    c->list = list;
    c->capacity = capacity;
    return true;
}

static oto_status add_pair(struct oto_confusions *c, const struct oto_edit_pair *pair,
                           oto_error *err)
{
    if (!grow(c))
        return oto_fail_memory(err, "confusions");
    struct oto_confusion *e = &c->list[c->n];
    *e = (struct oto_confusion){.ref = oto_strndup(pair->ref ? pair->ref : "", pair->ref_length),
                                .hyp = oto_strndup(pair->hyp ? pair->hyp : "", pair->hyp_length),
                                .count = 1};
    if (!e->ref || !e->hyp) {
        oto_free(e->ref);
        oto_free(e->hyp);
        return oto_fail_memory(err, "confusions");
    }
    c->n++;
    return OTO_OK;
}

oto_status oto_confusions_add(struct oto_confusions *c, const char *ref, const char *hyp,
                              oto_error *err)
{
    struct oto_edit_pair *pairs;
    size_t n;
    oto_status status = oto_edit_align(&pairs, &n, ref, hyp, err);
    for (size_t i = 0; i < n && status == OTO_OK; i++)
        if (pairs[i].op != OTO_EDIT_MATCH)
            status = add_pair(c, &pairs[i], err);
    oto_free(pairs);
    return status;
}

static int by_words(const void *a, const void *b)
{
    const struct oto_confusion *x = a, *y = b;
    int order = strcmp(x->ref, y->ref);
    return order ? order : strcmp(x->hyp, y->hyp);
}

static int by_count(const void *a, const void *b)
{
    const struct oto_confusion *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return by_words(a, b);
}

void oto_confusions_sort(struct oto_confusions *c)
{
    size_t n = 0;
    if (c->n == 0)
        return;
    qsort(c->list, c->n, sizeof *c->list, by_words);
    for (size_t i = 0; i < c->n; i++) {
        struct oto_confusion *e = &c->list[i];
        if (n > 0 && by_words(&c->list[n - 1], e) == 0) {
            c->list[n - 1].count += e->count;
            oto_free(e->ref);
            oto_free(e->hyp);
        } else {
            c->list[n++] = *e;
        }
    }
    c->n = n;
    qsort(c->list, n, sizeof *c->list, by_count);
}

void oto_confusions_clear(struct oto_confusions *c)
{
    for (size_t i = 0; i < c->n; i++) {
        oto_free(c->list[i].ref);
        oto_free(c->list[i].hyp);
    }
    oto_free(c->list);
    *c = (struct oto_confusions){0};
}
