/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Static features (before CMVN, deltas and stacking) of every utterance in every variant, computed
 * once and kept in one file FOLDER/features-KEY.bin. Variants are the speeds, and after them
 * copies with changed samples (wave.h). KEY is a hash of what the features depend on: ids, audio
 * paths with size and time of change, the front-end options that shape static vectors, the speeds,
 * the changes, and the number type; another key is another file. Every block carries its checksum,
 * all are verified at open, and each when it is read. Memory holds the table alone.
 *
 * Layout, little-endian: header of 64 bytes | blocks, 64-aligned, [n_static, dim] float or half,
 * row-major | table of n_items*n_variants entries {u64 offset, u64 n_static, u64 XXH3} | footer of
 * 32 bytes.
 */
#ifndef OTO_TRAINING_FEATURE_CACHE_H
#define OTO_TRAINING_FEATURE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"
#include "features/frontend.h"
#include "training/wave.h"

struct oto_feature_item {
    const char *id, *path;    /* borrowed during open */
    const char *where;        /* "FILE:LINE", the manifest line, for messages */
    double start_s, length_s; /* its part of the file, see struct oto_utterance */
};

struct oto_feature_cache_options {
    const struct oto_frontend_options *frontend;
    const double *speeds; /* [n_speeds]: 1.1 is speech 10 % faster (and higher) */
    int n_speeds;
    const struct oto_wave *wave; /* NULL without copies */
    int n_copies;                /* changed by wave; drawn from seed and the utterance's id */
    uint64_t seed;
    bool half;           /* 16-bit floats in the file */
    bool unverified;     /* another process has just verified the file: only its table is read */
    bool skip_bad_audio; /* else a file that cannot be read fails the opening, after all were tried
                          */
    int max_messages;    /* bad files shown */
    void (*progress)(void *arg, size_t n_done,
                     size_t n_items); /* NULL allowed; called by the caller's thread */
    bool (*stop)(void *arg);          /* NULL allowed; true ends with OTO_ERR_INTERRUPTED */
    void *arg;
};

struct oto_feature_cache;

/** n_speeds, and n_copies where there is a wave. */
int oto_feature_n_variants(const struct oto_feature_cache_options *options);

/**
 * Opens the file that fits, or computes and writes it (atomically), the audio being decoded over
 * the pool. A file that fits but is damaged is reported and computed anew.
 * @param reused  receives whether nothing had to be computed; NULL allowed
 * Errors: OTO_ERR_DATA after bad audio, OTO_ERR_INTERRUPTED, and those of files, options and
 * memory.
 */
oto_status oto_feature_cache_open(struct oto_feature_cache **out, const char *folder,
                                  const struct oto_feature_item *items, size_t n_items,
                                  const struct oto_feature_cache_options *options,
                                  struct oto_pool *pool, bool *reused,
                                  oto_error *err) OTO_WARN_UNUSED;
void oto_feature_cache_close(struct oto_feature_cache *cache);

/** Opens one file; reads its table and, where verify says so, all of it once. OTO_ERR_FORMAT or
 * OTO_ERR_CHECKSUM with file and offset. */
oto_status oto_feature_cache_load(struct oto_feature_cache **out, const char *path, uint64_t key,
                                  size_t n_items, int n_variants, bool verify,
                                  struct oto_pool *pool, oto_error *err) OTO_WARN_UNUSED;

int oto_feature_cache_dim(const struct oto_feature_cache *cache);
/** Frames of item i in variant s; 0 when its audio could not be used. */
size_t oto_feature_cache_n_static(const struct oto_feature_cache *cache, size_t i, int s);
/** To out [n_static, dim]; from any thread. Errors: OTO_ERR_IO, OTO_ERR_CHECKSUM with file and
 * offset. */
oto_status oto_feature_cache_read(const struct oto_feature_cache *cache, size_t i, int s,
                                  float *out, oto_error *err) OTO_WARN_UNUSED;
const char *oto_feature_cache_path(const struct oto_feature_cache *cache);

/* ---- between feature_cache.c and feature_build.c
 * ---------------------------------------------------------------- */

enum { OTO_FEATURE_HEADER_BYTES = 64, OTO_FEATURE_FOOTER_BYTES = 32, OTO_FEATURE_ENTRY_BYTES = 24 };
extern const char oto_feature_magic[8], oto_feature_end_magic[8];

/** Computes and writes the file of that key. */
oto_status oto_feature_build(const char *path, uint64_t key, const struct oto_feature_item *items,
                             size_t n_items, const struct oto_feature_cache_options *options,
                             struct oto_pool *pool, oto_error *err) OTO_WARN_UNUSED;

#endif
