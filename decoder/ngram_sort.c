/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/ngram_sort.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "decoder/ngram.h"

#define MAX_RUNS 64
#define MIN_BUFFER ((size_t)1 << 14)

/* A sorted part of the n-grams in a file, read in blocks. */
struct run {
    int fd;
    uint32_t *buffer; /* [capacity] records, while it is read */
    size_t at, n;     /* records */
};

struct oto_ngram_sorter {
    int k;
    uint32_t n_words;
    size_t capacity; /* records that memory has room for, with as many again for sorting */
    char *folder;
    struct oto_ngram_records records;
    struct run runs[MAX_RUNS + 1];
    int n_runs;
    size_t buffer_capacity;                 /* records a run */
    size_t at;                              /* of records, where there are no runs */
    uint32_t current[OTO_LM_MAX_ORDER + 2]; /* what next() gave */
};

/* ---- temporary files --------------------------------------------------------------------- */

int oto_ngram_temporary(const char *folder, oto_error *err)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/otolith-XXXXXX", folder);
    if (n < 0 || (size_t)n >= sizeof path) {
        (void)oto_fail(err, OTO_ERR_ARGUMENT, "%.80s...: path too long", folder);
        return -1;
    }
    int fd = mkstemp(path);
    if (fd < 0)
        (void)oto_fail_errno(err, folder, "cannot make a temporary file");
    else
        unlink(path);
    return fd;
}

static oto_status write_all(const struct oto_ngram_sorter *s, int fd, const void *data, size_t n,
                            oto_error *err)
{
    const char *p = data;
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return oto_fail_errno(err, s->folder, "cannot write a temporary file");
        p += done;
        n -= (size_t)done;
    }
    return OTO_OK;
}

static size_t stride_of(const struct oto_ngram_sorter *s)
{
    return (size_t)s->k + 2;
}

/* ---- runs -------------------------------------------------------------------------------- */

static void release_buffers(struct oto_ngram_sorter *s)
{
    for (int i = 0; i < s->n_runs; i++) {
        oto_free(s->runs[i].buffer);
        s->runs[i].buffer = NULL;
    }
}

