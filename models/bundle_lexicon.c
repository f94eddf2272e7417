/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections with what a strict search writes: a word list, a grammar. */
#include <stdio.h>
#include <string.h>

#include "models/bundle_format.h"

void oto_bundle_write_lexicon(const struct oto_bundle *b, struct oto_writer *w)
{
    oto_lexicon_write(b->lexicon, w);
}

/* What is read must be what would be written: no comments, nothing that normalisation changes. */
static oto_status check_same(const struct oto_bundle *b, const struct oto_container *c,
                             const struct oto_section *s, oto_error *err)
{
    struct oto_writer w = {0};
    oto_lexicon_write(b->lexicon, &w);
    oto_status status = OTO_OK;
    if (w.failed)
        status = oto_fail_memory(err, "lexicon");
    else if (w.size != s->size || memcmp(w.data, c->data + s->offset, s->size) != 0)
        status = oto_fail(err, OTO_ERR_FORMAT,
                          "%s: section 'lexicon': offset %zu: not plain lines of normalised words",
                          c->name, s->offset);
    oto_writer_clear(&w);
    return status;
}

oto_status oto_bundle_read_lexicon(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "lexicon", NULL);
    if (s == NULL)
        return OTO_OK;
    char name[128];
    oto_error inner;
    snprintf(name, sizeof name, "%s: section 'lexicon'", c->name);
    oto_status status =
        oto_lexicon_parse(&b->lexicon, c->data + s->offset, s->size, name, b->alphabet, &inner);
    if (status != OTO_OK)
        return oto_fail(err, status == OTO_ERR_MEMORY ? status : OTO_ERR_FORMAT, "%s",
                        inner.message);
    return check_same(b, c, s, err);
}

oto_status oto_bundle_read_grammar(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, "grammar", NULL);
    if (s == NULL)
        return OTO_OK;
    char name[128];
    oto_error inner;
    snprintf(name, sizeof name, "%s: section 'grammar'", c->name);
    oto_status status =
        oto_grammar_parse(&b->grammar, c->data + s->offset, s->size, name, b->alphabet, &inner);
    if (status != OTO_OK)
        return oto_fail(err, status == OTO_ERR_MEMORY ? status : OTO_ERR_FORMAT, "%s",
                        inner.message);
    return OTO_OK;
}
