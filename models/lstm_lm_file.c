/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of LSTM language models (docs/language_models.md). */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "acoustic/quant.h"
#include "base/atomic_file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "models/lstm_lm_format.h"

const struct oto_container_kind oto_lstm_lm_kind = {"\x89OTN\r\n\x1a\n", 1, 0,
                                                    "LSTM language model"};

enum { INFO_BYTES = 32, N_FILE_SECTIONS = 4 };
static const char *const weight_sections[] = {"weights", "weights8"}; /* by oto_lstm_weights */

/* Whether a tensor is stored as 8-bit rows where weights are. */
static bool is_matrix(const struct oto_tensor *t)
{
    return t->n_cols > 1;
}

/* Bytes of a tensor. */
static size_t stored_size(const struct oto_tensor *t, enum oto_lstm_weights weights)
{
    const size_t n = (size_t)t->n_rows * (size_t)t->n_cols;
    return weights == OTO_LSTM_I8 && is_matrix(t) ? n + 4 * (size_t)t->n_rows : 4 * n;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void write_info(struct oto_writer *w, const struct oto_lstm_lm *lm)
{
    oto_write_u32(w, (uint32_t)lm->shape.n_words);
    oto_write_u32(w, (uint32_t)lm->shape.n_classes);
    oto_write_u32(w, (uint32_t)lm->shape.n_embed);
    oto_write_u32(w, (uint32_t)lm->shape.n_hidden);
    oto_write_u32(w, (uint32_t)lm->shape.n_layers);
    oto_write_u32(w, 0);
    oto_write_u64(w, lm->n_unknown);
}

static oto_status write_matrix(struct oto_writer *w, const float *values,
                               const struct oto_tensor *t, oto_error *err)
{
    const size_t n_rows = (size_t)t->n_rows, n_cols = (size_t)t->n_cols;
    int8_t *codes = oto_calloc(n_cols, sizeof *codes);
    if (codes == NULL)
        return oto_fail_memory(err, "8-bit weights");
    const size_t scales = w->size;
    for (size_t r = 0; r < n_rows; r++)
        oto_write_f32(w, 0);
    for (size_t r = 0; r < n_rows; r++) {
        float scale;
        struct oto_writer number = {0};
        oto_quantize_rows(codes, &scale, values + r * n_cols, 1, n_cols);
        oto_write_bytes(w, codes, n_cols);
        oto_write_f32(&number, scale);
        w->failed = w->failed || number.failed;
        if (!w->failed)
            memcpy(w->data + scales + 4 * r, number.data, 4);
        oto_writer_clear(&number);
    }
    oto_free(codes);
    return OTO_OK;
}

static oto_status write_weights(struct oto_writer *w, const struct oto_lstm_lm *lm,
                                enum oto_lstm_weights weights, oto_error *err)
{
    for (int i = 0; i < oto_word_n_tensors(&lm->shape); i++) {
        struct oto_tensor t;
        oto_word_tensor(&lm->shape, i, &t);
        const float *values = lm->params + t.offset;
        const size_t n = (size_t)t.n_rows * (size_t)t.n_cols;
        for (size_t k = 0; k < n; k++)
            if (!isfinite(values[k]))
                return oto_fail(err, OTO_ERR_DATA, "tensor '%s': element %zu: not a finite number",
                                t.name, k);
        if (weights == OTO_LSTM_I8 && is_matrix(&t)) {
            oto_status status = write_matrix(w, values, &t, err);
            if (status != OTO_OK)
                return status;
        } else {
            for (size_t k = 0; k < n; k++)
                oto_write_f32(w, values[k]);
        }
    }
    return OTO_OK;
}

oto_status oto_lstm_lm_save(const struct oto_lstm_lm *lm, const char *path,
                            enum oto_lstm_weights weights, oto_error *err)
{
    struct oto_writer info = {0}, words = {0}, classes = {0}, numbers = {0};
    struct oto_container_writer file = {0};
    write_info(&info, lm);
    for (uint32_t i = 0; i < lm->words.n; i++) {
        const char *word = oto_words_text(&lm->words, i);
        oto_write_bytes(&words, word, strlen(word) + 1);
    }
    for (int c = 0; c <= lm->shape.n_classes; c++)
        oto_write_u32(&classes, (uint32_t)lm->class_first[c]);
    oto_status status = write_weights(&numbers, lm, weights, err);
    if (status == OTO_OK) {
        oto_container_begin(&file, N_FILE_SECTIONS);
        oto_container_section(&file, "info", 0, info.data, info.size);
        oto_container_section(&file, "words", 0, words.data, words.size);
        oto_container_section(&file, "classes", 0, classes.data, classes.size);
        oto_container_section(&file, weight_sections[weights], 0, numbers.data, numbers.size);
        oto_container_finish(&file, &oto_lstm_lm_kind);
        if (info.failed || words.failed || classes.failed || numbers.failed || file.out.failed)
            status = oto_fail_memory(err, "LSTM language model");
    }
    if (status == OTO_OK)
        status = oto_atomic_save(path, file.out.data, file.out.size, err);
    oto_writer_clear(&info);
    oto_writer_clear(&words);
    oto_writer_clear(&classes);
    oto_writer_clear(&numbers);
    oto_writer_clear(&file.out);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* A section of a file, and how to speak of it. */
struct part {
    const struct oto_container *c;
    const struct oto_section *section;
    struct oto_reader reader;
};

static oto_status open_part(struct part *p, const struct oto_container *c, const char *name,
                            oto_error *err)
{
    *p = (struct part){.c = c, .section = oto_container_find(c, name, err)};
    if (p->section == NULL)
        return OTO_ERR_FORMAT;
    oto_reader_init(&p->reader, c->data + p->section->offset, p->section->size);
    return OTO_OK;
}

static oto_status fail_at(const struct part *p, size_t offset, const char *what, oto_error *err)
{
    return oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': offset %zu: %s", p->c->name,
                    p->section->name, p->section->offset + offset, what);
}

static oto_status fail_size(const struct part *p, size_t expected, oto_error *err)
{
    return oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': %zu bytes, expected %zu", p->c->name,
                    p->section->name, p->section->size, expected);
}

