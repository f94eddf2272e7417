/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Kaldi data folders as its validate_data_dir.sh wants them: wav.scp, text, utt2spk, spk2utt, with
 * segments where utterances are parts of recordings, and utt2dur where all lengths are known; every
 * file in the order of its bytes.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "training/corpus_kaldi.h"

struct row {
    char *id, *speaker, *path; /* owned */
    const struct oto_utterance *u;
    const char *recording; /* borrowed from struct recording */
};

struct recording {
    char *id;         /* owned */
    const char *path; /* borrowed from its first row */
};

struct output {
    const struct oto_corpus_target *target;
    struct row *rows; /* [n] */
    size_t n;
    struct recording *recordings; /* [n_recordings] by path, then by id */
    size_t n_recordings;
    bool parts, lengths; /* utterances are parts of recordings; all lengths are known */
};

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->id, ((const struct row *)b)->id);
}

static int by_speaker(const void *a, const void *b)
{
    int order = strcmp(((const struct row *)a)->speaker, ((const struct row *)b)->speaker);
    return order ? order : by_id(a, b);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct recording *)a)->path, ((const struct recording *)b)->path);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct recording *)a)->id, ((const struct recording *)b)->id);
}

/* One word: blanks become underscores. */
static char *as_word(const char *text)
{
    char *word = oto_strdup(text);
    for (char *p = word; p && *p; p++)
        if (isspace((unsigned char)*p))
            *p = '_';
    return word;
}

static oto_status make_rows(struct output *o, oto_error *err)
{
    const struct oto_corpus_target *t = o->target;
    o->lengths = true;
    struct oto_corpus_target absolute = *t;
    if (t->paths == OTO_PATHS_AUTO)
        absolute.paths = OTO_PATHS_ABSOLUTE; /* Kaldi's scripts run elsewhere */
    for (size_t i = 0; i < t->n; i++) {
        struct row *row = &o->rows[i];
        row->u = oto_target_utterance(t, i);
        row->id = as_word(row->u->id);
        row->speaker = as_word(*row->u->speaker ? row->u->speaker : row->u->id);
        row->path = oto_target_path(&absolute, row->u->path);
        if (!row->id || !row->speaker || !row->path)
            return oto_fail_memory(err, t->path);
        o->parts = o->parts || row->u->start_s > 0 || row->u->length_s > 0;
        o->lengths = o->lengths && (row->u->seconds > 0 || row->u->length_s > 0);
        size_t n = strlen(row->path);
        if (strpbrk(row->path, "\t\n") || row->path[n - 1] == '|' || row->path[n - 1] == ' ')
            return oto_fail(err, OTO_ERR_DATA,
                            "%s:%d: the path '%s' cannot stand in wav.scp; rename the file",
                            oto_corpus_file(t->corpus, row->u), row->u->line, row->path);
    }
    return OTO_OK;
}

static bool speakers_are_sorted(const struct output *o)
{
    for (size_t i = 1; i < o->n; i++)
        if (strcmp(o->rows[i - 1].speaker, o->rows[i].speaker) > 0)
            return false;
    return true;
}

static oto_status put_speakers_first(struct output *o, oto_error *err)
{
    for (size_t i = 0; i < o->n; i++) {
        struct row *row = &o->rows[i];
        size_t capacity = strlen(row->id) + strlen(row->speaker) + 2;
        if (strncmp(row->id, row->speaker, strlen(row->speaker)) == 0)
            continue;
        char *id = oto_calloc(capacity, 1);
        if (!id)
            return oto_fail_memory(err, o->target->path);
        snprintf(id, capacity, "%s-%s", row->speaker, row->id);
        oto_free(row->id);
        row->id = id;
    }
    return OTO_OK;
}

/* Kaldi wants utterances sorted by name and by speaker at once: names begin with the speaker. */
static oto_status sort_rows(struct output *o, oto_error *err)
{
    qsort(o->rows, o->n, sizeof *o->rows, by_id);
    if (!speakers_are_sorted(o)) {
        oto_status status = put_speakers_first(o, err);
        if (status != OTO_OK)
            return status;
        qsort(o->rows, o->n, sizeof *o->rows, by_id);
    }
    if (!speakers_are_sorted(o))
        oto_log(OTO_LOG_WARNING,
                "%s: one speaker's name begins with another's, and Kaldi cannot sort by both "
                "utterance and speaker: validate_data_dir.sh needs --no-spk-sort",
                o->target->path);
    for (size_t i = 1; i < o->n; i++)
        if (strcmp(o->rows[i - 1].id, o->rows[i].id) == 0)
            return oto_fail(err, OTO_ERR_DATA,
                            "%s:%d: without blanks the id '%s' is that of another utterance; "
                            "rename it",
                            oto_corpus_file(o->target->corpus, o->rows[i].u), o->rows[i].u->line,
                            o->rows[i].u->id);
    return OTO_OK;
}

