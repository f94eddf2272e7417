/* SPDX-License-Identifier: BSD-2-Clause */
/* The binary language model: every number that a look-up relies on is checked when it is opened. */
#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "decoder/lm_format.h"

const struct oto_container_kind oto_lm_kind = {"\x89OTL\r\n\x1a\n", 1, 1, "language model"};

struct parser {
    struct oto_lm *lm;
    struct oto_container c;
};

static oto_status fail(const struct parser *p, const char *section, const char *what, size_t at,
                       oto_error *err)
{
    return oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': entry %zu: %s", p->c.name, section, at,
                    what);
}

/* A section of exactly that size. */
static oto_status section(const struct parser *p, const char *name, size_t size,
                          const unsigned char **out, oto_error *err)
{
    const struct oto_section *s = oto_container_find(&p->c, name, err);
    if (s == NULL)
        return OTO_ERR_FORMAT;
    if (s->size != size)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': %zu bytes, expected %zu", p->c.name,
                        name, s->size, size);
    *out = p->c.data + s->offset;
    return OTO_OK;
}

static oto_status read_info(struct parser *p, oto_error *err)
{
    const unsigned char *data = NULL;
    struct oto_lm *lm = p->lm;
    oto_status status = section(p, "info", OTO_LM_INFO_SIZE, &data, err);
    if (status != OTO_OK)
        return status;
    struct oto_reader r;
    oto_reader_init(&r, data, OTO_LM_INFO_SIZE);
    const uint32_t order = oto_read_u32(&r), bits = oto_read_u32(&r), width = oto_read_u32(&r);
    lm->n_words = oto_read_u32(&r);
    lm->table_size = oto_read_u32(&r);
    bool good = order >= 1 && order <= OTO_LM_MAX_ORDER && (bits == 0 || bits == 8) &&
                lm->n_words >= 1 && lm->n_words <= 1u << 30;
    good = good && (width == 4 || (width == 2 && lm->n_words <= 65536));
    good = good && lm->table_size > lm->n_words && (lm->table_size & (lm->table_size - 1)) == 0;
    for (int i = 0; i < 3; i++)
        good = good && oto_read_u32(&r) == 0;
    for (uint32_t k = 0; k < OTO_LM_MAX_ORDER; k++) {
        uint64_t n = oto_read_u64(&r);
        good = good && n < UINT32_MAX && (k < order || n == 0);
        lm->levels[k].n = (size_t)n;
    }
    if (!good || lm->levels[0].n != lm->n_words)
        return fail(p, "info", "numbers that contradict each other or are out of range", 0, err);
    lm->order = (int)order;
    lm->bits = (int)bits;
    lm->width = (int)width;
    return OTO_OK;
}

static oto_status read_words(struct parser *p, oto_error *err)
{
    struct oto_lm *lm = p->lm;
    const struct oto_section *text = oto_container_find(&p->c, "text", err);
    if (text == NULL)
        return OTO_ERR_FORMAT;
    lm->text = p->c.data + text->offset;
    oto_status status = section(p, "offsets", 4 * (size_t)lm->n_words, &lm->offsets, err);
    if (status == OTO_OK)
        status = section(p, "table", 4 * (size_t)lm->table_size, &lm->table, err);
    if (status != OTO_OK)
        return status;
    size_t from = 0;
    for (uint32_t i = 0; i < lm->n_words; i++) {
        const unsigned char *end =
            from < text->size ? memchr(lm->text + from, 0, text->size - from) : NULL;
        if (oto_lm_u32(lm->offsets, i) != from || end == NULL || end == lm->text + from ||
            oto_utf8_invalid_at((const char *)lm->text + from) >= 0)
            return fail(p, "offsets", "no word in UTF-8 begins there", i, err);
        from = (size_t)(end - lm->text) + 1;
    }
    if (from != text->size || strcmp((const char *)lm->text, "<unk>") != 0)
        return fail(p, "text", "<unk> first, and nothing after the last word, expected", 0, err);
    for (uint32_t i = 0; i < lm->table_size; i++) {
        if (oto_lm_u32(lm->table, i) > lm->n_words)
            return fail(p, "table", "number of a word that there is not", i, err);
    }
    uint32_t n_entries = 0;
    for (uint32_t i = 0; i < lm->table_size; i++)
        n_entries += oto_lm_u32(lm->table, i) != 0;
    if (n_entries != lm->n_words) /* at least one is empty then, and every search ends */
        return fail(p, "table", "as many filled slots as words expected", n_entries, err);
    return OTO_OK;
}

static oto_status read_codes(struct parser *p, oto_error *err)
{
    const unsigned char *data = NULL;
    const size_t n = (size_t)p->lm->order * 2 * OTO_LM_N_CODES;
    if (p->lm->bits == 0)
        return OTO_OK;
    oto_status status = section(p, "codes", 4 * n, &data, err);
    if (status != OTO_OK)
        return status;
    struct oto_reader r;
    oto_reader_init(&r, data, 4 * n);
    for (size_t i = 0; i < n; i++) {
        const size_t which = i / OTO_LM_N_CODES % 2;
        float v = oto_read_f32(&r);
        if (!(fabsf(v) < 1e6f) || (which == 0 && v > 0))
            return fail(p, "codes", "not the logarithm of a probability", i, err);
        p->lm->codes[i / OTO_LM_N_CODES / 2][which][i % OTO_LM_N_CODES] = v;
    }
    return OTO_OK;
}

