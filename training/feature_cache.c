/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/feature_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    int fd;
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

/*
 * The file is read, not mapped: what was read of it does not count as memory of this process, and
 * a disk that fails is an error here and no signal.
 */
static oto_status read_at(const struct oto_feature_cache *c, void *out, size_t n, uint64_t offset,
                          oto_error *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t now = pread(c->fd, (char *)out + done, n - done, (off_t)(offset + done));
        if (now < 0 && errno == EINTR)
            continue;
        if (now < 0)
            return oto_fail_errno(err, c->path, "cannot read features");
        if (now == 0)
            return oto_fail(err, OTO_ERR_IO, "%s: ends at offset %llu, in a block of features",
                            c->path, (unsigned long long)(offset + done));
        done += (size_t)now;
    }
    return OTO_OK;
}

/* Entry i as it is in the file; out holds block_bytes(). */
static oto_status read_block(const struct oto_feature_cache *c, size_t i, void *out, oto_error *err)
{
    const struct entry *e = &c->entries[i];
    size_t n = block_bytes(c, e);
    oto_status status = read_at(c, out, n, e->offset, err);
    if (status == OTO_OK && oto_checksum(out, n) != e->checksum)
        status =
            oto_fail(err, OTO_ERR_CHECKSUM, "%s: block %zu at offset %llu: checksum does not match",
                     c->path, i, (unsigned long long)e->offset);
    return status;
}

struct verify_job {
    struct oto_feature_cache *cache;
    oto_error *errors; /* of each task */
};

static void verify_task(void *arg, int k)
{
    struct verify_job *job = arg;
    const struct oto_feature_cache *c = job->cache;
    size_t begin = (size_t)k * VERIFY_BLOCK, longest = 0;
    size_t end = begin + VERIFY_BLOCK < c->n_entries ? begin + VERIFY_BLOCK : c->n_entries;
    for (size_t i = begin; i < end; i++)
        if (block_bytes(c, &c->entries[i]) > longest)
            longest = block_bytes(c, &c->entries[i]);
    void *block = oto_calloc(longest, 1);
    oto_status status = block ? OTO_OK : oto_fail_memory(&job->errors[k], "feature cache");
    for (size_t i = begin; i < end && status == OTO_OK; i++)
        status = read_block(c, i, block, &job->errors[k]);
    job->errors[k].status = status;
    oto_free(block);
}

static oto_status verify_blocks(struct oto_feature_cache *c, struct oto_pool *pool, oto_error *err)
{
    int n_tasks = (int)((c->n_entries + VERIFY_BLOCK - 1) / VERIFY_BLOCK);
    struct verify_job job = {c, oto_calloc((size_t)n_tasks, sizeof *job.errors)};
    if (!job.errors)
        return oto_fail_memory(err, "feature cache");
    oto_pool_run(pool, n_tasks, verify_task, &job);
    oto_status status = OTO_OK;
    for (int k = 0; k < n_tasks && status == OTO_OK; k++)
        if (job.errors[k].status != OTO_OK)
            status = oto_fail(err, job.errors[k].status, "%s", job.errors[k].message);
    oto_free(job.errors);
    return status;
}

/* Header and footer against each other and against what is expected; where the table stands. */
static oto_status read_ends(struct oto_feature_cache *c, uint64_t key, size_t n_items,
                            int n_variants, uint64_t *table_offset, uint64_t *table_checksum,
                            oto_error *err)
{
    unsigned char head_bytes[OTO_FEATURE_HEADER_BYTES], foot_bytes[OTO_FEATURE_FOOTER_BYTES];
    size_t n_entries = n_items * (size_t)n_variants;
    size_t table_bytes = n_entries * OTO_FEATURE_ENTRY_BYTES;
    struct stat st;
    if (fstat(c->fd, &st) != 0)
        return oto_fail_errno(err, c->path, "cannot tell its size");
    size_t size = (size_t)st.st_size;
    if (!S_ISREG(st.st_mode) || size < sizeof head_bytes + sizeof foot_bytes + table_bytes)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: %zu bytes are too few for a feature cache of %zu entries", c->path,
                        size, n_entries);
    oto_status status = read_at(c, head_bytes, sizeof head_bytes, 0, err);
    if (status == OTO_OK)
        status = read_at(c, foot_bytes, sizeof foot_bytes, size - sizeof foot_bytes, err);
    if (status != OTO_OK)
        return status;
    struct oto_reader head, foot;
    oto_reader_init(&head, head_bytes, sizeof head_bytes);
    oto_reader_init(&foot, foot_bytes, sizeof foot_bytes);
    bool magic = memcmp(oto_read_bytes(&head, 8), oto_feature_magic, 8) == 0;
    *table_offset = oto_read_u64(&foot);
    *table_checksum = oto_read_u64(&foot);
    uint64_t head_checksum = oto_read_u64(&foot);
    if (!magic || memcmp(oto_read_bytes(&foot, 8), oto_feature_end_magic, 8) != 0)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: not a whole feature cache", c->path);
    if (oto_checksum(head_bytes, sizeof head_bytes) != head_checksum)
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
    if (*table_offset != size - sizeof foot_bytes - table_bytes)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: table offset %llu does not fit the file's size",
                        c->path, (unsigned long long)*table_offset);
    c->dim = (int)dim;
    c->half = half == 1;
    c->n_variants = n_variants;
    c->n_entries = n_entries;
    return OTO_OK;
}

