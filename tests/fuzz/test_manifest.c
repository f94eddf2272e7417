/* SPDX-License-Identifier: BSD-2-Clause */
/* Manifests of training data. */
#include "fuzz.h"

#include "training/corpus.h"

static void fuzz_one(uint8_t *data, size_t size)
{
    char path[64];
    fuzz_file(path, data, size);
    for (int k = 0; k < 2; k++) {
        const struct oto_corpus_options options = {
            .bad_lines = k == 0 ? OTO_BAD_LINES_ERROR : OTO_BAD_LINES_SKIP, .max_messages = 5};
        struct oto_corpus *corpus = NULL;
        oto_error err = {OTO_OK, ""};
        oto_status status = oto_corpus_load(&corpus, path, &options, &err);
        if ((status == OTO_OK) != (corpus != NULL) || (status != OTO_OK && err.message[0] == 0))
            abort();
        for (size_t i = 0; corpus != NULL && i < corpus->n; i++) {
            const struct oto_utterance *u = &corpus->utts[i];
            if (u->id[0] == 0 || u->path[0] == 0 || u->speaker == NULL || u->text == NULL ||
                !(u->seconds >= 0) || u->line < 1)
                abort();
        }
        oto_corpus_destroy(corpus);
    }
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "manifest", 500);
}
#endif
