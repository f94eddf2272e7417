/* SPDX-License-Identifier: BSD-2-Clause */
/** Headerless samples: their names, and their conversion to float. */
#ifndef OTO_AUDIO_RAW_FORMAT_H
#define OTO_AUDIO_RAW_FORMAT_H

#include <stddef.h>

#include "base/status.h"

enum { OTO_AUDIO_MIN_RATE_HZ = 4000, OTO_AUDIO_MAX_RATE_HZ = 192000, OTO_AUDIO_MAX_CHANNELS = 64 };

enum oto_raw_encoding {
    OTO_RAW_U8,
    OTO_RAW_S8,
    OTO_RAW_S16LE,
    OTO_RAW_S16BE,
    OTO_RAW_S24LE,
    OTO_RAW_S24BE,
    OTO_RAW_S32LE,
    OTO_RAW_S32BE,
    OTO_RAW_F32LE,
    OTO_RAW_F32BE,
    OTO_RAW_F64LE,
    OTO_RAW_F64BE,
    OTO_RAW_MULAW,
    OTO_RAW_ALAW,
    OTO_RAW_N
};

struct oto_raw_format {
    enum oto_raw_encoding encoding;
    int rate_hz, n_channels;
};

/** Parses "s16le:16000:1". OTO_ERR_CONFIG says which of the three parts is wrong and what is
 * allowed. */
oto_status oto_raw_format_parse(struct oto_raw_format *format, const char *text,
                                oto_error *err) OTO_WARN_UNUSED;
/** "s16le" */
const char *oto_raw_encoding_name(enum oto_raw_encoding encoding);
/** Of one sample. */
size_t oto_raw_bytes(enum oto_raw_encoding encoding);
/**
 * Integers are divided by 2^(bits - 1), unsigned bytes after taking 128 off; mu-law and A-law by
 * ITU-T G.711.
 *
 * @param out   [n]
 * @param data  [n * oto_raw_bytes(encoding)], any alignment
 */
void oto_raw_decode(float *out, const unsigned char *data, size_t n,
                    enum oto_raw_encoding encoding);

#endif