/* Fills entries; table is what stands in the file. */
static oto_status read_entries(struct oto_feature_cache *c, const unsigned char *table,
                               uint64_t table_offset, oto_error *err)
{
    struct oto_reader r;
    oto_reader_init(&r, table, c->n_entries * OTO_FEATURE_ENTRY_BYTES);
    size_t width = (size_t)c->dim * (c->half ? 2 : 4);
    for (size_t i = 0; i < c->n_entries; i++) {
        struct entry *e = &c->entries[i];
        e->offset = oto_read_u64(&r);
        e->n_static = oto_read_u64(&r);
        e->checksum = oto_read_u64(&r);
        if (e->offset > table_offset || e->offset % OTO_ALIGN ||
            e->n_static > (table_offset - e->offset) / width)
            return oto_fail(err, OTO_ERR_FORMAT, "%s: table entry %zu points outside the blocks",
                            c->path, i);
    }
    return OTO_OK;
}

static oto_status read_table(struct oto_feature_cache *c, uint64_t key, size_t n_items,
                             int n_variants, oto_error *err)
{
    uint64_t offset, checksum;
    oto_status status = read_ends(c, key, n_items, n_variants, &offset, &checksum, err);
    if (status != OTO_OK)
        return status;
    size_t n = c->n_entries * OTO_FEATURE_ENTRY_BYTES;
    unsigned char *table = oto_calloc(n, 1);
    status = table ? read_at(c, table, n, offset, err) : oto_fail_memory(err, "feature cache");
    if (status == OTO_OK && oto_checksum(table, n) != checksum)
        status =
            oto_fail(err, OTO_ERR_CHECKSUM, "%s: table at offset %llu: checksum does not match",
                     c->path, (unsigned long long)offset);
    if (status == OTO_OK)
        status = read_entries(c, table, offset, err);
    oto_free(table);
    return status;
}

oto_status oto_feature_cache_load(struct oto_feature_cache **out, const char *path, uint64_t key,
                                  size_t n_items, int n_variants, bool verify,
                                  struct oto_pool *pool, oto_error *err)
{
    *out = NULL;
    struct oto_feature_cache *c = oto_calloc(1, sizeof *c);
    if (!c)
        return oto_fail_memory(err, "feature cache");
    c->fd = -1;
    c->path = oto_strdup(path);
    c->entries = oto_calloc(n_items * (size_t)n_variants, sizeof *c->entries);
    oto_status status = c->path && c->entries ? OTO_OK : oto_fail_memory(err, "feature cache");
    if (status == OTO_OK) {
        c->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (c->fd < 0)
            status = oto_fail_errno(err, path, "cannot open");
    }
    if (status == OTO_OK)
        status = read_table(c, key, n_items, n_variants, err);
    if (status == OTO_OK && verify)
        status = verify_blocks(c, pool, err);
    if (status != OTO_OK) {
        oto_feature_cache_close(c);
        return status;
    }
    *out = c;
    return OTO_OK;
}

/* Options after the static vectors do not change the cache, so it serves any CMVN, deltas and
 * stacking; nor do those of cepstra that are made of cached log energies. */
static bool shapes_statics(const char *name, const struct oto_frontend_options *o)
{
    if (o->kind == OTO_FEATURE_FBANK && (strcmp(name, "ceps") == 0 || strcmp(name, "lifter") == 0))
        return false;
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
        if (!shapes_statics(option->name, o->frontend))
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
    int n_variants = oto_feature_n_variants(options);
    status = oto_feature_cache_load(out, path, key, n_items, n_variants, !options->unverified, pool,
                                    &why);
    if (reused)
        *reused = status == OTO_OK;
    if (status != OTO_OK) {
        if (status != OTO_ERR_NOT_FOUND)
            oto_log(OTO_LOG_WARNING, "%s; the features are computed again", why.message);
        status = oto_feature_build(path, key, items, n_items, options, pool, err);
        if (status == OTO_OK)
            status = oto_feature_cache_load(out, path, key, n_items, n_variants, true, pool, err);
    }
    oto_free(path);
    return status;
}

void oto_feature_cache_close(struct oto_feature_cache *c)
{
    if (!c)
        return;
    if (c->fd >= 0)
        close(c->fd);
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

oto_status oto_feature_cache_read(const struct oto_feature_cache *c, size_t i, int s, float *out,
                                  oto_error *err)
{
    size_t entry = i * (size_t)c->n_variants + (size_t)s;
    size_t n = (size_t)c->entries[entry].n_static * (size_t)c->dim;
    /* Halves are read into the second half of out: number j is then written before half j + 1. */
    unsigned char *block = (unsigned char *)out + (c->half ? 2 * n : 0);
    oto_status status = read_block(c, entry, block, err);
    for (size_t j = 0; j < n && c->half && status == OTO_OK; j++) {
        uint16_t half;
        memcpy(&half, block + 2 * j, sizeof half);
        out[j] = oto_half_to_float(half);
    }
    return status;
}

const char *oto_feature_cache_path(const struct oto_feature_cache *c)
{
    return c->path;
}
