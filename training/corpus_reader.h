/* SPDX-License-Identifier: BSD-2-Clause */
/** Between corpus.c, which opens manifests, and corpus_reader.c, which collects what is in them. */
#ifndef OTO_TRAINING_CORPUS_READER_H
#define OTO_TRAINING_CORPUS_READER_H

#include "training/corpus_format.h"

struct oto_corpus_reader {
    struct oto_corpus *corpus;
    const struct oto_corpus_options *options;
    int manifest; /* being read */
    size_t capacity;
    size_t *ids; /* hash table of utterance index + 1 by id, open addressing */
    size_t n_slots;
    size_t n_shown, n_remarks;
    int file_capacity;
    const char *id; /* of the entry being added, for faults */
};

void oto_corpus_clear_utterance(struct oto_utterance *u);
void oto_paths_clear(struct oto_paths *paths);

#endif