/* The path's last two names without the ending, and a number where another has them. */
static char *recording_name(const char *path, ptrdiff_t number)
{
    ptrdiff_t ending = oto_audio_ending(path);
    size_t end = ending > 0 ? (size_t)ending : strlen(path), start = end;
    for (int n = 0; start > 0 && n < 2; start--)
        if (path[start - 1] == '/' && ++n == 2)
            break;
    char *name = oto_calloc(end - start + 32, 1);
    if (!name)
        return NULL;
    size_t n = 0;
    for (size_t i = start; i < end; i++) {
        unsigned char c = (unsigned char)path[i];
        name[n++] = (char)(isalnum(c) || c >= 0x80 || strchr("-_.", c) ? c : '_');
    }
    if (number >= 0)
        snprintf(name + n, 32, "_%td", number + 1);
    return name;
}

/* Recordings that share a name, neighbours by now, get their place among all behind it. */
static oto_status part_names(struct output *o, oto_error *err)
{
    bool shared = false; /* with the one before */
    for (size_t i = 0; i < o->n_recordings; i++) {
        bool next =
            i + 1 < o->n_recordings && strcmp(o->recordings[i].id, o->recordings[i + 1].id) == 0;
        if (shared || next) {
            char *name = recording_name(o->recordings[i].path, (ptrdiff_t)i);
            if (!name)
                return oto_fail_memory(err, o->target->path);
            oto_free(o->recordings[i].id);
            o->recordings[i].id = name;
        }
        shared = next;
    }
    return OTO_OK;
}

static oto_status make_recordings(struct output *o, oto_error *err)
{
    o->recordings = oto_calloc(o->n, sizeof *o->recordings);
    if (!o->recordings)
        return oto_fail_memory(err, o->target->path);
    for (size_t i = 0; i < o->n; i++)
        o->recordings[i].path = o->rows[i].path;
    qsort(o->recordings, o->n, sizeof *o->recordings, by_path);
    for (size_t i = 0; i < o->n; i++)
        if (i == 0 || strcmp(o->recordings[i].path, o->recordings[o->n_recordings - 1].path) != 0)
            o->recordings[o->n_recordings++].path = o->recordings[i].path;
    for (size_t i = 0; i < o->n_recordings; i++) {
        o->recordings[i].id = recording_name(o->recordings[i].path, -1);
        if (!o->recordings[i].id)
            return oto_fail_memory(err, o->target->path);
    }
    qsort(o->recordings, o->n_recordings, sizeof *o->recordings, by_name);
    oto_status status = part_names(o, err);
    if (status != OTO_OK)
        return status;
    qsort(o->recordings, o->n_recordings, sizeof *o->recordings, by_path);
    for (size_t i = 0; i < o->n; i++) {
        const struct recording key = {.path = o->rows[i].path};
        const struct recording *r =
            bsearch(&key, o->recordings, o->n_recordings, sizeof key, by_path);
        o->rows[i].recording = r ? r->id : "";
    }
    qsort(o->recordings, o->n_recordings, sizeof *o->recordings, by_name);
    return OTO_OK;
}

static void write_pair(struct oto_writer *w, const char *key, const char *value)
{
    oto_write_text(w, key);
    oto_write_u8(w, ' ');
    oto_write_line_text(w, value);
    oto_write_u8(w, '\n');
}

static oto_status save(const struct output *o, struct oto_writer *w, const char *name,
                       oto_error *err)
{
    char *path = oto_join(o->target->path, name);
    if (!path)
        w->failed = true;
    oto_status status = oto_write_save(w, path ? path : name, err);
    oto_free(path);
    return status;
}

/* A file that was there before and does not belong to this corpus would be read with it. */
static void remove_stale(const struct output *o, const char *name)
{
    char *path = oto_join(o->target->path, name);
    if (path)
        remove(path);
    oto_free(path);
}