static oto_status read_info(struct oto_lstm_lm *lm, const struct oto_container *c, oto_error *err)
{
    struct part p;
    oto_error inner = {0};
    oto_status status = open_part(&p, c, "info", err);
    if (status != OTO_OK)
        return status;
    if (p.section->size != INFO_BYTES)
        return fail_size(&p, INFO_BYTES, err);
    int *const fields[] = {&lm->shape.n_words, &lm->shape.n_classes, &lm->shape.n_embed,
                           &lm->shape.n_hidden, &lm->shape.n_layers};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const uint32_t v = oto_read_u32(&p.reader);
        *fields[i] = v <= INT32_MAX ? (int)v : -1;
    }
    const uint32_t zero = oto_read_u32(&p.reader);
    lm->n_unknown = oto_read_u64(&p.reader);
    if (zero != 0)
        return fail_at(&p, 20, "not zero", err);
    if (lm->n_unknown < 1)
        return fail_at(&p, 24, "0 unknown words, expected 1 or more", err);
    if (oto_word_shape_check(&lm->shape, &inner) != OTO_OK)
        return fail_at(&p, 0, inner.message, err);
    return OTO_OK;
}

static oto_status read_words(struct oto_lstm_lm *lm, const struct oto_container *c, oto_error *err)
{
    static const char *const marks[] = {"</s>", "<unk>"};
    struct part p;
    oto_status status = open_part(&p, c, "words", err);
    if (status != OTO_OK)
        return status;
    const char *text = (const char *)p.reader.data;
    size_t at = 0;
    for (int i = 0; i < lm->shape.n_words; i++) {
        const char *end = memchr(text + at, 0, p.section->size - at);
        uint32_t number;
        if (end == NULL)
            return fail_at(&p, at, "the words end before their number", err);
        const size_t n = (size_t)(end - (text + at));
        if (n == 0 || oto_utf8_invalid_at(text + at) >= 0 || strpbrk(text + at, " \t\r\n\v\f"))
            return fail_at(&p, at, "a word in UTF-8 without white space expected", err);
        if (i < 2 && strcmp(text + at, marks[i]) != 0)
            return fail_at(&p, at, "'</s>' and '<unk>' expected first", err);
        if (!oto_words_add(&lm->words, text + at, n, &number))
            return oto_fail_memory(err, "words");
        if (number != (uint32_t)i)
            return fail_at(&p, at, "a word for the second time", err);
        at += n + 1;
    }
    return at == p.section->size ? OTO_OK : fail_at(&p, at, "more words than there should be", err);
}

