/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/feature_cache.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"

const char oto_feature_magic[8] = {'O', 'T', 'O', 'F', 'E', 'A', 'T', '1'};
const char oto_feature_end_magic[8] = {'O', 'T', 'O', 'F', 'E', 'A', 'T', 'E'};

enum { VERIFY_BLOCK = 256 /* entries verified by one task */ };

struct entry {
    uint64_t offset, n_static, checksum;
};

struct oto_feature_cache {
    struct oto_map map;
    char *path;
    struct entry *entries; /* [n_items * n_variants] */
    size_t n_entries;
    int n_variants, dim;
    bool half;
};

static size_t block_bytes(const struct oto_feature_cache *c, const struct entry *e)
{
    return (size_t)e->n_static * (size_t)c->dim * (c->half ? 2 : 4);
}

struct verify_job {
    struct oto_feature_cache *cache;
    size_t *bad; /* per task: index + 1 of its first damaged entry */
};

static void verify_task(void *arg, int k)
{
    struct verify_job *job = arg;
    const struct oto_feature_cache *c = job->cache;
    size_t end = ((size_t)k + 1) * VERIFY_BLOCK;
    for (size_t i = (size_t)k * VERIFY_BLOCK; i < end && i < c->n_entries; i++) {
        const struct entry *e = &c->entries[i];
        if (oto_checksum(c->map.data + e->offset, block_bytes(c, e)) != e->checksum) {
            job->bad[k] = i + 1;
            return;
        }
    }
}

static oto_status verify_blocks(struct oto_feature_cache *c, struct oto_pool *pool, oto_error *err)
{
    int n_tasks = (int)((c->n_entries + VERIFY_BLOCK - 1) / VERIFY_BLOCK);
    struct verify_job job = {c, oto_calloc((size_t)n_tasks, sizeof(size_t))};
    if (!job.bad)
        return oto_fail_memory(err, "feature cache");
    oto_pool_run(pool, n_tasks, verify_task, &job);
    oto_status status = OTO_OK;
    for (int k = 0; k < n_tasks && status == OTO_OK; k++)
        if (job.bad[k])
            status = oto_fail(
                err, OTO_ERR_CHECKSUM, "%s: block %zu at offset %llu: checksum does not match",
                c->path, job.bad[k] - 1, (unsigned long long)c->entries[job.bad[k] - 1].offset);
    oto_free(job.bad);
    return status;
}

