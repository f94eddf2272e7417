/* SPDX-License-Identifier: BSD-2-Clause */
/** What base/lines.c needs of a compression; private to base/lines*.c. */
#ifndef OTO_BASE_LINES_CODEC_H
#define OTO_BASE_LINES_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/** Bytes that wait on one side and room on the other; moved on as they are used. */
struct oto_codec_buffers {
    const unsigned char *in;
    size_t n_in;
    bool last; /* nothing follows what is in `in` */
    unsigned char *out;
    size_t n_out;
};

struct oto_codec {
    void *state;
    /** Decodes what it can. *ended: all of it is out. Failure: a constant text says why. */
    const char *(*decode)(void *state, struct oto_codec_buffers *b, bool *ended);
    void (*destroy)(void *state);
};

/** False when memory is short. */
bool oto_codec_xz(struct oto_codec *codec);
bool oto_codec_gzip(struct oto_codec *codec);

#endif
