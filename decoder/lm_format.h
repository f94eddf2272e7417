/* SPDX-License-Identifier: BSD-2-Clause */
/** The binary language model (docs/language_models.md). Private to decoder/lm.c and
 * decoder/ngram_image.c. */
#ifndef OTO_DECODER_LM_FORMAT_H
#define OTO_DECODER_LM_FORMAT_H

#include <stdint.h>
#include <string.h>

#include "base/container.h"
#include "decoder/lm.h"

/** Section "info": eight u32 and OTO_LM_MAX_ORDER u64. */
#define OTO_LM_INFO_SIZE (8 * 4 + 8 * OTO_LM_MAX_ORDER)
/** Values a codebook has. */
#define OTO_LM_N_CODES 256
/** N-grams that share a place from which their continuations are counted. */
#define OTO_LM_BLOCK 64

extern const struct oto_container_kind oto_lm_kind;

struct oto_lm_level {
    size_t n;
    /* As in the file: little-endian, so that they are read by bytes. */
    const unsigned char *words;   /* [n] of oto_lm.width bytes; NULL in level 1 */
    const unsigned char *log_p;   /* [n] float or code */
    const unsigned char *backoff; /* [n]; NULL in the highest level */
    /* Where continuations begin; NULL in the highest level. Either of [n + 1] u32, */
    const unsigned char *children;
    /* or of [n + 1] u16 from the block's place on, and those places, u32 */
    const unsigned char *near, *places;
};

struct oto_lm {
    int order, bits, width;
    uint32_t n_words, table_size;
    const unsigned char *text, *offsets, *table;
    struct oto_lm_level levels[OTO_LM_MAX_ORDER];
    float codes[OTO_LM_MAX_ORDER][2][OTO_LM_N_CODES]; /* of log_p and back-off */
    uint32_t begin, end;                              /* <s> and </s>, OTO_LM_UNKNOWN if none */
    const unsigned char *data;                        /* [size] the image */
    size_t size;
    struct oto_map map;      /* what the image is: a map, */
    struct oto_writer image; /* memory of ours, or the caller's */
};

/** Verifies the whole binary and points lm, which is zeroed, into it: what it lets through,
 * look-ups may trust. */
oto_status oto_lm_parse(struct oto_lm *lm, const void *data, size_t size, const char *name,
                        oto_error *err) OTO_WARN_UNUSED;

/* Compilers make these single loads where the machine allows it. */
static inline uint32_t oto_lm_u16(const unsigned char *p, size_t i)
{
    p += 2 * i;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t oto_lm_u32(const unsigned char *p, size_t i)
{
    p += 4 * i;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/** Where the continuations of n-gram i begin in the next level, i <= n. */
static inline uint32_t oto_lm_children(const struct oto_lm_level *l, size_t i)
{
    if (l->near == NULL)
        return oto_lm_u32(l->children, i);
    return oto_lm_u32(l->places, i / OTO_LM_BLOCK) + oto_lm_u16(l->near, i);
}

/** Value number i of a level (0 for level 1): which 0 = log_p, 1 = back-off. */
static inline float oto_lm_value(const struct oto_lm *lm, int level, int which, size_t i)
{
    const struct oto_lm_level *l = &lm->levels[level];
    const unsigned char *data = which == 0 ? l->log_p : l->backoff;
    if (lm->bits == 8)
        return lm->codes[level][which][data[i]];
    uint32_t bits = oto_lm_u32(data, i);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
