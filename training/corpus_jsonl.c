/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * JSON lines as NeMo uses them: {"audio_filepath": ..., "duration": ..., "text": ...} on each line.
 * With "offset" the utterance is that part of the file, duration long. Our own "id" and "speaker"
 * are optional. The only file of this room that sees jansson.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "training/corpus_format.h"

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}

/* A text; an optional one may be missing or null, and may be a number when buffer is given. */
static bool get_text(struct oto_corpus_reader *r, struct oto_corpus_place at, const json_t *object,
                     const char *key, bool optional, char buffer[32], const char **out)
{
    const json_t *value = json_object_get(object, key);
    *out = NULL;
    if (optional && (!value || json_is_null(value)))
        return true;
    if (!value) {
        oto_corpus_bad_line(r, at, OTO_FAULT_KEY,
                            "the key \"%s\" is missing; expected audio_filepath, duration and "
                            "text; add it, or remove the line",
                            key);
        return false;
    }
    if (buffer && json_is_integer(value)) {
        snprintf(buffer, 32, "%lld", (long long)json_integer_value(value));
        *out = buffer;
        return true;
    }
    *out = json_string_value(value);
    if (!*out)
        oto_corpus_bad_line(r, at, OTO_FAULT_TYPE,
                            "the key \"%s\" holds %s; expected a text in double quotes; correct it",
                            key, type_name(value));
    return *out != NULL;
}

static bool get_number(struct oto_corpus_reader *r, struct oto_corpus_place at,
                       const json_t *object, const char *key, bool *given, double *out)
{
    const json_t *value = json_object_get(object, key);
    *out = 0;
    *given = value && !json_is_null(value);
    if (!*given)
        return true;
    if (!json_is_number(value)) {
        oto_corpus_bad_line(r, at, OTO_FAULT_TYPE,
                            "the key \"%s\" holds %s; expected a number of seconds without "
                            "quotes; correct it",
                            key, type_name(value));
        return false;
    }
    *out = json_number_value(value);
    if (*out >= 0 && *out < 1e7)
        return true;
    oto_corpus_bad_line(r, at, OTO_FAULT_NUMBER,
                        "%g is not a number of seconds in the key \"%s\"; expected 0 to 1e7; "
                        "correct it, or leave the key out",
                        *out, key);
    return false;
}

static oto_status read_object(struct oto_corpus_reader *r, struct oto_corpus_place at,
                              const json_t *object, oto_error *err)
{
    struct oto_corpus_entry e = {.at = at};
    char id[32], speaker[32];
    bool has_offset, has_duration;
    if (!get_text(r, at, object, "audio_filepath", false, NULL, &e.path) ||
        !get_text(r, at, object, "text", false, NULL, &e.text) ||
        !get_text(r, at, object, "id", true, id, &e.id) ||
        !get_text(r, at, object, "speaker", true, speaker, &e.speaker) ||
        !get_number(r, at, object, "duration", &has_duration, &e.seconds) ||
        !get_number(r, at, object, "offset", &has_offset, &e.start_s))
        return OTO_OK;
    if (has_offset)
        e.length_s = e.seconds;
    if (!e.speaker)
        e.speaker = "";
    return oto_corpus_add(r, &e, err);
}

static oto_status read_line(struct oto_corpus_reader *r, struct oto_corpus_place at,
                            const char *line, oto_error *err)
{
    json_error_t error;
    json_t *value = json_loads(line, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    oto_status status = OTO_OK;
    if (!value && json_error_code(&error) == json_error_out_of_memory)
        status = oto_fail_memory(err, "a line of JSON");
    else if (!value)
        oto_corpus_bad_line(r, at, OTO_FAULT_JSON,
                            "not valid JSON at column %d: %s; expected one object on one line; "
                            "correct it (jq . shows the place)",
                            error.column, error.text);
    else if (!json_is_object(value))
        oto_corpus_bad_line(r, at, OTO_FAULT_JSON,
                            "found %s, expected an object {\"audio_filepath\": ..., \"text\": ...} "
                            "on each line; write one utterance a line, without an array around",
                            type_name(value));
    else
        status = read_object(r, at, value, err);
    json_decref(value);
    return status;
}

static bool probe(struct oto_corpus_source *source)
{
    char *line = source->is_folder ? NULL : oto_source_first_line(source);
    bool found = line && *oto_trim(line) == '{';
    oto_free(line);
    return found;
}

static oto_status read_jsonl(struct oto_corpus_reader *reader, struct oto_corpus_source *source,
                             oto_error *err)
{
    struct oto_corpus_lines lines;
    oto_status status = oto_corpus_lines_open(&lines, reader, source->path, err);
    while (status == OTO_OK && oto_corpus_lines_next(&lines))
        status = read_line(reader, lines.at, lines.text, err);
    return oto_corpus_lines_close(&lines, status, err);
}

/* Digits that the number needs to be read back as it is. */
static int digits_of(double value)
{
    char text[40];
    int digits = 1;
    for (; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        double back = 0;
        if (sscanf(text, "%lf", &back) == 1 && !(back < value) && !(back > value))
            break;
    }
    return digits;
}

static oto_status write_utterance(struct oto_writer *w, const struct oto_corpus_target *t,
                                  const struct oto_utterance *u, oto_error *err)
{
    bool part = u->start_s > 0 || u->length_s > 0;
    double seconds = part ? u->length_s : u->seconds;
    char *path = oto_target_path(t, u->path), *line = NULL;
    json_t *object = json_object();
    bool good = path && json_object_set_new(object, "audio_filepath", json_string(path)) == 0;
    if (seconds > 0)
        good = good && json_object_set_new(object, "duration", json_real(seconds)) == 0;
    if (part)
        good = good && json_object_set_new(object, "offset", json_real(u->start_s)) == 0;
    good = good && json_object_set_new(object, "text", json_string(u->text)) == 0;
    good = good && json_object_set_new(object, "id", json_string(u->id)) == 0;
    if (*u->speaker)
        good = good && json_object_set_new(object, "speaker", json_string(u->speaker)) == 0;
    int digits = digits_of(seconds), start_digits = digits_of(u->start_s);
    size_t flags = JSON_REAL_PRECISION(digits > start_digits ? digits : start_digits);
    if (good)
        line = json_dumps(object, flags);
    oto_status status = OTO_OK;
    if (line) {
        oto_write_text(w, line);
        oto_write_u8(w, '\n');
    } else if (path && oto_utf8_invalid_at(path) >= 0) {
        status = oto_fail(err, OTO_ERR_DATA,
                          "%s:%d: the path %s is not valid UTF-8 and cannot stand in JSON; rename "
                          "the file, or write tsv",
                          oto_corpus_file(t->corpus, u), u->line, path);
    } else {
        status = oto_fail_memory(err, t->path);
    }
    json_decref(object);
    oto_free(path);
    free(line);
    return status;
}

static oto_status write_jsonl(const struct oto_corpus_target *t, oto_error *err)
{
    struct oto_writer w = {0};
    oto_status status = OTO_OK;
    for (size_t i = 0; i < t->n && status == OTO_OK; i++)
        status = write_utterance(&w, t, oto_target_utterance(t, i), err);
    if (status != OTO_OK) {
        oto_writer_clear(&w);
        return status;
    }
    return oto_write_save(&w, t->path, err);
}

const struct oto_corpus_format oto_corpus_format_jsonl = {
    .name = "jsonl", .probe = probe, .read = read_jsonl, .write = write_jsonl};
