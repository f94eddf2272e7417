/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections of a language model: its binary as it is, and what it counts for. */
#include <stdio.h>

#include "base/mem.h"
#include "models/bundle_format.h"

oto_status oto_bundle_add_lm(struct oto_container_writer *w, const struct oto_bundle *b,
                             oto_error *err)
{
    if (b->lm == NULL)
        return OTO_OK;
    char *text = NULL;
    size_t size = 0;
    oto_status status = oto_bundle_write_search(b, &text, &size, err);
    if (status != OTO_OK)
        return status;
    oto_container_section(w, "search", OTO_SECTION_OPTIONAL, text, size);
    oto_container_section(w, "lm", OTO_SECTION_OPTIONAL, oto_lm_image(b->lm), oto_lm_size(b->lm));
    oto_free(text);
    return OTO_OK;
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
    oto_status status = oto_bundle_read_search(b, c, err);
    if (status != OTO_OK)
        return status;
    status = oto_lm_open_memory(&b->lm, c->data + s->offset, s->size, name, &inner);
    if (status != OTO_OK)
        return oto_fail(err, status, "%s", inner.message);
    return OTO_OK;
}
