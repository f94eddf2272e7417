/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/lm.h"

#include <sys/stat.h>

#include "base/lines.h"
#include "base/mem.h"
#include "decoder/lm_format.h"
#include "decoder/ngram.h"

#define NONE UINT32_MAX

/* ---- look-ups ---------------------------------------------------------------------------- */

int oto_lm_order(const struct oto_lm *lm)
{
    return lm->order;
}

uint32_t oto_lm_n_words(const struct oto_lm *lm)
{
    return lm->n_words;
}

size_t oto_lm_n_ngrams(const struct oto_lm *lm, int order)
{
    return order >= 1 && order <= lm->order ? lm->levels[order - 1].n : 0;
}

const char *oto_lm_word(const struct oto_lm *lm, uint32_t word)
{
    return (const char *)lm->text + oto_lm_u32(lm->offsets, word);
}

uint32_t oto_lm_find(const struct oto_lm *lm, const char *word, size_t n)
{
    uint32_t slot = (uint32_t)oto_checksum(word, n) & (lm->table_size - 1);
    uint32_t entry;
    while ((entry = oto_lm_u32(lm->table, slot)) != 0) {
        const char *there = oto_lm_word(lm, entry - 1);
        if (strncmp(there, word, n) == 0 && there[n] == 0)
            return entry - 1;
        slot = (slot + 1) & (lm->table_size - 1);
    }
    return OTO_LM_UNKNOWN;
}

uint32_t oto_lm_end_of_sentence(const struct oto_lm *lm)
{
    return lm->end;
}

int oto_lm_bits(const struct oto_lm *lm)
{
    return lm->bits;
}

size_t oto_lm_size(const struct oto_lm *lm)
{
    return lm->size;
}

const void *oto_lm_image(const struct oto_lm *lm)
{
    return lm->data;
}

/* Index of a word among the sorted words [from, to) of a level. Without branches that depend on the
 * data: which way it goes cannot be foreseen. */
static uint32_t search(const struct oto_lm *lm, const struct oto_lm_level *l, uint32_t from,
                       uint32_t to, uint32_t word)
{
    uint32_t n = to - from;
    if (n == 0)
        return NONE;
    if (lm->width == 2) {
        while (n > 1) {
            uint32_t half = n / 2;
            from += oto_lm_u16(l->words, from + half) <= word ? half : 0;
            n -= half;
        }
        return oto_lm_u16(l->words, from) == word ? from : NONE;
    }
    while (n > 1) {
        uint32_t half = n / 2;
        from += oto_lm_u32(l->words, from + half) <= word ? half : 0;
        n -= half;
    }
    return oto_lm_u32(l->words, from) == word ? from : NONE;
}

/* Whether a context says anything about what follows. */
static bool matters(const struct oto_lm *lm, int level, uint32_t node)
{
    if (node == NONE)
        return false;
    const struct oto_lm_level *l = &lm->levels[level];
    float backoff = oto_lm_value(lm, level, 1, node);
    return oto_lm_children(l, node + 1) > oto_lm_children(l, node) || backoff < 0 || backoff > 0;
}

void oto_lm_start_empty(struct oto_lm_state *state)
{
    memset(state, 0, sizeof *state);
}

void oto_lm_start(const struct oto_lm *lm, struct oto_lm_state *state)
{
    oto_lm_start_empty(state);
    if (lm->order > 1 && lm->begin != OTO_LM_UNKNOWN && matters(lm, 0, lm->begin)) {
        state->n = 1;
        state->nodes[0] = lm->begin;
    }
}

