/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/checkpoint.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/log.h"
#include "base/mem.h"

static const char magic[8] = {'O', 'T', 'O', 'C', 'K', 'P', 'T', 0};

enum section_id {
    STATE,
    RECIPE,
    PARAMS,
    MOMENT1,
    MOMENT2,
    AVERAGE,
    BEST,
    BEST_WEIGHTS,
    N_SECTIONS
};
enum { N_SECTIONS_2 = AVERAGE + 1 /* of version 2 */ };
static const char *const section_names[N_SECTIONS] = {"state",  "recipe", "params", "adam.m",
                                                      "adam.v", "ema",    "best",   "best.weights"};
enum {
    HEADER_BYTES = 24,
    ENTRY_BYTES = 40,
    NAME_BYTES = 16,
    TABLE_BYTES = N_SECTIONS * ENTRY_BYTES,
    MAX_KEPT = 100
};

struct section {
    const void *data;
    size_t size;
};

/* checkpoint.bin, or checkpoint-K.bin for K > 0. */
static char *file_name(const char *folder, int k)
{
    size_t capacity = strlen(folder) + 40;
    char *path = oto_calloc(capacity, 1);
    if (path && k == 0)
        snprintf(path, capacity, "%s/checkpoint.bin", folder);
    else if (path)
        snprintf(path, capacity, "%s/checkpoint-%d.bin", folder, k);
    return path;
}

/* ---- writing
 * ----------------------------------------------------------------------------------------------------
 */

static void write_state(struct oto_writer *w, const struct oto_checkpoint *c)
{
    const struct oto_train_state *s = &c->state;
    const uint64_t counters[] = {s->step,        s->epoch,       s->position,   s->n_skipped,
                                 s->updates,     s->loss_labels, s->best_epoch, s->metrics_bytes,
                                 c->fingerprint, c->n,           s->n_halvings};
    const double reals[] = {s->loss_sum, s->audio_s,   s->wall_s,      s->total_wall_s, s->best_cer,
                            s->best_wer, s->best_loss, s->lowest_loss, s->last_loss};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        oto_write_u64(w, counters[i]);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        oto_write_f64(w, reals[i]);
}

static void write_best(struct oto_writer *w, const struct oto_checkpoint *c)
{
    for (int i = 0; i < c->n_best; i++) {
        oto_write_u64(w, c->best[i].epoch);
        oto_write_f64(w, c->best[i].cer);
        oto_write_f64(w, c->best[i].wer);
        oto_write_f64(w, c->best[i].loss);
    }
}

static void write_head(struct oto_writer *w, const struct section *sections)
{
    struct oto_writer table = {0};
    uint64_t offset = (HEADER_BYTES + TABLE_BYTES + OTO_ALIGN - 1) / OTO_ALIGN * OTO_ALIGN;
    for (int i = 0; i < N_SECTIONS; i++) {
        char name[NAME_BYTES] = {0};
        snprintf(name, sizeof name, "%s", section_names[i]);
        oto_write_bytes(&table, name, sizeof name);
        oto_write_u64(&table, offset);
        oto_write_u64(&table, sections[i].size);
        oto_write_u64(&table, oto_checksum(sections[i].data, sections[i].size));
        offset += (sections[i].size + OTO_ALIGN - 1) / OTO_ALIGN * OTO_ALIGN;
    }
    oto_write_bytes(w, magic, sizeof magic);
    oto_write_u32(w, OTO_CHECKPOINT_VERSION);
    oto_write_u32(w, N_SECTIONS);
    oto_write_u64(w, oto_checksum(table.data, table.size));
    oto_write_bytes(w, table.data, table.size);
    oto_write_align(w, OTO_ALIGN);
    w->failed = w->failed || table.failed;
    oto_writer_clear(&table);
}

static oto_status write_file(struct oto_atomic_file *f, const struct oto_checkpoint *c,
                             oto_error *err)
{
    static const unsigned char zeros[OTO_ALIGN];
    struct oto_writer state = {0}, head = {0}, best = {0};
    write_state(&state, c);
    write_best(&best, c);
    size_t bytes = c->n * sizeof(float);
    const struct section sections[N_SECTIONS] = {
        {state.data, state.size},
        {c->recipe, strlen(c->recipe)},
        {c->params, bytes},
        {c->m, bytes},
        {c->v, bytes},
        {c->ema, c->ema ? bytes : (size_t)0},
        {best.data, best.size},
        {c->best_weights, (size_t)c->n_best * bytes},
    };
    write_head(&head, sections);
    oto_status status = state.failed || head.failed || best.failed
                            ? oto_fail_memory(err, "checkpoint")
                            : oto_atomic_write(f, head.data, head.size, err);
    for (int i = 0; i < N_SECTIONS && status == OTO_OK; i++) {
        size_t pad = (OTO_ALIGN - sections[i].size % OTO_ALIGN) % OTO_ALIGN;
        if (sections[i].size > 0)
            status = oto_atomic_write(f, sections[i].data, sections[i].size, err);
        if (status == OTO_OK && pad > 0)
            status = oto_atomic_write(f, zeros, pad, err);
    }
    oto_writer_clear(&state);
    oto_writer_clear(&head);
    oto_writer_clear(&best);
    return status;
}

