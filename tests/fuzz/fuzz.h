/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A fuzz target is a file tests/fuzz/test_NAME.c with one function fuzz_one(data, size). Built as a
 * normal test it replays the files of corpus/NAME and, from each, a fixed set of mutations; built
 * by clang with -fsanitize=fuzzer and -DOTO_LIBFUZZER the same function is fuzzed (README.md).
 */
#ifndef OTO_TESTS_FUZZ_H
#define OTO_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Must end without a crash, a leak or a hang, whatever the data. May write to it: it is a copy of
 * exactly size bytes. */
static void fuzz_one(uint8_t *data, size_t size);

static inline void fuzz_exact(const uint8_t *data, size_t size)
{
    uint8_t *copy =
        malloc(size > 0 ? size : 1); /* of the exact size: reading past it shows under ASan */
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    fuzz_one(copy, size);
    free(copy);
}

/* One file for the whole process, rewritten for each input. */
static char fuzz_file_name[64];

static inline void fuzz_file_remove(void)
{
    remove(fuzz_file_name);
}

/** For readers that take a path: the input as a file, which is removed when the process ends. */
static inline void fuzz_file(char path[64], const uint8_t *data, size_t size)
{
    if (fuzz_file_name[0] == 0) {
        const char *folder = getenv("TMPDIR");
        snprintf(fuzz_file_name, sizeof fuzz_file_name, "%s/otolith-fuzz-XXXXXX",
                 folder != NULL && strlen(folder) < 40 ? folder : "/tmp");
        int fd = mkstemp(fuzz_file_name);
        FILE *made = fd >= 0 ? fdopen(fd, "wb") : NULL;
        if (made == NULL || fclose(made) != 0 || atexit(fuzz_file_remove) != 0)
            abort();
    }
    FILE *f = fopen(fuzz_file_name, "wb");
    if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
    memcpy(path, fuzz_file_name, 64);
}

#ifdef OTO_LIBFUZZER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_exact(data, size);
    return 0;
}
#else

#include <dirent.h>

#include "base/rng.h"

#define FUZZ_ROOM (1 << 20)

static size_t fuzz_n_runs;

/* Mutation number k of the seed: one to four small changes, a pure function of (size, k). */
static inline void fuzz_mutate(const uint8_t *seed, size_t size, uint64_t k)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, '\n',
                                    '\t', '"',  '=',  '-',  '0',  '9'};
    uint8_t *data = malloc(size + 64);
    if (data == NULL)
        abort();
    memcpy(data, seed, size);
    uint64_t counter = 0;
    int n_changes = 1 + (int)oto_rng_below(k, 0, counter++, 4);
    for (int i = 0; i < n_changes && size > 0; i++) {
        size_t at = (size_t)oto_rng_below(k, 0, counter++, size);
        size_t n = 1 + (size_t)oto_rng_below(k, 0, counter++, 8);
        n = n < size - at ? n : size - at;
        switch (oto_rng_below(k, 0, counter++, 6)) {
        case 0: /* a bit */
            data[at] ^= (uint8_t)(1u << oto_rng_below(k, 0, counter++, 8));
            break;
        case 1: /* a byte that is often special */
            data[at] = edges[oto_rng_below(k, 0, counter++, sizeof edges)];
            break;
        case 2: /* cut off */
            size = at;
            break;
        case 3: /* cut out */
            memmove(data + at, data + at + n, size - at - n);
            size -= n;
            break;
        case 4: /* doubled */
            memmove(data + at + n, data + at, size - at);
            size += n;
            break;
        default: /* random bytes */
            for (size_t j = 0; j < n; j++)
                data[at + j] = (uint8_t)oto_rng_below(k, 0, counter++, 256);
            break;
        }
    }
    fuzz_exact(data, size);
    fuzz_n_runs++;
    free(data);
}

static inline void fuzz_replay_file(const char *path, uint64_t n_mutations)
{
    static uint8_t data[FUZZ_ROOM];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        exit(1);
    }
    size_t size = fread(data, 1, sizeof data, f);
    fclose(f);
    fuzz_exact(data, size);
    fuzz_n_runs++;
    for (uint64_t k = 0; k < n_mutations; k++)
        fuzz_mutate(data, size, k);
}

/** Main program of a replay: each file of the folder, or the files named on the command line alone.
 */
static inline int fuzz_main(int argc, char **argv, const char *name, uint64_t n_mutations)
{
    char folder[2000], path[3000];
    int n_files = argc - 1;
    for (int i = 1; i < argc; i++)
        fuzz_replay_file(argv[i], 0);
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", OTO_SOURCE_DIR, name);
    DIR *dir = argc > 1 ? NULL : opendir(folder);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        fuzz_replay_file(path, n_mutations);
        n_files++;
    }
    if (dir != NULL)
        closedir(dir);
    printf("%s: %d files, %zu inputs\n", name, n_files, fuzz_n_runs);
    return n_files > 0 ? 0 : 1; /* an empty corpus shows nothing */
}
#endif

#endif
