/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <zlib.h>

#include "base/lines_codec.h"
#include "base/mem.h"

struct gzip {
    z_stream z;
    bool between; /* one member has ended; another may follow */
};

static const char *decode(void *state, struct oto_codec_buffers *b, bool *ended)
{
    struct gzip *g = state;
    *ended = false;
    if (g->between) {
        if (b->n_in == 0) {
            *ended = b->last;
            return NULL;
        }
        if (inflateReset(&g->z) != Z_OK)
            return "the gzip data is damaged";
        g->between = false;
    }
    uInt n_in = b->n_in > (1u << 30) ? 1u << 30 : (uInt)b->n_in;
    uInt n_out = b->n_out > (1u << 30) ? 1u << 30 : (uInt)b->n_out;
    g->z.next_in = (Bytef *)(uintptr_t)b->in;
    g->z.avail_in = n_in;
    g->z.next_out = b->out;
    g->z.avail_out = n_out;
    int code = inflate(&g->z, Z_NO_FLUSH);
    b->in += n_in - g->z.avail_in;
    b->n_in -= n_in - g->z.avail_in;
    b->out += n_out - g->z.avail_out;
    b->n_out -= n_out - g->z.avail_out;
    if (code == Z_STREAM_END) {
        g->between = true;
        return NULL;
    }
    if (code == Z_BUF_ERROR || code == Z_OK)
        return b->last && b->n_in == 0 && b->n_out > 0 ? "the gzip data is truncated" : NULL;
    return code == Z_MEM_ERROR ? "out of memory (gzip)" : "the gzip data is damaged";
}

static void destroy(void *state)
{
    struct gzip *g = state;
    inflateEnd(&g->z);
    oto_free(g);
}

bool oto_codec_gzip(struct oto_codec *codec)
{
    struct gzip *g = oto_calloc(1, sizeof *g);
    if (g == NULL)
        return false;
    if (inflateInit2(&g->z, 15 + 16) != Z_OK) { /* full window, gzip header */
        oto_free(g);
        return false;
    }
    *codec = (struct oto_codec){g, decode, destroy};
    return true;
}
