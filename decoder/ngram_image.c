/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays to the binary language model and back. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decoder/lm_format.h"
#include "decoder/ngram.h"
#include "decoder/ngram_quantise.h"

struct image {
    const struct oto_ngram *m;
    int bits, width;
    struct oto_container_writer w;
    struct oto_writer section; /* the one in the making */
    float codes[OTO_LM_MAX_ORDER][2][OTO_LM_N_CODES];
};

static void put_section(struct image *s, const char *name, int level)
{
    char text[16];
    snprintf(text, sizeof text, level > 0 ? "%s%d" : "%s", name, level);
    if (s->section.failed)
        s->w.out.failed = true;
    else
        oto_container_section(&s->w, text, 0, s->section.data, s->section.size);
    s->section.size = 0;
}

static void put_u32s(struct image *s, const uint32_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        oto_write_u32(&s->section, v[i]);
}

static void put_info(struct image *s)
{
    const struct oto_ngram *m = s->m;
    const uint32_t head[8] = {(uint32_t)m->order, (uint32_t)s->bits, (uint32_t)s->width, m->words.n,
                              m->words.table_size};
    put_u32s(s, head, 8);
    for (int k = 0; k < OTO_LM_MAX_ORDER; k++)
        oto_write_u64(&s->section, k < m->order ? m->levels[k].n : 0);
    put_section(s, "info", 0);
}

static void put_words(struct image *s)
{
    const struct oto_words *words = &s->m->words;
    oto_write_bytes(&s->section, words->text, words->text_size);
    put_section(s, "text", 0);
    put_u32s(s, words->offsets, words->n);
    put_section(s, "offsets", 0);
    put_u32s(s, words->table, words->table_size);
    put_section(s, "table", 0);
}

static bool put_codes(struct image *s)
{
    for (int k = 0; k < s->m->order; k++) {
        const struct oto_ngram_level *l = &s->m->levels[k];
        if (!oto_quantise_make(s->codes[k][0], l->log_p, l->n) ||
            !oto_quantise_make(s->codes[k][1], l->backoff, l->backoff != NULL ? l->n : 0))
            return false;
        for (int i = 0; i < 2 * OTO_LM_N_CODES; i++)
            oto_write_f32(&s->section, s->codes[k][i / OTO_LM_N_CODES][i % OTO_LM_N_CODES]);
    }
    put_section(s, "codes", 0);
    return true;
}

static void put_values(struct image *s, const char *name, int k, int which, const float *v)
{
    for (size_t i = 0; i < s->m->levels[k].n; i++) {
        if (s->bits == 8)
            oto_write_u8(&s->section, oto_quantise_code(s->codes[k][which], v[i]));
        else
            oto_write_f32(&s->section, v[i]);
    }
    put_section(s, name, k + 1);
}

/* Whether each n-gram's continuations begin near those of its block. */
static bool is_near(const struct oto_ngram_level *l)
{
    for (size_t i = 0; i <= l->n; i++) {
        if (l->children[i] - l->children[i - i % OTO_LM_BLOCK] > UINT16_MAX)
            return false;
    }
    return true;
}

static void put_children(struct image *s, int k)
{
    const struct oto_ngram_level *l = &s->m->levels[k];
    if (!is_near(l)) {
        put_u32s(s, l->children, l->n + 1);
        put_section(s, "next", k + 1);
        return;
    }
    for (size_t i = 0; i <= l->n; i++)
        oto_write_u16(&s->section, (uint16_t)(l->children[i] - l->children[i - i % OTO_LM_BLOCK]));
    put_section(s, "near", k + 1);
    for (size_t i = 0; i <= l->n; i += OTO_LM_BLOCK)
        oto_write_u32(&s->section, l->children[i]);
    put_section(s, "place", k + 1);
}

static void put_level(struct image *s, int k)
{
    const struct oto_ngram_level *l = &s->m->levels[k];
    if (k > 0) {
        for (size_t i = 0; i < l->n; i++) {
            if (s->width == 2)
                oto_write_u16(&s->section, (uint16_t)l->words[i]);
            else
                oto_write_u32(&s->section, l->words[i]);
        }
        put_section(s, "words", k + 1);
    }
    put_values(s, "logp", k, 0, l->log_p);
    if (k == s->m->order - 1)
        return;
    put_values(s, "back", k, 1, l->backoff);
    put_children(s, k);
}

