/* SPDX-License-Identifier: BSD-2-Clause */
/* The text sections of a model file. The only file of this room that sees jansson. */
#include "models/bundle_format.h"

#include <float.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/options.h"
#include "base/utf8.h"

static const struct oto_option shape_table[] = {
    {.name = "inputs",
     .type = OTO_OPTION_INT,
     .offset = offsetof(struct oto_network_shape, n_inputs),
     .min = 1,
     .max = 1e6},
    {.name = "layers",
     .type = OTO_OPTION_INT,
     .offset = offsetof(struct oto_network_shape, n_layers),
     .min = 1,
     .max = 16},
    {.name = "hidden",
     .type = OTO_OPTION_INT,
     .offset = offsetof(struct oto_network_shape, n_hidden),
     .min = 1,
     .max = 4096},
    {.name = "projection",
     .type = OTO_OPTION_INT,
     .offset = offsetof(struct oto_network_shape, n_proj),
     .min = 0,
     .max = 1e6},
    {.name = "outputs",
     .type = OTO_OPTION_INT,
     .offset = offsetof(struct oto_network_shape, n_outputs),
     .min = 2,
     .max = 1e6},
};
#define N_SHAPE (sizeof shape_table / sizeof shape_table[0])
#define REDUCE_AFTER "reduce-after" /* beside them, where frames are paired */

/* An unknown number (NAN) is null in the file: default_text "nan" says that a field may be unknown.
 */
#define CARD_TEXT(field)                                                                           \
    {                                                                                              \
        .name = #field, .type = OTO_OPTION_TEXT, .offset = offsetof(struct oto_card, field)        \
    }
#define CARD_NUMBER(field)                                                                         \
    {                                                                                              \
        .name = #field, .type = OTO_OPTION_REAL, .offset = offsetof(struct oto_card, field),       \
        .default_text = "nan", .min = 0, .max = 1e9                                                \
    }
static const struct oto_option card_table[] = {
    CARD_TEXT(name),       CARD_TEXT(licence),       CARD_TEXT(data),      CARD_TEXT(date),
    CARD_TEXT(recipe),     CARD_TEXT(notes),         CARD_NUMBER(dev_wer), CARD_NUMBER(dev_cer),
    CARD_NUMBER(test_wer), CARD_NUMBER(train_hours),
};
#define N_CARD (sizeof card_table / sizeof card_table[0])

static const char *const case_names[] = {"keep", "lower", "upper", NULL};
static const char *const punctuation_names[] = {"keep", "strip", NULL};
static const struct oto_option policy_table[] = {
    {.name = "case",
     .type = OTO_OPTION_CHOICE,
     .offset = offsetof(struct oto_text_policy, letter_case),
     .choices = case_names},
    {.name = "punctuation",
     .type = OTO_OPTION_CHOICE,
     .offset = offsetof(struct oto_text_policy, punctuation),
     .choices = punctuation_names},
};
#define N_POLICY (sizeof policy_table / sizeof policy_table[0])

/* ---- writing ----------------------------------------------------------------------------- */

static json_t *value_to_json(const struct oto_option *o, const void *src)
{
    const void *field = (const char *)src + o->offset;
    switch (o->type) {
    case OTO_OPTION_BOOL:
        return json_boolean(*(const bool *)field);
    case OTO_OPTION_INT:
        return json_integer(*(const int *)field);
    case OTO_OPTION_U64: {
        uint64_t v = *(const uint64_t *)field;
        char text[24]; /* as text: JSON numbers end at 2^63 here and at 2^53 elsewhere */
        snprintf(text, sizeof text, "%llu", (unsigned long long)v);
        return json_string(text);
    }
    case OTO_OPTION_REAL: {
        double v = *(const double *)field;
        return isnan(v) ? json_null() : json_real(v);
    }
    case OTO_OPTION_CHOICE:
        return json_string(o->choices[*(const int *)field]);
    case OTO_OPTION_TEXT: {
        const char *text = *(char *const *)field;
        return json_string(text != NULL ? text : "");
    }
    }
    return NULL;
}

static bool add_options(json_t *object, const struct oto_option *table, size_t n, const void *src)
{
    for (size_t i = 0; i < n; i++) {
        if (json_object_set_new(object, table[i].name, value_to_json(&table[i], src)) != 0)
            return false;
    }
    return true;
}

/* Shortest number of digits that reads back exactly, so that 0.97 is written so and nothing is
 * lost. */