static oto_status read_classes(struct oto_lstm_lm *lm, const struct oto_container *c,
                               oto_error *err)
{
    struct part p;
    oto_status status = open_part(&p, c, "classes", err);
    if (status != OTO_OK)
        return status;
    const size_t n = (size_t)lm->shape.n_classes + 1;
    if (p.section->size != 4 * n)
        return fail_size(&p, 4 * n, err);
    lm->class_first = oto_calloc(n, sizeof *lm->class_first);
    if (lm->class_first == NULL)
        return oto_fail_memory(err, "classes of words");
    for (size_t i = 0; i < n; i++) {
        const uint32_t v = oto_read_u32(&p.reader);
        const bool rises = i == 0 ? v == 0 : v > (uint32_t)lm->class_first[i - 1];
        if (!rises || v > (uint32_t)lm->shape.n_words ||
            (i == n - 1 && v != (uint32_t)lm->shape.n_words))
            return fail_at(&p, 4 * i, "numbers that rise from 0 to that of the words expected",
                           err);
        lm->class_first[i] = (int)v;
    }
    return OTO_OK;
}

static oto_status read_matrix(float *values, struct part *p, const struct oto_tensor *t,
                              oto_error *err)
{
    const size_t n_rows = (size_t)t->n_rows, n_cols = (size_t)t->n_cols, at = p->reader.offset;
    for (size_t r = 0; r < n_rows; r++) {
        const float scale = oto_read_f32(&p->reader);
        if (!(isfinite(scale) && scale >= 0))
            return fail_at(p, at + 4 * r, "a scale that is not a finite number from 0 on", err);
        values[r * n_cols] = scale; /* until its row comes */
    }
    const int8_t *codes = oto_read_bytes(&p->reader, n_rows * n_cols);
    for (size_t r = 0; r < n_rows; r++) {
        const float scale = values[r * n_cols];
        for (size_t k = 0; k < n_cols; k++) {
            if (codes[r * n_cols + k] == -128)
                return fail_at(p, at + 4 * n_rows + r * n_cols + k, "-128, expected -127 to 127",
                               err);
            values[r * n_cols + k] = scale * codes[r * n_cols + k];
        }
    }
    return OTO_OK;
}

static oto_status read_weights(struct oto_lstm_lm *lm, const struct oto_container *c,
                               oto_error *err)
{
    struct part p;
    size_t expected = 0;
    lm->stored = oto_container_find(c, weight_sections[OTO_LSTM_I8], NULL) != NULL ? OTO_LSTM_I8
                                                                                   : OTO_LSTM_F32;
    oto_status status = open_part(&p, c, weight_sections[lm->stored], err);
    if (status != OTO_OK)
        return status;
    for (int i = 0; i < oto_word_n_tensors(&lm->shape); i++) {
        struct oto_tensor t;
        oto_word_tensor(&lm->shape, i, &t);
        expected += stored_size(&t, lm->stored);
    }
    if (p.section->size != expected)
        return fail_size(&p, expected, err);
    lm->params = oto_calloc(oto_word_n_parameters(&lm->shape), sizeof *lm->params);
    if (lm->params == NULL)
        return oto_fail_memory(err, "weights");
    for (int i = 0; i < oto_word_n_tensors(&lm->shape) && status == OTO_OK; i++) {
        struct oto_tensor t;
        oto_word_tensor(&lm->shape, i, &t);
        float *values = lm->params + t.offset;
        if (lm->stored == OTO_LSTM_I8 && is_matrix(&t)) {
            status = read_matrix(values, &p, &t, err);
            continue;
        }
        for (size_t k = 0; k < (size_t)t.n_rows * (size_t)t.n_cols; k++) {
            const size_t at = p.reader.offset;
            values[k] = oto_read_f32(&p.reader);
            if (!isfinite(values[k]))
                return fail_at(&p, at, "not a finite number", err);
        }
    }
    return status;
}

