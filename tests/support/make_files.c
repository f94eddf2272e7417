/* SPDX-License-Identifier: BSD-2-Clause */
/* Files for the shell tests, so that they need no shipped model and no recording. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tiny_model.h"

static int make_model(const char *path, uint64_t seed, bool pairs)
{
    oto_error err = {0};
    struct tiny_model tiny;
    oto_status status =
        pairs ? tiny_model_init_pairs(&tiny, seed, &err) : tiny_model_init(&tiny, seed, &err);
    if (status == OTO_OK)
        status = oto_bundle_save(&tiny.bundle, path, &err);
    tiny_model_clear(&tiny);
    if (status != OTO_OK)
        fprintf(stderr, "%s\n", err.message);
    return status == OTO_OK ? 0 : 1;
}

/* 16 bits, one channel; with a header or without. */
static int make_sound(const char *path, uint64_t seed, size_t n, int rate_hz, bool header)
{
    struct oto_writer w = {0};
    float *samples = calloc(n + 1, sizeof *samples);
    if (samples == NULL)
        return 1;
    tiny_model_sound(samples, n, rate_hz, seed);
    if (header) {
        oto_write_bytes(&w, "RIFF", 4);
        oto_write_u32(&w, (uint32_t)(36 + 2 * n));
        oto_write_bytes(&w, "WAVEfmt ", 8);
        oto_write_u32(&w, 16);
        oto_write_u16(&w, 1);
        oto_write_u16(&w, 1);
        oto_write_u32(&w, (uint32_t)rate_hz);
        oto_write_u32(&w, (uint32_t)(2 * rate_hz));
        oto_write_u16(&w, 2);
        oto_write_u16(&w, 16);
        oto_write_bytes(&w, "data", 4);
        oto_write_u32(&w, (uint32_t)(2 * n));
    }
    for (size_t i = 0; i < n; i++)
        oto_write_u16(&w, (uint16_t)(int16_t)(32767 * samples[i]));
    free(samples);
    FILE *f = w.failed ? NULL : fopen(path, "wb");
    bool good = f != NULL && fwrite(w.data, 1, w.size, f) == w.size;
    good = f != NULL && fclose(f) == 0 && good;
    oto_writer_clear(&w);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 4 && (strcmp(argv[1], "model") == 0 || strcmp(argv[1], "pairs") == 0))
        return make_model(argv[2], strtoull(argv[3], NULL, 10), strcmp(argv[1], "pairs") == 0);
    if (argc == 6 && (strcmp(argv[1], "wav") == 0 || strcmp(argv[1], "raw") == 0))
        return make_sound(argv[2], strtoull(argv[3], NULL, 10), strtoul(argv[4], NULL, 10),
                          atoi(argv[5]), strcmp(argv[1], "wav") == 0);
    fprintf(stderr, "usage: make_files model|pairs PATH SEED | wav|raw PATH SEED SAMPLES RATE\n");
    return 64;
}
