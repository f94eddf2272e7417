/* SPDX-License-Identifier: BSD-2-Clause */
#include "audio/wav_header.h"

#include <ctype.h>
#include <string.h>

enum {
    TAG_PCM = 1,
    TAG_FLOAT = 3,
    TAG_ALAW = 6,
    TAG_MULAW = 7,
    TAG_EXTENSIBLE = 0xFFFE,
    FORMAT_BYTES = 40,       /* the longest fmt chunk that is looked at */
    LONG_CHUNK = 256 * 1024, /* pictures and the like before the data: not kept in memory */
    MAX_CHUNKS = 4096        /* before the data; zeros look like an endless row of empty chunks */
};

bool oto_wav_is_header(const unsigned char *head, size_t n)
{
    return n >= 12 && memcmp(head + 8, "WAVE", 4) == 0 &&
           (memcmp(head, "RIFF", 4) == 0 || memcmp(head, "RIFX", 4) == 0 ||
            memcmp(head, "RF64", 4) == 0);
}

static uint32_t get(const unsigned char *p, int n, bool big)
{
    uint32_t v = 0;
    for (int i = 0; i < n; i++) {
        v = v << 8 | p[big ? i : n - 1 - i];
    }
    return v;
}

static void parse_format(struct oto_wav_header *h, const unsigned char *p, size_t n)
{
    if (n < 16) {
        return; /* not a fmt chunk that says anything */
    }
    h->has_format = true;
    h->tag = (int)get(p, 2, h->big_endian);
    h->n_channels = (int)get(p + 2, 2, h->big_endian);
    h->rate_hz = get(p + 4, 4, h->big_endian);
    h->block_align = (int)get(p + 12, 2, h->big_endian);
    h->bits = (int)get(p + 14, 2, h->big_endian);
    if (h->tag == TAG_EXTENSIBLE && n >= 26) {
        h->tag = (int)get(p + 24, 2, h->big_endian); /* first two bytes of the sub-format's GUID */
    }
}

/* Reads the first bytes of a chunk's body and skips the rest; *whole is false when the input ended
 * inside. */
static oto_status take_chunk(struct oto_input *input, uint32_t size, unsigned char *body,
                             size_t *n_body, bool *whole, oto_error *err)
{
    uint64_t padded = (uint64_t)size + (size & 1), skipped = 0;
    if (!input->seekable && size > LONG_CHUNK) {
        int64_t here = input->offset;
        oto_status status = oto_input_spool(input, err);
        if (status != OTO_OK) {
            return status;
        }
        (void)oto_input_seek(input, here); /* a file by now, so it can be done */
    }
    size_t want = padded < FORMAT_BYTES ? (size_t)padded : FORMAT_BYTES;
    oto_status status = oto_input_read_full(input, body, want, n_body, err);
    if (status == OTO_OK) {
        status = oto_input_skip(input, padded - *n_body, &skipped, err);
    }
    *whole = *n_body + skipped == padded;
    return status;
}

/* A data chunk of 0 bytes is what programs write that do not know the length yet, unless a chunk
 * follows it. */
static oto_status look_behind_empty_data(struct oto_wav_header *h, struct oto_input *input,
                                         oto_error *err)
{
    unsigned char next[8];
    size_t n = 0;
    if (h->data_size != 0) {
        return OTO_OK;
    }
    oto_status status = oto_input_read_full(input, next, sizeof next, &n, err);
    if (status != OTO_OK) {
        return status;
    }
    bool is_chunk = n == sizeof next;
    for (int i = 0; is_chunk && i < 4; i++) {
        is_chunk = isalnum(next[i]) || next[i] == ' ';
    }
    if (is_chunk && input->seekable) {
        is_chunk = (int64_t)get(next + 4, 4, h->big_endian) <= input->size - input->offset;
    }
    h->data_empty = is_chunk || n == 0;
    (void)oto_input_seek(input, h->data_offset); /* at most 8 bytes back: always kept */
    return OTO_OK;
}