static char *dump(const json_t *object)
{
    for (size_t digits = 15; digits <= 17; digits++) {
        size_t flags = JSON_INDENT(1) | JSON_REAL_PRECISION(digits);
        char *text = json_dumps(object, flags);
        if (text == NULL)
            return NULL;
        json_t *back = json_loads(text, 0, NULL);
        bool same = back != NULL && json_equal(back, object);
        json_decref(back);
        if (same || digits == 17)
            return text;
        free(text);
    }
    return NULL;
}

static oto_status to_text(json_t *object, bool complete, const char *what, char **text,
                          size_t *size, oto_error *err)
{
    char *dumped = object != NULL && complete ? dump(object) : NULL;
    json_decref(object);
    *text = dumped != NULL ? oto_strdup(dumped) : NULL;
    free(dumped);
    if (*text == NULL)
        return oto_fail_memory(err, what);
    *size = strlen(*text);
    return OTO_OK;
}

/* A bundle may be assembled by hand: what JSON cannot hold is refused by name. */
static oto_status check_value(const struct oto_option *o, const void *src, const char *what,
                              oto_error *err)
{
    const void *field = (const char *)src + o->offset;
    if (o->type == OTO_OPTION_TEXT) {
        const char *text = *(char *const *)field;
        ptrdiff_t bad = text != NULL ? oto_utf8_invalid_at(text) : -1;
        if (bad >= 0)
            return oto_fail(err, OTO_ERR_DATA, "%s: %s: invalid UTF-8 at byte %td", what, o->name,
                            bad);
    } else if (o->type == OTO_OPTION_REAL && isinf(*(const double *)field)) {
        return oto_fail(err, OTO_ERR_DATA, "%s: %s: infinite", what, o->name);
    } else if (o->type == OTO_OPTION_CHOICE) {
        int n = 0;
        while (o->choices[n] != NULL)
            n++;
        int v = *(const int *)field;
        if (v < 0 || v >= n)
            return oto_fail(err, OTO_ERR_DATA, "%s: %s: %d, expected 0 to %d", what, o->name, v,
                            n - 1);
    }
    return OTO_OK;
}

oto_status oto_bundle_write_options(const struct oto_option *table, size_t n, const void *src,
                                    const char *what, char **text, size_t *size, oto_error *err)
{
    for (size_t i = 0; i < n; i++) {
        oto_status status = check_value(&table[i], src, what, err);
        if (status != OTO_OK)
            return status;
    }
    json_t *object = json_object();
    bool complete = object != NULL && add_options(object, table, n, src);
    return to_text(object, complete, what, text, size, err);
}

/* Of a table whose last option is newer: that is missing where it is 0, so that older programs read
 * the file. */
static size_t n_written(size_t n, double last)
{
    return last > 0.0 ? n : n - 1;
}

oto_status oto_bundle_write_frontend(const struct oto_bundle *b, char **text, size_t *size,
                                     oto_error *err)
{
    return oto_bundle_write_options(oto_frontend_option_table,
                                    n_written(oto_frontend_n_options, b->frontend.cmvn_margin_ms),
                                    &b->frontend, "front end options", text, size, err);
}

/* The layers, from 1; nothing where there are none, so that older programs read the file. */
static bool add_reductions(json_t *object, unsigned reduce_after)
{
    if (reduce_after == 0)
        return true;
    json_t *layers = json_array();
    bool ok = layers != NULL;
    for (int l = 0; l < 16 && ok; l++)
        if ((reduce_after >> l & 1) != 0)
            ok = json_array_append_new(layers, json_integer(l + 1)) == 0;
    ok = ok && json_object_set(object, REDUCE_AFTER, layers) == 0;
    json_decref(layers);
    return ok;
}

oto_status oto_bundle_write_network(const struct oto_bundle *b, char **text, size_t *size,
                                    oto_error *err)
{
    json_t *object = json_object();
    bool complete = object != NULL && add_options(object, shape_table, N_SHAPE, &b->shape) &&
                    add_reductions(object, b->shape.reduce_after);
    return to_text(object, complete, "network shape", text, size, err);
}

oto_status oto_bundle_write_decoder(const struct oto_bundle *b, char **text, size_t *size,
                                    oto_error *err)
{
    return oto_bundle_write_options(oto_beam_option_table,
                                    n_written(oto_beam_n_options, b->beam.blank_skip), &b->beam,
                                    "decoder options", text, size, err);
}

oto_status oto_bundle_write_confidence(const struct oto_bundle *b, char **text, size_t *size,
                                       oto_error *err)
{
    return oto_bundle_write_options(oto_confidence_option_table, oto_confidence_n_options,
                                    &b->confidence, "confidence", text, size, err);
}

