/* SPDX-License-Identifier: BSD-2-Clause */
/* Normalisation of transcripts: one rule for training text, references, and what an alphabet is
 * made from. */
#include <string.h>

#include "base/mem.h"
#include "decoder/alphabet.h"

#define APOSTROPHE 0x27
#define RIGHT_QUOTE 0x2019 /* how word processors write the apostrophe */
#define BYTE_ORDER_MARK 0xFEFF

/** Hyphens and dashes (Unicode Pd), minus, slashes: without them the words on both sides would run
 * together. */
static bool separates_words(int32_t c)
{
    static const int32_t separators[] = {0x2D,   0x2F,   0x5C,   0x58A,  0x5BE,  0x1400,
                                         0x1806, 0x2044, 0x2212, 0x2E17, 0x2E1A, 0x2E3A,
                                         0x2E3B, 0x2E40, 0x301C, 0x3030, 0x30A0, 0xFE31,
                                         0xFE32, 0xFE58, 0xFE63, 0xFF0D, 0xFF0F, 0xFF3C};
    if (c >= 0x2010 && c <= 0x2015)
        return true;
    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++)
        if (separators[i] == c)
            return true;
    return false;
}

static bool is_known(const struct oto_alphabet *alphabet, int32_t c)
{
    return alphabet ? oto_alphabet_find(alphabet, c) > 0 : c == APOSTROPHE;
}

/** What becomes of one code point: itself, another that is no longer in UTF-8, ' ', or 0 for
 * nothing. */
static int32_t rewrite(int32_t c, const struct oto_text_policy *policy,
                       const struct oto_alphabet *alphabet)
{
    if (oto_utf8_is_space(c))
        return ' ';
    if (c == BYTE_ORDER_MARK)
        return 0;
    if (policy->punctuation == OTO_PUNCTUATION_KEEP || !oto_utf8_is_punctuation(c) ||
        is_known(alphabet, c))
        return c;
    if (c == RIGHT_QUOTE && is_known(alphabet, APOSTROPHE))
        return APOSTROPHE;
    return separates_words(c) ? ' ' : 0;
}

/** In place, since the text never grows. Returns whether code points were taken out between others.
 */
static bool filter(char *text, const struct oto_text_policy *policy,
                   const struct oto_alphabet *alphabet)
{
    const char *in = text;
    char *out = text;
    bool removed = false, space = false;
    size_t n;
    for (int32_t c; (c = oto_utf8_next(in, &n)) != 0;) {
        int32_t now = rewrite(c, policy, alphabet);
        in += n;
        removed |= now == 0;
        if (now == ' ')
            space = out > text; /* leading ones are dropped, trailing ones never written */
        if (now == ' ' || now == 0)
            continue;
        if (space)
            *out++ = ' ';
        space = false;
        char bytes[4];
        n = oto_utf8_encode(now, bytes);
        memcpy(out, bytes, n);
        out += n;
    }
    *out = '\0';
    return removed;
}

oto_status oto_text_normalise(char **out, const char *text, const struct oto_text_policy *policy,
                              const struct oto_alphabet *alphabet, oto_error *err)
{
    char *nfc;
    *out = NULL;
    oto_status status = oto_utf8_nfc(&nfc, text, (enum oto_text_case)policy->letter_case, err);
    if (status)
        return status;
    if (filter(nfc, policy, alphabet)) { /* a base and a mark may have become neighbours */
        status = oto_utf8_nfc(out, nfc, (enum oto_text_case)policy->letter_case, err);
        oto_free(nfc);
        return status;
    }
    *out = nfc;
    return OTO_OK;
}
