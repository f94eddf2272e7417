/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/recordings.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "otolith/audio.h"
#include "training/corpus_reader.h"

bool oto_samples_reserve(struct oto_samples *s, size_t n)
{
    if (n <= s->capacity)
        return true;
    size_t capacity = n + n / 2;
    float *grown = oto_realloc(s->x, s->capacity, capacity, sizeof *grown);
    if (!grown)
        return false;
    s->x = grown;
    s->capacity = capacity;
    return true;
}

oto_status oto_samples_read(struct oto_samples *s, const char *path, int rate_hz, double start_s,
                            double length_s, oto_error *err)
{
    enum { PORTION = 16384 };
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.rate_hz = rate_hz;
    options.start_s = start_s;
    options.length_s = length_s;
    oto_audio *audio;
    oto_status status = oto_audio_open(&audio, path, &options, err);
    if (status != OTO_OK)
        return status;
    size_t n_read = 0;
    do {
        if (!oto_samples_reserve(s, s->n + PORTION)) {
            status = oto_fail_memory(err, path);
            break;
        }
        status = oto_audio_read(audio, s->x + s->n, s->capacity - s->n, &n_read, err);
        s->n += n_read;
    } while (status == OTO_OK && n_read > 0);
    oto_audio_close(audio);
    return status;
}

void oto_samples_clear(struct oto_samples *s)
{
    oto_free(s->x);
    *s = (struct oto_samples){0};
}

/* ---- folders --------------------------------------------------------------------------------- */

static oto_status measure(struct oto_recording *r, const char *what, oto_error *err)
{
    oto_audio *audio;
    oto_audio_info info;
    oto_error why = {OTO_OK, ""};
    oto_status status = oto_audio_open(&audio, r->path, NULL, &why);
    if (status != OTO_OK)
        return oto_fail(err, status, "%s: %s", what, why.message);
    oto_audio_get_info(audio, &info);
    r->seconds = info.seconds;
    oto_audio_close(audio);
    if (!(r->seconds > 0))
        return oto_fail(err, OTO_ERR_DATA,
                        "%s: %s: %s; expected a recording of known length, such as WAV or FLAC",
                        what, r->path,
                        r->seconds < 0 ? "does not say how long it is" : "no samples");
    return OTO_OK;
}

static oto_status open_listed(struct oto_recordings *out, const struct oto_corpus_source *source,
                              const char *what, oto_error *err)
{
    out->items = oto_calloc(source->files.n + 1, sizeof *out->items);
    if (!out->items)
        return oto_fail_memory(err, what);
    for (size_t i = 0; i < source->files.n; i++) {
        if (oto_audio_ending(source->files.items[i]) <= 0)
            continue;
        struct oto_recording *r = &out->items[out->n];
        r->path = oto_join(source->path, source->files.items[i]);
        if (!r->path)
            return oto_fail_memory(err, what);
        out->n++;
        oto_status status = measure(r, what, err);
        if (status != OTO_OK)
            return status;
    }
    if (out->n == 0)
        return oto_fail(err, OTO_ERR_DATA,
                        "%s: %s: no audio in this folder; expected files ending in .wav, .flac, "
                        ".ogg, .opus, .mp3 or the like",
                        what, source->path);
    return OTO_OK;
}

oto_status oto_recordings_open(struct oto_recordings *out, const char *folder, const char *what,
                               oto_error *err)
{
    struct oto_corpus_source source = {.path = folder, .is_folder = true};
    oto_error why = {OTO_OK, ""};
    *out = (struct oto_recordings){0};
    oto_status status = oto_source_files(&source, &why);
    if (status != OTO_OK)
        status =
            oto_fail(err, status, "%s: %s; expected a folder of recordings", what, why.message);
    else
        status = open_listed(out, &source, what, err);
    oto_paths_clear(&source.files);
    if (status != OTO_OK)
        oto_recordings_clear(out);
    return status;
}

void oto_recordings_clear(struct oto_recordings *r)
{
    for (size_t i = 0; i < r->n; i++)
        oto_free(r->items[i].path);
    oto_free(r->items);
    *r = (struct oto_recordings){0};
}

void oto_recordings_key(const struct oto_recordings *r, struct oto_writer *w, bool times)
{
    for (size_t i = 0; i < r->n; i++) {
        struct stat st = {0};
        oto_write_bytes(w, r->items[i].path, strlen(r->items[i].path) + 1);
        if (stat(r->items[i].path, &st) != 0)
            continue; /* is found out about when it is read */
        oto_write_u64(w, (uint64_t)st.st_size);
        oto_write_u64(w, times ? (uint64_t)st.st_mtim.tv_sec : 0);
        oto_write_u64(w, times ? (uint64_t)st.st_mtim.tv_nsec : 0);
    }
}

oto_status oto_recording_loop(const struct oto_recording *r, struct oto_samples *s, size_t n,
                              double place, int rate_hz, oto_error *err)
{
    double wanted_s = (double)n / rate_hz;
    bool whole = r->seconds <= wanted_s; /* a short one is read once and repeated in memory */
    /* a millisecond before its end at most: a start that rounds to the end would be refused */
    double start_s = whole ? 0 : fmax(0, fmin(place * r->seconds, r->seconds - 0.001));
    s->n = 0;
    oto_status status = oto_samples_read(s, r->path, rate_hz, start_s, whole ? 0 : wanted_s, err);
    if (status == OTO_OK && !whole && s->n < n)
        status = oto_samples_read(s, r->path, rate_hz, 0, (double)(n - s->n) / rate_hz, err);
    if (status != OTO_OK)
        return status;
    size_t period = s->n, first = whole ? (size_t)(place * (double)period) : 0;
    if (period == 0)
        return oto_fail(err, OTO_ERR_DATA, "%s: no samples", r->path);
    if (!oto_samples_reserve(s, first + n))
        return oto_fail_memory(err, r->path);
    for (size_t i = period; i < first + n; i++)
        s->x[i] = s->x[i - period];
    memmove(s->x, s->x + first, n * sizeof *s->x);
    s->n = n;
    return OTO_OK;
}