static oto_status fill_run(const struct oto_ngram_sorter *s, struct run *run, oto_error *err)
{
    const size_t size = stride_of(s) * sizeof *run->buffer;
    size_t n = 0;
    while (n < s->buffer_capacity * size) {
        ssize_t done = read(run->fd, (char *)run->buffer + n, s->buffer_capacity * size - n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return oto_fail_errno(err, s->folder, "cannot read a temporary file");
        if (done == 0)
            break;
        n += (size_t)done;
    }
    run->at = 0;
    run->n = n / size;
    return OTO_OK;
}

static oto_status start_runs(struct oto_ngram_sorter *s, oto_error *err)
{
    const size_t size = stride_of(s) * sizeof(uint32_t);
    s->buffer_capacity = 2 * s->capacity / (size_t)s->n_runs;
    if (s->buffer_capacity * size < MIN_BUFFER)
        s->buffer_capacity = MIN_BUFFER / size;
    for (int i = 0; i < s->n_runs; i++) {
        struct run *run = &s->runs[i];
        if (run->buffer == NULL)
            run->buffer = oto_calloc(s->buffer_capacity, size);
        if (run->buffer == NULL)
            return oto_fail_memory(err, "sorting");
        if (lseek(run->fd, 0, SEEK_SET) != 0)
            return oto_fail_errno(err, s->folder, "cannot rewind a temporary file");
        oto_status status = fill_run(s, run, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

static int compare(const uint32_t *a, const uint32_t *b, int k)
{
    for (int i = 0; i < k; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

/* The least record of all runs, the counts of its like added; NULL at the end. There are few runs,
 * so that looking at each is no slower than a heap. */
static oto_status next_of_runs(struct oto_ngram_sorter *s, const uint32_t **record, oto_error *err)
{
    const size_t stride = stride_of(s);
    const uint32_t *least = NULL;
    *record = NULL;
    for (int i = 0; i < s->n_runs; i++) {
        const struct run *run = &s->runs[i];
        if (run->n == 0 || run->buffer == NULL)
            continue;
        const uint32_t *now = run->buffer + run->at * stride;
        if (least == NULL || compare(now, least, s->k) < 0)
            least = now;
    }
    if (least == NULL)
        return OTO_OK;
    memcpy(s->current, least, (size_t)s->k * sizeof *least);
    s->current[s->k] = s->current[s->k + 1] = 0;
    for (int i = 0; i < s->n_runs; i++) {
        struct run *run = &s->runs[i];
        if (run->n == 0 || run->buffer == NULL)
            continue;
        const uint32_t *now = run->buffer + run->at * stride;
        if (compare(now, s->current, s->k) != 0)
            continue;
        s->current[s->k] += now[s->k];
        s->current[s->k + 1] += now[s->k + 1];
        if (++run->at == run->n) {
            oto_status status = fill_run(s, run, err);
            if (status != OTO_OK)
                return status;
        }
    }
    *record = s->current;
    return OTO_OK;
}

/* All runs into one, in the place of the first. */
static oto_status merge_runs(struct oto_ngram_sorter *s, oto_error *err)
{
    const size_t stride = stride_of(s), room = MIN_BUFFER / sizeof(uint32_t) / stride;
    uint32_t out[MIN_BUFFER / sizeof(uint32_t)];
    size_t n = 0;
    const uint32_t *record;
    int fd = oto_ngram_temporary(s->folder, err);
    if (fd < 0)
        return OTO_ERR_IO;
    oto_status status = start_runs(s, err);
    while (status == OTO_OK && (status = next_of_runs(s, &record, err)) == OTO_OK) {
        if (record != NULL)
            memcpy(out + n++ * stride, record, stride * sizeof *record);
        if (n == room || record == NULL) {
            status = write_all(s, fd, out, n * stride * sizeof *out, err);
            n = 0;
        }
        if (record == NULL)
            break;
    }
    release_buffers(s);
    if (status != OTO_OK) {
        close(fd);
        return status;
    }
    for (int i = 0; i < s->n_runs; i++)
        close(s->runs[i].fd);
    s->runs[0] = (struct run){.fd = fd};
    s->n_runs = 1;
    return OTO_OK;
}

/* ---- memory ------------------------------------------------------------------------------ */

/* Sorts what is in memory and adds up equal ones. */
static oto_status settle(struct oto_ngram_sorter *s, oto_error *err)
{
    const size_t stride = stride_of(s);
    struct oto_ngram_records *r = &s->records;
    if (!oto_ngram_records_sort(r, s->n_words))
        return oto_fail_memory(err, "sorting");
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        uint32_t *last = r->data + (n > 0 ? n - 1 : 0) * stride;
        const uint32_t *now = r->data + i * stride;
        if (n > 0 && compare(last, now, s->k) == 0) {
            last[s->k] += now[s->k];
            last[s->k + 1] += now[s->k + 1];
        } else {
            memmove(r->data + n++ * stride, now, stride * sizeof *now);
        }
    }
    r->n = n;
    return OTO_OK;
}

/* Memory is settled: out with it. */
static oto_status spill(struct oto_ngram_sorter *s, oto_error *err)
{
    if (s->n_runs == MAX_RUNS) {
        oto_status status = merge_runs(s, err);
        if (status != OTO_OK)
            return status;
    }
    int fd = oto_ngram_temporary(s->folder, err);
    if (fd < 0)
        return OTO_ERR_IO;
    s->runs[s->n_runs++] = (struct run){.fd = fd};
    oto_status status =
        write_all(s, fd, s->records.data, s->records.n * stride_of(s) * sizeof(uint32_t), err);
    s->records.n = 0;
    return status;
}

/* ---- public ------------------------------------------------------------------------------ */

oto_status oto_ngram_sorter_create(struct oto_ngram_sorter **out, int k, uint32_t n_words,
                                   size_t memory, const char *folder, oto_error *err)
{
    struct oto_ngram_sorter *s = oto_calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL || (s->folder = oto_strdup(folder)) == NULL) {
        oto_free(s);
        return oto_fail_memory(err, "sorting");
    }
    s->k = s->records.k = k;
    s->n_words = n_words;
    memory = memory < (size_t)1 << 20 ? (size_t)1 << 20 : memory;
    s->capacity = memory / 2 / (stride_of(s) * sizeof(uint32_t));
    *out = s;
    return OTO_OK;
}

void oto_ngram_sorter_destroy(struct oto_ngram_sorter *s)
{
    if (s == NULL)
        return;
    release_buffers(s);
    for (int i = 0; i < s->n_runs; i++)
        close(s->runs[i].fd);
    oto_ngram_records_clear(&s->records);
    oto_free(s->folder);
    oto_free(s);
}

oto_status oto_ngram_sorter_add(struct oto_ngram_sorter *s, const uint32_t *words, uint32_t count_1,
                                uint32_t count_2, oto_error *err)
{
    if (s->records.n >= s->capacity) {
        oto_status status = settle(s, err);
        /* Where many were alike it pays to go on in memory. */
        if (status == OTO_OK && s->records.n > s->capacity / 2)
            status = spill(s, err);
        if (status != OTO_OK)
            return status;
    }
    if (!oto_ngram_record_add(&s->records, words, count_1, count_2))
        return oto_fail_memory(err, "sorting");
    return OTO_OK;
}

oto_status oto_ngram_sorter_rewind(struct oto_ngram_sorter *s, oto_error *err)
{
    oto_status status = settle(s, err);
    s->at = 0;
    if (status != OTO_OK || s->n_runs == 0)
        return status;
    if (s->records.n > 0)
        status = spill(s, err);
    if (status != OTO_OK)
        return status;
    oto_ngram_records_clear(&s->records);
    return start_runs(s, err);
}

oto_status oto_ngram_sorter_next(struct oto_ngram_sorter *s, const uint32_t **record,
                                 oto_error *err)
{
    if (s->n_runs > 0)
        return next_of_runs(s, record, err);
    *record = s->at < s->records.n ? s->records.data + s->at++ * stride_of(s) : NULL;
    return OTO_OK;
}