/* One section or two of continuations in each level but the highest. */
static int n_sections_of_children(const struct oto_ngram *m)
{
    int n = 0;
    for (int k = 0; k < m->order - 1; k++)
        n += 1 + is_near(&m->levels[k]);
    return n;
}

oto_status oto_ngram_write_image(const struct oto_ngram *m, int bits, struct oto_writer *image,
                                 oto_error *err)
{
    struct image *s = oto_calloc(1, sizeof *s);
    *image = (struct oto_writer){0};
    if (s == NULL)
        return oto_fail_memory(err, "language model");
    s->m = m;
    s->bits = bits;
    s->width = m->words.n <= 65536 ? 2 : 4;
    /* info, three of words, codes, and for each level words, log_p and back-off, of which the first
     * level has no words and the last no back-off, and continuations */
    oto_container_begin(&s->w, 4 + (bits == 8) + 3 * m->order - 2 + n_sections_of_children(m));
    put_info(s);
    put_words(s);
    bool good = bits == 0 || put_codes(s);
    for (int k = 0; k < m->order; k++)
        put_level(s, k);
    struct oto_container_kind kind = oto_lm_kind;
    kind.minor = n_sections_of_children(m) > m->order - 1; /* for those who know "near" */
    oto_container_finish(&s->w, &kind);
    good = good && !s->w.out.failed;
    if (good)
        *image = s->w.out;
    else
        oto_writer_clear(&s->w.out);
    oto_writer_clear(&s->section);
    oto_free(s);
    return good ? OTO_OK : oto_fail_memory(err, "language model");
}

/* ---- and back ---------------------------------------------------------------------------- */

static bool copy_level(struct oto_ngram *m, const struct oto_lm *lm, int k)
{
    const struct oto_lm_level *from = &lm->levels[k];
    struct oto_ngram_level *to = &m->levels[k];
    const bool highest = k == lm->order - 1;
    to->n = from->n;
    to->words = oto_calloc(to->n, sizeof *to->words);
    to->log_p = oto_calloc(to->n, sizeof *to->log_p);
    to->backoff = highest ? NULL : oto_calloc(to->n, sizeof *to->backoff);
    to->children = highest ? NULL : oto_calloc(to->n + 1, sizeof *to->children);
    if (to->words == NULL || to->log_p == NULL ||
        (!highest && (to->backoff == NULL || to->children == NULL)))
        return false;
    for (size_t i = 0; i < to->n; i++) {
        to->words[i] = k == 0           ? (uint32_t)i
                       : lm->width == 2 ? oto_lm_u16(from->words, i)
                                        : oto_lm_u32(from->words, i);
        to->log_p[i] = oto_lm_value(lm, k, 0, i);
        if (!highest)
            to->backoff[i] = oto_lm_value(lm, k, 1, i);
    }
    for (size_t i = 0; !highest && i <= to->n; i++)
        to->children[i] = oto_lm_children(from, i);
    return true;
}

oto_status oto_ngram_from_lm(struct oto_ngram **out, const struct oto_lm *lm, oto_error *err)
{
    struct oto_ngram *m = oto_ngram_create();
    bool good = m != NULL;
    uint32_t number;
    *out = NULL;
    for (uint32_t i = 0; good && i < lm->n_words; i++) {
        const char *word = oto_lm_word(lm, i);
        good = oto_words_add(&m->words, word, strlen(word), &number);
        if (good && number != i) {
            oto_ngram_destroy(m);
            return oto_fail(err, OTO_ERR_FORMAT, "language model: word '%.80s' is there twice",
                            word);
        }
    }
    for (int k = 0; good && k < lm->order; k++)
        good = copy_level(m, lm, k);
    if (!good) {
        oto_ngram_destroy(m);
        return oto_fail_memory(err, "language model");
    }
    m->order = lm->order;
    *out = m;
    return OTO_OK;
}
