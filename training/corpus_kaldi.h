/* SPDX-License-Identifier: BSD-2-Clause */
/** The writer of Kaldi folders stands in a file of its own. */
#ifndef OTO_TRAINING_CORPUS_KALDI_H
#define OTO_TRAINING_CORPUS_KALDI_H

#include "training/corpus_format.h"

oto_status oto_corpus_write_kaldi(const struct oto_corpus_target *target,
                                  oto_error *err) OTO_WARN_UNUSED;

#endif
