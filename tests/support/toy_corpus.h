/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A corpus out of nothing, for tests of training: every letter a..e is a chord of its own, every
 * text a few letters. Also whole files, and the log as text.
 */
#ifndef OTO_TESTS_TOY_CORPUS_H
#define OTO_TESTS_TOY_CORPUS_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "otolith/otolith.h"

enum { TOY_RATE_HZ = 16000, TOY_LETTERS = 5, TOY_MAX_TEXT = 6 };

/* ---- files
 * ----------------------------------------------------------------------------------------------------
 */

static inline void toy_write(const char *folder, const char *name, const void *data, size_t n)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static inline void toy_write_text(const char *folder, const char *name, const char *text)
{
    toy_write(folder, name, text, strlen(text));
}

/** A whole file, freed with free(); NULL when it cannot be read. */
static inline unsigned char *toy_read(const char *folder, const char *name, size_t *n)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    *n = 0;
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    unsigned char *data = malloc(*n + 1);
    if (!data || fread(data, 1, *n, f) != *n) {
        free(data);
        data = NULL;
    } else {
        data[*n] = 0;
    }
    fclose(f);
    return data;
}

static inline int toy_same_file(const char *folder_a, const char *name_a, const char *folder_b,
                                const char *name_b)
{
    size_t n = 0, m = 0;
    unsigned char *a = toy_read(folder_a, name_a, &n), *b = toy_read(folder_b, name_b, &m);
    int same = a && b && n == m && memcmp(a, b, n) == 0;
    free(a);
    free(b);
    return same;
}

/* ---- speech of chords
 * ------------------------------------------------------------------------------------------- */

static inline void toy_put(unsigned char *p, uint32_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        p[i] = (unsigned char)(value >> (8 * i));
}

/** A RIFF file of 16-bit mono samples. */
static inline void toy_write_wav(const char *folder, const char *name, const float *samples,
                                 size_t n)
{
    unsigned char *data = calloc(44 + 2 * n, 1);
    if (!data)
        exit(1);
    memcpy(data, "RIFF", 4);
    toy_put(data + 4, (uint32_t)(36 + 2 * n), 4);
    memcpy(data + 8, "WAVEfmt ", 8);
    toy_put(data + 16, 16, 4);
    toy_put(data + 20, 1, 2);
    toy_put(data + 22, 1, 2);
    toy_put(data + 24, TOY_RATE_HZ, 4);
    toy_put(data + 28, TOY_RATE_HZ * 2, 4);
    toy_put(data + 32, 2, 2);
    toy_put(data + 34, 16, 2);
    memcpy(data + 36, "data", 4);
    toy_put(data + 40, (uint32_t)(2 * n), 4);
    for (size_t i = 0; i < n; i++)
        toy_put(data + 44 + 2 * i, (uint32_t)lrintf(samples[i] * 32767), 2);
    toy_write(folder, name, data, 44 + 2 * n);
    free(data);
}

/** Letters of the text as chords of 100 to 160 ms with a pause after each and noise beneath. *n
 * samples, malloc'd. */
static inline float *toy_speak(const char *text, uint64_t seed, uint64_t stream, size_t *n)
{
    size_t capacity = (strlen(text) + 2) * TOY_RATE_HZ / 4, i = 0;
    float *samples = calloc(capacity, sizeof *samples);
    uint64_t counter = 0;
    if (!samples)
        exit(1);
    i += TOY_RATE_HZ / 20;
    for (const char *p = text; *p; p++) {
        double pitch = *p == ' ' ? 0 : 300 * pow(1.4, *p - 'a');
        pitch *= 0.97 + 0.06 * oto_rng_uniform(seed, stream, counter++);
        size_t length =
            (size_t)(TOY_RATE_HZ * (0.10 + 0.06 * oto_rng_uniform(seed, stream, counter++)));
        for (size_t k = 0; k < length; k++, i++) {
            double phase = 6.283185307179586 * pitch * (double)k / TOY_RATE_HZ;
            samples[i] = (float)(0.2 * sin(phase) + 0.1 * sin(2.1 * phase));
        }
        i += TOY_RATE_HZ / 20;
    }
    i += TOY_RATE_HZ / 20;
    for (size_t k = 0; k < i; k++)
        samples[k] += (float)(0.003 * oto_rng_normal(seed, stream + 1000000, k));
    *n = i;
    return samples;
}

/** n utterances in FOLDER/NAME0.wav ... and the manifest FOLDER/NAME.tsv. */
static inline void toy_corpus(const char *folder, const char *name, int n, uint64_t seed)
{
    char *manifest = calloc((size_t)n + 1, 200);
    if (!manifest)
        exit(1);
    char *p = manifest + sprintf(manifest, "id\tpath\tseconds\tspeaker\ttext\n");
    for (int i = 0; i < n; i++) {
        char text[TOY_MAX_TEXT + 1] = "", file[100];
        size_t n_samples,
            length = 1 + (size_t)oto_rng_below(seed, 7, (uint64_t)i * 100, TOY_MAX_TEXT);
        for (size_t k = 0; k < length; k++)
            text[k] = (char)('a' + oto_rng_below(seed, 7, (uint64_t)i * 100 + 1 + k, TOY_LETTERS));
        float *samples = toy_speak(text, seed, (uint64_t)i, &n_samples);
        snprintf(file, sizeof file, "%s%d.wav", name, i);
        toy_write_wav(folder, file, samples, n_samples);
        free(samples);
        p += sprintf(p, "%s%d\t%s\t%.3f\ttoy\t%s\n", name, i, file, (double)n_samples / TOY_RATE_HZ,
                     text);
    }
    char file[100];
    snprintf(file, sizeof file, "%s.tsv", name);
    toy_write_text(folder, file, manifest);
    free(manifest);
}

/* ---- log
 * --------------------------------------------------------------------------------------------------------
 */

struct toy_log {
    char text[65536];
    size_t n;
};

static inline void toy_log_append(void *arg, oto_log_level level, const char *message)
{
    struct toy_log *log = arg;
    int n = snprintf(log->text + log->n, sizeof log->text - log->n, "%d %s\n", (int)level, message);
    if (n > 0 && log->n + (size_t)n < sizeof log->text)
        log->n += (size_t)n;
}

static inline void toy_log_catch(struct toy_log *log)
{
    memset(log, 0, sizeof *log);
    oto_log_set(toy_log_append, log, OTO_LOG_DEBUG);
}

#endif
