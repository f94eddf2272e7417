/* SPDX-License-Identifier: BSD-2-Clause */
/** Codebooks of 256 values for numbers of one kind. Private to decoder/ngram_image.c. */
#ifndef OTO_DECODER_NGRAM_QUANTISE_H
#define OTO_DECODER_NGRAM_QUANTISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Rising values that make the squared error over v small: cells are split at their mean, the one
 * with the largest error first, then moved by Lloyd's iteration (Lloyd 1982). With at most 256
 * different numbers each has its own. 0 stays 0 exactly where it is in v: a back-off of 0 says that
 * there is none. Deterministic. False when memory is short.
 */
bool oto_quantise_make(float codes[256], const float *v, size_t n);
/** Index of the nearest value. */
uint8_t oto_quantise_code(const float codes[256], float v);

#endif
