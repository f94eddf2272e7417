/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Kaldi data folders: wav.scp (recording, path), text (utterance, words), and where they are there
 * segments (utterance, recording, start, end), utt2spk (utterance, speaker) and utt2dur (utterance,
 * seconds). Commands that end in a pipe are not run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "training/corpus_kaldi.h"

struct pair {
    char *key, *value; /* value is in the memory of key */
    struct oto_corpus_place at;
    bool bad, used;
};

struct table { /* a file, sorted by key */
    struct pair *pairs;
    size_t n, capacity;
};

struct folder {
    struct oto_corpus_reader *reader;
    const char *path;
    struct table wav, text, segments, speakers, seconds;
};

static void clear_table(struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        oto_free(t->pairs[i].key);
    oto_free(t->pairs);
}

static int compare(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->at.line > y->at.line) - (x->at.line < y->at.line);
}

/* The first of that key; NULL when there is none. */
static struct pair *find(const struct table *t, const char *key)
{
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(t->pairs[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->n && strcmp(t->pairs[low].key, key) == 0 ? &t->pairs[low] : NULL;
}

static oto_status add_pair(struct table *t, struct oto_corpus_place at, const char *key,
                           const char *value, oto_error *err)
{
    if (t->n == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 256;
        struct pair *pairs = oto_realloc(t->pairs, t->capacity, capacity, sizeof *pairs);
        if (!pairs)
            return oto_fail_memory(err, "a Kaldi folder");
        t->pairs = pairs;
        t->capacity = capacity;
    }
    size_t n_key = strlen(key), n_value = strlen(value);
    char *both = oto_calloc(n_key + n_value + 2, 1);
    if (!both)
        return oto_fail_memory(err, "a Kaldi folder");
    memcpy(both, key, n_key);
    memcpy(both + n_key + 1, value, n_value);
    t->pairs[t->n++] = (struct pair){both, both + n_key + 1, at, false, false};
    return OTO_OK;
}

/* Lines "KEY VALUE"; tells of the first line out of order. */
static oto_status read_lines(struct folder *f, struct table *t, struct oto_corpus_lines *lines,
                             oto_error *err)
{
    oto_status status = OTO_OK;
    bool told = false;
    while (status == OTO_OK && oto_corpus_lines_next(lines)) {
        char *value, *key = oto_split_word(lines->text, &value);
        if (!*key)
            continue;
        if (!told && t->n > 0 && strcmp(t->pairs[t->n - 1].key, key) > 0) {
            oto_corpus_remark(f->reader, lines->at, OTO_FAULT_ORDER,
                              "'%s' comes after '%s'; expected lines in the order of their bytes, "
                              "as Kaldi does; sort the file (LC_ALL=C sort)",
                              key, t->pairs[t->n - 1].key);
            told = true;
        }
        status = add_pair(t, lines->at, key, value, err);
    }
    return status;
}

static void report_twice(struct folder *f, struct table *t)
{
    for (size_t i = 1; i < t->n; i++)
        if (strcmp(t->pairs[i - 1].key, t->pairs[i].key) == 0) {
            oto_corpus_bad_line(f->reader, t->pairs[i].at, OTO_FAULT_DUPLICATE_ID,
                                "'%s' was already used at line %d; expected every name once; "
                                "rename or remove one of them",
                                t->pairs[i].key, t->pairs[i - 1].at.line);
            t->pairs[i].bad = t->pairs[i].used = true;
        }
}

/* needed: else the file may be missing. */
static oto_status read_table(struct folder *f, struct table *t, const char *name, bool needed,
                             oto_error *err)
{
    char *path = oto_join(f->path, name);
    struct stat st;
    if (!path)
        return oto_fail_memory(err, f->path);
    if (!needed && stat(path, &st) != 0) {
        oto_free(path);
        return OTO_OK;
    }
    struct oto_corpus_lines lines;
    oto_status status = oto_corpus_lines_open(&lines, f->reader, path, err);
    if (status == OTO_OK)
        status = read_lines(f, t, &lines, err);
    else if (status == OTO_ERR_NOT_FOUND)
        status = oto_fail(err, OTO_ERR_NOT_FOUND,
                          "%s: there is no such file; expected wav.scp and text in a Kaldi folder",
                          path);
    status = oto_corpus_lines_close(&lines, status, err);
    oto_free(path);
    if (status == OTO_OK && t->n > 0) {
        qsort(t->pairs, t->n, sizeof *t->pairs, compare);
        report_twice(f, t);
    }
    return status;
}

/* ---- utterances ------------------------------------------------------------------------------ */

/* "utterance recording start end" becomes a part of that recording. */
static bool take_segment(struct folder *f, struct pair *segment, struct oto_corpus_entry *e,
                         struct pair **recording)
{
    char *fields[4] = {segment->value}, *rest = NULL;
    int n = 0;
    for (char *p = segment->value; *p && n < 4; p = rest)
        fields[n++] = oto_split_word(p, &rest);
    if (n != 3) {
        oto_corpus_bad_line(f->reader, segment->at, OTO_FAULT_FIELDS,
                            "found %s fields, expected 4: utterance, recording, start and end in "
                            "seconds; correct the line",
                            n > 3    ? "more than 4"
                            : n == 2 ? "3"
                            : n == 1 ? "2"
                                     : "1");
        return false;
    }
    double start, end = 0;
    bool to_end = strcmp(fields[2], "-1") == 0;
    if (!oto_parse_seconds(fields[1], &start) || (!to_end && !oto_parse_seconds(fields[2], &end))) {
        oto_corpus_bad_line(f->reader, segment->at, OTO_FAULT_NUMBER,
                            "'%s %s' are not two numbers of seconds; expected start and end such "
                            "as 1.5 4.25; correct them",
                            fields[1], fields[2]);
        return false;
    }
    if (!to_end && end <= start) {
        oto_corpus_bad_line(f->reader, segment->at, OTO_FAULT_SEGMENT,
                            "the segment ends at %s s and starts at %s s; expected an end after "
                            "the start; correct it, or remove the utterance",
                            fields[2], fields[1]);
        return false;
    }
    *recording = find(&f->wav, fields[0]);
    if (!*recording) {
        oto_corpus_bad_line(f->reader, segment->at, OTO_FAULT_RECORDING,
                            "the recording '%s' is not in wav.scp; expected one that is; add it "
                            "there, or remove the utterance",
                            fields[0]);
        return false;
    }
    e->start_s = start;
    e->length_s = to_end ? 0 : end - start;
    e->seconds = e->length_s;
    return true;
}

/* The recording of an utterance, or NULL after it was told what is wrong. */
static struct pair *find_recording(struct folder *f, const struct pair *text,
                                   struct oto_corpus_entry *e)
{
    struct pair *recording = NULL;
    if (f->segments.n == 0) {
        recording = find(&f->wav, text->key);
    } else {
        struct pair *segment = find(&f->segments, text->key);
        if (segment) {
            segment->used = true;
            return take_segment(f, segment, e, &recording) ? recording : NULL;
        }
    }
    if (recording)
        recording->used = true;
    else
        oto_corpus_bad_line(f->reader, text->at, OTO_FAULT_NO_AUDIO,
                            "the utterance '%s' is not in %s; expected its audio there; add it, "
                            "or remove the line",
                            text->key, f->segments.n > 0 ? "segments" : "wav.scp");
    return recording;
}

static bool recording_is_file(struct folder *f, struct pair *recording)
{
    size_t n = strlen(recording->value);
    if (!recording->bad && (n == 0 || recording->value[n - 1] == '|' || *recording->value == '|')) {
        recording->bad = true;
        oto_corpus_bad_line(f->reader, recording->at, n == 0 ? OTO_FAULT_PATH : OTO_FAULT_PIPE,
                            n == 0 ? "the recording '%s' has no path; expected an audio file "
                                     "behind its name; write it, or remove the line"
                                   : "the recording '%s' is a command with a pipe; expected the "
                                     "path of an audio file; run the commands into files "
                                     "(wav-copy scp:wav.scp) and name those",
                            recording->key);
    }
    return !recording->bad;
}

static oto_status add_utterance(struct folder *f, const struct pair *text, oto_error *err)
{
    struct oto_corpus_entry e = {.at = text->at, .id = text->key, .text = text->value};
    struct stat st;
    struct pair *recording = find_recording(f, text, &e);
    if (!recording || !recording_is_file(f, recording))
        return OTO_OK;
    const struct pair *speaker = find(&f->speakers, text->key);
    if (f->speakers.n > 0 && !speaker) {
        oto_corpus_bad_line(f->reader, text->at, OTO_FAULT_SPEAKER,
                            "the utterance '%s' is not in utt2spk; expected its speaker there; "
                            "add a line, with its own name where the speaker is unknown",
                            text->key);
        return OTO_OK;
    }
    /* Kaldi's own way to say "unknown" is the utterance's name. */
    e.speaker = speaker && strcmp(speaker->value, text->key) != 0 ? speaker->value : "";
    const struct pair *seconds = find(&f->seconds, text->key);
    if (seconds && e.seconds <= 0 && !oto_parse_seconds(seconds->value, &e.seconds))
        oto_corpus_bad_line(f->reader, seconds->at, OTO_FAULT_NUMBER,
                            "'%s' is not a number of seconds; expected one such as 2.75; correct "
                            "it, or remove the file utt2dur",
                            seconds->value);
    /* Kaldi's paths start where its scripts run; a corpus that is moved has its own folder. */
    char *here = recording->value[0] == '/' ? NULL : oto_join(f->path, recording->value);
    bool below = here && (stat(here, &st) == 0 || stat(recording->value, &st) != 0);
    oto_free(here);
    e.path = recording->value;
    e.folder = below ? f->path : "";
    return oto_corpus_add(f->reader, &e, err);
}

static void report_unused(struct folder *f)
{
    const struct table *audio = f->segments.n > 0 ? &f->segments : &f->wav;
    for (size_t i = 0; i < audio->n; i++)
        if (!audio->pairs[i].used)
            oto_corpus_bad_line(f->reader, audio->pairs[i].at, OTO_FAULT_NO_TEXT,
                                "the utterance '%s' is not in text; expected what is said there; "
                                "add a line, or remove this one",
                                audio->pairs[i].key);
    for (size_t i = 0; i < f->speakers.n; i++)
        if (!find(&f->text, f->speakers.pairs[i].key))
            oto_corpus_remark(f->reader, f->speakers.pairs[i].at, OTO_FAULT_SPEAKER,
                              "the utterance '%s' is not in text; expected the same utterances in "
                              "both; remove the line",
                              f->speakers.pairs[i].key);
}

static int compare_lines(const void *a, const void *b)
{
    const struct pair *const *x = a, *const *y = b;
    return ((*x)->at.line > (*y)->at.line) - ((*x)->at.line < (*y)->at.line);
}

/* In the order of the file text, whatever it is. */
static oto_status add_all(struct folder *f, oto_error *err)
{
    const struct pair **order = oto_calloc(f->text.n, sizeof *order);
    if (!order)
        return oto_fail_memory(err, f->path);
    for (size_t i = 0; i < f->text.n; i++)
        order[i] = &f->text.pairs[i];
    if (f->text.n > 0)
        qsort(order, f->text.n, sizeof *order, compare_lines);
    oto_status status = OTO_OK;
    for (size_t i = 0; i < f->text.n && status == OTO_OK; i++)
        if (!order[i]->bad)
            status = add_utterance(f, order[i], err);
    oto_free(order);
    if (status == OTO_OK)
        report_unused(f);
    return status;
}

static bool probe(struct oto_corpus_source *source)
{
    return oto_source_has(source, "wav.scp") && oto_source_has(source, "text");
}

static oto_status read_kaldi(struct oto_corpus_reader *reader, struct oto_corpus_source *source,
                             oto_error *err)
{
    struct folder f = {.reader = reader, .path = source->path};
    oto_status status = read_table(&f, &f.wav, "wav.scp", true, err);
    if (status == OTO_OK)
        status = read_table(&f, &f.text, "text", true, err);
    if (status == OTO_OK)
        status = read_table(&f, &f.segments, "segments", false, err);
    if (status == OTO_OK)
        status = read_table(&f, &f.speakers, "utt2spk", false, err);
    if (status == OTO_OK)
        status = read_table(&f, &f.seconds, "utt2dur", false, err);
    if (status == OTO_OK)
        status = add_all(&f, err);
    clear_table(&f.wav);
    clear_table(&f.text);
    clear_table(&f.segments);
    clear_table(&f.speakers);
    clear_table(&f.seconds);
    return status;
}

const struct oto_corpus_format oto_corpus_format_kaldi = {.name = "kaldi",
                                                          .probe = probe,
                                                          .read = read_kaldi,
                                                          .write = oto_corpus_write_kaldi,
                                                          .is_folder = true};