static oto_status write_segments(struct output *o, oto_error *err)
{
    struct oto_writer w = {0}, wav = {0};
    oto_status status = make_recordings(o, err);
    for (size_t i = 0; status == OTO_OK && i < o->n; i++) {
        const struct oto_utterance *u = o->rows[i].u;
        double length = u->length_s > 0 ? u->length_s : u->seconds;
        if (length <= 0) {
            status = oto_fail(err, OTO_ERR_DATA,
                              "%s:%d: where %s ends is not known, and segments needs it; see that "
                              "its audio is there",
                              oto_corpus_file(o->target->corpus, u), u->line, u->id);
            break;
        }
        oto_write_text(&w, o->rows[i].id);
        oto_write_u8(&w, ' ');
        oto_write_text(&w, o->rows[i].recording);
        oto_write_u8(&w, ' ');
        oto_write_number(&w, u->start_s);
        oto_write_u8(&w, ' ');
        oto_write_number(&w, u->start_s + length);
        oto_write_u8(&w, '\n');
    }
    for (size_t i = 0; status == OTO_OK && i < o->n_recordings; i++)
        write_pair(&wav, o->recordings[i].id, o->recordings[i].path);
    if (status == OTO_OK)
        status = save(o, &w, "segments", err);
    if (status == OTO_OK)
        status = save(o, &wav, "wav.scp", err);
    oto_writer_clear(&w);
    oto_writer_clear(&wav);
    return status;
}

static oto_status write_wav(struct output *o, oto_error *err)
{
    struct oto_writer w = {0};
    for (size_t i = 0; i < o->n; i++)
        write_pair(&w, o->rows[i].id, o->rows[i].path);
    remove_stale(o, "segments");
    return save(o, &w, "wav.scp", err);
}

static oto_status write_texts(struct output *o, oto_error *err)
{
    struct oto_writer text = {0}, speaker = {0}, seconds = {0};
    for (size_t i = 0; i < o->n; i++) {
        const struct row *row = &o->rows[i];
        write_pair(&text, row->id, row->u->text);
        write_pair(&speaker, row->id, row->speaker);
        oto_write_text(&seconds, row->id);
        oto_write_u8(&seconds, ' ');
        oto_write_number(&seconds, row->u->length_s > 0 ? row->u->length_s : row->u->seconds);
        oto_write_u8(&seconds, '\n');
    }
    oto_status status = save(o, &text, "text", err);
    if (status == OTO_OK)
        status = save(o, &speaker, "utt2spk", err);
    if (status == OTO_OK && o->lengths)
        status = save(o, &seconds, "utt2dur", err);
    else
        remove_stale(o, "utt2dur");
    oto_writer_clear(&text);
    oto_writer_clear(&speaker);
    oto_writer_clear(&seconds);
    return status;
}

/* "speaker utterance utterance ..." */
static oto_status write_speakers(struct output *o, oto_error *err)
{
    struct oto_writer w = {0};
    qsort(o->rows, o->n, sizeof *o->rows, by_speaker);
    for (size_t i = 0; i < o->n; i++) {
        if (i == 0 || strcmp(o->rows[i - 1].speaker, o->rows[i].speaker) != 0) {
            if (i > 0)
                oto_write_u8(&w, '\n');
            oto_write_text(&w, o->rows[i].speaker);
        }
        oto_write_u8(&w, ' ');
        oto_write_text(&w, o->rows[i].id);
    }
    if (o->n > 0)
        oto_write_u8(&w, '\n');
    return save(o, &w, "spk2utt", err);
}

oto_status oto_corpus_write_kaldi(const struct oto_corpus_target *target, oto_error *err)
{
    struct output o = {.target = target, .n = target->n};
    o.rows = oto_calloc(o.n, sizeof *o.rows);
    oto_status status = o.rows ? make_rows(&o, err) : oto_fail_memory(err, target->path);
    if (status == OTO_OK && o.n > 0)
        status = sort_rows(&o, err);
    if (status == OTO_OK)
        status = o.parts ? write_segments(&o, err) : write_wav(&o, err);
    if (status == OTO_OK)
        status = write_texts(&o, err);
    if (status == OTO_OK)
        status = write_speakers(&o, err);
    for (size_t i = 0; o.rows && i < o.n; i++) {
        oto_free(o.rows[i].id);
        oto_free(o.rows[i].speaker);
        oto_free(o.rows[i].path);
    }
    for (size_t i = 0; o.recordings && i < o.n_recordings; i++)
        oto_free(o.recordings[i].id);
    oto_free(o.recordings);
    oto_free(o.rows);
    return status;
}
