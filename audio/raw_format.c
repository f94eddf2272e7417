/* SPDX-License-Identifier: BSD-2-Clause */
#include "audio/raw_format.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} encodings[OTO_RAW_N] = {
    [OTO_RAW_U8] = {"u8", 1},       [OTO_RAW_S8] = {"s8", 1},       [OTO_RAW_S16LE] = {"s16le", 2},
    [OTO_RAW_S16BE] = {"s16be", 2}, [OTO_RAW_S24LE] = {"s24le", 3}, [OTO_RAW_S24BE] = {"s24be", 3},
    [OTO_RAW_S32LE] = {"s32le", 4}, [OTO_RAW_S32BE] = {"s32be", 4}, [OTO_RAW_F32LE] = {"f32le", 4},
    [OTO_RAW_F32BE] = {"f32be", 4}, [OTO_RAW_F64LE] = {"f64le", 8}, [OTO_RAW_F64BE] = {"f64be", 8},
    [OTO_RAW_MULAW] = {"mulaw", 1}, [OTO_RAW_ALAW] = {"alaw", 1},
};

const char *oto_raw_encoding_name(enum oto_raw_encoding encoding)
{
    return encodings[encoding].name;
}

size_t oto_raw_bytes(enum oto_raw_encoding encoding)
{
    return encodings[encoding].bytes;
}

/* A decimal number and nothing else up to the character stop. */
static int parse_number(const char *text, char stop, long min, long max, const char **rest)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9') {
        return -1;
    }
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || *end != stop || value < min || value > max) {
        return -1;
    }
    *rest = end;
    return (int)value;
}

oto_status oto_raw_format_parse(struct oto_raw_format *format, const char *text, oto_error *err)
{
    const char *colon = strchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);
    int encoding = 0;
    while (encoding < OTO_RAW_N && (strlen(encodings[encoding].name) != length ||
                                    strncmp(encodings[encoding].name, text, length) != 0)) {
        encoding++;
    }
    if (encoding == OTO_RAW_N) {
        return oto_fail(
            err, OTO_ERR_CONFIG,
            "raw format \"%.40s\": \"%.*s\" is not one of u8 s8 s16le s16be s24le s24be "
            "s32le s32be f32le f32be f64le f64be mulaw alaw",
            text, (int)(length < 20 ? length : 20), text);
    }
    int rate = -1, n_channels = -1;
    if (colon != NULL) {
        rate = parse_number(colon + 1, ':', OTO_AUDIO_MIN_RATE_HZ, OTO_AUDIO_MAX_RATE_HZ, &colon);
    }
    if (rate < 0) {
        return oto_fail(
            err, OTO_ERR_CONFIG,
            "raw format \"%.40s\": the second part must be a rate of %d to %d Hz, as in "
            "s16le:16000:1",
            text, OTO_AUDIO_MIN_RATE_HZ, OTO_AUDIO_MAX_RATE_HZ);
    }
    n_channels = parse_number(colon + 1, '\0', 1, OTO_AUDIO_MAX_CHANNELS, &colon);
    if (n_channels < 0) {
        return oto_fail(err, OTO_ERR_CONFIG,
                        "raw format \"%.40s\": the third part must be 1 to %d channels, as in "
                        "s16le:16000:1",
                        text, OTO_AUDIO_MAX_CHANNELS);
    }
    format->encoding = (enum oto_raw_encoding)encoding;
    format->rate_hz = rate;
    format->n_channels = n_channels;
    return OTO_OK;
}

/* n bytes as an unsigned number; big says whether the first is the most significant. */
static uint64_t get_bytes(const unsigned char *p, int n, int big)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++) {
        v = v << 8 | p[big ? i : n - 1 - i];
    }
    return v;
}

static float get_f32(const unsigned char *p, int big)
{
    uint32_t bits = (uint32_t)get_bytes(p, 4, big);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static float get_f64(const unsigned char *p, int big)
{
    uint64_t bits = get_bytes(p, 8, big);
    double v;
    memcpy(&v, &bits, sizeof v);
    return (float)v;
}

/* ITU-T G.711, table 2b: segment and mantissa of the complemented byte, in 14 bits, here scaled
 * to 16. */
static int mulaw_decode(unsigned char byte)
{
    int code = ~byte & 0xff;
    int magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
    return (code & 0x80) != 0 ? -magnitude : magnitude;
}

/* ITU-T G.711, table 1b: even bits are inverted on the line; 13 bits, here scaled to 16. */
static int alaw_decode(unsigned char byte)
{
    int code = byte ^ 0x55;
    int segment = (code >> 4) & 7;
    int magnitude = ((code & 0x0f) << 4) + 8;
    if (segment > 0) {
        magnitude = (magnitude + 0x100) << (segment - 1);
    }
    return (code & 0x80) != 0 ? magnitude : -magnitude;
}

static float get_pcm(const unsigned char *p, int n_bytes, int big)
{
    uint64_t word = get_bytes(p, n_bytes, big) << ((64 - 8 * n_bytes) & 63); /* n_bytes 1 to 8 */
    int64_t value; /* the sample as the upper bits of 64 */
    memcpy(&value, &word, sizeof value);
    return (float)((double)value * 0x1p-63);
}

void oto_raw_decode(float *out, const unsigned char *data, size_t n, enum oto_raw_encoding encoding)
{
    size_t step = encodings[encoding].bytes;
    for (size_t i = 0; i < n; i++, data += step) {
        switch (encoding) {
        case OTO_RAW_U8:
            out[i] = (float)(data[0] - 128) / 128.0F;
            break;
        case OTO_RAW_S8:
        case OTO_RAW_S16LE:
        case OTO_RAW_S24LE:
        case OTO_RAW_S32LE:
            out[i] = get_pcm(data, (int)step, 0);
            break;
        case OTO_RAW_S16BE:
        case OTO_RAW_S24BE:
        case OTO_RAW_S32BE:
            out[i] = get_pcm(data, (int)step, 1);
            break;
        case OTO_RAW_F32LE:
        case OTO_RAW_F32BE:
            out[i] = get_f32(data, encoding == OTO_RAW_F32BE);
            break;
        case OTO_RAW_F64LE:
        case OTO_RAW_F64BE:
            out[i] = get_f64(data, encoding == OTO_RAW_F64BE);
            break;
        case OTO_RAW_MULAW:
            out[i] = (float)mulaw_decode(data[0]) / 32768.0F;
            break;
        case OTO_RAW_ALAW:
            out[i] = (float)alaw_decode(data[0]) / 32768.0F;
            break;
        case OTO_RAW_N:
            break;
        }
    }
}
