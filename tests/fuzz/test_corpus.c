/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corpora that are folders. The first byte chooses the format; then come files, each a line "== N"
 * with the number of a name in the table below, and what is in it.
 */
#include "fuzz.h"

#include <sys/stat.h>
#include <unistd.h>

#include "training/corpus.h"

static const struct {
    char key;
    const char *format;
    const char *files[6];
} kinds[] = {
    {'k', "kaldi", {"wav.scp", "text", "segments", "utt2spk", "utt2dur"}},
    {'l', "librispeech", {"1-2.trans.txt", "3-4.trans.txt", "1-2-0.flac", "1-2-1.flac"}},
    {'j', "ljspeech", {"metadata.csv"}},
    {'c', "commonvoice", {"validated.tsv", "clip_durations.tsv"}},
    {'f', "folder", {"a.txt", "b.txt", "a.wav", "c.wav"}},
};

static char folder[64];

static void remove_files(void)
{
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int i = 0; kinds[k].files[i] != NULL; i++) {
            char path[128];
            snprintf(path, sizeof path, "%s/%s", folder, kinds[k].files[i]);
            remove(path);
        }
}

static void remove_folder(void)
{
    remove_files();
    rmdir(folder);
}

static void make_folder(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/otolith-fuzz-XXXXXX",
             base != NULL && strlen(base) < 40 ? base : "/tmp");
    if (mkdtemp(folder) == NULL || atexit(remove_folder) != 0)
        abort();
}

static void write_part(const char *name, const uint8_t *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
}

/* Cuts the data at its lines "== N". */
static void write_files(const char *const *names, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 4 < size; i++) {
        if (memcmp(data + i, "== ", 3) != 0 || data[i + 3] < '0' || data[i + 3] > '4')
            continue;
        size_t start = i + 5, end = start;
        while (end < size && !(end + 3 < size && memcmp(data + end, "\n== ", 4) == 0))
            end++;
        const char *name = names[data[i + 3] - '0'];
        if (name != NULL && start <= size)
            write_part(name, data + start, end < size ? end + 1 - start : size - start);
        i = end;
    }
}

static void check_corpus(const struct oto_corpus *corpus)
{
    for (size_t i = 0; i < corpus->n; i++) {
        const struct oto_utterance *u = &corpus->utts[i];
        if (u->id[0] == 0 || u->path[0] == 0 || u->speaker == NULL || u->text == NULL ||
            !(u->seconds >= 0) || !(u->start_s >= 0) || !(u->length_s >= 0) || u->line < 1 ||
            oto_corpus_file(corpus, u) == NULL)
            abort();
    }
}

static void count_fault(void *arg, const struct oto_corpus_fault *fault)
{
    size_t *n = arg;
    if (fault->message[0] == 0 || fault->file[0] == 0 || oto_fault_name(fault->kind)[0] == 0)
        abort();
    ++*n;
}

static void fuzz_one(uint8_t *data, size_t size)
{
    char list[128];
    const char *const *names = kinds[0].files, *format = kinds[0].format;
    if (folder[0] == 0)
        make_folder();
    remove_files();
    for (size_t k = 0; size > 0 && k < sizeof kinds / sizeof *kinds; k++)
        if (kinds[k].key == (char)data[0]) {
            names = kinds[k].files;
            format = kinds[k].format;
        }
    write_files(names, data, size);
    snprintf(list, sizeof list, "%s:%s", format, folder);
    for (int k = 0; k < 2; k++) {
        size_t n_faults = 0;
        const struct oto_corpus_options options = {.bad_lines = OTO_BAD_LINES_SKIP,
                                                   .max_messages = 5,
                                                   .fault = k == 0 ? count_fault : NULL,
                                                   .arg = &n_faults};
        struct oto_corpus *corpus = NULL;
        oto_error err = {OTO_OK, ""};
        oto_status status = oto_corpus_load(&corpus, list, &options, &err);
        if ((status == OTO_OK) != (corpus != NULL) || (status != OTO_OK && err.message[0] == 0))
            abort();
        if (corpus != NULL && k == 0 && n_faults < corpus->n_bad)
            abort();
        if (corpus != NULL)
            check_corpus(corpus);
        oto_corpus_destroy(corpus);
    }
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "corpus", 300);
}
#endif
