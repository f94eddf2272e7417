/* SPDX-License-Identifier: BSD-2-Clause */
/** What the first bytes of an input say it is. */
#ifndef OTO_AUDIO_SNIFF_H
#define OTO_AUDIO_SNIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "audio/input.h"

/** RIFF, RIFX, RF64, fLaC or OggS: containers that win over a raw format on standard input. */
bool oto_sniff_container(const unsigned char *head, size_t n);
/** These and every other header that a decoder can be chosen by: AIFF, AU, CAF, W64, VOC, NIST,
 * ID3. */
bool oto_sniff_known(const unsigned char *head, size_t n);
/** Two MPEG audio frame headers in a row. Looks, does not move; false also when the input cannot be
 * read. */
bool oto_sniff_mpeg(struct oto_input *input);
/** The first 512 bytes are text in UTF-8. Looks, does not move; false also when the input cannot be
 * read. */
bool oto_sniff_text(struct oto_input *input);

#endif
