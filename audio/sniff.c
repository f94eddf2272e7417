/* SPDX-License-Identifier: BSD-2-Clause */
#include "audio/sniff.h"

#include <string.h>

#include "base/utf8.h"

static bool starts_with_any(const unsigned char *head, size_t n, const char *const *magics)
{
    for (; *magics != NULL; magics++) {
        size_t length = strlen(*magics);
        if (n >= length && memcmp(head, *magics, length) == 0) {
            return true;
        }
    }
    return false;
}

bool oto_sniff_container(const unsigned char *head, size_t n)
{
    static const char *const magics[] = {"RIFF", "RIFX", "RF64", "fLaC", "OggS", NULL};
    return starts_with_any(head, n, magics);
}

bool oto_sniff_known(const unsigned char *head, size_t n)
{
    static const char *const magics[] = {
        "FORM", ".snd", "dns.",      "caff",           "riff\x2e\x91\xcf\x11",
        "ID3",  "MAC ", "NIST_1A\n", "Creative Voice", NULL};
    return oto_sniff_container(head, n) || starts_with_any(head, n, magics);
}

/* Length in bytes of the MPEG audio frame whose header is at p, 0 for what is no such header (ISO
 * 11172-3, 13818-3). */
static size_t mpeg_frame_bytes(const unsigned char p[4])
{
    static const int kbits_v1[16] = {0,   32,  40,  48,  56,  64,  80,  96,
                                     112, 128, 160, 192, 224, 256, 320, 0};
    static const int kbits_v2[16] = {0,  8,  16, 24,  32,  40,  48,  56,
                                     64, 80, 96, 112, 128, 144, 160, 0};
    static const int rates_v1[4] = {44100, 48000, 32000, 0};
    int version = p[1] >> 3 & 3,
        layer = p[1] >> 1 & 3; /* 3 = MPEG-1, 2 = MPEG-2, 0 = MPEG-2.5; 1 = layer III */
    if (p[0] != 0xff || (p[1] & 0xe0) != 0xe0 || version == 1 || layer != 1) {
        return 0;
    }
    int kbits = version == 3 ? kbits_v1[p[2] >> 4] : kbits_v2[p[2] >> 4];
    int rate = rates_v1[p[2] >> 2 & 3] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    if (kbits == 0 || rate == 0) {
        return 0;
    }
    return (size_t)((version == 3 ? 144000 : 72000) * kbits / rate + (p[2] >> 1 & 1));
}

bool oto_sniff_mpeg(struct oto_input *input)
{
    unsigned char head[2048];
    size_t n = 0, length;
    if (oto_input_peek(input, head, 4, &n, NULL) != OTO_OK || n < 4 ||
        (length = mpeg_frame_bytes(head)) == 0 || length + 4 > sizeof head) {
        return false;
    }
    return oto_input_peek(input, head, length + 4, &n, NULL) == OTO_OK && n == length + 4 &&
           mpeg_frame_bytes(head + length) != 0;
}

bool oto_sniff_text(struct oto_input *input)
{
    char head[512 + 1];
    size_t n = 0;
    if (oto_input_peek(input, head, sizeof head - 1, &n, NULL) != OTO_OK || n == 0) {
        return false;
    }
    head[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)head[i];
        if (c == 0x7f || (c < 0x20 && strchr("\t\n\r\f\b\x1b", c) == NULL) || c == 0) {
            return false;
        }
    }
    ptrdiff_t invalid = oto_utf8_invalid_at(head);
    return invalid < 0 ||
           (n == sizeof head - 1 && (size_t)invalid + 4 > n); /* cut inside a character */
}
