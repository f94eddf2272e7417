/* SPDX-License-Identifier: BSD-2-Clause */
/* Language models, ARPA and binary by content. Checksums would stop every change of a binary at the
 * door, so that each input is tried once as it is and once signed anew; what opens is asked. */
#include "fuzz.h"
#include "fuzz_container.h"

#include "base/container.h"
#include "base/lines.h"
#include "base/mem.h"
#include "decoder/lm_format.h"
#include "decoder/ngram.h"

/* Each word once, one after another, then all look-ups by name. */
static void ask(const struct oto_lm *lm)
{
    struct oto_lm_state state;
    double total = 0;
    const uint32_t n = oto_lm_n_words(lm);
    oto_lm_start(lm, &state);
    for (uint32_t i = 0; i < 3 * n && i < 1000; i++)
        total += oto_lm_score(lm, &state, &state, (i * i + i / 3) % n, NULL);
    for (uint32_t i = 0; i < n; i++)
        total += oto_lm_find(lm, oto_lm_word(lm, i), strlen(oto_lm_word(lm, i)));
    if (!(total < 1e300))
        abort();
}

static void parse(const uint8_t *data, size_t size)
{
    struct oto_lm *lm = NULL;
    struct oto_ngram *m = NULL;
    struct oto_lines *in = NULL;
    oto_error err = {OTO_OK, ""};
    oto_status status;
    if (size >= 8 && memcmp(data, oto_lm_kind.magic, 8) == 0) {
        status = oto_lm_open_memory(&lm, data, size, "fuzz", &err);
    } else {
        status = oto_lines_open_memory(&in, data, size, "fuzz", &err);
        if (status == OTO_OK)
            status = oto_ngram_read_arpa(&m, in, &err);
        if (status == OTO_OK)
            status = oto_lm_from_ngram(&lm, m, "fuzz", &err);
    }
    if ((status == OTO_OK) != (lm != NULL) || (status != OTO_OK && err.message[0] == 0))
        abort();
    if (lm != NULL)
        ask(lm);
    oto_lm_close(lm);
    oto_ngram_destroy(m);
    oto_lines_close(in);
}

static void fuzz_one(uint8_t *data, size_t size)
{
    parse(data, size);
    fuzz_sign(data, size);
    parse(data, size);
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "lm", 1000);
}
#endif