/* A section of a newer minor version that may not be skipped. */
static oto_status check_known(const struct oto_container *c, oto_error *err)
{
    static const char *const known[] = {"info", "words", "classes", "weights", "weights8"};
    for (int k = 0; k < c->n_sections; k++) {
        const struct oto_section *s = &c->sections[k];
        bool found = (s->flags & OTO_SECTION_OPTIONAL) != 0;
        for (size_t i = 0; i < sizeof known / sizeof *known && !found; i++)
            found = strcmp(s->name, known[i]) == 0;
        if (!found)
            return oto_fail(err, OTO_ERR_VERSION,
                            "%s: section '%s': offset %zu: unknown and not optional (newer file: "
                            "update Otolith)",
                            c->name, s->name, s->offset);
    }
    return OTO_OK;
}

oto_status oto_lstm_lm_parse(struct oto_lstm_lm **out, const void *data, size_t size,
                             const char *name, oto_error *err)
{
    struct oto_container c;
    *out = NULL;
    oto_status status = oto_container_open(&c, &oto_lstm_lm_kind, data, size, name, err);
    if (status == OTO_OK)
        status = check_known(&c, err);
    if (status != OTO_OK)
        return status;
    struct oto_lstm_lm *lm = oto_calloc(1, sizeof *lm);
    if (lm == NULL)
        return oto_fail_memory(err, "LSTM language model");
    lm->image = data;
    lm->file_size = size;
    status = read_info(lm, &c, err);
    if (status == OTO_OK)
        status = read_words(lm, &c, err);
    if (status == OTO_OK)
        status = read_classes(lm, &c, err);
    if (status == OTO_OK)
        status = read_weights(lm, &c, err);
    if (status == OTO_OK)
        status = oto_lstm_lm_complete(lm, err);
    if (status != OTO_OK) {
        oto_lstm_lm_destroy(lm);
        return status;
    }
    *out = lm;
    return OTO_OK;
}

oto_status oto_lstm_lm_load(struct oto_lstm_lm **out, const char *path, oto_error *err)
{
    struct oto_map map;
    *out = NULL;
    oto_status status = oto_map_open(&map, path, err);
    if (status != OTO_OK)
        return status;
    const void *data = map.data;
    size_t size = map.size;
    status = oto_container_enter(&data, &size, &oto_lstm_lm_kind, "lstm", path, err);
    if (status == OTO_OK)
        status = oto_lstm_lm_parse(out, data, size, path, err);
    if (status != OTO_OK) {
        oto_map_close(&map);
        return status;
    }
    (*out)->map = map;
    return OTO_OK;
}

bool oto_lstm_lm_is_file(const char *path)
{
    char found[8];
    struct stat about; /* what a pipe gives is not ours to read */
    FILE *f = stat(path, &about) == 0 && S_ISREG(about.st_mode) ? fopen(path, "rb") : NULL;
    if (f == NULL)
        return false;
    const bool whole = fread(found, 1, sizeof found, f) == sizeof found;
    fclose(f);
    return whole && memcmp(found, oto_lstm_lm_kind.magic, sizeof found) == 0;
}
