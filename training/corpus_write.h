/* SPDX-License-Identifier: BSD-2-Clause */
/** Corpora as manifests of the formats that can be written; audio is referred to, not copied. */
#ifndef OTO_TRAINING_CORPUS_WRITE_H
#define OTO_TRAINING_CORPUS_WRITE_H

#include "training/corpus_format.h"

/** The format that fits the name of an output: .tsv, .csv, .jsonl, .json; else kaldi, a folder. An
 * index into oto_corpus_formats. */
int oto_corpus_format_of_path(const char *path);
/**
 * Writes a corpus, files wholly or not at all.
 *
 * @param chosen  [n] utterances, in that order; NULL: all n of the corpus
 * @param path    a file, or a folder, which is made
 * @param paths   enum oto_corpus_paths: AUTO is relative for audio below the folder of the output,
 * absolute for other audio; Kaldi folders have absolute paths but for RELATIVE
 *
 * Errors: OTO_ERR_CONFIG for a format that is only read, OTO_ERR_DATA for what a format cannot
 * hold, and those of files.
 */
oto_status oto_corpus_save(const struct oto_corpus *corpus, const size_t *chosen, size_t n,
                           const char *path, int format, int paths, oto_error *err) OTO_WARN_UNUSED;

#endif