oto_status oto_bundle_write_card(const struct oto_bundle *b, char **text, size_t *size,
                                 oto_error *err)
{
    return oto_bundle_write_options(card_table, N_CARD, &b->card, "card", text, size, err);
}

oto_status oto_bundle_write_alphabet(const struct oto_bundle *b, char **text, size_t *size,
                                     oto_error *err)
{
    json_t *object = json_object();
    json_t *symbols = json_array();
    bool ok = object != NULL && add_options(object, policy_table, N_POLICY, &b->alphabet->policy);
    for (int k = 0; ok && k < b->alphabet->n_symbols; k++)
        ok = json_array_append_new(symbols, json_string(b->alphabet->symbols[k])) == 0;
    ok = ok && json_object_set(object, "symbols", symbols) == 0;
    json_decref(symbols);
    return to_text(object, ok, "alphabet", text, size, err);
}

/* ---- reading ----------------------------------------------------------------------------- */

static oto_status fail_value(oto_error *err, const struct oto_container *c, const char *section,
                             const char *key, const char *expected, const json_t *found)
{
    static const char *const names[] = {"object", "array", "string", "integer",
                                        "number", "true",  "false",  "null"};
    if (json_is_string(found))
        return oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': %s: found \"%.40s\", expected %s",
                        c->name, section, key, json_string_value(found), expected);
    if (json_is_number(found))
        return oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': %s: found %g, expected %s", c->name,
                        section, key, json_number_value(found), expected);
    return oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': %s: found %s, expected %s", c->name,
                    section, key, found != NULL ? names[json_typeof(found)] : "nothing", expected);
}

