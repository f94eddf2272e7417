/* SPDX-License-Identifier: BSD-2-Clause */
/** Sounds and audio files for tests, and reading them back whole. Include after unit.h. */
#ifndef OTO_TESTS_SUPPORT_AUDIO_FILES_H
#define OTO_TESTS_SUPPORT_AUDIO_FILES_H

#include <math.h>
#include <sndfile.h>
#include <stdbool.h>

#include "otolith/audio.h"

#define AUDIO_PI 3.14159265358979323846

/** [n, n_channels] interleaved: channel c holds a tone of hz*(c + 1) with the given amplitude.
 * Freed with free(). */
static inline float *audio_tone(size_t n, int n_channels, double hz, double rate_hz,
                                double amplitude)
{
    float *x = malloc((n * (size_t)n_channels + 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < n_channels; c++) {
            x[i * (size_t)n_channels + (size_t)c] =
                (float)(amplitude * sin(2.0 * AUDIO_PI * hz * (c + 1) * (double)i / rate_hz));
        }
    }
    return x;
}

/** Writes by libsndfile; false when it cannot write that kind. */
static inline bool audio_write(const char *path, int format, int rate_hz, int n_channels,
                               const float *frames, size_t n)
{
    SF_INFO info = {.samplerate = rate_hz, .channels = n_channels, .format = format};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    if (file == NULL) {
        return false;
    }
    sf_count_t written = sf_writef_float(file, frames, (sf_count_t)n);
    return sf_close(file) == 0 && written == (sf_count_t)n;
}

/** Reads until the end, capacity samples at a time. Freed with free(); NULL with *err filled when a
 * call failed. */
static inline float *audio_read_rest(oto_audio *audio, size_t capacity, size_t *n, oto_error *err)
{
    size_t room = 1 << 16, got = 0;
    float *x = malloc((room + capacity) * sizeof *x);
    *n = 0;
    assert_non_null(x);
    do {
        if (*n > room) {
            room = 2 * *n;
            x = realloc(x, (room + capacity) * sizeof *x);
            assert_non_null(x);
        }
        if (oto_audio_read(audio, x + *n, capacity, &got, err) != OTO_OK) {
            free(x);
            return NULL;
        }
        *n += got;
    } while (got > 0);
    return x;
}

/** Opens and reads a whole file; fails the test when that fails. options may be NULL. */
static inline float *audio_read_file(const char *path, const oto_audio_options *options,
                                     size_t capacity, size_t *n)
{
    oto_error err = {OTO_OK, ""};
    oto_audio *audio = NULL;
    if (oto_audio_open(&audio, path, options, &err) != OTO_OK) {
        fail_msg("%s", err.message);
    }
    float *x = audio_read_rest(audio, capacity, n, &err);
    if (x == NULL) {
        fail_msg("%s", err.message);
    }
    oto_audio_close(audio);
    return x;
}

/** What a hand-made WAV header says; zero fields take the value that fits the others. */
struct audio_wav {
    const char *magic; /* "RIFF" */
    int tag;           /* 1 */
    int n_channels;    /* 1; -1 writes 0 */
    long long rate_hz; /* 16000; -1 writes 0 */
    int bits;          /* 16 */
    bool extensible;
    const void *data;
    size_t data_size;
    long long claimed_size; /* data_size; -1 writes 0 */
    const char *before;     /* id of a chunk of 6 bytes between fmt and data */
};

struct audio_bytes {
    unsigned char *data;
    size_t n;
};

static inline void audio_put(struct audio_bytes *b, unsigned long long v, int n_bytes, bool big)
{
    for (int i = 0; i < n_bytes; i++) {
        b->data[b->n++] = (unsigned char)(v >> 8 * (big ? n_bytes - 1 - i : i));
    }
}

static inline void audio_put_text(struct audio_bytes *b, const char *text)
{
    memcpy(b->data + b->n, text, strlen(text));
    b->n += strlen(text);
}

/** The bytes of the file; data is freed with free(). RF64 gets a ds64 chunk. */
static inline struct audio_bytes audio_wav_bytes(struct audio_wav w)
{
    struct audio_bytes b = {malloc(w.data_size + 256), 0};
    assert_non_null(b.data);
    const char *magic = w.magic != NULL ? w.magic : "RIFF";
    bool big = strcmp(magic, "RIFX") == 0, is_rf64 = strcmp(magic, "RF64") == 0;
    unsigned tag = w.tag != 0 ? (unsigned)w.tag : 1;
    unsigned n_channels = w.n_channels == 0 ? 1 : w.n_channels < 0 ? 0 : (unsigned)w.n_channels;
    unsigned long long rate = w.rate_hz == 0  ? 16000
                              : w.rate_hz < 0 ? 0
                                              : (unsigned long long)w.rate_hz;
    unsigned bits = w.bits != 0 ? (unsigned)w.bits : 16;
    unsigned long long size = w.claimed_size == 0  ? w.data_size
                              : w.claimed_size < 0 ? 0
                                                   : (unsigned long long)w.claimed_size;
    audio_put_text(&b, magic);
    audio_put(&b, is_rf64 ? 0xffffffffU : 36 + w.data_size, 4, big);
    audio_put_text(&b, "WAVE");
    if (is_rf64) {
        audio_put_text(&b, "ds64");
        audio_put(&b, 28, 4, false);
        audio_put(&b, 72 + w.data_size, 8, false);
        audio_put(&b, size, 8, false);
        audio_put(&b, 0, 8, false);
        audio_put(&b, 0, 4, false);
    }
    audio_put_text(&b, "fmt ");
    audio_put(&b, w.extensible ? 40 : 16, 4, big);
    audio_put(&b, w.extensible ? 0xfffe : tag, 2, big);
    audio_put(&b, n_channels, 2, big);
    audio_put(&b, rate, 4, big);
    audio_put(&b, rate * n_channels * (bits / 8), 4, big);
    audio_put(&b, n_channels * (bits / 8), 2, big);
    audio_put(&b, bits, 2, big);
    if (w.extensible) {
        static const unsigned char guid[14] = {0,    0,    0,    0,    0x10, 0,    0x80,
                                               0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71};
        audio_put(&b, 22, 2, big);
        audio_put(&b, bits, 2, big);
        audio_put(&b, 0, 4, big);
        audio_put(&b, tag, 2, big);
        memcpy(b.data + b.n, guid, sizeof guid);
        b.n += sizeof guid;
    }
    if (w.before != NULL) {
        audio_put_text(&b, w.before);
        audio_put(&b, 5, 4, big); /* odd: one byte of padding follows */
        audio_put_text(&b, "hello.");
    }
    audio_put_text(&b, "data");
    audio_put(&b, is_rf64 ? 0xffffffffU : size, 4, big);
    if (w.data_size > 0) {
        memcpy(b.data + b.n, w.data, w.data_size);
    }
    b.n += w.data_size;
    return b;
}

#endif