/* Header, footer and table against each other and against what is expected; fills entries. */
static oto_status read_table(struct oto_feature_cache *c, uint64_t key, size_t n_items,
                             int n_variants, oto_error *err)
{
    const unsigned char *data = c->map.data;
    size_t size = c->map.size, n_entries = n_items * (size_t)n_variants;
    size_t table_bytes = n_entries * OTO_FEATURE_ENTRY_BYTES;
    if (size < OTO_FEATURE_HEADER_BYTES + OTO_FEATURE_FOOTER_BYTES + table_bytes)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: %zu bytes are too few for a feature cache of %zu entries", c->path,
                        size, n_entries);
    struct oto_reader head, foot, table;
    oto_reader_init(&head, data, OTO_FEATURE_HEADER_BYTES);
    oto_reader_init(&foot, data + size - OTO_FEATURE_FOOTER_BYTES, OTO_FEATURE_FOOTER_BYTES);
    bool magic = memcmp(oto_read_bytes(&head, 8), oto_feature_magic, 8) == 0;
    uint64_t table_offset = oto_read_u64(&foot), table_checksum = oto_read_u64(&foot);
    uint64_t head_checksum = oto_read_u64(&foot);
    if (!magic || memcmp(oto_read_bytes(&foot, 8), oto_feature_end_magic, 8) != 0)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: not a whole feature cache", c->path);
    if (oto_checksum(data, OTO_FEATURE_HEADER_BYTES) != head_checksum)
        return oto_fail(err, OTO_ERR_CHECKSUM, "%s: header at offset 0: checksum does not match",
                        c->path);
    uint64_t key_found = oto_read_u64(&head), n_found = oto_read_u64(&head);
    uint32_t variants_found = oto_read_u32(&head), dim = oto_read_u32(&head),
             half = oto_read_u32(&head);
    if (key_found != key || n_found != n_items || variants_found != (uint32_t)n_variants)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: made for another corpus or other options",
                        c->path);
    if (dim < 1 || dim > 100000 || half > 1)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: width %u or number type %u out of range", c->path,
                        dim, half);
    if (table_offset != size - OTO_FEATURE_FOOTER_BYTES - table_bytes)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: table offset %llu does not fit the file's size",
                        c->path, (unsigned long long)table_offset);
    if (oto_checksum(data + table_offset, table_bytes) != table_checksum)
        return oto_fail(err, OTO_ERR_CHECKSUM, "%s: table at offset %llu: checksum does not match",
                        c->path, (unsigned long long)table_offset);
    c->dim = (int)dim;
    c->half = half == 1;
    c->n_variants = n_variants;
    c->n_entries = n_entries;
    oto_reader_init(&table, data + table_offset, table_bytes);
    size_t width = (size_t)c->dim * (c->half ? 2 : 4);
    for (size_t i = 0; i < n_entries; i++) {
        struct entry *e = &c->entries[i];
        e->offset = oto_read_u64(&table);
        e->n_static = oto_read_u64(&table);
        e->checksum = oto_read_u64(&table);
        if (e->offset > table_offset || e->offset % OTO_ALIGN ||
            e->n_static > (table_offset - e->offset) / width)
            return oto_fail(err, OTO_ERR_FORMAT, "%s: table entry %zu points outside the blocks",
                            c->path, i);
    }
    return OTO_OK;
}

oto_status oto_feature_cache_map(struct oto_feature_cache **out, const char *path, uint64_t key,
                                 size_t n_items, int n_variants, struct oto_pool *pool,
                                 oto_error *err)
{
    *out = NULL;
    struct oto_feature_cache *c = oto_calloc(1, sizeof *c);
    if (!c)
        return oto_fail_memory(err, "feature cache");
    c->path = oto_strdup(path);
    c->entries = oto_calloc(n_items * (size_t)n_variants, sizeof *c->entries);
    oto_status status = c->path && c->entries ? oto_map_open(&c->map, path, err)
                                              : oto_fail_memory(err, "feature cache");
    if (status == OTO_OK)
        status = read_table(c, key, n_items, n_variants, err);
    if (status == OTO_OK)
        status = verify_blocks(c, pool, err);
    if (status != OTO_OK) {
        oto_feature_cache_close(c);
        return status;
    }
    *out = c;
    return OTO_OK;
}

/* Options after the static vectors do not change the cache, so it serves any CMVN, deltas and
 * stacking. */
