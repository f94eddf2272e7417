/* SPDX-License-Identifier: BSD-2-Clause */
/** From options to the alphabet that transcripts are written in; who reads corpora shares it. */
#ifndef OTO_TRAINING_TRANSCRIPTS_H
#define OTO_TRAINING_TRANSCRIPTS_H

#include "decoder/alphabet.h"
#include "training/corpus.h"

/**
 * The alphabet of a file with one symbol a line, or of all characters of a text, or of all
 * characters of a corpus's transcripts, the first of them that is given.
 *
 * @param file, symbols  "" for not given
 * Errors: those of the file; OTO_ERR_DATA for symbols that are none, or a corpus without text.
 */
oto_status oto_transcripts_alphabet(struct oto_alphabet **out, const struct oto_corpus *corpus,
                                    const char *file, const char *symbols,
                                    const struct oto_text_policy *policy,
                                    oto_error *err) OTO_WARN_UNUSED;

#endif
