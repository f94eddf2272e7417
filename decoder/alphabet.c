/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/alphabet.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define CODE_POINTS 0x110000

struct entry {
    int32_t code_point;
    int symbol;
};

struct oto_alphabet_index {
    int ascii[128]; /* symbol, 0 for none */
    int n;
    struct entry entries[]; /* [n] sorted by code point */
};

/** Where the symbols come from, for messages: "symbol 5" or "FILE:LINE". */
struct origin {
    const char *path; /* NULL: an array */
    const int *lines;
};

static const char *place(const struct origin *origin, int i, char *buffer, size_t size)
{
    if (origin->path)
        snprintf(buffer, size, "%s:%d", origin->path, origin->lines[i]);
    else
        snprintf(buffer, size, "symbol %d", i + 1);
    return buffer;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->code_point != y->code_point)
        return x->code_point < y->code_point ? -1 : 1;
    return x->symbol < y->symbol ? -1 : x->symbol > y->symbol;
}

int oto_alphabet_find(const struct oto_alphabet *a, int32_t code_point)
{
    const struct oto_alphabet_index *index = a->index;
    if (code_point >= 0 && code_point < 128)
        return index->ascii[code_point];
    for (int low = 0, high = index->n; low < high;) {
        int middle = low + (high - low) / 2;
        int32_t here = index->entries[middle].code_point;
        if (here == code_point)
            return index->entries[middle].symbol;
        if (here < code_point)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

int oto_alphabet_find_symbol(const struct oto_alphabet *a, const char *symbol)
{
    int k = a->n_symbols - 1;
    while (k > 0 && strcmp(a->symbols[k], symbol) != 0)
        k--;
    return k;
}

/** NFC of one symbol, which must be one code point, and no white space but U+0020. */
static oto_status take_symbol(char **out, int32_t *code_point, const char *text, const char *where,
                              oto_error *err)
{
    oto_error inner = {OTO_OK, ""};
    oto_status status = oto_utf8_nfc(out, text, OTO_CASE_KEEP, &inner);
    if (status)
        return oto_fail(err, status, "%s: %s", where, inner.message);
    size_t n, length = oto_utf8_length(*out);
    *code_point = oto_utf8_next(*out, &n);
    if (length == 0)
        return oto_fail(
            err, OTO_ERR_DATA,
            "%s: empty symbol; the space is written as one space, the blank is not listed", where);
    if (length > 1)
        return oto_fail(err, OTO_ERR_DATA, "%s: \"%s\" has %zu characters, expected one", where,
                        *out, length);
    if (*code_point != ' ' && oto_utf8_is_space(*code_point))
        return oto_fail(err, OTO_ERR_DATA,
                        "%s: white space U+%04X; all white space in texts is read as U+0020", where,
                        (unsigned)*code_point);
    return OTO_OK;
}

static oto_status build_index(struct oto_alphabet *a, const struct origin *origin, oto_error *err)
{
    struct oto_alphabet_index *index = a->index;
    qsort(index->entries, (size_t)index->n, sizeof *index->entries, compare_entries);
    for (int i = 0; i < index->n; i++) {
        struct entry e = index->entries[i];
        if (i > 0 && index->entries[i - 1].code_point == e.code_point) {
            char first[256], second[256];
            return oto_fail(err, OTO_ERR_DATA, "%s: \"%s\" (U+%04X) is there already, %s",
                            place(origin, e.symbol - 1, second, sizeof second),
                            a->symbols[e.symbol], (unsigned)e.code_point,
                            place(origin, index->entries[i - 1].symbol - 1, first, sizeof first));
        }
        if (e.code_point < 128)
            index->ascii[e.code_point] = e.symbol;
        if (e.code_point == ' ')
            a->space = e.symbol;
    }
    return OTO_OK;
}

static oto_status check_policy(const struct oto_text_policy *policy, oto_error *err)
{
    if (policy->letter_case < OTO_CASE_KEEP || policy->letter_case > OTO_CASE_UPPER)
        return oto_fail(err, OTO_ERR_ARGUMENT, "text policy: letter case %d, expected 0 to 2",
                        policy->letter_case);
    if (policy->punctuation < OTO_PUNCTUATION_KEEP || policy->punctuation > OTO_PUNCTUATION_STRIP)
        return oto_fail(err, OTO_ERR_ARGUMENT, "text policy: punctuation %d, expected 0 or 1",
                        policy->punctuation);
    return OTO_OK;
}

static oto_status create(struct oto_alphabet **out, const char *const *symbols, int n,
                         const struct oto_text_policy *policy, const struct origin *origin,
                         oto_error *err)
{
    *out = NULL;
    oto_status status = check_policy(policy, err);
    if (status)
        return status;
    if (n < 1 || n >= CODE_POINTS)
        return oto_fail(err, OTO_ERR_DATA, "%s%san alphabet of %d symbols, expected at least one",
                        origin->path ? origin->path : "", origin->path ? ": " : "", n);
    struct oto_alphabet *a = oto_calloc(1, sizeof *a);
    if (!a)
        return oto_fail_memory(err, "alphabet");
    *a = (struct oto_alphabet){.n_symbols = n + 1, .space = -1, .policy = *policy};
    a->symbols = oto_calloc((size_t)n + 1, sizeof *a->symbols);
    a->index = oto_calloc(1, sizeof *a->index + (size_t)n * sizeof *a->index->entries);
    if (!a->symbols || !a->index || !(a->symbols[0] = oto_strdup(""))) {
        status = oto_fail_memory(err, "alphabet");
        goto fail;
    }
    a->index->n = n;
    for (int i = 0; i < n; i++) {
        char where[256];
        struct entry *e = &a->index->entries[i];
        e->symbol = i + 1;
        status = take_symbol(&a->symbols[i + 1], &e->code_point, symbols[i],
                             place(origin, i, where, sizeof where), err);
        if (status)
            goto fail;
    }
    status = build_index(a, origin, err);
    if (status)
        goto fail;
    *out = a;
    return OTO_OK;
fail:
    oto_alphabet_destroy(a);
    return status;
}

oto_status oto_alphabet_create(struct oto_alphabet **out, const char *const *symbols, int n,
                               const struct oto_text_policy *policy, oto_error *err)
{
    return create(out, symbols, n, policy, &(struct origin){NULL, NULL}, err);
}

void oto_alphabet_destroy(struct oto_alphabet *a)
{
    if (!a)
        return;
    for (int i = 0; a->symbols && i < a->n_symbols; i++)
        oto_free(a->symbols[i]);
    oto_free(a->symbols);
    oto_free(a->index);
    oto_free(a);
}

/** Cuts writable text into lines, comments left out. Returns their number; the texts point into it.
 */
static int split_lines(char *text, const char **symbols, int *lines)
{
    int n = 0;
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    for (int line = 1; *text; line++) {
        char *end = text + strcspn(text, "\n");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        if (end > text && end[-1] == '\r')
            end[-1] = '\0';
        if (text[0] != '#' || text[1] == '\0') {
            symbols[n] = text;
            lines[n++] = line;
        }
        text = next;
    }
    return n;
}

oto_status oto_alphabet_load(struct oto_alphabet **out, const char *path,
                             const struct oto_text_policy *policy, oto_error *err)
{
    struct oto_map map;
    char *text = NULL;
    const char **symbols = NULL;
    int *lines = NULL;
    *out = NULL;
    oto_status status = oto_map_open(&map, path, err);
    if (status)
        return status;
    if (map.size >= INT_MAX || memchr(map.data, '\0', map.size)) {
        status =
            oto_fail(err, OTO_ERR_FORMAT, "%s: no text file, expected one symbol a line", path);
        goto out;
    }
    size_t n_lines = 1;
    for (size_t i = 0; i < map.size; i++)
        n_lines += map.data[i] == '\n';
    text = oto_strndup((const char *)map.data, map.size);
    symbols = oto_calloc(n_lines, sizeof *symbols);
    lines = oto_calloc(n_lines, sizeof *lines);
    if (!text || !symbols || !lines) {
        status = oto_fail_memory(err, "alphabet file");
        goto out;
    }
    int n = split_lines(text, symbols, lines);
    status = create(out, symbols, n, policy, &(struct origin){path, lines}, err);
out:
    oto_free(lines);
    oto_free(symbols);
    oto_free(text);
    oto_map_close(&map);
    return status;
}

struct oto_alphabet_builder {
    struct oto_text_policy policy;
    unsigned char seen[CODE_POINTS / 8]; /* one bit each */
};

oto_status oto_alphabet_builder_create(struct oto_alphabet_builder **out,
                                       const struct oto_text_policy *policy, oto_error *err)
{
    *out = NULL;
    oto_status status = check_policy(policy, err);
    if (status)
        return status;
    *out = oto_calloc(1, sizeof **out);
    if (!*out)
        return oto_fail_memory(err, "alphabet builder");
    (*out)->policy = *policy;
    return OTO_OK;
}

oto_status oto_alphabet_builder_add(struct oto_alphabet_builder *b, const char *text,
                                    oto_error *err)
{
    char *normal;
    oto_status status = oto_text_normalise(&normal, text, &b->policy, NULL, err);
    if (status)
        return status;
    size_t n;
    const char *s = normal;
    for (int32_t c; (c = oto_utf8_next(s, &n)) != 0; s += n)
        b->seen[c / 8] = (unsigned char)(b->seen[c / 8] | 1u << c % 8);
    oto_free(normal);
    return OTO_OK;
}

oto_status oto_alphabet_builder_finish(struct oto_alphabet_builder *b, struct oto_alphabet **out,
                                       oto_error *err)
{
    int n = 0;
    oto_status status;
    *out = NULL;
    for (int32_t c = 0; c < CODE_POINTS; c++)
        n += b->seen[c / 8] >> c % 8 & 1;
    const char **symbols = oto_calloc((size_t)n, sizeof *symbols);
    char(*texts)[8] = oto_calloc((size_t)n, sizeof *texts);
    if (!symbols || !texts) {
        status = oto_fail_memory(err, "alphabet");
        goto out;
    }
    n = 0;
    for (int32_t c = 0; c < CODE_POINTS; c++) {
        if (!(b->seen[c / 8] >> c % 8 & 1))
            continue;
        oto_utf8_encode(c, texts[n]);
        symbols[n] = texts[n];
        n++;
    }
    status = oto_alphabet_create(out, symbols, n, &b->policy, err);
out:
    oto_free(texts);
    oto_free(symbols);
    return status;
}

void oto_alphabet_builder_destroy(struct oto_alphabet_builder *b)
{
    oto_free(b);
}

oto_status oto_alphabet_encode(const struct oto_alphabet *a, const char *text, int **labels,
                               int *n_labels, int *n_unknown,
                               void (*unknown)(void *arg, int32_t code_point), void *arg,
                               oto_error *err)
{
    char *normal;
    *labels = NULL;
    *n_labels = *n_unknown = 0;
    oto_status status = oto_text_normalise(&normal, text, &a->policy, a, err);
    if (status)
        return status;
    size_t length = oto_utf8_length(normal), n;
    int *out = length < INT_MAX ? oto_calloc(length, sizeof *out) : NULL;
    if (!out) {
        oto_free(normal);
        return oto_fail_memory(err, "labels");
    }
    const char *s = normal;
    for (int32_t c; (c = oto_utf8_next(s, &n)) != 0; s += n) {
        int symbol = oto_alphabet_find(a, c);
        if (symbol == 0) {
            ++*n_unknown;
            if (unknown)
                unknown(arg, c);
        } else if (symbol != a->space || (*n_labels > 0 && out[*n_labels - 1] != symbol)) {
            out[(*n_labels)++] = symbol; /* an unknown word leaves no space behind */
        }
    }
    while (*n_labels > 0 && out[*n_labels - 1] == a->space)
        --*n_labels;
    oto_free(normal);
    *labels = out;
    return OTO_OK;
}

oto_status oto_alphabet_decode(const struct oto_alphabet *a, const int *labels, int n_labels,
                               char **out, oto_error *err)
{
    *out = NULL;
    size_t size = 0;
    for (int i = 0; i < n_labels; i++) {
        if (labels[i] < 1 || labels[i] >= a->n_symbols)
            return oto_fail(err, OTO_ERR_ARGUMENT, "label %d is %d, expected 1 to %d", i, labels[i],
                            a->n_symbols - 1);
        size += strlen(a->symbols[labels[i]]);
    }
    char *text = oto_calloc(size + 1, 1);
    if (!text)
        return oto_fail_memory(err, "text");
    char *end = text;
    for (int i = 0; i < n_labels; i++) {
        if (labels[i] == a->space && (end == text || end[-1] == ' '))
            continue;
        size_t n = strlen(a->symbols[labels[i]]);
        memcpy(end, a->symbols[labels[i]], n);
        end += n;
    }
    if (end > text && end[-1] == ' ')
        end--;
    *end = '\0';
    oto_status status =
        oto_utf8_nfc(out, text, OTO_CASE_KEEP, err); /* a base and a mark may compose */
    oto_free(text);
    return status;
}
