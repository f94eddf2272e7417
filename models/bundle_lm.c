/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections of language models, n-grams and LSTM: each file as it is, and what it counts for. */
#include <stdio.h>

#include "base/mem.h"
#include "decoder/priors.h"
#include "models/bundle_format.h"

/* Those of the section "search"; the last one stands with the priors. */
#define N_SEARCH (oto_language_n_options - 1)

size_t oto_bundle_n_rescore(const struct oto_bundle *b)
{
    return oto_rescore_n_options - (b->second == NULL);
}

static oto_status add_numbers(struct oto_container_writer *w, const char *section,
                              const struct oto_option *table, size_t n_options, const void *values,
                              oto_error *err)
{
    char *text = NULL;
    size_t size = 0;
    oto_status status =
        oto_bundle_write_options(table, n_options, values, section, &text, &size, err);
    if (status == OTO_OK)
        oto_container_section(w, section, OTO_SECTION_OPTIONAL, text, size);
    oto_free(text);
    return status;
}

oto_status oto_bundle_add_lm(struct oto_container_writer *w, const struct oto_bundle *b,
                             oto_error *err)
{
    oto_status status = OTO_OK;
    if (b->lm != NULL) {
        status = add_numbers(w, "search", oto_language_option_table, N_SEARCH, &b->language, err);
        if (status == OTO_OK)
            oto_container_section(w, "lm", OTO_SECTION_OPTIONAL, oto_lm_image(b->lm),
                                  oto_lm_size(b->lm));
    }
    if (status == OTO_OK && (b->lstm != NULL || b->second != NULL))
        status = add_numbers(w, "rescore", oto_rescore_option_table, oto_bundle_n_rescore(b),
                             &b->rescore, err);
    if (status == OTO_OK && b->lstm != NULL)
        oto_container_section(w, "lstm", OTO_SECTION_OPTIONAL, b->lstm->image, b->lstm->file_size);
    return status;
}

oto_status oto_bundle_read_lm(struct oto_bundle *b, const struct oto_container *c, oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "lm", NULL);
    oto_status status =
        oto_options_init(oto_language_option_table, oto_language_n_options, &b->language, err);
    if (status != OTO_OK || s == NULL)
        return status;
    char name[128];
    oto_error inner;
    snprintf(name, sizeof name, "%s: section 'lm'", c->name);
    status = oto_bundle_read_options(oto_language_option_table, N_SEARCH, &b->language, c, "search",
                                     err);
    if (status != OTO_OK)
        return status;
    status = oto_lm_open_memory(&b->lm, c->data + s->offset, s->size, name, &inner);
    if (status != OTO_OK)
        return oto_fail(err, status, "%s", inner.message);
    return OTO_OK;
}

oto_status oto_bundle_read_rescore(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err)
{
    const bool lstm = oto_container_find(c, "lstm", NULL) != NULL;
    const bool second = oto_container_find(c, "second", NULL) != NULL;
    oto_status status =
        oto_options_init(oto_rescore_option_table, oto_rescore_n_options, &b->rescore, err);
    if (status == OTO_OK && (lstm || second))
        status = oto_bundle_read_options(oto_rescore_option_table, oto_rescore_n_options - !second,
                                         &b->rescore, c, "rescore", err);
    return status;
}

oto_status oto_bundle_read_lstm(struct oto_bundle *b, const struct oto_container *c, oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "lstm", NULL);
    char name[128];
    oto_error inner;
    if (s == NULL)
        return OTO_OK;
    snprintf(name, sizeof name, "%s: section 'lstm'", c->name);
    oto_status status = oto_lstm_lm_parse(&b->lstm, c->data + s->offset, s->size, name, &inner);
    if (status != OTO_OK)
        return oto_fail(err, status, "%s", inner.message);
    return OTO_OK;
}

/* ---- priors of the symbols --------------------------------------------------------------- */

oto_status oto_bundle_add_priors(struct oto_container_writer *w, const struct oto_bundle *b,
                                 oto_error *err)
{
    const double scale = b->language.prior_scale;
    if (b->log_priors == NULL)
        return scale > 0 ? oto_fail(err, OTO_ERR_DATA,
                                    "prior-scale: found %g, but the model has no priors of its "
                                    "symbols; expected 0",
                                    scale)
                         : OTO_OK;
    oto_status status = oto_priors_check(b->log_priors, b->shape.n_outputs, err);
    if (status != OTO_OK)
        return status;
    struct oto_writer numbers = {0};
    oto_write_f64(&numbers, scale);
    for (int k = 0; k < b->shape.n_outputs; k++)
        oto_write_f64(&numbers, b->log_priors[k]);
    if (numbers.failed)
        status = oto_fail_memory(err, "model file");
    else
        oto_container_section(w, "priors", OTO_SECTION_OPTIONAL, numbers.data, numbers.size);
    oto_writer_clear(&numbers);
    return status;
}

oto_status oto_bundle_read_priors(struct oto_bundle *b, const struct oto_container *c,
                                  oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "priors", NULL);
    const size_t n = (size_t)b->shape.n_outputs;
    oto_error inner;
    if (s == NULL)
        return OTO_OK;
    if (s->size != 8 * (n + 1))
        return oto_bundle_fail_size(c, s, 8 * (n + 1), err);
    struct oto_reader r;
    oto_reader_init(&r, c->data + s->offset, s->size);
    b->language.prior_scale = oto_read_f64(&r);
    b->log_priors = oto_calloc(n, sizeof *b->log_priors);
    if (b->log_priors == NULL)
        return oto_fail_memory(err, "model");
    for (size_t k = 0; k < n; k++)
        b->log_priors[k] = oto_read_f64(&r);
    oto_status status = oto_language_options_check(&b->language, &inner);
    if (status == OTO_OK)
        status = oto_priors_check(b->log_priors, b->shape.n_outputs, &inner);
    return status == OTO_OK ? OTO_OK
                            : oto_fail(err, OTO_ERR_FORMAT, "%s: section 'priors': offset %zu: %s",
                                       c->name, s->offset, inner.message);
}