static bool shapes_statics(const char *name)
{
    static const char *const later[] = {"cmvn", "delta", "stack", "stride"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (strncmp(name, later[i], strlen(later[i])) == 0)
            return false;
    return true;
}

static void write_text(struct oto_writer *w, const char *text)
{
    oto_write_bytes(w, text, strlen(text) + 1);
}

static oto_status compute_key(uint64_t *key, const struct oto_feature_item *items, size_t n_items,
                              const struct oto_feature_cache_options *o, oto_error *err)
{
    struct oto_writer w = {0};
    for (size_t i = 0; i < n_items; i++) {
        struct stat st = {0}; /* a file that is not there is found out about when it is read */
        write_text(&w, items[i].id);
        write_text(&w, items[i].path);
        if (stat(items[i].path, &st) == 0) {
            oto_write_u64(&w, (uint64_t)st.st_size);
            oto_write_u64(&w, (uint64_t)st.st_mtim.tv_sec);
            oto_write_u64(&w, (uint64_t)st.st_mtim.tv_nsec);
        }
        if (items[i].start_s > 0 || items[i].length_s > 0) {
            oto_write_f64(&w, items[i].start_s);
            oto_write_f64(&w, items[i].length_s);
        }
    }
    for (size_t i = 0; i < oto_frontend_n_options; i++) {
        const struct oto_option *option = &oto_frontend_option_table[i];
        if (!shapes_statics(option->name))
            continue;
        char *value = oto_options_get(option, o->frontend);
        if (!value)
            w.failed = true;
        write_text(&w, option->name);
        write_text(&w, value ? value : "");
        oto_free(value);
    }
    for (int s = 0; s < o->n_speeds; s++)
        oto_write_f64(&w, o->speeds[s]);
    oto_write_u8(&w, o->half);
    oto_write_u8(&w, o->skip_bad_audio);
    if (oto_feature_n_variants(o) > o->n_speeds) {
        oto_write_u64(&w, o->seed);
        oto_write_u32(&w, (uint32_t)o->n_copies);
        oto_wave_key(o->wave, &w, true);
    }
    *key = w.failed ? 0 : oto_checksum(w.data, w.size);
    bool failed = w.failed;
    oto_writer_clear(&w);
    return failed ? oto_fail_memory(err, "feature cache key") : OTO_OK;
}

int oto_feature_n_variants(const struct oto_feature_cache_options *options)
{
    return options->n_speeds + (options->wave ? options->n_copies : 0);
}

oto_status oto_feature_cache_open(struct oto_feature_cache **out, const char *folder,
                                  const struct oto_feature_item *items, size_t n_items,
                                  const struct oto_feature_cache_options *options,
                                  struct oto_pool *pool, bool *reused, oto_error *err)
{
    *out = NULL;
    uint64_t key;
    oto_status status = compute_key(&key, items, n_items, options, err);
    if (status != OTO_OK)
        return status;
    size_t capacity = strlen(folder) + 64;
    char *path = oto_calloc(capacity, 1);
    if (!path)
        return oto_fail_memory(err, "feature cache");
    snprintf(path, capacity, "%s/features-%016llx.bin", folder, (unsigned long long)key);
    oto_error why = {0};
    status =
        oto_feature_cache_map(out, path, key, n_items, oto_feature_n_variants(options), pool, &why);
    if (reused)
        *reused = status == OTO_OK;
    if (status != OTO_OK) {
        if (status != OTO_ERR_NOT_FOUND)
            oto_log(OTO_LOG_WARNING, "%s; the features are computed again", why.message);
        status = oto_feature_build(path, key, items, n_items, options, pool, err);
        if (status == OTO_OK)
            status = oto_feature_cache_map(out, path, key, n_items, oto_feature_n_variants(options),
                                           pool, err);
    }
    oto_free(path);
    return status;
}

void oto_feature_cache_close(struct oto_feature_cache *c)
{
    if (!c)
        return;
    if (c->map.data)
        oto_map_close(&c->map);
    oto_free(c->entries);
    oto_free(c->path);
    oto_free(c);
}

int oto_feature_cache_dim(const struct oto_feature_cache *c)
{
    return c->dim;
}

size_t oto_feature_cache_n_static(const struct oto_feature_cache *c, size_t i, int s)
{
    return (size_t)c->entries[i * (size_t)c->n_variants + (size_t)s].n_static;
}

void oto_feature_cache_read(const struct oto_feature_cache *c, size_t i, int s, float *out)
{
    const struct entry *e = &c->entries[i * (size_t)c->n_variants + (size_t)s];
    size_t n = (size_t)e->n_static * (size_t)c->dim;
    if (!c->half) {
        memcpy(out, c->map.data + e->offset, n * sizeof(float));
        return;
    }
    /* Blocks are 64-aligned in the file and the map is page-aligned. */
    const uint16_t *half = (const void *)(c->map.data + e->offset);
    for (size_t j = 0; j < n; j++)
        out[j] = oto_half_to_float(half[j]);
}

const char *oto_feature_cache_path(const struct oto_feature_cache *c)
{
    return c->path;
}
