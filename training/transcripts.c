/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/transcripts.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

static oto_status of_symbols(struct oto_alphabet **out, const char *given,
                             const struct oto_text_policy *policy, oto_error *err)
{
    char *text;
    oto_status status = oto_utf8_nfc(&text, given, OTO_CASE_KEEP, err);
    if (status != OTO_OK)
        return status;
    size_t n = 0, capacity = oto_utf8_length(text);
    char(*symbols)[8] = oto_calloc(capacity, sizeof *symbols);
    const char **pointers = oto_calloc(capacity, sizeof *pointers);
    if (!symbols || !pointers) {
        status = oto_fail_memory(err, "alphabet");
    } else {
        size_t bytes;
        for (const char *p = text; oto_utf8_next(p, &bytes) > 0 && n < capacity; p += bytes, n++) {
            memcpy(symbols[n], p, bytes);
            pointers[n] = symbols[n];
        }
        status = oto_alphabet_create(out, pointers, (int)n, policy, err);
    }
    oto_free(pointers);
    oto_free(symbols);
    oto_free(text);
    return status;
}

static oto_status of_corpus(struct oto_alphabet **out, const struct oto_corpus *corpus,
                            const struct oto_text_policy *policy, oto_error *err)
{
    struct oto_alphabet_builder *builder;
    oto_status status = oto_alphabet_builder_create(&builder, policy, err);
    if (status != OTO_OK)
        return status;
    for (size_t i = 0; i < corpus->n && status == OTO_OK; i++)
        status = oto_alphabet_builder_add(builder, corpus->utts[i].text, err);
    if (status == OTO_OK)
        status = oto_alphabet_builder_finish(builder, out, err);
    oto_alphabet_builder_destroy(builder);
    return status;
}

oto_status oto_transcripts_alphabet(struct oto_alphabet **out, const struct oto_corpus *corpus,
                                    const char *file, const char *symbols,
                                    const struct oto_text_policy *policy, oto_error *err)
{
    *out = NULL;
    if (*file)
        return oto_alphabet_load(out, file, policy, err);
    if (*symbols)
        return of_symbols(out, symbols, policy, err);
    return of_corpus(out, corpus, policy, err);
}