oto_status oto_wav_scan(struct oto_wav_header *h, struct oto_input *input, oto_error *err)
{
    unsigned char head[12], body[FORMAT_BYTES];
    size_t n = 0;
    uint64_t size64 = 0; /* of the data, from RF64's ds64 chunk */
    memset(h, 0, sizeof *h);
    if (!oto_input_seek(input, 0)) {
        return oto_fail(err, OTO_ERR_IO, "%s: its start is no longer there", input->name);
    }
    oto_status status = oto_input_read_full(input, head, 12, &n, err);
    if (status != OTO_OK || !oto_wav_is_header(head, n)) {
        return status;
    }
    h->is_wav = true;
    h->big_endian = head[3] == 'X';
    for (int i = 0; i < MAX_CHUNKS; i++) {
        status = oto_input_read_full(input, head, 8, &n, err);
        if (status != OTO_OK || n < 8) {
            return status;
        }
        uint32_t size = get(head + 4, 4, h->big_endian);
        if (memcmp(head, "data", 4) == 0) {
            h->has_data = true;
            h->data_offset = input->offset;
            h->data_size = size == UINT32_MAX && size64 != 0 ? size64 : size;
            return look_behind_empty_data(h, input, err);
        }
        bool whole = false;
        status = take_chunk(input, size, body, &n, &whole, err);
        if (status != OTO_OK || !whole) {
            return status;
        }
        if (memcmp(head, "fmt ", 4) == 0 && !h->has_format) {
            parse_format(h, body, n < size ? n : size);
        } else if (memcmp(head, "ds64", 4) == 0 && n >= 16) {
            size64 = (uint64_t)get(body + 12, 4, false) << 32 | get(body + 8, 4, false);
        }
    }
    return OTO_OK;
}

oto_status oto_wav_check(const struct oto_wav_header *h, const struct oto_input *input,
                         oto_error *err)
{
    if (!h->has_data && !h->has_format) {
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: the WAV header is cut off: no fmt and no data chunk in it",
                        input->name);
    }
    if (!h->has_format) {
        return oto_fail(err, OTO_ERR_FORMAT, "%s: the WAV header has no fmt chunk before its data",
                        input->name);
    }
    if (h->n_channels == 0) {
        return oto_fail(err, OTO_ERR_DATA, "%s: the WAV header says 0 channels; 1 to %d are read",
                        input->name, OTO_AUDIO_MAX_CHANNELS);
    }
    if (!h->has_data) {
        return oto_fail(err, OTO_ERR_FORMAT, "%s: the WAV header is cut off: no data chunk in it",
                        input->name);
    }
    return OTO_OK;
}

bool oto_wav_length_unknown(const struct oto_wav_header *h)
{
    uint64_t n = h->data_size;
    return n == 0 || n == UINT64_MAX || (n >= 0x7ffff000 && n <= 0x80001000) ||
           (n >= 0xfffff000 && n <= UINT32_MAX);
}

bool oto_wav_raw_format(const struct oto_wav_header *h, struct oto_raw_format *format)
{
    static const struct {
        int tag, bits;
        enum oto_raw_encoding little, big;
    } known[] = {
        {TAG_PCM, 8, OTO_RAW_U8, OTO_RAW_U8},
        {TAG_PCM, 16, OTO_RAW_S16LE, OTO_RAW_S16BE},
        {TAG_PCM, 24, OTO_RAW_S24LE, OTO_RAW_S24BE},
        {TAG_PCM, 32, OTO_RAW_S32LE, OTO_RAW_S32BE},
        {TAG_FLOAT, 32, OTO_RAW_F32LE, OTO_RAW_F32BE},
        {TAG_FLOAT, 64, OTO_RAW_F64LE, OTO_RAW_F64BE},
        {TAG_MULAW, 8, OTO_RAW_MULAW, OTO_RAW_MULAW},
        {TAG_ALAW, 8, OTO_RAW_ALAW, OTO_RAW_ALAW},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].tag == h->tag && known[i].bits == h->bits &&
            h->block_align == h->n_channels * (h->bits / 8)) {
            format->encoding = h->big_endian ? known[i].big : known[i].little;
            format->rate_hz = h->rate_hz <= OTO_AUDIO_MAX_RATE_HZ ? (int)h->rate_hz : -1;
            format->n_channels = h->n_channels;
            return true;
        }
    }
    return false;
}