double oto_lm_score(const struct oto_lm *lm, struct oto_lm_state *next,
                    const struct oto_lm_state *state, uint32_t word, int *order)
{
    struct oto_lm_state s = {0};
    double log_p = 0;
    int used = 0; /* length of the n-gram that was found */
    s.nodes[0] = word;
    s.n = lm->order > 1;
    for (uint32_t k = state->n; k >= 1; k--) { /* context of k words, the longest first */
        const uint32_t node = state->nodes[k - 1];
        const struct oto_lm_level *context = &lm->levels[k - 1];
        uint32_t found = NONE;
        if (node != NONE)
            found = search(lm, &lm->levels[k], oto_lm_children(context, node),
                           oto_lm_children(context, node + 1), word);
        if (found != NONE && used == 0) {
            used = (int)k + 1;
            log_p += (double)oto_lm_value(lm, (int)k, 0, found);
            s.n = (uint32_t)(used < lm->order ? used : lm->order - 1);
        } else if (found == NONE && used == 0 && node != NONE) {
            log_p += (double)oto_lm_value(lm, (int)k - 1, 1, node);
        }
        if (used > 0 && k + 1 < (uint32_t)lm->order)
            s.nodes[k] = found; /* of the new context of k + 1 words */
    }
    if (used == 0) {
        used = 1;
        log_p += (double)oto_lm_value(lm, 0, 0, word);
    }
    while (s.n > 0 && !matters(lm, (int)s.n - 1, s.nodes[s.n - 1]))
        s.nodes[--s.n] = 0;
    *next = s;
    if (order != NULL)
        *order = used;
    return log_p;
}

/* ---- opening ----------------------------------------------------------------------------- */

static void find_marks(struct oto_lm *lm)
{
    lm->begin = oto_lm_find(lm, "<s>", 3);
    lm->end = oto_lm_find(lm, "</s>", 4);
}

static oto_status open_image(struct oto_lm **out, const void *data, size_t size, const char *name,
                             oto_error *err)
{
    struct oto_lm *lm = oto_calloc(1, sizeof *lm);
    *out = NULL;
    if (lm == NULL)
        return oto_fail_memory(err, "language model");
    oto_status status = oto_lm_parse(lm, data, size, name, err);
    if (status != OTO_OK) {
        oto_free(lm);
        return status;
    }
    find_marks(lm);
    *out = lm;
    return OTO_OK;
}

oto_status oto_lm_open_memory(struct oto_lm **out, const void *data, size_t size, const char *name,
                              oto_error *err)
{
    return open_image(out, data, size, name, err);
}

oto_status oto_lm_from_ngram(struct oto_lm **out, const struct oto_ngram *m, const char *name,
                             oto_error *err)
{
    struct oto_writer image = {0};
    *out = NULL;
    oto_status status = oto_ngram_write_image(m, 0, &image, err);
    if (status == OTO_OK)
        status = open_image(out, image.data, image.size, name, err);
    if (status == OTO_OK)
        (*out)->image = image;
    else
        oto_writer_clear(&image);
    return status;
}

static oto_status open_arpa(struct oto_lm **out, const char *path, oto_error *err)
{
    struct oto_lines *in = NULL;
    struct oto_ngram *m = NULL;
    oto_status status = oto_lines_open(&in, path, err);
    if (status == OTO_OK)
        status = oto_ngram_read_arpa(&m, in, err);
    if (status == OTO_OK)
        status = oto_lm_from_ngram(out, m, path, err);
    oto_ngram_destroy(m);
    oto_lines_close(in);
    return status;
}

oto_status oto_lm_open(struct oto_lm **out, const char *path, oto_error *err)
{
    struct stat info;
    struct oto_map map = {0};
    *out = NULL;
    if (strcmp(path, "-") == 0 || (stat(path, &info) == 0 && !S_ISREG(info.st_mode) &&
                                   !S_ISDIR(info.st_mode))) /* a pipe cannot be mapped */
        return open_arpa(out, path, err);
    oto_status status = oto_map_open(&map, path, err);
    if (status != OTO_OK)
        return status;
    const void *data = map.data;
    size_t size = map.size;
    status = oto_container_enter(&data, &size, &oto_lm_kind, "lm", path, err);
    if (status == OTO_OK && (size < 8 || memcmp(data, oto_lm_kind.magic, 8) != 0)) {
        oto_map_close(&map);
        return open_arpa(out, path, err);
    }
    if (status == OTO_OK)
        status = open_image(out, data, size, path, err);
    if (status == OTO_OK)
        (*out)->map = map;
    else
        oto_map_close(&map);
    return status;
}

void oto_lm_close(struct oto_lm *lm)
{
    if (lm == NULL)
        return;
    oto_map_close(&lm->map);
    oto_writer_clear(&lm->image);
    oto_free(lm);
}
