/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections of language models, n-grams and LSTM: each file as it is, and what it counts for. */
#include <stdio.h>

#include "base/mem.h"
#include "models/bundle_format.h"

/* A model's file, behind the numbers that go with it. */
struct section {
    const char *numbers, *model; /* names */
    const struct oto_option *table;
    size_t n_options;
    const void *values;
    const void *image;
    size_t size;
};

static oto_status add(struct oto_container_writer *w, const struct section *s, oto_error *err)
{
    char *text = NULL;
    size_t size = 0;
    oto_status status =
        oto_bundle_write_options(s->table, s->n_options, s->values, s->numbers, &text, &size, err);
    if (status != OTO_OK)
        return status;
    oto_container_section(w, s->numbers, OTO_SECTION_OPTIONAL, text, size);
    oto_container_section(w, s->model, OTO_SECTION_OPTIONAL, s->image, s->size);
    oto_free(text);
    return OTO_OK;
}

oto_status oto_bundle_add_lm(struct oto_container_writer *w, const struct oto_bundle *b,
                             oto_error *err)
{
    oto_status status = OTO_OK;
    if (b->lm != NULL) {
        const struct section s = {"search",
                                  "lm",
                                  oto_language_option_table,
                                  oto_language_n_options,
                                  &b->language,
                                  oto_lm_image(b->lm),
                                  oto_lm_size(b->lm)};
        status = add(w, &s, err);
    }
    if (status == OTO_OK && b->lstm != NULL) {
        const struct section s = {
            "rescore",   "lstm",         oto_rescore_option_table, oto_rescore_n_options,
            &b->rescore, b->lstm->image, b->lstm->file_size};
        status = add(w, &s, err);
    }
    return status;
}

oto_status oto_bundle_read_lm(struct oto_bundle *b, const struct oto_container *c, oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "lm", NULL);
    if (s == NULL)
        return oto_options_init(oto_language_option_table, oto_language_n_options, &b->language,
                                err);
    char name[128];
    oto_error inner;
    snprintf(name, sizeof name, "%s: section 'lm'", c->name);
    oto_status status = oto_bundle_read_options(oto_language_option_table, oto_language_n_options,
                                                &b->language, c, "search", err);
    if (status != OTO_OK)
        return status;
    status = oto_lm_open_memory(&b->lm, c->data + s->offset, s->size, name, &inner);
    if (status != OTO_OK)
        return oto_fail(err, status, "%s", inner.message);
    return OTO_OK;
}

oto_status oto_bundle_read_lstm(struct oto_bundle *b, const struct oto_container *c, oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "lstm", NULL);
    if (s == NULL)
        return oto_options_init(oto_rescore_option_table, oto_rescore_n_options, &b->rescore, err);
    char name[128];
    oto_error inner;
    snprintf(name, sizeof name, "%s: section 'lstm'", c->name);
    oto_status status = oto_bundle_read_options(oto_rescore_option_table, oto_rescore_n_options,
                                                &b->rescore, c, "rescore", err);
    if (status != OTO_OK)
        return status;
    status = oto_lstm_lm_parse(&b->lstm, c->data + s->offset, s->size, name, &inner);
    if (status != OTO_OK)
        return oto_fail(err, status, "%s", inner.message);
    return OTO_OK;
}
