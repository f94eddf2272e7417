/* SPDX-License-Identifier: BSD-2-Clause */
/* Language models, ARPA and binary by content. Checksums would stop every change of a binary at the
 * door, so that each input is tried once as it is and once signed anew; what opens is asked. */
#include "fuzz.h"

#include "base/container.h"
#include "base/lines.h"
#include "base/mem.h"
#include "decoder/lm_format.h"
#include "decoder/ngram.h"

static void put_u64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* Size and checksums as if the content were meant so. */
static void sign(uint8_t *data, size_t size)
{
    if (size < OTO_CONTAINER_HEADER)
        return;
    size_t n = (size_t)get(data + 12, 4);
    if (n > OTO_CONTAINER_MAX_SECTIONS || OTO_CONTAINER_HEADER + n * OTO_CONTAINER_ENTRY + 8 > size)
        return;
    put_u64(data + 16, size);
    for (size_t k = 0; k < n; k++) {
        uint8_t *entry = data + OTO_CONTAINER_HEADER + k * OTO_CONTAINER_ENTRY;
        uint64_t offset = get(entry + 16, 8), length = get(entry + 24, 8);
        if (offset <= size && length <= size - offset)
            put_u64(entry + 32, oto_checksum(data + offset, (size_t)length));
    }
    size_t end = OTO_CONTAINER_HEADER + n * OTO_CONTAINER_ENTRY;
    put_u64(data + end, oto_checksum(data, end));
}

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
    sign(data, size);
    parse(data, size);
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "lm", 1000);
}
#endif