static bool read_u64(uint64_t *out, const char *text)
{
    uint64_t v = 0;
    if (*text == 0 || strlen(text) > 20)
        return false;
    for (const char *p = text; *p != 0; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (*p < '0' || *p > '9' || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

/* As base/options.c reads a table: min and max count where min < max. */
static double least(const struct oto_option *o)
{
    double all = o->type == OTO_OPTION_INT ? (double)INT_MIN : -DBL_MAX;
    return o->min < o->max ? o->min : all;
}

static double most(const struct oto_option *o)
{
    double all = o->type == OTO_OPTION_INT ? (double)INT_MAX : DBL_MAX;
    return o->min < o->max ? o->max : all;
}

/* False for a value of the wrong type or range; *expected then says what is allowed. */
static bool value_from_json(const struct oto_option *o, void *dst, const json_t *v,
                            char expected[96])
{
    void *field = (char *)dst + o->offset;
    switch (o->type) {
    case OTO_OPTION_BOOL:
        snprintf(expected, 96, "true or false");
        if (!json_is_boolean(v))
            return false;
        *(bool *)field = json_is_true(v);
        return true;
    case OTO_OPTION_INT:
        snprintf(expected, 96, "a whole number from %.0f to %.0f", least(o), most(o));
        if (!json_is_integer(v) || (double)json_integer_value(v) < least(o) ||
            (double)json_integer_value(v) > most(o))
            return false;
        *(int *)field = (int)json_integer_value(v);
        return true;
    case OTO_OPTION_U64:
        snprintf(expected, 96, "a whole number below 2^64 in quotes");
        return json_is_string(v) && read_u64(field, json_string_value(v));
    case OTO_OPTION_REAL: {
        bool may_miss = o->default_text != NULL && strcmp(o->default_text, "nan") == 0;
        snprintf(expected, 96, "a number from %g to %g%s", least(o), most(o),
                 may_miss ? " or null" : "");
        if (may_miss && json_is_null(v)) {
            *(double *)field = (double)NAN;
            return true;
        }
        if (!json_is_number(v) || json_number_value(v) < least(o) || json_number_value(v) > most(o))
            return false;
        *(double *)field = json_number_value(v);
        return true;
    }
    case OTO_OPTION_CHOICE: {
        size_t n = 0;
        for (int i = 0; o->choices[i] != NULL; i++) {
            if (json_is_string(v) && strcmp(o->choices[i], json_string_value(v)) == 0) {
                *(int *)field = i;
                return true;
            }
            n += (size_t)snprintf(expected + n, n < 90 ? 96 - n : 1, i > 0 ? "|%s" : "%s",
                                  o->choices[i]);
            n = n < 90 ? n : 90;
        }
        return false;
    }
    case OTO_OPTION_TEXT: {
        snprintf(expected, 96, "a text");
        if (!json_is_string(v))
            return false;
        char *copy = oto_strdup(json_string_value(v));
        char **text = field;
        oto_free(*text);
        *text = copy; /* NULL when out of memory: the caller looks */
        return true;
    }
    }
    return false;
}

/* Every option of the table must be there; *n_known counts them, so that the caller can find
 * unknown ones. */
static oto_status options_from_json(const struct oto_option *table, size_t n, void *dst,
                                    const json_t *object, const struct oto_container *c,
                                    const char *section, oto_error *err)
{
    for (size_t i = 0; i < n; i++) {
        char expected[96] = "";
        const json_t *v = json_object_get(object, table[i].name);
        if (!value_from_json(&table[i], dst, v, expected))
            return fail_value(err, c, section, table[i].name, expected, v);
        if (table[i].type == OTO_OPTION_TEXT && *(char **)((char *)dst + table[i].offset) == NULL)
            return oto_fail_memory(err, table[i].name);
    }
    return OTO_OK;
}

static oto_status refuse_unknown(const struct oto_option *table, size_t n, const char *also,
                                 json_t *object, const struct oto_container *c, const char *section,
                                 oto_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        bool known = also != NULL && strcmp(key, also) == 0;
        for (size_t i = 0; i < n && !known; i++)
            known = strcmp(key, table[i].name) == 0;
        if (!known)
            return oto_fail(err, OTO_ERR_VERSION,
                            "%s: section '%s': unknown entry '%.40s' (newer file: update Otolith)",
                            c->name, section, key);
    }
    return OTO_OK;
}

/* The section as a JSON object, to be released by json_decref(). */
static oto_status load_section(json_t **out, const struct oto_container *c, const char *section,
                               oto_error *err)
{
    const struct oto_section *s = oto_container_find(c, section, err);
    if (s == NULL)
        return OTO_ERR_FORMAT;
    json_error_t error;
    *out = json_loadb((const char *)c->data + s->offset, s->size, JSON_REJECT_DUPLICATES, &error);
    if (*out == NULL && json_error_code(&error) == json_error_out_of_memory)
        return oto_fail_memory(err, section);
    if (*out == NULL)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': offset %zu: not JSON: %s", c->name,
                        section, s->offset + (size_t)(error.position > 0 ? error.position : 0),
                        error.text);
    if (!json_is_object(*out)) {
        json_decref(*out);
        return oto_fail(err, OTO_ERR_FORMAT, "%s: section '%s': offset %zu: not a JSON object",
                        c->name, section, s->offset);
    }
    return OTO_OK;
}

/* Of n options the first n_required must be there; the others, which are newer, keep their values
 * where they are not. */
static oto_status read_section(const struct oto_option *table, size_t n, size_t n_required,
                               void *dst, const struct oto_container *c, const char *section,
                               oto_error *err)
{
    json_t *object = NULL;
    oto_status status = load_section(&object, c, section, err);
    if (status != OTO_OK)
        return status;
    while (n_required < n && json_object_get(object, table[n_required].name) != NULL)
        n_required++;
    status = refuse_unknown(table, n, NULL, object, c, section, err);
    if (status == OTO_OK)
        status = options_from_json(table, n_required, dst, object, c, section, err);
    json_decref(object);
    return status;
}

oto_status oto_bundle_read_options(const struct oto_option *table, size_t n, void *dst,
                                   const struct oto_container *c, const char *section,
                                   oto_error *err)
{
    return read_section(table, n, n, dst, c, section, err);
}

oto_status oto_bundle_read_frontend(struct oto_bundle *b, const struct oto_container *c,
                                    oto_error *err)
{
    return read_section(oto_frontend_option_table, oto_frontend_n_options,
                        oto_frontend_n_options - 1, &b->frontend, c, "frontend", err);
}

static bool read_reductions(unsigned *reduce_after, const json_t *layers)
{
    json_int_t before = 0;
    *reduce_after = 0;
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i);
        json_int_t l = json_is_integer(layer) ? json_integer_value(layer) : 0;
        if (l < 1 || l <= before || l > 15)
            return false;
        *reduce_after |= 1U << (l - 1);
        before = l;
    }
    return *reduce_after != 0;
}