/*
 * Older files move up by one. checkpoint.bin itself is not moved but linked, so that its name is
 * never without a file: the rename of the new one over it is the only change it sees.
 */
static oto_status rotate(const char *folder, int keep, oto_error *err)
{
    oto_status status = OTO_OK;
    for (int k = keep - 1; k >= 1 && status == OTO_OK; k--) {
        char *from = file_name(folder, k - 1), *to = file_name(folder, k);
        if (!from || !to)
            status = oto_fail_memory(err, "checkpoint");
        else if (k > 1 && rename(from, to) != 0 && errno != ENOENT)
            status = oto_fail_errno(err, to, "cannot keep the older checkpoint");
        else if (k == 1 &&
                 ((unlink(to) != 0 && errno != ENOENT) || (link(from, to) != 0 && errno != ENOENT)))
            status = oto_fail_errno(err, to, "cannot keep the older checkpoint");
        oto_free(from);
        oto_free(to);
    }
    return status;
}

oto_status oto_checkpoint_save(const struct oto_checkpoint *c, const char *folder, int keep,
                               oto_error *err)
{
    char *path = file_name(folder, 0);
    if (!path)
        return oto_fail_memory(err, "checkpoint");
    struct oto_atomic_file *f = NULL;
    oto_status status = oto_atomic_open(&f, path, err);
    if (status == OTO_OK)
        status = write_file(f, c, err);
    if (status == OTO_OK)
        status = rotate(folder, keep, err);
    if (status == OTO_OK)
        status = oto_atomic_commit(f, err);
    else
        oto_atomic_abort(f);
    oto_free(path);
    return status;
}

/* ---- reading
 * ----------------------------------------------------------------------------------------------------
 */

static oto_status read_table(const struct oto_map *map, struct section *sections, const char *path,
                             oto_error *err)
{
    struct oto_reader r;
    oto_reader_init(&r, map->data, map->size);
    const void *found = oto_read_bytes(&r, sizeof magic);
    uint32_t version = oto_read_u32(&r), n_sections = oto_read_u32(&r);
    uint64_t checksum = oto_read_u64(&r);
    if (!found || memcmp(found, magic, sizeof magic) != 0)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: offset 0: not a checkpoint", path);
    if (r.failed)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: cut off in its header", path);
    if (version < 2 || version > OTO_CHECKPOINT_VERSION)
        return oto_fail(err, OTO_ERR_VERSION, "%s: version %u, this build reads 2 and %d", path,
                        version, OTO_CHECKPOINT_VERSION);
    uint32_t expected = version == 2 ? N_SECTIONS_2 : N_SECTIONS;
    if (n_sections != expected)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: offset 12: %u sections, expected %u", path,
                        n_sections, expected);
    const size_t table_bytes = (size_t)n_sections * ENTRY_BYTES;
    const void *table = oto_read_bytes(&r, table_bytes);
    if (!table)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: cut off in its section table", path);
    if (oto_checksum(table, table_bytes) != checksum)
        return oto_fail(err, OTO_ERR_CHECKSUM,
                        "%s: section table at offset %d: checksum does not match", path,
                        HEADER_BYTES);
    oto_reader_init(&r, table, table_bytes);
    for (int i = 0; i < (int)n_sections; i++) {
        const char *name = oto_read_bytes(&r, NAME_BYTES);
        uint64_t offset = oto_read_u64(&r), size = oto_read_u64(&r), sum = oto_read_u64(&r);
        if (strncmp(name, section_names[i], NAME_BYTES) != 0)
            return oto_fail(err, OTO_ERR_FORMAT, "%s: section %d is not '%s'", path, i,
                            section_names[i]);
        if (offset > map->size || size > map->size - offset || offset % OTO_ALIGN)
            return oto_fail(err, OTO_ERR_FORMAT,
                            "%s: section '%s' at offset %llu: cut off, or out of place", path,
                            section_names[i], (unsigned long long)offset);
        if (oto_checksum(map->data + offset, (size_t)size) != sum)
            return oto_fail(err, OTO_ERR_CHECKSUM,
                            "%s: section '%s' at offset %llu: checksum does not match", path,
                            section_names[i], (unsigned long long)offset);
        sections[i] = (struct section){map->data + offset, (size_t)size};
    }
    return OTO_OK;
}

static oto_status read_state(struct oto_checkpoint *c, const struct section *section,
                             const char *path, oto_error *err)
{
    struct oto_train_state *s = &c->state;
    struct oto_reader r;
    oto_reader_init(&r, section->data, section->size);
    uint64_t n = 0;
    uint64_t *const counters[] = {
        &s->step,        &s->epoch,      &s->position,      &s->n_skipped,   &s->updates,
        &s->loss_labels, &s->best_epoch, &s->metrics_bytes, &c->fingerprint, &n,
        &s->n_halvings};
    double *const reals[] = {&s->loss_sum,     &s->audio_s,     &s->wall_s,
                             &s->total_wall_s, &s->best_cer,    &s->best_wer,
                             &s->best_loss,    &s->lowest_loss, &s->last_loss};
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        *counters[i] = oto_read_u64(&r);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        *reals[i] = oto_read_f64(&r);
    if (r.failed || r.offset != section->size)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'state': %zu bytes are not what this version holds", path,
                        section->size);
    c->n = (size_t)n;
    return OTO_OK;
}

