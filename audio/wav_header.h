/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The header of a WAV file (RIFF, RIFX, RF64), read for three reasons: its faults can be named more
 * exactly than a decoder library does, a wrong length is noticed, and samples can be taken from a
 * pipe while they arrive.
 *
 * Source: Microsoft "Multimedia Programming Interface and Data Specifications 1.0" (1991), mmreg.h,
 * EBU Tech 3306 (RF64).
 */
#ifndef OTO_AUDIO_WAV_HEADER_H
#define OTO_AUDIO_WAV_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/input.h"
#include "audio/raw_format.h"

struct oto_wav_header {
    bool is_wav;     /* starts with RIFF, RIFX or RF64 and WAVE */
    bool has_format; /* a fmt chunk was found */
    bool has_data;   /* a data chunk was found; false: the input ended before */
    bool big_endian; /* RIFX */
    int tag; /* 1 PCM, 3 float, 6 A-law, 7 mu-law, ...; of the extension where there is one */
    int n_channels;
    uint32_t rate_hz;
    int block_align;     /* bytes of a frame */
    int bits;            /* of a sample */
    int64_t data_offset; /* of the first sample */
    uint64_t data_size;  /* bytes, as the header claims */
    bool data_empty;     /* it claims 0 bytes, and truly another chunk or the end follows */
};

/** Whether these first bytes of an input are those of a WAV file. */
bool oto_wav_is_header(const unsigned char *head, size_t n);
/**
 * Reads from offset 0 up to the first sample, where the input stands afterwards when has_data. A
 * header that ends early is no error here. An unusually long header turns a pipe into a file. Fails
 * as oto_input_read() does.
 */
oto_status oto_wav_scan(struct oto_wav_header *header, struct oto_input *input,
                        oto_error *err) OTO_WARN_UNUSED;
/** OTO_ERR_FORMAT or OTO_ERR_DATA in words when the header cannot be used at all: cut off, no fmt
 * chunk, 0 channels. */
oto_status oto_wav_check(const struct oto_wav_header *header, const struct oto_input *input,
                         oto_error *err) OTO_WARN_UNUSED;
/** Whether the claimed length is one that programs write when they do not know it: 0, 2^32 - 1,
 * about 2^31. */
bool oto_wav_length_unknown(const struct oto_wav_header *header);
/** The plain sample format of the data, if it is one that source_raw decodes; false otherwise
 * (ADPCM, GSM, ...). */
bool oto_wav_raw_format(const struct oto_wav_header *header, struct oto_raw_format *format);

#endif
