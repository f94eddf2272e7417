/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/chunking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define RANGE_MS_MAX 60000.0

/* A number from 0 to RANGE_MS_MAX; *end behind it. */
static bool parse_ms(const char *text, const char **end, double *ms)
{
    char *stop;
    if (strspn(text, "0123456789.") != strlen(text)) /* strtod() takes "inf", " 1", ... */
        return false;
    /* "320..640": strtod() takes "320." and leaves ".640". */
    *ms = strtod(text, &stop);
    if (stop > text && stop[-1] == '.')
        stop--;
    *end = stop;
    return stop > text && *ms >= 0 && *ms <= RANGE_MS_MAX;
}

static oto_status parse_range(const char *option, const char *text, double shift_ms, int least,
                              int *low, int *high, oto_error *err)
{
    double ms[2] = {0, 0};
    const char *p = text;
    bool good = parse_ms(p, &p, &ms[0]);
    ms[1] = ms[0];
    if (good && strncmp(p, "..", 2) == 0)
        good = parse_ms(p + 2, &p, &ms[1]);
    if (!good || *p != 0 || ms[1] < ms[0])
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--%s=%.40s: expected milliseconds, LOW..HIGH or one number, 0 to %g",
                        option, text, RANGE_MS_MAX);
    *low = (int)lround(ms[0] / shift_ms);
    *high = (int)lround(ms[1] / shift_ms);
    *low = *low < least ? least : *low;
    *high = *high < *low ? *low : *high;
    return OTO_OK;
}

oto_status oto_chunking_parse(struct oto_chunking *chunking, double share, const char *chunk_ms,
                              const char *context_ms, double shift_ms, oto_error *err)
{
    chunking->share = share;
    oto_status status = parse_range("chunk-ms", chunk_ms, shift_ms, 1, &chunking->chunk_low,
                                    &chunking->chunk_high, err);
    if (status == OTO_OK)
        status = parse_range("context-ms", context_ms, shift_ms, 0, &chunking->context_low,
                             &chunking->context_high, err);
    return status;
}

static int draw(int low, int high, uint64_t seed, uint64_t stream, uint64_t counter)
{
    return low + (int)oto_rng_below(seed, stream, counter, (uint64_t)(high - low) + 1);
}

bool oto_chunking_draw(const struct oto_chunking *chunking, uint64_t seed, uint64_t step,
                       struct oto_network_chunks *chunks)
{
    uint64_t stream = oto_rng_stream("chunks");
    if (!(oto_rng_uniform(seed, stream, 3 * step) < chunking->share))
        return false;
    chunks->n_chunk = draw(chunking->chunk_low, chunking->chunk_high, seed, stream, 3 * step + 1);
    chunks->n_context =
        draw(chunking->context_low, chunking->context_high, seed, stream, 3 * step + 2);
    return true;
}
