/* SPDX-License-Identifier: BSD-2-Clause */
/* The section of a second network: a whole model file, without what only a search needs. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "models/bundle_format.h"

/* Static frames of the two must be the same moments, so that they are cut alike. */
static oto_status compare_frames(const struct oto_frontend_options *a,
                                 const struct oto_frontend_options *b, oto_error *err)
{
    const struct {
        const char *name;
        double first, second;
    } numbers[] = {{"sample-rate", a->rate_hz, b->rate_hz},
                   {"frame-length", a->frame_length_ms, b->frame_length_ms},
                   {"frame-shift", a->frame_shift_ms, b->frame_shift_ms},
                   {"snip-edges", a->snip_edges, b->snip_edges}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].second < numbers[i].first || numbers[i].second > numbers[i].first)
            return oto_fail(err, OTO_ERR_DATA,
                            "second network: %s: found %g, expected %g as the first network has",
                            numbers[i].name, numbers[i].second, numbers[i].first);
    }
    return OTO_OK;
}

static oto_status compare_symbols(const struct oto_alphabet *a, const struct oto_alphabet *b,
                                  oto_error *err)
{
    if (a->n_symbols != b->n_symbols)
        return oto_fail(err, OTO_ERR_DATA,
                        "second network: found %d symbols, expected %d as the first network has",
                        b->n_symbols - 1, a->n_symbols - 1);
    for (int k = 1; k < a->n_symbols; k++) {
        if (strcmp(a->symbols[k], b->symbols[k]) != 0)
            return oto_fail(err, OTO_ERR_DATA,
                            "second network: symbol %d: found '%s', expected '%s' as the first "
                            "network has",
                            k, b->symbols[k], a->symbols[k]);
    }
    return OTO_OK;
}

/* Whether second hears what b hears, and can be weighed against it. */
static oto_status check(const struct oto_bundle *b, const struct oto_bundle *second, oto_error *err)
{
    oto_status status = compare_symbols(b->alphabet, second->alphabet, err);
    if (status == OTO_OK)
        status = compare_frames(&b->frontend, &second->frontend, err);
    if (status == OTO_OK && b->log_priors != NULL && second->log_priors == NULL)
        status = oto_fail(err, OTO_ERR_DATA,
                          "second network: found no priors of its symbols, expected some as the "
                          "first network has (otolith model set --priors makes them)");
    return status;
}

static void strip(struct oto_bundle *b)
{
    oto_lexicon_destroy(b->lexicon);
    oto_grammar_destroy(b->grammar);
    oto_lm_close(b->lm);
    oto_lstm_lm_destroy(b->lstm);
    oto_bundle_destroy(b->second);
    b->lexicon = NULL;
    b->grammar = NULL;
    b->lm = NULL;
    b->lstm = NULL;
    b->second = NULL;
    b->language.prior_scale = 0;
    b->is_calibrated = false;
}

oto_status oto_bundle_set_second(struct oto_bundle *b, struct oto_bundle *second, oto_error *err)
{
    oto_status status = second != NULL ? check(b, second, err) : OTO_OK;
    if (status != OTO_OK)
        return status;
    if (second != NULL)
        strip(second);
    oto_bundle_destroy(b->second);
    b->second = second;
    return OTO_OK;
}

oto_status oto_bundle_add_second(struct oto_container_writer *w, const struct oto_bundle *b,
                                 const char *path, oto_error *err)
{
    struct oto_writer image = {0};
    if (b->second == NULL)
        return OTO_OK;
    oto_status status = oto_bundle_write(b->second, &image, path, err);
    if (status == OTO_OK)
        oto_container_section(w, "second", OTO_SECTION_OPTIONAL, image.data, image.size);
    oto_writer_clear(&image);
    return status;
}

/* Looked for before anything is read, so that files inside files go no deeper. */
static oto_status check_sections(const struct oto_section *s, const struct oto_container *c,
                                 const char *name, oto_error *err)
{
    static const char *const others[] = {"second", "lexicon", "grammar", "lm", "lstm"};
    struct oto_container inside;
    oto_status status =
        oto_container_open(&inside, &oto_bundle_kind, c->data + s->offset, s->size, name, err);
    for (size_t i = 0; i < sizeof others / sizeof *others && status == OTO_OK; i++) {
        if (oto_container_find(&inside, others[i], NULL) != NULL)
            status =
                oto_fail(err, OTO_ERR_FORMAT,
                         "%s: section '%s': found one, expected a network alone", name, others[i]);
    }
    return status;
}

oto_status oto_bundle_read_second(struct oto_bundle *b, const struct oto_container *c,
                                  oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "second", NULL);
    char name[128];
    oto_error inner;
    if (s == NULL)
        return OTO_OK;
    snprintf(name, sizeof name, "%s: section 'second'", c->name);
    oto_status status = check_sections(s, c, name, &inner);
    if (status == OTO_OK)
        status = oto_bundle_parse(&b->second, c->data + s->offset, s->size, name, &inner);
    if (status == OTO_OK && check(b, b->second, &inner) != OTO_OK)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: offset %zu: %s", name, s->offset, inner.message);
    return status == OTO_OK ? OTO_OK : oto_fail(err, status, "%s", inner.message);
}