oto_status oto_bundle_read_network(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err)
{
    json_t *object = NULL;
    oto_status status = load_section(&object, c, "network", err);
    if (status != OTO_OK)
        return status;
    status = refuse_unknown(shape_table, N_SHAPE, REDUCE_AFTER, object, c, "network", err);
    if (status == OTO_OK)
        status = options_from_json(shape_table, N_SHAPE, &b->shape, object, c, "network", err);
    const json_t *layers = json_object_get(object, REDUCE_AFTER);
    if (status == OTO_OK && layers != NULL && !read_reductions(&b->shape.reduce_after, layers))
        status = fail_value(err, c, "network", REDUCE_AFTER, "an array of rising layers, 1 to 15",
                            json_is_array(layers) && json_array_size(layers) > 0
                                ? json_array_get(layers, json_array_size(layers) - 1)
                                : layers);
    json_decref(object);
    if (status != OTO_OK)
        return status;
    oto_error inner;
    status = oto_network_shape_check(&b->shape, &inner);
    if (status != OTO_OK)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: section 'network': %s", c->name, inner.message);
    return OTO_OK;
}

oto_status oto_bundle_read_decoder(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err)
{
    return read_section(oto_beam_option_table, oto_beam_n_options, oto_beam_n_options - 1, &b->beam,
                        c, "decoder", err);
}

oto_status oto_bundle_read_confidence(struct oto_bundle *b, const struct oto_container *c,
                                      oto_error *err)
{
    b->is_calibrated = oto_container_find(c, "confid", NULL) != NULL;
    return b->is_calibrated
               ? oto_bundle_read_options(oto_confidence_option_table, oto_confidence_n_options,
                                         &b->confidence, c, "confid", err)
               : OTO_OK;
}

oto_status oto_bundle_read_card(struct oto_bundle *b, const struct oto_container *c, oto_error *err)
{
    return oto_bundle_read_options(card_table, N_CARD, &b->card, c, "card", err);
}

/* The symbols must come back as they stand: what normalisation would change was not written by us.
 */
static oto_status make_alphabet(struct oto_bundle *b, const json_t *symbols,
                                const struct oto_text_policy *policy, const struct oto_container *c,
                                oto_error *err)
{
    size_t n = json_array_size(symbols);
    if (n < 2 || n > 1000000)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'alphabet': symbols: %zu found, expected 2 to 1000000",
                        c->name, n);
    const char **texts = oto_calloc(n, sizeof *texts);
    if (texts == NULL)
        return oto_fail_memory(err, "alphabet");
    oto_status status = OTO_OK;
    for (size_t k = 0; k < n; k++) {
        texts[k] = json_string_value(json_array_get(symbols, k));
        if (texts[k] == NULL || (k == 0) != (texts[k][0] == 0)) {
            status =
                oto_fail(err, OTO_ERR_FORMAT,
                         "%s: section 'alphabet': symbol %zu: found %s, expected %s", c->name, k,
                         texts[k] == NULL ? "no text"
                         : k == 0         ? texts[k]
                                          : "\"\"",
                         k == 0 ? "\"\" for the blank" : "a text of one code point");
            goto done;
        }
    }
    oto_error inner;
    status = oto_alphabet_create(&b->alphabet, texts + 1, (int)n - 1, policy, &inner);
    if (status != OTO_OK) {
        status = oto_fail(err, status == OTO_ERR_MEMORY ? status : OTO_ERR_FORMAT,
                          "%s: section 'alphabet': %s", c->name, inner.message);
        goto done;
    }
    for (size_t k = 1; k < n; k++) {
        if (strcmp(b->alphabet->symbols[k], texts[k]) != 0) {
            status = oto_fail(err, OTO_ERR_FORMAT,
                              "%s: section 'alphabet': symbol %zu \"%.20s\" is not in NFC", c->name,
                              k, texts[k]);
            break;
        }
    }
done:
    oto_free(texts);
    return status;
}

oto_status oto_bundle_read_alphabet(struct oto_bundle *b, const struct oto_container *c,
                                    oto_error *err)
{
    json_t *object = NULL;
    struct oto_text_policy policy = {0};
    oto_status status = load_section(&object, c, "alphabet", err);
    if (status != OTO_OK)
        return status;
    status = refuse_unknown(policy_table, N_POLICY, "symbols", object, c, "alphabet", err);
    if (status == OTO_OK)
        status = options_from_json(policy_table, N_POLICY, &policy, object, c, "alphabet", err);
    const json_t *symbols = json_object_get(object, "symbols");
    if (status == OTO_OK && !json_is_array(symbols))
        status = fail_value(err, c, "alphabet", "symbols", "an array of texts", symbols);
    if (status == OTO_OK)
        status = make_alphabet(b, symbols, &policy, c, err);
    json_decref(object);
    return status;
}
