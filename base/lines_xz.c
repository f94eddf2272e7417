/* SPDX-License-Identifier: BSD-2-Clause */
#include <lzma.h>

#include "base/lines_codec.h"
#include "base/mem.h"

/* xz -9 needs 65 MiB to decode; a file that wants more than this is no honest text. */
#define MEMORY_LIMIT (256u << 20)

static const char *decode(void *state, struct oto_codec_buffers *b, bool *ended)
{
    lzma_stream *s = state;
    s->next_in = b->in;
    s->avail_in = b->n_in;
    s->next_out = b->out;
    s->avail_out = b->n_out;
    lzma_ret code = lzma_code(s, b->last ? LZMA_FINISH : LZMA_RUN);
    b->in = s->next_in;
    b->n_in = s->avail_in;
    b->out = s->next_out;
    b->n_out = s->avail_out;
    *ended = code == LZMA_STREAM_END;
    switch (code) {
    case LZMA_OK:
    case LZMA_STREAM_END:
        return NULL;
    case LZMA_BUF_ERROR:
        return b->last && b->n_out > 0 ? "the xz data is truncated" : NULL;
    case LZMA_MEM_ERROR:
        return "out of memory (xz)";
    case LZMA_MEMLIMIT_ERROR:
        return "decoding the xz data would take more than 256 MiB";
    default:
        return "the xz data is damaged";
    }
}

static void destroy(void *state)
{
    lzma_end(state);
    oto_free(state);
}

bool oto_codec_xz(struct oto_codec *codec)
{
    lzma_stream *s = oto_calloc(1, sizeof *s);
    if (s == NULL)
        return false;
    if (lzma_stream_decoder(s, MEMORY_LIMIT, LZMA_CONCATENATED) != LZMA_OK) {
        oto_free(s);
        return false;
    }
    *codec = (struct oto_codec){s, decode, destroy};
    return true;
}