static oto_status read_best(struct oto_checkpoint *c, const struct section *entries,
                            const struct section *weights, const char *path, oto_error *err)
{
    enum { BEST_BYTES = 32 };
    const size_t n = entries->size / BEST_BYTES;
    if (entries->size % BEST_BYTES != 0 || n > OTO_BEST_N_MAX)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'best': %zu bytes are not up to %d epochs", path,
                        entries->size, OTO_BEST_N_MAX);
    if (weights->size != n * c->n * sizeof(float))
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'best.weights': %zu bytes for %zu times %zu parameters", path,
                        weights->size, n, c->n);
    struct oto_reader r;
    oto_reader_init(&r, entries->data, entries->size);
    for (size_t i = 0; i < n; i++) {
        c->best[i].epoch = oto_read_u64(&r);
        c->best[i].cer = oto_read_f64(&r);
        c->best[i].wer = oto_read_f64(&r);
        c->best[i].loss = oto_read_f64(&r);
    }
    c->n_best = (int)n;
    c->best_weights = n > 0 ? weights->data : NULL;
    return OTO_OK;
}

oto_status oto_checkpoint_read(struct oto_checkpoint *c, const char *path, oto_error *err)
{
    memset(c, 0, sizeof *c);
    struct section sections[N_SECTIONS] = {{0}};
    oto_status status = oto_map_open(&c->map, path, err);
    if (status != OTO_OK)
        return status;
    status = read_table(&c->map, sections, path, err);
    if (status == OTO_OK)
        status = read_state(c, &sections[STATE], path, err);
    size_t bytes = 0;
    for (int i = PARAMS; status == OTO_OK && i <= AVERAGE; i++)
        if (!oto_mul_size(c->n, sizeof(float), &bytes) ||
            (sections[i].size != bytes && !(i == AVERAGE && sections[i].size == 0)))
            status = oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': %zu bytes for %zu parameters",
                              path, section_names[i], sections[i].size, c->n);
    if (status == OTO_OK)
        status = read_best(c, &sections[BEST], &sections[BEST_WEIGHTS], path, err);
    if (status == OTO_OK) {
        c->recipe_copy = oto_strndup(sections[RECIPE].data, sections[RECIPE].size);
        if (!c->recipe_copy)
            status = oto_fail_memory(err, "checkpoint");
    }
    if (status != OTO_OK) {
        oto_checkpoint_close(c);
        return status;
    }
    c->recipe = c->recipe_copy;
    c->params = sections[PARAMS].data;
    c->m = sections[MOMENT1].data;
    c->v = sections[MOMENT2].data;
    c->ema = sections[AVERAGE].size ? sections[AVERAGE].data : NULL;
    return OTO_OK;
}

oto_status oto_checkpoint_load(struct oto_checkpoint *c, const char *folder, oto_error *err)
{
    oto_status first = OTO_OK;
    for (int k = 0; k < MAX_KEPT; k++) {
        char *path = file_name(folder, k);
        if (!path)
            return oto_fail_memory(err, "checkpoint");
        oto_error why = {0};
        oto_status status = oto_checkpoint_read(c, path, &why);
        if (status == OTO_OK && first != OTO_OK)
            oto_log(OTO_LOG_WARNING, "going on from the older checkpoint %s", path);
        oto_free(path);
        if (status == OTO_OK)
            return OTO_OK;
        if (status == OTO_ERR_NOT_FOUND)
            continue;
        oto_log(OTO_LOG_WARNING, "%s", why.message);
        if (first == OTO_OK)
            first = oto_fail(err, status, "%s", why.message);
    }
    return first != OTO_OK
               ? first
               : oto_fail(err, OTO_ERR_NOT_FOUND, "%s: no checkpoint to go on from", folder);
}

void oto_checkpoint_close(struct oto_checkpoint *c)
{
    if (c->map.data)
        oto_map_close(&c->map);
    oto_free(c->recipe_copy);
    memset(c, 0, sizeof *c);
}

void oto_checkpoint_remove(const char *folder)
{
    for (int k = 0; k < MAX_KEPT; k++) {
        char *path = file_name(folder, k);
        if (path)
            unlink(path); /* what cannot be removed is overwritten by the first checkpoint of the
                             new run */
        oto_free(path);
    }
}

int oto_checkpoint_exists(const char *folder)
{
    bool found = false;
    for (int k = 0; k < MAX_KEPT && !found; k++) {
        char *path = file_name(folder, k);
        found = path && access(path, F_OK) == 0;
        oto_free(path);
    }
    return found;
}