static oto_status read_values(const struct parser *p, const char *name, size_t n, bool is_log_p,
                              const unsigned char **out, oto_error *err)
{
    oto_status status = section(p, name, n * (p->lm->bits == 8 ? 1 : 4), out, err);
    for (size_t i = 0; status == OTO_OK && p->lm->bits == 0 && i < n; i++) {
        uint32_t bits = oto_lm_u32(*out, i);
        float v;
        memcpy(&v, &bits, sizeof v);
        if (!(fabsf(v) < 1e6f) || (is_log_p && v > 0))
            return fail(p, name, "not the logarithm of a probability", i, err);
    }
    return status;
}

/* Continuations of one node after another, words rising inside each. */
static oto_status read_words_of_level(const struct parser *p, int k, oto_error *err)
{
    const struct oto_lm *lm = p->lm;
    struct oto_lm_level *l = &p->lm->levels[k];
    const struct oto_lm_level *parents = &lm->levels[k - 1];
    char name[24];
    snprintf(name, sizeof name, "words%d", k + 1);
    oto_status status = section(p, name, l->n * (size_t)lm->width, &l->words, err);
    if (status != OTO_OK)
        return status;
    for (size_t parent = 0; parent < parents->n; parent++) {
        uint32_t last = 0;
        const uint32_t from = oto_lm_children(parents, parent),
                       to = oto_lm_children(parents, parent + 1);
        for (uint32_t i = from; i < to; i++) {
            uint32_t word = lm->width == 2 ? oto_lm_u16(l->words, i) : oto_lm_u32(l->words, i);
            if (word >= lm->n_words || (i > from && word <= last))
                return fail(p, name, "words below that number of words, rising, expected", i, err);
            last = word;
        }
    }
    return OTO_OK;
}

static oto_status read_children(const struct parser *p, int k, oto_error *err)
{
    struct oto_lm_level *l = &p->lm->levels[k];
    char name[24], places[24];
    snprintf(name, sizeof name, "near%d", k + 1);
    snprintf(places, sizeof places, "place%d", k + 1);
    oto_status status;
    if (oto_container_find(&p->c, name, NULL) != NULL) {
        status = section(p, name, 2 * (l->n + 1), &l->near, err);
        if (status == OTO_OK)
            status = section(p, places, 4 * (l->n / OTO_LM_BLOCK + 1), &l->places, err);
    } else {
        snprintf(name, sizeof name, "next%d", k + 1);
        status = section(p, name, 4 * (l->n + 1), &l->children, err);
    }
    uint64_t last = 0;
    for (size_t i = 0; status == OTO_OK && i <= l->n; i++) {
        const uint64_t now = l->near == NULL ? oto_lm_u32(l->children, i)
                                             : (uint64_t)oto_lm_u32(l->places, i / OTO_LM_BLOCK) +
                                                   oto_lm_u16(l->near, i);
        if (l->near != NULL && i % OTO_LM_BLOCK == 0 && oto_lm_u16(l->near, i) != 0)
            return fail(p, name, "0 at the beginning of a block expected", i, err);
        const bool at_end = i < l->n || now == p->lm->levels[k + 1].n;
        if (now < last || (i == 0 && now != 0) || !at_end)
            return fail(p, name, "rising numbers from 0 to the next level's size expected", i, err);
        last = now;
    }
    return status;
}

static oto_status read_level(const struct parser *p, int k, oto_error *err)
{
    struct oto_lm_level *l = &p->lm->levels[k];
    const bool highest = k == p->lm->order - 1;
    char name[24];
    oto_status status = k > 0 ? read_words_of_level(p, k, err) : OTO_OK;
    snprintf(name, sizeof name, "logp%d", k + 1);
    if (status == OTO_OK)
        status = read_values(p, name, l->n, true, &l->log_p, err);
    snprintf(name, sizeof name, "back%d", k + 1);
    if (status == OTO_OK && !highest)
        status = read_values(p, name, l->n, false, &l->backoff, err);
    return status == OTO_OK && !highest ? read_children(p, k, err) : status;
}

/* A section of a newer minor version that may not be skipped. */
static oto_status check_known(const struct parser *p, oto_error *err)
{
    static const char *const known[] = {"info", "text", "offsets", "table", "codes"};
    static const char *const of_levels[] = {"words", "logp", "back", "next", "near", "place"};
    for (int k = 0; k < p->c.n_sections; k++) {
        const struct oto_section *s = &p->c.sections[k];
        bool found = (s->flags & OTO_SECTION_OPTIONAL) != 0;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            found |= strcmp(s->name, known[i]) == 0;
        for (size_t i = 0; i < sizeof of_levels / sizeof of_levels[0]; i++) {
            const size_t n = strlen(of_levels[i]);
            found |= strncmp(s->name, of_levels[i], n) == 0 && s->name[n] >= '1' &&
                     s->name[n] <= '0' + OTO_LM_MAX_ORDER && s->name[n + 1] == 0;
        }
        if (!found)
            return oto_fail(err, OTO_ERR_VERSION,
                            "%s: section '%s': offset %zu: unknown and not optional (newer file: "
                            "update Otolith)",
                            p->c.name, s->name, s->offset);
    }
    return OTO_OK;
}

oto_status oto_lm_parse(struct oto_lm *lm, const void *data, size_t size, const char *name,
                        oto_error *err)
{
    struct parser p = {.lm = lm};
    oto_status status = oto_container_open(&p.c, &oto_lm_kind, data, size, name, err);
    if (status == OTO_OK)
        status = check_known(&p, err);
    if (status == OTO_OK)
        status = read_info(&p, err);
    if (status == OTO_OK)
        status = read_words(&p, err);
    if (status == OTO_OK)
        status = read_codes(&p, err);
    for (int k = 0; status == OTO_OK && k < lm->order; k++)
        status = read_level(&p, k, err);
    lm->data = data;
    lm->size = size;
    return status;
}
