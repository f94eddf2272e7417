/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "training/metrics.h"

static const char *const names[OTO_N_METRICS] = {
    "step",    "epoch",    "loss",    "grad_norm", "lr",         "audio_s_per_s",
    "skipped", "dev_loss", "dev_cer", "dev_wer",   "best_epoch", "seconds"};

static bool grow(struct oto_metrics *m)
{
    if (m->n < m->capacity)
        return true;
    size_t capacity = m->capacity > 0 ? 2 * m->capacity : 256;
    struct oto_metric_row *rows = oto_calloc(capacity, sizeof *rows);
    if (!rows)
        return false;
    if (m->n > 0)
        memcpy(rows, m->rows, m->n * sizeof *rows);
    oto_free(m->rows);
    m->rows = rows;
    m->capacity = capacity;
    return true;
}

static oto_status read_line(struct oto_metrics *m, const char *line, size_t n, const char *path,
                            size_t number, oto_error *err)
{
    json_error_t where;
    json_t *object = json_loadb(line, n, 0, &where);
    const char *kind = json_string_value(json_object_get(object, "kind"));
    oto_status status = OTO_OK;
    if (!kind) {
        status = oto_fail(err, OTO_ERR_FORMAT,
                          "%s:%zu: not a line of metrics: %.80s; expected an object with a kind",
                          path, number, object ? "it has no kind" : where.text);
    } else if (strcmp(kind, "step") == 0 || strcmp(kind, "epoch") == 0) {
        if (!grow(m)) {
            status = oto_fail_memory(err, "metrics");
        } else {
            struct oto_metric_row *row = &m->rows[m->n++];
            row->is_epoch = kind[0] == 'e';
            for (int k = 0; k < OTO_N_METRICS; k++) {
                json_t *value = json_object_get(object, names[k]);
                row->values[k] = json_is_number(value) ? json_number_value(value) : (double)NAN;
            }
        }
    }
    json_decref(object);
    return status;
}

oto_status oto_metrics_load(struct oto_metrics *m, const char *path, oto_error *err)
{
    struct oto_map map;
    oto_status status = oto_map_open(&map, path, err);
    if (status != OTO_OK)
        return status;
    size_t number = 0;
    for (size_t i = 0; i < map.size && status == OTO_OK;) {
        const char *line = (const char *)map.data + i;
        const char *end = memchr(line, '\n', map.size - i);
        size_t n = end ? (size_t)(end - line) : map.size - i;
        number++;
        if (n > 0)
            status = read_line(m, line, n, path, number, err);
        i += n + 1;
    }
    oto_map_close(&map);
    return status;
}

void oto_metrics_clear(struct oto_metrics *m)
{
    oto_free(m->rows);
    *m = (struct oto_metrics){0};
}
